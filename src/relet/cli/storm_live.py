"""How far a storm is, while it lasts: a picture that moves on a terminal, a line a second elsewhere; on standard error."""

import sys
from contextlib import AbstractContextManager
from itertools import pairwise
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from relet.lab.storm.fleet import Glance

LINE_S = 1.0
SPARKS = "\N{LOWER ONE EIGHTH BLOCK}\N{LOWER ONE QUARTER BLOCK}\N{LOWER THREE EIGHTHS BLOCK}\N{LOWER HALF BLOCK}" + (
    "\N{LOWER FIVE EIGHTHS BLOCK}\N{LOWER THREE QUARTERS BLOCK}\N{LOWER SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
)
SPARKLINE = 60
"""Looks back that the line of answers shows."""
APART_S = 0.2
"""Least time between two points of it."""


class Progress(AbstractContextManager["Progress"]):
    """On a terminal."""

    def __init__(self, clients: int, limit_s: float) -> None:
        self._clients, self._limit_s = clients, limit_s
        self._live = Live(console=Console(stderr=True), refresh_per_second=5, transient=True)
        self._points: list[tuple[float, int]] = [(0.0, 0)]

    def __enter__(self) -> "Progress":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, glance: Glance) -> None:
        if glance.now - self._points[-1][0] >= APART_S:
            self._points = [*self._points, (glance.now, glance.answers)][-SPARKLINE - 1 :]
        self._live.update(self.drawing(glance))

    def drawing(self, glance: Glance) -> Group:
        """Two bars, the answers of the last looks, and counts."""
        bars = Table.grid(padding=(0, 2, 0, 0))
        for name, number, look in (("begun", glance.begun, "blue"), ("bound", glance.bound, "green")):
            bar = ProgressBar(self._clients, number, width=SPARKLINE, complete_style=look, finished_style=look)
            bars.add_row(Text(name), bar, Text(f"{number:,} of {self._clients:,}"))
        bars.add_row(Text("answers"), Text(sparkline(rates(self._points)), style="cyan"), Text(f"{glance.answers:,}"))
        told = f"{glance.now:.1f} s of at most {self._limit_s:g}   sent {glance.sent:,}, of them again {glance.again:,}"
        wrong = Text(f"   wrong answers {glance.wrong:,}", style="bold red" if glance.wrong else "green")
        return Group(bars, Text(told).append_text(wrong))


class Plainly(AbstractContextManager["Plainly"]):
    """Where no terminal is."""

    def __init__(self, clients: int) -> None:
        self._clients = clients
        self._last = 0.0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, glance: Glance) -> None:
        if glance.now - self._last >= LINE_S:
            self._last = glance.now
            print(
                f"{glance.now:6.1f} s  bound {glance.bound} of {self._clients}  sent {glance.sent} (again {glance.again})"
                f"  answers {glance.answers}  wrong {glance.wrong}",
                file=sys.stderr,
                flush=True,
            )


def rates(points: list[tuple[float, int]]) -> list[float]:
    """Answers a second between two looks."""
    return [(later[1] - earlier[1]) / (later[0] - earlier[0]) for earlier, later in pairwise(points)]


def sparkline(values: list[float]) -> str:
    """A character for each value, the highest being full."""
    most = max(values, default=0.0)
    return "".join(SPARKS[min(7, int(value / most * 7.99))] if value > 0 else " " for value in values)
