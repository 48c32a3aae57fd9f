"""What is known about a request when it is decided: the facts that the tables in rows.py and decide.py ask for.

Facts only: nothing here chooses. A situation lives for one request and is not kept.
"""

from collections.abc import Iterator, Sequence
from math import floor

from relet.model import reasons as why
from relet.model.lease import Lease, LeaseState
from relet.server.classify import OF_A_LEASE
from relet.server.facts import Facts
from relet.wire.options import (
    AUTO_CONFIG,
    PARAMETER_REQUEST_LIST,
    RAPID_COMMIT,
    V6_ONLY_PREFERRED,
)

_AUTO_CONFIG = AUTO_CONFIG.code
_PARAMETERS = PARAMETER_REQUEST_LIST.code
_RAPID_COMMIT = RAPID_COMMIT.code
_V6_ONLY = V6_ONLY_PREFERRED.code

MAX_DECLINED = 8
"""Addresses that one client may have put into quarantine at a time: a host that declines whatever it gets, by mistake or on
purpose, does not empty the pool."""


class Situation(Facts):
    """One request against what the server knows now: all that `Facts` has, and what else the tables ask for."""

    __slots__ = ()

    def at(self, address: int) -> "Situation":
        """The same request, as if it were about this address."""
        if address == self.address:
            return self
        return Situation(self.request, self._site, self._view, self._offers, self._own, self.now, address)

    def leases(self) -> Sequence[Lease]:
        """All leases of the client, in any state and network."""
        known = self._leases
        if known is None:
            known = self._leases = self.request.leases(self._view)
        return known

    def managed(self) -> bool:
        """Is it one that this server has something to say about?"""
        return self.lease is not None or self.address in self._site.reserved or self._spot.pool is not None

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

    def declined_much(self) -> bool:
        """Are MAX_DECLINED addresses in quarantine because this client declined them?"""
        known = self.leases()
        wall = self.now.wall
        return sum(each.quarantined(wall) and each.reason != why.FOUND_IN_USE.id for each in known) >= MAX_DECLINED

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
            for lease in self.leases()
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
            for lease in self.leases():
                if lease.kept and self.network.subnet_of(lease.address) is not None and self.grantable(lease.address):
                    return lease.address
        return 0

    def current_address(self) -> int:
        """The address of its unexpired lease, if that is still offered; else 0 (RFC 2131 s4.3.1, first case)."""
        for lease in self.leases():
            if lease.holds(self.now.wall) and self.grantable(lease.address):
                return lease.address
        return 0

    def address_on_offer(self) -> int:
        """The address that we offered it a moment ago, else 0."""
        address = self._offers.address(self.request.client, self.network.name, self.now.mono)
        return address if address and self.grantable(address) else 0

    def last_address(self) -> int:
        """The address of its newest ended lease, if still free and offered; else 0 (s4.3.1, second case)."""
        ended = [lease for lease in self.leases() if self.grantable(lease.address)]
        return max(ended, key=lambda lease: lease.expires).address if ended else 0

    def requested_address(self) -> int:
        """The address that it would like, if free and offered; else 0 (s4.3.1, third case)."""
        return self.address if self.address and self.grantable(self.address) else 0

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

    def _leaving(self) -> Iterator[int]:
        """What the client holds and cannot have any longer, and what the operator ended early. What it may keep is not
        among them: it could fill the pool by asking for one address more each time."""
        for lease in self.leases():
            if lease.state is LeaseState.ENDED or (lease.holds(self.now.wall) and not self.offered(lease.address)):
                yield lease.address
