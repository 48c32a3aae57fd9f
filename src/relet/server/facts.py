"""What is known of a request and of the address that it is about: whose that is, and whether this client could have it.

Facts only: nothing here chooses. What takes a search, or is about the client's other addresses, stands in situation.py.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from relet.errors import WireError
from relet.model.clock import Now
from relet.model.lease import Lease, LeaseState, View
from relet.model.network import Reservation
from relet.server.classify import Request
from relet.server.identify import Site
from relet.server.offers import Offers
from relet.server.parameters import Terms
from relet.server.relayed import NOTHING_SAID, Relayed
from relet.wire.options import (
    RELAY_AGENT_INFORMATION,
)

_RELAY_INFO = RELAY_AGENT_INFORMATION.code

_BOUND = LeaseState.BOUND


class Facts:
    """One request against what the server knows now. own: the server's addresses. admitted: is the client served here?

    Of the address that the request is about: lease: what is on record. mine: is that the client's? active: does the client
    hold it, unexpired? declined: is the address in quarantine? kept: is it kept for somebody, by configuration or by hand?
    """

    __slots__ = (
        "_leases", "_new", "_offers", "_own", "_site", "_spot", "_view", "active", "address", "admitted", "declined",
        "kept", "lease", "mine", "network", "now", "request", "reservation", "subnet",
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
        self._leases: Sequence[Lease] | None = None
        self.address = address = request.address if address is None else address
        self._spot = site.spots.at(address)
        self.subnet = self._spot.subnet
        self.lease = lease = view.lease(address) if address else None
        self.mine = self.active = self.declined = False
        if lease is not None:
            self.mine = lease.client == request.client or request.owns(lease)
            if lease.expires > now.wall:
                bound = lease.state is _BOUND
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

    def leased(self) -> bool:
        """Does anybody hold an unexpired lease on it?"""
        return self.lease is not None and self.lease.holds(self.now.wall)

    def bound_to_other(self) -> bool:
        """Does another client hold an unexpired lease on it?"""
        return not self.mine and self.lease is not None and self._held_by_other(self.lease)

    def taken(self) -> bool:
        """Is it somebody else's, or in quarantine?"""
        return self.reserved_for_other(self.address) or self.bound_to_other() or self.declined

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

    def _held_by_other(self, lease: Lease) -> bool:
        """Does another client hold it?"""
        if self.request.owns(lease) or not (lease.holds(self.now.wall) or lease.kept):
            return False
        return lease.hardware != self.request.hardware or not self._reserved_by_hardware(lease.address)

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
