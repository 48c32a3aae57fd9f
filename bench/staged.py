"""`relet serve` with a stopwatch at each stage of its road; bench/stages.py starts it.

    python bench/staged.py FILE serve --config relet.toml

SIGUSR1 begins a new lap; at the end the laps are written to FILE. Time is taken with the monotonic clock around each
function of STAGES and belongs to the innermost of them. A stopwatch costs time itself: what it costs inside of its own
interval and outside, in that of the caller, is measured with an empty function and stands beside the laps.
"""

import json
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from relet.cli.main import main as relet

STAGES = (
    ("receive", "relet.net.udp:Datagrams.receive"),
    ("read: decode", "relet.server.engine:decode"),
    ("read: classify", "relet.server.requested:classify"),
    ("read: place", "relet.server.identify:Directory.place"),
    ("read: recognise", "relet.server.identify:Site.recognise"),
    ("read: request", "relet.server.engine:requested"),
    ("read: request", "relet.server.engine:Engine._read"),
    ("decide: view, plan", "relet.server.engine:Engine._view"),
    ("decide: view, plan", "relet.server.engine:Engine._plan"),
    ("decide: situation", "relet.server.engine:Engine._decide"),
    ("decide: tables", "relet.server.engine:decide"),
    ("decide: verdict", "relet.server.engine:verdict"),
    ("decide: settle", "relet.server.engine:settle"),
    ("commit: sift", "relet.store.index:Index.sift"),
    ("commit: encode", "relet.store.record:encode"),
    ("commit: index", "relet.store.index:Index.put"),
    ("commit: append", "relet.store.tail:Tail.append"),
    ("commit: append", "relet.store.sqlite:SqliteStore.commit"),
    ("disk: write", "relet.store.segment:Segment.write"),
    ("disk: sync", "os:fdatasync"),
    ("follow: note", "relet.server.engine:Engine._note"),
    ("follow: record, count", "relet.server.engine:Engine._answer"),
    ("reply", "relet.server.reply:Replies.replies"),
    ("send", "relet.net.udp:Datagrams.send"),
    ("rest: engine", "relet.server.engine:Engine.handle"),
    ("rest: engine", "relet.server.engine:Engine._serve"),
    ("rest: intake", "relet.run.intake:Intake.hear"),
    ("rest: log, figures", "relet.run.serve:Server._handle"),
    ("rest: housekeeping", "relet.run.serve:Server._expire"),
    ("rest: housekeeping", "relet.run.serve:Server._tend"),
)
"""Stage, as 'GROUP: PART' or alone, and a function that belongs to it: one that the road's thread alone calls. The order is
that of the page."""
ROUNDS, CALLS = 100, 500
"""How often a stopwatch is measured, and with how many calls."""


class Watch:
    """Stopwatches that know of each other. rows: of each stage how often it was called, nanoseconds less those of stages
    inside of it, and how many of those it called."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = {}
        self._open: list[list[int]] = [[0, 0]]

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a stopwatch."""
        row = self.rows.setdefault(stage, [0, 0, 0])
        opened = self._open

        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            mine = [0, 0]
            opened.append(mine)
            began = perf_counter_ns()
            try:
                return function(*arguments, **named)
            finally:
                took = perf_counter_ns() - began
                opened.pop()
                row[0] += 1
                row[1] += took - mine[0]
                row[2] += mine[1]
                outer = opened[-1]
                outer[0] += took
                outer[1] += 1

        return watched

    def lap(self) -> dict[str, list[int]]:
        """What was measured since the last lap."""
        done = {stage: list(row) for stage, row in self.rows.items()}
        for row in self.rows.values():
            row[:] = [0, 0, 0]
        return done


def overhead() -> tuple[float, float]:
    """What one stopwatch costs: nanoseconds inside of its interval, and outside; the least of many rounds."""
    watch = Watch()

    def nothing() -> None:
        pass

    watched = watch.timed("nothing", nothing)
    found = []
    for _ in range(ROUNDS):
        began = perf_counter_ns()
        for _ in range(CALLS):
            nothing()
        bare = perf_counter_ns() - began
        watch.lap()
        began = perf_counter_ns()
        for _ in range(CALLS):
            watched()
        whole = perf_counter_ns() - began
        inside = watch.rows["nothing"][1]
        found.append((bare, inside, whole))
    bare, inside, whole = map(min, zip(*found, strict=True))
    return (inside - bare / 2) / CALLS, (whole - inside - bare / 2) / CALLS


def found(place: str) -> tuple[Any, str, Callable[..., Any]]:
    """What 'MODULE:NAME.NAME' names: its owner, its name there, itself. Raises AttributeError if it is not there."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    return owner, name, getattr(owner, name)


def attach(watch: Watch) -> None:
    """Give each function of STAGES its stopwatch. Raises AttributeError for one that is not there any more."""
    for stage, place in STAGES:
        owner, name, function = found(place)
        setattr(owner, name, watch.timed(stage, function))


def main() -> None:
    """Serve, and write the laps."""
    file = Path(sys.argv[1])
    sys.argv = ["relet", *sys.argv[2:]]
    watch = Watch()
    laps: list[dict[str, list[int]]] = []
    cost = overhead()
    attach(watch)
    signal.signal(signal.SIGUSR1, lambda *_: laps.append(watch.lap()))
    try:
        relet()
    finally:
        file.write_text(json.dumps({"overhead_ns": cost, "laps": laps}), encoding="utf-8")


if __name__ == "__main__":
    main()
