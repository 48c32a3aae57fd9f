"""What a client remembers: one lease for each network that it has been on, newest first.

Which network a lease belongs to is told by its subnet and its gateway's hardware address (RFC 4436 s2); where that is not
known of both of two leases, by subnet and server. Two homes that use the same private addresses are then taken for one,
which costs a lease; the other way round, a lease that its network has replaced would be tried again.
Pure functions over a tuple that is never longer than MAX_NETWORKS.
"""

from relet.model.effects import Binding, Gateway, Remembered

MAX_NETWORKS = 16
"""Leases remembered; with one more the oldest goes."""

Leases = tuple[Remembered, ...]


def remember(leases: Leases, new: Remembered) -> Leases:
    """`new` becomes the newest; an older lease of its network is gone, and the oldest of all if they were too many."""
    return (new, *(lease for lease in leases if not same_network(lease, new)))[:MAX_NETWORKS]


def same_network(one: Remembered, other: Remembered) -> bool:
    """Were both granted on one network, as far as can be told?"""
    if one.binding.prefix() != other.binding.prefix():
        return False
    if one.gateway and other.gateway:
        return one.gateway.mac == other.gateway.mac
    return one.binding.server == other.binding.server


def valid(leases: Leases, wall: float) -> Leases:
    """Those that have not run out. One from the future stays: a host without a clock of its own starts in the past."""
    return tuple(lease for lease in leases if wall < lease.binding.expires())


def by_gateway(leases: Leases, gateway: Gateway) -> Remembered | None:
    """The newest lease of the network whose gateway this is, by both of its addresses."""
    return next((lease for lease in leases if lease.gateway == gateway), None)


def by_server(leases: Leases, server: int) -> Remembered | None:
    """The newest lease that this server granted."""
    return next((lease for lease in leases if lease.binding.server == server), None)


def without(leases: Leases, binding: Binding) -> Leases:
    """All but this lease: it was given back, or somebody else has its address."""
    return tuple(lease for lease in leases if lease.binding != binding)
