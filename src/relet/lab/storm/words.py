"""A storm in words: what is about to happen, and the report as lines of text for people; several reports side by side.

Plain text with aligned columns. A line comes with the name of its look, which a terminal may show and a file does not.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from relet.lab.storm.report import Latency, Report, Setup
from relet.lab.storm.wrong import WRONG

BAR = 40
"""Characters of the longest bar."""
DOT = " \N{MIDDLE DOT} "
BLOCKS = " " + "".join(chr(0x258F - eighths) for eighths in range(7)) + "\N{FULL BLOCK}"
"""One to eight eighths of a character."""


class Line(NamedTuple):
    """look: 'title', 'good', 'bad', 'soft', 'bar' or ''."""

    text: str
    look: str = ""


def announcement(setup: Setup, shares: str) -> str:
    """What is about to be done, to whom, and how it ends."""
    where = (
        f"against {setup.server} through {relays_text(setup.relays)}"
        if setup.server
        else f"on the link of {setup.interface}"
    )
    return (
        f"{clients_text(setup.clients)} {doing(setup)} {where}, {crowd_text(setup)}{shares}."
        f" At most {setup.limit_s:g} s; Ctrl-C ends it with the report so far. Seed {setup.seed}."
    )


DOING = {"allocate": "ask for a lease", "reboot": "reboot", "renew": "renew", "mixed": "allocate, reboot and renew"}
ALONE = {
    "allocate": "asks for a lease",
    "reboot": "reboots",
    "renew": "renews",
    "mixed": "allocates, reboots or renews",
}
COMPARED = (
    "work",
    "clients",
    "curve",
    "over_s",
    "window",
    "seed",
    "circuits",
    "models",
    "patience_s",
    "reboot_timeout_s",
)
"""What should be the same in storms that are compared."""


def doing(setup: Setup) -> str:
    """What they do, as many as they are."""
    return (ALONE if setup.clients == 1 else DOING)[setup.work]


def storm_text(setup: Setup) -> str:
    """'400 clients reboot, all at once'."""
    return f"{clients_text(setup.clients)} {doing(setup)}, {crowd_text(setup)}"


def title_text(setups: Sequence[Setup]) -> str:
    """What all of these storms are, or in what they differ."""
    differ = [name for name in COMPARED if len({str(getattr(setup, name)) for setup in setups}) > 1]
    if not differ:
        return storm_text(setups[0])
    return f"{len(setups)} storms that differ in {', '.join(name.removesuffix('_s') for name in differ)}"


def told_apart(reports: Sequence[Report]) -> list[Report]:
    """The reports with a number behind each name that is there more than once."""
    names = [report.setup.name for report in reports]
    return [
        report
        if names.count(name) == 1
        else replace(report, setup=replace(report.setup, name=f"{name} ({names[: place + 1].count(name)})"))
        for place, (name, report) in enumerate(zip(names, reports, strict=True))
    ]


def relays_text(relays: Sequence[str]) -> str:
    """'relay 10.0.0.2', or how many there are."""
    return f"relay {relays[0]}" if len(relays) == 1 else f"{len(relays)} relays from {relays[0]} on"


def crowd_text(setup: Setup) -> str:
    """How they come."""
    if setup.window:
        return f"{setup.window:,} at a time"
    return "all at once" if setup.curve == "at-once" else f"{setup.curve} over {setup.over_s:g} s"


def lines(report: Report) -> list[Line]:
    """The report of one storm."""
    setup = report.setup
    title = f"{setup.name}: {storm_text(setup)}"
    told = [Line(title, "title"), Line("")]
    bound = f"{report.bound:,} of {setup.clients:,}"
    whole = report.bound == setup.clients
    missing = "" if whole else f"{DOT}{ENDS[report.end]} after {report.seconds:.2f} s"
    told.append(Line(f"  {'bound':<11}{bound}{missing}", "good" if whole else "bad"))
    shares = DOT.join(
        f"{'all' if name == 'p100' else name[1:] + ' %'} {seconds_text(at)}" for name, at in report.moments.items()
    )
    told.append(Line(f"  {'by':<11}{shares}{DOT}{report.rate:,.0f} leases a second"))
    told.append(Line(f"  {'sent':<11}{_counts(report.sent)}{_more(report.sent_again, 'of them again')}"))
    begun = f"{begun_text(report)}; the fleet itself was busy {report.busy:.0%}"
    told.append(Line(f"  {'begun':<11}{begun}", "soft"))
    late = _more(report.late, "late") + _more(report.surplus, "surplus")
    told.append(Line(f"  {'answers':<11}{_counts(report.answers)}{late}"))
    told.append(Line(f"  {'latency':<11}{_quantiles(report.latency)}"))
    told.append(Line(f"  {'a client':<11}waited {_quantiles(report.wait)}"))
    if report.kept:
        told.append(Line(f"  {'kept':<11}{report.kept:,} have the address that they had", "soft"))
    told += _doubts(report)
    if report.remembered:
        told.append(Line(""))
        rows = [
            (name, f"{met.clients:,}", f"{met.ack:,}", f"{met.nak:,}", f"{met.silence:,}", f"{met.not_begun:,}")
            for name, met in report.remembered.items()
        ]
        told += [
            Line("  " + row) for row in _table(("remembered", "clients", "ACK", "NAK", "silence", "not begun"), rows)
        ]
    told += [Line(""), *_histogram(report.latency), Line("")]
    return told + _wrong(report)


def begun_text(report: Report) -> str:
    """After how long all were on their way."""
    begun = sum(report.timeline.begun)
    who = "all clients" if begun == report.setup.clients else f"{begun:,} of {clients_text(report.setup.clients)}"
    return f"{who} on their way after {seconds_text(max(0.0, report.begun_s))}"


def clients_text(clients: int) -> str:
    """'1 client', '20,000 clients'."""
    return f"{clients:,} client{'' if clients == 1 else 's'}"


ENDS = {"done": "the others gave up", "limit": "time is over", "interrupted": "interrupted"}


def side_by_side(reports: Sequence[Report]) -> list[Line]:
    """Several storms in one table, the figures below each other."""
    rows: list[tuple[str, ...]] = [
        *(
            (name.removesuffix("_s"), *(_said(getattr(each.setup, name)) for each in reports))
            for name in COMPARED
            if len({str(getattr(each.setup, name)) for each in reports}) > 1
        ),
        ("bound", *(f"{each.bound:,} of {each.setup.clients:,}" for each in reports)),
        *(
            (f"{label} bound after", *(seconds_text(each.moments[name]) for each in reports))
            for name, label in (("p50", "50 %"), ("p90", "90 %"), ("p99", "99 %"), ("p100", "all"))
        ),
        ("leases a second", *(f"{each.rate:,.0f}" for each in reports)),
        ("requests sent", *(f"{sum(each.sent.values()):,}" for each in reports)),
        ("of them again", *(f"{each.sent_again:,}" for each in reports)),
        ("ACK", *(f"{each.answers.get('ACK', 0):,}" for each in reports)),
        ("NAK", *(f"{each.answers.get('NAK', 0):,}" for each in reports)),
        ("late or surplus", *(f"{each.late + each.surplus:,}" for each in reports)),
        *(
            (f"latency {name}", *(seconds_text(getattr(each.latency, name)) for each in reports))
            for name in ("p50", "p99", "max")
        ),
        ("wrong answers", *(f"{sum(wrong.count for wrong in each.wrong.values()):,}" for each in reports)),
    ]
    title = title_text([each.setup for each in reports])
    told = [Line(title, "title"), Line("")]
    told += [Line("  " + row) for row in _table(("", *(each.setup.name for each in reports)), rows)]
    for each in reports:
        if each.wrong:
            told += [Line(""), Line(f"  {each.setup.name}", "title"), *_wrong(each)]
    return told


def _said(said: object) -> str:
    if isinstance(said, dict):
        return ",".join(f"{name}={share}" for name, share in said.items())
    return f"{said:g}" if isinstance(said, float) else str(said)


def seconds_text(seconds: float | None) -> str:
    """'1.23 s', '4.5 ms', '120 us'; 'never' for None."""
    if seconds is None:
        return "never"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


def _counts(counts: dict[str, int]) -> str:
    return f"{sum(counts.values()):,}{''.join(f'{DOT}{name} {number:,}' for name, number in counts.items())}"


def _more(number: int, what: str) -> str:
    return f"{DOT}{number:,} {what}" if number else ""


def _quantiles(latency: Latency) -> str:
    if not latency.count:
        return "nothing to tell"
    return DOT.join(f"{name} {seconds_text(getattr(latency, name))}" for name in ("p50", "p90", "p99", "max"))


def _doubts(report: Report) -> list[Line]:
    """Whatever this machine itself did badly, so that nobody blames the server for it."""
    told = []
    if report.overruns:
        told.append(
            Line(f"  {'lost':<11}{report.overruns:,} answers were lost on this machine: its buffers were full", "bad")
        )
    for name, number in report.unsent.items():
        told.append(Line(f"  {'not sent':<11}{number:,} {name}", "bad"))
    if report.busy > BUSY:
        told.append(Line(f"  {'busy':<11}the fleet may have been the limit, not the server; try --processes 2", "bad"))
    if report.behind_s > LATE_S:
        text = f"up to {seconds_text(report.behind_s)} behind the curve: the fleet was too slow; try --processes 2"
        told.append(Line(f"  {'late':<11}{text}", "bad"))
    return told


BUSY = 0.9
"""A fleet that waits less than the rest of its time measures itself."""
LATE_S = 0.25
"""A crowd that is sent on its way later than this is not the one that was asked for."""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    every = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[at]) for row in every) for at in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in every
    ]


def _histogram(latency: Latency) -> list[Line]:
    """A row for each doubling of the latency."""
    rows: dict[int, int] = {}
    for seconds, number in latency.histogram:
        octave = max(0, int(seconds * 1e6)).bit_length()
        rows[octave] = rows.get(octave, 0) + number
    if not rows:
        return []
    most = max(rows.values())
    return [
        Line(
            f"  < {seconds_text((1 << octave) / 1e6):>8}  {_bar(rows.get(octave, 0) / most)} {rows.get(octave, 0):,}",
            "bar",
        )
        for octave in range(min(rows), max(rows) + 1)
    ]


def _bar(share: float) -> str:
    eighths = round(share * BAR * 8)
    return (BLOCKS[8] * (eighths // 8) + BLOCKS[eighths % 8].strip()) or ("\N{LEFT ONE EIGHTH BLOCK}" if share else "")


def _wrong(report: Report) -> list[Line]:
    if not report.wrong:
        return [Line("  no wrong answers", "good")]
    told = []
    for name, wrong in report.wrong.items():
        told.append(Line(f"  {wrong.count:,} x {name}: {WRONG[name]}", "bad"))
        told += [Line(f"      {example}", "soft") for example in wrong.examples]
    return told
