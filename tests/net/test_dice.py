"""Dice: every float of [0, 1) that 53 bits can tell apart, and nothing else."""

import os

import pytest

from relet.net import dice


@pytest.mark.parametrize(
    ("octets", "thrown"),
    [(bytes(7), 0.0), (b"\xff" * 7, 1.0 - 2.0**-53), (b"\x80" + bytes(6), 0.5), (bytes(6) + b"\x08", 2.0**-53)],
)
def test_a_throw_is_what_the_kernels_octets_are(octets: bytes, thrown: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda number: octets[:number])
    assert dice.throw() == thrown


def test_throws_differ() -> None:
    thrown = [dice.throw() for _ in range(1000)]
    assert len(set(thrown)) == 1000
    assert 0.0 <= min(thrown) < 0.1
    assert 0.9 < max(thrown) < 1.0
