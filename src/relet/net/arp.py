"""ARP packets of one interface, past the kernel's own ARP: a client probes for an address before it has it (RFC 5227)."""

import socket

from relet.errors import WireError
from relet.model.effects import SendArp
from relet.model.events import ArpSeen
from relet.net import filter as bpf
from relet.net.packet import Frames, opened
from relet.net.sockets import QUIET_BUFFER
from relet.wire.arp import decode_arp, encode_arp
from relet.wire.frame import ETHERTYPE_ARP


class ArpFrames:
    """ARP heard and sent on one interface; see `arp_frames`."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.drops = frames.drops

    def fileno(self) -> int:
        """For the loop."""
        return self.frames.fileno()

    def receive(self) -> list[ArpSeen]:
        """What the socket holds, at most a batch; our own, come back to us, are left out (RFC 5227 s2.1.1)."""
        seen = []
        for heard in self.frames.receive():
            try:
                arp = decode_arp(heard.frame)
            except WireError as error:
                self.drops[error.reason] += 1
                continue
            if arp.sha == self.frames.mac:
                self.drops["own"] += 1
            else:
                seen.append(ArpSeen(arp))
        return seen

    def send(self, send: SendArp) -> bool:
        """Broadcast it. False, and counted, if the interface would not."""
        return self.frames.send([encode_arp(send.arp, send.mac)]) == 1

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self.frames.close()


def arp_frames(interface: str) -> ArpFrames:
    """Hear and send ARP there. Raises LinkError if it cannot be opened."""
    return ArpFrames(Frames(arp_socket(interface)))


def arp_socket(interface: str) -> socket.socket:
    """The socket of `arp_frames`. Raises LinkError."""
    return opened(interface, ETHERTYPE_ARP, bpf.arp(), QUIET_BUFFER)
