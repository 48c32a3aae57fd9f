"""What must hold between the parts of a configuration: nothing twice, nothing overlapping, nothing out of place.

Every check reports and goes on. What is wrong with one value alone was found before and does not come here.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence

from relet.config.draft import Draft, PlacedReservation, PlacedSubnet
from relet.config.lines import Path
from relet.config.options import routers_of
from relet.config.pools import Ground, overlaps
from relet.config.report import Report
from relet.model.network import Subnet
from relet.wire.address import BROADCAST, ip_text, mask


def check_networks(drafts: Sequence[Draft], everywhere: Sequence[PlacedReservation], report: Report) -> None:
    """All checks between networks and inside each. everywhere: the reservations of the whole file."""
    _names(drafts, report)
    _interfaces(drafts, report)
    _relays(drafts, report)
    _subnets(drafts, report)
    _reserved_addresses([*(each for draft in drafts for each in draft.reservations), *everywhere], report)
    _clients(
        everywhere, "a client has one reservation for everywhere; write others under [[network.reservation]]", report
    )
    _reserved_everywhere(drafts, everywhere, report)
    for draft in drafts:
        _clients(draft.reservations, "a client has one reservation in a network", report)
        _reservations(draft, report)
        _hostnames(draft, report)


def _names(drafts: Sequence[Draft], report: Report) -> None:
    named = [(draft.network.name, (*draft.path, "name"), draft.where) for draft in drafts if draft.network.name]
    for path, where, before in _repeated(named):
        report.add(
            path, where, f"the network of {report.place(before, path)} has this name too", "give it another name"
        )


def _interfaces(drafts: Sequence[Draft], report: Report) -> None:
    heard = [
        (name, (*draft.path, "interfaces", position), draft.where)
        for draft in drafts
        for position, name in enumerate(draft.network.interfaces)
    ]
    for path, where, before in _repeated(heard):
        what = f"the interface is in {report.place(before, path)} already"
        report.add(path, where, what, "an interface belongs to one network; put both prefixes into one [[network]]")


def _relays(drafts: Sequence[Draft], report: Report) -> None:
    relays = [
        (relay, (*draft.path, "relays", position), draft.where)
        for draft in drafts
        for position, relay in enumerate(draft.network.relays)
    ]
    for path, where, before in _repeated(relays):
        report.add(
            path,
            where,
            f"the relay is in {report.place(before, path)} already",
            "a relay address belongs to one network",
        )
    for draft in drafts:
        for position, relay in enumerate(draft.network.relays):
            for other in drafts:
                if other is not draft and other.network.subnet_of(relay):
                    what = f"relay {ip_text(relay)} lies in a subnet of {other.where}"
                    report.add((*draft.path, "relays", position), draft.where, what, "list it there or nowhere")


def _subnets(drafts: Sequence[Draft], report: Report) -> None:
    placed = _placed_subnets(drafts)
    spans = (
        (each.subnet.prefix, each.subnet.prefix | ~mask(each.subnet.width) & BROADCAST, position)
        for position, each in enumerate(placed)
    )
    for pair in overlaps(spans):
        before, after = (placed[position] for position in sorted(pair))
        what = f"overlaps with {before.subnet.text} of {report.place(before.path, after.path)}"
        report.add((*after.path, "prefix"), after.where, what, "an address belongs to one subnet")


def _reserved_addresses(reservations: Sequence[PlacedReservation], report: Report) -> None:
    """Each once, unless all who have it say that they share it."""
    first: dict[int, PlacedReservation] = {}
    for each in reservations:
        if not each.reservation.address:
            continue
        before = first.setdefault(each.reservation.address, each)
        if before is not each and not (before.shared and each.shared):
            what = f"the address is reserved in {report.place((*before.path, 'address'), each.path)} already"
            instead = "reserve it once, or write shared = true in each of them"
            report.add((*each.path, "address"), each.where, what, instead)


def _clients(reservations: Sequence[PlacedReservation], instead: str, report: Report) -> None:
    keys = [
        ((each.reservation.by, each.reservation.key), (*each.path, each.setting), each.where)
        for each in reservations
        if each.reservation.key
    ]
    for path, where, before in _repeated(keys):
        report.add(path, where, f"the client has a reservation in {report.place(before, path)} already", instead)


def _reserved_everywhere(drafts: Sequence[Draft], everywhere: Sequence[PlacedReservation], report: Report) -> None:
    """An address of a reservation for everywhere lies in one of the networks, and a host may have it."""
    complete = bool(drafts) and all(draft.complete for draft in drafts)
    spans = sorted((each.subnet.prefix, position) for position, each in enumerate(_placed_subnets(drafts)))
    subnets = _placed_subnets(drafts)
    for each in everywhere:
        address = each.reservation.address
        at = bisect_right(spans, (address, len(subnets))) - 1
        subnet = subnets[spans[at][1]].subnet if at >= 0 else None
        if address and (subnet is None or address & mask(subnet.width) != subnet.prefix):
            if complete:
                what, instead = "lies in no subnet of any network", "write an address of one of them, or leave it out"
                report.add((*each.path, "address"), each.where, what, instead)
        elif subnet is not None and address:
            _of_a_host(each, subnet, report)


def _reservations(draft: Draft, report: Report) -> None:
    prefixes = ", ".join(subnet.text for subnet in draft.network.subnets)
    for each in draft.reservations:
        address = each.reservation.address
        if not address:
            continue
        subnet = draft.network.subnet_of(address)
        if subnet is not None:
            _of_a_host(each, subnet, report)
        elif draft.complete and prefixes:
            report.add((*each.path, "address"), each.where, "lies in none of the network's subnets", f"have {prefixes}")


def _hostnames(draft: Draft, report: Report) -> None:
    """A name belongs to one client of a network, unless two share an address."""
    first: dict[str, PlacedReservation] = {}
    for each in draft.reservations:
        name = each.reservation.hostname.lower()
        if not name:
            continue
        before = first.setdefault(name, each)
        if before is not each and not (each.shared and each.reservation.address == before.reservation.address):
            what = f"the hostname is reserved in {report.place((*before.path, 'hostname'), each.path)} already"
            report.add((*each.path, "hostname"), each.where, what, "give it another name")


def _of_a_host(each: PlacedReservation, subnet: Subnet, report: Report) -> None:
    ground = Ground.of(subnet.prefix, subnet.width, routers_of(subnet.parameters.options))
    meaning = ground.special.get(each.reservation.address)
    if meaning:
        report.add((*each.path, "address"), each.where, f"is the {meaning} of its subnet", "reserve another address")


def _placed_subnets(drafts: Sequence[Draft]) -> list[PlacedSubnet]:
    return [each for draft in drafts for each in draft.subnets]


def _repeated(placed: Iterable[tuple[Hashable, Path, str]]) -> Iterator[tuple[Path, str, Path]]:
    """(path, where, path of the first) for everything that was there before."""
    first: dict[Hashable, Path] = {}
    for thing, path, where in placed:
        before = first.setdefault(thing, path)
        if before is not path:
            yield path, where, before
