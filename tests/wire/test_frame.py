"""Frames: what is read past, what is trimmed, what is refused and under which reason."""

import msgspec
import pytest

from relet.errors import WireError
from relet.wire.address import BROADCAST_MAC
from relet.wire.arp import REPLY, REQUEST, Arp, announcement, decode_arp, encode_arp, probe
from relet.wire.frame import Datagram, decode_datagram, encode_datagram

MAC = bytes.fromhex("525400123456")
DATAGRAM = Datagram(MAC, BROADCAST_MAC, 0, 0xFFFFFFFF, 68, 67, b"payload")
FRAME = encode_datagram(DATAGRAM)
IP, UDP = 14, 34


def changed(at: int, octets: bytes, frame: bytes = FRAME, mend: bool = True) -> bytes:
    """A frame with other octets, its IP checksum made right again."""
    frame = frame[:at] + octets + frame[at + len(octets) :]
    if mend:
        header = frame[IP : IP + 10] + b"\0\0" + frame[IP + 12 : IP + 20]
        total = 0xFFFF - int.from_bytes(header, "big") % 0xFFFF
        frame = frame[: IP + 10] + total.to_bytes(2, "big") + frame[IP + 12 :]
    return frame


def test_layout() -> None:
    assert FRAME[:14] == BROADCAST_MAC + MAC + b"\x08\0"
    assert FRAME[IP : IP + 10].hex() == "4500002300000000" + "4011"
    assert FRAME[UDP : UDP + 6].hex() == "00440043" + "000f"
    assert FRAME[42:] == b"payload"


@pytest.mark.parametrize(
    ("vlans", "head"),
    [((5,), "81000005"), ((4095, 5), "88a80fff81000005")],
)
def test_tags_are_written_and_read(vlans: tuple[int, ...], head: str) -> None:
    tagged = msgspec.structs.replace(DATAGRAM, vlans=vlans)
    frame = encode_datagram(tagged)
    assert frame[12 : 12 + 4 * len(vlans)].hex() == head
    assert decode_datagram(frame) == tagged
    assert decode_datagram(frame[:14] + bytes((frame[14] | 0xE0,)) + frame[15:]) == tagged  # priority is not the name


def test_padding_is_cut_off() -> None:
    assert decode_datagram(FRAME.ljust(60, b"\xaa")) == DATAGRAM


def test_options_of_the_ip_header_are_passed_over() -> None:
    longer = FRAME[:UDP] + b"\1\1\1\0" + FRAME[UDP:]
    frame = changed(IP, b"\x46\0" + (len(longer) - IP).to_bytes(2, "big"), longer, mend=False)
    header = frame[IP : IP + 10] + b"\0\0" + frame[IP + 12 : IP + 24]
    frame = changed(IP + 10, (0xFFFF - int.from_bytes(header, "big") % 0xFFFF).to_bytes(2, "big"), frame, mend=False)
    assert decode_datagram(frame) == DATAGRAM


@pytest.mark.parametrize(
    ("frame", "reason", "offset"),
    [
        (b"", "truncated-frame", 0),
        (FRAME[:13], "truncated-frame", 13),
        (FRAME[:12] + b"\x81\0\0", "truncated-frame", 15),
        (FRAME[:12] + b"\x81\0\0\1\x81\0", "truncated-frame", 18),
        (FRAME[:12] + b"\x81\0\0\1" * 3 + FRAME[12:], "too-many-tags", 20),
        (FRAME[:12] + b"\x86\xdd" + FRAME[14:], "not-ipv4", 12),
        (FRAME[:33], "truncated-frame", 33),
        (changed(IP, b"\x65"), "bad-ip-header", 14),
        (changed(IP, b"\x44"), "bad-ip-header", 14),
        (FRAME[:-1], "bad-ip-length", 16),
        (changed(IP + 2, b"\0\x13"), "bad-ip-length", 16),
        (changed(IP + 8, b"\x41", mend=False), "ip-checksum", 24),
        (changed(IP + 9, b"\6"), "not-udp", 23),
        (changed(IP + 6, b"\x20\0"), "fragment", 20),
        (changed(IP + 6, b"\0\1"), "fragment", 20),
        (changed(IP + 2, b"\0\x1b"), "bad-udp-length", 16),
        (changed(UDP + 4, b"\0\7"), "bad-udp-length", 38),
        (changed(UDP + 4, b"\0\x10"), "bad-udp-length", 38),
        (FRAME[:-1] + b"x", "udp-checksum", 40),
    ],
)
def test_what_is_refused(frame: bytes, reason: str, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        decode_datagram(frame)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_do_not_fragment_is_no_fragment() -> None:
    assert decode_datagram(changed(IP + 6, b"\x40\0")) == DATAGRAM


def test_a_checksum_not_computed_or_not_yet_is_passed_over() -> None:
    assert decode_datagram(changed(UDP + 6, b"\0\0")) == DATAGRAM
    assert decode_datagram(changed(UDP + 6, b"\1\2"), verify=False) == DATAGRAM


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    # The payload is chosen so that the sum comes out as zero.
    empty = encode_datagram(msgspec.structs.replace(DATAGRAM, payload=b"\0\0"))
    frame = encode_datagram(msgspec.structs.replace(DATAGRAM, payload=empty[40:42]))
    assert frame[40:42] == b"\xff\xff"
    assert decode_datagram(frame).payload == empty[40:42]


@pytest.mark.parametrize(
    "wrong",
    [{"src_mac": b"abc"}, {"dst_mac": bytes(7)}, {"vlans": (1, 2, 3)}, {"vlans": (4096,)}, {"payload": bytes(65508)}],
)
def test_what_cannot_be_sent(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"6 octets|12 bits|do not fit"):
        encode_datagram(msgspec.structs.replace(DATAGRAM, **wrong))


def test_probe_and_announcement() -> None:
    assert probe(MAC, 0xC0A80101) == Arp(REQUEST, MAC, 0, bytes(6), 0xC0A80101)
    assert announcement(MAC, 0xC0A80101) == Arp(REQUEST, MAC, 0xC0A80101, bytes(6), 0xC0A80101)


def test_arp_layout() -> None:
    frame = encode_arp(Arp(REPLY, MAC, 0xC0A80101, b"abcdef", 0xC0A80102))
    assert frame[:14] == BROADCAST_MAC + MAC + b"\x08\6"
    assert frame[14:42].hex(" ", 4) == "00010800 06040002 52540012 3456c0a8 01016162 63646566 c0a80102"
    assert len(frame) == 60


def test_tagged_arp_is_read() -> None:
    frame = encode_arp(probe(MAC, 1))
    assert decode_arp(frame[:12] + b"\x81\0\0\5" + frame[12:]) == probe(MAC, 1)


@pytest.mark.parametrize(
    ("at", "octets", "reason", "offset"),
    [
        (12, b"\x08\0", "not-arp", 12),
        (14, b"\0\6", "bad-arp", 14),
        (16, b"\x86\xdd", "bad-arp", 14),
        (18, b"\x08", "bad-arp", 14),
        (19, b"\x10", "bad-arp", 14),
        (20, b"\0\3", "bad-arp", 20),
    ],
)
def test_arp_that_is_refused(at: int, octets: bytes, reason: str, offset: int) -> None:
    frame = encode_arp(probe(MAC, 1))
    with pytest.raises(WireError) as caught:
        decode_arp(frame[:at] + octets + frame[at + len(octets) :])
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_arp_cut_off() -> None:
    with pytest.raises(WireError) as caught:
        decode_arp(encode_arp(probe(MAC, 1))[:41])
    assert caught.value.reason == "truncated-frame"


def test_arp_that_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="6 octets"):
        encode_arp(Arp(REQUEST, b"abc", 0, bytes(6), 1))
    with pytest.raises(ValueError, match="6 octets"):
        encode_arp(Arp(REQUEST, MAC, 0, b"", 1))
