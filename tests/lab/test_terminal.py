"""The ladder on a terminal: the golden text of one story, and what holds for every story and width."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from relet.lab.ladder import Aside, Ladder, Packet, State
from relet.lab.terminal import TerminalLadder
from support import ladders

GOLDEN = Path(__file__).parent / "ladder.txt"
STORIES = {"demo": ladders.demo, "hostile": ladders.hostile}


def _console(width: int = 80, *, terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, force_terminal=terminal, color_system="standard" if terminal else None), out


def test_golden() -> None:
    console, out = _console()
    ladders.demo(TerminalLadder(console))
    assert out.getvalue() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("width", [72, 80, 100, 200])
def test_rows_fit_and_lanes_are_straight(story: str, width: int) -> None:
    console, out = _console(width)
    ladder = STORIES[story](TerminalLadder(console))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= min(width, 100) and line == line.rstrip() for line in lines)
    rows = iter(lines)
    for scene in ladder.scenes():
        top = next(row for row in rows if row.strip("│ ") == "" and "│" in row)
        lanes = [at for at, character in enumerate(top) if character == "│"]
        assert len(lanes) == len(scene.hosts)
        for row in rows:
            if not row:
                break
            assert {row[lane] for lane in lanes} <= set("│┃├┤┼○◆·─")


def test_nothing_is_cut_of_reasons() -> None:
    console, out = _console()
    ladders.demo(TerminalLadder(console))
    assert "keeps silent: another" in out.getvalue()
    assert "…" not in out.getvalue()


def test_it_grows_event_by_event() -> None:
    console, out = _console()
    ladder = Ladder([TerminalLadder(console)])
    ladder.begin("title", "sentence", (ladders.CLIENT, ladders.ALPHA))
    before = out.getvalue()
    ladder.add(Packet(0.25, "laptop", "DHCPREQUEST"))
    after = out.getvalue()
    assert after.startswith(before)
    assert after[len(before) :].count("\n") == 1
    assert after[len(before) :].startswith("  0.250 s   ├─")


def test_the_same_time_is_said_once() -> None:
    console, out = _console()
    ladder = Ladder([TerminalLadder(console)])
    ladder.begin("title", "sentence", (ladders.CLIENT,))
    ladder.add(Aside(1.0, "laptop", "one"))
    ladder.add(State(1.0, "laptop", "INIT"))
    assert out.getvalue().count("1.000 s") == 1


def test_colours_only_on_a_terminal() -> None:
    plain, plain_out = _console()
    coloured, coloured_out = _console(terminal=True)
    ladders.hostile(TerminalLadder(plain))
    ladders.demo(TerminalLadder(coloured))
    assert "\x1b" not in plain_out.getvalue()
    assert "\x1b[" in coloured_out.getvalue()


def test_what_hosts_say_is_not_obeyed() -> None:
    console, out = _console(terminal=True)
    ladders.hostile(TerminalLadder(console))
    assert "\x1b[31mred" not in out.getvalue()
    assert "\x1b]0;" not in out.getvalue()
    assert "[red]why[/]" in out.getvalue()


def test_ascii_terminals_get_ascii() -> None:
    octets = io.BytesIO()
    console = Console(file=io.TextIOWrapper(octets, encoding="ascii"), width=80, color_system=None)
    ladders.demo(TerminalLadder(console))
    console.file.flush()
    rows = octets.getvalue().decode("ascii").splitlines()
    assert any(row.startswith("  0.002 s   |-") for row in rows)
