"""A report's figures as points of lines: shares over time, rates, distributions. No pixels but the width of a column."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import floor, log10

from relet.lab.storm.axis import Axis
from relet.lab.storm.report import Report

COLUMN = 6.0
"""Pixels over which a rate is averaged."""
GAP = 4
"""Columns and steps without a value that end a line."""
PER_DECADE = 12
"""Columns of a distribution for each factor of ten."""

Point = tuple[float, float]


def bound(report: Report) -> list[Point]:
    """Per cent of the clients that have a lease, at the end of each step until the last was bound."""
    line = report.timeline
    points = [(0.0, 0.0)]
    for step, number in enumerate(line.bound, 1):
        at = min(step * line.step_s, report.seconds) if number == report.bound else step * line.step_s
        points.append((at, 100.0 * number / report.setup.clients))
        if number == report.bound == report.setup.clients:
            break
    return points


def rates(counts: Sequence[int], step_s: float, axis: Axis) -> list[Point]:
    """So many a second, averaged over columns of the axis that are at least a step wide."""
    edges = [axis.low]
    for column in range(1, int((axis.end - axis.start) / COLUMN) + 1):
        edge = axis.value(axis.start + column * COLUMN)
        if edge - edges[-1] >= step_s * 0.999:
            edges.append(edge)
    edges[-1 if len(edges) > 1 and axis.high - edges[-1] < step_s else len(edges) :] = [axis.high]
    whole = [0, *_summed(counts)]

    def by(at: float) -> float:
        """How many there were until then, evenly within a step."""
        place = min(at / step_s, len(counts))
        step = floor(place)
        rest = place - step
        return whole[step] + (rest * counts[step] if rest and step < len(counts) else 0.0)

    last = max((step for step, number in enumerate(counts) if number), default=0) + 1
    points = [((a + b) / 2, (by(b) - by(a)) / (b - a)) for a, b in pairwise(edges) if a < last * step_s]
    return [(axis.low, points[0][1]), *points] if points else []


def latencies(report: Report) -> list[Point]:
    """(seconds, per cent of the answers that took about as long), in equal columns of a logarithmic axis."""
    columns: dict[int, int] = {}
    for seconds, number in report.latency.histogram:
        column = floor(log10(seconds) * PER_DECADE)
        columns[column] = columns.get(column, 0) + number
    if not columns:
        return []
    each = range(min(columns) - 1, max(columns) + 2)
    return [(10 ** ((at + 0.5) / PER_DECADE), 100 * columns.get(at, 0) / report.latency.count) for at in each]


def over_time(values: Iterable[float | None], step_s: float, axis: Axis) -> list[list[Point]]:
    """The greatest value of each column of the axis, as lines that end where nothing is for a while."""
    columns: dict[int, tuple[float, float]] = {}
    for step, value in enumerate(values):
        if value is not None:
            at = (step + 0.5) * step_s
            column = int((axis.at(at) - axis.start) / COLUMN)
            columns[column] = max((value, at), columns.get(column, (0.0, at)))
    lines: list[list[Point]] = []
    before = (-GAP, -GAP * step_s)
    for column, (value, at) in sorted(columns.items()):
        if column - before[0] >= GAP and at - before[1] > GAP * step_s:
            lines.append([])
        lines[-1].append((at, value))
        before = (column, at)
    return lines


def _summed(counts: Iterable[int]) -> Iterator[int]:
    total = 0
    for number in counts:
        total += number
        yield total
