"""What a store holds, held to the story that it was told."""

from bisect import bisect_right
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from crash.story import MOST_ENTRIES, story
from relet.errors import StoreError
from relet.model.lease import Entry, Leases, Sync
from relet.store import open_store


class Found(NamedTuple):
    """What came of opening a store. batches: the first so many are there, and nothing else if `outcome` is 'whole'.

    outcome: 'whole'; 'gap' if there are changes behind one that is missing, or only some of a batch; 'half' if there is
    anything that never was; 'unreadable', 'bug'; 'stuck' if it does not take the next batch.
    """

    outcome: str
    batches: int = 0


class Told:
    """What a story's store should contain. sync: the level at which it is opened; at "batch", it is not if it has a hole."""

    def __init__(self, seed: int, batches: int, sync: Sync = "batch") -> None:
        self._sync = sync
        self.batches = [*story(seed, batches + 1)]
        self.entries: list[Entry] = []
        self.ends: list[int] = []  # of each batch
        for number, batch in enumerate(self.batches):
            for change in batch:
                self.entries.append(Entry(len(self.entries) + 1, float(number), change.after, change.who))
            self.ends.append(len(self.entries))

    def examine(self, folder: Path, goes_on: bool = True) -> Found:
        """Open the store of a folder. goes_on: commit the next batch to it, and open it again."""
        url = f"sqlite:{folder / 'leases.db'}"
        try:
            with closing(open_store(url, sync=self._sync)) as store:
                found = self._found(store)
                if not goes_on or found.outcome != "whole":
                    return found
                if not self._goes_on(store, found.batches):
                    return Found("stuck", found.batches)
            with closing(open_store(url, sync=self._sync)) as store:
                if self._found(store) != Found("whole", found.batches + 1):
                    return Found("stuck", found.batches)
        except StoreError:
            return Found("unreadable")
        except Exception:
            return Found("bug")
        return found

    def _goes_on(self, store: Leases, number: int) -> bool:
        try:
            refused = store.commit(self.batches[number], float(number)).refused
            store.fold()
        except StoreError:
            return False
        return not refused

    def _found(self, store: Leases) -> Found:
        entries = store.history(limit=MOST_ENTRIES)[::-1]
        numbers = [entry.number for entry in entries]
        newest = {entry.lease.address: entry.lease for entry in entries}
        if numbers != sorted({*numbers} & {*range(1, len(self.entries) + 1)}):
            return Found("half")
        if any(entry != self.entries[entry.number - 1] for entry in entries):
            return Found("half")
        if [*store.all()] != [lease for _, lease in sorted(newest.items())]:
            return Found("half")
        together = sum(number == entry.number for number, entry in enumerate(entries, 1))
        batches = bisect_right(self.ends, together)
        whole = together == len(entries) and together == (self.ends[batches - 1] if batches else 0)
        return Found("whole" if whole else "gap", batches)
