"""Which request is it? RFC 2131 packs four requests into DHCPREQUEST; after this file nobody asks again which one.

The table of RFC 2131 s4.3.6, read from left to right: server identifier, requested address, ciaddr.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from relet.errors import WireError
from relet.model.events import Arrival
from relet.model.ident import ClientKey
from relet.model.lease import Lease, View
from relet.model.network import Reservation
from relet.server.identify import NOWHERE, Place, Site
from relet.server.relayed import NOTHING_SAID, Relayed
from relet.wire.message import BOOTREQUEST, Message
from relet.wire.options import CLIENT_IDENTIFIER, MESSAGE_TYPE, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

MAX_CLIENT_ID = 255
"""Octets of a client identifier. In several parts (RFC 3396) it could be longer, but then no reply could return it."""

_CLIENT_ID = CLIENT_IDENTIFIER.code
_MESSAGE_TYPE = MESSAGE_TYPE.code
_REQUESTED = REQUESTED_ADDRESS.code
_SERVER_ID = SERVER_IDENTIFIER.code
_DISCOVER, _REQUEST, _DECLINE, _RELEASE, _INFORM, _LEASEQUERY = (
    int(kind)
    for kind in (
        MessageType.DISCOVER,
        MessageType.REQUEST,
        MessageType.DECLINE,
        MessageType.RELEASE,
        MessageType.INFORM,
        MessageType.LEASEQUERY,
    )
)


class Kind(StrEnum):
    """What the client wants, or the relay that asks about one (LEASEQUERY)."""

    DISCOVER = "DISCOVER"
    SELECTING = "SELECTING"
    INIT_REBOOT = "INIT-REBOOT"
    RENEWING = "RENEWING"
    REBINDING = "REBINDING"
    DECLINE = "DECLINE"
    RELEASE = "RELEASE"
    INFORM = "INFORM"
    LEASEQUERY = "LEASEQUERY"
    BOOTP = "BOOTP"


OF_A_LEASE = frozenset({Kind.SELECTING, Kind.INIT_REBOOT, Kind.RENEWING, Kind.REBINDING, Kind.DECLINE, Kind.RELEASE})
"""Kinds by which a client gets or keeps a lease, or gives it back."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """A classified request. `hardware`: type and address of the hardware. `address`: the one it is about (option 50 or
    ciaddr), 0 if it names none. `server`: option 54, None if absent. `reservation`: the one that names the client.
    `classes`: those that it is in, in the file's order. `place`: where the client is. `relayed`: what the relay says.
    `again`: it is decided once more, its address having been probed."""

    kind: Kind
    message: Message
    arrival: Arrival
    site: Site | None
    client: ClientKey
    hardware: bytes
    address: int
    server: int | None
    reservation: Reservation | None = None
    classes: tuple[str, ...] = ()
    place: Place = NOWHERE
    relayed: Relayed = NOTHING_SAID
    again: bool = False

    @property
    def keys(self) -> tuple[ClientKey, ...]:
        """The client's key, and the one that it had if the network once matched by option 61 and no longer does."""
        client_id = self.message.options.get(_CLIENT_ID)
        if not client_id or self.site is None or self.site.network.match_client_id or not self.message.chaddr:
            return (self.client,)
        return self.client, ClientKey(b"i" + client_id)

    def owns(self, lease: Lease) -> bool:
        """Is a lease, in whatever state, this client's? By its key, or, where clients are no longer matched by option 61, by
        its hardware. The other way round nothing can be known: several clients may share the hardware, as containers do."""
        if lease.client == self.client:
            return True
        if self.site is None or self.site.network.match_client_id or lease.client[:1] != b"i":
            return False
        return len(self.hardware) > 1 and lease.hardware == self.hardware

    def leases(self, view: View) -> Sequence[Lease]:
        """All leases of the client, in any state and network."""
        keys = self.keys
        if len(keys) == 1:
            return view.leases(self.client)
        return [lease for key in keys for lease in view.leases(key) if self.owns(lease)]


def classify(message: Message, arrival: Arrival, relayed: Relayed = NOTHING_SAID) -> tuple[Kind, int, int | None]:
    """(kind, address, server identifier) of a message. WireError names why it is no request that a server answers."""
    if message.op != BOOTREQUEST:
        raise WireError("not-a-request", 0, f"op {message.op}")
    options = message.options
    kind = message.kind
    client_id = options.get(_CLIENT_ID)
    if not client_id:
        if not message.chaddr and kind != _LEASEQUERY:
            raise WireError("no-identity", 2, "neither hardware address nor client identifier")
    elif len(client_id) > MAX_CLIENT_ID:
        raise WireError("bad-length", 240, f"a client identifier of {len(client_id)} octets")
    server = None
    if _SERVER_ID in options and (server := message.ip(_SERVER_ID)) is None:
        raise WireError("bad-length", 240, "a server identifier that is no address")
    if kind == _REQUEST:
        return _request(message, arrival, server, relayed)
    if kind == _DISCOVER:
        return Kind.DISCOVER, message.ip(_REQUESTED) or 0, None
    if kind == _DECLINE:
        return Kind.DECLINE, message.ip(_REQUESTED) or message.ciaddr, server
    if kind == _RELEASE:
        return Kind.RELEASE, message.ciaddr, server
    if kind == _INFORM:
        # Some clients leave ciaddr empty (s4.4.3 forbids it). Who sent the datagram has the address all the same, unless
        # that was a relay.
        return Kind.INFORM, message.ciaddr or (0 if message.giaddr else arrival.source), None
    return _rarely_seen(message, kind)


def _rarely_seen(message: Message, kind: int) -> tuple[Kind, int, int | None]:
    """What is no message of a DHCP client."""
    if kind == _LEASEQUERY:
        return Kind.LEASEQUERY, message.ciaddr, None
    if _MESSAGE_TYPE not in message.options:
        return Kind.BOOTP, message.ciaddr, None  # RFC 1534 s2
    raise WireError("unserved-type", 240, f"message type {kind}")


def _request(message: Message, arrival: Arrival, server: int | None, said: Relayed) -> tuple[Kind, int, int | None]:
    requested = message.ip(_REQUESTED)
    if server is not None:
        # RFC 2131 s4.3.2: a server identifier means SELECTING. Some clients put the address into ciaddr.
        if not requested and not message.ciaddr:
            raise WireError("request-without-address", 240)
        return Kind.SELECTING, requested or message.ciaddr, server
    if message.ciaddr:
        # RENEWING comes by unicast; what was broadcast is REBINDING, and so is what a relay does not call unicast (RFC 5010)
        rebinding = arrival.broadcast or (message.giaddr and not said.unicast)
        return (Kind.REBINDING if rebinding else Kind.RENEWING), message.ciaddr, None
    if requested:
        return Kind.INIT_REBOOT, requested, None
    raise WireError("request-without-address", 240)
