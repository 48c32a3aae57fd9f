"""The sockets of a crowd of clients: relays that speak for them, or one link on which all of them stand.

Payloads in, payloads out; who is meant is read out of the message by who uses this. What cannot be sent or used is counted
in `drops` under a name. Several sockets may share a relay's address: `steer` says which of them an answer goes to.
"""

import socket
import struct
from collections import Counter
from collections.abc import Sequence
from ctypes import addressof, create_string_buffer

from relet.errors import WireError
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.net import filter as bpf
from relet.net.link import LinkError
from relet.net.mmsg import Inbox, Outbox
from relet.net.packet import FRAME_MAX
from relet.net.sockets import BATCH, DATAGRAM_MAX, RECEIVE_BUFFER, failure, overruns, set_buffers
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text
from relet.wire.frame import ETHERTYPE_IP, Datagram, decode_datagram, encode_datagram

_NAME = struct.Struct("@H")  # linux/in.h struct sockaddr_in: the family in the machine's order, then
_PLACE = struct.Struct("!HI8x")  # port and address in the network's
_SO_ATTACH_REUSEPORT_CBPF = 51  # asm-generic/socket.h
_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISCUOUS = 263, 1, 1  # linux/if_packet.h
_MEMBERSHIP = struct.Struct("@iHH8x")
_XID_AT = 4
# linux/bpf_common.h: load a word; subtract, multiply, divide, rest by a constant; give what is there
_LOAD, _SUBTRACT, _MULTIPLY, _DIVIDE, _REST, _GIVE = 0x20, 0x14, 0x24, 0x34, 0x94, 0x16


class RelaySocket:
    """A relay's UDP socket, at port 67 of its address, that talks to one server. Raises LinkError if it cannot be opened.

    shared: other sockets will be opened on the same address, or have been.
    """

    def __init__(self, address: int, server: int, shared: bool = False) -> None:
        self.drops: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            set_buffers(self._socket, RECEIVE_BUFFER)
            if shared:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._socket.bind((ip_text(address), SERVER_PORT))
            self._inbox = Inbox(self._socket, DATAGRAM_MAX, 0)
            self._outbox = Outbox(self._socket, 16)
        except OSError as error:
            self._socket.close()
            why = f"cannot bind {ip_text(address)}:{SERVER_PORT}: {error.strerror}"
            raise LinkError(why, error.errno or 0) from error
        except LinkError:
            self._socket.close()
            raise
        # All goes to one place, so the names are written once.
        self._outbox.names[:] = (_NAME.pack(socket.AF_INET) + _PLACE.pack(SERVER_PORT, server)) * BATCH

    def steer(self, start: int, factor: int, attempts: int, sockets: int) -> None:
        """Give an answer with transaction number x to socket (x - start) * factor // attempts % sockets of those on this
        address, in the order in which they were opened. Raises LinkError."""
        rows = (
            (_LOAD, _XID_AT),
            (_SUBTRACT, start),
            (_MULTIPLY, factor),
            (_DIVIDE, attempts),
            (_REST, sockets),
            (_GIVE, 0),
        )
        octets = b"".join(struct.pack("@HBBI", code, 0, 0, operand) for code, operand in rows)
        memory = create_string_buffer(octets, len(octets))
        try:
            self._socket.setsockopt(
                socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", len(rows), addressof(memory))
            )
        except OSError as error:
            raise LinkError(f"cannot share port {SERVER_PORT}: {error.strerror}", error.errno or 0) from error

    def fileno(self) -> int:
        """To wait for."""
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        """What the socket holds, at most BATCH messages."""
        return _taken(self._inbox, DATAGRAM_MAX, self.drops)

    def send(self, payloads: Sequence[bytes]) -> int:
        """How many the kernel took, in this order."""
        return sum(self._outbox.give(payloads[at : at + BATCH], self.drops) for at in range(0, len(payloads), BATCH))

    def overruns(self) -> int:
        """Answers lost in the kernel because we did not read fast enough."""
        return overruns(self._socket)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


class CrowdSocket:
    """A packet socket for many clients on one link, each with a hardware address of its own: the one in its message.

    It hears whatever is sent to port 68, to whomever (promiscuous mode), and sends broadcasts from clients that have no
    address yet. Raises LinkError if it cannot be opened.
    """

    def __init__(self, interface: str) -> None:
        self.drops: Counter[str] = Counter()
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except OSError as error:
            raise LinkError(f"cannot open a packet socket: {error.strerror}", error.errno or 0) from error
        try:
            bpf.attach(self._socket, bpf.dhcp(CLIENT_PORT, only_broadcast=False))
            set_buffers(self._socket, RECEIVE_BUFFER)
            self._socket.bind((interface, ETHERTYPE_IP))
            membership = _MEMBERSHIP.pack(socket.if_nametoindex(interface), _PROMISCUOUS, 0)
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, membership)
            self._inbox = Inbox(self._socket, FRAME_MAX, 0)
            self._outbox = Outbox(self._socket)
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot listen on {interface}: {error.strerror}", error.errno or 0) from error
        except LinkError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """To wait for."""
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        """What the socket holds, at most BATCH messages. Checksums are not looked at: within one machine there are none."""
        payloads = []
        for frame in _taken(self._inbox, FRAME_MAX, self.drops):
            try:
                payloads.append(decode_datagram(frame, verify=False).payload)
            except WireError as error:
                self.drops[error.reason] += 1
        return payloads

    def send(self, payloads: Sequence[bytes]) -> int:
        """Broadcast, each from its own client. How many the interface took, in this order."""
        frames = [
            encode_datagram(
                Datagram(payload[28:34], BROADCAST_MAC, 0, BROADCAST, CLIENT_PORT, SERVER_PORT, payload)  # from chaddr
            )
            for payload in payloads
        ]
        return sum(self._outbox.give(frames[at : at + BATCH], self.drops) for at in range(0, len(frames), BATCH))

    def overruns(self) -> int:
        """Answers lost in the kernel because we did not read fast enough."""
        return overruns(self._socket)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


def _taken(inbox: Inbox, longest: int, drops: Counter[str]) -> list[bytes]:
    try:
        lengths = inbox.take()
    except OSError as error:
        drops[failure(error)] += 1
        return []
    octets = inbox.octets
    taken = [
        octets[start : start + length]
        for start, length in zip(inbox.starts, lengths, strict=False)
        if length <= longest
    ]
    drops["too-long"] += len(lengths) - len(taken)
    return taken
