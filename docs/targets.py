"""What relet is to reach, and whether the kept results say that it does.

Nothing is judged by hand: a target names the result and the figure that decide, and a bound. What was not measured is told
to be so, and is not met.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent.parent / "bench" / "results"
NEVER = "never"
"""What a result says of a moment that did not come."""
MILLION, STORM = 1_000_000, 200_000
"""So many leases and clients the targets are about; what was measured with fewer does not count."""
STORM_TIME = "100 % after, s"
"""When every client was bound."""
MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"

Results = Mapping[str, Mapping[str, Any]]
"""Kept results by name; each has `figures` and `machine`."""


Read = Callable[[Results], float | None]
"""The figure that decides; None if it was not measured."""


class Target(NamedTuple):
    """name: for the reasons why it was missed. at_most: the bound is to be kept from below. shown: how to write a figure."""

    name: str
    work: str
    wanted: str
    read: Read
    bound: float
    at_most: bool = False
    shown: str = "{:.2f} x"


class Judged(NamedTuple):
    """A target and what came of it. share: of what is wanted; 1 or more is enough; None if it was not measured."""

    target: Target
    figure: float | None
    verdict: str
    share: float | None

    def told(self) -> str:
        """The figure in words."""
        if self.figure is None:
            return NOT_MEASURED
        return NEVER if self.figure == float("inf") else self.target.shown.format(self.figure)


def figure(results: Results, path: Sequence[str]) -> Any:
    """What stands at a path such as ('versus', '64', 'reboot', 'ratio'); None if it was not measured."""
    name, *way = path
    found: Any = results.get(name, {}).get("figures")
    for each in way:
        found = found.get(each) if isinstance(found, Mapping) else None
    return found


def at(*path: str) -> Read:
    """Reads the figure at a path."""
    return lambda results: figure(results, path)


def of_million(*path: str) -> Read:
    """The same, if there were a million leases."""
    return lambda results: figure(results, path) if (figure(results, ["million", "many"]) or 0) >= MILLION else None


def storm_share(results: Results) -> float | None:
    """Which share of relet's clients had a lease when the storm was over."""
    found = figure(results, ["storms", "relet"])
    return found["with a lease"] / found["clients"] if found and found["clients"] >= STORM else None


def storm_time(results: Results) -> float | None:
    """relet's time in parts of Kea's; 0 if Kea never came to an end, infinite if relet did not."""
    ours, theirs = (figure(results, ["storms", server, STORM_TIME]) for server in ("relet", "kea"))
    clients = min(figure(results, ["storms", server, "clients"]) or 0 for server in ("relet", "kea"))
    if ours is None or theirs is None or clients < STORM:
        return None
    if ours == NEVER:
        return float("inf")
    return 0.0 if theirs == NEVER else float(ours / theirs)


TARGETS = (
    Target("reboot", "reboot, 64 outstanding", "at least 2.5 x Kea", at("versus", "64", "reboot", "ratio"), 2.5),
    Target("reboot-1000", "reboot, 1000 outstanding", "at least 3 x Kea", at("versus", "1000", "reboot", "ratio"), 3.0),
    Target("dora", "allocation (four messages)", "at least 2 x Kea", at("versus", "64", "dora", "ratio"), 2.0),
    Target("renew", "renewal", "at least 2 x Kea", at("versus", "64", "renew", "ratio"), 2.0),
    Target("features", "reboot, all features on, 64", "at least 2.5 x Kea", at("features", "reboot", "ratio"), 2.5),
    Target(
        "features-1000", "reboot, all features on, 1000", "at least 3 x Kea", at("features", "reboot 1000", "ratio"), 3.0
    ),
    Target(
        "cached", "reboot with `cache-threshold`", "at least 0.6 x an echo in Python", at("cached", "ratio"), 0.6
    ),
    Target(
        "million", "a request with 1,000,000 leases", "at most 1.25 x one with 10,000",
        of_million("million", "relet cost many/few"), 1.25, True,
    ),
    Target(
        "memory", "memory for a lease, of 1,000,000", "at most 300 octets",
        of_million("million", "relet octets per lease"), 300, True, "{:.0f} octets",
    ),
    Target(
        "start", "first answer after a start, 1,000,000 leases", "under 4 s",
        of_million("million", "relet first answer s"), 4.0, True, "{:.2f} s",
    ),
    Target("storm", "storm of 200,000: clients bound at its end", "all of them", storm_share, 1.0, shown="{:.2%}"),
    Target("storm-time", "storm of 200,000: time until all are bound", "less than Kea needs", storm_time, 1.0, True),
    Target("paced", "p99 at half of the maximum rate", "under 5 ms", at("paced", "p99_ms"), 5.0, True, "{:.2f} ms"),
)  # fmt: skip


def read(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The kept results."""
    found = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json")))
    return {result["name"]: result for result in found}


def judged(results: Results, targets: Sequence[Target] = TARGETS) -> list[Judged]:
    """Every target with its verdict."""
    return [_judge(target, target.read(results)) for target in targets]


def _judge(target: Target, found: float | None) -> Judged:
    if found is None:
        return Judged(target, None, NOT_MEASURED, None)
    share = (target.bound / found if found else float("inf")) if target.at_most else found / target.bound
    return Judged(target, found, MET if share >= 1 else MISSED, share)
