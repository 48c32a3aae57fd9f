"""Classic BPF programs: the kernel throws away what no DHCP socket wants before it costs us anything.

A filter only spares work: what it lets through is decoded and checked like any other octets. Offsets in this
file are those of an Ethernet frame, out of which the kernel has already taken an outer 802.1Q tag.
"""

import ctypes
import socket
import struct
from typing import Literal

import msgspec

SO_ATTACH_FILTER = 26
"""asm-generic/socket.h; the socket module does not name it."""

WHOLE = 0x40000
"""Octets to keep of an accepted frame: more than any frame has."""

# Instruction classes, sizes and modes joined, as linux/bpf_common.h has them.
_LOAD_WORD = 0x20
LOAD_HALF = 0x28
LOAD_BYTE = 0x30
_LOAD_HALF_BEHIND_X = 0x48
_X_IS_HEADER_LENGTH = 0xB1  # X = 4 * (octet & 15): the length of an IPv4 header
IF_EQUAL = 0x15
_IF_ANY_BIT = 0x45
_RETURN = 0x06

_Goal = Literal["next", "keep", "drop"]


class Step(msgspec.Struct, frozen=True):
    """One instruction; where it goes from there is resolved by `program`."""

    code: int
    operand: int
    true: _Goal = "next"
    false: _Goal = "next"


def dhcp(port: int, only_broadcast: bool) -> list[Step]:
    """Whole IPv4 UDP datagrams to `port`; with `only_broadcast` just those for a group at the link layer, or for
    255.255.255.255."""
    steps = [
        Step(LOAD_HALF, 12),
        Step(IF_EQUAL, 0x0800, false="drop"),  # IPv4
        Step(LOAD_BYTE, 23),
        Step(IF_EQUAL, socket.IPPROTO_UDP, false="drop"),
        Step(LOAD_HALF, 20),
        Step(_IF_ANY_BIT, 0x3FFF, true="drop"),  # more fragments, or an offset: RFC 791 s3.1
        Step(_X_IS_HEADER_LENGTH, 14),
        Step(_LOAD_HALF_BEHIND_X, 16),
        Step(IF_EQUAL, port, false="drop"),
    ]
    if only_broadcast:
        steps += [
            Step(LOAD_BYTE, 0),
            Step(_IF_ANY_BIT, 1, true="keep"),
            Step(_LOAD_WORD, 30),
            Step(IF_EQUAL, 0xFFFFFFFF, false="drop"),
        ]
    return steps


def arp() -> list[Step]:
    """ARP frames."""
    return [Step(LOAD_HALF, 12), Step(IF_EQUAL, 0x0806, false="drop")]


NOTHING = [Step(LOAD_BYTE, 0), Step(IF_EQUAL, 0, "drop", "drop")]
"""Keeps nothing at all."""


def program(steps: list[Step]) -> bytes:
    """The array of struct sock_filter: the steps, then 'keep', then 'drop'."""
    keep = len(steps)

    def jump(at: int, goal: _Goal) -> int:
        return {"next": 0, "keep": keep - at - 1, "drop": keep - at}[goal]

    body = [(step.code, jump(at, step.true), jump(at, step.false), step.operand) for at, step in enumerate(steps)]
    return b"".join(struct.pack("@HBBI", *row) for row in [*body, (_RETURN, 0, 0, WHOLE), (_RETURN, 0, 0, 0)])


def attach(sock: socket.socket, steps: list[Step]) -> None:
    """Put a filter on a socket; it holds for every packet queued from now on. Raises OSError."""
    octets = program(steps)
    memory = ctypes.create_string_buffer(octets, len(octets))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(octets) // 8, ctypes.addressof(memory)))
