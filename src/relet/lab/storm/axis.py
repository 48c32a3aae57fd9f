"""An axis of a chart: where a value lies in pixels, and which values get a mark. Linear or logarithmic."""

from math import ceil, floor, log10
from typing import NamedTuple


class Axis(NamedTuple):
    """low..high of the values lie at start..end in pixels (end may be smaller). log: needs low > 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; what lies outside is put on the edge."""
        return self.start + (self.end - self.start) * min(1.0, max(0.0, self._share(value)))

    def value(self, pixel: float) -> float:
        """The value at a pixel."""
        share = (pixel - self.start) / (self.end - self.start)
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + (self.high - self.low) * share

    def ticks(self, most: int = 8) -> list[float]:
        """Round values within the axis: 1, 2 and 5 times powers of ten, as many as there is room for."""
        if self.log:
            decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            for digits in ((1, 2, 5), (1, 3), (1,)):
                found = [digit * 10.0**decade for decade in decades for digit in digits]
                inside = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
                if len(inside) <= most:
                    break
            return inside
        step = round_up((self.high - self.low) / most, STEPS)
        return [step * n for n in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]

    def _share(self, value: float) -> float:
        if self.log:
            return log10(max(value, self.low) / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


STEPS = (1, 2, 2.5, 5, 10)
TOPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
"""Digits of good distances between marks, and of good ends of an axis."""


def round_up(value: float, digits: tuple[float, ...] = TOPS) -> float:
    """The least of the digits times a power of ten that is not smaller; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(digit * power for digit in digits if digit * power >= value * 0.999999)


def seconds_label(seconds: float, scale: float = 0.0) -> str:
    """'0', '5 ms', '0.5 s', '10 s', '50 us'. scale: a time that says in which unit, such as the end of the axis."""
    if not seconds:
        return "0"
    if (scale or seconds) >= 0.999:
        return f"{seconds:g} s"
    return f"{seconds * 1e3:g} ms" if (scale or seconds) >= 0.000999 else f"{seconds * 1e6:g} us"


def count_label(number: float) -> str:
    """'0', '0.2', '500', '20,000'."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
