"""Both clocks, and a machine that slept."""

import pytest

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
