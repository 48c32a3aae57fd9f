"""When the clients of a storm begin: arrival curves, drawn from seeded dice.

Every curve gives sorted moments in seconds from the start of the storm, one for each client.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from enum import StrEnum
from itertools import accumulate
from random import Random
from statistics import NormalDist


class Curve(StrEnum):
    """How the crowd comes."""

    AT_ONCE = "at-once"  # all at the first moment: the power is back
    STEADY = "steady"  # at equal distances
    RAMP = "ramp"  # more and more: the rate grows from nothing in a straight line
    POISSON = "poisson"  # independent of each other, at a constant mean rate
    OFFICE = "office"  # a bell: eight o'clock


SIGMAS = 3
"""The office's bell is cut off at so many standard deviations on both sides."""

_BELL = NormalDist()
_CUT = _BELL.cdf(-SIGMAS)


def arrivals(curve: Curve, clients: int, over_s: float, dice: Random) -> array[float]:
    """Moments at which clients begin; `over_s` is how long the curve lasts (Poisson: on average)."""
    if curve is Curve.AT_ONCE:
        return array("d", bytes(8 * clients))
    if curve is Curve.POISSON:
        rate = clients / over_s
        return array("d", accumulate(dice.expovariate(rate) for _ in range(clients)))
    place = _PLACES[curve]
    if curve is Curve.STEADY:
        return array("d", (place((number + 0.5) / clients) * over_s for number in range(clients)))
    return array("d", sorted(place(dice.random()) * over_s for _ in range(clients)))


def _office(share: float) -> float:
    quantile = _BELL.inv_cdf(_CUT + share * (1 - 2 * _CUT))
    return (quantile / SIGMAS + 1) / 2


_PLACES: dict[Curve, Callable[[float], float]] = {
    Curve.STEADY: lambda share: share,
    Curve.RAMP: lambda share: float(share**0.5),  # the share that has come grows with the square of time
    Curve.OFFICE: _office,
}
"""For each curve, the moment (0..1) at which a share (0..1) of the clients has come."""
