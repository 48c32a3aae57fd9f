"""Who the client says it is: what the operator chose, made with what this host has.

The DUID is one for all interfaces (RFC 4361 s6.1) and is kept in a file, so that it stays the same. It is taken from another
DHCP client of the host if there is one, so that DHCPv4 and DHCPv6 say the same, and made only where there is none. To have
another, an operator writes it into the file.
"""

import os
from pathlib import Path
from typing import Literal
from zlib import crc32

from relet.client.identity import DUID_OCTETS, DUID_UUID
from relet.errors import MachineError
from relet.model.effects import Note
from relet.run import smallfile
from relet.wire.address import hex_text, parse_hex

Who = Literal["mac", "duid", "none"] | bytes
"""What the operator can say of the client's identity: how to make it, or its octets."""

OTHERS = (
    Path("/var/lib/relet-client/duid"),
    Path("/var/lib/relet/duid"),
    Path("/var/lib/dhcpcd/duid"),
    Path("/var/db/dhcpcd/duid"),
    Path("/etc/dhcpcd.duid"),
)
"""Where else the host's DUID may be: with a client of ours that is started in another way, and with dhcpcd, a client of
DHCPv4 and DHCPv6."""

FIRMWARE = Path("/sys/class/dmi/id/product_uuid")
"""The host's UUID as its maker has set it: it outlives a new system on the disk, and is one for all stages of a boot."""

PLACEHOLDERS = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 16, "ff" * 16, "03000200040005000006000700080009", "12345678123412341234123456789012",
        "00112233445566778899aabbccddeeff",
    )
)  # fmt: skip
"""What makers of boards leave in its place; many hosts have these."""

MAX_OCTETS = 1024
"""A DUID takes some forty octets as text."""


def said_identity(text: str) -> Who:
    """What `--client-id` means. Raises ValueError that says what can be written."""
    match text:
        case "mac" | "duid" | "none":
            return text
    try:
        octets = parse_hex(text)
    except ValueError:
        octets = b""
    if not 2 <= len(octets) <= 255:
        raise ValueError(
            f"{text!r} is no client identifier; write mac, duid, none, or octets such as 01:52:54:00:12:34:56"
        )
    return octets


def iaid(interface: str) -> bytes:
    """An interface's IAID. Made of its name, which stays when its hardware is replaced (RFC 4361 s4.1, s6.1)."""
    return crc32(interface.encode()).to_bytes(4)


def host_duid(file: Path, known: bytes | None = None) -> tuple[bytes, list[Note]]:
    """The host's DUID, and what the operator should hear of it.

    file: where it is kept. known: one that this host is known by, which comes before a new one. Raises MachineError if the
    file is there and cannot be read: to be somebody else until it can would cost the host its address.
    """
    notes: list[Note] = []
    try:
        return _parsed(smallfile.read(file, MAX_OCTETS)), notes
    except FileNotFoundError:
        pass
    except OSError as error:
        raise MachineError(f"the DUID in {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        notes.append(Note("bad-duid", f"{file} has no DUID: {error}; {smallfile.set_aside(file)}"))
    duid, source = (known, "as before") if known else _elsewhere() or _made()
    try:
        smallfile.write(file, f"{hex_text(duid)}\n".encode())
        notes.append(Note("duid", f"this host's DUID is {hex_text(duid)} ({source}), kept in {file}"))
    except OSError as error:
        notes.append(Note("duid", f"this host's DUID is {hex_text(duid)} ({source}), and cannot be kept: {error}"))
    return duid, notes


def _parsed(octets: bytes) -> bytes:
    """Raises ValueError."""
    try:
        duid = parse_hex(octets.decode("ascii").strip())
    except ValueError:
        raise ValueError("it is not hexadecimal such as 00:04:01:52") from None  # what else is in it is not to be told
    if len(duid) not in DUID_OCTETS:
        raise ValueError(f"it has {len(duid)} octets, a DUID has {DUID_OCTETS[0]} to {DUID_OCTETS[-1]}")
    return duid


def _elsewhere() -> tuple[bytes, str] | None:
    """A DUID that another client of this host uses, and where it was."""
    for file in OTHERS:
        try:
            return _parsed(smallfile.read(file, MAX_OCTETS, follow=True)), f"from {file}"
        except (OSError, ValueError):
            continue
    return None


def _made() -> tuple[bytes, str]:
    """A new DUID of a UUID: that of the firmware if it is one, else a random one (RFC 4122 s4.4).

    Not of the machine identifier, which is not to be told to a network, and which copies of a virtual machine share.
    """
    try:
        uuid = parse_hex(smallfile.read(FIRMWARE, MAX_OCTETS, follow=True).decode("ascii").strip())
    except (OSError, ValueError):
        uuid = b""
    if len(uuid) == 16 and uuid not in PLACEHOLDERS:
        return DUID_UUID + uuid, "made of the firmware's UUID"
    dice = bytearray(os.urandom(16))
    dice[6], dice[8] = dice[6] & 0x0F | 0x40, dice[8] & 0x3F | 0x80
    return DUID_UUID + bytes(dice), "made at random"
