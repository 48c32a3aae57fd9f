"""What is remembered of every request, so that `relet why` can answer."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from relet.errors import WireError
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.server.backlog import Dropped
from relet.server.verdict import Verdict
from relet.wire.message import Message, decode
from relet.wire.options import CLIENT_IDENTIFIER
from relet.wire.text import kind_text

DROPPED = "DROPPED"
"""`Record.answer` of what could be read but was no request, or was not served; its reason is one of wire.reasons."""


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


def dropped(message: Message, arrival: Arrival, reason: str, wall: float) -> Record:
    """A message that could be read and was no request that a server answers, or that waited and was not served."""
    client = client_key(message.options.get(CLIENT_IDENTIFIER.code), message.htype, message.chaddr)
    hardware = bytes((message.htype,)) + message.chaddr
    kind = kind_text(message)
    return Record(wall, client, hardware, arrival.interface, message.giaddr, "", kind, DROPPED, reason, 0, 0)


def forgone(drops: Iterable[Dropped], now: Now) -> Iterator[Record]:
    """What waited and was not served, as far as it can be read."""
    for mono, reason, arrival in drops:
        with suppress(WireError):
            yield dropped(decode(arrival.payload), arrival, reason, now.wall - (now.mono - mono))
