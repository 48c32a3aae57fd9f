"""RFC 4436 and RFC 8925: on which network are we, and does it want IPv4 at all? Each test names its rows.

docs/conformance.md has their text and what else shows one.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.client.accept import MIN_V6ONLY_WAIT
from relet.client.conflict import Check
from relet.client.states import Attached, Bound, Rebinding, Rebooting, Renewing, Requesting, Selecting, V6Only
from relet.model.effects import Effect, Send, SendArp
from relet.model.events import Command, LinkChanged, Wake
from relet.wire import arp
from relet.wire.address import BROADCAST_MAC, parse_ip
from relet.wire.options import MessageType
from support.client_deeds import configured, deeds, held
from support.client_rig import (
    ADDRESS,
    CAREFUL,
    GATEWAY,
    HERE,
    KNOWN,
    LEASE_TIME,
    MAC,
    OTHER_ADDRESS,
    OTHER_MAC,
    START,
    V6ONLY_WAIT,
    Rig,
    reach,
)

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK
QUICK = replace(CAREFUL, check_again=Check.QUICK)
WILLING = replace(CAREFUL, ipv6_only=True)
ASKING = (Selecting, Requesting, Rebooting, Renewing, Rebinding)


def questions(effects: list[Effect]) -> list[SendArp]:
    """The questions to routers by their hardware address."""
    return [effect for effect in effects if isinstance(effect, SendArp) and effect.mac != BROADCAST_MAC]


def coming_home() -> tuple[Rig, list[Effect]]:
    """A client that remembers a network and its gateway has been started."""
    rig = Rig(KNOWN, QUICK)
    return rig, rig.feed(Command.START)


# RFC 4436


def test_the_remembered_router_is_asked_by_unicast_beside_the_request() -> None:
    """R4436-2-01, R4436-2.1-03, R4436-2.1.1-01, R4436-2.1.1-03, R4436-2.2-01."""
    rig, effects = coming_home()
    asked = arp.Arp(op=arp.REQUEST, sha=MAC, spa=ADDRESS, tha=bytes(6), tpa=GATEWAY.address)
    assert questions(effects) == [SendArp(asked, GATEWAY.mac)]
    assert arp.encode_arp(asked, GATEWAY.mac)[:6] == GATEWAY.mac
    assert [type(effect) for effect in effects if not isinstance(effect, SendArp)] == [Send]
    assert rig.sent is not None
    assert (rig.sent.kind, rig.sent.ip(50), rig.sent.ciaddr) == (MessageType.REQUEST, ADDRESS, 0)


def test_the_router_is_asked_three_times_at_most() -> None:
    """R4436-2.1-05."""
    rig, effects = coming_home()
    while rig.now.mono < START.mono + 60:
        effects += rig.wake()
    assert len(questions(effects)) == 3


def test_a_link_that_flaps_begins_the_procedure_once_a_second_at_most() -> None:
    """R4436-2.1-05: a wobbling plug; the gateway is asked when the pause is over, if the link lasts that long."""
    rig, effects = coming_home()
    for _ in range(9):
        effects += rig.later(0.1).feed(LinkChanged(up=False))
        effects += rig.feed(LinkChanged(up=True))
    assert len(questions(effects)) == 1
    later: list[Effect] = []
    while rig.now.mono < START.mono + 10:
        later += rig.wake()
        if questions(later):
            break
    assert rig.now.mono == pytest.approx(START.mono + 1)
    assert "configure:network" in deeds(rig.hear(HERE))


def test_until_the_network_is_known_nobody_hears_of_the_address() -> None:
    """R4436-2.1.1-02: no broadcast says that it is ours, and the kernel, which would answer for it, does not have it."""
    rig, effects = coming_home()
    while isinstance(rig.state, Rebooting | Selecting) and rig.now.mono < START.mono + 60:
        effects += rig.wake()
    told = [effect for effect in effects if isinstance(effect, SendArp) and effect.arp.spa]
    assert told == questions(effects) != []
    assert not [deed for deed in deeds(effects) if deed.startswith("configure")]


def test_a_router_that_answers_brings_the_address_back_and_silence_leaves_it() -> None:
    """R4436-2.1-02."""
    rig, _ = coming_home()
    assert "configure:network" in deeds(rig.hear(HERE))
    assert isinstance(rig.state, Attached)
    effects = rig.wake_until(Bound)
    assert not {"DISCOVER", "deconfigure:moved"} & set(deeds(effects))
    assert held(rig).expires_at == START.mono - 600 + LEASE_TIME


def test_what_a_server_says_afterwards_counts_for_more() -> None:
    """R4436-2.1-04."""
    refused, _ = coming_home()
    refused.hear(HERE)
    assert "deconfigure:nak" in deeds(refused.answer(NAK))
    confirmed, _ = coming_home()
    confirmed.hear(HERE)
    assert configured(confirmed.later(1).answer(ACK)).binding.requested_at == START.wall
    assert held(confirmed).expires_at == START.mono + LEASE_TIME


OTHERS: dict[str, arp.Arp] = {
    "another hardware address": replace(HERE, sha=OTHER_MAC),
    "another router": replace(HERE, spa=GATEWAY.address + 1),
    "a question": replace(HERE, op=arp.REQUEST),
    "an answer to another": replace(HERE, tha=OTHER_MAC),
}


@pytest.mark.parametrize("packet", OTHERS)
def test_only_the_router_itself_confirms_its_network(packet: str) -> None:
    """R4436-2.1.1-01."""
    rig, _ = coming_home()
    assert rig.hear(OTHERS[packet]) == []
    assert isinstance(rig.state, Rebooting)


def test_link_local_addresses_are_not_confirmed() -> None:
    """R4436-2.3-01."""
    local = replace(KNOWN, binding=replace(KNOWN.binding, address=parse_ip("169.254.7.7")))
    rig = Rig(local, QUICK)
    effects = rig.feed(Command.START)
    for _ in range(5):
        effects += rig.wake()
    assert questions(effects) == []


# RFC 8925


def with_option(rig: Rig, kind: MessageType, octets: bytes = V6ONLY_WAIT.to_bytes(4)) -> list[Effect]:
    return rig.answer(kind, options=rig.reply(kind).options | {108: octets})


@pytest.mark.parametrize("state", ASKING)
def test_who_can_do_without_ipv4_asks_and_nobody_else(state: type) -> None:
    """R8925-3.2-01, R8925-3.2-02, R8925-3.2-03, R8925-3.2-09."""
    for settings, asks in ((WILLING, True), (CAREFUL, False)):
        said = reach(state, settings).sent
        assert said is not None
        assert (108 in said.options[55]) == asks


@pytest.mark.parametrize("octets", [b"", b"\0\0\x07", b"\0\0\0\x07\x08"])
def test_the_option_counts_with_four_octets_only(octets: bytes) -> None:
    """R8925-3.1-02."""
    rig = reach(Selecting, WILLING)
    assert deeds(with_option(rig, OFFER, octets)) == ["REQUEST"]


def test_who_did_not_ask_does_not_heed_it() -> None:
    """R8925-3.2-02, R8925-3.2-04."""
    rig = reach(Selecting)
    assert deeds(with_option(rig, OFFER)) == ["REQUEST"]
    rebooting = reach(Rebooting)
    with_option(rebooting, ACK)
    rebooting.wake_until(Bound)


@pytest.mark.parametrize("address", [ADDRESS, 0])
@pytest.mark.parametrize(("said", "waits"), [(0, 300), (299, 300), (300, 300), (1800, 1800), (86400, 86400)])
def test_an_offer_with_the_option_is_not_requested_and_nothing_is_asked_for_its_time(
    said: int, waits: int, address: int
) -> None:
    """R8925-3.2-05, R8925-3.2-06, R8925-3.2-07, R8925-3.4-01; address 0 (s3.3) comes without a lease time."""
    rig = reach(Selecting, WILLING)
    heard_at = rig.now.mono
    options = rig.reply(OFFER).options | {108: said.to_bytes(4)}
    if not address:
        del options[51]
    assert deeds(rig.answer(OFFER, address, options=options)) == []
    assert isinstance(rig.state, V6Only)
    assert rig.later(waits - 0.01).feed(Wake()) == []
    assert "DISCOVER" in deeds(rig.wake_until(Selecting))
    assert waits <= rig.now.mono - heard_at <= waits + 10
    assert MIN_V6ONLY_WAIT == 300


def test_a_new_attachment_ends_the_wait() -> None:
    """R8925-3.2-07."""
    rig = reach(V6Only, WILLING)
    back_at = rig.now.mono
    rig.feed(LinkChanged(up=False))
    rig.feed(LinkChanged(up=True))
    rig.wake_until(Selecting)
    assert rig.now.mono - back_at <= 10


def test_the_option_in_the_confirmation_of_a_remembered_lease_ends_its_use() -> None:
    """R8925-3.2-10."""
    rig = reach(Rebooting, WILLING)
    assert deeds(with_option(rig, ACK)) == []
    assert isinstance(rig.state, V6Only)
    assert deeds(with_option(reach(Attached, WILLING), ACK)) == ["deconfigure:ipv6-only"]


@pytest.mark.parametrize("state", [Requesting, Renewing, Rebinding])
def test_elsewhere_the_address_stays_in_use(state: type) -> None:
    """R8925-3.2-12."""
    rig = reach(state, WILLING)
    effects = with_option(rig, ACK) + rig.wake_until(Bound)
    assert configured(effects).binding.address == ADDRESS
    assert not [deed for deed in deeds(effects) if deed.startswith("deconfigure")]


def test_an_offer_without_the_option_is_an_offer() -> None:
    """R8925-3.2-13."""
    assert deeds(reach(Selecting, WILLING).answer(OFFER)) == ["REQUEST"]


@pytest.mark.parametrize("chosen_has_it", [True, False])
def test_of_several_offers_the_chosen_one_decides(chosen_has_it: bool) -> None:
    """R8925-3.2-14."""
    rig = reach(Selecting, replace(WILLING, timing=replace(CAREFUL.timing, offer_window=2.0)))
    answers: list[Callable[[], list[Effect]]] = [
        lambda: with_option(rig, OFFER),
        lambda: rig.answer(OFFER, OTHER_ADDRESS),
    ]
    for answer in answers if chosen_has_it else reversed(answers):
        answer()
    assert deeds(rig.wake()) == ([] if chosen_has_it else ["REQUEST"])
