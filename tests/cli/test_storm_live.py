"""What a storm shows while it lasts, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from relet.cli.storm_live import SPARKLINE, Plainly, Progress, rates, sparkline
from relet.lab.storm.fleet import Glance


def test_on_a_terminal_everything_is_seen_at_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = io.StringIO()
    progress = Progress(1000, 60.0)
    for second in range(100):
        progress(Glance(float(second), 900, 10 * second, 2000, 300, 100 * second, 7))
    Console(file=shown, width=120, force_terminal=False).print(
        progress.drawing(Glance(99.0, 900, 990, 2000, 300, 9900, 7))
    )
    text = shown.getvalue()
    for told in (
        "900 of 1,000",
        "990 of 1,000",
        "9,900",
        "99.0 s of at most 60",
        "sent 2,000",
        "300",
        "wrong answers 7",
    ):
        assert told in text


def test_elsewhere_there_is_a_line_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    with Plainly(1000) as watch:
        for tenth in range(1, 31):
            watch(Glance(tenth / 10, 900, tenth, 2000, 300, 1500, 7))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["1.0", "2.0", "3.0"]
    assert "bound 30 of 1000  sent 2000 (again 300)  answers 1500  wrong 7" in lines[-1]


def test_a_sparkline_is_as_high_as_the_highest() -> None:
    assert rates([(0.0, 0), (0.5, 100), (1.5, 100), (2.0, 500)]) == [200, 0, 800]
    assert sparkline([200, 0, 800]) == "\N{LOWER ONE QUARTER BLOCK} \N{FULL BLOCK}"
    assert sparkline([]) == ""
    assert SPARKLINE > 30
