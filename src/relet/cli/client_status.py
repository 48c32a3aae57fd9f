"""What `relet status IFACE` shows: lease and times left, what the client remembers and drops, its last exchange."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from relet.cli.clients import ask_client
from relet.cli.exchange import show_exchange
from relet.cli.output import show_json, when
from relet.cli.words import printable
from relet.run.plan import UNRESTRICTED
from relet.run.report import Granted, Known, Report, Via
from relet.run.told import duration

Row = tuple[str, str]
"""A name and what is said of it; without a name it belongs to the one before."""


def show_client(iface: str, sockets: Path | None, as_json: bool) -> bool:
    """Print it. Has it an address? Raises ControlError."""
    report = ask_client(iface, sockets, "status", Report)
    if as_json:
        show_json(report)
    else:
        console = Console(highlight=False)
        _show(console, report)
        if report.exchange:
            console.print()
            show_exchange(console, report)
    return report.lease is not None


def headline(report: Report) -> str:
    """'192.168.1.100/24'; nothing without an address."""
    return f"{report.lease.address}/{report.lease.prefix}" if report.lease else ""


def left(report: Report, moment: float | None) -> str:
    """'in 3 h 59 min', '5 s ago', 'never': how far a moment is from when the report was made."""
    if moment is None:
        return "never"
    seconds = moment - report.at
    return f"in {duration(seconds)}" if seconds >= 0 else f"{duration(-seconds)} ago"


def _show(console: Console, report: Report) -> None:
    since = f"for {duration(report.at - report.since)}" if report.since else ""
    style = "bold green" if report.lease else "bold yellow"
    words = ((report.interface, "bold"), (report.state, style), (headline(report), "bold"), (since, "dim"))
    _say(console, "  ".join(text for text, _ in words if text), words)
    rows = [*_lease(report, report.lease), *_others(report)] if report.lease else list(_others(report))
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        _say(console, f"  {name:<{width}}  {text}", ((f"  {name:<{width}}", "dim"),))


def _lease(report: Report, lease: Granted) -> Iterator[Row]:
    granted = when(lease.granted)
    yield "server", lease.server
    yield "lease", f"{duration(lease.lease_time) if lease.lease_time is not None else 'for ever'}, asked for {granted}"
    if lease.expires is not None:
        for name, moment in (("renews (T1)", lease.t1), ("rebinds (T2)", lease.t2), ("ends", lease.expires)):
            yield name, f"{when(moment)}, {left(report, moment)}" if moment is not None else "never"
    yield from _list("route", [_route(route) for route in lease.routes])
    if lease.dns:
        yield "name servers", " ".join(lease.dns)
    if lease.search or lease.domain:
        yield "domain", " ".join(dict.fromkeys((lease.domain, *lease.search))).strip()
    if lease.hostname:
        yield "hostname", lease.hostname
    if lease.ntp:
        yield "ntp servers", " ".join(lease.ntp)
    if lease.mtu:
        yield "mtu", str(lease.mtu)
    if lease.captive_portal:
        yield "captive portal", "none" if lease.captive_portal == UNRESTRICTED else lease.captive_portal


def _others(report: Report) -> Iterator[Row]:
    yield "hardware", report.mac or "the interface is not there"
    yield from _list("remembered", [_known(report, known) for known in report.remembered])
    drops = sorted(report.dropped.items(), key=lambda drop: -drop[1])
    yield from _list("dropped", [f"{count} {name}" for name, count in drops])


def _route(route: Via) -> str:
    to = "default" if route.to == "0.0.0.0/0" else route.to
    return f"{to} via {route.router}" if route.router else to


def _known(report: Report, known: Known) -> str:
    gateway = f", gateway {known.gateway}" if known.gateway else ""
    return f"{known.address}/{known.prefix} by {known.server}{gateway}, ends {left(report, known.expires)}"


def _list(name: str, texts: Sequence[str]) -> Iterator[Row]:
    for number, text in enumerate(texts):
        yield ("" if number else name), text


def _say(console: Console, line: str, words: Sequence[tuple[str, str]]) -> None:
    """A line in which these words have a style."""
    text = Text(printable(line), no_wrap=True)
    for word, style in words:
        if word:
            text.highlight_words([word], style)
    console.print(text, soft_wrap=True)
