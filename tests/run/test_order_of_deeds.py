"""In which order a client does what follows from one event: the lease file may wait, unless it names a new address."""

import pytest

from relet.model.effects import Binding, Configure, Deconfigure, Effect, Note, Remember, Remembered
from relet.run.acquire import in_order, places
from relet.wire.address import parse_ip

MASK, WIDER = {1: b"\xff\xff\xff\0"}, {1: b"\xff\xff\0\0"}


def leases(*said: tuple[str, dict[int, bytes]]) -> tuple[Remembered, ...]:
    return tuple(Remembered(Binding(parse_ip(address), 1, 0.0, 60, 30, 50, mask)) for address, mask in said)


HOME, AWAY = ("192.168.1.5", MASK), ("10.0.0.9", MASK)
USE = Configure(leases(HOME)[0].binding, "reboot")
NOTE = Note("kind", "text")


@pytest.mark.parametrize(
    ("written", "wanted", "waits"),
    [
        ((HOME,), (HOME,), True),
        ((HOME, AWAY), (AWAY, HOME), True),
        ((HOME, AWAY), (HOME,), True),
        ((HOME,), (), True),
        ((), (HOME,), False),
        ((AWAY,), (HOME, AWAY), False),
        ((("192.168.1.5", WIDER),), (HOME,), False),  # it would be looked for with the other width, and not found
        ((("192.168.1.5", {}),), (HOME,), True),  # by its class
    ],
)
def test_the_lease_file_waits_for_what_it_has_already(
    written: tuple[tuple[str, dict[int, bytes]], ...], wanted: tuple[tuple[str, dict[int, bytes]], ...], waits: bool
) -> None:
    remember = Remember(leases(*wanted))
    effects: list[Effect] = [NOTE, remember, USE, NOTE]
    expected = [NOTE, USE, NOTE, remember] if waits else effects
    assert in_order(effects, places(leases(*written))) == expected


def test_nothing_else_changes_its_place() -> None:
    effects: list[Effect] = [Deconfigure(leases(HOME)[0].binding, "nak"), NOTE, USE, NOTE]
    assert in_order(effects, places(())) == effects
