"""The newest changes on disk: files beside the store (NAME.tail.1, NAME.tail.2, ...) that commits are appended to.

A commit is one write behind the last record and, where every batch is synced, one fdatasync. Nobody else ever waits for a
lock of it. What has been folded into the database leaves its file free to be used again: octets that have been written
before are synced in half the time of new ones, because the file system has nothing to note down. For the same reason the
fold lays a file of zeros ready before the present one is full. Where it did not, files just grow.

The segments are in the order of their sequence. Each says where its changes begin; whatever an older one holds from that
number on was never committed (the disk failed after it had been written) and is void.
"""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path
from threading import Lock

from relet.errors import StoreError
from relet.store.segment import RECORD_OCTETS, Record, Segment, packed

SEGMENT_OCTETS = 16 << 20
"""Length of a file that is laid ready; some 150,000 changes. Laying one slows down commits beside it, so it is to last."""
SPARE_FREE = 16
"""A file is laid ready only where the disk has room for so many of them."""
SPARES_MAX = 2
"""Files that are kept for later; more are removed."""

_ZEROS = bytes(1 << 20)


class Tail:
    """The tail of a store that is open for writing. Raises OSError, and StoreError if it is another store's.

    Three threads may use it: one appends, one reads what was appended, releases and prepares, one syncs. synced: is a
    record safe from a power failure before `append` returns?
    """

    def __init__(self, store: Path, identity: bytes, synced: bool) -> None:
        self._store = store
        self._identity = identity
        self._synced = synced
        self._current: Segment | None = None
        self._unsafe = ""
        self._held = Lock()
        self.closed = False
        opened: list[Segment] = []
        try:
            opened.extend(_opened(store, os.O_RDWR, identity))
            found = [segment for segment in opened if segment.sequence]
            # Whoever made a file or wrote to it may have been killed before it was synced. It is built upon from now on.
            if opened:
                _sync_folder(store.parent)
            for segment, records in _committed(found):
                if records:
                    segment.end = records[-1].after
                    segment.last = records[-1].last
                    if synced:
                        os.fdatasync(segment.descriptor)
        except BaseException:
            for segment in opened:
                os.close(segment.descriptor)
            raise
        self._segments = deque(found)
        self._free = deque(segment for segment in opened if not segment.sequence)
        self._sequence = max((segment.sequence for segment in found), default=0)
        self._names = count(1)

    @property
    def last(self) -> int:
        """Number of the newest change in it; 0 if there is none."""
        return max((segment.last for segment in tuple(self._segments)), default=0)

    def hole(self, newest: int) -> str:
        """What is missing between the database, whose newest change this is, and the tail, or in the tail; '' if nothing."""
        for segment in tuple(self._segments):
            if segment.last > newest:
                if segment.first > newest + 1:
                    return f"changes {newest + 1} to {segment.first - 1}, which come before {segment.path}, are missing"
                newest = segment.last
        return ""

    def append(self, payload: bytes, number: int, changes: int) -> None:
        """Write a record whose first change has this number. Raises OSError, StoreError; then nothing was committed."""
        if self.closed or self._unsafe:
            raise StoreError("the store is closed" if self.closed else self._unsafe)
        segment = self._current
        if segment is None or self._moves(segment, RECORD_OCTETS + len(payload)):
            self._begin(payload, number, changes)
        else:
            self._continue(segment, payload, number, changes)

    def _moves(self, segment: Segment, octets: int) -> bool:
        """Shall a record go into another file rather than make this one longer?"""
        after = segment.end + octets
        return after > segment.room and (bool(self._free) or after > SEGMENT_OCTETS)

    def _continue(self, segment: Segment, payload: bytes, number: int, changes: int) -> None:
        octets = packed(segment.seed, number, changes, payload)
        self._write(segment, octets, segment.end)
        segment.last = number + changes - 1
        segment.end += len(octets)

    def _begin(self, payload: bytes, number: int, changes: int) -> None:
        self._current = None
        segment = self._take()
        self._sequence += 1  # never twice, also if this fails: what is left of it on disk is then older, and void
        head = segment.begin(self._identity, self._sequence, number)
        octets = head + packed(segment.seed, number, changes, payload)
        try:
            self._write(segment, octets, 0)
        except OSError:
            self._free.append(segment)
            raise
        segment.last = number + changes - 1
        segment.end = len(octets)
        self._current = segment
        self._segments.append(segment)

    def _write(self, segment: Segment, octets: bytes, offset: int) -> None:
        """A place where the disk failed to sync is not written to again. What stands there was not committed; the next
        segment makes it void, and until there is one, no reader shall find it."""
        segment.write(octets, offset)
        if self._synced:
            try:
                os.fdatasync(segment.descriptor)
            except OSError:
                self._current = None
                with suppress(OSError):
                    segment.write(bytes(RECORD_OCTETS), offset)
                raise

    def _take(self) -> Segment:
        while (segment := self._spare()) is not None:
            try:
                if segment.in_place():
                    return segment
            except OSError:
                self._free.append(segment)
                raise
            os.close(segment.descriptor)
        return self._create()

    def _spare(self) -> Segment | None:
        """A file that is free, for whichever of the threads asks first."""
        try:
            return self._free.popleft()
        except IndexError:
            return None

    def check(self) -> None:
        """Somebody may have removed the file that is written to, or its folder: the next record begins another one, where
        that can be done, and what is in it is still folded. Raises OSError, StoreError if that is so."""
        segment = self._current
        if segment is None:
            return
        there = False
        try:
            there = segment.in_place()
        finally:
            if not there:
                self._current = None
        if not there:
            raise StoreError(f"{segment.path} was removed; its changes are kept by the fold")

    def _create(self) -> Segment:
        """A new file, whose name is safe on disk."""
        for number in self._names:
            path = self._store.with_name(f"{self._store.name}.tail.{number}")
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                continue
            try:
                _sync_folder(path.parent)
                return Segment(path, descriptor)
            except OSError:
                os.close(descriptor)
                raise
        raise AssertionError("numbers do not come to an end")

    def records(self, after: int) -> Iterator[tuple[Segment, Record]]:
        """What was committed behind this number, the oldest first, with where it stands. Raises OSError."""
        for segment in tuple(self._segments):
            if segment.last > after:
                for record in segment.records(segment.folded):
                    if record.last > after:
                        yield segment, record

    def segments(self) -> list[Segment]:
        """The segments of the tail, the oldest first."""
        return list(self._segments)

    def release(self, number: int) -> None:
        """Everything up to this number is safe elsewhere: its files may be used again. Raises OSError."""
        while len(self._segments) > 1 or (self._segments and self._segments[0] is not self._current):
            if self._segments[0].last > number:
                return
            with self._held:
                segment = self._segments.popleft()
                segment.synced = segment.end  # what is in it need not be synced any more
                self._free.append(segment)
                while len(self._free) > SPARES_MAX:
                    spare = self._free.pop()
                    os.close(spare.descriptor)
                    spare.path.unlink(missing_ok=True)

    def scarce(self) -> bool:
        """Is no file laid ready?"""
        return all(segment.room < SEGMENT_OCTETS for segment in tuple(self._free))

    def prepare(self) -> None:
        """Lay a file ready, if there is room for it. Raises OSError."""
        spare = self._spare()
        try:
            if spare is None and self._roomy():
                spare = self._create()
            if spare is not None and spare.room < SEGMENT_OCTETS and self._roomy():
                while spare.room < SEGMENT_OCTETS:
                    spare.write(_ZEROS[: SEGMENT_OCTETS - spare.room], spare.room)
                    os.fsync(spare.descriptor)  # piece by piece: a commit waits for one at most
        finally:
            if spare is not None:
                self._free.appendleft(spare)

    def _roomy(self) -> bool:
        free = os.statvfs(self._store.parent)
        return free.f_bavail * free.f_frsize >= SPARE_FREE * SEGMENT_OCTETS

    def sync(self) -> None:
        """Make everything that was appended so far safe from a power failure. While that fails, nothing can be appended.
        Raises OSError."""
        for segment in tuple(self._segments):
            with self._held:  # no file is given back, to be begun anew or closed, while it is synced
                if segment.synced < (end := segment.end):
                    try:
                        os.fdatasync(segment.descriptor)
                    except OSError as error:
                        self._unsafe = f"cannot sync {segment.path}: {error.strerror}"
                        raise
                    segment.synced = end
        self._unsafe = ""

    def close(self) -> None:
        """Close the files. Idempotent."""
        self.closed = True
        for segment in (*self._segments, *self._free):
            os.close(segment.descriptor)
        self._segments.clear()
        self._free.clear()
        self._current = None


def _committed(segments: list[Segment]) -> Iterator[tuple[Segment, list[Record]]]:
    """Each segment with its records, without those that are void. Raises OSError."""
    firsts = [segment.first for segment in segments]
    for position, segment in enumerate(segments):
        bound = min(firsts[position + 1 :], default=None)
        yield segment, [record for record in segment.found() if bound is None or record.number < bound]


def read(store: Path, identity: bytes) -> list[Record]:
    """All records beside a store, the oldest first, for a reader. Raises OSError, StoreError."""
    segments = _opened(store, os.O_RDONLY, identity)
    try:
        used = [segment for segment in segments if segment.sequence]
        return [record for _, records in _committed(used) for record in records]
    finally:
        for segment in segments:
            os.close(segment.descriptor)


def _opened(store: Path, flags: int, identity: bytes) -> list[Segment]:
    """The files of the tail, by sequence. Raises OSError, StoreError."""
    opened: list[Segment] = []
    try:
        for path in store.parent.iterdir():
            start, _, number = path.name.rpartition(".")
            if start == f"{store.name}.tail" and number.isdecimal():
                try:
                    descriptor = os.open(path, flags | os.O_CLOEXEC)
                except FileNotFoundError:  # folded in the meantime
                    continue
                opened.append(Segment(path, descriptor))
        for segment in opened:
            if segment.sequence and segment.identity != identity:
                raise StoreError(
                    f"{segment.path} holds the newest changes of another store; "
                    f"put its database back as {store.name}, or move the file away"
                )
        opened.sort(key=lambda segment: segment.sequence)
        for one, other in pairwise(opened):
            if one.sequence and one.sequence == other.sequence:
                newest = [max((record.last for record in segment.found()), default=0) for segment in (one, other)]
                raise StoreError(
                    f"{one.path} (changes up to {newest[0]}) and {other.path} (up to {newest[1]}) are copies of one file; "
                    "move the older one away"
                )
    except BaseException:
        for segment in opened:
            os.close(segment.descriptor)
        raise
    return opened


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
