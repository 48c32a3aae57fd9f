"""Where a running client is asked: for each interface a control socket, what was recorded, and who waits for an end.

`relet status`, `renew` and `release` come here. It reads what the client is and hands it the operator's word; how that
ended is heard, as everybody hears it, from what is told.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from relet.client.machine import Client
from relet.client.states import Leased, State, V6Only
from relet.model.clock import Now
from relet.model.effects import Binding, Effect
from relet.model.events import Command, Event
from relet.net import clock
from relet.run.control import Control, Later, Question, client_at, client_socket
from relet.run.loop import Loop
from relet.run.recorder import Recorder
from relet.run.report import NO_INTERFACE, Outcome, Report, Result, absent, granted, report
from relet.run.told import Told, state_name

NO = 1
"""Exit codes above it are the machine's fault."""

MAX_WAITING = 16
"""Callers that wait for the end of a renewal or release; the oldest makes room."""


Good = Callable[[Binding], Binding]


class Desk:
    """order: hands a command to the client."""

    def __init__(self, interface: str, order: Callable[[Command], None]) -> None:
        self._interface, self._order = interface, order
        self._client: Client | None = None
        self._good: Good = _as_it_is
        self._recorder = Recorder(b"")
        self._waiting: list[tuple[Later, float]] = []
        self._control: Control | None = None
        self._began = clock.now().mono
        self._first: tuple[Told, float] | None = None
        self._last: Told | None = None

    def open(self, folder: Path, loop: Loop) -> None:
        """Make the control socket, while we still may. Raises ControlError, OSError."""
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        path, subject = client_socket(folder, self._interface), client_at(self._interface)
        self._control = Control(path, self.answer, loop, subject=subject)

    def close(self) -> None:
        """Hang up and remove the socket. Idempotent."""
        if self._control:
            self._control.close()
        self._control = None

    def attend(self, client: Client | None, good: Good | None = None) -> None:
        """This is the interface's client from now on; None: there is none, for there is no interface. good: gives a lease
        without what the interface has refused; None for all that it says."""
        self._client, self._good = client, good or _as_it_is
        if client:
            self._recorder = Recorder(client.settings.mac)

    def record(self, event: Event, before: State, effects: Sequence[Effect], now: Now) -> None:
        """The client has handled an event."""
        if self._client:
            self._recorder.record(event, before, effects, self._client.state, now)

    def told(self, told: Told) -> None:
        """What everybody hears: whoever waits for a lease's new life or its end has an answer."""
        self._last, mono = told, clock.now().mono
        if told.event == "bound" and self._first is None:
            self._first = (told, mono - self._began)
        if self._waiting and told.event in ("bound", "unbound"):
            outcome = "bound" if told.event == "bound" else _ended(told)
            waiting, self._waiting = self._waiting, []
            for later, began in waiting:
                later.give(self._result(outcome, told, mono - began))

    def report(self) -> Report:
        """The client as it is now."""
        now, pid = clock.now(), os.getpid()
        if self._client is None:
            return absent(self._interface, pid, self._recorder, now)
        return report(self._client, self._recorder, pid, now, self._good)

    def result(self, code: int) -> Result:
        """How the client came to its first address, or why to none. code: with which it ended."""
        if code == 0 and self._first:
            return self._result("bound", *self._first)
        if code == 0 and self._client and isinstance(self._client.state, V6Only):
            return self._result("ipv6-only", self._last, clock.now().mono - self._began)
        return self._result("failed" if code > NO else "none", self._last, clock.now().mono - self._began)

    def answer(self, question: Question) -> object:
        """What the commands ask. Raises ValueError, with words for whoever asked."""
        match question:
            case {"do": "status"}:
                return self.report()
            case {"do": "renew"}:
                return self._wait(Command.RENEW, "extend")
            case {"do": "release"}:
                return self._wait(Command.RELEASE, "release")
        raise ValueError("there are 'status', 'renew' and 'release'")

    def _wait(self, command: Command, what: str) -> Later:
        state = self._client.state if self._client else None
        if not isinstance(state, Leased):
            where = state_name(state) if state else NO_INTERFACE
            raise ValueError(f"there is no lease to {what}; the client is {where}")
        later = Later()
        self._waiting = [*self._waiting, (later, clock.now().mono)][-MAX_WAITING:]
        self._order(command)
        return later

    def _result(self, outcome: Outcome, told: Told | None, seconds: float) -> Result:
        state = self._client.state if self._client else None
        bound = outcome == "bound"
        return Result(
            interface=self._interface,
            outcome=outcome,
            cause=told.cause if told and (bound or told.event == "unbound") else "",
            text=told.text if told else "",
            seconds=seconds,
            lease=granted(self._good(state.held.binding)) if bound and isinstance(state, Leased) else None,
        )


def _as_it_is(binding: Binding) -> Binding:
    return binding


def _ended(told: Told) -> Outcome:
    """A lease has come to its end: as somebody may have wanted, or otherwise."""
    return "released" if told.cause == "release" and told.server_told else "none"
