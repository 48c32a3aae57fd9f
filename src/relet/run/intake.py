"""Between the sockets and the engine: what a socket holds goes straight to the engine while the server keeps up.

When a socket holds much more than one batch, the server does not keep up. Then everything that the sockets hold is taken
over into the backlog (server/backlog.py), which the kernel's queues, first come first served, know nothing to match, and
batches are served from there until nothing waits any more. How much is taken over before the next batch is bounded, so
that a flood costs no more time to receive than to answer; what that leaves in the sockets' buffers the kernel drops.
"""

from relet.model.events import Arrival
from relet.net.sockets import BATCH
from relet.run.ears import Ear
from relet.server.backlog import Backlog
from relet.server.engine import Engine

SERVED_AT_ONCE = 2 * BATCH
"""Requests of one batch out of the backlog: one commit for more of them, and a send buffer holds the replies."""
TAKEN_AT_ONCE = 16 * BATCH
"""Requests that are taken over from one socket before the others have their turn: some 20 milliseconds."""
EARNED = 4
"""Requests that may be taken over for each that was served: about as much time for the one as for the other."""


class Intake:
    """backlog: what waits. most: how much may wait. So much is also taken over at first without serving anybody: of a power
    failure's first wave nothing should be lost, because who is lost comes back only seconds later."""

    def __init__(self, engine: Engine, most: int) -> None:
        self.backlog = Backlog(most)
        self._engine = engine
        self._most = most
        self._credit = most
        self._more = False

    def hear(self, ear: Ear, mono: float) -> list[Arrival]:
        """What a socket holds and is to be served now; [] if it is nothing, or waits."""
        waits = len(self.backlog) > 0
        if waits and self._credit <= 0:
            return []
        arrivals = ear.receive()
        if not waits and (len(arrivals) < BATCH or not ear.crowded()):
            return arrivals
        standing, taken = self._engine.standing(), 0
        while True:
            self.backlog.put(arrivals, standing, mono)
            taken += len(arrivals)
            if len(arrivals) < BATCH or taken >= TAKEN_AT_ONCE:
                break
            arrivals = ear.receive()
        self._credit -= taken
        self._more = self._more or len(arrivals) == BATCH
        return []

    def next(self, mono: float) -> list[Arrival]:
        """What is to be served out of the backlog now; [] if nothing waits, or if more should be taken over before."""
        more, self._more = self._more, False
        if more and self._credit > 0:
            return []
        served = self.backlog.take(SERVED_AT_ONCE, mono)
        self._credit = min(self._most, self._credit + EARNED * len(served))
        return served
