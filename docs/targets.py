"""What relet is to reach, and whether the kept results say that it does.

Nothing is judged by hand: a target names the result and the figure that decide, and a bound. What was not measured is told
to be so, and is not met.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent.parent / "bench" / "results"
MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"

Results = Mapping[str, Mapping[str, Any]]
"""Kept results by name; each has `figures` and `machine`."""


class Target(NamedTuple):
    """name: for the reasons why it was missed. path: the result, and the way to the figure in it. at_most: else at least.

    unit: what stands behind the figure, and `shown` how it is written.
    """

    name: str
    work: str
    wanted: str
    path: tuple[str, ...]
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
        return NOT_MEASURED if self.figure is None else self.target.shown.format(self.figure)


TARGETS = (
    Target("reboot", "reboot, 64 outstanding", "at least 2.5 x Kea", ("versus", "64", "reboot", "ratio"), 2.5),
    Target("reboot-1000", "reboot, 1000 outstanding", "at least 3 x Kea", ("versus", "1000", "reboot", "ratio"), 3.0),
    Target("dora", "allocation (four messages)", "at least 2 x Kea", ("versus", "64", "dora", "ratio"), 2.0),
    Target("renew", "renewal", "at least 2 x Kea", ("versus", "64", "renew", "ratio"), 2.0),
    Target("features", "reboot, all features on, 64", "at least 2.5 x Kea", ("features", "reboot", "ratio"), 2.5),
    Target(
        "features-1000", "reboot, all features on, 1000", "at least 3 x Kea", ("features", "reboot 1000", "ratio"), 3.0
    ),
    Target(
        "cached", "reboot with `cache-threshold`", "at least 0.6 x an echo in Python", ("cached", "ratio"), 0.6
    ),
    Target(
        "million", "a request with 1,000,000 leases", "at most 1.25 x one with 10,000",
        ("million", "relet cost many/few"), 1.25, True,
    ),
    Target(
        "memory", "memory for a lease, of 1,000,000", "at most 300 octets",
        ("million", "relet octets per lease"), 300, True, "{:.0f} octets",
    ),
    Target(
        "start", "first answer after a start, 1,000,000 leases", "under 4 s",
        ("million", "relet first answer s"), 4.0, True, "{:.2f} s",
    ),
    Target("paced", "p99 at half of the maximum rate", "under 5 ms", ("paced", "p99_ms"), 5.0, True, "{:.2f} ms"),
)  # fmt: skip


def read(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """The kept results."""
    found = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json")))
    return {result["name"]: result for result in found}


def figure(results: Results, path: Sequence[str]) -> Any:
    """What stands at a path such as ('versus', '64', 'reboot', 'ratio'); None if it was not measured."""
    name, *way = path
    at: Any = results.get(name, {}).get("figures")
    for each in way:
        at = at.get(each) if isinstance(at, Mapping) else None
    return at


def judged(results: Results, targets: Sequence[Target] = TARGETS) -> list[Judged]:
    """Every target with its verdict."""
    return [_judge(target, figure(results, target.path)) for target in targets]


def _judge(target: Target, found: float | None) -> Judged:
    if found is None:
        return Judged(target, None, NOT_MEASURED, None)
    share = (target.bound / found if found else float("inf")) if target.at_most else found / target.bound
    return Judged(target, found, MET if share >= 1 else MISSED, share)
