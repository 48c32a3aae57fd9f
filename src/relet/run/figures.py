"""What the road measures as it goes, once for a batch: how many datagrams came at once, and how long things took.

Everything else that metrics tell is read from what is there when somebody asks (metrics.py).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from relet.model.ident import ClientKey
from relet.model.lease import Change, Committed, Entry, Lease, Leases, Loaded, View

BATCH_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
SECONDS_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Histogram:
    """How often a value fell into each bucket. counts: one for each upper bound, and one for what is above them all."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value; one that equals a bound lies below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Figures:
    """Measured since the start. batch: datagrams that one socket held. commit: seconds until a batch's changes were safe.
    answer: seconds from when a batch was taken up until its last reply was sent. wait: of each batch out of the backlog,
    how many seconds its oldest request waited."""

    def __init__(self) -> None:
        self.batch = Histogram(BATCH_BUCKETS)
        self.commit = Histogram(SECONDS_BUCKETS)
        self.answer = Histogram(SECONDS_BUCKETS)
        self.wait = Histogram(WAIT_BUCKETS)


class Timed:
    """A store whose commits are timed, those that fail included; with `clock`, in seconds. All else is the store's."""

    def __init__(self, store: Leases, seconds: Histogram, clock: Callable[[], float]) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock

    def loading(self) -> Iterator[Loaded]:
        """As the store's."""
        return self._store.loading()

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:
        """As the store's."""
        return self._store.view(clients, addresses)

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        """As the store's. Nothing to write is no commit."""
        if not changes:
            return self._store.commit(changes, wall)
        began = self._clock()
        try:
            return self._store.commit(changes, wall)
        finally:
            self._seconds.observe(self._clock() - began)

    def all(self) -> Iterator[Lease]:
        """As the store's."""
        return self._store.all()

    def walk(self) -> Iterator[Lease]:
        """As the store's."""
        return self._store.walk()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """As the store's."""
        return self._store.history(client, address, limit)

    def fold(self, limit: int = 1000) -> int:
        """As the store's."""
        return self._store.fold(limit)

    def tend(self) -> None:
        """As the store's."""
        self._store.tend()

    def close(self) -> None:
        """As the store's."""
        self._store.close()
