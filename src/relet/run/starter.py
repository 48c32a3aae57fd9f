"""Whoever started the client and waits until there is an address: systemd, or the command in front of one in the background.

Both are let go at the first address of any interface, as soon as a network says that it needs no IPv4 (RFC 8925), or after a
time without: a boot must not hang because a server is away. The client goes on either way. systemd also hears in a line
where each interface is.
"""

from math import inf
from typing import get_args

from relet.client.states import State, V6Only
from relet.net import clock
from relet.run.background import NO, Background
from relet.run.notify import Notify
from relet.run.told import Told

WHERE = frozenset({state.__name__.lower() for state in get_args(State)} | {"unbound", "no-interface", "interface-lost"})
"""Events that say where a client is; what else it tells is in its log."""


ANSWERS = frozenset({"bound", V6Only.__name__.lower()})
"""Events after which there is nothing to wait for."""


class Starter:
    """wait_s: how long it is kept waiting for an address; infinity for as long as it takes.

    background: of this process, if it is to go there; errors: where its standard error then leads. detached: has it gone?
    """

    def __init__(
        self, notify: Notify, background: Background | None = None, wait_s: float = inf, errors: int | None = None
    ) -> None:
        self.detached, self._waits = False, True
        self._notify, self._background, self._errors = notify, background, errors
        self._until = clock.now().mono + wait_s
        self._lines: dict[str, str] = {}

    def told(self, told: Told) -> None:
        """Something has happened on an interface."""
        if told.event in WHERE:
            self._lines[told.interface] = told.text
        if told.event in ANSWERS:
            self._let_go(0)
        self._notify.alive(self._state(), clock.now().mono)

    def deadline(self) -> float:
        """Monotonic time at which to `wake`; infinity for never."""
        return self._until

    def wake(self, mono: float) -> None:
        """Time passes."""
        if self._until <= mono:
            self._let_go(NO)

    def ending(self) -> None:
        """The client ends."""
        self._notify.stopping()
        self._notify.close()

    def _let_go(self, code: int) -> None:
        if self._waits:
            self._waits, self._until = False, inf
            self._notify.ready(self._state())
            if self._background:
                self.detached = True
                self._background.detach(code, self._errors)

    def _state(self) -> str:
        return "; ".join(f"{interface}: {text}" for interface, text in self._lines.items())
