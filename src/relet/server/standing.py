"""What a request is worth while more of them wait than can be served: does the server know its client?

Nothing is decided here. A request of little worth is served as well, only later, and what it gets is the tables' business.
"""

from collections.abc import Sequence
from enum import IntEnum

import msgspec

from relet.errors import StoreError
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.model.lease import Lease, Leases, View
from relet.server.identify import Directory
from relet.server.offers import Offers
from relet.wire.glimpse import Glimpse
from relet.wire.options import CLIENT_IDENTIFIER, MESSAGE_TYPE, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

_CLIENT_ID = CLIENT_IDENTIFIER.code
_MESSAGE_TYPE = MESSAGE_TYPE.code
_REQUESTED = REQUESTED_ADDRESS.code
_SERVER_ID = SERVER_IDENTIFIER.code
_DISCOVER, _REQUEST, _DECLINE, _RELEASE, _LEASEQUERY = (
    bytes((kind,))
    for kind in (
        MessageType.DISCOVER,
        MessageType.REQUEST,
        MessageType.DECLINE,
        MessageType.RELEASE,
        MessageType.LEASEQUERY,
    )
)
OF_A_LEASE = frozenset((None, _DISCOVER, _REQUEST, _DECLINE, _RELEASE))
"""Message types by which a client gets a lease or gives it back; None: BOOTP."""


class Worth(IntEnum):
    """Who comes first when requests wait, best first."""

    GIVEN_BACK = 0  # DHCPRELEASE and DHCPDECLINE: sent only once, quickly done, and they tell which addresses are free
    KNOWN = 1  # a DHCPREQUEST for the address that is on record as the client's (INIT-REBOOT, RENEWING, REBINDING)
    CHOSEN = 2  # a DHCPREQUEST for what we have offered the client (SELECTING)
    RETURNING = 3  # DHCPDISCOVER and BOOTP of clients on record; relays that ask about leases
    OTHER = 4  # any other DHCPREQUEST, which mostly means silence; DHCPINFORM, whose client has its address
    STRANGER = 5  # DHCPDISCOVER and BOOTP of clients without a record, and what cannot be told


class Standing(msgspec.Struct, frozen=True):
    """What the server knows, as of now. own: its addresses."""

    view: View
    offers: Offers
    directory: Directory
    own: frozenset[int]

    def worth(self, data: bytes, seen: Glimpse, mono: float) -> Worth:
        """Of the request in a UDP payload, given its glimpse."""
        kind = seen.get(_MESSAGE_TYPE)
        if kind == _REQUEST:
            address = int.from_bytes(seen.get(_REQUESTED) or data[12:16])
            server = seen.get(_SERVER_ID)
            if server is not None:
                ours = int.from_bytes(server) in self.own
                return Worth.CHOSEN if ours and self.offers.holder(address, mono) in _keys(data, seen) else Worth.OTHER
            lease = self.view.lease(address)
            return Worth.KNOWN if lease is not None and lease.client in _keys(data, seen) else Worth.OTHER
        if kind is None or kind == _DISCOVER:
            for key in _keys(data, seen):
                if self.view.leases(key):
                    return Worth.RETURNING
            return Worth.STRANGER
        if kind in (_DECLINE, _RELEASE):
            return Worth.GIVEN_BACK
        return Worth.RETURNING if kind == _LEASEQUERY else Worth.OTHER

    def network(self, arrival: Arrival) -> str:
        """Name of the network that a request comes from, by its header alone; '' if none covers it."""
        return self.directory.network(arrival)


class Blank:
    """The view of a store that cannot be asked."""

    def lease(self, address: int) -> Lease | None:  # noqa: ARG002
        """Nothing is known."""
        return None

    def leases(self, client: ClientKey) -> Sequence[Lease]:  # noqa: ARG002
        """Nothing is known."""
        return ()


def standing(store: Leases, offers: Offers, directory: Directory, own: frozenset[int]) -> Standing:
    """See `Standing`. If the store fails, nobody is known."""
    try:
        return Standing(store.view((), ()), offers, directory, own)
    except StoreError:
        return Standing(Blank(), offers, directory, own)


def _keys(data: bytes, seen: Glimpse) -> tuple[ClientKey, ...]:
    """By what the client may be on record: networks differ in whether they match by option 61."""
    hardware = client_key(None, data[1], data[28 : 28 + data[2]])
    identifier = seen.get(_CLIENT_ID)
    return (client_key(identifier, 0, b""), hardware) if identifier else (hardware,)
