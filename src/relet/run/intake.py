"""Between the sockets and the engine: what a socket holds goes straight to the engine while the server keeps up.

When a socket holds more than can be served in two seconds, or a quarter of what it can hold, the server does not keep up.
Then what the sockets hold is taken over into the backlog (server/backlog.py), which knows more of it than a queue in the
kernel, and batches are served from there until nothing waits any more. How much is taken over before the next batch is
bounded, so that a flood costs no more time to receive than to answer; what does not fit into the sockets meanwhile is lost.
"""

from typing import Protocol
from weakref import WeakKeyDictionary

from relet.model.events import Arrival
from relet.net.sockets import BATCH
from relet.server.backlog import Backlog
from relet.server.engine import Engine

SOON_S = 2.0
"""What is answered so soon may as well be answered in order: no client asks again in less than three (RFC 2131 s4.1)."""
CROWDED, EASY = 0.25, 0.05
"""Shares of a socket's buffer: with more than the one in it, a storm has come; with no more than the other, nothing will be
lost while a batch is served."""
SERVED_AT_ONCE = 2 * BATCH
"""Requests of one batch out of the backlog: one commit for more of them, and a send buffer holds the replies."""
TAKEN_AT_ONCE = 16 * BATCH
"""Requests that are taken over from one socket before the others have their turn: some 20 milliseconds."""
EARNED = 4
"""Requests that may be taken over for each that was served: about as much time for the one as for the other."""


class Source(Protocol):
    """A socket, as far as it matters here (see Ear)."""

    def receive(self) -> list[Arrival]: ...
    def held(self) -> tuple[int, float]: ...


class Intake:
    """backlog: what waits. most: how much may wait. So much is also taken over at first without serving anybody, if a socket
    would overflow: of a power failure's first wave nothing should be lost, for who is lost comes back only seconds later."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.backlog = Backlog(most)
        self._engine = engine
        self._most = most
        self._credit = most
        self._each = TAKEN_AT_ONCE  # from one socket in this turn of the loop; 0 after a turn that took too much
        self._heard = 0  # sockets that were heard in this turn
        self._pressing = False  # is one of them still crowded?
        # sockets whose last batch was a full one that went straight to the engine, with more behind it, and when that was
        self._full: WeakKeyDictionary[Source, float] = WeakKeyDictionary()

    def hear(self, ear: Source, mono: float) -> list[Arrival]:
        """What a socket holds and is to be served now; [] if it is nothing, or waits."""
        waits = len(self.backlog) > 0
        if waits and not self._each:
            return []
        arrivals = ear.receive()
        if not waits and not self._crowded(ear, len(arrivals), mono):
            return arrivals
        standing, taken = self._engine.standing(), 0
        while True:
            self.backlog.put(arrivals, standing, mono)
            taken += len(arrivals)
            self._credit -= len(arrivals)
            if len(arrivals) < BATCH or taken >= self._each or self._credit <= 0:
                break
            arrivals = ear.receive()
        self._heard += 1
        self._pressing = self._pressing or (len(arrivals) == BATCH and ear.held()[1] > EASY)
        return []

    def next(self, mono: float) -> list[Arrival]:
        """What is to be served out of the backlog now, at the end of a turn; [] if a socket would overflow meanwhile."""
        served: list[Arrival] = []
        if not self._pressing or self._credit <= 0:
            served = self.backlog.take(SERVED_AT_ONCE, mono)
            earned = EARNED * len(served) if self.backlog else self._most
            self._credit = min(self._most, self._credit + earned)
        # Every socket gets its part, if only a batch, so that none has it all because it is heard first.
        part = max(BATCH, self._credit // max(1, self._heard))
        self._each = min(TAKEN_AT_ONCE, part) if self._credit > 0 else 0
        self._heard, self._pressing = 0, False
        return served

    def _crowded(self, ear: Source, number: int, mono: float) -> bool:
        """So many came at once. Does more wait in the socket than can soon be served, or than it has room for?"""
        before = self._full.pop(ear, None)
        if number < BATCH:
            return False
        waiting, share = ear.held()
        if waiting:  # so the next turn comes at once, and between its batch and this one lies nothing but work
            self._full[ear] = mono
        return share > CROWDED or (before is not None and (mono - before) / BATCH * waiting > SOON_S)
