"""One file of the tail: a header, and records one behind the other.

    header  8 octets 'relettl' and the format, store's identity (16), sequence (8), number of the first change (8), salt (8),
            CRC (4)
    record  octets of its payload (4), CRC (4), number of its first change (8), changes (4), payload

Everything is big-endian. The salt is chosen by lot each time that a file is begun, and the CRC of a record is begun with
that of its header: what a file held before is never taken for a record of now, not even if a power failure lost its header
and left its records. The first record that does not fit its CRC is the end. A record is written behind those before it and
may share a sector with the last one: as SQLite does, we rely on a disk that rewrites a sector whole or not at all.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

MAGIC = b"relettl\1"
"""The last octet is the version of the format."""

_HEADER = Struct(">8s16sQQ8s")
_CRC = Struct(">I")
_SIZE = Struct(">II")
_NUMBERS = Struct(">QI")
_RECORD = Struct(">IIQI")
RECORD_OCTETS = _RECORD.size
"""What a record takes besides its payload."""
_HEADER_OCTETS = _HEADER.size + _CRC.size
_SALT_OCTETS = 8


class Record(NamedTuple):
    """One batch. number, last: of its first and last change. after: where the next record stands in the file."""

    number: int
    last: int
    payload: bytes
    after: int


def packed(seed: int, number: int, count: int, payload: bytes) -> bytes:
    """A record of the segment with this seed."""
    numbers = _NUMBERS.pack(number, count)
    check = crc32(payload, crc32(numbers, seed))
    return _SIZE.pack(len(payload), check) + numbers + payload


def header(identity: bytes, sequence: int, first: int) -> bytes:
    """The head of a segment, unlike any other."""
    head = _HEADER.pack(MAGIC, identity, sequence, first, os.urandom(_SALT_OCTETS))
    return head + _CRC.pack(crc32(head))


class Segment:
    """A file of the tail that is open.

    room: octets that the file has on disk; to write behind them makes it longer. seed: what the CRC of its records begins
    with. end: where the next record goes; what stands before it was committed. last: number of the last change in it, 0 if
    there is none. folded, synced: so far it has been worked off, and is safe from a power failure.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.room = os.fstat(descriptor).st_size
        self.identity = b""
        self.sequence = self.first = self.last = self.seed = 0
        self.end = self.folded = self.synced = _HEADER_OCTETS
        self._read_header()

    def begin(self, identity: bytes, sequence: int, first: int) -> bytes:
        """Use the file anew. Gives the header, which has to be written with the first record."""
        self.identity, self.sequence, self.first, self.last = identity, sequence, first, 0
        self.end = self.folded = self.synced = _HEADER_OCTETS
        head = header(identity, sequence, first)
        (self.seed,) = _CRC.unpack(head[_HEADER.size :])
        return head

    def in_place(self) -> bool:
        """Is the file still there under its name? Raises OSError."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False

    def write(self, octets: bytes, offset: int) -> None:
        """Raises OSError."""
        view = memoryview(octets)
        while view:
            count = os.pwrite(self.descriptor, view, offset)
            view, offset = view[count:], offset + count
        self.room = max(self.room, offset)

    def records(self, offset: int) -> Iterator[Record]:
        """What was committed behind a place, the oldest first. Raises OSError."""
        return _parsed(os.pread(self.descriptor, self.end - offset, offset), offset, self.seed)

    def committed(self) -> list[Record]:
        """All that was committed, the oldest first. Raises OSError."""
        return list(self.records(_HEADER_OCTETS))

    def found(self) -> list[Record]:
        """Every record that stands in the file, the oldest first. Raises OSError."""
        octets = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        return list(_parsed(octets[_HEADER_OCTETS:], _HEADER_OCTETS, self.seed))

    def _read_header(self) -> None:
        octets = os.pread(self.descriptor, _HEADER_OCTETS, 0)
        if len(octets) == _HEADER_OCTETS and octets[-4:] == _CRC.pack(crc32(octets[:-4])):
            magic, identity, sequence, first, _ = _HEADER.unpack(octets[:-4])
            if magic == MAGIC:
                self.identity, self.sequence, self.first = identity, sequence, first
                (self.seed,) = _CRC.unpack(octets[-4:])


def _parsed(octets: bytes, offset: int, seed: int) -> Iterator[Record]:
    """The records in what was read at an offset, up to the first that is none."""
    start = 0
    while start + RECORD_OCTETS <= len(octets):
        length, check, number, count = _RECORD.unpack_from(octets, start)
        begin = start + RECORD_OCTETS
        after = begin + length
        if not length or after > len(octets):
            return
        payload = octets[begin:after]
        if crc32(payload, crc32(octets[start + _SIZE.size : begin], seed)) != check:
            return
        yield Record(number, number + count - 1, payload, offset + after)
        start = after
