"""What is remembered of every request, so that `relet why` can answer."""

import msgspec

from relet.errors import WireError
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.server.verdict import Verdict
from relet.wire.message import Message
from relet.wire.options import CLIENT_IDENTIFIER
from relet.wire.text import kind_text

DROPPED = "DROPPED"
"""`Record.answer` of what could be read but was no request; its reason is one of wire.reasons."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A verdict as `relet why` tells it. at: wall time. giaddr: 0 if heard directly. interface: '' if routed to us."""

    at: float
    client: ClientKey
    hardware: bytes
    interface: str
    giaddr: int
    network: str
    kind: str
    answer: str
    reason: str
    address: int
    seconds: int
    classes: tuple[str, ...] = ()


def record_of(done: Verdict, now: Now) -> Record:
    """A verdict, to be remembered."""
    request = done.request
    message = request.message
    return Record(
        now.wall,
        request.client,
        request.hardware,
        request.arrival.interface,
        message.giaddr,
        request.site.network.name if request.site is not None else "",
        request.kind,
        done.answer,
        done.reason.id,
        done.address,
        done.seconds,
        request.classes,
    )


def dropped(message: Message, arrival: Arrival, error: WireError, now: Now) -> Record:
    """A message that could be read and was no request that a server answers."""
    client = client_key(message.options.get(CLIENT_IDENTIFIER.code), message.htype, message.chaddr)
    hardware = bytes((message.htype,)) + message.chaddr
    kind = kind_text(message)
    return Record(now.wall, client, hardware, arrival.interface, message.giaddr, "", kind, DROPPED, error.reason, 0, 0)
