"""The threads that look after a store beside the road: one folds its tail, one syncs it where no commit does.

A fold costs least in large steps: of changes in random order to a million leases, 57 us of processor time each in steps of
2,000 and 11 in steps of 100,000, because what is near in the tables is written together. So while changes come in, they
are left to gather in the tail, and are folded when a second was quiet, or when the tail has become long.

The threads share the interpreter's lock with the road. SQLite and the system calls run without it.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

from relet.errors import ReletError, StoreError
from relet.store.fold import Fold
from relet.store.tail import Tail
from relet.store.transaction import named

QUIET = 100
"""With no more changes than this between two calls of `tend`, a second apart, the time is quiet, with none silent."""
ENOUGH, LONG = 5_000, 500_000
"""So many changes gather while it is quiet, and while it is not: a start has to read them. In silence all are folded."""
STEP_MIN, STEP_MAX = 1_000, 100_000
"""A step has so many changes,"""
STEP_S = 0.1
"""and takes so long where it can: it lays claim to the disk as well, and the quiet may end."""
REST_QUIET, REST_BUSY = 0.2, 3.0
"""For each second of folding, so many of rest before the next step."""
SYNC_EVERY_S = 0.5
"""How often the tail is synced where no commit does it."""

ENDS_S = 0.05
"""How long a step that was interrupted may take before it is interrupted again: it may not have begun."""


class Background:
    """The threads. They begin with the first `tend` and end with `close`.

    syncs: is the tail to be synced, because no commit does it? lost: what was found missing, to be told once.
    """

    def __init__(self, path: Path, fold: Fold, tail: Tail, syncs: bool, lost: str = "") -> None:
        self._path = path
        self._fold = fold
        self._tail = tail
        self._syncs = syncs
        self._lost = lost
        self._loops = [(self._fold_again, "relet-fold")] + [(self._sync_again, "relet-sync")] * syncs
        self._threads: list[Thread] = []
        self._asked = Event()
        self._stopping = Event()
        self._failed: dict[str, str] = {}
        self._seen = tail.last
        self._grown = 0
        self._folds = True
        self._limit = STEP_MIN

    def tend(self, folds: bool) -> None:
        """Have it folded, if it may and should be. Raises StoreError while their work fails, once if changes are lost."""
        if not self._threads:
            self._try(self._prepare)  # a server that has just started is not busy yet, and may soon be
            self._threads = [Thread(target=loop, name=name, daemon=True) for loop, name in self._loops]
            for thread in self._threads:
                thread.start()
        newest = self._tail.last
        self._grown, self._seen, self._folds = newest - self._seen, newest, folds
        if (folds and self._due()) or self._tail.scarce():
            self._asked.set()
        with named(self._path):
            self._tail.check()
        self.check()
        lost, self._lost = self._lost, ""
        if lost:
            raise StoreError(lost)

    def check(self) -> None:
        """Raises StoreError if something failed the last time that it was done."""
        for error in tuple(self._failed.values()):
            raise StoreError(error)

    def close(self) -> None:
        """End the threads; the step that is being done is undone, and what was to be synced soon is synced. Idempotent."""
        self._stopping.set()
        self._asked.set()
        while any(thread.is_alive() for thread in self._threads):
            self._fold.interrupt()
            for thread in self._threads:
                thread.join(ENDS_S)
        if self._syncs:
            self._try(self._sync)

    def round(self) -> None:
        """What the folding thread does when it wakes up."""
        self._try(self._prepare)
        self._try(self._work_off)

    def _due(self) -> bool:
        gathered = self._tail.last - self._fold.folded_to
        return not self._grown or gathered >= (ENOUGH if self._quiet else LONG)

    @property
    def _quiet(self) -> bool:
        return self._grown <= QUIET

    def _fold_again(self) -> None:
        while not self._stopping.is_set():
            self._asked.wait()
            self._asked.clear()
            if not self._stopping.is_set():
                self.round()

    def _sync_again(self) -> None:
        while not self._stopping.wait(SYNC_EVERY_S):
            self._try(self._sync)

    def _try(self, work: Callable[[], None]) -> None:
        """The failure of a piece of work is kept until it succeeds."""
        try:
            with named(self._path):
                work()
        except ReletError as error:
            self._failed[work.__name__] = str(error)
        except Exception as error:  # a bug of ours must not end the thread in silence
            self._failed[work.__name__] = f"{self._path}: {error!r}"
        else:
            self._failed.pop(work.__name__, None)

    def _sync(self) -> None:
        self._tail.sync()

    def _prepare(self) -> None:
        self._tail.prepare()

    def _work_off(self) -> None:
        """Steps, until there is little left or more should gather first: at once when the quiet is over."""
        while self._folds and self._due() and not self._stopping.is_set():
            began, newest = perf_counter(), self._tail.last
            done = self._fold.step(self._limit)
            took = perf_counter() - began
            if done < self._limit:
                return
            quiet = self._quiet
            self._limit = min(max(int(self._limit * min(STEP_S / took, 2.0)), STEP_MIN), STEP_MAX)
            self._stopping.wait(took * (REST_QUIET if quiet else REST_BUSY))
            if quiet and self._tail.last - newest > QUIET:
                return
            self._tail.prepare()
