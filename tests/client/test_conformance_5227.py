"""RFC 5227: no address is used unchecked, and none that others have. Each test names its rows of the requirements.

The constants, and what counts as a conflict, are in test_waits.py; on a wire, with a kernel that answers ARP, in
tests/run/test_acquire.py.
"""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from relet.client.conflict import Check
from relet.client.states import Attached, Backoff, Bound, Probing, Rebinding, Rebooting, Renewing, Requesting, Selecting
from relet.model.effects import Configure, Effect, SendArp
from relet.model.events import Command, LinkChanged, Wake, Woken
from relet.wire import arp
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    AWAY,
    CAREFUL,
    HERE,
    KNOWN,
    LEASE_TIME,
    MAC,
    OTHER_MAC,
    REMEMBERED,
    SETTINGS,
    Dice,
    Rig,
    names,
    reach,
)

OFFER, ACK = MessageType.OFFER, MessageType.ACK
INTRUDER = arp.announcement(OTHER_MAC, ADDRESS)
HOLDING = (Bound, Renewing, Rebinding)


def arps(effects: list[Effect]) -> list[arp.Arp]:
    return [effect.arp for effect in effects if isinstance(effect, SendArp)]


def probes(effects: list[Effect]) -> list[arp.Arp]:
    return [packet for packet in arps(effects) if packet.spa == 0]


def checking(sent: int) -> Rig:
    """A client with a new lease that has sent so many probes."""
    rig = reach(Probing)
    while sent:
        sent -= len(probes(rig.wake()))
    return rig


def timed(rig: Rig, until: type[Bound | Backoff], seconds: float = 0.0) -> list[tuple[float, Effect]]:
    """All that is done on the way to a state and some seconds longer, and when."""
    done: list[tuple[float, Effect]] = []
    while not isinstance(rig.state, until):
        done += [(rig.now.mono, effect) for effect in rig.wake()]
    end = rig.now.mono + seconds
    while (rig.client.deadline() or end) < end:
        done += [(rig.now.mono, effect) for effect in rig.wake()]
    return done


def test_a_probe_says_who_asks_for_what_and_nothing_else() -> None:
    """R5227-1.1-01, R5227-1.1-02, R5227-1.1-03, R2131-4.4.1-56."""
    sent = probes([effect for _, effect in timed(reach(Probing), Bound)])
    assert sent == [arp.Arp(op=arp.REQUEST, sha=MAC, spa=0, tha=bytes(6), tpa=ADDRESS)] * 3
    octets = arp.encode_arp(sent[0])
    assert octets[:6] == b"\xff" * 6
    assert octets[22:42] == MAC + bytes(4) + bytes(6) + ADDRESS.to_bytes(4)


def _allocated() -> tuple[Rig, list[Effect]]:
    rig = reach(Requesting)
    return rig, rig.answer(ACK)


def _reallocated() -> tuple[Rig, list[Effect]]:
    rig = Rig(REMEMBERED)
    before = rig.feed(Command.START)
    return rig, before + rig.answer(ACK)


def _reallocated_quickly() -> tuple[Rig, list[Effect]]:
    """As clients are by default: a remembered address is checked beside its use."""
    rig = Rig(REMEMBERED, SETTINGS)
    before = rig.feed(Command.START)
    return rig, before + rig.answer(ACK)


def _granted_rapidly() -> tuple[Rig, list[Effect]]:
    """An address that was remembered, but not asked about now: another one was."""
    rig = Rig(AWAY, replace(SETTINGS, rapid_commit=True))
    rig.client.remembered += (REMEMBERED,)
    effects = rig.feed(Command.START) + rig.wake_until(Selecting)
    return rig, effects + rig.answer(ACK, options=rig.reply(ACK).options | {80: b""})


def _link_back() -> tuple[Rig, list[Effect]]:
    rig = reach(Bound)
    rig.feed(LinkChanged(up=False))
    before = rig.feed(LinkChanged(up=True))
    return rig, before + rig.answer(ACK)


def _unanswered() -> tuple[Rig, list[Effect]]:
    rig = Rig(REMEMBERED, replace(CAREFUL, use_remembered=True))
    return rig, rig.feed(Command.START)


def _another_network() -> tuple[Rig, list[Effect]]:
    """It asks for one lease, and the gateway of another answers."""
    rig = Rig(AWAY, replace(CAREFUL, check_again=Check.QUICK))
    rig.client.remembered += (KNOWN,)
    effects = rig.feed(Command.START) + rig.hear(HERE)
    assert isinstance(rig.state, Attached)
    return rig, effects


WAYS = (
    _allocated, _reallocated, _reallocated_quickly, _granted_rapidly, _link_back, _unanswered, _another_network,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_address_is_used_before_it_was_probed_for(way: object) -> None:
    """R5227-2.1-01, R5227-2.1-02: however it was obtained, and when the link comes back."""
    assert callable(way)
    rig, effects = way()
    effects += rig.wake_until(Bound)
    used = next(at for at, effect in enumerate(effects) if isinstance(effect, Configure))
    assert ADDRESS in {packet.tpa for packet in probes(effects[:used])}


@pytest.mark.parametrize("state", HOLDING)
def test_a_host_that_slept_probes_and_gives_way(state: type[Bound | Renewing | Rebinding]) -> None:
    """R5227-2.1-02: on wake-up; and whoever has taken the address meanwhile keeps it."""
    rig = reach(state)
    assert {packet.tpa for packet in probes(rig.feed(Woken()))} == {ADDRESS}
    assert "DECLINE" in names(rig.hear(INTRUDER))


def test_nobody_probes_for_an_address_in_use() -> None:
    """R5227-2.1-03: not in BOUND, and not when a lease is extended."""
    rig = reach(Bound)
    seen: list[Effect] = []
    for _ in range(3):
        seen += rig.wake_until(Renewing)
        seen += rig.answer(ACK)
    assert names(seen) != []
    assert arps(seen) == []


@pytest.mark.parametrize("shown", [0.001, 0.5, 0.999999])
def test_probes_come_at_random_times(shown: float) -> None:
    """R5227-2.1.1-01, R5227-2.1.1-02: a wait of up to a second, then three, one to two seconds apart."""
    rig = Rig(None, CAREFUL, lambda: shown)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(OFFER)
    rig.answer(ACK)
    granted_at = rig.now.mono
    moments = [at for at, effect in timed(rig, Bound) if probes([effect])]
    assert moments[0] - granted_at == pytest.approx(shown)
    assert [later - earlier for earlier, later in pairwise(moments)] == pytest.approx([1 + shown] * 2)


MEAN = {
    "an announcement": INTRUDER,
    "an answer": arp.Arp(arp.REPLY, OTHER_MAC, ADDRESS, MAC, 0),
    "a question about another address": arp.Arp(arp.REQUEST, OTHER_MAC, ADDRESS, bytes(6), ADDRESS + 9),
    "a probe for the same address": arp.probe(OTHER_MAC, ADDRESS),
}


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
@pytest.mark.parametrize("packet", MEAN)
def test_a_conflict_counts_from_the_grant_to_two_seconds_after_the_last_probe(sent: int, packet: str) -> None:
    """R5227-2.1.1-03, R5227-2.1.1-04, R5227-2.1.1-05."""
    rig = checking(sent)
    rig.later(((rig.client.deadline() or 0.0) - rig.now.mono) * 0.999)
    effects = rig.hear(MEAN[packet])
    assert "DECLINE" in names(effects)
    assert isinstance(rig.state, Backoff)
    assert not [effect for effect in effects + rig.wake_until(Selecting) if isinstance(effect, Configure)]


def test_the_last_probe_is_given_two_seconds() -> None:
    """R5227-2.1.1-03."""
    done = timed(reach(Probing), Bound)
    last = max(at for at, effect in done if probes([effect]))
    (used,) = [at for at, effect in done if isinstance(effect, Configure)]
    assert used - last == 2


def test_own_probes_that_come_back_are_no_conflict() -> None:
    """R5227-2.1.1-06."""
    rig = reach(Probing)
    while not isinstance(rig.state, Bound):
        for packet in arps(rig.wake()):
            assert rig.hear(packet) == []


def test_after_ten_conflicts_addresses_are_tried_once_a_minute() -> None:
    """R5227-2.1.1-07."""
    rig = reach(Selecting)
    moments = []
    for _ in range(14):
        rig.wake_until(Selecting)
        rig.answer(OFFER)
        rig.answer(ACK)
        moments.append(rig.now.mono)
        rig.hear(INTRUDER)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps[:9]) < 60
    assert min(gaps[9:]) >= 60


def test_an_address_is_announced_twice_two_seconds_apart_and_used_at_once() -> None:
    """R5227-2.3-01, R5227-2.3-02, R5227-2.5-01: the kernel, which answers ARP, has the address first."""
    done = timed(reach(Probing), Bound, 30)
    used = next(at for at, (_, effect) in enumerate(done) if isinstance(effect, Configure))
    after = [(at, packet) for at, effect in done[used:] for packet in arps([effect])]
    announced_at = done[used][0]
    announcement = arp.Arp(op=arp.REQUEST, sha=MAC, spa=ADDRESS, tha=bytes(6), tpa=ADDRESS)
    assert after == [(announced_at, announcement), (announced_at + 2, announcement)]
    assert arp.encode_arp(announcement)[:6] == b"\xff" * 6
    assert [packet for _, effect in done[:used] for packet in arps([effect]) if packet.spa] == []


@pytest.mark.parametrize("state", HOLDING)
def test_an_address_is_defended_once_and_given_up_at_the_second_conflict(
    state: type[Bound | Renewing | Rebinding],
) -> None:
    """R5227-2.4-01, R5227-2.4-02, R5227-2.4-03, R5227-2.4-04: by way (b), as long as it is used."""
    rig = reach(state)
    defence = arps(rig.hear(INTRUDER))
    assert [(packet.spa, packet.tpa) for packet in defence] == [(ADDRESS, ADDRESS)]
    effects = rig.later(9.9).hear(INTRUDER)
    assert arps(effects) == []
    assert names(effects)[0].startswith("deconfigure:conflict") or "deconfigure:conflict" in names(effects)
    assert isinstance(rig.state, Backoff)


@pytest.mark.parametrize("state", HOLDING)
@pytest.mark.parametrize("gap", [0.1, 5.0, 9.9])
def test_conflicts_that_are_ten_seconds_apart_are_each_met_with_one_announcement(
    state: type[Bound | Renewing | Rebinding], gap: float
) -> None:
    """R5227-2.4-03, R5227-2.4-06: never more than one in ten seconds."""
    rig = reach(state, replace(CAREFUL, lease_time=LEASE_TIME))
    for _ in range(4):
        assert len(arps(rig.later(10.0).hear(INTRUDER))) == 1
    assert isinstance(rig.state, Bound | Renewing | Rebinding)
    sooner = [packet for _ in range(50) for packet in arps(rig.later(gap).hear(INTRUDER))]
    assert sooner == []


def test_a_host_that_asks_for_our_address_is_no_conflict_once_it_is_used() -> None:
    """R5227-2.4-01: its probe is answered by the kernel, and the address stays."""
    for state in HOLDING:
        rig = reach(state)
        assert rig.hear(arp.probe(OTHER_MAC, ADDRESS)) == []
        assert isinstance(rig.state, state)


def test_whatever_happens_no_reply_is_broadcast() -> None:
    """R5227-2.6-01."""
    seen: list[Effect] = []
    for rig in (reach(Probing), Rig(REMEMBERED, dice=Dice())):
        seen += rig.feed(Command.START)
        rig.answer(ACK)
        seen += rig.wake_until(Bound) + rig.later(10).feed(Wake()) + rig.hear(INTRUDER)
    assert len(arps(seen)) > 6
    assert {packet.op for packet in arps(seen)} == {arp.REQUEST}


def test_a_conflict_while_rebooting_costs_the_address() -> None:
    """R5227-2.1.1-03: found before it was used, whenever the probes of a reallocation are sent."""
    rig = reach(Rebooting)
    rig.answer(ACK)
    assert "DECLINE" in names(rig.hear(INTRUDER))
