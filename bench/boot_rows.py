"""The rows of the table of boots: what each is about, whether a run is of its row, and what is kept of many runs."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from boot import Boot
from boot_clients import ELSEWHERE, HOME, Client
from seen import REBOOT

NEVER = "never"
"""What the table says of a median or quartile of runs that came to nothing."""


class Row(NamedTuple):
    """A way to boot. told: in words. remembers: with a lease. knows: the server has it too. network: where the client wakes
    up. server: is there one?"""

    told: str
    remembers: bool
    knows: bool
    network: str
    server: bool
    patience_s: float


ROWS: Mapping[str, Row] = {
    "allocation": Row("no lease is remembered", False, False, HOME, True, 60),
    "confirmed": Row("a lease is remembered, and its server acknowledges it", True, True, HOME, True, 60),
    "negated": Row("in another network: DHCPNAK, then an allocation", True, False, ELSEWHERE, True, 60),
    "silent": Row("the server lost what it knew: silent to INIT-REBOOT, not to DISCOVER", True, False, HOME, True, 60),
    "alone": Row("no server, but the old gateway is there", True, False, HOME, False, 90),
}


class Run(NamedTuple):
    """One boot and where it belongs. wrong: why it says nothing about its row, '' if it does."""

    row: str
    client: str
    boot: Boot | None
    wrong: str


class Figures(NamedTuple):
    """What is kept of a client's runs of one row. Times are medians in milliseconds from exec, of the runs that say
    something about the row; None: there is nothing to say; 'never': half (of quartiles, a quarter) came to nothing.

    ways: what passed until the address was there, and how often. dead: why runs came to nothing or say nothing.
    """

    runs: int
    usable: int
    median_ms: float | str
    low_ms: float | str
    high_ms: float | str
    sent_ms: float | None
    applied_ms: float | None
    ways: dict[str, int]
    dead: dict[str, int]


def judge(row: Row, client: Client, remembered: str, told: Boot | None) -> str:
    """Why a run says nothing about its row; '' if it does. That it came to no address is no such reason.

    remembered: the address of the lease that the client had.
    """
    if told is None:
        return "the bench failed"
    names = {name for at, name in told.seen if told.address is None or at <= told.address}
    by_reboot = row.remembers and not client.asks
    problems = {
        "sent no INIT-REBOOT": by_reboot and REBOOT not in names,
        "sent INIT-REBOOT": not by_reboot and REBOOT in names,
        "got another address": row.knows and told.text not in {"", remembered},
        "was offered something": row.knows and by_reboot and "OFFER" in names,
        "was not refused": by_reboot and row.network != HOME and "NAK" not in names,
        "was refused": row.network == HOME and "NAK" in names,
        "was answered by a server": not row.server and bool(names & {"OFFER", "ACK", "NAK"}),
    }
    return ", ".join(words for words, wrong in problems.items() if wrong)


def figures(runs: Sequence[Run]) -> Figures:
    """Of a client's runs of one row."""
    right = [each.boot for each in runs if not each.wrong and each.boot is not None]
    times = sorted(inf if (at := each.usable()) is None else at for each in right)
    dead = Counter(why for each in runs if (why := _why(each)))
    median, low, high = (_shown(quantile(times, share)) for share in (0.5, 0.25, 0.75))
    return Figures(
        len(runs),
        sum(each != inf for each in times),
        median,
        low,
        high,
        _median(each.sent() for each in right),
        _median(each.address - at for each in right if each.address and (at := each.acknowledged()) is not None),
        dict(Counter(" ".join(each.path()) or "nothing" for each in right).most_common()),
        dict(dead.most_common()),
    )


def quantile(times: Sequence[float], share: float) -> float:
    """Of sorted times, between the two that are nearest; infinity if one that counts is."""
    if not times:
        return inf
    place = share * (len(times) - 1)
    low, high = times[int(place)], times[min(int(place) + 1, len(times) - 1)]
    part = place - int(place)
    if not part:
        return low
    return inf if high == inf else low + (high - low) * part


def text(table: Mapping[str, Mapping[str, Figures]]) -> str:
    """The table for a terminal."""
    lines = []
    for name, clients in table.items():
        lines += [f"{name}: {ROWS[name].told}", ""]
        for client, row in clients.items():
            lines.append(
                f"  {client:24} {row.median_ms!s:>9} ms ({row.low_ms} .. {row.high_ms}); first packet {row.sent_ms},"
                f" ACK to address {row.applied_ms}; {row.usable} of {row.runs} usable"
            )
            lines += [f"      {count} x {way}" for way, count in row.ways.items()]
            lines += [f"      {count} x came to nothing: {why}" for why, count in row.dead.items()]
        lines.append("")
    return "\n".join(lines)


def _why(run: Run) -> str:
    """Why a run did not come to a usable address, or says nothing; '' if all went well."""
    told = run.boot
    if run.wrong or told is None:
        return run.wrong
    if told.address is None:
        return "no address" if told.ended is None else f"no address, ended with {told.ended}"
    if told.ping is None:
        return "the gateway does not answer the address"
    return "" if told.stayed else "the address did not stay"


def _shown(milliseconds: float) -> float | str:
    return NEVER if milliseconds == inf else round(milliseconds, 2)


def _median(times: Iterable[float | None]) -> float | None:
    known = [each for each in times if each is not None]
    return round(statistics.median(known), 2) if known else None
