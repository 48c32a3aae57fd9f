"""Both clocks, a machine that slept, and a wall clock that is set."""

import pytest

from relet.model.clock import Now
from relet.net import clock


def test_the_monotonic_clock_goes_on_and_the_wall_clock_is_near_the_epoch() -> None:
    first, second = clock.now(), clock.now()
    assert first.mono <= second.mono
    assert first.wall > 1_700_000_000


def test_a_nap_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = [0.0]
    monkeypatch.setattr(clock, "asleep", lambda: slept[0])
    naps = clock.Naps()
    assert not naps.taken()
    slept[0] += clock.LEAST_SLEEP_S
    assert naps.taken()
    assert not naps.taken()
    slept[0] += clock.LEAST_SLEEP_S / 2
    assert not naps.taken()


def test_time_between_two_readings_is_no_sleep() -> None:
    naps = clock.Naps()
    assert clock.asleep() >= -0.1
    assert not any(naps.taken() for _ in range(100))


@pytest.mark.parametrize("by", [1.7e9, -7200.0, clock.LEAST_SET_S])
def test_a_wall_clock_that_is_set_is_noticed_once(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    reading = Now(1000.0, 1000.0)
    monkeypatch.setattr(clock, "now", lambda: reading)
    wall = clock.WallClock()
    reading = Now(5000.0, 5000.0)
    assert wall.was_set() == 0.0
    reading = Now(5000.0 + by, 5000.0)
    assert [wall.was_set(), wall.was_set()] == [by, 0.0]
    reading = Now(reading.wall - clock.LEAST_SET_S / 2, 5000.0)
    assert wall.was_set() == 0.0


def test_a_wall_clock_that_nobody_sets_is_not_taken_for_set() -> None:
    wall = clock.WallClock()
    assert {wall.was_set() for _ in range(100)} == {0.0}
