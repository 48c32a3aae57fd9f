"""The way back: hedged, quickly checked, and from one remembered network to another (RFC 2131 s3.2, RFC 4436, RFC 8925)."""

from math import inf

import pytest
from msgspec.structs import replace

from relet.client.conflict import Check
from relet.client.settings import ClientSettings
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    InitReboot,
    Probing,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    V6Only,
)
from relet.model.effects import Configure, Effect, Gateway, Remember, Remembered, Send, SendArp
from relet.model.events import Arrival, Command, LinkChanged, Wake, Woken
from relet.wire import arp, message
from relet.wire.address import parse_ip
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    AWAY,
    AWAY_HERE,
    BINDING,
    GATEWAY,
    HERE,
    KNOWN,
    LEASE_TIME,
    MAC,
    OTHER_ADDRESS,
    OTHER_MAC,
    OTHER_SERVER,
    REMEMBERED,
    ROUTED,
    SERVER,
    SETTINGS,
    START,
    V6ONLY_WAIT,
    Dice,
    Rig,
    Traced,
    names,
    reach,
)

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK


def quick(*remembered: Remembered, settings: ClientSettings = SETTINGS) -> Rig:
    """A client with the default settings, and these leases."""
    rig = Rig(None, settings)
    rig.client = Traced(settings, Dice(), remembered)
    return rig


def configured_by(effects: list[Effect]) -> object:
    """The binding of the one Configure among the effects."""
    (found,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    return found


def messages(effects: list[Effect]) -> list[Message]:
    return [message.decode(effect.payload) for effect in effects if isinstance(effect, Send)]


def answer_to(
    rig: Rig, question: Message, kind: MessageType, address: int = ADDRESS, **changes: object
) -> list[Effect]:
    """A server answers this message, which need not be the last one."""
    return rig.feed(Arrival(message.encode(replace(rig.reply(kind, address, **changes), xid=question.xid))))


def hedged() -> tuple[Rig, Message, Message]:
    """A client that has been waiting for a second, its DHCPREQUEST, and the DHCPDISCOVER beside it."""
    rig = quick(REMEMBERED)
    (request,) = messages(rig.feed(Command.START))
    (discover,) = messages(rig.wake())
    return rig, request, discover


# The DHCPDISCOVER beside the DHCPREQUEST


def test_after_a_second_of_silence_a_discover_goes_out_beside_the_request() -> None:
    rig, request, discover = hedged()
    assert rig.now.mono - START.mono == SETTINGS.timing.hedge_after
    assert isinstance(rig.state, Selecting)
    assert (request.kind, discover.kind) == (MessageType.REQUEST, MessageType.DISCOVER)
    assert discover.ip(50) == ADDRESS
    assert discover.xid != request.xid
    assert discover.secs == 1


def test_the_request_is_sent_on_and_in_the_end_given_up() -> None:
    rig, request, discover = hedged()
    sent = []
    while isinstance(rig.state, Selecting) and rig.state.beside:
        sent += messages(rig.wake())
    assert rig.now.mono - START.mono == SETTINGS.reboot_timeout
    assert {each.xid for each in sent} == {request.xid, discover.xid}
    assert [each.kind for each in sent if each.xid == request.xid] == [MessageType.REQUEST]
    assert rig.client.remembered == (REMEMBERED,)
    assert answer_to(rig, request, ACK) == []
    assert rig.client.dropped == {"other-xid": 1}


def test_an_ack_to_the_request_wins_before_an_offer() -> None:
    rig, request, _ = hedged()
    assert names(answer_to(rig, request, ACK)) == ["remember:1", "configure:reboot"]
    assert isinstance(rig.state, Bound)
    assert rig.state.held.binding.requested_at == START.wall


def test_an_ack_to_the_request_wins_after_an_offer_was_chosen() -> None:
    rig, request, discover = hedged()
    assert names(answer_to(rig, discover, OFFER, OTHER_ADDRESS)) == ["REQUEST"]
    assert isinstance(rig.state, Requesting)
    assert names(answer_to(rig, request, ACK))[-1] == "configure:reboot"
    # What the offering server says now is about a lease that is not wanted any more.
    assert answer_to(rig, discover, ACK, OTHER_ADDRESS) == []
    assert rig.client.dropped == {"not-awaited": 1}


def test_an_offer_wins_if_nobody_answers_the_request() -> None:
    rig, _, discover = hedged()
    assert names(answer_to(rig, discover, OFFER)) == ["REQUEST", "probe"]
    assert names(answer_to(rig, discover, ACK)) == ["remember:1", "configure:bound"]


@pytest.mark.parametrize("chosen", [False, True])
def test_a_nak_to_the_request_leaves_the_discover(chosen: bool) -> None:
    rig, request, discover = hedged()
    if chosen:
        answer_to(rig, discover, OFFER, OTHER_ADDRESS)
    assert names(answer_to(rig, request, NAK)) == ["note:nak"]
    assert isinstance(rig.state, Requesting if chosen else Selecting)
    # The first verdict stands.
    assert answer_to(rig, request, ACK) == []
    assert rig.client.dropped == {"other-xid": 1}
    if not chosen:
        answer_to(rig, discover, OFFER, OTHER_ADDRESS)
    answer_to(rig, discover, ACK, OTHER_ADDRESS)
    rig.wake_until(Bound)
    assert [each.binding.address for each in rig.client.remembered] == [OTHER_ADDRESS]


def test_a_nak_to_what_was_chosen_means_init_and_ends_the_request_too() -> None:
    rig, request, discover = hedged()
    answer_to(rig, discover, OFFER, OTHER_ADDRESS)
    assert names(answer_to(rig, discover, NAK)) == ["note:nak", "DISCOVER"]
    assert answer_to(rig, request, ACK) == []


# NAK and ACK that cross


def test_a_nak_after_the_ack_is_dropped() -> None:
    rig = quick(REMEMBERED)
    (request,) = messages(rig.feed(Command.START))
    answer_to(rig, request, ACK)
    assert answer_to(rig, request, NAK) == []
    assert isinstance(rig.state, Bound)
    assert rig.client.dropped == {"not-awaited": 1}


def test_an_ack_after_the_nak_is_dropped() -> None:
    rig = quick(REMEMBERED)
    (request,) = messages(rig.feed(Command.START))
    answer_to(rig, request, NAK)
    assert answer_to(rig, request, ACK) == []
    assert isinstance(rig.state, Selecting)
    assert rig.client.dropped == {"other-xid": 1}


def test_a_nak_while_renewing_counts_from_the_granting_server_alone() -> None:
    rig = reach(Renewing)
    other = rig.reply(NAK).options | {54: OTHER_SERVER.to_bytes(4)}
    assert rig.answer(NAK, options=other) == []
    assert rig.client.dropped == {"other-server": 1}
    assert names(rig.answer(NAK))[0] == "deconfigure:nak"


# Networks


def test_the_remembered_gateways_are_asked_whether_they_are_here() -> None:
    rig = quick(KNOWN, AWAY)
    asked = [effect for effect in rig.feed(Command.START) if isinstance(effect, SendArp) and effect.arp.spa]
    # RFC 4436 s2.1.1: unicast, from the address in question.
    assert asked == [
        SendArp(arp.question(MAC, ADDRESS, GATEWAY.address), GATEWAY.mac),
        SendArp(arp.question(MAC, 0x0A000005, 0x0A000001), AWAY_HERE.sha),
    ]
    again = rig.wake() + rig.wake()
    assert names(again) == ["ask-gateway"] * 4
    assert rig.now.mono - START.mono == pytest.approx(0.4)
    assert names(rig.wake()) == ["DISCOVER"]


def test_its_gateway_answers_and_the_address_is_used_while_servers_are_asked() -> None:
    rig = quick(KNOWN)
    (request,) = messages(rig.feed(Command.START))
    assert names(rig.hear(HERE)) == ["configure:network", "note:network-known"]
    assert isinstance(rig.state, Attached)
    assert rig.state.held.expires_at == START.mono - 600 + LEASE_TIME
    effects = answer_to(rig, request, ACK, options=rig.reply(ACK).options | ROUTED)
    assert names(effects) == ["remember:1", "configure:reboot"]
    assert rig.client.remembered[0].gateway == GATEWAY
    assert isinstance(rig.state, Bound)
    assert rig.state.held.expires_at == START.mono + LEASE_TIME


def test_its_gateway_answers_and_no_server_does() -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    rig.hear(HERE)
    effects = rig.wake_until(Bound)
    assert "DISCOVER" not in names(effects)
    assert names(effects)[-1] == "note:reboot-silence"
    assert rig.now.mono - START.mono == SETTINGS.reboot_timeout
    rig.wake_until(Renewing)
    assert rig.now.mono - START.mono == pytest.approx(1800 - 600, abs=0.05 * 1800)


def test_its_gateway_answers_and_a_server_refuses() -> None:
    rig = quick(KNOWN)
    (request,) = messages(rig.feed(Command.START))
    rig.hear(HERE)
    assert names(answer_to(rig, request, NAK)) == ["deconfigure:nak", "remember:0", "note:nak", "DISCOVER"]


@pytest.mark.parametrize(
    "heard",
    [
        replace(HERE, sha=OTHER_MAC),  # another home with the same addresses
        replace(HERE, spa=GATEWAY.address + 1),
        replace(HERE, tha=OTHER_MAC),
        replace(HERE, op=arp.REQUEST),
    ],
)
def test_nobody_else_can_confirm_a_network(heard: arp.Arp) -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    assert rig.hear(heard) == []
    assert isinstance(rig.state, Rebooting)


@pytest.mark.parametrize("requested_at", [START.wall + 3600, START.wall - LEASE_TIME])
def test_a_lease_that_is_over_or_from_the_future_is_not_confirmed_by_a_gateway(requested_at: float) -> None:
    old = replace(KNOWN, binding=replace(KNOWN.binding, requested_at=requested_at))
    rig = quick(AWAY, old)
    assert names(rig.feed(Command.START)).count("ask-gateway") == 1
    rig.hear(HERE)
    assert isinstance(rig.state, Rebooting)


def test_a_link_local_address_is_not_confirmed_by_a_gateway() -> None:
    rig = quick(replace(KNOWN, binding=replace(KNOWN.binding, address=0xA9FE0105)))
    assert "ask-gateway" not in names(rig.feed(Command.START))


def test_a_laptop_comes_home_and_finds_its_address() -> None:
    rig = quick(AWAY, KNOWN)
    (request,) = messages(rig.feed(Command.START))
    assert request.ip(50) == AWAY.binding.address
    effects = rig.hear(HERE)
    assert names(effects) == ["REQUEST", "probe", "remember:2", "configure:network", "note:network-known"]
    (again,) = messages(effects)
    assert again.ip(50) == ADDRESS
    assert again.xid != request.xid
    assert rig.client.remembered == (KNOWN, AWAY)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    assert [each.binding.address for each in rig.client.remembered] == [ADDRESS, AWAY.binding.address]


def test_a_refusal_by_a_server_that_is_remembered_too_leads_to_its_lease() -> None:
    rig = quick(AWAY, REMEMBERED)
    (request,) = messages(rig.feed(Command.START))
    effects = answer_to(rig, request, NAK)
    assert names(effects) == ["note:nak", "REQUEST", "probe"]
    assert messages(effects)[0].ip(50) == ADDRESS
    assert names(rig.answer(ACK)) == ["remember:2", "configure:reboot"]


def test_each_lease_is_refused_once_and_then_all_are_asked_for_again_on_another_link() -> None:
    rig = quick(KNOWN, replace(AWAY, binding=replace(AWAY.binding, server=SERVER)))
    rig.feed(Command.START)
    rig.answer(NAK)
    assert isinstance(rig.state, Rebooting)
    rig.answer(NAK)
    assert isinstance(rig.state, Selecting)
    assert rig.client.lease is None
    assert len(rig.client.remembered) == 2
    rig.feed(LinkChanged(up=False))
    (request,) = messages(rig.feed(LinkChanged(up=True)))
    assert request.ip(50) == ADDRESS


def test_a_gateway_proves_nothing_for_a_lease_that_a_newer_one_may_have_replaced() -> None:
    """The client was killed before it knew whose network the newer lease is of: one that looks alike, or the same."""
    newer = replace(REMEMBERED, binding=replace(KNOWN.binding, address=OTHER_ADDRESS))
    rig = quick(newer, KNOWN)
    (request,) = messages(rig.feed(Command.START))
    assert request.ip(50) == OTHER_ADDRESS
    assert rig.hear(HERE) == []
    assert names(rig.answer(ACK, OTHER_ADDRESS, options=rig.reply(ACK).options | ROUTED))[-1] == "configure:reboot"
    assert rig.client.remembered[0].binding.address == OTHER_ADDRESS


def test_of_two_remembered_gateways_on_one_link_the_first_that_answers_counts() -> None:
    rig = quick(KNOWN, AWAY)
    rig.feed(Command.START)
    rig.hear(HERE)
    assert rig.hear(AWAY_HERE) == []
    assert isinstance(rig.state, Attached)
    assert rig.state.held.binding == KNOWN.binding


def test_the_gateway_becomes_known_in_the_first_moments_of_use() -> None:
    rig = quick(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    effects: list[Effect] = []
    while "ask-gateway" not in names(effects):
        effects = rig.wake()
    assert names(effects) == ["announce", "ask-gateway"]
    assert effects[1] == SendArp(arp.question(MAC, ADDRESS, GATEWAY.address))
    assert names(rig.hear(HERE)) == ["remember:1"]
    assert rig.client.remembered[0].gateway == GATEWAY
    assert rig.hear(HERE) == []


def test_a_silent_gateway_is_asked_three_times() -> None:
    rig = quick(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    effects = rig.wake_until(Renewing)
    assert names(effects).count("ask-gateway") == 3


def test_two_homes_that_look_alike_keep_a_lease_each() -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    while "ask-gateway" not in names(rig.wake()):
        pass
    rig.hear(replace(HERE, sha=OTHER_MAC))
    assert [each.gateway for each in rig.client.remembered] == [Gateway(GATEWAY.address, OTHER_MAC), GATEWAY]


def test_with_full_checks_a_known_gateway_is_no_leave_to_use_the_address_unchecked() -> None:
    careful = replace(SETTINGS, check_again=Check.FULL, timing=replace(SETTINGS.timing, hedge_after=inf))
    rig = quick(KNOWN, settings=careful)
    rig.feed(Command.START)
    assert rig.hear(HERE) == []
    assert isinstance(rig.state, Rebooting)
    rig.wake_until(Probing)
    effects = rig.wake_until(Bound)
    assert names(effects)[:2] == ["probe", "probe"]
    assert "configure:remembered" in names(effects)


def test_with_full_checks_the_lease_of_the_network_that_is_here_is_asked_for() -> None:
    rig = quick(AWAY, KNOWN, settings=replace(SETTINGS, check_again=Check.FULL))
    rig.feed(Command.START)
    (request,) = messages(rig.hear(HERE))
    assert request.ip(50) == ADDRESS
    assert isinstance(rig.state, Rebooting)


def test_a_host_that_slept_asks_again_and_keeps_its_address_meanwhile() -> None:
    rig = reach(Bound)
    effects = rig.later(60).feed(Woken())
    assert names(effects) == ["REQUEST", "probe"]
    (request,) = messages(effects)
    assert (request.ip(50), request.ciaddr) == (ADDRESS, 0)
    assert names(rig.answer(ACK)) == ["remember:1", "configure:reboot"]


def test_somebody_took_the_address_of_a_host_that_slept() -> None:
    rig = reach(Bound)
    rig.later(60).feed(Woken())
    assert names(rig.hear(arp.announcement(OTHER_MAC, ADDRESS)))[0] == "deconfigure:conflict"


def woken_elsewhere() -> Rig:
    """A client that went to sleep at home, and remembers another network as well."""
    rig = quick(KNOWN, AWAY)
    rig.feed(Command.START)
    rig.hear(HERE)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    rig.wake_until_quiet()
    assert names(rig.later(600).feed(Woken())) == ["REQUEST", "probe", "ask-gateway", "ask-gateway"]
    return rig


def test_a_host_that_slept_hears_that_it_is_elsewhere() -> None:
    rig = woken_elsewhere()
    effects = rig.hear(AWAY_HERE)
    assert names(effects)[:2] == ["deconfigure:moved", "REQUEST"]
    assert configured_by(effects) == AWAY.binding
    assert [each.binding.address for each in rig.client.remembered] == [AWAY.binding.address, ADDRESS]


def test_a_host_that_slept_is_refused_elsewhere_and_keeps_its_lease_in_mind() -> None:
    rig = woken_elsewhere()
    other = rig.reply(NAK).options | {54: AWAY.binding.server.to_bytes(4)}
    effects = rig.answer(NAK, options=other)
    assert names(effects)[:3] == ["deconfigure:nak", "note:nak", "REQUEST"]
    assert messages(effects)[0].ip(50) == AWAY.binding.address
    assert len(rig.client.remembered) == 2


def test_a_host_that_slept_and_finds_nobody_starts_anew() -> None:
    rig = woken_elsewhere()
    effects = rig.wake_until(Selecting)
    assert names(effects)[-3:] == ["deconfigure:moved", "note:reboot-silence", "DISCOVER"]
    assert len(rig.client.remembered) == 2


def test_a_host_that_slept_at_home_keeps_its_address_without_a_server() -> None:
    rig = woken_elsewhere()
    assert rig.hear(HERE) == []
    assert "deconfigure:moved" not in names(rig.wake_until(Bound))


def test_gateways_are_asked_once_a_second_however_the_link_flaps() -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    for _ in range(10):
        rig.later(0.05).feed(LinkChanged(up=False))
        assert "ask-gateway" not in names(rig.later(0.04).feed(LinkChanged(up=True)))
    asked = rig.wake()
    assert names(asked) == ["ask-gateway"]
    assert rig.now.mono - START.mono == pytest.approx(1.0)


@pytest.mark.parametrize("end", [Command.RELEASE, "conflict", "expiry"])
def test_what_is_over_is_forgotten_though_the_gateway_has_not_answered_yet(end: Command | str) -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    both = rig.client.remembered
    assert [each.gateway for each in both] == [None, GATEWAY]  # the one with the gateway may be another network's
    match end:
        case "conflict":
            rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
        case "expiry":
            rig.later(LEASE_TIME).feed(Wake())
        case _:
            rig.feed(Command.RELEASE)
    assert not rig.client.remembered


def test_an_address_of_another_network_is_a_new_one_here() -> None:
    rig = quick(KNOWN)
    rig.feed(Command.START)
    other = {54: OTHER_SERVER.to_bytes(4)}
    rig.answer(NAK, options=rig.reply(NAK).options | other)
    rig.answer(OFFER, options=rig.reply(OFFER).options | other)
    rig.answer(ACK, options=rig.reply(ACK).options | other)
    assert isinstance(rig.state, Probing)


def test_whoever_has_the_old_address_is_heard_while_another_one_is_taken() -> None:
    rig, request, discover = hedged()
    answer_to(rig, discover, OFFER, OTHER_ADDRESS)
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    assert names(answer_to(rig, request, ACK)) == ["remember:0", "DECLINE", "note:conflict"]


def test_a_late_ack_to_the_request_is_none_after_its_time() -> None:
    rig, request, discover = hedged()
    answer_to(rig, discover, OFFER, OTHER_ADDRESS)
    rig.later(SETTINGS.reboot_timeout).feed(Wake())
    assert isinstance(rig.state, Requesting)
    assert answer_to(rig, request, ACK) == []
    assert rig.client.dropped == {"other-xid": 1}


def test_what_the_operator_permits_is_not_lost_by_an_offer_that_came_to_nothing() -> None:
    rig = quick(REMEMBERED, settings=replace(SETTINGS, use_remembered=True))
    rig.feed(Command.START)
    rig.wake()
    rig.answer(OFFER, OTHER_ADDRESS)
    rig.wake_until(Rebooting)
    assert "configure:remembered" in names(rig.wake_until(Bound))


# Quick checks


def test_a_quick_check_goes_beside_the_request_and_on_in_the_first_moments_of_use() -> None:
    rig = quick(REMEMBERED)
    assert names(rig.feed(Command.START)) == ["REQUEST", "probe"]
    assert names(rig.answer(ACK)) == ["remember:1", "configure:reboot"]
    used_at = rig.now.mono
    effects = [rig.wake() for _ in range(4)]
    assert list(map(names, effects)) == [["probe"], ["probe"], ["announce"], ["announce"]]
    assert rig.now.mono - used_at == pytest.approx(0.3 + 2.0)


def test_whoever_answers_before_the_ack_keeps_the_address_from_being_used() -> None:
    rig = quick(REMEMBERED)
    rig.feed(Command.START)
    assert rig.hear(arp.announcement(OTHER_MAC, ADDRESS)) == []
    effects = rig.answer(ACK)
    assert names(effects) == ["remember:0", "DECLINE", "note:conflict"]
    assert isinstance(rig.state, Backoff)
    assert not any(isinstance(effect, Configure) for effect in effects)


def test_whoever_answers_an_offered_address_is_heard_too() -> None:
    rig = quick(settings=replace(SETTINGS, check_new=Check.QUICK))
    rig.feed(Command.START)
    assert names(rig.answer(OFFER)) == ["REQUEST", "probe"]
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    assert names(rig.answer(ACK)) == ["DECLINE", "note:conflict"]


def test_whoever_answers_in_the_first_moments_of_use_was_there_before() -> None:
    rig = quick(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(ACK)
    effects = rig.later(0.05).hear(arp.announcement(OTHER_MAC, ADDRESS))
    assert names(effects) == ["deconfigure:conflict", "remember:0", "DECLINE", "note:conflict"]


def test_after_the_check_an_address_is_defended() -> None:
    rig = quick(REMEMBERED)
    rig.feed(Command.START)
    rig.answer(ACK)
    for _ in range(3):
        rig.wake()
    assert names(rig.hear(arp.announcement(OTHER_MAC, ADDRESS))) == ["announce", "note:defended"]


def test_conflicts_found_by_quick_checks_slow_the_client_down_as_well() -> None:
    rig = quick(settings=replace(SETTINGS, check_new=Check.QUICK))
    rig.feed(Command.START)
    waits = []
    for _ in range(11):
        rig.wake_until(Selecting)
        rig.answer(OFFER)
        rig.answer(ACK)
        rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
        waits.append(round((rig.client.deadline() or 0.0) - rig.now.mono, 6))
    assert waits == [10.0] * 9 + [60.0] * 2


@pytest.mark.parametrize(
    ("settings", "new", "again"),
    [
        (SETTINGS, Probing, Bound),
        (replace(SETTINGS, check_new=Check.QUICK), Bound, Bound),
        (replace(SETTINGS, check_again=Check.FULL), Probing, Probing),
        (replace(SETTINGS, check_new=Check.OFF, check_again=Check.OFF), Bound, Bound),
    ],
)
def test_which_check_for_which_address(settings: ClientSettings, new: type[State], again: type[State]) -> None:
    rig = quick(settings=settings)
    rig.feed(Command.START)
    rig.answer(OFFER)
    rig.answer(ACK)
    assert isinstance(rig.state, new)
    rig = quick(REMEMBERED, settings=settings)
    rig.feed(Command.START)
    rig.answer(ACK)
    assert isinstance(rig.state, again)


@pytest.mark.parametrize(
    ("address", "options", "taken"),
    [
        ("192.168.1.255", {1: bytes((255, 255, 255, 0))}, False),
        ("192.168.1.0", {1: bytes((255, 255, 255, 0))}, False),
        ("192.168.1.1", {1: bytes((255, 255, 255, 0))}, False),  # the server's own
        ("192.168.1.0", {1: bytes((255, 255, 255, 254))}, True),  # RFC 3021
        ("192.168.1.255", {1: bytes((255, 255, 255, 255))}, True),
        ("192.168.1.255", {1: bytes((255, 255, 254, 0))}, False),
        ("192.168.1.255", {1: bytes((255, 255, 252, 0))}, True),
        ("192.168.1.255", {1: bytes((255, 0, 255, 0))}, True),  # no mask
        ("192.168.1.255", {}, True),
    ],
)
def test_an_address_that_no_host_of_its_subnet_can_have_is_not_taken(
    address: str, options: dict[int, bytes], taken: bool
) -> None:
    rig = quick()
    rig.feed(Command.START)
    carried = {code: octets for code, octets in rig.reply(OFFER).options.items() if code != 1} | options
    rig.answer(OFFER, parse_ip(address), options=carried)
    assert isinstance(rig.state, Requesting) is taken
    assert rig.client.dropped == ({} if taken else {"bad-address": 1})


# RFC 8925, RFC 4039, RFC 7844


def v6only(rig: Rig, kind: MessageType, wait: int | bytes = V6ONLY_WAIT) -> dict[int, bytes]:
    return rig.reply(kind).options | {108: wait if isinstance(wait, bytes) else wait.to_bytes(4)}


ABLE = replace(SETTINGS, ipv6_only=True)


@pytest.mark.parametrize(("said", "waited"), [(1800, 1800), (300, 300), (10, 300), (0, 300), (86400, 86400)])
def test_a_network_without_ipv4_is_left_alone_for_as_long_as_it_says(said: int, waited: int) -> None:
    rig = quick(settings=ABLE)
    rig.feed(Command.START)
    assert names(rig.answer(OFFER, options=v6only(rig, OFFER, said))) == ["note:ipv6-only"]
    asleep_at = rig.now.mono
    assert names(rig.wake()) == ["DISCOVER"]
    assert rig.now.mono - asleep_at == waited


def test_who_did_not_ask_ignores_it_and_so_does_who_gets_it_malformed() -> None:
    rig = quick()
    rig.feed(Command.START)
    assert rig.sent is not None
    assert 108 not in rig.sent.options[55]
    assert names(rig.answer(OFFER, options=v6only(rig, OFFER))) == ["REQUEST"]
    rig = quick(settings=ABLE)
    rig.feed(Command.START)
    assert rig.sent is not None
    assert 108 in rig.sent.options[55]
    assert names(rig.answer(OFFER, options=v6only(rig, OFFER, b"\0\0\7"))) == ["REQUEST"]


def test_the_offer_that_is_chosen_counts() -> None:
    patient = replace(ABLE, timing=replace(ABLE.timing, offer_window=1.0))
    rig = quick(settings=patient)
    rig.feed(Command.START)
    rig.answer(OFFER)
    rig.answer(OFFER, OTHER_ADDRESS, options=v6only(rig, OFFER))
    assert names(rig.wake()) == ["REQUEST"]


def test_an_offer_of_no_address_counts_if_it_says_so() -> None:
    """RFC 8925 s3.3: that is what a server should offer."""
    rig = quick(settings=ABLE)
    rig.feed(Command.START)
    options = {code: octets for code, octets in v6only(rig, OFFER).items() if code != 51}
    assert names(rig.answer(OFFER, 0, options=options)) == ["note:ipv6-only"]
    patient = quick(settings=replace(ABLE, timing=replace(ABLE.timing, offer_window=1.0)))
    patient.feed(Command.START)
    patient.answer(OFFER, OTHER_ADDRESS)
    assert patient.answer(OFFER, 0, options=options) == []
    assert names(patient.wake()) == ["REQUEST"]  # the first one was chosen


def test_after_a_reboot_an_address_in_use_is_given_up() -> None:
    rig = quick(KNOWN, settings=ABLE)
    rig.feed(Command.START)
    rig.hear(HERE)
    assert names(rig.answer(ACK, options=v6only(rig, ACK))) == ["deconfigure:ipv6-only", "note:ipv6-only"]
    assert isinstance(rig.state, V6Only)
    rig.feed(LinkChanged(up=False))
    assert names(rig.feed(LinkChanged(up=True)))[0] == "REQUEST"


def test_an_ack_to_the_request_may_say_it_while_an_offer_is_being_taken() -> None:
    rig, request, discover = hedged()
    rig.client.settings = ABLE
    answer_to(rig, discover, OFFER)
    assert names(answer_to(rig, request, ACK, options=v6only(rig, ACK))) == ["note:ipv6-only"]


def test_an_allocation_in_two_messages() -> None:
    rig = quick(settings=replace(SETTINGS, rapid_commit=True, check_new=Check.OFF))
    rig.feed(Command.START)
    assert rig.sent is not None
    assert rig.sent.options[80] == b""
    assert rig.answer(ACK) == []  # without the option it is no answer to a DHCPDISCOVER
    assert names(rig.answer(ACK, options=rig.reply(ACK).options | {80: b""})) == [
        "remember:1",
        "configure:bound",
        "announce",
    ]


def test_an_allocation_in_two_messages_is_checked_all_the_same() -> None:
    rapid = replace(SETTINGS, rapid_commit=True, check_new=Check.QUICK)
    rig = quick(settings=rapid)
    rig.feed(Command.START)
    effects = rig.answer(ACK, options=rig.reply(ACK).options | {80: b""})
    assert names(effects) == ["probe", "remember:1", "configure:bound"]
    rig = quick(REMEMBERED, settings=rapid)
    rig.feed(Command.START)
    rig.wake()
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    effects = rig.answer(ACK, options=rig.reply(ACK).options | {80: b""})
    assert names(effects) == ["remember:0", "DECLINE", "note:conflict"]


def test_an_allocation_in_two_messages_that_was_not_asked_for_is_none() -> None:
    rig = quick()
    rig.feed(Command.START)
    assert rig.answer(ACK, options=rig.reply(ACK).options | {80: b""}) == []
    assert rig.client.dropped == {"other-kind": 1}


def test_an_anonymous_client_remembers_and_asks_for_nothing() -> None:
    rig = quick(KNOWN, settings=replace(SETTINGS, anonymous=True, check_new=Check.OFF))
    effects = rig.feed(Command.START)
    assert names(effects) == ["DISCOVER"]
    assert set(messages(effects)[0].options) == {53, 55, 61}
    assert names(rig.answer(OFFER)) == ["REQUEST"]
    assert rig.sent is not None
    assert set(rig.sent.options) == {50, 53, 54, 55, 61}
    assert not any(isinstance(effect, Remember) for effect in rig.answer(ACK))


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        ((1, 121, 3, 6), (1, 121, 3, 6)),
        ((1, 3, 6, 33, 121), (1, 121, 3, 6, 33)),
        ((33, 6, 121, 3), (121, 33, 6, 3)),
        ((1, 121), (1, 121, 3)),
        ((1, 3), (1, 3)),
    ],
)
def test_classless_routes_are_asked_for_with_routers_and_before_them(
    parameters: tuple[int, ...], asked: tuple[int, ...]
) -> None:
    """RFC 3442, also where the operator or an anonymous client has another order."""
    rig = quick(settings=replace(SETTINGS, parameters=parameters))
    assert tuple(messages(rig.feed(Command.START))[0].options[55]) == asked
    for seed in range(20):
        rig = quick(settings=replace(SETTINGS, parameters=parameters, anonymous=True))
        rig.client._dice = lambda seed=seed: seed / 20  # type: ignore[misc]
        listed = list(messages(rig.feed(Command.START))[0].options[55])
        assert set(listed) == set(asked)
        assert all(listed.index(121) < listed.index(code) for code in (3, 33) if 121 in listed and code in listed)


def test_a_lease_that_is_released_during_its_check_is_forgotten() -> None:
    careful = replace(SETTINGS, check_again=Check.FULL)
    rig = quick(REMEMBERED, settings=careful)
    rig.feed(Command.START)
    rig.answer(ACK)
    assert isinstance(rig.state, Probing)
    rig.feed(Command.RELEASE)
    assert not rig.client.remembered


def test_whom_a_lease_is_asked_for_when_the_wait_for_another_is_running() -> None:
    rig = reach(InitReboot)
    assert isinstance(rig.state, InitReboot)
    assert rig.client.lease == BINDING
