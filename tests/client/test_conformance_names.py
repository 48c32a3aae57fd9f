"""What a client tells of itself, and what it keeps: RFC 4702, 7844, 4039, 2563, 3203 and 6842. Each test names its rows.

docs/conformance.md has their text and what else shows one.
"""

import pytest
from msgspec.structs import replace

from relet.client.accept import Drop
from relet.client.settings import ClientSettings
from relet.client.states import Backoff, Bound, Rebinding, Rebooting, Renewing, Requesting, Selecting
from relet.model.effects import Remember
from relet.model.events import Command
from relet.wire import message
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.client_deeds import configured, deeds, drops, held, shows
from support.client_rig import ADDRESS, CAREFUL, CLIENT_ID, MAC, REMEMBERED, SERVER, Rig, reach

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK
ASKING = (Selecting, Requesting, Rebooting, Renewing, Rebinding)
TELLING = (*ASKING, Backoff, Bound)
NAMED = replace(CAREFUL, fqdn="laptop.example.org.")
LOUD = replace(
    CAREFUL,
    hostname="laptop",
    fqdn="laptop.example.org.",
    vendor_class="maker",
    user_class="staff",
    lease_time=7200,
    rapid_commit=True,
    extra={43: b"\x01\x01x", 93: b"\0\0", 94: b"\1\0\0", 97: bytes(17), 124: bytes(6), 125: bytes(5)},
)
ANONYMOUS = replace(LOUD, anonymous=True)
"""All that a client can say, and the order not to say it."""


def said(state: type, settings: ClientSettings = CAREFUL) -> Message:
    """What a state asks, or, of a client without a question, its DHCPDECLINE or DHCPRELEASE."""
    rig = reach(state, settings)
    if state is Bound:
        rig.feed(Command.RELEASE)
    return message.decode(rig.sends[-1].payload)


# RFC 4702


@pytest.mark.parametrize("state", ASKING)
def test_the_full_name_is_said_in_each_question_and_alone(state: type) -> None:
    """R4702-2-01, R4702-2.1-01, R4702-2.1-03, R4702-2.1-04, R4702-3.1-01: S and E set, O and N and the rest zero."""
    carried = said(state, replace(NAMED, hostname="laptop")).options
    assert carried[81] == b"\x05\0\0" + b"\x06laptop\x07example\x03org\0"
    assert 12 not in carried


@pytest.mark.parametrize("state", [Backoff, Bound])
def test_who_gives_an_address_back_gives_no_name(state: type) -> None:
    """R2131-4.4.1-51."""
    assert not {12, 81} & set(said(state, NAMED).options)


# RFC 7844


MAY_SAY: dict[type, set[int]] = {
    Selecting: {53, 55, 61},
    Requesting: {50, 53, 54, 55, 61},
    Renewing: {53, 55, 61},
    Rebinding: {53, 55, 61},
    Backoff: {50, 53, 54, 61},
    Bound: {53, 54, 61},
}


@pytest.mark.parametrize("state", MAY_SAY)
def test_an_anonymous_client_says_no_more_than_it_must(state: type) -> None:
    """R7844-3-01, R7844-3-02, R7844-3.1-01, R7844-3.7-01, R7844-3.8-01, R7844-3.9-01, R7844-3.10-01, R7844-5-01."""
    carried = said(state, ANONYMOUS).options
    assert set(carried) <= MAY_SAY[state]
    assert list(carried) == sorted(carried)


@pytest.mark.parametrize("state", MAY_SAY)
@pytest.mark.parametrize("client_id", [None, CLIENT_ID, b"\xff\0\0\0\7\0\4" + bytes(16)])
def test_an_anonymous_client_is_called_by_its_hardware_address(state: type, client_id: bytes | None) -> None:
    """R7844-3.5-01."""
    assert said(state, replace(ANONYMOUS, client_id=client_id)).options[61] == b"\1" + MAC


def test_an_anonymous_client_goes_back_to_nothing() -> None:
    """R7844-3.3-02, R7844-3.2-01: no address of an earlier hardware address is named, in ciaddr or elsewhere."""
    rig = Rig(REMEMBERED, ANONYMOUS)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    assert [message.decode(send.payload).kind for send in rig.sends] == [MessageType.DISCOVER]
    assert rig.sent is not None
    assert (rig.sent.ciaddr, rig.sent.ip(50)) == (0, None)
    rig.answer(OFFER)
    effects = rig.answer(ACK) + rig.wake_until(Bound)
    assert configured(effects).binding.address == ADDRESS
    assert not [effect for effect in effects if isinstance(effect, Remember)]


def test_an_anonymous_client_does_not_ask_for_what_it_had() -> None:
    """R7844-3.3-01."""
    rig = reach(Rebinding, ANONYMOUS)
    rig.wake_until(Selecting)
    assert rig.sent is not None
    assert rig.sent.ip(50) is None


def test_the_list_of_parameters_is_shuffled() -> None:
    """R7844-3.6-01."""
    seen = set()
    for shown in range(20):
        rig = Rig(None, ANONYMOUS, shows(shown / 20))
        rig.feed(Command.START)
        rig.wake_until(Selecting)
        assert rig.sent is not None
        seen.add(rig.sent.options[55])
    assert len(seen) > 10
    assert len({bytes(sorted(each)) for each in seen}) == 1


# RFC 4039


RAPID = replace(CAREFUL, rapid_commit=True)


@pytest.mark.parametrize("state", TELLING)
def test_rapid_commit_is_said_in_a_discover_only_and_only_if_configured(state: type) -> None:
    """R4039-3-01, R4039-3-02, R4039-4-01."""
    assert (80 in said(state, RAPID).options) == (state is Selecting)
    assert 80 not in said(state).options


def test_rapid_commit_is_not_asked_for_in_the_list() -> None:
    """R4039-3-06."""
    with pytest.raises(ValueError, match="80"):
        replace(CAREFUL, parameters=(1, 80))
    assert 80 not in said(Selecting, RAPID).options[55]


def test_an_ack_with_rapid_commit_is_taken_at_once() -> None:
    """R4039-3-03: though offers are being collected."""
    rig = reach(Selecting, replace(RAPID, timing=replace(RAPID.timing, offer_window=5.0)))
    rig.answer(OFFER)
    heard_at = rig.now.mono
    effects = rig.answer(ACK, options=rig.reply(ACK).options | {80: b""})
    assert not isinstance(rig.state, Selecting)
    effects += rig.wake_until(Bound)
    assert configured(effects).binding.address == ADDRESS
    assert "REQUEST" not in deeds(effects)
    assert held(rig).expires_at <= heard_at + 3600


def test_an_ack_is_no_rapid_one_without_the_option_on_both_sides() -> None:
    """R4039-3-02."""
    assert drops(reach(Selecting, RAPID), lambda rig: rig.answer(ACK)) == Drop.OTHER_KIND
    rapid = {53: bytes((ACK,)), 54: SERVER.to_bytes(4), 51: bytes((0, 0, 14, 16)), 80: b""}
    assert drops(reach(Selecting), lambda rig: rig.answer(ACK, options=rapid)) == Drop.OTHER_KIND


# RFC 2563, RFC 3203, RFC 6704


@pytest.mark.parametrize("auto", [{}, {116: b"\0"}, {116: b"\1"}])
def test_an_offer_of_no_address_is_none(auto: dict[int, bytes]) -> None:
    """R2563-2.2-02."""
    rig = reach(Selecting)
    assert drops(rig, lambda rig: rig.answer(OFFER, 0, options=rig.reply(OFFER).options | auto)) == Drop.BAD_ADDRESS


@pytest.mark.parametrize("state", TELLING)
def test_nothing_is_said_of_features_that_are_not_there(state: type) -> None:
    """R6704-3.1.1-02: no authentication and no nonce; nor an automatic address, or a subnet of one's choice."""
    assert not {90, 116, 118, 145} & set(said(state, LOUD).options)


@pytest.mark.parametrize("state", [*ASKING, Bound])
def test_nobody_who_is_not_known_makes_a_client_renew(state: type) -> None:
    """R3203-2.2-05, R3203-6-02: a DHCPFORCERENEW that cannot be authenticated is dropped."""
    assert drops(reach(state), lambda rig: rig.answer(MessageType.FORCERENEW))


# RFC 6842


@pytest.mark.parametrize("state", ASKING)
@pytest.mark.parametrize("identifier", [b"\x01", CLIENT_ID + b"\0", b"\x01" + bytes(6), b""])
@pytest.mark.parametrize("verdict", [ACK, NAK])
def test_a_reply_for_another_identifier_is_dropped(state: type, identifier: bytes, verdict: MessageType) -> None:
    """R6842-3-04: a refusal, too, is another client's."""
    rig = reach(state)
    kind = OFFER if state is Selecting else verdict
    other = rig.reply(kind, chaddr=MAC).options | {61: identifier}
    assert drops(rig, lambda rig: rig.answer(kind, options=other)) == Drop.OTHER_CLIENT_ID
