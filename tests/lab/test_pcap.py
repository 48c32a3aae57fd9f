"""Captures: scapy reads what we write and writes what we read; what is malformed is named and nothing else is raised."""

import io
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, rdpcap, wrpcap

from relet.errors import WireError
from relet.lab.pcap import LINKS, MOST_FRAME, MOST_INTERFACES, Captured, PcapWriter, is_capture, read_capture

FRAMES = [
    Captured(1_700_000_000.000001, b"\xff" * 6 + b"\x02\0\0\0\0\1\x08\x06" + bytes(46)),
    Captured(1_700_000_001.999999, b"\2" * 12 + b"\x08\x00" + b"odd" * 17),
    Captured(1_800_000_000.5, b"\2" * 12 + b"\x88\xb5"),
]


def _written(frames: list[Captured]) -> bytes:
    stream = io.BytesIO()
    writer = PcapWriter(stream)
    for captured in frames:
        writer.write(captured.at, captured.frame)
    return stream.getvalue()


def _classic(order: str, magic: int = 0xA1B2C3D4, fraction: int = 250_000, link: int = 1) -> bytes:
    header = pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return header + pack(order + "IIII", 1_700_000_000, fraction, 14, 60) + bytes(14)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = pack(order + "I", len(body) + 12)
    return pack(order + "I", kind) + size + body + size


def _section(order: str) -> bytes:
    return _block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def _interface(order: str, *, link: int = 1, snap: int = 0, options: bytes = b"") -> bytes:
    return _block(order, 1, pack(order + "HHI", link, 0, snap) + options)


def _enhanced(order: str, ticks: int, frame: bytes, interface: int = 0) -> bytes:
    fields = pack(order + "5I", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return _block(order, 6, fields + frame)


def test_what_we_write_we_read() -> None:
    assert list(read_capture(_written(FRAMES))) == FRAMES


def test_scapy_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "ours.pcap"
    path.write_bytes(_written(FRAMES))
    read = rdpcap(str(path))
    assert [(bytes(packet), round(float(packet.time), 6)) for packet in read] == [(c.frame, c.at) for c in FRAMES]


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_we_read_what_scapy_writes(tmp_path: Path, endianness: str, nano: bool) -> None:
    path = tmp_path / "theirs.pcap"
    packets = [Ether(captured.frame) for captured in FRAMES]
    for packet, captured in zip(packets, FRAMES, strict=True):
        packet.time = captured.at
    wrpcap(str(path), packets, endianness=endianness, nano=nano)
    read = list(read_capture(path.read_bytes()))
    assert [captured.frame for captured in read] == [captured.frame for captured in FRAMES]
    assert [captured.at for captured in read] == pytest.approx([captured.at for captured in FRAMES], abs=2e-6)


def test_we_read_the_pcapng_that_scapy_writes(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pcapng"
    writer = PcapNgWriter(str(path))
    for captured in FRAMES:
        packet = Ether(captured.frame)
        packet.time = captured.at
        writer.write(packet)
    writer.close()
    read = list(read_capture(path.read_bytes()))
    assert [captured.frame for captured in read] == [captured.frame for captured in FRAMES]
    assert [captured.at for captured in read] == pytest.approx([captured.at for captured in FRAMES], abs=2e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_and_resolutions_of_pcap(order: str) -> None:
    expected = [Captured(1_700_000_000.25, bytes(14))]
    assert list(read_capture(_classic(order))) == expected
    assert list(read_capture(_classic(order, 0xA1B23C4D, 250_000_000))) == expected


@pytest.mark.parametrize("link", LINKS)
def test_links_are_told_apart(link: int) -> None:
    capture = _section("<") + _interface("<", link=link) + _enhanced("<", 0, b"frame")
    assert [captured.link for captured in read_capture(capture)] == [link]
    assert [captured.link for captured in read_capture(_classic(">", link=link))] == [link]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str) -> None:
    """Interfaces with their own clocks, a simple packet, unknown blocks, and a second section that forgets the first."""
    nanoseconds = pack(order + "HHB3x", 9, 1, 9) + pack(order + "HHq", 14, 8, 100) + pack(order + "HH", 0, 0)
    halves = pack(order + "HHB3x", 9, 1, 128 | 1)
    capture = (
        _section(order)
        + _interface(order, snap=4)
        + _interface(order, options=nanoseconds)
        + _interface(order, options=halves)
        + _enhanced(order, 1_500_000, b"first")
        + _block(order, 0x0BAD, b"whatever")
        + _enhanced(order, 2_000_000_000, b"second", interface=1)
        + _enhanced(order, 1 << 33, b"third", interface=2)
        + _block(order, 3, pack(order + "I", 9) + b"simp")
        + _section(order)
        + _interface(order)
        + _block(order, 3, pack(order + "I", 3) + b"all")
    )
    assert list(read_capture(capture)) == [
        Captured(1.5, b"first"),
        Captured(102.0, b"second"),
        Captured(float(1 << 32), b"third"),
        Captured(0.0, b"simp"),
        Captured(0.0, b"all"),
    ]


@pytest.mark.parametrize(
    ("capture", "reason", "offset"),
    [
        (b"", "bad-capture", 0),
        (b"GET / HTTP/1.1", "bad-capture", 0),
        (_classic("<")[:20], "truncated-capture", 20),
        (_classic("<")[:30], "truncated-capture", 24),
        (_classic("<")[:-1], "truncated-capture", 32),
        (_classic(">", link=105), "bad-capture", 20),
        (_classic("<")[:32] + pack("<II", MOST_FRAME + 1, 60), "bad-capture", 32),
        (_section("<")[:8], "bad-capture", 8),
        (_section("<")[:8] + b"abcd" + _section("<")[12:], "bad-capture", 8),
        (_section("<")[:-4], "truncated-capture", 4),
        (_section("<")[:-4] + bytes(4), "bad-capture", 24),
        (_section("<") + pack("<II", 6, 8), "bad-capture", 32),
        (_section("<") + pack("<II", 6, 13), "bad-capture", 32),
        (_section("<") + b"\1", "truncated-capture", 28),
        (_section("<") + _enhanced("<", 0, b""), "bad-capture", 36),
        (_section("<") + _interface("<", link=9) + _enhanced("<", 0, b""), "bad-capture", 36),
        (_section("<") + _interface("<", options=pack("<HH", 9, 60)), "truncated-capture", 46),
        (_section("<") + _interface("<") * (MOST_INTERFACES + 1), "bad-capture", 28 + 20 * MOST_INTERFACES),
        (_section("<") + _interface("<") + _block("<", 6, bytes(16)), "truncated-capture", 56),
        (_section("<") + _interface("<") + _block("<", 3, pack("<I", 99)), "truncated-capture", 56),
    ],
)
def test_malformed_captures_are_named(capture: bytes, reason: str, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        list(read_capture(capture))
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_what_came_before_the_fault_is_read() -> None:
    frames = read_capture(_written(FRAMES)[:-1])
    assert [next(frames), next(frames)] == FRAMES[:2]
    with pytest.raises(WireError):
        next(frames)


def test_only_captures_are_captures() -> None:
    assert is_capture(_classic(">"))
    assert is_capture(_section(">"))
    assert not is_capture(b"\xa1\xb2\xc3")
    assert not is_capture(bytes(300))


def test_a_frame_that_no_reader_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        PcapWriter(io.BytesIO()).write(0, bytes(MOST_FRAME + 1))


GOOD = [
    _classic("<") + _classic("<")[24:],
    _section(">") + _interface(">", options=pack(">HHB3x", 9, 1, 6)) + _enhanced(">", 5, b"frame") * 2,
]


@given(
    st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4), st.integers(0, 9)
)
def test_mutated_captures_raise_nothing_else(good: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    octets = bytearray(good[: len(good) - cut])
    for at, value in changes:
        octets[at % len(octets)] = value
    frames = b""
    try:
        for captured in read_capture(bytes(octets)):
            frames += captured.frame
    except WireError as error:
        fault = error.offset
    else:
        fault = len(octets)
    assert 0 <= fault <= len(octets)
    assert len(frames) <= len(octets)
