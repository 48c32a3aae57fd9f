"""`relet decode`: every wrapping is guessed, what is malformed is named, and the rest is still shown."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from relet.cli.main import main
from relet.cli.packets import Broken, Piece, Understood, pieces, understand
from relet.errors import WireError
from relet.lab.pcap import LINUX_SLL, LINUX_SLL2, RAW_IP, PcapWriter
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.arp import Arp, announcement, encode_arp, probe
from relet.wire.frame import ETHERTYPE_ARP, ETHERTYPE_IP, Datagram, encode_datagram
from relet.wire.message import BOOTREQUEST, Message, decode, encode
from relet.wire.options import HOST_NAME, MESSAGE_TYPE, MessageType
from support.commands import relet

MAC = bytes.fromhex("020000000001")
MESSAGE = Message(
    op=BOOTREQUEST,
    xid=0x3D1D,
    chaddr=MAC,
    options={MESSAGE_TYPE.code: bytes((MessageType.DISCOVER,)), HOST_NAME.code: b"lap\x1b[31mtop"},
)
PAYLOAD = encode(MESSAGE)


def _frame(payload: bytes = PAYLOAD, dport: int = 67, vlans: tuple[int, ...] = ()) -> bytes:
    return encode_datagram(Datagram(MAC, BROADCAST_MAC, 0, BROADCAST, 68, dport, payload, vlans))


def _capture(*frames: bytes) -> bytes:
    stream = io.BytesIO()
    writer = PcapWriter(stream)
    for second, frame in enumerate(frames):
        writer.write(1_700_000_000 + second, frame)
    return stream.getvalue()


SLL = bytes((0, 0, 0, 1, 0, 6)) + MAC + bytes(2)
SLL2 = bytes((0, 0, 0, 0, 0, 2, 0, 1, 0, 6)) + MAC + bytes(2)


def _cooked(link: int, ethertype: int, packet: bytes) -> bytes:
    kind = ethertype.to_bytes(2, "big")
    return {RAW_IP: packet, LINUX_SLL: SLL + kind + packet, LINUX_SLL2: kind + SLL2 + packet}[link]


@pytest.mark.parametrize("link", [RAW_IP, LINUX_SLL, LINUX_SLL2])
def test_captures_of_any_interface(link: int, tmp_path: Path) -> None:
    """As `tcpdump -i any` writes them; the link type stands at offset 20."""
    frames = [_frame(), _frame()[:50], encode_arp(probe(MAC, 1))]
    cooked = [_cooked(link, int.from_bytes(frame[12:14], "big"), frame[14:]) for frame in frames]
    capture = bytearray(_capture(*cooked))
    capture[20:24] = link.to_bytes(4, "little")
    file = tmp_path / "any.pcap"
    file.write_bytes(capture)
    code, out, err = relet("decode", str(file))
    assert code == 1
    assert "0.0.0.0:68 > 255.255.255.255:67  DISCOVER" in out
    assert "ARP probe" in out
    header = len(cooked[0]) - len(frames[0]) + 14
    assert err.startswith(f"relet: packet 2: frame: bad-ip-length at offset {header + 2}:")


def test_a_header_of_a_cooked_capture_that_is_cut_off_is_not_ours() -> None:
    assert understand(Piece(SLL[:9], 0.0, LINUX_SLL)) is None


@pytest.mark.parametrize(
    ("octets", "ethertype"), [(_frame()[14:], ETHERTYPE_IP), (encode_arp(probe(MAC, 1))[14:], ETHERTYPE_ARP)]
)
def test_a_packet_without_the_header_of_its_link(octets: bytes, ethertype: int) -> None:
    result = understand(Piece(octets))
    assert isinstance(result, Understood)
    assert isinstance(result.content, Message if ethertype == ETHERTYPE_IP else Arp)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"Dear reader,\n", "looks like text, but is not hexadecimal"),
        ("Größe: 3".encode(), "looks like text, but is not hexadecimal"),
        (gzip.compress(PAYLOAD, mtime=0), "it is compressed; try `zcat FILE"),
    ],
)
def test_what_cannot_be_read_is_said(octets: bytes, told: str) -> None:
    code, out, err = relet("decode", stdin=octets)
    assert (code, out) == (2, "")
    assert told in err


def test_a_closed_standard_input_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["relet", "decode", "-"])
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "pipe something in" in capsys.readouterr().err


@pytest.mark.parametrize(
    "octets",
    [
        PAYLOAD,
        _frame(),
        _frame(vlans=(7,)),
        _frame(vlans=(7, 8)),
        _capture(_frame()),
        PAYLOAD.hex().encode(),
        PAYLOAD.hex(":").encode() + b"\r\n",
        b"0x" + _frame().hex().upper().encode(),
        b"\n".join(PAYLOAD.hex()[at : at + 60].encode() for at in range(0, 600, 60)),
    ],
    ids=["payload", "frame", "tagged", "twice-tagged", "capture", "hex", "colons", "0x", "lines"],
)
def test_every_wrapping_is_guessed(octets: bytes) -> None:
    (piece,) = pieces(octets)
    result = understand(piece)
    assert isinstance(result, Understood)
    assert result.content == decode(PAYLOAD)


def test_hexadecimal_in_paragraphs_is_several_packets() -> None:
    text = f"{PAYLOAD.hex()}\n\n{_frame().hex()}\n\n\n{encode_arp(probe(MAC, 5)).hex()}\n"
    results = [understand(piece) for piece in pieces(text.encode())]
    assert [type(result.content) for result in results if isinstance(result, Understood)] == [Message, Message, Arp]


@pytest.mark.parametrize(
    "frame",
    [
        _frame(dport=53).replace(b"\x00\x44\x00\x35", b"\x00\x43\x00\x35")[:12] + b"\x86\xdd" + bytes(40),
        encode_datagram(Datagram(MAC, BROADCAST_MAC, 1, 2, 5353, 5353, b"other")),
    ],
    ids=["ipv6", "another-port"],
)
def test_other_traffic_is_passed_over(frame: bytes) -> None:
    assert [understand(piece) for piece in pieces(_capture(frame))] == [None]


@pytest.mark.parametrize(
    ("octets", "part", "reason"),
    [
        (_capture(_frame(PAYLOAD[:100])), "message", "truncated-message"),
        (_capture(_frame()[:30]), "frame", "truncated-frame"),
        (_capture(b"short"), "frame", "truncated-frame"),
        (PAYLOAD[:99], "message", "truncated-message"),
    ],
)
def test_what_is_malformed_is_named(octets: bytes, part: str, reason: str) -> None:
    (piece,) = pieces(octets)
    result = understand(piece)
    assert isinstance(result, Broken)
    assert (result.part, result.error.reason) == (part, reason)


def test_a_checksum_that_the_hardware_was_to_fill_in_is_no_fault() -> None:
    frame = bytearray(_frame())
    frame[40] ^= 0xFF
    (piece,) = pieces(_capture(bytes(frame)))
    assert isinstance(understand(piece), Understood)


def test_hexadecimal_of_half_an_octet_is_refused() -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        list(pieces(b"abc"))


def test_a_broken_capture_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        list(pieces(_capture(_frame())[:-1]))


def test_it_goes_on_behind_a_malformed_packet(tmp_path: Path) -> None:
    file = tmp_path / "some.pcap"
    file.write_bytes(
        _capture(_frame(), _frame(PAYLOAD[:100]), encode_arp(announcement(MAC, 0x0A000001)), b"x" * 99)[:-1]
    )
    code, out, err = relet("decode", str(file))
    assert code == 1
    first, second = out.splitlines()
    assert first.startswith(
        "2023-11-14 22:13:20.000000Z  0.0.0.0:68 > 255.255.255.255:67  DISCOVER xid 0x3d1d from 02:"
    )
    assert second == "2023-11-14 22:13:22.000000Z  ARP announcement: 10.0.0.1 is at 02:00:00:00:00:01"
    assert [line.split(" at ")[0] for line in err.splitlines()] == [
        "relet: packet 2: message: truncated-message",
        "relet: packet 4: capture: truncated-capture",
    ]


def test_json_is_a_line_for_each_packet() -> None:
    code, out, err = relet(
        "decode", "--json", stdin=_capture(_frame(), _frame(PAYLOAD[:100]), encode_arp(probe(MAC, 1)))
    )
    first, second, third = map(json.loads, out.splitlines())
    assert (code, err) == (1, "")
    assert first["message"]["kind"] == "DISCOVER"
    assert first["at"] == 1_700_000_000
    assert second["error"]["reason"] == "truncated-message"
    assert third["arp"] == {
        "op": "request", "sha": "02:00:00:00:00:01", "spa": "0.0.0.0", "tha": "00:00:00:00:00:00", "tpa": "0.0.0.1",
    }  # fmt: skip


def test_a_single_packet_is_shown_in_full_and_harmless() -> None:
    code, out, _ = relet("decode", PAYLOAD.hex())
    assert code == 0
    assert "xid     0x00003d1d\n" in out
    assert "\x1b" not in out
    assert out.count("\n") > 10


def test_one_line_if_asked() -> None:
    code, out, _ = relet("decode", "--line", "-", stdin=PAYLOAD)
    assert (code, out.count("\n")) == (0, 1)


@pytest.mark.parametrize("arguments", [("neither",), ("abc",), ("",), (" ",), ("--json", "--full", "-")])
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    code, out, err = relet("decode", *arguments)
    assert (code, out) == (2, "")
    assert "Invalid value" in err


def test_nothing_in_it_is_a_no() -> None:
    code, out, err = relet("decode", stdin=_capture(_frame()[:12] + b"\x86\xdd" + bytes(50)))
    assert (code, out, err) == (1, "", "relet: neither DHCP nor ARP in it\n")


def test_a_folder_is_the_environments_fault(tmp_path: Path) -> None:
    code, _, err = relet("decode", str(tmp_path))
    assert code == 3
    assert "Is a directory" in err
