"""Addresses of routers, servers and relays against the pools: nobody is told of a router out of reach, and no client is
given the address of the name server.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from relet.config.draft import Draft, PlacedClass, PlacedReservation, PlacedSubnet
from relet.config.options import routers_of
from relet.config.report import Report
from relet.model.network import Network, Parameters, Subnet
from relet.model.ranges import Ranges
from relet.wire.address import ip_text, mask
from relet.wire.options import (
    DOMAIN_NAME_SERVERS,
    NETBIOS_NAME_SERVERS,
    NTP_SERVERS,
    TFTP_SERVER_ADDRESS,
    Option,
)

_SERVERS: tuple[tuple[Option, str], ...] = (
    (DOMAIN_NAME_SERVERS, "a name server"),
    (NTP_SERVERS, "a time server"),
    (NETBIOS_NAME_SERVERS, "a NetBIOS name server"),
    (TFTP_SERVER_ADDRESS, "a TFTP server"),
)
_HOST_WIDTH = 32
"""A subnet of one address: its router is always elsewhere, and clients of such links know how to reach it."""


def check_infrastructure(
    drafts: Sequence[Draft],
    everywhere: Sequence[PlacedReservation],
    classes: Sequence[PlacedClass],
    listen: Sequence[int],
    report: Report,
) -> Ranges:
    """Routers within reach; gateways, servers, relays and this machine in no pool, unless they have a reservation.

    everywhere, classes: those of the whole file.
    Returns the addresses that are to be left out of pools that were written as a prefix.
    """
    for draft in drafts:
        if draft.complete:
            _routers(draft, report)
    meanings = dict.fromkeys(listen, "an address of this machine (listen)")
    for draft in drafts:
        meanings |= dict.fromkeys(draft.network.relays, "a relay")
        for each in draft.subnets:
            meanings |= {
                address: meaning for address, meaning in _servers(each.subnet.parameters) if address not in meanings
            }
    meanings = {**dict(_gateways(drafts, everywhere, classes)), **meanings}
    kept = [*everywhere, *(each for draft in drafts for each in draft.reservations)]
    reserved = {each.reservation.address for each in kept}
    subnets = sorted((each for draft in drafts for each in draft.subnets), key=lambda each: each.subnet.prefix)
    starts = [each.subnet.prefix for each in subnets]
    spared: list[tuple[int, int]] = []
    for address, meaning in sorted(meanings.items()):
        at = bisect_right(starts, address) - 1
        if at < 0 or address in reserved:
            continue
        if address in subnets[at].whole:
            spared.append((address, address))
        else:
            _in_pool(address, meaning, subnets[at], report)
    return Ranges.of(spared)


def sparing(network: Network, addresses: Ranges) -> Network:
    """The network less some addresses in its pools."""
    if not addresses:
        return network

    def less(subnet: Subnet) -> Subnet:
        pools = tuple(replace(pool, addresses=pool.addresses.less(addresses)) for pool in subnet.pools)
        return replace(subnet, pools=tuple(pool for pool in pools if pool.addresses))

    return replace(network, subnets=tuple(less(each) for each in network.subnets))


def _routers(draft: Draft, report: Report) -> None:
    """Every router lies in some subnet of the network, or clients cannot reach it (RFC 1122 s3.3.1.1)."""
    told: set[int] = set()
    for each in draft.subnets:
        if each.subnet.width == _HOST_WIDTH:
            continue
        for router in routers_of(each.subnet.parameters.options):
            if router not in told and draft.network.subnet_of(router) is None:
                told.add(router)
                what = f"router {ip_text(router)} lies in no subnet of the network, so no client can reach it"
                report.add((*each.path, "options", "routers"), each.where, what, "write a router on the link")


def _servers(parameters: Parameters) -> Iterator[tuple[int, str]]:
    """(address, what it is) of the servers that clients are told of."""
    if parameters.next_server:
        yield parameters.next_server, "the boot server (next-server)"
    for option, meaning in _SERVERS:
        octets = parameters.options.get(option.code, b"")
        for at in range(0, len(octets) - 3, 4):
            yield int.from_bytes(octets[at : at + 4], "big"), meaning


def _gateways(
    drafts: Sequence[Draft], everywhere: Sequence[PlacedReservation], classes: Sequence[PlacedClass]
) -> Iterator[tuple[int, str]]:
    """(address, what it is) of the routers that a class or a reservation tells its clients of."""
    said = [(each.where, each.row.parameters) for each in classes]
    said += [(each.where, each.reservation.parameters) for each in everywhere]
    for where, parameters in said:
        yield from ((router, f"a gateway of {where}") for router in routers_of(parameters.options))
    for draft in drafts:
        for each in draft.reservations:
            for router in routers_of(each.reservation.parameters.options):
                if draft.network.subnet_of(router) is not None:
                    yield router, f"a gateway of {each.where}"


def _in_pool(address: int, meaning: str, placed: PlacedSubnet, report: Report) -> None:
    subnet = placed.subnet
    if address & mask(subnet.width) == subnet.prefix and subnet.pool_of(address) is not None:
        what = f"a pool contains {ip_text(address)}, which is {meaning}"
        instead = f'write exclude = ["{ip_text(address)}"] in the subnet, or reserve it for that host'
        report.add((*placed.path, "pools"), placed.where, what, instead)
