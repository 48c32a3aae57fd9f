"""From what a subnet says of its pools to sets of addresses: nothing outside, nothing twice, no gateway."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from relet.config.admit import admit
from relet.config.lines import Path
from relet.config.options import POINT_TO_POINT_WIDTH, routers_of
from relet.config.parameters import check_times, read_parameters
from relet.config.reading import Reading, check_both
from relet.config.report import Report
from relet.config.schema import PoolTable, SubnetTable
from relet.config.values import Span
from relet.model.network import Parameters, Pool
from relet.model.ranges import Ranges
from relet.wire.address import BROADCAST, ip_text, mask

T = TypeVar("T")
Raw = Mapping[str, object]


class Ground(NamedTuple):
    """The subnet that pools lie in: its first and last address, and addresses that no client may have, with their names."""

    first: int
    last: int
    special: Mapping[int, str]

    @classmethod
    def of(cls, prefix: int, width: int, routers: Iterable[int]) -> "Ground":
        """Of a prefix, with the gateways that its clients are told of."""
        first, last = prefix, prefix | ~mask(width) & BROADCAST
        special = {address: "gateway" for address in routers if first <= address <= last}
        if width < POINT_TO_POINT_WIDTH:
            special |= {first: "network address", last: "broadcast address"}
        return cls(first, last, special)

    def holds(self, span: Span) -> bool:
        """Does it lie inside?"""
        return self.first <= span.first and span.last <= self.last


class _Written(NamedTuple):
    """Ranges of one pool as they were written, each with its place, and where the pool's other settings stand."""

    path: Path
    where: str
    spans: Sequence[tuple[Span, Path]]
    excluded: Ranges
    table: PoolTable | None
    raw: Raw


def read_pools(
    table: SubnetTable, ground: Ground, parameters: Parameters, path: Path, where: str, reading: Reading
) -> tuple[tuple[Pool, ...], Ranges]:
    """The pools of a subnet, and those ranges that were written as a prefix.

    parameters: of the subnet, with all that it inherits.
    """
    report, names = reading.report, reading.names
    outer = _excluded(table.exclude, ground, path, where, report)
    written = list(_written(table, ground, outer, path, where, report))
    _overlaps(written, report)
    pools: list[Pool] = []
    for each in written:
        own = read_parameters(each.table, each.raw, each.path, each.where, reading)
        check_times(own, parameters, each.path, each.where, report)
        allow = tuple(each.table.allow) if each.table else ()
        deny = tuple(each.table.deny) if each.table else ()
        check_both(allow, deny, each.path, each.where, report)
        names.used(allow, (*each.path, "allow"), each.where)
        names.used(deny, (*each.path, "deny"), each.where)
        gateways = {router: "gateway" for router in routers_of(own.options) if ground.first <= router <= ground.last}
        around = ground._replace(special={**ground.special, **gateways})
        inside = [(span.first, span.last) for span, place in each.spans if _placed(span, place, each, around, report)]
        everything = Ranges.of(inside)
        addresses = everything.less(each.excluded)
        if everything and not addresses:
            report.add((*each.path, "exclude"), each.where, "everything is excluded", "leave the pool out")
        addresses = addresses.less(Ranges.of((address, address) for address in around.special))
        if addresses:
            pools.append(Pool(addresses, allow, deny, own.over(parameters)))
    whole = Ranges.of((span.first, span.last) for each in written for span, _ in each.spans if span.whole)
    return tuple(pools), whole


def overlaps(spans: Iterable[tuple[int, int, T]]) -> Iterator[tuple[T, T]]:
    """Pairs that overlap among (first, last, thing): each thing at most once as the second of a pair."""
    furthest = -1
    reaching: T | None = None
    for first, last, thing in sorted(spans, key=lambda each: each[:2]):
        if first <= furthest and reaching is not None:
            yield reaching, thing
        if last > furthest:
            furthest, reaching = last, thing


def _written(
    table: SubnetTable, ground: Ground, outer: Ranges, path: Path, where: str, report: Report
) -> Iterator[_Written]:
    """The short form first, then the tables."""
    if table.pools:
        spans = [(span, (*path, "pools", position)) for position, span in enumerate(table.pools)]
        yield _Written(path, where, spans, outer, None, {})
    for position, raw in enumerate(table.pool):
        here = (*path, "pool", position)
        there = f"{where}, pool {raw.get('range', position + 1)}"
        own = admit(PoolTable, raw, here, there, report)
        if own is None:
            continue
        spans = [(span, (*here, "ranges", number)) for number, span in enumerate(own.ranges)]
        if own.range is not None:
            spans.insert(0, (own.range, (*here, "range")))
        if not spans and "range" not in raw and "ranges" not in raw:
            report.add(here, there, "has no addresses", 'write range = "192.168.1.100-192.168.1.199"')
        inner = _excluded(own.exclude, ground, here, there, report)
        yield _Written(here, there, spans, Ranges.of([*outer.pairs(), *inner.pairs()]), own, raw)


def _excluded(spans: Sequence[Span], ground: Ground, path: Path, where: str, report: Report) -> Ranges:
    for position, span in enumerate(spans):
        if not ground.holds(span):
            what = f"exclude {span} is not inside the prefix"
            instead = f"the prefix holds {Span(ground.first, ground.last)}"
            report.add((*path, "exclude", position), where, what, instead)
    return Ranges.of((span.first, span.last) for span in spans)


def _placed(span: Span, path: Path, pool: _Written, ground: Ground, report: Report) -> bool:
    """Is a range of a pool inside the prefix, so that it can be used?"""
    if not ground.holds(span):
        what = f"pool {span} is not inside the prefix"
        report.add(path, pool.where, what, f"the prefix holds {Span(ground.first, ground.last)}")
        return False
    if span.whole:
        return True
    inside = [each for each in sorted(ground.special) if span.first <= each <= span.last and each not in pool.excluded]
    left = Ranges.of([span[:2]]).less(Ranges.of((each, each) for each in inside))
    for address in inside:
        what = f"pool {span} contains the {ground.special[address]} {ip_text(address)}"
        report.add(path, pool.where, what, f"write {left}" if left else "leave it out")
    return True


def _overlaps(written: Sequence[_Written], report: Report) -> None:
    """Between all ranges of a subnet, whichever pool they are of."""
    every = [(span, place, pool.where) for pool in written for span, place in pool.spans]
    placed = ((span.first, span.last, position) for position, (span, _, _) in enumerate(every))
    for pair in overlaps(placed):
        one, other = (every[position] for position in sorted(pair))
        report.add(other[1], other[2], f"pool {other[0]} overlaps with pool {one[0]}", "join the two")
