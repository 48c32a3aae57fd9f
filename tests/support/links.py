"""A client at the end of a cable, for tests of interfaces."""

from msgspec.structs import replace

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.net.packet import dhcp_frames
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.message import decode, encode
from support.lab import Lab, gather
from support.table import discover, kind_of


def offered(lab: Lab, host: str, interface: str = "c0") -> tuple[str, int | None]:
    """What a client at this interface of a namespace is answered: kind and server identifier."""
    with lab.inside(host):
        client = dhcp_frames(interface, CLIENT_PORT)
    ours = replace(discover(), chaddr=client.frames.mac)
    assert client.send([Send(encode(ours), BROADCAST, SERVER_PORT, 0, interface, BROADCAST_MAC)]) == 1
    reply = decode(gather(client.receive, 1)[0].payload)
    client.close()
    return kind_of(reply), reply.ip(54)
