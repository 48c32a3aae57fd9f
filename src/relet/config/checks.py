"""What must hold between the parts of a configuration: nothing twice, nothing overlapping, nothing out of place.

Every check reports and goes on. What is wrong with one value alone was found before and does not come here.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from relet.config.draft import Draft
from relet.config.lines import Path
from relet.config.options import POINT_TO_POINT_WIDTH, routers_of
from relet.config.report import Report
from relet.config.values import Pool
from relet.model.network import Subnet
from relet.model.ranges import Ranges
from relet.wire.address import BROADCAST, ip_text, mask

T = TypeVar("T")


def check_networks(drafts: Sequence[Draft], report: Report) -> None:
    """All checks between networks and inside each."""
    _names(drafts, report)
    _interfaces(drafts, report)
    _relays(drafts, report)
    _subnets(drafts, report)
    _reserved_addresses(drafts, report)
    for draft in drafts:
        _reservations(draft, report)


def read_pools(
    pools: Sequence[Pool], prefix: tuple[int, int], routers: Iterable[int], path: Path, where: str, report: Report
) -> Ranges:
    """The addresses of a subnet's pools less those that no client may have."""
    first, last = span(*prefix)
    special = _special(*prefix, routers)
    placed: list[tuple[int, int, int]] = []
    for position, pool in enumerate(pools):
        here = (*path, "pools", position)
        if pool.first < first or pool.last > last:
            report.add(here, where, f"pool {pool} is not inside the prefix", f"the prefix holds {Pool(first, last)}")
            continue
        placed.append((pool.first, pool.last, position))
        inside = [address for address in special if pool.first <= address <= pool.last and not pool.whole]
        left = _less(Ranges.of([pool[:2]]), inside)
        for address in inside:
            what = f"pool {pool} contains the {special[address]} {ip_text(address)}"
            report.add(here, where, what, f"write {left}" if left else "leave it out")
    for one, other in overlaps(placed):
        report.add(
            (*path, "pools", other), where, f"pool {pools[other]} overlaps with pool {pools[one]}", "join the two"
        )
    return _less(Ranges.of((start, end) for start, end, _ in placed), special)


def span(prefix: int, width: int) -> tuple[int, int]:
    """First and last address of a prefix."""
    return prefix, prefix | ~mask(width) & BROADCAST


def overlaps(spans: Iterable[tuple[int, int, T]]) -> Iterator[tuple[T, T]]:
    """Pairs that overlap among (first, last, thing): each thing at most once as the second of a pair."""
    furthest = -1
    reaching: T | None = None
    for first, last, thing in sorted(spans, key=lambda each: each[:2]):
        if first <= furthest and reaching is not None:
            yield reaching, thing
        if last > furthest:
            furthest, reaching = last, thing


def _less(ranges: Ranges, addresses: Iterable[int]) -> Ranges:
    for address in addresses:
        ranges = ranges.without(address)
    return ranges


def _special(prefix: int, width: int, routers: Iterable[int]) -> dict[int, str]:
    first, last = span(prefix, width)
    special = {address: "gateway" for address in routers if first <= address <= last}
    if width < POINT_TO_POINT_WIDTH:
        special |= {first: "network address", last: "broadcast address"}
    return special


def _names(drafts: Sequence[Draft], report: Report) -> None:
    named = [(draft.network.name, (*draft.path, "name"), draft.where) for draft in drafts if draft.network.name]
    for path, where, before in _repeated(named):
        report.add(path, where, f"the network of {report.place(before)} has this name too", "give it another name")


def _interfaces(drafts: Sequence[Draft], report: Report) -> None:
    heard = [
        (name, (*draft.path, "interfaces", position), draft.where)
        for draft in drafts
        for position, name in enumerate(draft.network.interfaces)
    ]
    for path, where, before in _repeated(heard):
        what = f"the interface is in {report.place(before)} already"
        report.add(path, where, what, "an interface belongs to one network; put both prefixes into one [[network]]")


def _relays(drafts: Sequence[Draft], report: Report) -> None:
    relays = [
        (relay, (*draft.path, "relays", position), draft.where)
        for draft in drafts
        for position, relay in enumerate(draft.network.relays)
    ]
    for path, where, before in _repeated(relays):
        report.add(
            path, where, f"the relay is in {report.place(before)} already", "a relay address belongs to one network"
        )
    for draft in drafts:
        for position, relay in enumerate(draft.network.relays):
            for other in drafts:
                if other is not draft and other.network.subnet_of(relay):
                    what = f"relay {ip_text(relay)} lies in a subnet of {other.where}"
                    report.add((*draft.path, "relays", position), draft.where, what, "list it there or nowhere")


def _subnets(drafts: Sequence[Draft], report: Report) -> None:
    placed = [each for draft in drafts for each in draft.subnets]
    spans = ((*span(each.subnet.prefix, each.subnet.width), position) for position, each in enumerate(placed))
    for pair in overlaps(spans):
        before, after = (placed[position] for position in sorted(pair))
        what = f"overlaps with {_prefix_text(before.subnet)} of {report.place(before.path)}"
        report.add((*after.path, "prefix"), after.where, what, "an address belongs to one subnet")


def _reserved_addresses(drafts: Sequence[Draft], report: Report) -> None:
    reserved = [
        (each.reservation.address, (*each.path, "address"), each.where)
        for draft in drafts
        for each in draft.reservations
    ]
    for path, where, before in _repeated(reserved):
        report.add(path, where, f"the address is reserved in {report.place(before)} already", "reserve it once")


def _reservations(draft: Draft, report: Report) -> None:
    keys = [
        ((each.reservation.by, each.reservation.key), (*each.path, each.reservation.by), each.where)
        for each in draft.reservations
    ]
    for path, where, before in _repeated(keys):
        what = f"the client has a reservation in {report.place(before)} already"
        report.add(path, where, what, "a client has one reservation in a network")
    prefixes = ", ".join(_prefix_text(subnet) for subnet in draft.network.subnets)
    for each in draft.reservations:
        address = each.reservation.address
        subnet = draft.network.subnet_of(address)
        if subnet is None:
            if draft.complete and prefixes:
                report.add(
                    (*each.path, "address"), each.where, "lies in none of the network's subnets", f"have {prefixes}"
                )
            continue
        meaning = _special(subnet.prefix, subnet.width, routers_of(subnet.parameters.options)).get(address)
        if meaning:
            report.add(
                (*each.path, "address"), each.where, f"is the {meaning} of its subnet", "reserve another address"
            )


def _repeated(placed: Iterable[tuple[Hashable, Path, str]]) -> Iterator[tuple[Path, str, Path]]:
    """(path, where, path of the first) for everything that was there before."""
    first: dict[Hashable, Path] = {}
    for thing, path, where in placed:
        before = first.setdefault(thing, path)
        if before is not path:
            yield path, where, before


def _prefix_text(subnet: Subnet) -> str:
    return f"{ip_text(subnet.prefix)}/{subnet.width}"
