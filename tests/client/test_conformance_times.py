"""RFC 2131 s3.3, s4.1, s4.4.5: from when a lease counts, and how long a client waits.

Each test names its rows of the requirements; docs/conformance.md has their text and what else shows one.
"""

import pytest
from msgspec.structs import replace

from relet.client.states import (
    Bound,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
)
from relet.model.events import Command, Wake
from relet.wire.options import MessageType
from support.client_deeds import configured, held, shows
from support.client_rig import (
    CAREFUL,
    LEASE_TIME,
    REMEMBERED,
    START,
    Rig,
    reach,
)

OFFER, ACK = MessageType.OFFER, MessageType.ACK


@pytest.mark.parametrize("state", [Requesting, Rebooting, Renewing, Rebinding])
def test_a_lease_counts_from_its_request(state: type[Requesting | Rebooting | Renewing | Rebinding]) -> None:
    """R2131-4.4.1-09, R2131-4.4.1-54, R2131-4.4.2-04, R2131-4.4.2-08, R2131-4.4.5-04, R2131-4.4.5-07, R2131-3.3-03,
    R2131-3.3-01: in seconds, by the client's own clock, and not from when the answer came, nor from when a copy with the
    same xid was sent, which may be the one that is answered."""
    rig = reach(state)
    asked_at, asked = rig.now, rig.sent
    if state in (Requesting, Rebooting):
        rig.wake()
        assert rig.now.mono > asked_at.mono + 3
        assert asked is not None
        assert rig.sent is not None
        assert (rig.sent.kind, rig.sent.xid) == (MessageType.REQUEST, asked.xid)
    effects = rig.later(3.5).answer(ACK, options=rig.reply(ACK).options | {51: (7000).to_bytes(4)})
    effects += rig.wake_until(Bound)
    assert configured(effects).binding.requested_at == asked_at.wall
    assert held(rig).expires_at == asked_at.mono + 7000


def test_an_infinite_lease_never_ends() -> None:
    """R2131-3.3-02."""
    rig = reach(Requesting)
    rig.answer(ACK, options=rig.reply(ACK).options | {51: b"\xff\xff\xff\xff"})
    rig.wake_until(Bound)
    rig.wake()
    assert rig.later(200 * 365 * 86400.0).feed(Wake()) == []
    assert isinstance(rig.state, Bound)


def test_secs_counts_from_when_the_client_began() -> None:
    """R2131-2-15, R2131-4.4.1-17, R1542-3.2-01, R1542-3.2-02."""
    for state in (Selecting, Rebooting, Renewing):
        rig = reach(state, replace(CAREFUL, reboot_timeout=200.0))
        began_at = rig.now.mono
        assert rig.sent is not None
        assert rig.sent.secs == 0
        for _ in range(5):
            copies = len(rig.sends)
            rig.wake()
            assert len(rig.sends) == copies + 1
            assert rig.sent.secs == int(rig.now.mono - began_at) > 0


def test_secs_goes_on_from_one_question_to_the_next_of_the_same_attempt() -> None:
    """R2131-2-15, R2131-4.4.1-17: from DHCPREQUEST to the DHCPDISCOVER beside it, and from RENEWING to REBINDING."""
    timing = replace(CAREFUL.timing, hedge_after=1.5)
    rig = Rig(REMEMBERED, replace(CAREFUL, reboot_timeout=200.0, timing=timing))
    rig.feed(Command.START)
    seen = set()
    for _ in range(10):
        rig.wake()
        assert rig.sent is not None
        assert rig.sent.secs == int(rig.now.mono - START.mono) > 0
        seen.add(rig.sent.kind)
    assert seen == {MessageType.DISCOVER, MessageType.REQUEST}
    rig = reach(Renewing)
    began_at = rig.now.mono
    rig.wake_until(Rebinding)
    for _ in range(3):
        assert rig.sent is not None
        assert rig.sent.secs == int(rig.now.mono - began_at) > 0
        rig.wake()


def test_t1_and_t2_have_their_defaults_and_a_little_chance() -> None:
    """R2131-4.4.5-02, R2131-4.4.5-10, R2131-4.4.5-11."""
    seen = set()
    for shown in (0.0, 0.25, 0.5, 0.999):
        rig = Rig(None, CAREFUL, shows(shown))
        rig.feed(Command.START)
        rig.wake_until(Selecting)
        rig.answer(OFFER)
        asked_at = rig.now.mono
        rig.answer(ACK)
        rig.wake_until(Bound)
        t1, t2, end = (at - asked_at for at in (held(rig).t1_at, held(rig).t2_at, held(rig).expires_at))
        assert 0.9 * LEASE_TIME / 2 < t1 <= LEASE_TIME / 2
        assert 0.9 * LEASE_TIME * 7 / 8 < t2 <= LEASE_TIME * 7 / 8
        assert t1 < t2 < end == LEASE_TIME
        seen.add((t1, t2))
    assert (LEASE_TIME / 2, LEASE_TIME * 7 / 8) in seen
    assert len(seen) == 4


@pytest.mark.parametrize(("state", "ends"), [(Renewing, "t2_at"), (Rebinding, "expires_at")])
def test_requests_to_extend_come_after_half_of_the_time_left(state: type[Renewing | Rebinding], ends: str) -> None:
    """R2131-4.4.5-16, R2131-4.4.5-17."""
    rig = reach(state)
    until, waits = getattr(held(rig), ends), []
    while (deadline := rig.client.deadline() or 0.0) < until:
        left = until - rig.now.mono
        waits.append(deadline - rig.now.mono)
        assert waits[-1] == pytest.approx(max(60, left / 2))
        rig.wake()
    assert len(waits) >= 2
    assert min(waits) >= 60


@pytest.mark.parametrize("tries", range(1, 8))
def test_copies_wait_ever_longer_and_by_chance(tries: int) -> None:
    """R2131-4.1-30, R2131-4.1-31, R2131-4.1-32, R2131-4.1-33, R2131-4.1-34, R2131-4.1-35."""
    waits = []
    for shown in (0.0, 0.3, 0.7, 0.999999):
        rig = Rig(None, CAREFUL, shows(shown))
        rig.feed(Command.START)
        rig.wake_until(Selecting)
        for _ in range(tries - 1):
            rig.wake()
        waits.append((rig.client.deadline() or 0.0) - rig.now.mono)
    middle = min(4 * 2 ** (tries - 1), 64)
    assert waits == pytest.approx([middle - 1, middle - 0.4, middle + 0.4, middle + 1], abs=0.01)
