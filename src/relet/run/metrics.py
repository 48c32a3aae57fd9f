"""The server's figures as Prometheus reads them: one row for each metric, each read when somebody asks.

The text is written here and needs no library: the format is a few lines (Prometheus exposition format 0.0.4), and the
road must not wait for more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from sys import version_info
from typing import Literal, NamedTuple, Protocol

from relet import __version__
from relet.run.figures import Figures, Histogram
from relet.run.intake import Intake
from relet.run.loop import Loop
from relet.run.reload import Reload
from relet.server.engine import Engine
from relet.server.usage import PoolUsage

Labels = tuple[tuple[str, str], ...]


class Scraped(Protocol):
    """The server, as far as metrics need it. started: wall time."""

    engine: Engine
    loop: Loop
    figures: Figures
    started: float
    reloading: Reload
    intake: Intake

    def drops(self) -> Counter[str]: ...


class Seen(NamedTuple):
    """What one scrape looks at. pools: how full they are."""

    server: Scraped
    pools: list[PoolUsage]


class Metric(NamedTuple):
    """A row. read: (labels, value) of each sample; labels: their names, for the documents."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...]
    read: Callable[[Seen], Iterable[tuple[Labels, float | Histogram]]]


def _one(value: float | Histogram) -> list[tuple[Labels, float | Histogram]]:
    return [((), value)]


def _build(_: Seen) -> list[tuple[Labels, float | Histogram]]:
    python = ".".join(map(str, version_info[:3]))
    return [((("version", __version__), ("python", python)), 1)]


def _answers(seen: Seen) -> Iterator[tuple[Labels, float | Histogram]]:
    for (request, answer, reason), count in seen.server.engine.counts.items():
        yield (("request", request), ("answer", answer), ("reason", reason)), count


def _drops(seen: Seen) -> Iterator[tuple[Labels, float | Histogram]]:
    for name, count in seen.server.drops().items():
        yield (("reason", name),), count


def _pools(count: Callable[[PoolUsage], float]) -> Callable[[Seen], Iterable[tuple[Labels, float | Histogram]]]:
    """One number of every pool."""

    def read(seen: Seen) -> Iterator[tuple[Labels, float | Histogram]]:
        for pool in seen.pools:
            yield (("network", pool.network), ("subnet", pool.subnet), ("pool", pool.pool)), count(pool)

    return read


_POOL = ("network", "subnet", "pool")

METRICS = (
    Metric("relet_build_info", "gauge", "Always 1; which relet this is.", ("version", "python"), _build),
    Metric(
        "relet_start_time_seconds",
        "gauge",
        "When the server started, in seconds since 1970.",
        (),
        lambda seen: _one(seen.server.started),
    ),
    Metric(
        "relet_verdicts_total",
        "counter",
        "Requests decided, by kind of request, answer (ACK, NAK, OFFER or SILENT) and reason.",
        ("request", "answer", "reason"),
        _answers,
    ),
    Metric(
        "relet_dropped_datagrams_total", "counter", "Datagrams thrown away, by what was wrong.", ("reason",), _drops
    ),
    Metric(
        "relet_batch_datagrams",
        "histogram",
        "Datagrams that a socket held at once.",
        (),
        lambda seen: _one(seen.server.figures.batch),
    ),
    Metric(
        "relet_commit_duration_seconds",
        "histogram",
        "Time until the changes of a batch were safe in the store, or had failed.",
        (),
        lambda seen: _one(seen.server.figures.commit),
    ),
    Metric(
        "relet_answer_duration_seconds",
        "histogram",
        "Time from when a batch was taken up until its last reply was sent.",
        (),
        lambda seen: _one(seen.server.figures.answer),
    ),
    Metric(
        "relet_backlog_requests",
        "gauge",
        "Requests that wait because more come than can be served.",
        (),
        lambda seen: _one(len(seen.server.intake.backlog)),
    ),
    Metric(
        "relet_backlog_wait_seconds",
        "histogram",
        "Of each batch that was served out of the backlog, how long its oldest request waited.",
        (),
        lambda seen: _one(seen.server.figures.wait),
    ),
    Metric(
        "relet_store_up",
        "gauge",
        "1 while the store works, 0 while it fails and nothing is allocated.",
        (),
        lambda seen: _one(0 if seen.server.engine.store_error else 1),
    ),
    Metric(
        "relet_starting",
        "gauge",
        "1 while the server still reads its leases after a start and confirms only those, then 0.",
        (),
        lambda seen: _one(1 if seen.server.engine.starting is not None else 0),
    ),
    Metric("relet_pool_size", "gauge", "Addresses of a pool.", _POOL, _pools(lambda pool: pool.size)),
    Metric("relet_pool_used", "gauge", "Of those, leased.", _POOL, _pools(lambda pool: pool.used)),
    Metric(
        "relet_pool_offered",
        "gauge",
        "Of those, on offer and not yet accepted.",
        _POOL,
        _pools(lambda pool: pool.offered),
    ),
    Metric(
        "relet_pool_declined",
        "gauge",
        "Of those, found in use and in quarantine.",
        _POOL,
        _pools(lambda pool: pool.declined),
    ),
    Metric(
        "relet_pool_reserved",
        "gauge",
        "Of those, kept for somebody by a reservation.",
        _POOL,
        _pools(lambda pool: pool.reserved),
    ),
    Metric(
        "relet_pool_free",
        "gauge",
        "Of those, free: the size less all of the others.",
        _POOL,
        _pools(lambda pool: pool.free),
    ),
    Metric(
        "relet_last_reload_success",
        "gauge",
        "0 if the configuration file was refused when it was last read, else 1.",
        (),
        lambda seen: _one(0 if seen.server.reloading.refused else 1),
    ),
    Metric(
        "relet_bugs_total",
        "counter",
        "Datagrams that met a bug of relet; please report them.",
        (),
        lambda seen: _one(seen.server.engine.drops["bug"]),
    ),
    Metric(
        "relet_loop_faults_total",
        "counter",
        "Steps of the server's loop that met a bug of relet; please report them.",
        (),
        lambda seen: _one(seen.server.loop.faults),
    ),
)


def exposition(server: Scraped) -> bytes:
    """All metrics of a server as text."""
    seen = Seen(server, server.engine.usage())
    return "".join(line for metric in METRICS for line in _lines(metric, seen)).encode()


def _lines(metric: Metric, seen: Seen) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.about}\n"
    yield f"# TYPE {metric.name} {metric.kind}\n"
    for labels, value in metric.read(seen):
        if isinstance(value, Histogram):
            yield from _histogram(metric.name, value)
        else:
            yield f"{metric.name}{_braces(labels)} {value}\n"


def _histogram(name: str, value: Histogram) -> Iterator[str]:
    """Prometheus counts in each bucket all that is below its bound."""
    below = 0
    for bound, count in zip((*map(str, value.bounds), "+Inf"), value.counts, strict=True):
        below += count
        yield f'{name}_bucket{{le="{bound}"}} {below}\n'
    yield f"{name}_sum {value.total}\n"
    yield f"{name}_count {below}\n"


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
