"""Who asks, and from which network: the first two questions about any request.

The network follows from where the message came in (RFC 2131 s4.3.1): the relay's link selection (RFC 3527), the subnet
selection of a client that may choose (RFC 3011), the relay's address, the address of a client that speaks to us by unicast,
or the interface, in this order. What the client *claims* to have (option 50) never says where it is.
"""

from bisect import bisect_right

import msgspec

from relet.errors import WireError
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.model.network import Network, Reservation, Subnet
from relet.server.allocate import FreeAddresses
from relet.server.parameters import TermsBook
from relet.server.relayed import RelayBook, Relayed
from relet.wire.address import BROADCAST, mask
from relet.wire.message import Message
from relet.wire.options import CIRCUIT_ID, CLIENT_IDENTIFIER, RELAY_AGENT_INFORMATION, REMOTE_ID, SUBNET_SELECTION
from relet.wire.relayinfo import decode_suboptions

_CLIENT_ID = CLIENT_IDENTIFIER.code
_RELAY_INFO = RELAY_AGENT_INFORMATION.code
_SUBNET_SELECTION = SUBNET_SELECTION.code
_RELAYED_KEYS = frozenset({"circuit-id", "remote-id"})


class Site:
    """A network with what the server keeps about it: its reservations by client and address, and its free addresses."""

    def __init__(self, network: Network, relays: RelayBook) -> None:
        self.network = network
        self.relays = relays
        self.free = FreeAddresses(network)
        self.terms = TermsBook(network).terms
        self.reserved = {row.address: row for row in network.reservations if row.address}
        self._by_client = {(row.by, row.key): row for row in network.reservations}
        self._by_relay_info = any(row.by in _RELAYED_KEYS for row in network.reservations)

    def reservation(self, message: Message) -> Reservation | None:
        """The reservation that names the client of a message, None if there is none."""
        rows = self._by_client
        if not rows:
            return None
        found = rows.get(("mac", message.chaddr)) or rows.get(("client-id", message.options.get(_CLIENT_ID, b"")))
        info = message.options.get(_RELAY_INFO)
        return found if found is not None or info is None else self.reservation_by_relay(info)

    def reservation_by_relay(self, info: bytes) -> Reservation | None:
        """The reservation that names a circuit or remote id of this option 82."""
        if not self._by_relay_info:
            return None
        parts = decode_suboptions(info)
        rows = self._by_client
        return rows.get(("circuit-id", parts.get(CIRCUIT_ID.code, b""))) or rows.get(
            ("remote-id", parts.get(REMOTE_ID.code, b""))
        )

    def client(self, message: Message) -> ClientKey:
        """The key of the client (RFC 2131 s4.2): option 61 where there is one and the network matches by it, or where
        there is nothing else."""
        matched = self.network.match_client_id or not message.chaddr
        client_id = message.options.get(_CLIENT_ID) if matched else None
        return client_key(client_id, message.htype, message.chaddr)


class Place(msgspec.Struct, frozen=True):
    """Where a client is. site: None for a link that no network covers. subnet: the one that the relay's address or a
    selection names, None if nothing does: its addresses come first. confined: new addresses come from that one only."""

    site: Site | None
    subnet: Subnet | None = None
    confined: bool = False


NOWHERE = Place(None)
"""A link that no network covers."""


class Directory:
    """The configured networks, indexed by everything that can tell where a request comes from."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self.relays = RelayBook()
        self.sites = {network.name: Site(network, self.relays) for network in networks}
        sites = self.sites.values()
        self._by_interface = {name: site for site in sites for name in site.network.interfaces}
        self._by_relay = {relay: site for site in sites for relay in site.network.relays}
        self._spans = sorted(
            (
                (subnet.prefix, subnet.prefix | ~mask(subnet.width) & BROADCAST, site)
                for site in sites
                for subnet in site.network.subnets
            ),
            key=lambda span: span[0],
        )
        self._selectable = any(network.subnet_selection for network in networks)
        self._starts = [first for first, _, _ in self._spans]

    def locate(self, address: int) -> Site | None:
        """The site that has a subnet with this address."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address > self._spans[at][1]:
            return None
        return self._spans[at][2]

    def place(self, arrival: Arrival, message: Message, relayed: Relayed) -> Place:
        """Where a request comes from. Raises WireError for relay information that no relay vouches for."""
        giaddr = message.giaddr
        if giaddr and relayed.link is not None:
            # RFC 3527 s3: link selection says where the client is, giaddr only where to reply to; it wins over option 118
            return self._named(relayed.link)
        if self._selectable and (octets := message.options.get(_SUBNET_SELECTION)) is not None:
            named = self._named(int.from_bytes(octets, "big") if len(octets) == 4 else 0)
            if named.site is None or named.site.network.subnet_selection:
                return named
        if giaddr:
            site = self._by_relay.get(giaddr) or self.locate(giaddr)
            return Place(site, site.network.subnet_of(giaddr)) if site is not None else NOWHERE
        if not arrival.broadcast:
            # a unicast is about its ciaddr; without one (s4.4.4 lets a client try its last server) about our own link
            return Place(self.locate(message.ciaddr or arrival.local))
        site = self._by_interface.get(arrival.interface)
        if _RELAY_INFO in message.options and site is not None and not site.network.trust_relay_information:
            # RFC 3046 s2.1 has relays drop these: any host on the link could claim another's circuit
            raise WireError("untrusted-relay-information", 240)
        return Place(site)

    def _named(self, address: int) -> Place:
        """The place of a subnet that relay or client name."""
        site = self.locate(address)
        return Place(site, site.network.subnet_of(address), confined=True) if site is not None else NOWHERE
