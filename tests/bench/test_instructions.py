"""The check of instruction counts can fail, says what it found, and is about all that is counted."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parent.parent.parent / "bench"
RECORDED = {"yardstick": 1000.0, "memory DISCOVER": 200.0, "sqlite DISCOVER": 300.0}


@pytest.fixture
def instructions(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    return import_module("instructions")


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({}, []),
        ({"memory DISCOVER": 239}, []),
        ({"memory DISCOVER": 100}, []),
        ({"memory DISCOVER": 250}, ["memory DISCOVER costs 250 instructions, 25% more than recorded"]),
        ({"memory INFORM": 1}, ["memory INFORM has no record"]),
        # a build on which all Python costs twice as much
        ({"yardstick": 2000, "memory DISCOVER": 479, "sqlite DISCOVER": 719}, []),
        (
            {"yardstick": 2000, "memory DISCOVER": 479, "sqlite DISCOVER": 900},
            ["sqlite DISCOVER costs 900 instructions, 50% more than recorded"],
        ),
    ],
)
def test_what_costs_over_a_fifth_more_than_recorded_is_told(
    instructions: Any, measured: dict[str, float], told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert instructions.regressions(RECORDED | measured, RECORDED) == told
    assert instructions.check(RECORDED | measured, {instructions.MINOR: RECORDED}) == (1 if told else 0)
    said = capsys.readouterr().err
    assert all(line in said for line in told)
    assert ("--record" in said) == bool(told)


def test_what_was_not_measured_is_told(instructions: Any) -> None:
    told = instructions.regressions({"yardstick": 1000.0, "sqlite DISCOVER": 300.0}, RECORDED)
    assert told == ["memory DISCOVER is recorded and was not measured"]


def test_another_version_of_python_is_not_compared(instructions: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert instructions.check(RECORDED | {"memory DISCOVER": 10_000}, {"2.7": RECORDED}) == 0
    assert f"nothing is recorded for Python {instructions.MINOR}" in capsys.readouterr().out


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_without_valgrind_the_check_fails_in_ci_and_says_so_elsewhere(
    instructions: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.argv", ["instructions.py", "--check"])
    assert instructions.main() == code
    assert "there is no valgrind" in capsys.readouterr().err


def test_all_that_is_counted_is_recorded(instructions: Any) -> None:
    counted = {f"{store} {kind}" for store in instructions.STORES for kind in instructions.COUNTED[1:]}
    known = instructions.recorded(instructions.RECORD)
    assert known
    for figures in known.values():
        assert set(figures) == counted | {"yardstick"}


def test_a_part_of_callgrinds_output_is_read(instructions: Any, tmp_path: Path) -> None:
    part = tmp_path / "memory.2"
    part.write_text("version: 1\npart: 2\nevents: Ir\nsummary: 4711\n\nfn=(1) main\n0 4711\n")
    assert instructions.total(part) == 4711
