"""Who asks, and from which network: the first two questions about any request.

The network follows from where the message came in (RFC 2131 s4.3.1): the relay's link selection (RFC 3527), the subnet
selection of a client that may choose (RFC 3011), the relay's address, the address of a client that speaks to us by unicast,
or the interface, in this order. What the client *claims* to have (option 50) never says where it is.
"""

from collections.abc import Collection

import msgspec

from relet.errors import WireError
from relet.model.events import Arrival
from relet.model.ident import ClientKey
from relet.model.lease import Lease
from relet.model.network import Network, Reservation, Subnet, admits
from relet.server.allocate import FreeAddresses, PoolAddresses
from relet.server.limits import Circuits, Rates
from relet.server.match import classes_of
from relet.server.parameters import TermsBook
from relet.server.relayed import RelayBook, Relayed
from relet.server.reservations import Reservations
from relet.server.spans import Spans
from relet.server.spots import Spots
from relet.wire.address import BROADCAST, mask
from relet.wire.message import Message
from relet.wire.options import RELAY_AGENT_INFORMATION, SUBNET_SELECTION, V6_ONLY_PREFERRED

_RELAY_INFO = RELAY_AGENT_INFORMATION.code
_SUBNET_SELECTION = SUBNET_SELECTION.code


class Site:
    """A network with what the server keeps about it: its reservations, classes and free addresses.

    reserved: address -> those whom it is kept for. relayed: does anything here depend on what relays say?
    kept: addresses that the operator keeps for a client by command; whose they are stands in the store.
    """

    def __init__(self, network: Network, relays: RelayBook) -> None:
        self.network = network
        self.relays = relays
        self.free = FreeAddresses(network)
        self.spots = Spots(network)
        self.terms = TermsBook(network).terms
        limits = network.limit_per_circuit is not None or network.limit_without_circuit is not None
        self.circuits = Circuits(network, relays) if limits else None
        rates = network.client_rate is not None or network.circuit_rate is not None
        self.rates = Rates(network) if rates else None
        self.kept: set[int] = set()
        self.reservations = Reservations(network)
        self.reserved = self.reservations.by_address
        self.classes = classes_of(network)
        self.relayed = self.reservations.relayed or (self.classes is not None and self.classes.relayed)
        self.ipv6_mostly = _mentions(network, V6_ONLY_PREFERRED.code)

    def load(self, leases: Collection[Lease]) -> None:
        """Take in leases of the network at start."""
        self.free.load(leases)
        self.kept.update([lease.address for lease in leases if lease.kept])
        if self.circuits is not None:
            for lease in leases:
                self.circuits.note(lease)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change of a lease of the network."""
        if after.kept:
            self.kept.add(after.address)
        elif before is not None and before.kept:
            self.kept.discard(after.address)
        self.free.note(before, after)
        if self.circuits is not None:
            self.circuits.note(after)

    def recognise(
        self, message: Message, arrival: Arrival, info: bytes | None
    ) -> tuple[Reservation | None, tuple[str, ...]]:
        """The reservation that names the client of a message, and the classes that it is in. info: the option 82 that
        counts for it. Raises WireError if that is broken and a reservation would need it."""
        reservation = self.reservations.of(message, info)
        if self.classes is None:
            return reservation, ()
        return reservation, self.classes.of(message, arrival, reservation, info)

    def admits(self, classes: tuple[str, ...]) -> bool:
        """Are clients of these classes served here?"""
        return not self.refuses(classes) and admits(classes, self.network.allow, self.network.deny)

    def refuses(self, classes: tuple[str, ...]) -> bool:
        """Is one of these classes refused?"""
        return self.classes is not None and not self.classes.refusing.isdisjoint(classes)

    def client(self, client_id: bytes | None, hardware: bytes) -> ClientKey:
        """The key of a client (RFC 2131 s4.2): option 61 where there is one and the network matches by it, or where
        there is nothing else. hardware: type and address."""
        if client_id and (self.network.match_client_id or len(hardware) == 1):
            return ClientKey(b"i" + client_id)
        return ClientKey(b"h" + hardware)


def _mentions(network: Network, code: int) -> bool:
    """Is an option configured at any level of a network?"""
    pools = (pool for subnet in network.subnets for pool in subnet.pools)
    levels = [network.parameters]
    levels += [subnet.parameters for subnet in network.subnets]
    levels += [pool.parameters for pool in pools]
    levels += [row.parameters for row in network.classes]
    levels += [row.parameters for row in (*network.reservations, *network.everywhere)]
    return any(code in level.options for level in levels)


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a client is. site: None for a link that no network covers. subnet: the one that the relay's address or a
    selection names, None if nothing does: its addresses come first. confined: new addresses come from that one only."""

    site: Site | None
    subnet: Subnet | None = None
    confined: bool = False


NOWHERE = Place(None)
"""A link that no network covers."""


MAX_PLACES = 16_384
"""Relays whose place is kept; a host may claim to be any relay, so the table starts anew when it is full."""


class Directory:
    """The configured networks, indexed by everything that can tell where a request comes from. spans: subnets, with the site
    of each."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self.relays = RelayBook()
        self.sites = {network.name: Site(network, self.relays) for network in networks}
        sites = self.sites.values()
        self._by_relay = {relay: site for site in sites for relay in site.network.relays}
        self.spans = Spans(
            (subnet.prefix, subnet.prefix | ~mask(subnet.width) & BROADCAST, site)
            for site in sites
            for subnet in site.network.subnets
        )
        self._selectable = any(network.subnet_selection for network in networks)
        self._at_interface = {name: Place(site) for site in sites for name in site.network.interfaces}
        self._at_relay: dict[int, Place] = {}

    def locate(self, address: int) -> Site | None:
        """The site that has a subnet with this address."""
        span = self.spans.of(address)
        return None if span is None else span[2]

    def pool(self, address: int) -> PoolAddresses | None:
        """The pool that counts an address as used, on offer or free."""
        site = self.locate(address)
        return site.free.pool(address) if site is not None else None

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
            return self._at_relay.get(giaddr) or self._relay(giaddr)
        if not arrival.broadcast:
            # a unicast is about its ciaddr; without one (s4.4.4 lets a client try its last server) about our own link
            return Place(self.locate(message.ciaddr or arrival.local))
        place = self._at_interface.get(arrival.interface, NOWHERE)
        site = place.site
        if _RELAY_INFO in message.options and site is not None and not site.network.trust_relay_information:
            # RFC 3046 s2.1 has relays drop these: any host on the link could claim another's circuit
            raise WireError("untrusted-relay-information", 240)
        return place

    def _relay(self, giaddr: int) -> Place:
        """The place that a relay's address stands for; worked out once for each, while they are as few as relays are."""
        site = self._by_relay.get(giaddr) or self.locate(giaddr)
        place = Place(site, site.network.subnet_of(giaddr)) if site is not None else NOWHERE
        if len(self._at_relay) >= MAX_PLACES:
            self._at_relay.clear()
        self._at_relay[giaddr] = place
        return place

    def network(self, arrival: Arrival) -> str:
        """Name of the network that a request comes from if no option of it says otherwise; '' if none covers it. It need not
        have been decoded."""
        data = arrival.payload
        if giaddr := int.from_bytes(data[24:28]):
            site = (self._at_relay.get(giaddr) or self._relay(giaddr)).site
        elif arrival.broadcast:
            site = self._at_interface.get(arrival.interface, NOWHERE).site
        else:
            site = self.locate(int.from_bytes(data[12:16]) or arrival.local)
        return site.network.name if site is not None else ""

    def _named(self, address: int) -> Place:
        """The place of a subnet that relay or client name."""
        site = self.locate(address)
        return Place(site, site.network.subnet_of(address), confined=True) if site is not None else NOWHERE
