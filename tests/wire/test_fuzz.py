"""A short run of the fuzzer, and that it would notice."""

from pathlib import Path
from random import Random

import pytest

import relet
from fuzz import wire
from relet.errors import WireError
from relet.wire.reasons import REASONS

SOURCES = Path(relet.__path__[0])


def test_nothing_but_wire_errors() -> None:
    found = wire.fuzz(1500, seed=2)
    assert not isinstance(found, wire.Finding), found.octets.hex() + found.trace
    assert found["accepted"] > 100
    assert len(found) > 5


def test_a_run_can_be_repeated() -> None:
    assert wire.some_frame(Random(7)) == wire.some_frame(Random(7))
    assert wire.fuzz(50, seed=3) == wire.fuzz(50, seed=3)


def test_harm_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def harmful(octets: bytes) -> str:
        return str(octets[400])

    monkeypatch.setattr(wire, "TARGETS", (("message", wire.some_message, harmful),))
    found = wire.fuzz(1000, seed=1)
    assert isinstance(found, wire.Finding)
    assert "IndexError" in found.trace
    assert wire.fuzz(1, seed=1, first=found.run) == found


@pytest.mark.parametrize("error", [WireError("made-up", 0), WireError("bad-op", 5)])
def test_an_unknown_reason_or_an_offset_outside_is_harm(error: WireError) -> None:
    with pytest.raises(AssertionError):
        wire._known(error, b"abcd")


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_is_given_somewhere(reason: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py") if path.name != "reasons.py"]
    assert any(f'"{reason}"' in source for source in sources)
