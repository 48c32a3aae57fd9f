"""Captures: frames with their times, written as classic pcap, read as pcap or pcapng.

Ethernet is written; other links' packets are read as they are. Whatever is wrong in a capture's own structure is a WireError
whose offset counts from the start of the file; what the frames say is not looked at. Opens no file: octets come in, and a
binary stream to write to.
"""

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

import msgspec

from relet.errors import WireError

ETHERNET, RAW_IP, LINUX_SLL, LINUX_SLL2 = 1, 101, 113, 276
LINKS = {ETHERNET: "Ethernet", RAW_IP: "raw IP", LINUX_SLL: "Linux cooked", LINUX_SLL2: "Linux cooked v2"}
"""Link types that are read, by their numbers in the registry that both formats share (LINKTYPE_...)."""

MOST_FRAME = 262144
"""Octets of one frame; the largest snapshot length that capture programs use."""

MOST_INTERFACES = 1024
"""Interfaces of one pcapng section; more are taken for garbage."""

_MICROSECONDS = 0xA1B2C3D4
_NANOSECONDS = 0xA1B23C4D
_SECTION = 0x0A0D0D0A
_BYTE_ORDER = 0x1A2B3C4D
_INTERFACE, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 3, 6
_IF_TSRESOL, _IF_TSOFFSET = 9, 14
_FILE = Struct("<IHHiIII")
_RECORD = Struct("<IIII")


class Captured(msgspec.Struct, frozen=True):
    """A frame and when it passed. at: wall time in seconds, 0 if the capture does not say; link: one of LINKS."""

    at: float
    frame: bytes
    link: int = ETHERNET


class PcapWriter:
    """Writes frames to a binary stream as classic pcap with microseconds. Does not close the stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.write(_FILE.pack(_MICROSECONDS, 2, 4, 0, 0, MOST_FRAME, ETHERNET))

    def write(self, at: float, frame: bytes) -> None:
        """Add a frame that passed at this wall time. ValueError if no reader would take it."""
        if len(frame) > MOST_FRAME:
            raise ValueError(f"a frame of {len(frame)} octets does not fit into a capture")
        seconds, microseconds = divmod(round(at * 1_000_000), 1_000_000)
        self._stream.write(_RECORD.pack(seconds, microseconds, len(frame), len(frame)) + frame)


def is_capture(octets: bytes) -> bool:
    """Do the first four octets claim to be a capture that `read_capture` reads?"""
    little, big = int.from_bytes(octets[:4], "little"), int.from_bytes(octets[:4], "big")
    return len(octets) >= 4 and not {little, big}.isdisjoint({_MICROSECONDS, _NANOSECONDS, _SECTION})


def read_capture(octets: bytes) -> Iterator[Captured]:
    """The frames of a pcap or pcapng file, in its order. Raises WireError at the place where it goes wrong."""
    if not is_capture(octets):
        raise WireError("bad-capture", 0, "neither pcap nor pcapng")
    if int.from_bytes(octets[:4], "big") == _SECTION:
        return _read_pcapng(octets)
    return _read_pcap(octets)


def _read_pcap(octets: bytes) -> Iterator[Captured]:
    order = "<" if int.from_bytes(octets[:4], "little") in {_MICROSECONDS, _NANOSECONDS} else ">"
    header, record = Struct(order + _FILE.format[1:]), Struct(order + _RECORD.format[1:])
    if len(octets) < header.size:
        raise WireError("truncated-capture", len(octets), "the header of the file is cut off")
    magic, *_, link = header.unpack_from(octets)
    link &= 0x0FFFFFFF  # the upper bits tell of frame check sequences
    _check_link(link, 20)
    resolution = 1e-9 if magic == _NANOSECONDS else 1e-6
    at = header.size
    while at < len(octets):
        if len(octets) < at + record.size:
            raise WireError("truncated-capture", at, "the header of a packet is cut off")
        seconds, fraction, size, _ = record.unpack_from(octets, at)
        frame = _frame(octets, at + record.size, size, len(octets), at + 8)
        yield Captured(seconds + fraction * resolution, frame, link)
        at += record.size + size


class _Interface(msgspec.Struct, frozen=True):
    """What a pcapng interface description says. resolution: seconds of one tick; offset: seconds to add."""

    link: int
    described_at: int
    snap: int
    resolution: float = 1e-6
    offset: int = 0


def _read_pcapng(octets: bytes) -> Iterator[Captured]:
    order = "<"
    interfaces: list[_Interface] = []
    at = 0
    while at < len(octets):
        if octets[at : at + 4] == _SECTION.to_bytes(4, "big"):
            order, interfaces = _byte_order(octets, at), []
        kind, end = _block(octets, at, order)
        body = at + 8
        if kind == _INTERFACE:
            if len(interfaces) == MOST_INTERFACES:
                raise WireError("bad-capture", at, f"more than {MOST_INTERFACES} interfaces")
            interfaces.append(_interface(octets, body, end - 4, order))
        elif kind == _ENHANCED_PACKET:
            number, high, low, size, _ = _unpack(octets, body, end - 4, order + "5I")
            interface = _of(interfaces, number, body)
            ticks = high << 32 | low
            frame = _frame(octets, body + 20, size, end - 4, body + 12)
            yield Captured(interface.offset + ticks * interface.resolution, frame, interface.link)
        elif kind == _SIMPLE_PACKET:
            (original,) = _unpack(octets, body, end - 4, order + "I")
            interface = _of(interfaces, 0, body)
            # Its captured length is not written down: all of it, or what the interface keeps.
            size = min(original, interface.snap) if interface.snap else original
            yield Captured(0.0, _frame(octets, body + 4, size, end - 4, body), interface.link)
        at = end


def _byte_order(octets: bytes, at: int) -> str:
    magic = octets[at + 8 : at + 12]
    for order, name in (("<", "little"), (">", "big")):
        if magic == _BYTE_ORDER.to_bytes(4, name):  # type: ignore[arg-type]
            return order
    raise WireError("bad-capture", at + 8, "a section without its byte-order magic")


def _block(octets: bytes, at: int, order: str) -> tuple[int, int]:
    """(type, end) of the block at an offset; its length stands before and behind it."""
    kind, size = _unpack(octets, at, len(octets), order + "2I")
    if size < 12 or size % 4:
        raise WireError("bad-capture", at + 4, f"a block of {size} octets")
    if at + size > len(octets):
        raise WireError("truncated-capture", at + 4, f"a block of {size} octets, {len(octets) - at} are there")
    (again,) = _unpack(octets, at + size - 4, len(octets), order + "I")
    if again != size:
        raise WireError("bad-capture", at + size - 4, f"the block's length is {size} in front and {again} behind")
    return kind, at + size


def _interface(octets: bytes, at: int, end: int, order: str) -> _Interface:
    """An interface description block: its fixed fields and the two options that times need."""
    link, _, snap = _unpack(octets, at, end, order + "HHI")
    resolution, offset = 1e-6, 0
    option = at + 8
    while option + 4 <= end:
        code, size = _unpack(octets, option, end, order + "HH")
        if code == 0:
            break
        if option + 4 + size > end:
            raise WireError("truncated-capture", option + 2, "an option runs past the end of its block")
        if code == _IF_TSRESOL and size == 1:
            exponent = octets[option + 4]
            resolution = 2.0 ** -(exponent & 127) if exponent & 128 else 10.0**-exponent
        elif code == _IF_TSOFFSET and size == 8:
            (offset,) = _unpack(octets, option + 4, end, order + "q")
        option += 4 + size + -size % 4
    return _Interface(link, at, snap, resolution, offset)


def _of(interfaces: list[_Interface], number: int, at: int) -> _Interface:
    if number >= len(interfaces):
        raise WireError("bad-capture", at, f"interface {number} is described nowhere")
    _check_link(interfaces[number].link, interfaces[number].described_at)
    return interfaces[number]


def _check_link(link: int, at: int) -> None:
    if link not in LINKS:
        known = ", ".join(f"{name} ({number})" for number, name in LINKS.items())
        raise WireError("bad-capture", at, f"link type {link}; read are {known}")


def _frame(octets: bytes, at: int, size: int, end: int, size_at: int) -> bytes:
    if size > MOST_FRAME:
        raise WireError("bad-capture", size_at, f"a frame of {size} octets")
    if at + size > end:
        raise WireError("truncated-capture", size_at, f"a frame of {size} octets, {end - at} are there")
    return octets[at : at + size]


def _unpack(octets: bytes, at: int, end: int, layout: str) -> tuple[int, ...]:
    fields = Struct(layout)
    if at + fields.size > end:
        raise WireError("truncated-capture", at, f"{fields.size} octets are called for, {end - at} are there")
    return fields.unpack_from(octets, at)
