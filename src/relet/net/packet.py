"""Ethernet frames of one interface, past the kernel's IP: how to hear a client that has no address yet, and to answer it.

`Frames` carries octets; `DhcpFrames` makes arrivals of them. No frame is accepted before the filter is in place. A frame
that cannot be used is counted in `drops` under a name, and a frame that cannot be sent as well; nothing is raised once
the socket is open.
"""

import socket
import struct
from collections import Counter
from collections.abc import Sequence

import msgspec

from relet.errors import WireError
from relet.model.effects import SERVER_PORT, Send
from relet.model.events import Arrival
from relet.net import filter as bpf
from relet.net.link import LinkError
from relet.net.mmsg import Inbox, Outbox
from relet.net.sockets import BATCH, DATAGRAM_MAX, RECEIVE_BUFFER, failure, held, overruns, set_buffers
from relet.wire.address import BROADCAST
from relet.wire.frame import ETHERTYPE_IP, Datagram, decode_datagram, encode_datagram

FRAME_MAX = DATAGRAM_MAX + 14 + 2 * 4 + 60 + 8
"""Octets of the longest frame read: the longest message in the longest Ethernet, tag, IPv4 and UDP headers."""

# linux/if_packet.h, which the socket module names only in part
_SOL_PACKET = 263
_PACKET_AUXDATA = 8
_LL = 20  # struct sockaddr_ll
_KIND_AT = 10  # in it: for us, for all, for another host, our own
_AUXDATA = struct.Struct("@IIIHHHH")  # status, len, snaplen, mac, net, vlan_tci, vlan_tpid
_CHECKED = 1 << 3 | 1 << 7  # the sum is not there yet; it has been found right

_ETHERNET_LIKE = (1, 772)  # linux/if_arp.h ARPHRD_ETHER, ARPHRD_LOOPBACK


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A frame, and whether the checksum of what it carries has to be looked at.

    Not if the interface has done so, nor between machines of one host, where nobody fills it in.
    """

    frame: bytes
    unchecked: bool


def opened(interface: str, ethertype: int, steps: list[bpf.Step], receive_buffer: int) -> socket.socket:
    """A packet socket on one interface, for one ethertype, behind a filter. Raises LinkError.

    receive_buffer: octets that are to wait there.
    """
    # Protocol 0 hears nothing: the filter stands before bind opens the door.
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except OSError as error:
        raise LinkError(f"cannot open a packet socket: {error.strerror}", error.errno or 0) from error
    try:
        bpf.attach(sock, steps)
        set_buffers(sock, receive_buffer)
        sock.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        sock.bind((interface, ethertype))
        kind = sock.getsockname()[3]
        if kind not in _ETHERNET_LIKE:
            raise LinkError(f"{interface} is not an Ethernet interface (hardware type {kind})")
    except OSError as error:
        sock.close()
        raise LinkError(f"cannot listen on {interface}: {error.strerror}", error.errno or 0) from error
    except LinkError:
        sock.close()
        raise
    return sock


class Frames:
    """What comes and goes through a packet socket, which becomes its own. Raises LinkError, and the socket is closed.

    batch: frames that one `receive` takes at most. interface: its name. room: octets that can wait there. mac: the
    interface's hardware address. drops: what was thrown away, by name.
    """

    def __init__(self, sock: socket.socket, batch: int = BATCH) -> None:
        self.drops: Counter[str] = Counter()
        self._socket = sock
        try:
            self.room = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            self.interface, *_, mac = sock.getsockname()
            self._inbox = Inbox(sock, FRAME_MAX, _LL, socket.CMSG_SPACE(_AUXDATA.size), batch)
            self._outbox = Outbox(sock, count=batch)
        except LinkError:
            sock.close()
            raise
        self.mac = bytes(mac)
        status, step = socket.CMSG_LEN(0) // 4, socket.CMSG_SPACE(_AUXDATA.size) // 4
        self._statuses = memoryview(self._inbox.controls).cast("I")[status::step]

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> list[Heard]:
        """What the socket holds, at most a batch; those that are of no use are left out and counted."""
        inbox = self._inbox
        try:
            lengths = inbox.take()
        except OSError as error:
            self.drops[failure(error)] += 1
            return []
        octets, heard = inbox.octets, []
        kinds = inbox.names[_KIND_AT::_LL]
        for start, length, kind, status in zip(inbox.starts, lengths, kinds, self._statuses, strict=False):
            if kind == socket.PACKET_OUTGOING:
                continue
            if kind == socket.PACKET_OTHERHOST:
                # The kernel takes the tag off a frame of a VLAN that has no interface here and says that the frame is
                # another host's; of one sent to a group, nothing else can be the reason. Priority tags are just gone.
                self.drops["vlan" if octets[start] & 1 else "other-host"] += 1
            elif length > FRAME_MAX:
                self.drops["too-long"] += 1
            else:
                heard.append(Heard(octets[start : start + length], not status & _CHECKED))
        return heard

    def send(self, frames: Sequence[bytes]) -> int:
        """How many of the frames the interface took, in this order; each that it would not is counted."""
        step = self._outbox.count
        return sum(self._outbox.give(frames[at : at + step], self.drops) for at in range(0, len(frames), step))

    def overruns(self) -> int:
        """Frames lost in the kernel because we did not read fast enough."""
        return overruns(self._socket)

    def held(self) -> tuple[int, float]:
        """How many messages wait in the kernel, nearly, and the share of its room that they fill."""
        return held(self._socket)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


class DhcpFrames:
    """DHCP messages heard and sent as frames on one interface; see `dhcp_frames`.

    local: our own address there, for the arrivals that are not addressed to one; 0 if none. It may be set anew.
    """

    def __init__(self, frames: Frames, port: int, local: int = 0) -> None:
        self.frames = frames
        self.port = port
        self.local = local
        self.drops = frames.drops
        self.room = frames.room

    def fileno(self) -> int:
        """For the loop."""
        return self.frames.fileno()

    def receive(self) -> list[Arrival]:
        """What the socket holds, at most a batch."""
        arrivals = []
        for heard in self.frames.receive():
            try:
                datagram = decode_datagram(heard.frame, verify=heard.unchecked)
            except WireError as error:
                self.drops[error.reason] += 1
                continue
            everybody = bool(datagram.dst_mac[0] & 1) or datagram.dst == BROADCAST
            local = self.local if everybody else datagram.dst
            arrivals.append(
                Arrival(datagram.payload, self.frames.interface, local, datagram.src, datagram.sport, everybody)
            )
        return arrivals

    def send(self, sends: Sequence[Send]) -> int:
        """Send each as a frame to its `mac`, which must be there. How many the interface took; the others are counted."""
        return self.frames.send([self._frame(send) for send in sends])

    def overruns(self) -> int:
        """Frames lost in the kernel because we did not read fast enough."""
        return self.frames.overruns()

    def held(self) -> tuple[int, float]:
        """How many messages wait in the kernel, nearly, and the share of its room that they fill."""
        return self.frames.held()

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self.frames.close()

    def _frame(self, send: Send) -> bytes:
        if send.mac is None:
            raise ValueError("a message without a hardware address goes through a UDP socket")
        return encode_datagram(
            Datagram(self.frames.mac, send.mac, send.source, send.destination, self.port, send.port, send.payload)
        )


def dhcp_frames(interface: str, port: int, local: int = 0, receive_buffer: int = RECEIVE_BUFFER) -> DhcpFrames:
    """Open the packet socket of a server (port 67) or a client (port 68). Raises LinkError.

    A server hears here only what is sent to everybody; unicast comes to it through its UDP sockets. A client hears all
    that is sent to it, for it may not have the address yet that a message is sent to.
    """
    return DhcpFrames(Frames(dhcp_socket(interface, port, receive_buffer)), port, local)


def dhcp_socket(interface: str, port: int, receive_buffer: int) -> socket.socket:
    """The socket of `dhcp_frames`. Raises LinkError."""
    return opened(interface, ETHERTYPE_IP, bpf.dhcp(port, only_broadcast=port == SERVER_PORT), receive_buffer)
