"""What a client lives through, told from the wire: reallocation first (RFC 2131 s3.2), then the rest of a lease's life."""

import pytest
from msgspec.structs import replace

from relet.client.conflict import Check
from relet.client.states import (
    Backoff,
    Bound,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    Stopped,
)
from relet.model.clock import Now
from relet.model.effects import Binding, Configure, Effect, Note, Remember, Remembered, Send
from relet.model.events import Arrival, Command, LinkChanged, Wake
from relet.wire import arp, message, options
from relet.wire.codes import INFINITE
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    BINDING,
    CAREFUL,
    LEASE_TIME,
    OTHER_ADDRESS,
    OTHER_MAC,
    OTHER_SERVER,
    REMEMBERED,
    SERVER,
    START,
    Rig,
    names,
    reach,
)

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK
PERMITTING = replace(CAREFUL, use_remembered=True)


def configured(effects: list[Effect]) -> Binding:
    """The binding of the one Configure among the effects."""
    (found,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    return found


def aged(**changes: object) -> Remembered:
    """The remembered lease, but for some of its fields."""
    return Remembered(replace(BINDING, **changes), REMEMBERED.gateway)


def suggested(rig: Rig) -> int | None:
    """Option 50 of the last message."""
    assert rig.sent is not None
    return rig.sent.ip(options.REQUESTED_ADDRESS.code)


# s3.2: reallocation


def test_remembered_lease_is_confirmed_checked_and_used() -> None:
    rig = Rig(REMEMBERED)
    assert names(rig.feed(Command.START)) == ["REQUEST"]
    asked_at = rig.now
    rig.later(0.3)
    assert rig.answer(ACK) == []
    effects = rig.wake_until(Bound)
    assert names(effects) == ["probe", "probe", "probe", "remember:1", "configure:reboot", "announce"]
    binding = configured(effects)
    assert (binding.address, binding.server, binding.lease_time) == (ADDRESS, SERVER, LEASE_TIME)
    assert binding.requested_at == asked_at.wall


def test_remembered_lease_is_refused_and_not_asked_for_again_here() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    effects = rig.answer(NAK, options={53: b"\x06", 54: SERVER.to_bytes(4), 56: b"wrong network"})
    assert names(effects) == ["note:nak", "DISCOVER"]
    assert isinstance(effects[0], Note)
    assert "wrong network" in effects[0].text
    assert suggested(rig) is None
    # It may be the lease of another network, and stays remembered until a newer one of its network replaces it.
    assert rig.client.remembered == (REMEMBERED,)
    assert rig.client.lease is None
    rig.answer(OFFER, OTHER_ADDRESS)
    rig.answer(ACK, OTHER_ADDRESS)
    rig.wake_until(Bound)
    assert [lease.binding.address for lease in rig.client.remembered] == [OTHER_ADDRESS]


def test_a_refusal_without_words_is_told_without_words() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    assert Note("nak", "192.168.1.1 refused 192.168.1.100") in rig.answer(NAK)


def test_nobody_answers_and_the_lease_is_neither_used_nor_forgotten() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    effects = rig.wake_until(Selecting)
    assert names(effects) == ["REQUEST", "note:reboot-silence", "DISCOVER"]
    assert rig.now.mono - START.mono == pytest.approx(10)
    assert suggested(rig) == ADDRESS
    assert rig.client.remembered == (REMEMBERED,)


def test_nobody_answers_but_the_operator_permits_the_rest_of_the_lease() -> None:
    rig = Rig(REMEMBERED, PERMITTING)
    rig.feed(Command.START)
    effects = rig.wake_until(Bound)
    assert names(effects)[-2:] == ["configure:remembered", "announce"]
    assert configured(effects) == BINDING
    rig.wake_until(Renewing)
    t1_at = START.mono - 600 + BINDING.t1
    assert t1_at - 0.05 * BINDING.t1 <= rig.now.mono <= t1_at
    effects = rig.wake_until(Selecting)
    assert "deconfigure:expire" in names(effects)
    assert rig.now.wall == pytest.approx(BINDING.expires())


@pytest.mark.parametrize("requested_at", [START.wall - LEASE_TIME + 5, START.wall + 3600])
def test_permission_does_not_reach_past_the_lease_or_to_a_lease_from_the_future(requested_at: float) -> None:
    rig = Rig(aged(requested_at=requested_at), PERMITTING)
    rig.feed(Command.START)
    assert "note:reboot-silence" in names(rig.wake_until(Selecting))


def test_another_host_has_the_remembered_address() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(ACK)
    rig.wake()
    effects = rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    assert names(effects) == ["remember:0", "DECLINE", "note:conflict"]
    declined_at = rig.now.mono
    assert rig.state == Backoff(declined_at + 10)
    assert names(rig.wake()) == ["DISCOVER"]
    assert rig.now.mono == declined_at + 10
    assert suggested(rig) is None


def test_a_conflict_with_the_permitted_address_is_a_conflict_too() -> None:
    rig = Rig(REMEMBERED, PERMITTING)
    rig.feed(Command.START)
    rig.wake_until(Probing)
    assert names(rig.hear(arp.probe(OTHER_MAC, ADDRESS))) == ["remember:0", "DECLINE", "note:conflict"]


def test_an_expired_lease_means_init() -> None:
    rig = Rig(aged(requested_at=START.wall - LEASE_TIME))
    assert names(rig.feed(Command.START)) == ["remember:0", "note:expired"]
    assert isinstance(rig.state, Init)
    rig.wake()
    assert suggested(rig) == ADDRESS


def test_no_lease_means_init() -> None:
    rig = Rig()
    assert rig.feed(Command.START) == []
    assert names(rig.wake()) == ["DISCOVER"]
    assert suggested(rig) is None


def test_an_infinite_remembered_lease_is_asked_for() -> None:
    rig = Rig(aged(requested_at=0.0, lease_time=INFINITE, t1=INFINITE, t2=INFINITE))
    assert names(rig.feed(Command.START)) == ["REQUEST"]


def test_after_silence_another_address_may_be_taken_and_replaces_the_remembered_one() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(OFFER, OTHER_ADDRESS)
    rig.answer(ACK, OTHER_ADDRESS)
    assert configured(rig.wake_until(Bound)).address == OTHER_ADDRESS
    assert [lease.binding.address for lease in rig.client.remembered] == [OTHER_ADDRESS]


def test_refusals_in_a_row_are_answered_ever_more_slowly() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(NAK)
    waits = []
    for _ in range(12):
        rig.wake_until(Selecting)
        rig.answer(OFFER)
        rig.answer(NAK)
        waits.append((rig.client.deadline() or 0.0) - rig.now.mono)
    assert waits == sorted(waits)
    assert waits[0] > 0.1
    assert 32 <= waits[-1] <= 64


# s3.1: allocation


def test_the_first_offer_is_taken_by_default() -> None:
    rig = reach(Selecting)
    assert names(rig.answer(OFFER)) == ["REQUEST"]
    assert names(rig.answer(OFFER, OTHER_ADDRESS)) == []


def test_within_the_window_the_wished_address_wins() -> None:
    patient = replace(CAREFUL, timing=replace(CAREFUL.timing, offer_window=2.0))
    rig = Rig(REMEMBERED, patient)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    assert rig.answer(OFFER, OTHER_ADDRESS) == []
    assert names(rig.later(1).answer(OFFER, ADDRESS)) == ["REQUEST"]
    assert suggested(rig) == ADDRESS


def test_at_the_end_of_the_window_the_first_offer_wins() -> None:
    rig = reach(Selecting, replace(CAREFUL, timing=replace(CAREFUL.timing, offer_window=2.0)))
    heard_at = rig.now.mono
    rig.answer(OFFER, OTHER_ADDRESS)
    rig.later(1).answer(OFFER, OTHER_ADDRESS + 1)
    assert names(rig.wake()) == ["REQUEST"]
    assert rig.now.mono == heard_at + 2
    assert suggested(rig) == OTHER_ADDRESS


def test_offers_are_not_collected_without_end() -> None:
    rig = reach(Selecting, replace(CAREFUL, timing=replace(CAREFUL.timing, offer_window=3.0)))
    sent = [names(rig.answer(OFFER, OTHER_ADDRESS + number)) for number in range(16)]
    assert sent == [[]] * 15 + [["REQUEST"]]


def test_the_request_repeats_xid_and_secs_of_the_discover() -> None:
    rig = reach(Selecting)
    rig.wake()
    discover = rig.sent
    assert discover is not None
    assert discover.secs > 0
    rig.later(2).answer(OFFER)
    rig.wake()
    assert rig.sent is not None
    assert (rig.sent.xid, rig.sent.secs) == (discover.xid, discover.secs)


def test_four_requests_then_init() -> None:
    rig = reach(Requesting)
    asked_at = rig.now.mono
    assert names(rig.wake_until(Selecting)) == ["REQUEST"] * 3 + ["note:request-silence", "DISCOVER"]
    assert rig.now.mono - asked_at == pytest.approx(60, abs=1)


def test_the_lease_counts_from_the_first_copy_of_its_request() -> None:
    rig = reach(Selecting)
    rig.later(2).answer(OFFER)
    asked_at = rig.now
    rig.wake()
    rig.later(1).answer(ACK)
    assert isinstance(rig.state, Probing)
    assert rig.state.held.expires_at == asked_at.mono + LEASE_TIME
    assert rig.state.held.binding.requested_at == asked_at.wall


def test_a_lease_that_runs_out_during_its_check_is_not_used() -> None:
    rig = reach(Requesting)
    rig.answer(ACK, options=rig.reply(ACK).options | {51: (5).to_bytes(4)})
    effects = rig.wake_until(Selecting)
    assert "configure:bound" not in names(effects)
    assert "note:expired" in names(effects)


def test_without_probes_the_address_is_used_at_once() -> None:
    unchecked = replace(CAREFUL, check_new=Check.OFF, conflict=replace(CAREFUL.conflict, announce_num=0))
    assert names(reach(Requesting, unchecked).answer(ACK)) == ["remember:1", "configure:bound"]


# s4.4.5: renewal


def test_renewal_then_rebinding_then_the_end() -> None:
    rig = reach(Bound)
    assert isinstance(rig.state, Bound)
    held = rig.state.held
    rig.wake_until(Renewing)
    assert rig.now.mono == held.t1_at
    effects = rig.wake_until(Rebinding)
    assert rig.now.mono == held.t2_at
    assert set(names(effects)) == {"REQUEST"}
    effects = rig.wake_until(Selecting)
    assert rig.now.mono == held.expires_at
    assert names(effects)[-4:] == ["deconfigure:expire", "remember:0", "note:expired", "DISCOVER"]
    assert suggested(rig) == ADDRESS


def test_a_renewed_lease_counts_from_the_copy_that_was_answered() -> None:
    rig = reach(Renewing)
    first = rig.sent
    rig.wake()
    assert rig.sent is not None
    assert first is not None
    assert rig.sent.xid != first.xid
    assert rig.sent.secs > 0
    asked_at = rig.now
    effects = rig.later(0.5).answer(ACK)
    assert configured(effects).requested_at == asked_at.wall
    assert isinstance(rig.state, Bound)
    assert rig.state.held.expires_at == asked_at.mono + LEASE_TIME


def test_waits_in_renewing_halve_down_to_a_minute() -> None:
    rig = reach(Renewing)
    assert isinstance(rig.state, Renewing)
    waits = []
    while (rig.client.deadline() or 0.0) < rig.state.held.t2_at:
        left = rig.state.held.t2_at - rig.now.mono
        waits.append((rig.client.deadline() or 0.0) - rig.now.mono)
        assert waits[-1] == pytest.approx(max(60, left / 2))
        rig.wake()
    assert len(waits) > 3


def test_a_rebinding_answer_from_another_server_changes_the_server() -> None:
    rig = reach(Rebinding)
    effects = rig.answer(ACK, options=rig.reply(ACK).options | {54: OTHER_SERVER.to_bytes(4)})
    assert configured(effects).server == OTHER_SERVER


def test_a_host_that_slept_over_t2_rebinds_at_once() -> None:
    rig = reach(Bound)
    assert isinstance(rig.state, Bound)
    rig.later(rig.state.held.t2_at - rig.now.mono + 1).feed(Wake())
    assert isinstance(rig.state, Rebinding)


def test_an_ack_after_the_end_of_the_lease_comes_too_late() -> None:
    rig = reach(Rebinding)
    assert isinstance(rig.state, Rebinding)
    late = Arrival(message.encode(rig.reply(ACK)))
    rig.later(rig.state.held.expires_at - rig.now.mono)
    assert names(rig.feed(late))[0] == "deconfigure:expire"
    assert rig.client.dropped == {"other-xid": 1}


def test_an_infinite_lease_has_no_timers_but_can_be_renewed_by_hand() -> None:
    rig = reach(Requesting)
    rig.answer(ACK, options=rig.reply(ACK).options | {51: INFINITE.to_bytes(4)})
    rig.wake_until(Bound)
    rig.wake()
    assert rig.client.deadline() is None
    assert names(rig.feed(Command.RENEW)) == ["REQUEST"]
    assert rig.client.deadline() == rig.now.mono + 3600
    assert names(rig.answer(ACK)) == ["remember:1", "configure:renew"]


# RFC 5227 s2.4: an address in use


@pytest.mark.parametrize("state", [Bound, Renewing, Rebinding])
def test_two_conflicts_in_a_short_time_cost_the_address(state: type[Bound | Renewing | Rebinding]) -> None:
    rig = reach(state)
    intruder = arp.announcement(OTHER_MAC, ADDRESS)
    assert names(rig.hear(intruder)) == ["announce", "note:defended"]
    assert names(rig.later(9).hear(intruder)) == ["deconfigure:conflict", "remember:0", "DECLINE", "note:conflict"]
    assert rig.client.remembered == ()


def test_conflicts_far_apart_are_each_defended() -> None:
    rig = reach(Bound)
    for _ in range(5):
        assert names(rig.later(10).hear(arp.announcement(OTHER_MAC, ADDRESS))) == ["announce", "note:defended"]


def test_many_conflicts_slow_the_client_down() -> None:
    rig = reach(Selecting)
    waits = []
    for _ in range(11):
        rig.wake_until(Selecting)
        rig.answer(OFFER)
        rig.answer(ACK)
        rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
        waits.append(round((rig.client.deadline() or 0.0) - rig.now.mono, 6))
    assert waits == [10.0] * 9 + [60.0] * 2


def test_an_address_that_works_wipes_the_slate_clean() -> None:
    rig = reach(Requesting)
    rig.answer(NAK)
    rig.wake_until(Selecting)
    rig.answer(OFFER)
    rig.answer(ACK)
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    assert (rig.client.failures, rig.client.conflicts) == (1, 1)
    rig.wake_until(Selecting)
    rig.answer(OFFER)
    rig.answer(ACK)
    rig.wake_until(Bound)
    assert (rig.client.failures, rig.client.conflicts) == (0, 0)


# The link and the operator


def test_a_lost_link_takes_the_address_and_keeps_the_lease() -> None:
    rig = reach(Bound)
    assert names(rig.feed(LinkChanged(up=False))) == ["deconfigure:link-down"]
    assert rig.client.deadline() is None
    assert names(rig.later(100).feed(LinkChanged(up=True))) == ["REQUEST"]
    assert isinstance(rig.state, Rebooting)
    rig.answer(ACK)
    assert names(rig.wake_until(Bound))[-2:] == ["configure:reboot", "announce"]


def test_a_link_that_comes_back_after_the_lease_means_init() -> None:
    rig = reach(Bound)
    rig.feed(LinkChanged(up=False))
    assert names(rig.later(LEASE_TIME).feed(LinkChanged(up=True))) == ["remember:0", "note:expired"]


def test_a_flapping_link_does_not_shorten_the_wait_after_a_decline() -> None:
    rig = reach(Backoff)
    declined_at = rig.now.mono
    rig.later(1).feed(LinkChanged(up=False))
    rig.feed(LinkChanged(up=True))
    assert rig.client.deadline() == declined_at + 10
    assert isinstance(reach(InitReboot).state, InitReboot)


def test_a_start_without_link_waits_for_it() -> None:
    rig = Rig(REMEMBERED)
    rig.feed(LinkChanged(up=False))
    rig.feed(Command.START)
    assert isinstance(rig.state, LinkDown)
    assert names(rig.feed(LinkChanged(up=True))) == ["REQUEST"]


def test_a_client_that_was_stopped_without_link_still_waits_for_it() -> None:
    rig = reach(LinkDown)
    rig.feed(Command.STOP)
    assert rig.feed(Command.START) == []
    assert isinstance(rig.state, LinkDown)


def test_an_address_that_was_being_checked_when_the_link_went_is_wished_for() -> None:
    rig = reach(Probing)
    rig.feed(LinkChanged(up=False))
    rig.feed(LinkChanged(up=True))
    rig.wake_until(Selecting)
    assert suggested(rig) == ADDRESS


def test_a_stopped_client_starts_again_with_its_lease() -> None:
    rig = reach(Bound)
    assert names(rig.feed(Command.STOP)) == ["deconfigure:stop", "finished"]
    assert isinstance(rig.state, Stopped)
    assert names(rig.later(60).feed(Command.START)) == ["REQUEST"]


def test_a_released_lease_is_gone() -> None:
    rig = reach(Bound)
    rig.feed(Command.RELEASE)
    assert rig.client.remembered == ()
    assert Remember(()) not in rig.feed(Command.START)
    assert isinstance(rig.state, Init)


def test_the_release_leaves_before_the_address_does() -> None:
    effects = reach(Bound).feed(Command.RELEASE)
    assert names(effects) == ["remember:0", "RELEASE", "deconfigure:release", "finished"]
    released = effects[1]
    assert isinstance(released, Send)
    assert (released.destination, released.source, released.mac) == (SERVER, ADDRESS, None)


def test_the_wall_clock_may_jump_while_a_lease_is_held() -> None:
    rig = reach(Bound)
    rig.now = Now(rig.now.wall + 20 * 365 * 86400, rig.now.mono)
    assert rig.feed(Wake()) == []
    assert isinstance(rig.state, Bound)
