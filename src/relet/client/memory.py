"""What a client remembers: one lease for each network that it has been on, newest first.

Which network a lease belongs to is told by its subnet and its gateway's hardware address (RFC 4436 s2); where that is not
known of both of two leases, by subnet and server. A lease is new until its gateway is known, so two homes that use the same
private addresses keep a lease each.
Pure functions over a tuple that is never longer than MAX_NETWORKS, and never much larger than MAX_OCTETS.
"""

from itertools import accumulate

from relet.model.effects import Binding, Gateway, Remembered

MAX_NETWORKS = 16
"""Leases remembered; with one more the oldest goes."""

MAX_OCTETS = 1 << 16
"""Octets of options in all of them; beyond that the oldest go, but never the newest. A usual lease has some hundred."""

Leases = tuple[Remembered, ...]


def remember(leases: Leases, new: Remembered) -> Leases:
    """`new` becomes the newest; an older lease of its network is gone, and the oldest of all if they were too many."""
    return bounded((new, *(lease for lease in leases if not replaces(new, lease))))


def bounded(leases: Leases) -> Leases:
    """The newest of them, as many as are remembered."""
    octets = accumulate(sum(map(len, lease.binding.options.values())) for lease in leases[1:MAX_NETWORKS])
    return leases[: 1 + sum(1 for so_far in octets if so_far <= MAX_OCTETS)]


def replaces(new: Remembered, older: Remembered) -> bool:
    """Was the newer lease granted on the network of the older one, as far as can be told?"""
    if new.binding.prefix() != older.binding.prefix():
        return False
    if older.gateway:
        return new.gateway is not None and new.gateway.mac == older.gateway.mac
    return new.binding.server == older.binding.server


def valid(leases: Leases, wall: float) -> Leases:
    """Those that have not run out. One from the future stays: a host without a clock of its own starts in the past."""
    return tuple(lease for lease in leases if wall < lease.binding.expires())


def by_gateway(leases: Leases, gateway: Gateway) -> Remembered | None:
    """The newest lease of the network whose gateway this is, by both of its addresses."""
    return next((lease for lease in leases if lease.gateway == gateway), None)


def by_server(leases: Leases, server: int) -> Remembered | None:
    """The newest lease that this server granted."""
    return next((lease for lease in leases if lease.binding.server == server), None)


def forget(leases: Leases, gone: Remembered) -> Leases:
    """All but this lease and what is left of earlier grants of it: it was given back, ran out, or another host has it."""
    return tuple(each for each in leases if not _same(each, gone))


def _same(one: Remembered, other: Remembered) -> bool:
    """Are both leases of one address on one network, as far as can be told?"""
    if one.binding.address != other.binding.address or one.binding.prefix() != other.binding.prefix():
        return False
    if one.gateway and other.gateway:
        return one.gateway.mac == other.gateway.mac
    return one.binding.server == other.binding.server


def without(leases: Leases, binding: Binding) -> Leases:
    """All but this very grant."""
    return tuple(lease for lease in leases if lease.binding != binding)
