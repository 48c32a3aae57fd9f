"""Which configuration parameters a client gets: those of its place, its classes and its reservation, laid over each other.

The nearest wins: server, network, subnet, pool, class, reservation (RFC 2131 s4.3.1 leaves the policy to the site). What
was worked out is kept, for most clients of a subnet get the same.
"""

import msgspec

from relet.errors import WireError
from relet.model.network import (
    DEFAULT_LEASE_S,
    NOTHING,
    SHORTEST_LEASE_S,
    ClientClass,
    Network,
    Parameters,
    Reservation,
)
from relet.server.spots import Spot
from relet.wire.codes import INFINITE
from relet.wire.options import CLASSLESS_ROUTES, ROUTERS

_ROUTES, _ROUTERS = CLASSLESS_ROUTES.code, ROUTERS.code
MAX_TERMS = 16_384
"""Combinations kept; beyond that, they are worked out anew."""


class Terms(msgspec.Struct, frozen=True):
    """What a client gets: `Parameters` with every gap filled. serial: another number for other terms."""

    serial: int
    options: dict[int, bytes]
    force: frozenset[int]
    next_server: int
    server_name: bytes
    boot_file: bytes
    lease_time: int
    min_lease_time: int
    max_lease_time: int
    renew_at: float
    rebind_at: float
    host_defaults: bool = False

    def seconds(self, asked: int | None) -> int:
        """The lease time for a client that asks for so much (option 51), or for nothing."""
        return self.lease_time if not asked else min(max(asked, self.min_lease_time), self.max_lease_time)

    def t1_t2(self, seconds: int) -> tuple[int, int]:
        """Renewal and rebinding time of a lease of so many seconds (RFC 2131 s4.4.5)."""
        return t1_t2(seconds, self.renew_at, self.rebind_at)


def t1_t2(seconds: int, renew_at: float, rebind_at: float) -> tuple[int, int]:
    """Renewal and rebinding time of a lease, by their shares of it; of an infinite one, never."""
    if seconds == INFINITE:
        return INFINITE, INFINITE
    return int(seconds * renew_at), int(seconds * rebind_at)


def filled(parameters: Parameters, serial: int = 0) -> Terms:
    """The terms that parameters make, defaults where they say nothing."""
    lease = DEFAULT_LEASE_S if parameters.lease_time is None else parameters.lease_time
    shortest = SHORTEST_LEASE_S if parameters.min_lease_time is None else parameters.min_lease_time
    longest = lease if parameters.max_lease_time is None else parameters.max_lease_time
    return Terms(
        serial,
        with_default_route(parameters.options),
        parameters.force,
        parameters.next_server or 0,
        parameters.server_name or b"",
        parameters.boot_file or b"",
        lease,
        min(shortest, lease),
        max(longest, lease),
        0.5 if parameters.renew_at is None else parameters.renew_at,
        0.875 if parameters.rebind_at is None else parameters.rebind_at,
        bool(parameters.host_defaults),
    )


def with_default_route(options: dict[int, bytes]) -> dict[int, bytes]:
    """The options, a default route among the classless ones if there is a router: who reads option 121 must ignore option
    3, so RFC 3442 has servers say it in both."""
    routes, routers = options.get(_ROUTES), options.get(_ROUTERS)
    if not routes or not routers:
        return options
    try:
        known = CLASSLESS_ROUTES.decode(routes)
    except WireError:
        return options  # configured as octets: the operator's word
    if any(width == 0 for _, width, _ in known):
        return options
    return {**options, _ROUTES: routes + b"\0" + routers[:4]}


class TermsBook:
    """The terms of one network, worked out once for each combination."""

    def __init__(self, network: Network) -> None:
        self._classes: dict[str, ClientClass] = {row.name: row for row in network.classes}
        self._known: dict[tuple[Spot, tuple[str, ...], int], tuple[Parameters, Terms]] = {}
        self._serial = 0

    def terms(self, spot: Spot, classes: tuple[str, ...], reservation: Reservation | None) -> Terms:
        """What a client of these classes (in the file's order) with this reservation gets at an address of the spot."""
        own = NOTHING if reservation is None else reservation.parameters
        # by identity: hashing them would take longer than laying out the options
        key = (spot, classes, id(own))
        known = self._known.get(key)
        if known is not None:
            return known[1]
        if len(self._known) >= MAX_TERMS:
            self._known.clear()
        parameters = spot.parameters
        for name in reversed(classes):
            if (row := self._classes.get(name)) is not None:
                parameters = row.parameters.over(parameters)
        self._serial += 1
        made = filled(own.over(parameters), self._serial)
        self._known[key] = (own, made)  # both, so that the id is nobody else's
        return made
