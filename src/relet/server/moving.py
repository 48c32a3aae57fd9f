"""Who has to move to another address and has not arrived there: a question about leases and networks, not about requests.

A lease does not record everything that a reservation, a class or a guard may ask for. What it does record (client, hardware,
host name, relay information) is put into the request that its client would send; what only other options can tell is told
once the client has asked.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from relet.errors import WireError
from relet.model import reasons as why
from relet.model.ident import ClientKey, key_text
from relet.model.lease import Lease
from relet.model.network import Network, Reservation
from relet.server.identify import Site
from relet.wire.address import ip_text
from relet.wire.message import BOOTREQUEST, Message
from relet.wire.options import CLIENT_IDENTIFIER, HOST_NAME, RELAY_AGENT_INFORMATION


class Mover(msgspec.Struct, frozen=True):
    """A client that has to leave its address.

    to: the address that it will find, 0 for any that is free. held: that one is in use by another or in quarantine, so the
    client stays where it is until it is free. since: wall time of its first renewal after the change, None if there was
    none.
    """

    lease: Lease
    to: int = 0
    held: bool = False
    since: int | None = None


class Move(msgspec.Struct, frozen=True):
    """A `Mover` in words. to: 'any' where every free address will do. since: of its first renewal, None before it; until:
    of its lease; wall time."""

    address: str
    client: str
    hostname: str
    network: str
    to: str
    held: bool
    since: int | None
    until: int


def told(found: Mover) -> Move:
    """A mover as people and programs read it."""
    lease = found.lease
    to = ip_text(found.to) if found.to else "any"
    client = key_text(lease.client)
    return Move(
        ip_text(lease.address), client, lease.hostname, lease.network, to, found.held, found.since, lease.expires
    )


def mover(
    lease: Lease,
    site: Site,
    known: Callable[[int], Lease | None],
    wall: float,
    kept: Mapping[ClientKey, int] = MappingProxyType({}),
) -> Mover | None:
    """Has the holder of this lease to move? known: what the store has on an address. kept: addresses that the operator keeps
    for clients by hand."""
    if not lease.holds(wall):
        return None
    since = lease.starts if lease.reason == why.MOVING.id else None
    row = named_by(lease, site)
    to = row.address if row is not None else 0
    if not to or site.network.subnet_of(to) is None:
        to = kept.get(lease.client, 0)
    if to == lease.address:
        return None
    if to and site.network.subnet_of(to) is not None:
        there = known(to)
        taken = there is not None and there.client != lease.client and there.holds(wall)
        held = taken or (there is not None and there.quarantined(wall))
        return Mover(lease, to, held, since)
    if since is not None or lease.address in site.reserved or not _pooled(site.network, lease.address):
        return Mover(lease, since=since)
    return None


def offline(network: Network) -> tuple[str, ...]:
    """What of a network's configuration no lease records: the clients that it moves are only known when they ask."""
    rows = (*network.reservations, *network.everywhere)
    options = sorted({row.by for row in rows if row.by.startswith("option-")})
    guards = any(pool.allow or pool.deny for subnet in network.subnets for pool in subnet.pools)
    kept_out = network.allow or network.deny or any(row.refuse for row in network.classes)
    return (
        *(f"reservations by {by}" for by in options),
        *(("pools kept for classes",) if guards else ()),
        *(("classes that are not served",) if kept_out else ()),
    )


def _pooled(network: Network, address: int) -> bool:
    subnet = network.subnet_of(address)
    return subnet is not None and subnet.pool_of(address) is not None


def named_by(lease: Lease, site: Site) -> Reservation | None:
    """The reservation that names the client of a lease, as far as that can tell."""
    try:
        return site.reservations.of(request_of(lease), lease.relay or None)
    except WireError:  # broken relay information on record
        return None


def request_of(lease: Lease) -> Message:
    """A request as the holder of a lease would send it, as far as that is on record."""
    options = {}
    if lease.client[:1] == b"i":
        options[CLIENT_IDENTIFIER.code] = lease.client[1:]
    if lease.hostname:
        options[HOST_NAME.code] = lease.hostname.encode()
    if lease.relay:
        options[RELAY_AGENT_INFORMATION.code] = lease.relay
    hardware = lease.hardware or (lease.client[1:] if lease.client[:1] == b"h" else b"\0")
    return Message(op=BOOTREQUEST, xid=0, htype=hardware[0], chaddr=hardware[1:17], options=options)
