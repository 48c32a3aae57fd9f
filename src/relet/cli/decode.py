"""`relet decode`: DHCP messages and ARP packets as text or JSON."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from relet.cli.hexadecimal import unhex
from relet.cli.output import show_json_line
from relet.cli.packets import Broken, Piece, Understood, pieces, understand
from relet.cli.words import complain
from relet.errors import WireError
from relet.lab.pcap import is_capture
from relet.wire import text
from relet.wire.address import hex_text, ip_text
from relet.wire.arp import REPLY, Arp

MOST_INPUT = 256 * 1024 * 1024
"""Octets read of a file; captures of DHCP are small."""

LONGEST_NAME = 255
"""Characters of a file name on Linux; a longer argument can only be hexadecimal."""


def decode(
    source: Annotated[
        str, typer.Argument(metavar="FILE|HEX|-", help="A file, hexadecimal itself, or - for standard input.")
    ] = "-",
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each packet.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Print all fields and options.")] = False,
    line: Annotated[bool, typer.Option("--line", help="Print a line for each packet.")] = False,
) -> None:
    """Show DHCP messages as text or JSON.

    Reads pcap, pcapng, hexadecimal (packets parted by an empty line, or as xxd, hexdump -C and tcpdump -x print them) or
    plain octets, and in them DHCP messages as they are or in IPv4 packets or Ethernet frames, and ARP. Other traffic is
    passed over. The packets of a capture are shown in a line each, anything else in full, unless --full or --line says
    otherwise.

    A malformed packet is named with the offset of what is wrong; decoding goes on behind it, and the exit code is 1.
    """
    if as_json + full + line > 1:
        raise typer.BadParameter("--json, --full and --line exclude each other")
    octets = _read(source)
    full = full or not (line or is_capture(octets))
    found = broken = 0
    for number, piece, result in _results(octets):
        found += 1
        if isinstance(result, Understood):
            _show(number, piece, result, as_json, full)
        else:
            broken += 1
            _show_broken(number, piece, result, as_json)
    if not found:
        complain("neither DHCP nor ARP in it")
    if broken or not found:
        raise typer.Exit(1)


def _results(octets: bytes) -> Iterator[tuple[int, Piece, Understood | Broken]]:
    """Number, piece and meaning of each packet that is DHCP or ARP, or should be. A capture that breaks off ends it."""
    number = 0
    try:
        for piece in pieces(octets):
            number += 1
            result = understand(piece)
            if result is not None:
                yield number, piece, result
    except WireError as error:
        yield number + 1, Piece(b""), Broken("capture", error)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _read(source: str) -> bytes:
    """The input's octets. Raises typer.BadParameter for what is neither file nor hexadecimal, OSError."""
    if not source.strip():
        raise typer.BadParameter("it is empty")
    if source == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise typer.BadParameter("name a file, give hexadecimal, or pipe something in")
        octets = sys.stdin.buffer.read(MOST_INPUT + 1)
    elif len(source) <= LONGEST_NAME and Path(source).exists():
        with Path(source).open("rb") as file:
            octets = file.read(MOST_INPUT + 1)
    else:
        try:
            return unhex(source)
        except ValueError:
            raise typer.BadParameter(f"{source!r} is neither a file nor hexadecimal") from None
    if len(octets) > MOST_INPUT:
        raise typer.BadParameter(f"more than {MOST_INPUT} octets")
    return octets


def _show(number: int, piece: Piece, result: Understood, as_json: bool, full: bool) -> None:
    content = result.content
    if as_json:
        what = {"arp": _arp_plain(content)} if isinstance(content, Arp) else {"message": text.plain(content)}
        show_json_line({"packet": number, **_time_plain(piece), "route": result.route} | what)
    elif isinstance(content, Arp):
        print("  ".join(filter(None, (_time(piece), _arp_line(content)))))
    elif full:
        heading = "  ".join(filter(None, (_time(piece), result.route)))
        print("\n".join(filter(None, (heading, text.full(content)))), end="\n\n")
    else:
        print("  ".join(filter(None, (_time(piece), result.route, text.line(content)))))


def _show_broken(number: int, piece: Piece, broken: Broken, as_json: bool) -> None:
    error = broken.error
    if as_json:
        told = {"part": broken.part, "reason": error.reason, "offset": error.offset, "detail": error.detail}
        show_json_line({"packet": number, **_time_plain(piece), "error": told})
    else:
        complain(f"packet {number}: {broken.part}: {error}")


def _time(piece: Piece) -> str:
    return "" if piece.at is None else f"{datetime.fromtimestamp(piece.at, UTC):%Y-%m-%d %H:%M:%S.%fZ}"


def _time_plain(piece: Piece) -> dict[str, object]:
    return {} if piece.at is None else {"at": piece.at}


def _arp_line(arp: Arp) -> str:
    if arp.op == REPLY:
        return f"ARP reply: {ip_text(arp.spa)} is at {hex_text(arp.sha)}"
    if arp.spa == 0:
        return f"ARP probe: who has {ip_text(arp.tpa)}? from {hex_text(arp.sha)}"
    if arp.spa == arp.tpa:
        return f"ARP announcement: {ip_text(arp.spa)} is at {hex_text(arp.sha)}"
    return f"ARP request: who has {ip_text(arp.tpa)}? from {ip_text(arp.spa)} at {hex_text(arp.sha)}"


def _arp_plain(arp: Arp) -> dict[str, object]:
    return {
        "op": "reply" if arp.op == REPLY else "request",
        "sha": hex_text(arp.sha),
        "spa": ip_text(arp.spa),
        "tha": hex_text(arp.tha),
        "tpa": ip_text(arp.tpa),
    }
