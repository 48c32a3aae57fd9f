"""A storm in the real world: one process or several, each with its share of the fleet and sockets of its own.

    storm = Crew(plan, cast)                     opens the sockets; raises LinkError
    parts, end = storm.perform(watch)            watch(glance) is called a few times a second

The first process only watches, and the others work, so drawing takes nothing from a fleet. The sockets are opened before the
others begin: who may not do that is told so at once. However it ends, each process gives its part.
"""

import gc
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

import msgspec

from relet.errors import MachineError
from relet.lab.storm.cast import Cast
from relet.lab.storm.fleet import ATTEMPTS, INVERSE, Fleet, Glance, Manner, salt
from relet.lab.storm.tally import Part
from relet.net.clock import now
from relet.net.crowd import CrowdSocket, RelaySocket
from relet.wire.address import parse_ip

START_S = 0.02
"""How long it takes to make a process, so that all begin at one moment."""
MOST_AT_ONCE = 256
"""Requests that are sent before the answers are read again."""
GLANCE_S = 0.2
"""How often a process tells how far it is."""
LINGER_S = 0.3
"""How long answers are still heard when every client has one: surplus ones, and those to nobody."""
PATIENCE_S = 15.0
"""How long a process may take to hand over its part."""
MOST_PROCESSES = 64
ENDING = (signal.SIGINT, signal.SIGTERM)
"""They end a storm with the report so far."""

Socket = RelaySocket | CrowdSocket


class End(StrEnum):
    """Why a storm ended."""

    DONE = "done"  # every client has a lease, or has given up
    LIMIT = "limit"  # its time was over
    INTERRUPTED = "interrupted"  # somebody pressed Ctrl-C, or sent SIGTERM


class Outcome(NamedTuple):
    """The parts of all processes, why it ended, the wall time at which it began, and how many seconds it took."""

    parts: list[Part]
    end: End
    wall: float
    elapsed_s: float


class Plan(msgspec.Struct, frozen=True):
    """What is to be done. server: its address, '' on a link. interface: the link, '' through relays."""

    manner: Manner
    seed: int
    limit_s: float
    server: str = ""
    relays: tuple[str, ...] = ()
    interface: str = ""
    processes: int = 1


class Crew:
    """The processes of a storm, not yet begun. Raises LinkError if the sockets cannot be opened."""

    def __init__(self, plan: Plan, cast: Cast) -> None:
        self.plan, self.cast = plan, cast
        self._sockets: list[list[Socket]] = []
        try:
            for _ in range(plan.processes):
                self._sockets.append([])
                for relay in plan.relays:
                    shared = plan.processes > 1
                    if shared and len(self._sockets) == 1:  # nobody else may share it, such as another storm
                        RelaySocket(parse_ip(relay), parse_ip(plan.server)).close()
                    self._sockets[-1].append(RelaySocket(parse_ip(relay), parse_ip(plan.server), shared))
                if plan.interface:
                    self._sockets[-1].append(CrowdSocket(plan.interface))
            if plan.processes > 1 and plan.relays:
                for socket in self._sockets[0]:
                    assert isinstance(socket, RelaySocket)
                    socket.steer(salt(plan.seed), INVERSE, ATTEMPTS, plan.processes)
        except MachineError:
            self.close()
            raise

    def close(self) -> None:
        """Give the sockets back. Idempotent."""
        for sockets in self._sockets:
            for socket in sockets:
                socket.close()

    def perform(self, watch: Callable[[Glance], None]) -> Outcome:
        """Let it happen.

        SIGINT (Ctrl-C) and SIGTERM end it early. Raises MachineError if a process is lost. In the main thread.
        """
        plan = self.plan
        fleets = [
            Fleet(self.cast, plan.manner, plan.seed, 0.0, plan.relays, number, plan.processes)
            for number in range(plan.processes)
        ]
        began = now()
        start = began.mono + START_S * (1 + plan.processes)
        context = get_context("fork")
        pipes: list[Connection] = []
        workers = []
        wish = Wish()
        before = {number: signal.signal(number, wish.heard) for number in ENDING}
        for number, fleet in enumerate(fleets):
            fleet.wall = began.wall + start - began.mono
            ours, theirs = context.Pipe()
            pipes.append(ours)
            worker = context.Process(target=self._work, args=(fleet, self._sockets[number], theirs, start, pipes))
            worker.start()
            theirs.close()
            workers.append(worker)
        try:
            parts = _gather(pipes, watch, self.plan.limit_s + PATIENCE_S, wish)
        finally:
            for signal_number, handler in before.items():
                signal.signal(signal_number, handler)
            for worker in workers:
                worker.join(1)
                if worker.is_alive():
                    worker.kill()
            # Not before: a socket that is closed would leave its place among those that share a port.
            self.close()
        done = all(finished for _, finished in parts)
        end = End.DONE if done else End.INTERRUPTED if wish.to_end else End.LIMIT
        return Outcome([part for part, _ in parts], end, began.wall, max(0.0, now().mono - start))

    def _work(
        self, fleet: Fleet, sockets: list[Socket], pipe: Connection, start: float, others: list[Connection]
    ) -> None:
        """What each process does, from that moment of the monotonic clock on. others: ends of pipes that are not its own."""
        for end in others:
            end.close()
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)  # the first process hears it, and says so
        gc.freeze()  # what is there stays there; nobody need look at it again
        with suppress(ConnectionError):  # nobody watches any more: whoever began the storm was killed
            drive(fleet, sockets, self.plan.limit_s, pipe, start)
            pipe.send(("part", self._part(fleet, sockets), fleet.done))
            pipe.close()

    def _part(self, fleet: Fleet, sockets: list[Socket]) -> Part:
        part = fleet.part()
        part.tally.overruns = sum(socket.overruns() for socket in sockets)
        part.tally.unsent = sum((socket.drops for socket in sockets), Counter())
        return part


def drive(fleet: Fleet, sockets: Sequence[Socket], limit_s: float, pipe: Connection, start: float) -> None:
    """Carry a fleet's octets between it and its sockets, from `start` on, until all are bound, the time is over, or the pipe
    says so."""
    time.sleep(max(0.0, start - now().mono))
    told = finished = idle = busy_until = 0.0
    poller = select.poll()
    for readable in (*sockets, pipe):
        poller.register(readable.fileno(), select.POLLIN)
    while True:
        at, moved = _carry(fleet, sockets, start)
        if at - told >= GLANCE_S:
            told = at
            pipe.send(("glance", fleet.glance(at)))
            if pipe.poll():
                break
        if not fleet.mostly_done:
            busy_until = at
        if fleet.done:
            finished = finished or at
        if (fleet.done and at - finished >= LINGER_S) or at >= limit_s:
            break
        if not moved:
            deadline = fleet.deadline(at)
            latest = min(limit_s, told + GLANCE_S, at + LINGER_S if deadline is None else deadline)
            poller.poll(max(0.0, latest - at) * 1000)
            if not fleet.mostly_done:
                idle += now().mono - start - at
    fleet.tally.busy = max(0.0, 1 - idle / busy_until) if busy_until else 0.0


def _carry(fleet: Fleet, sockets: Sequence[Socket], start: float) -> tuple[float, bool]:
    """What has come goes in, what is to be sent goes out. When that was, and whether there was anything."""
    heard = [payload for socket in sockets for payload in socket.receive()]
    at = now().mono - start
    if heard:
        fleet.hear(heard, at)
    spoken = fleet.speak(at, MOST_AT_ONCE)
    for socket, payloads in zip(sockets, spoken, strict=True):
        if payloads:
            socket.send(payloads)
    return at, bool(heard) or any(spoken)


class Wish:
    """Has somebody asked for the end?"""

    def __init__(self) -> None:
        self.to_end = False

    def heard(self, _number: int, _frame: object) -> None:
        """As a signal's handler: no exception in the middle of whatever is being read."""
        self.to_end = True


def _gather(
    pipes: Sequence[Connection], watch: Callable[[Glance], None], patience_s: float, wish: Wish
) -> list[tuple[Part, bool]]:
    """The parts of all processes, and whether each was done. Raises MachineError."""
    parts: dict[Connection, tuple[Part, bool]] = {}
    glances = {pipe: Glance(0.0, 0, 0, 0, 0, 0, 0) for pipe in pipes}
    asked, until = False, now().mono + patience_s
    try:
        while waiting := [pipe for pipe in pipes if pipe not in parts]:
            if wish.to_end and not asked:
                asked, until = True, now().mono + PATIENCE_S
                for pipe in waiting:
                    pipe.send("stop")
            ready = wait(waiting, timeout=GLANCE_S)
            for pipe in waiting:
                if pipe not in ready:
                    continue
                kind, *said = pipe.recv()
                if kind == "glance":
                    glances[pipe] = said[0]
                else:
                    parts[pipe] = (said[0], said[1])
            each = list(zip(*glances.values(), strict=True))
            watch(Glance(max(each[0]), *(sum(column) for column in each[1:])))
            if now().mono > until:
                raise MachineError("a process of the storm does not end")
    except (EOFError, ConnectionError):
        raise MachineError("a process of the storm was lost") from None
    return [parts[pipe] for pipe in pipes]
