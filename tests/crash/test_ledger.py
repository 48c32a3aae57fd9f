"""The oracle of the crash tests sees a broken promise, and none where nothing was broken."""

from collections.abc import Callable

import pytest

from crash.ledger import INFINITE, Ledger

A, B = 0x0A000001, 0x0A000002
"""Addresses."""
ANN, BOB = 1, 2
"""Clients."""

Event = Callable[[Ledger], None]


def granted(ledger: Ledger, client: int = ANN, address: int = A, seconds: int = 60, at: float = 100.0) -> None:
    ledger.acknowledged(client, address, seconds, at, at + 0.1)


def released(ledger: Ledger) -> None:
    ledger.gave_up(ANN, A, 110.0)


BROKEN: list[tuple[str, str, list[Event]]] = [
    ("another client gets the address", "twice", [lambda t: granted(t, BOB, at=130.0)]),
    ("in the last moment of the lease", "twice", [lambda t: granted(t, BOB, at=159.8)]),
    ("a reboot is refused", "refused", [lambda t: t.refused(ANN, A, 130.0, 130.1)]),
    ("a reboot is met with silence", "silent", [lambda t: t.unanswered(ANN, A, 130.0)]),
    ("a reboot is given another address", "moved", [lambda t: t.acknowledged(ANN, B, 60, 130.0, 130.1, A)]),
    (
        "a renewed lease is forgotten, the first one remembered",
        "twice",
        [lambda t: t.acknowledged(ANN, A, 60, 140.0, 140.1, A), lambda t: granted(t, BOB, at=170.0)],
    ),
    (
        "another client got it after a release, and is forgotten",
        "twice",
        [released, lambda t: granted(t, BOB, at=120.0), lambda t: granted(t, ANN, at=130.0)],
    ),
    ("a lease for ever", "refused", [lambda t: granted(t, BOB, B, INFINITE), lambda t: t.refused(BOB, B, 1e9, 1e9)]),
]

KEPT: list[tuple[str, list[Event]]] = [
    ("the lease has run out", [lambda t: granted(t, BOB, at=160.1)]),
    ("it was released", [released, lambda t: granted(t, BOB, at=120.0)]),
    ("it was released and is refused", [released, lambda t: t.refused(ANN, A, 111.0, 111.1)]),
    ("it has run out and is refused", [lambda t: t.refused(ANN, A, 160.1, 160.2)]),
    ("it has run out while the answer was awaited", [lambda t: t.refused(ANN, A, 159.9, 160.1)]),
    ("it was never promised", [lambda t: t.refused(BOB, A, 130.0, 130.1)]),
    ("the refusal is older than the promise", [lambda t: t.refused(ANN, A, 99.0, 130.1)]),
    (
        "a shorter lease replaced it",
        [lambda t: t.acknowledged(ANN, A, 5, 110, 110.1, A), lambda t: granted(t, BOB, at=120.0)],
    ),
    (
        "the answer to a request before the release comes behind it, and another client has the address",
        [released, lambda t: granted(t, BOB, at=120.0), lambda t: t.acknowledged(ANN, A, 60, 109.0, 121.0, A)],
    ),
    (
        "an answer that has run out when it comes",
        [lambda t: granted(t, BOB, B, at=120.0), lambda t: t.acknowledged(ANN, B, 5, 110.0, 121.0)],
    ),
    (
        "an older answer comes behind a newer one",
        [lambda t: t.acknowledged(ANN, A, 9, 91.5, 100.2), lambda t: t.refused(ANN, A, 99.0, 130.1)],
    ),
]


def told(story: list[Event]) -> Ledger:
    """A ledger of what came behind a lease of a minute."""
    ledger = Ledger()
    granted(ledger)
    for event in story:
        event(ledger)
    return ledger


@pytest.mark.parametrize(("kind", "story"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_what_breaks_a_promise_is_seen(kind: str, story: list[Event]) -> None:
    ledger = told(story)
    assert [violation.kind for violation in ledger.violations] == [kind]
    assert kind in str(ledger.violations[0])


@pytest.mark.parametrize("story", [row[1] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_breaks_none_is_not(story: list[Event]) -> None:
    assert told(story).violations == []


def test_what_is_due() -> None:
    ledger = Ledger()
    granted(ledger)
    granted(ledger, BOB, B, 10)
    assert ledger.due(105.0) == [(ANN, A), (BOB, B)]
    assert ledger.due(111.0) == [(ANN, A)]
    ledger.gave_up(ANN, A, 112.0)
    assert ledger.due(112.0) == []


def test_what_is_counted() -> None:
    ledger = Ledger()
    granted(ledger)
    ledger.acknowledged(ANN, A, 60, 130.0, 130.1, asked=A)
    granted(ledger, BOB, at=200.0)
    assert ledger.counts == {"promised": 3, "honoured": 1, "handed on": 1}
