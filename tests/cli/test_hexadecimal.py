"""Hexadecimal as other programs print it: offsets and characters are told from the octets."""

import re
from collections.abc import Callable

import pytest

from relet.cli.hexadecimal import MOST_IN_DUMP, packets

OTHER = bytes(range(99))


def _rows(octets: bytes) -> list[tuple[int, bytes, str]]:
    """Offset, octets and characters of a dump's lines."""
    lines = [(at, octets[at : at + 16]) for at in range(0, len(octets), 16)]
    return [(at, line, "".join(chr(c) if 0x20 <= c < 0x7F else "." for c in line)) for at, line in lines]


def _xxd(octets: bytes) -> str:
    return "".join(f"{at:08x}: {line.hex(' ', -2):39}  {shown}\n" for at, line, shown in _rows(octets))


def _tcpdump(octets: bytes) -> str:
    lines = "".join(f"\t0x{at:04x}:  {line.hex(' ', -2):39}  {shown}\n" for at, line, shown in _rows(octets))
    return f"22:13:20.000000 IP 0.0.0.0.68 > 255.255.255.255.67: BOOTP/DHCP, Request, length 300\n{lines}"


def _wireshark(octets: bytes) -> str:
    return "".join(f"{at:04x}   {line.hex(' '):47}   {shown}\n" for at, line, shown in _rows(octets))


def _hexdump(octets: bytes) -> str:
    """As hexdump -C: a line like the one before is not printed, and the size stands at the end."""
    text, before = "", b""
    for at, line, shown in _rows(octets):
        parts = f"{line[:8].hex(' ')}  {line[8:].hex(' ')}"
        text += "*\n" if line == before else f"{at:08x}  {parts:48}  |{shown}|\n"
        before = line
    return re.sub(r"(\*\n)+", "*\n", text) + f"{len(octets):08x}\n"


@pytest.mark.parametrize("dump", [_xxd, _tcpdump, _wireshark, _hexdump])
@pytest.mark.parametrize("cut", [0, 1, 4, 8, 15])
def test_dumps_of_other_programs_are_read(dump: Callable[[bytes], str], cut: int) -> None:
    """Whatever the characters beside the octets look like, and two packets in a row."""
    octets = (bytes(range(240)) + b"ab cd ef" * 4 + bytes(80) + b"|12 34|" * 16)[: 480 - cut]
    assert list(packets(dump(octets) + dump(OTHER))) == [octets, OTHER]


@pytest.mark.parametrize(
    "text",
    [
        "00000000: 0101\n00000003: 0101\n",
        "00000000  01 01\n*\n00000001\n",
        f"00000000: 0101\n*\n{MOST_IN_DUMP + 1:08x}: 0101\n",
    ],
)
def test_a_dump_whose_offsets_do_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is at offset"):
        list(packets(text))


@pytest.mark.parametrize("text", ["0x01 0x01 0x06 0x00", "0x01,0x01,0x06,0x00", "0x1, 0x1, 0x6, 0x0", "0x01010600"])
def test_octets_as_programs_write_them(text: str) -> None:
    assert list(packets(text)) == [b"\1\1\6\0"]
