"""Arrival curves and timers: when clients begin, and when they look at the clock again."""

from itertools import pairwise
from random import Random

import pytest

from relet.lab.storm.curves import Curve, arrivals
from relet.lab.storm.timers import TICK_S, Timers

CLIENTS, OVER_S = 10_000, 30.0
# The share of the clients that has come by 1/6, 1/2 and 5/6 of the time, from each curve's formula: t, t, t*t, and the
# normal distribution function at -2, 0 and 2 standard deviations.
SHARES = {
    Curve.STEADY: (1 / 6, 1 / 2, 5 / 6),
    Curve.POISSON: (1 / 6, 1 / 2, 5 / 6),
    Curve.RAMP: (1 / 36, 1 / 4, 25 / 36),
    Curve.OFFICE: (0.0228, 0.5, 0.9772),
}


@pytest.mark.parametrize("curve", Curve)
def test_moments_are_sorted_and_one_for_each_client(curve: Curve) -> None:
    moments = arrivals(curve, CLIENTS, OVER_S, Random(1))
    assert len(moments) == CLIENTS
    assert list(moments) == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] <= OVER_S * (1.1 if curve is Curve.POISSON else 1)


@pytest.mark.parametrize("curve", SHARES)
def test_the_crowd_comes_as_the_curve_says(curve: Curve) -> None:
    moments = arrivals(curve, CLIENTS, OVER_S, Random(1))
    for place, share in zip((1 / 6, 1 / 2, 5 / 6), SHARES[curve], strict=True):
        come = sum(1 for moment in moments if moment <= place * OVER_S) / CLIENTS
        assert come == pytest.approx(share, abs=0.02), place


def test_at_once_is_at_once() -> None:
    assert set(arrivals(Curve.AT_ONCE, 5, OVER_S, Random(1))) == {0.0}


def test_gaps_of_a_poisson_process_are_exponential() -> None:
    """Mean and standard deviation of the gaps are the same."""
    moments = arrivals(Curve.POISSON, CLIENTS, OVER_S, Random(1))
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(OVER_S / CLIENTS, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("curve", [Curve.POISSON, Curve.RAMP, Curve.OFFICE])
def test_the_seed_decides(curve: Curve) -> None:
    one, same, other = (arrivals(curve, 50, OVER_S, Random(seed)) for seed in (1, 1, 2))
    assert one == same != other


def test_a_timer_rings_once_in_time_and_what_was_set_before_is_forgotten() -> None:
    timers = Timers(4)
    timers.set(0, 1.0)
    timers.set(1, 2.0)
    timers.set(2, 1.0)
    timers.set(3, 1.0)
    timers.set(2, 3.0)
    timers.clear(3)
    assert list(timers.rung(0.99)) == []
    assert 1.0 <= (timers.next() or 0.0) <= 1.0 + TICK_S + 1e-9
    assert list(timers.rung(1.0 + TICK_S)) == [0]
    assert list(timers.rung(10.0)) == [1, 2]
    assert timers.next() is None


def test_a_timer_may_be_set_while_it_rings() -> None:
    timers = Timers(1)
    timers.set(0, 0.5)
    for client in timers.rung(1.0):
        timers.set(client, 2.0)
    assert list(timers.rung(1.5)) == []
    assert list(timers.rung(2.5)) == [0]
