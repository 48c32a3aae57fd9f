"""What passed on a cable, by RFC 2131's names and the kernel's clock.

frames = tap("s0")
heard(frames, began)        # [(12.3, "INIT-REBOOT"), (13.1, "ACK")], milliseconds from a moment on the monotonic clock
"""

import socket
import struct
import time

from relet.errors import WireError
from relet.wire.arp import decode_arp
from relet.wire.frame import decode_datagram
from relet.wire.message import Message, decode

FRAMES = 64
"""Frames that are read at once."""
REBOOT, DISCOVER, ARP_REPLY = "INIT-REBOOT", "DISCOVER", "ARP reply"

_KINDS = {1: DISCOVER, 2: "OFFER", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE", 8: "INFORM"}
_TIMESTAMPNS = 35  # SO_TIMESTAMPNS, asm-generic/socket.h
_ETH_P_ALL = 3


def tap(interface: str) -> socket.socket:
    """A socket that hears everything on an interface, in both directions."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    frames.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
    frames.bind((interface, _ETH_P_ALL))
    return frames


def heard(frames: socket.socket, began: float) -> list[tuple[float, str]]:
    """What passed since last time: (milliseconds from that moment, name)."""
    behind = time.time() - time.monotonic()
    found = []
    for _ in range(FRAMES):
        try:
            octets, more, *_ = frames.recvmsg(65536, 128)
        except BlockingIOError:
            break
        name = _name(octets)
        if name:
            seconds, nanoseconds = struct.unpack("@qq", more[0][2])
            found.append((round((seconds + nanoseconds / 1e9 - behind - began) * 1000, 3), name))
    return found


def _name(frame: bytes) -> str:
    """RFC 2131's name of a message, or of an ARP packet; '' for everything else."""
    try:
        if frame[12:14] == b"\x08\x06":
            asked = decode_arp(frame)
            if asked.op == 2:
                return ARP_REPLY
            return "ARP probe" if asked.spa == 0 else "ARP announcement" if asked.spa == asked.tpa else "ARP request"
        datagram = decode_datagram(frame, verify=False)
        return _message(decode(datagram.payload)) if {datagram.sport, datagram.dport} == {67, 68} else ""
    except WireError:
        return ""


def _message(message: Message) -> str:
    if message.kind != 3:
        return _KINDS.get(message.kind, "?")
    if message.ciaddr:
        return "RENEWING"
    return "SELECTING" if 54 in message.options else REBOOT
