"""What a power failure may leave of the files of a folder.

A `Disk` is told what a program did, in order. What was synced is there for certain: the contents of a file that fsync or
fdatasync was called for, and the names in a folder that was synced itself. Of everything else each sector may be as it is
now, as it was at the last sync, or anything in between that was written, in whatever order; a file may have grown by what
was never written into it; of the changes of names, those before some moment have happened. `left` gives one such folder.
The kernel's word is taken for a sync: a disk that lies about it is no subject of ours.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

SECTOR = 512
"""Octets that a disk writes whole or not at all."""


class Create(NamedTuple):
    """A file was opened, and made if there was none. begun, ended: when, as in all of these; any numbers that grow."""

    begun: int
    ended: int
    name: str


class Write(NamedTuple):
    """Octets were written at an offset, -1 for the end of the file."""

    begun: int
    ended: int
    name: str
    at: int
    octets: bytes


class Truncate(NamedTuple):
    """A file was made this long, shorter or longer than before."""

    begun: int
    ended: int
    name: str
    size: int


class Rename(NamedTuple):
    """A file took another name, and the place of the file that had it."""

    begun: int
    ended: int
    name: str
    to: str


class Unlink(NamedTuple):
    """A name was removed."""

    begun: int
    ended: int
    name: str


class Sync(NamedTuple):
    """fsync or fdatasync of a file, or of the folder (name ''). own: only of the write right before (O_DSYNC)."""

    begun: int
    ended: int
    name: str
    own: bool = False


Op = Create | Write | Truncate | Rename | Unlink | Sync

Names = dict[str, "_File"]


class Luck(NamedTuple):
    """What becomes of that which was not synced.

    what: in words.
    sector: is this sector of a write on the disk? (name of the file; how many writes to it that may get lost came behind
    this one; number of the sector in the write; how many it has)
    resized: did a change of the file's length arrive? grown: has the file its full length, whether or not it was written?
    stale: an octet that stands where nothing was written. names: how many of so many changes of names have happened.
    """

    what: str
    sector: Callable[[str, int, int, int], bool]
    resized: Callable[[str], bool]
    grown: Callable[[str], bool]
    stale: bytes
    names: Callable[[int], int]


class _File:
    """safe: what is on the disk for certain. pending: what was done since, in order, each with whether it is safe too: it
    stays if something before it is not, which may or may not arrive."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.pending: list[tuple[Write | Truncate, bool]] = []
        self.size = 0

    def do(self, op: Write | Truncate) -> None:
        if isinstance(op, Truncate):
            self.size = op.size
        else:
            if op.at < 0:
                op = op._replace(at=self.size)
            self.size = max(self.size, op.at + len(op.octets))
        self.pending.append((op, False))

    def sync(self, sync: Sync) -> None:
        """What had ended when the sync began is safe."""
        last = len(self.pending) - 1
        self.pending = [
            (op, safe or (number == last if sync.own else op.ended < sync.begun))
            for number, (op, safe) in enumerate(self.pending)
        ]
        while self.pending and self.pending[0][1]:
            _apply(self.safe, self.pending.pop(0)[0])

    def left(self, name: str, luck: Luck) -> bytes:
        found = bytearray(self.safe)
        later = sum(isinstance(op, Write) and not safe for op, safe in self.pending)
        for op, safe in self.pending:
            if safe or (isinstance(op, Truncate) and luck.resized(name)):
                _apply(found, op)
            elif isinstance(op, Write):
                later -= 1
                _tear(found, op, lambda *at, later=later: luck.sector(name, later, *at), luck.stale)
        if len(found) < self.size and luck.grown(name):
            _put(found, self.size, b"", luck.stale)
        return bytes(found)

    def unsafe(self) -> bool:
        return bool(self.pending)


class Disk:
    """The files of one folder, which was empty."""

    def __init__(self) -> None:
        self._safe: Names = {}
        self._names: Names = {}
        self._changes: list[tuple[int, Names]] = []  # when each ended, and the names after it

    def do(self, op: Op) -> None:
        """What was done next. A sync counts when it has ended."""
        if isinstance(op, Sync):
            if op.name:
                self._names[op.name].sync(op)
            else:
                done = [names for ended, names in self._changes if ended < op.begun]
                if done:
                    self._safe = done[-1]
                self._changes = self._changes[len(done) :]
        elif isinstance(op, Write | Truncate):
            self._names[op.name].do(op)
        else:
            names = dict(self._names)
            if isinstance(op, Create):
                if op.name in names:
                    return
                names[op.name] = _File()
            else:
                moved = names.pop(op.name)
                if isinstance(op, Rename):
                    names[op.to] = moved
            self._names = names
            self._changes.append((op.ended, names))

    def unsafe(self) -> bool:
        """Is there anything that a power failure could undo?"""
        return bool(self._changes) or any(file.unsafe() for file in self._names.values())

    def left(self, luck: Luck) -> dict[str, bytes]:
        """The files that a power failure leaves now, if luck has it so."""
        happened = luck.names(len(self._changes))
        names = self._changes[happened - 1][1] if happened else self._safe
        return {name: file.left(name, luck) for name, file in names.items()}


def nothing() -> Luck:
    """Nothing that was not synced is there."""
    return Luck("nothing", lambda *_: False, lambda _: False, lambda _: False, b"\0", lambda _: 0)


def everything() -> Luck:
    """All is there: what a killed process leaves."""
    return Luck("everything", lambda *_: True, lambda _: True, lambda _: True, b"\0", lambda count: count)


def last_torn(sectors: int, backwards: bool = False) -> Luck:
    """All but the last write of each file, of which only the first (or last) so many sectors are."""

    def sector(_: str, later: int, number: int, count: int) -> bool:
        return later > 0 or (count - 1 - number if backwards else number) < sectors

    what = f"all, of the last write the {'last' if backwards else 'first'} {sectors} sectors"
    return everything()._replace(what=what, sector=sector)


def only_last() -> Luck:
    """The last write of each file, and none before it."""
    return everything()._replace(what="only the last write", sector=lambda _, later, __, ___: later == 0)


def chance(dice: Random) -> Luck:
    """Anything: each sector, length and file by its own dice."""
    share: dict[str, float] = {}

    def often(name: str) -> float:
        return share.setdefault(name, dice.choice((0.0, 0.1, 0.5, 0.9, 1.0)))

    return Luck(
        "chance",
        lambda name, *_: dice.random() < often(name),
        lambda name: dice.random() < often(name),
        lambda _: dice.random() < 0.5,
        dice.choice((b"\0", b"\0", b"\xa5", b"\xff")),
        lambda count: dice.randint(0, count),
    )


def _apply(octets: bytearray, op: Write | Truncate) -> None:
    if isinstance(op, Truncate):
        _resize(octets, op.size)
    else:
        _put(octets, op.at, op.octets)


def _tear(octets: bytearray, op: Write, arrives: Callable[[int, int], bool], stale: bytes) -> None:
    """Those sectors of a write that arrive. arrives: (number of the sector in the write, how many it has)."""
    end = op.at + len(op.octets)
    first = op.at // SECTOR
    count = (end - 1) // SECTOR + 1 - first
    for number in range(count):
        if arrives(number, count):
            begins = max(op.at, (first + number) * SECTOR)
            ends = min(end, (first + number + 1) * SECTOR)
            _put(octets, begins, op.octets[begins - op.at : ends - op.at], stale)


def _resize(octets: bytearray, size: int) -> None:
    if size < len(octets):
        del octets[size:]
    else:
        octets.extend(bytes(size - len(octets)))


def _put(octets: bytearray, at: int, new: bytes, stale: bytes = b"\0") -> None:
    if at > len(octets):
        octets.extend(stale * (at - len(octets)))
    octets[at : at + len(new)] = new
