"""Leases that do not survive: the reference for the other stores, and the laboratory's store.

It says the same as SQLite to every question and never fails. It must not be used where a grant has to outlive the
process; its history is a ring and forgets its oldest entries.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from relet.model.ident import ClientKey
from relet.model.lease import Change, Committed, Entry, Lease, Loaded, View
from relet.store.index import Index

HISTORY_ENTRIES = 100_000
"""Entries that the memory store remembers."""


class MemoryStore:
    """`Leases` without a disk."""

    def __init__(self) -> None:
        self._index = Index()
        self._history: deque[Entry] = deque(maxlen=HISTORY_ENTRIES)
        self._number = 0

    def loading(self) -> Iterator[Loaded]:
        """There is nothing to read, only to tell."""
        return self._index.pieces()

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:  # noqa: ARG002
        """The whole index, whoever is asked for; it stays current by itself."""
        return self._index

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        """Take over the changes that hold."""
        accepted, refused = self._index.sift(changes)
        self._history.extend(
            Entry(number, wall, change.after, change.who) for number, change in enumerate(accepted, self._number + 1)
        )
        self._number += len(accepted)
        self._index.put(change.after for change in accepted)
        return Committed(refused)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address."""
        return self._index.all()

    def walk(self) -> Iterator[Lease]:
        """Every lease, by address, each as it is when it is come to."""
        return self._index.walk()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first."""
        entries = (
            entry
            for entry in reversed(self._history)
            if (client is None or entry.lease.client == client) and (address is None or entry.lease.address == address)
        )
        return tuple(islice(entries, max(limit, 0)))

    def fold(self, limit: int = 1000) -> int:  # noqa: ARG002
        """There is nothing to work off."""
        return 0

    def tend(self) -> None:
        """There is nothing to look after."""

    def close(self) -> None:
        """There is nothing to give back."""
