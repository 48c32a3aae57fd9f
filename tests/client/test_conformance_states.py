"""RFC 2131 figure 5 and s3, s4.4: what a client does with what it hears and when, where no other test shows it.

Each test names its rows of the requirements; docs/conformance.md has their text and what else shows one.
"""

import pytest
from msgspec.structs import replace

from relet.client.accept import Drop
from relet.client.states import (
    Backoff,
    Bound,
    Init,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
)
from relet.model.events import Arrival, Command, LinkChanged, Wake
from relet.wire import arp, message
from relet.wire.address import BROADCAST_MAC
from relet.wire.options import MessageType
from support.client_deeds import configured, deeds, drops, held, shows, told
from support.client_rig import (
    ADDRESS,
    CAREFUL,
    LEASE_TIME,
    OTHER_ADDRESS,
    OTHER_MAC,
    OTHER_SERVER,
    REMEMBERED,
    SERVER,
    START,
    Rig,
    reach,
)

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK
INTRUDER = arp.announcement(OTHER_MAC, ADDRESS)
ANOTHER = {54: OTHER_SERVER.to_bytes(4)}
HOLDING = (Bound, Renewing, Rebinding)


# INIT, SELECTING, REQUESTING


def test_from_init_to_bound() -> None:
    """R2131-4.4-02, R2131-4.4-03, R2131-4.4-04, R2131-3.1-26, R2131-4.4.1-13, R2131-4.4.5-01."""
    rig = reach(Init)
    assert deeds(rig.wake_until(Selecting)) == ["DISCOVER"]
    assert deeds(rig.answer(OFFER, options=rig.reply(OFFER).options | ANOTHER)) == ["REQUEST"]
    assert isinstance(rig.state, Requesting)
    assert rig.sent is not None
    assert rig.sent.ip(54) == OTHER_SERVER
    rig.answer(ACK, options=rig.reply(ACK).options | ANOTHER)
    effect = configured(rig.wake_until(Bound))
    assert (effect.binding.address, effect.binding.lease_time) == (ADDRESS, LEASE_TIME)
    assert held(rig).t1_at < held(rig).t2_at < held(rig).expires_at


def test_several_servers_answer_and_one_is_chosen() -> None:
    """R2131-1.6-03, R2131-4.4-07, R2131-4.2-08, R2131-4.4.1-14."""
    rig = reach(Selecting)
    rig.answer(OFFER)
    assert drops(rig, lambda rig: rig.answer(OFFER)) == Drop.OTHER_KIND
    assert drops(rig, lambda rig: rig.answer(OFFER, OTHER_ADDRESS)) == Drop.OTHER_KIND
    assert drops(rig, lambda rig: rig.answer(OFFER, OTHER_ADDRESS, options=rig.reply(OFFER).options | ANOTHER))
    assert drops(rig, lambda rig: rig.answer(ACK, options=rig.reply(ACK).options | ANOTHER)) == Drop.OTHER_SERVER
    rig.answer(ACK)
    assert configured(rig.wake_until(Bound)).binding.server == SERVER


@pytest.mark.parametrize("state", [Probing, Bound])
def test_only_the_first_ack_counts(state: type[Probing | Bound]) -> None:
    """R2131-3.2-24, R2131-4.4-11: figure 5 discards in BOUND whatever comes, and so does the check before it."""
    rig = reach(Requesting)
    late = [Arrival(message.encode(rig.reply(kind))) for kind in (OFFER, ACK, NAK)]
    rig.answer(ACK)
    rig.wake_until(state)
    for reply in late:
        assert drops(rig, lambda rig, reply=reply: rig.feed(reply)) == Drop.NOT_AWAITED  # type: ignore[misc]


def test_without_an_offer_the_client_asks_again_and_again() -> None:
    """R2131-3.1-15, R2131-4.1-29, R2131-4.3.2-10."""
    rig = reach(Selecting)
    for _ in range(50):
        assert deeds(rig.wake()) == ["DISCOVER"]
    no_lease_time = {53: bytes((OFFER,)), 54: SERVER.to_bytes(4)}
    assert drops(rig, lambda rig: rig.answer(OFFER, options=no_lease_time)) == Drop.NO_LEASE_TIME
    assert deeds(rig.wake()) == ["DISCOVER"]


def test_an_offer_to_an_earlier_discover_is_dropped() -> None:
    """R2131-4.4.1-11, R2131-4.4.1-08, R2131-4.4.1-16, R2131-4.4.1-53."""
    rig = reach(Requesting)
    early = rig.reply(OFFER)
    assert rig.sends[-2].payload[4:8] == rig.sends[-1].payload[4:8] == early.xid.to_bytes(4)
    rig.answer(NAK)
    rig.wake_until(Selecting)
    assert drops(rig, lambda rig: rig.feed(Arrival(message.encode(early)))) == Drop.OTHER_XID
    assert deeds(rig.answer(OFFER)) == ["REQUEST"]


def test_an_ack_in_selecting_is_dropped() -> None:
    """R2131-4.4.1-12: also one that was granted rapidly (RFC 4039), which nobody asked for."""
    assert drops(reach(Selecting), lambda rig: rig.answer(ACK)) == Drop.OTHER_KIND
    rig = reach(Selecting)
    rapid = rig.reply(ACK).options | {80: b""}
    assert drops(rig, lambda rig: rig.answer(ACK, options=rapid)) == Drop.OTHER_KIND


@pytest.mark.parametrize("state", [Requesting, Rebooting, Renewing, Rebinding])
@pytest.mark.parametrize("kind", [ACK, NAK])
def test_replies_are_matched_by_xid(
    state: type[Requesting | Rebooting | Renewing | Rebinding], kind: MessageType
) -> None:
    """R2131-2-14, R2131-4.1-37, R2131-4.4.5-06."""
    assert drops(reach(state), lambda rig: rig.answer(kind, xid=rig.reply(kind).xid ^ 1)) == Drop.OTHER_XID
    rig = reach(state)
    rig.answer(kind)
    assert not isinstance(rig.state, state)


def test_xids_are_drawn_anew_and_over_the_whole_range() -> None:
    """R2131-2-14, R2131-4.1-38, R2131-4.1-39, R2131-4.4.1-16, R2131-4.4.2-03."""
    drawn = []
    for shown in range(100):
        rig = Rig(REMEMBERED, dice=shows(shown / 100))
        rig.feed(Command.START)
        assert rig.sent is not None
        drawn.append(rig.sent.xid)
    assert len(set(drawn)) == 100
    assert min(drawn) < 2**26
    assert max(drawn) > 2**32 - 2**27
    rig = reach(Renewing)
    renewal = rig.sent
    rig.wake()
    assert renewal is not None
    assert rig.sent is not None
    assert rig.sent.xid != renewal.xid


def test_a_nak_to_the_chosen_offer_means_init() -> None:
    """R2131-3.1-29, R2131-4.4-05."""
    rig = reach(Requesting)
    effects = rig.answer(NAK)
    assert told(effects) == ["nak"]
    assert deeds(effects) == ["DISCOVER"]
    assert isinstance(rig.state, Selecting)
    assert rig.sent is not None
    assert rig.sent.kind == MessageType.DISCOVER
    assert rig.sent.ip(50) is None


def test_silence_in_requesting_means_copies_and_then_init_and_the_user_is_told() -> None:
    """R2131-3.1-30, R2131-3.1-31, R2131-3.1-32, R2131-3.1-33, R2131-3.1-13."""
    rig = reach(Requesting)
    asked_at, first = rig.now.mono, rig.sent
    effects = rig.wake_until(Selecting)
    assert deeds(effects) == ["REQUEST"] * 3 + ["DISCOVER"]
    assert told(effects) == ["request-silence"]
    assert 55 <= rig.now.mono - asked_at <= 65
    copies = [message.decode(send.payload) for send in rig.sends if message.decode(send.payload).kind == 3]
    assert copies == [first] * 4


def test_the_client_is_configured_by_the_ack_and_not_by_the_offer() -> None:
    """R2131-4.3.2-05."""
    rig = reach(Selecting)
    rig.answer(OFFER, options=rig.reply(OFFER).options | {15: b"offered.example", 6: bytes(4)})
    rig.answer(ACK, options=rig.reply(ACK).options | {15: b"acked.example"})
    binding = configured(rig.wake_until(Bound)).binding
    assert binding.options[15] == b"acked.example"
    assert 6 not in binding.options


def test_a_reply_of_576_octets_is_taken_whole() -> None:
    """R2131-2-06: 312 octets of options, the cookie included; each of them comes to the configuration."""
    rig = reach(Requesting)
    filling = dict.fromkeys(range(224, 224 + 22), b"x" * 10) | {254: b"x" * 11}
    octets = message.encode(rig.reply(ACK, options=rig.reply(ACK).options | filling))
    assert len(octets) == 236 + 312
    rig.feed(Arrival(octets))
    assert configured(rig.wake_until(Bound)).binding.options.items() >= filling.items()


# The check of the address


@pytest.mark.parametrize("state", [Requesting, Rebooting])
def test_a_granted_address_is_checked_and_declined_if_somebody_has_it(state: type[Requesting | Rebooting]) -> None:
    """R2131-3.1-25, R2131-3.1-27, R2131-3.1-28, R2131-3.2-15, R2131-3.2-16, R2131-4.4-06, R2131-4.4.1-55,
    R2131-4.4.1-57, R2131-2.2-09, R2131-1.6-04."""
    rig = reach(state)
    rig.answer(ACK)
    effects = rig.hear(INTRUDER)
    assert "DECLINE" in deeds(effects)
    assert isinstance(rig.state, Backoff)
    declined_at = rig.now.mono
    assert deeds(rig.wake_until(Selecting)) == ["DISCOVER"]
    assert rig.now.mono - declined_at >= 10
    assert rig.sent is not None
    assert rig.sent.ip(50) is None


@pytest.mark.parametrize("state", [Requesting, Rebooting])
def test_a_free_address_is_used_and_announced(state: type[Requesting | Rebooting]) -> None:
    """R2131-4.4.1-58, R2131-3.2-15, R2131-4.4-09, R2131-4.4.2-07, R2131-3.2-01: whichever server confirms it."""
    rig = reach(state)
    options = rig.reply(ACK).options | (ANOTHER if state is Rebooting else {})
    effects = rig.answer(ACK, options=options) + rig.wake_until(Bound) + rig.later(30).feed(Wake())
    assert "announce" in deeds(effects)
    binding = configured(effects).binding
    assert (binding.address, binding.lease_time) == (ADDRESS, LEASE_TIME)
    assert binding.server == (OTHER_SERVER if state is Rebooting else SERVER)
    assert held(rig).t1_at < held(rig).t2_at < held(rig).expires_at


# BOUND, RENEWING, REBINDING


def test_from_bound_over_t1_and_t2_to_the_end() -> None:
    """R2131-4.4-12, R2131-4.4-15, R2131-4.4-17, R2131-3.7-03, R2131-3.7-04, R2131-4.4.4-06, R2131-4.4.5-18,
    R2131-4.4.5-19: at the end the address goes before anything is asked."""
    rig = reach(Bound)
    lease = held(rig)
    assert deeds(rig.wake_until(Renewing)) == ["REQUEST"]
    assert (rig.now.mono, rig.sends[-1].destination) == (lease.t1_at, SERVER)
    assert set(deeds(rig.wake_until(Rebinding))) == {"REQUEST"}
    assert (rig.now.mono, rig.sends[-1].destination) == (lease.t2_at, 0xFFFFFFFF)
    assert rig.sends[-1].mac == BROADCAST_MAC
    effects = rig.wake_until(Selecting)
    assert deeds(effects)[-2:] == ["deconfigure:expire", "DISCOVER"]
    assert told(effects) == ["expired"]
    assert rig.now.mono == lease.expires_at
    assert rig.sent is not None
    assert (rig.sent.ciaddr, rig.sent.secs) == (0, 0)


@pytest.mark.parametrize("state", [Renewing, Rebinding])
def test_an_extended_lease_has_new_times(state: type[Renewing | Rebinding]) -> None:
    """R2131-4.4-13, R2131-4.4-16, R2131-2.2-03."""
    rig = reach(state)
    asked_at = rig.now.mono
    effects = rig.answer(ACK)
    assert isinstance(rig.state, Bound)
    assert configured(effects).binding.lease_time == LEASE_TIME
    lease = held(rig)
    assert asked_at < lease.t1_at < lease.t2_at < lease.expires_at == asked_at + LEASE_TIME
    assert LEASE_TIME / 2 * 0.95 <= lease.t1_at - asked_at <= LEASE_TIME / 2
    assert LEASE_TIME * 7 / 8 * 0.95 <= lease.t2_at - asked_at <= LEASE_TIME * 7 / 8


@pytest.mark.parametrize(("state", "row"), [(Renewing, "R2131-4.4-14"), (Rebinding, "R2131-4.4-17")])
def test_a_nak_takes_the_address_at_once(state: type[Renewing | Rebinding], row: str) -> None:  # noqa: ARG001
    """R2131-4.4-14, R2131-4.4-17."""
    rig = reach(state)
    effects = rig.answer(NAK)
    assert deeds(effects)[0] == "deconfigure:nak"
    assert deeds(effects + rig.wake_until(Selecting)) == ["deconfigure:nak", "DISCOVER"]


def test_renewal_may_come_before_t1() -> None:
    """R2131-4.3.2-31, R2131-4.4.5-12."""
    rig = reach(Bound)
    assert rig.now.mono < held(rig).t1_at - 1000
    assert deeds(rig.feed(Command.RENEW)) == ["REQUEST"]
    assert deeds(rig.answer(ACK)) == ["configure:renew"]


@pytest.mark.parametrize("again", [ADDRESS, OTHER_ADDRESS])
def test_after_expiry_the_client_goes_on_with_what_it_is_given(again: int) -> None:
    """R2131-4.4.5-20, R2131-4.4.5-21, R2131-4.4.5-22."""
    rig = reach(Rebinding)
    ended = rig.wake_until(Selecting)
    assert "deconfigure:expire" in deeds(ended)
    assert "expired" in told(ended)
    rig.answer(OFFER, again)
    rig.answer(ACK, again)
    assert configured(rig.wake_until(Bound)).binding.address == again


# Reallocation


def test_a_nak_in_rebooting_means_the_full_procedure() -> None:
    """R2131-3.2-17, R2131-4.4-10."""
    rig = reach(Rebooting)
    effects = rig.answer(NAK)
    assert told(effects) == ["nak"]
    assert deeds(effects) == ["DISCOVER"]
    assert isinstance(rig.state, Selecting)
    assert rig.sent is not None
    assert (rig.sent.kind, rig.sent.ip(50)) == (MessageType.DISCOVER, None)
    rig.answer(OFFER, OTHER_ADDRESS)
    rig.answer(ACK, OTHER_ADDRESS)
    assert configured(rig.wake_until(Bound)).binding.address == OTHER_ADDRESS


def test_rebooting_asks_again_by_the_algorithm_of_section_4_1() -> None:
    """R2131-3.2-18, R2131-4.4-08."""
    rig = Rig(REMEMBERED, replace(CAREFUL, reboot_timeout=70.0))
    rig.feed(Command.START)
    assert isinstance(rig.state, Rebooting)
    moments: list[tuple[float, int]] = []
    while isinstance(rig.state, Rebooting):
        assert rig.sent is not None
        if rig.sent.kind == MessageType.REQUEST and rig.sent.secs not in [secs for _, secs in moments]:
            moments.append((rig.now.mono - START.mono, rig.sent.secs))
        rig.wake()
    assert [at for at, _ in moments] == pytest.approx([0, 4, 12, 28, 60], abs=0.1)


@pytest.mark.parametrize("permitted", [False, True])
def test_the_rest_of_an_unexpired_lease_may_be_used_without_an_answer(permitted: bool) -> None:
    """R2131-3.2-20, R2131-3.7-02."""
    rig = Rig(REMEMBERED, replace(CAREFUL, use_remembered=permitted))
    rig.feed(Command.START)
    rig.wake_until(Bound if permitted else Selecting)
    if permitted:
        assert held(rig).expires_at - START.mono == pytest.approx(LEASE_TIME - 600)


def test_a_link_that_was_away_makes_the_client_verify_its_address() -> None:
    """R2131-3.7-01, R2131-4.4-08."""
    for rig in (Rig(REMEMBERED), reach(Bound)):
        rig.feed(LinkChanged(up=False))
        rig.feed(Command.START)
        rig.feed(LinkChanged(up=True))
        assert isinstance(rig.state, Rebooting)
        assert rig.sent is not None
        assert (rig.sent.kind, rig.sent.ip(50)) == (MessageType.REQUEST, ADDRESS)


# The end


@pytest.mark.parametrize("state", HOLDING)
def test_the_lease_is_given_back_only_if_the_user_says_so(state: type[Bound | Renewing | Rebinding]) -> None:
    """R2131-2.2-04, R2131-3.2-22, R2131-3.2-23, R2131-4.4.6-01: a client keeps its address over a stop."""
    stopped = reach(state)
    assert deeds(stopped.feed(Command.STOP)) == ["deconfigure:stop", "finished"]
    assert deeds(stopped.later(60).feed(Command.START)) == ["REQUEST"]
    assert deeds(reach(state).feed(Command.RELEASE)) == ["RELEASE", "deconfigure:release", "finished"]


def test_nothing_depends_on_a_release() -> None:
    """R2131-4.4.6-02: a client that vanished without a word asks for its address again, or takes what it is given."""
    vanished = Rig(reach(Bound).client.remembered[0])
    assert deeds(vanished.feed(Command.START)) == ["REQUEST"]
    vanished.answer(NAK)
    vanished.wake_until(Selecting)
    vanished.answer(OFFER, OTHER_ADDRESS)
    vanished.answer(ACK, OTHER_ADDRESS)
    vanished.wake_until(Bound)
