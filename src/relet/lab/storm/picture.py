"""Storms as one picture: who was bound when, requests and answers a second, how long answers took.

One report, or several side by side, each with a colour and a dash of its own. The colours live in one style sheet; a reader
whose system is set to dark gets the dark ones. All text is escaped; no scripts, no fonts.
"""

from collections.abc import Sequence
from html import escape

from relet.lab.storm import series
from relet.lab.storm.axis import Axis, count_label, round_up, seconds_label
from relet.lab.storm.report import Report
from relet.lab.storm.series import Point
from relet.lab.storm.style import DASHES, style_sheet
from relet.lab.storm.words import begun_text, relays_text, seconds_text, title_text
from relet.lab.storm.wrong import WRONG
from relet.lab.typeset import Style, fit

WIDTH = 1120.0
MOST_RUNS = len(DASHES)
LEFT, RIGHT = 92.0, WIDTH - 36.0
MIDDLE = WIDTH / 2
ROW = 26.0
CLIP = 1.6
"""Requests may be drawn so many times as high as the most answers; what is higher is cut off and told."""
LOG_FROM = 20.0
"""Time is drawn in logarithms if the last was bound so many times later than the first half of some run."""

_NAME = Style("name", 14, 20, bold=True)
_COLUMNS = (
    (236.0, "bound"),
    (330.0, "half bound"),
    (424.0, "all bound"),
    (548.0, "leases a second"),
    (646.0, "sent again"),
    (756.0, "latency p50"),
    (842.0, "p99"),
    (930.0, "longest"),
    (1030.0, "wrong answers"),
)


def render(reports: Sequence[Report]) -> str:
    """The SVG document. ValueError for none, or more than MOST_RUNS."""
    if not 0 < len(reports) <= MOST_RUNS:
        raise ValueError(f"a picture has room for 1 to {MOST_RUNS} storms, here are {len(reports)}")
    drawing = _Drawing(reports)
    return drawing.document()


class _Drawing:
    def __init__(self, reports: Sequence[Report]) -> None:
        self._reports = reports
        self._parts: list[str] = []
        self._y = 40.0

    def document(self) -> str:
        title = title_text([report.setup for report in self._reports])
        self._text(36, self._y, title, "title")
        self._text(36, self._y + 22, self._circumstances(), "soft")
        self._y += 52
        self._table()
        ends = [max(report.seconds, report.timeline.step_s) for report in self._reports]
        halves = [at for report in self._reports if (at := report.moments["p50"])]
        slow = bool(halves) and max(ends) / min(halves) > LOG_FROM
        first_step = min(report.timeline.step_s for report in self._reports)
        time = Axis(first_step if slow else 0.0, max(ends) * 1.02, LEFT, RIGHT, slow)
        self._bound(time, 260)
        self._rates(time, 200)
        self._latencies(time, 220)
        self._y += 12
        size = f'width="{WIDTH:g}" height="{self._y:g}" viewBox="0 0 {WIDTH:g} {self._y:g}"'
        told = "; ".join(
            f"{each.setup.name}: {each.bound} of {each.setup.clients} bound, all after {seconds_text(each.moments['p100'])},"
            f" latency p99 {seconds_text(each.latency.p99)}, {wrong_answers(each)} wrong answers"
            for each in self._reports
        )
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title told">',
                f'<title id="title">{escape(title)}</title>',
                f'<desc id="told">{escape(told)}</desc>',
                f"<style>\n{style_sheet()}\n</style>",
                f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{self._y - 1:g}" rx="10"/>',
                *self._parts,
                "</svg>\n",
            ]
        )

    def _circumstances(self) -> str:
        setup = self._reports[0].setup
        where = f"through {relays_text(setup.relays)}" if setup.relays else f"on the link of {setup.interface}"
        begun = f"; {begun_text(self._reports[0])}" if len(self._reports) == 1 else ""
        again = f"sent again after {setup.patience_s:g} s, then twice as long each time"
        return f"{where}; {again}; seed {setup.seed}; {setup.started}{begun}"

    def _table(self) -> None:
        for x, name in _COLUMNS:
            self._text(x, self._y, name, "soft", "end" if x != _COLUMNS[-1][0] else "middle")
        for run, report in enumerate(self._reports):
            self._y += ROW
            y = self._y
            self._parts.append(f'<path class="line run{run}" d="M36 {y - 5:g}h26"/>')
            self._text(70, y, fit(report.setup.name, _NAME, 118), f"name text{run}")
            whole = report.bound == report.setup.clients
            cells = (
                f"{report.bound:,}" if whole else f"{100 * report.bound / report.setup.clients:.1f} %",
                seconds_text(report.moments["p50"]),
                seconds_text(report.moments["p100"]),
                f"{report.rate:,.0f}",
                f"{report.sent_again:,}",
                *(seconds_text(at) if at is not None else "-" for at in (report.latency.p50, report.latency.p99)),
                seconds_text(report.latency.max) if report.latency.max is not None else "-",
            )
            for (x, name), cell in zip(_COLUMNS, cells, strict=False):
                bad = name in ("bound", "all bound") and not whole
                self._text(x, y, cell, "bad" if bad else "cell", "end")
            wrong = wrong_answers(report)
            self._text(_COLUMNS[-1][0], y, f"{wrong:,}" if wrong else "none", "bad" if wrong else "good", "middle")
        for run, report in enumerate(self._reports):
            for name, wrong_ones in report.wrong.items():
                self._y += ROW - 4
                self._text(70, self._y + 6, f"{wrong_ones.count:,} x {name}: {WRONG[name]}", f"wrong text{run}")
        self._y += 22

    def _bound(self, time: Axis, height: float) -> None:
        finished = sorted(
            (at, run) for run, report in enumerate(self._reports) if (at := report.moments["p100"]) is not None
        )
        share = self._panel("Clients that have a lease", time, (0.0, 100.0), height, "%", head=20.0 * len(finished))
        for run, report in enumerate(self._reports):
            self._line(series.bound(report), time, share, f"line run{run}")
        for place, (at, run) in enumerate(finished):
            x, y = time.at(at), share.at(100)
            above = y - 14 - 20 * place
            self._parts.append(f'<path class="thin solid run{run}" d="M{x:.1f} {y:.1f}V{above:.1f}"/>')
            self._parts.append(f'<circle class="dot text{run}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
            name = fit(self._reports[run].setup.name, _NAME, 200)
            side = -1 if x > MIDDLE else 1
            told = f"{name}: all after {seconds_text(at)}"
            self._text(x + 7 * side, above + 6, told, f"name text{run}", "end" if side < 0 else "start")

        for run, report in enumerate(self._reports):
            if report.moments["p100"] is None:
                share_bound = 100 * report.bound / report.setup.clients
                told = f"{report.setup.name}: {share_bound:.1f} % after {seconds_text(report.seconds)}"
                self._text(time.at(report.seconds) - 6, share.at(share_bound) - 10, told, f"name text{run}", "end")

    def _rates(self, time: Axis, height: float) -> None:
        answers, requests = [], []
        for report in self._reports:
            line = report.timeline
            answers.append(series.rates(line.answers, line.step_s, time))
            requests.append(series.rates(line.sent, line.step_s, time))
        most = max((rate for points in answers for _, rate in points), default=0.0)
        peak = max((rate for points in requests for _, rate in points), default=0.0)
        top = round_up(max(1.0, min(peak, most * CLIP), most))
        cut = f"; requests go up to {count_label(peak)}" if peak > top else ""
        title = f"Answers a second (thick) and requests a second (thin{cut})"
        rate = self._panel(title, time, (0.0, top), height, "")
        for run in range(len(self._reports)):
            self._line(requests[run], time, rate, f"thin run{run}")
            self._line(answers[run], time, rate, f"line run{run}")

    def _latencies(self, time: Axis, height: float) -> None:
        """Two panels beside each other: how long answers took, and when they took how long."""
        top = self._y
        each = [series.latencies(report) for report in self._reports]
        seconds = [at for points in each for at, _ in points] or [0.001, 1.0]
        most = round_up(max((share for points in each for _, share in points), default=1.0))
        across = Axis(min(seconds), max(*seconds, min(seconds) * 10), LEFT, MIDDLE - 20, True)
        share = self._panel("How long answers took", across, (0.0, most), height, "%")
        for run, points in enumerate(each):
            self._line(points, across, share, f"line run{run}")
        self._y = top
        narrow = Axis(time.low, time.high, MIDDLE + 72, RIGHT, time.log)
        ranges = (min(seconds), max(*seconds, min(seconds) * 10))
        up = self._panel("When they took how long: p99", narrow, ranges, height, "", log=True)
        for run, report in enumerate(self._reports):
            line = report.timeline
            for points in series.over_time(line.p99, line.step_s, narrow):
                self._line(points, narrow, up, f"line run{run}")

    def _panel(
        self,
        title: str,
        across: Axis,
        span: tuple[float, float],
        height: float,
        unit: str,
        log: bool = False,
        head: float = 0.0,
    ) -> Axis:
        """Frame, grid and labels; gives the upright axis and moves on below the panel. head: room above the frame."""
        self._y += 34
        self._text(across.start - 56, self._y, title, "panel")
        self._y += head
        up = Axis(*span, self._y + 14 + height, self._y + 14, log)
        for value in up.ticks(5):
            y = up.at(value)
            self._parts.append(f'<path class="grid" d="M{across.start:g} {y:.1f}H{across.end:g}"/>')
            label = seconds_label(value) if log else f"{value:g} {unit}" if unit else count_label(value)
            self._text(across.start - 8, y + 4, label, "tick", "end")
        for value in across.ticks(10 if across.end - across.start > MIDDLE else 6):
            x = across.at(value)
            self._parts.append(f'<path class="grid" d="M{x:.1f} {up.end:g}V{up.start:g}"/>')
            label = seconds_label(value, 0.0 if across.log else across.high)
            self._text(x, up.start + 18, label, "tick", "middle")
        self._parts.append(f'<path class="axis" d="M{across.start:g} {up.start:g}H{across.end:g}"/>')
        self._y = up.start + 30
        return up

    def _line(self, points: Sequence[Point], across: Axis, up: Axis, look: str) -> None:
        """A line through the points; a single one becomes a short stroke."""
        if not points:
            return
        places = [f"{across.at(x):.1f} {up.at(y):.1f}" for x, y in points]
        self._parts.append(f'<path class="{look}" d="M{"L".join(places)}{"h4" if len(places) == 1 else ""}"/>')

    def _text(self, x: float, y: float, text: str, look: str, anchor: str = "start") -> None:
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text class="{look}" x="{x:.1f}" y="{y:.1f}"{where}>{escape(text)}</text>')


def wrong_answers(report: Report) -> int:
    """All of them together."""
    return sum(wrong.count for wrong in report.wrong.values())
