"""The client as a process: one loop, one netlink socket, the signals, and a client on each interface.

Signals are for all of them. The process ends when all have ended, with the gravest of their outcomes.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from math import inf
from pathlib import Path

from relet.client.settings import ClientSettings
from relet.model.events import Command
from relet.net import clock
from relet.net.link import LinkInfo
from relet.net.monitor import LinkMonitor
from relet.net.rights import Identity
from relet.run.background import PidFile
from relet.run.control import client_socket, remove_deserted
from relet.run.hands import Hands
from relet.run.loop import Loop, unexpected
from relet.run.orders import ENVIRONMENT, GOOD, Orders
from relet.run.presence import Presence
from relet.run.remote import HandLostError
from relet.run.report import Result
from relet.run.starter import Starter
from relet.run.told import Told

MAX_INTERFACES = 64
"""Interfaces of one process."""


class Clients:
    """A client for each interface of `orders`. Raises LinkError if netlink cannot be heard.

    settings: of the client on an interface as it is then; raises LinkError if there can be none. tell: gets all that
    happens. starter: who waits until there is an address. who: whom the process becomes once its sockets are open, None if
    it stays what it is. sockets: folder of the control sockets, pid_file: where the process id is; None for none. errors:
    descriptor of standard error in the background.
    """

    def __init__(
        self,
        orders: Mapping[str, Orders],
        settings: Callable[[LinkInfo], ClientSettings],
        tell: Callable[[Told], None],
        starter: Starter,
        who: Identity | None = None,
        sockets: Path | None = None,
        pid_file: Path | None = None,
        errors: int | None = None,
    ) -> None:
        self._tell, self._starter, self._sockets = tell, starter, sockets
        self._pid_file = PidFile(pid_file) if pid_file else None
        self._lost = self._in_background = False
        self._naps = clock.Naps()
        with ExitStack() as stack:
            self._hands = Hands(orders, who, partial(_clear, sockets, tuple(orders), self._pid_file), errors)
            stack.callback(self._hands.close)
            self._monitor = LinkMonitor(orders)
            stack.callback(self._monitor.close)
            self._loop = Loop(self._deadline, self._wake, self._failed)
            stack.callback(self._loop.close)
            self._presences = {
                name: Presence(
                    name, settings, each, self._loop, partial(self._hands.hand, self._loop), self._told, self._ended
                )
                for name, each in orders.items()
            }
            for presence in self._presences.values():
                stack.callback(presence.close)
            self._opened = stack.pop_all()

    def run(self) -> int:
        """Until all have ended. The gravest of their outcomes. Raises MachineError."""
        with self._opened:
            self._listen()
            for name, presence in self._presences.items():
                presence.start(self._monitor.links[name])
            for presence in self._presences.values():
                if self._sockets and not presence.finished:
                    presence.receive_callers(self._sockets, self._loop)
            if self._pid_file and not self._over():
                self._pid_file.write()
                self._opened.callback(self._pid_file.remove)
            self._hands.give_up()
            self._heard()
            if not self._over():
                self._loop.run()
            self._starter.ending()
        return max(ENVIRONMENT if self._lost else GOOD, *(each.outcome for each in self._presences.values()))

    def results(self) -> list[Result]:
        """How it went on each interface."""
        return [presence.result() for presence in self._presences.values()]

    def _told(self, told: Told) -> None:
        self._tell(told)
        self._starter.told(told)
        self._follow_into_background()

    def _follow_into_background(self) -> None:
        if self._starter.detached and not self._in_background:
            self._in_background = True
            self._hands.into_background()

    def _failed(self, error: Exception, faults: int) -> None:
        """A callback has raised. Without its hand, the client cannot even take its address away."""
        if not isinstance(error, HandLostError):
            unexpected(error, faults)
        elif not self._lost:
            self._lost = True
            for presence in self._presences.values():
                presence.fail(error)
            self._loop.stop()

    def _listen(self) -> None:
        self._hands.listen(self._loop)
        self._loop.register(self._monitor, self._heard)
        self._loop.on_clock_set(self._clock_set)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._loop.on_signal(number, self._interrupt)
        for number, command in ((signal.SIGUSR1, Command.RENEW), (signal.SIGUSR2, Command.RELEASE)):
            self._loop.on_signal(number, partial(self._command, command))

    def _heard(self) -> None:
        for notice in self._monitor.receive():
            self._presences[notice.name].noticed(notice)

    def _clock_set(self) -> None:
        """By somebody, or because the machine woke up. What the link did meanwhile comes first."""
        self._heard()
        woken = self._naps.taken()
        for presence in self._presences.values():
            presence.clock_set()
            if woken:
                presence.woken()

    def _deadline(self) -> float | None:
        self._ended()  # a program of which nothing is told may have been the last that was waited for
        soonest = min(self._starter.deadline(), *(presence.deadline() for presence in self._presences.values()))
        return None if soonest == inf else soonest

    def _wake(self) -> None:
        mono = clock.now().mono
        for presence in self._presences.values():
            presence.wake(mono)
        self._starter.wake(mono)
        self._follow_into_background()

    def _command(self, command: Command) -> None:
        for presence in self._presences.values():
            presence.command(command)

    def _interrupt(self) -> None:
        """The first signal ends the clients, the second does not wait for their hooks."""
        if all(presence.finished for presence in self._presences.values()):
            self._loop.stop()
        for presence in self._presences.values():
            presence.interrupted()

    def _ended(self) -> None:
        if self._over():
            self._loop.stop()

    def _over(self) -> bool:
        return all(presence.over for presence in self._presences.values())


def _clear(sockets: Path | None, names: Sequence[str], pid_file: PidFile | None) -> None:
    """Remove what a client without rights must leave behind."""
    if sockets:
        for name in names:
            remove_deserted(client_socket(sockets, name))
    if pid_file:
        pid_file.remove()
