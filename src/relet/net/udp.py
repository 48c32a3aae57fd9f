"""DHCP messages through the kernel's UDP: relayed and unicast traffic of a server, unicast requests of a client.

`Datagrams` is the server's road, and that of whoever else has many datagrams: one system call receives a batch of them,
each with its sender's address and port, and one sends a batch, each to an address and port of its own. What cannot be sent
is counted in `drops` under a name and never raised.
"""

import fcntl
import socket
import struct
import sys
import termios
from array import array
from collections import Counter
from collections.abc import Sequence

from relet.model.effects import CLIENT_PORT, Send
from relet.model.events import Arrival
from relet.net import filter as bpf
from relet.net.link import LinkError
from relet.net.mmsg import Inbox, Outbox
from relet.net.sockets import BATCH, DATAGRAM_MAX, RECEIVE_BUFFER, failure, held, overruns, set_buffers
from relet.wire.address import ip_text
from relet.wire.frame import MOST_PAYLOAD

_IN = struct.Struct("!2xHI8x")  # linux/in.h struct sockaddr_in: family, port, address, padding
_SEGMENT = struct.Struct(f"@NiiH{socket.CMSG_SPACE(2) - socket.CMSG_LEN(2)}x")  # a control message: the length of each
_UDP_SEGMENT = 103  # linux/udp.h
_SEGMENTS_MAX = 64  # net/udp.h UDP_MAX_SEGMENTS, 128 since Linux 6.9
_IP_TRANSPARENT = 19  # linux/in.h, as the next
_IP_PKTINFO = 8  # linux/in.h; the socket module does not name it
_IN_PKTINFO = struct.Struct("@I4s4s")  # interface index, source, destination


class Datagrams:
    """A server's UDP socket, bound to one address of its own. Raises LinkError if it cannot be opened.

    It hears no broadcasts: they come through the packet socket of their interface. receive_buffer: octets that are to wait
    there; room: how many do.

    merge: datagrams of one length to one port go through the kernel's UDP, IP and queues as one, which costs a third; the
    interface makes datagrams of it again (udp(7), UDP_SEGMENT). Order is kept among those of one length only. Whoever reads
    frames on this host itself, in a container or a virtual machine, may see them before that. It may be set anew.
    """

    def __init__(self, address: int, port: int, receive_buffer: int = RECEIVE_BUFFER, merge: bool = False) -> None:
        self.address = address
        self.merge = merge
        self.drops: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self.room = set_buffers(self._socket, receive_buffer)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._socket.bind((ip_text(address), port))
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot bind {ip_text(address)}:{port}: {error.strerror}", error.errno or 0) from error
        try:
            self._inbox = Inbox(self._socket, DATAGRAM_MAX, _IN.size)
            self._outbox = Outbox(self._socket, _IN.size, _SEGMENT.size)
        except LinkError:
            self._socket.close()
            raise
        names = memoryview(self._outbox.names)
        self._ports, self._addresses = names.cast("H"), names.cast("I")
        self._ports[0::8] = array("H", [socket.AF_INET] * BATCH)
        self._outbox.controls[:] = _SEGMENT.pack(socket.CMSG_LEN(2), socket.IPPROTO_UDP, _UDP_SEGMENT, 0) * BATCH
        sizes, step = socket.CMSG_LEN(0) // 2, _SEGMENT.size // 2
        self._sizes = memoryview(self._outbox.controls).cast("H")[sizes::step]

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> list[Arrival]:
        """What the socket holds, at most BATCH messages."""
        inbox, local = self._inbox, self.address
        try:
            lengths = inbox.take()
        except OSError as error:
            self.drops[failure(error)] += 1
            return []
        octets, names = inbox.octets, _IN.iter_unpack(inbox.names)
        arrivals = [
            Arrival(octets[start : start + length], "", local, source, port, False)
            for start, length, (port, source) in zip(inbox.starts, lengths, names, strict=False)
            if length <= DATAGRAM_MAX
        ]
        if len(arrivals) < len(lengths):
            self.drops["too-long"] += len(lengths) - len(arrivals)
        return arrivals

    def send(self, sends: Sequence[Send]) -> int:
        """Send from our address, in this order. How many the kernel took; each that it would not is counted."""
        give, sent = self._give_merged if self.merge else self._give, 0
        for at in range(0, len(sends), BATCH):
            sent += give(sends[at : at + BATCH])
        return sent

    def _give(self, sends: Sequence[Send]) -> int:
        self._address(sends)
        return self._outbox.give([send.payload for send in sends], self.drops)

    def _give_merged(self, sends: Sequence[Send]) -> int:
        """What cannot go as one (no room, an old kernel, a path for shorter packets only) goes one by one."""
        runs = _runs(sends)
        number = len(runs)
        self._address([run[0] for run in runs])
        sizes = [len(run[0].payload) for run in runs]
        self._sizes[:number] = array("H", [min(size, MOST_PAYLOAD) for size in sizes])
        used = self._outbox.control_lengths
        used[:number] = array("L", [_SEGMENT.size if len(run) > 1 else 0 for run in runs])
        octets = b"".join([send.payload for run in runs for send in run])
        lengths = array("L", [len(run) * size for run, size in zip(runs, sizes, strict=True)])
        refused = self._outbox.put(octets, lengths)
        used[:number] = array("L", bytes(number * lengths.itemsize))
        return len(sends) - sum(len(runs[n]) - self._give(runs[n]) for n, _ in refused)

    def _address(self, sends: Sequence[Send]) -> None:
        number = len(sends)
        self._addresses[1 : 4 * number : 4] = _big_endian(array("I", [send.destination for send in sends]))
        self._ports[1 : 8 * number : 8] = _big_endian(array("H", [send.port for send in sends]))

    def overruns(self) -> int:
        """Datagrams lost in the kernel because we did not read fast enough."""
        return overruns(self._socket)

    def held(self) -> tuple[int, float]:
        """How many messages wait in the kernel, nearly, and the share of its room that they fill."""
        return held(self._socket)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


class Mouth:
    """A client's UDP socket: it sends and is deaf. What is given to it becomes its own; see `mouth_socket`."""

    def __init__(self, sock: socket.socket) -> None:
        self.drops: Counter[str] = Counter()
        self._socket = sock

    def send(self, send: Send) -> bool:
        """Send from `send.source` (0: the kernel chooses). False, and counted, if the kernel would not."""
        source = _IN_PKTINFO.pack(0, send.source.to_bytes(4), bytes(4))
        try:
            self._socket.sendmsg(
                [send.payload], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, (ip_text(send.destination), send.port)
            )
        except OSError as error:
            self.drops[failure(error)] += 1
            return False
        return True

    def borrow(self) -> bool:
        """Send from addresses too that the kernel does not know (ip(7), IP_TRANSPARENT). False if it does not allow it; then
        `send` will say so."""
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
        except OSError:
            return False
        return True

    def unsent(self) -> int:
        """Octets that still wait in the kernel, perhaps for the hardware address of their receiver."""
        octets = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(octets, sys.byteorder)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


def mouth_socket(interface: str, port: int = CLIENT_PORT) -> socket.socket:
    """The socket of a `Mouth`. Raises LinkError.

    A client hears everything through its packet socket. This one sends what the kernel shall route, and stands at the
    client's port so that the kernel does not answer a unicast DHCPACK with ICMP 'port unreachable'.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        bpf.attach(sock, bpf.NOTHING)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        sock.bind(("0.0.0.0", port))
    except OSError as error:
        sock.close()
        raise LinkError(f"cannot bind port {port} on {interface}: {error.strerror}", error.errno or 0) from error
    return sock


def _runs(sends: Sequence[Send]) -> list[list[Send]]:
    """What can go as one."""
    runs: list[list[Send]] = []
    last: dict[tuple[int, int, int], list[Send]] = {}
    for send in sends:
        size = len(send.payload)
        way = (send.destination, send.port, size)
        run = last.get(way)
        if run is None or len(run) == _SEGMENTS_MAX or (len(run) + 1) * size > MOST_PAYLOAD:
            run = last[way] = []
            runs.append(run)
        run.append(send)
    return runs


def _big_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
