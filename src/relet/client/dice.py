"""Chance as an argument: the core never draws a random number that it was not handed."""

from collections.abc import Callable

Dice = Callable[[], float]
"""Each call gives a number from 0 to just under 1, uniformly."""


def draw_xid(dice: Dice) -> int:
    """A transaction id, 1..2**32-1 (RFC 2131 s4.1: unlikely to be another client's; zero is left to careless ones)."""
    return 1 + int(dice() * 0xFFFFFFFF)


def spread(middle: float, around: float, dice: Dice) -> float:
    """A number uniform in middle +- around."""
    return middle + (2 * dice() - 1) * around
