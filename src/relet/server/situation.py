"""What is known about a request when it is decided: the facts that the tables in decide.py ask for.

Facts only: nothing here chooses. A situation lives for one request and is not kept.
"""

from collections.abc import Iterator
from math import floor

from msgspec.structs import replace

from relet.errors import WireError
from relet.model import reasons as why
from relet.model.clock import Now
from relet.model.lease import Lease, LeaseState, View
from relet.model.network import Reservation
from relet.server.classify import OF_A_LEASE, Request
from relet.server.identify import Site
from relet.server.offers import Offers
from relet.server.parameters import Terms
from relet.server.relayed import NOTHING_SAID, Relayed
from relet.wire.options import (
    AUTO_CONFIG,
    PARAMETER_REQUEST_LIST,
    RAPID_COMMIT,
    RELAY_AGENT_INFORMATION,
    V6_ONLY_PREFERRED,
)

_AUTO_CONFIG = AUTO_CONFIG.code
_PARAMETERS = PARAMETER_REQUEST_LIST.code
_RAPID_COMMIT = RAPID_COMMIT.code
_RELAY_INFO = RELAY_AGENT_INFORMATION.code
_V6_ONLY = V6_ONLY_PREFERRED.code

MAX_DECLINED = 8
"""Addresses that one client may have put into quarantine at a time: a host that declines whatever it gets, by mistake or on
purpose, does not empty the pool."""


class Situation:
    """One request against what the server knows now. own: the server's addresses. admitted: is the client served here?

    Of the address that the request is about: lease: what is on record. mine: is that the client's? active: does the client
    hold it, unexpired? declined: is the address in quarantine? kept: is it kept for somebody, by configuration or by hand?
    """

    __slots__ = (
        "_new", "_offers", "_own", "_site", "_spot", "_view", "active", "address", "admitted", "declined", "kept", "lease",
        "mine", "network", "now", "request", "reservation", "subnet",
    )  # fmt: skip

    def __init__(
        self,
        request: Request,
        site: Site,
        view: View,
        offers: Offers,
        own: frozenset[int],
        now: Now,
        address: int | None = None,
    ) -> None:
        self.network = site.network
        self.now = now
        self._site = site
        self._view = view
        self._offers = offers
        self._own = own
        self._new: int | None = None
        self.address = address = request.address if address is None else address
        self._spot = site.spots.at(address)
        self.subnet = self._spot.subnet
        self.lease = lease = view.lease(address) if address else None
        self.mine = self.active = self.declined = False
        if lease is not None:
            self.mine = lease.client == request.client or request.owns(lease)
            if lease.expires > now.wall:
                bound = lease.state is LeaseState.BOUND
                self.active = bound and self.mine
                self.declined = not bound and lease.quarantined(now.wall)
        self.request = request
        if site.relayed and self.mine:
            self.request = self._recalled(request)
        self.reservation = self.request.reservation
        self.kept = address in site.reserved or address in site.kept
        if self.kept and (row := self._unsaid(address)) is not None:
            self._recognised(row)
        self.admitted = site.classes is None or site.admits(self.request.classes)

    def at(self, address: int) -> "Situation":
        """The same request, as if it were about this address."""
        if address == self.address:
            return self
        return Situation(self.request, self._site, self._view, self._offers, self._own, self.now, address)

    # of the address that the request is about

    def leased(self) -> bool:
        """Does anybody hold an unexpired lease on it?"""
        return self.lease is not None and self.lease.holds(self.now.wall)

    def managed(self) -> bool:
        """Is it one that this server has something to say about?"""
        return self.lease is not None or self.address in self._site.reserved or self._spot.pool is not None

    def bound_to_other(self) -> bool:
        """Does another client hold an unexpired lease on it?"""
        return not self.mine and self.lease is not None and self._held_by_other(self.lease)

    def ended(self) -> bool:
        """Did the operator end a lease on it before the time that its client was promised?"""
        return self.declined and self.lease is not None and self.lease.state is LeaseState.ENDED

    def superseded(self) -> bool:
        """Does the client hold an unexpired lease on it, but has to move to another address?"""
        return self.active and (self.reserved_elsewhere() or not self.offered(self.address))

    def moving_seconds(self) -> int:
        """How long a client that has to move may still stay: `moving_time` from its first renewal after the change."""
        whole = self.network.moving_time
        if self.lease is None or self.lease.reason != why.MOVING.id:
            return whole
        # no more than the whole, should the clock have been set back
        return min(max(0, floor(self.lease.starts + whole - self.now.wall)), whole)

    def refused(self) -> bool:
        """Is the client in a class that is not served?"""
        return self._site.refuses(self.request.classes)

    def taken(self) -> bool:
        """Is it somebody else's, or in quarantine?"""
        return self.reserved_for_other(self.address) or self.bound_to_other() or self.declined

    def on_offer_to_client(self) -> bool:
        """Did we offer it to this client, and the offer stands?"""
        return self._offers.holder(self.address, self.now.mono) == self.request.client

    def addressed_to_us(self) -> bool:
        """Does the message name this server, or no server at all (RFC 2131 s4.3.2, s4.3.3, s4.3.4)?"""
        server = self.request.server
        return (
            server is None
            or server in self._own
            or server == self.request.arrival.local
            or server == self.server_identifier_override()
        )

    def server_identifier_override(self) -> int:
        """The address that stands for ours in what this client hears, 0 for none (RFC 5107 s4)."""
        return self._relayed().override

    def declined_much(self) -> bool:
        """Are MAX_DECLINED addresses in quarantine because this client declined them?"""
        known = self.request.leases(self._view)
        wall = self.now.wall
        return sum(each.quarantined(wall) and each.reason != why.FOUND_IN_USE.id for each in known) >= MAX_DECLINED

    # of any address of the network

    def reserved_for_other(self, address: int) -> bool:
        """Does a reservation keep it for somebody else?"""
        rows = self._site.reserved.get(address)
        if rows is not None:
            return not self._among(rows, address)
        return address in self._site.kept and not self._kept(address)

    def offered(self, address: int) -> bool:
        """Is it ours to give to this client: in a pool of the network, or reserved for it?"""
        if (rows := self._site.reserved.get(address)) is not None:
            return self._among(rows, address)
        if address in self._site.kept:
            return self._kept(address)
        pool = (self._spot if address == self.address else self._site.spots.at(address)).pool
        return pool is not None and pool.admits(self.request.classes)

    def free(self, address: int) -> bool:
        """Could this client have it now: not leased or on offer to another, not in quarantine, not our own?"""
        lease = self._view.lease(address)
        if lease is not None and (lease.quarantined(self.now.wall) or self._held_by_other(lease)):
            return False
        holder = self._offers.holder(address, self.now.mono)
        unpromised = holder is None or holder == self.request.client or self._reserved_alone(address)
        return unpromised and address not in self._own

    def grantable(self, address: int) -> bool:
        """Free, and ours to give to this client."""
        return address != 0 and self.free(address) and self.offered(address)

    def terms(self, address: int) -> Terms:
        """What the client gets at an address."""
        spot = self._spot if address == self.address else self._site.spots.at(address)
        return self._site.terms(spot, self.request.classes, self.reservation)

    # of the client

    def rapid(self) -> bool:
        """Does it want a commit without an offer, and may it (RFC 4039)?"""
        return self.network.rapid_commit and _RAPID_COMMIT in self.request.message.options

    def asks_for_ipv6_only(self) -> bool:
        """Does it ask for the IPv6-only option, and is that configured anywhere in the network (RFC 8925 s3.3)?"""
        return self._site.ipv6_mostly and _V6_ONLY in self.request.message.options.get(_PARAMETERS, b"")

    def ipv6_only(self, address: int) -> bool:
        """The same for the place that an address lies in."""
        return self.asks_for_ipv6_only() and _V6_ONLY in self.terms(address).options

    def first_address(self) -> int:
        """The first address of the pools, taken or not; 0 if there is no pool."""
        pools = (pool for subnet in self.network.subnets for pool in subnet.pools)
        return next((first for pool in pools for first, _ in pool.addresses.pairs()), 0)

    def can_auto_configure(self) -> bool:
        """Does it say that it can make itself an address (RFC 2563 s2.2)?"""
        return _AUTO_CONFIG in self.request.message.options

    def holds_another(self) -> bool:
        """Does it hold an unexpired lease in this network on another address than the one in question?"""
        return any(
            lease.address != self.address and lease.holds(self.now.wall) and self.network.subnet_of(lease.address)
            for lease in self.request.leases(self._view)
        )

    def reserved_elsewhere(self) -> bool:
        """Is another address reserved for it, which it could have now?"""
        address = self.reserved_address()
        return address not in (0, self.address)

    def reserved_address(self) -> int:
        """The address reserved for it by configuration, or by the operator's hand, if it could have it now; else 0."""
        row = self.reservation
        if row is not None and row.address and self.free(row.address):
            return row.address
        if self._site.kept:
            for lease in self.request.leases(self._view):
                if lease.kept and self.network.subnet_of(lease.address) is not None and self.grantable(lease.address):
                    return lease.address
        return 0

    def current_address(self) -> int:
        """The address of its unexpired lease, if that is still offered; else 0 (RFC 2131 s4.3.1, first case)."""
        for lease in self.request.leases(self._view):
            if lease.holds(self.now.wall) and self.grantable(lease.address):
                return lease.address
        return 0

    def address_on_offer(self) -> int:
        """The address that we offered it a moment ago, else 0."""
        address = self._offers.address(self.request.client, self.network.name, self.now.mono)
        return address if self.grantable(address) else 0

    def last_address(self) -> int:
        """The address of its newest ended lease, if still free and offered; else 0 (s4.3.1, second case)."""
        ended = [lease for lease in self.request.leases(self._view) if self.grantable(lease.address)]
        return max(ended, key=lambda lease: lease.expires).address if ended else 0

    def requested_address(self) -> int:
        """The address that it would like, if free and offered; else 0 (s4.3.1, third case)."""
        return self.address if self.grantable(self.address) else 0

    def new_address(self) -> int:
        """Any free address of the pools, one that waits for this client (for BOOTP, too, it may have been probed) before
        others, else 0 (s4.3.1, fourth case): of the subnet that relay or client selected (RFC
        3527, RFC 3011), or of the relay's own first. No test before choosing can tell."""
        if self._new is None:  # chosen once: who looks again sees the same
            self._new = self._choose()
        return self._new

    def _choose(self) -> int:
        if promised := self.address_on_offer():
            return promised
        place, wall, classes = self.request.place, int(self.now.wall), self.request.classes
        choose = self._site.free.choose
        near = place.subnet if place.confined or len(self.network.subnets) > 1 else None
        found = choose(self._view.lease, self.grantable, wall, classes, near)
        if found or near is None or place.confined:
            return found
        return choose(self._view.lease, self.grantable, wall, classes)

    def search_ended(self) -> bool:
        """Did `new_address` find nothing because it looked at so many addresses as one request may cost?"""
        return self._site.free.unfinished

    # of the circuit

    def known(self) -> bool:
        """Does the client hold an unexpired lease in the network?"""
        return self.active or self.holds_another()

    @property
    def metered(self) -> bool:
        """Has the network a rate, and was the request not counted before?"""
        return self._site.rates is not None and not self.request.again

    def client_exceeds(self) -> bool:
        """Does it ask more often than `client-rate`, and not about its own unexpired lease?"""
        rates, message = self._site.rates, self.request.message
        if rates is None or (self.request.kind in OF_A_LEASE and self.active):
            return False
        return rates.client_exceeds(self._relayed().circuit, message.chaddr, self.now.mono)

    def circuit_exceeds(self) -> bool:
        """Do strangers on its circuit ask more often than `circuit-rate`, and is it one?"""
        rates = self._site.rates
        return rates is not None and not self.known() and rates.circuit_exceeds(self._relayed().circuit, self.now.mono)

    def circuit_full(self) -> bool:
        """Has its circuit as many leases and offers as it may, beside what the client itself has to give up?"""
        circuits = self._site.circuits
        return circuits is not None and circuits.full(self._relayed().circuit, self.now.wall, self._leaving())

    def circuit_too_full(self) -> bool:
        """Is the requested address one that it could have, if its circuit were not full? A reservation is not limited."""
        return self.circuit_full() and self.grantable(self.address) and self.reserved_address() != self.address

    def count(self, promised: bool, address: int) -> None:
        """Count what is on offer, or about to be granted, for its circuit."""
        circuits = self._site.circuits
        if circuits is not None and promised and address:
            wall = self.now.wall
            circuits.offer(address, self._relayed().circuit, wall + self.network.offer_time, wall)

    def relay_information(self) -> bytes:
        """Option 82 as a relay sent it; for a message that passed none, as it came last (RFC 3046 s2.2)."""
        message = self.request.message
        if message.giaddr or self.network.trust_relay_information:
            info = message.options.get(_RELAY_INFO)
            if info is not None:
                return info
        return self.lease.relay if self.lease is not None and self.mine else b""

    def _relayed(self) -> Relayed:
        """What the relay says; of a message that passed none, what it said last (RFC 5107 s4)."""
        said = self.request.relayed
        if said is NOTHING_SAID and self.lease is not None and self.lease.relay:
            said = self._site.relays.remembered(self.relay_information())
        return said

    def _leaving(self) -> Iterator[int]:
        """What the client holds and cannot have any longer, and what the operator ended early. What it may keep is not
        among them: it could fill the pool by asking for one address more each time."""
        for lease in self.request.leases(self._view):
            if lease.state is LeaseState.ENDED or (lease.holds(self.now.wall) and not self.offered(lease.address)):
                yield lease.address

    def _held_by_other(self, lease: Lease) -> bool:
        """Does another client hold it?"""
        if self.request.owns(lease) or not (lease.holds(self.now.wall) or lease.kept):
            return False
        message = self.request.message
        same_hardware = lease.hardware == bytes((message.htype,)) + message.chaddr
        return not (same_hardware and self._reserved_by_hardware(lease.address))

    def _kept(self, address: int) -> bool:
        """Does the operator keep the address for this client?"""
        lease = self._view.lease(address)
        return lease is not None and lease.kept and self.request.owns(lease)

    def _reserved_by_hardware(self, address: int) -> bool:
        """Does a reservation give the address to the hardware that asks, whatever it calls itself? A host may have one
        client identifier while it boots from the network and another one, or none, afterwards."""
        row = self.reservation
        return row is not None and row.by == "mac" and row.address == address

    def _reserved_alone(self, address: int) -> bool:
        """The same, and for nobody else? Of several who share an address, any may have been offered it."""
        return self._reserved_by_hardware(address) and len(self._site.reserved[address]) == 1

    def _among(self, rows: tuple[Reservation, ...], address: int) -> bool:
        """Is the client's own reservation one of these of an address?"""
        return any(row is self.reservation for row in rows) or self._unsaid(address) is not None

    def _unsaid(self, address: int) -> Reservation | None:
        """The reservation of an address that the client holds, or was offered, if it goes by what this message lacks: no
        certain knowledge that the client is another one than before."""
        lease, client = self._view.lease(address), self.request.client
        held = lease is not None and self.request.owns(lease) and lease.holds(self.now.wall)
        if not held and self._offers.holder(address, self.now.mono) != client:
            return None
        return self._site.reservations.unsaid(address, self.request.message, self.request.reservation)

    def _recognised(self, row: Reservation) -> None:
        """The client is the one that this reservation names, with the classes that follow from it."""
        request = self.request
        self.reservation = row
        if (known := self._site.classes) is not None:
            classes = known.of(request.message, request.arrival, row, self.relay_information() or None)
            self.request = replace(request, classes=classes)

    def _recalled(self, request: Request) -> Request:
        """RFC 3046 s2.2: a renewal by unicast passes no relay. What the relay said when the lease was granted still
        holds for the client that has it: the reservation and the classes that follow from it."""
        lease, message = self.lease, request.message
        if lease is None or not lease.relay or self.relay_information() is not lease.relay:
            return request
        try:
            reservation, classes = self._site.recognise(message, request.arrival, lease.relay)
        except WireError:  # it was not needed when it was written down, and is no fault of this request
            return request
        return replace(request, reservation=reservation, classes=classes)
