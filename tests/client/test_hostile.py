"""A hostile server: whatever it sends, the client takes no wrong address, keeps nothing that grows, and does not rage.

What a hostile server can do to the machine behind the client is in tests/run/test_hostile.py; a million mutated answers are
in tests/fuzz.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product

import pytest
from msgspec.structs import replace

from relet.client.accept import Drop
from relet.client.acquiring import MAX_OFFERS
from relet.client.conflict import Check
from relet.client.states import Bound, Probing, Rebinding, Rebooting, Renewing, Requesting, Selecting
from relet.model.effects import Configure, Send
from relet.model.events import ArpSeen, Arrival, Command, LinkChanged, Wake
from relet.wire import arp, message
from relet.wire.address import parse_ip
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.client_deeds import configured, deeds, drops, held
from support.client_rig import ADDRESS, CAREFUL, LEASE_TIME, OTHER_ADDRESS, OTHER_MAC, REMEMBERED, SERVER, Rig, reach

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK
ASKING = (Selecting, Requesting, Rebooting, Renewing, Rebinding)
EACH = pytest.mark.parametrize("state", ASKING)
HOUR = 3600.0


def awaited(rig: Rig) -> MessageType:
    """The message that would take the client on."""
    return OFFER if isinstance(rig.state, Selecting) else ACK


def option(code: int, octets: bytes) -> bytes:
    return bytes((code, len(octets))) + octets


def good(kind: MessageType) -> bytes:
    """The options without which a reply is none."""
    return option(53, bytes((kind,))) + option(54, SERVER.to_bytes(4)) + option(51, LEASE_TIME.to_bytes(4))


def raw(rig: Rig, field: bytes, file: bytes = b"", sname: bytes = b"") -> Arrival:
    """A reply whose header is good, with these octets for its options and in file and sname."""
    header = message.encode(rig.reply(awaited(rig), options={}))[:44]
    return Arrival(header + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + message.COOKIE + field)


# What is not taken

FORGED: dict[str, Callable[[Rig, Message], Message]] = {
    "the xid of another": lambda _, reply: replace(reply, xid=reply.xid ^ 0x80000000),
    "xid zero": lambda _, reply: replace(reply, xid=0),
    "the hardware address of another": lambda _, reply: replace(reply, chaddr=OTHER_MAC),
    "no hardware address": lambda _, reply: replace(reply, chaddr=b""),
    "our hardware address and more": lambda _, reply: replace(reply, chaddr=reply.chaddr + b"\0"),
    "a request": lambda _, reply: replace(reply, op=message.BOOTREQUEST),
}


@EACH
@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("kind", [OFFER, ACK, NAK])
def test_what_is_for_another_is_dropped(state: type, forged: str, kind: MessageType) -> None:
    rig = reach(state)
    reply = FORGED[forged](rig, rig.reply(kind))
    assert drops(rig, lambda rig: rig.feed(Arrival(message.encode(reply)))) in {
        Drop.OTHER_XID,
        Drop.OTHER_HARDWARE,
        Drop.NOT_A_REPLY,
    }


NOBODY = "0.0.0.0 0.0.0.1 127.0.0.1 127.255.255.254 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255".split()  # noqa: SIM905


@pytest.mark.parametrize("address", NOBODY)
def test_an_address_of_no_host_is_not_taken(address: str) -> None:
    assert drops(reach(Selecting), lambda rig: rig.answer(OFFER, parse_ip(address))) == Drop.BAD_ADDRESS


@EACH
@pytest.mark.parametrize(
    ("address", "netmask"),
    [
        ("192.168.1.0", "255.255.255.0"),
        ("192.168.1.255", "255.255.255.0"),
        ("192.168.1.127", "255.255.255.128"),
        ("192.168.1.100", "255.255.255.252"),
        ("10.255.255.255", "255.0.0.0"),
        ("192.168.1.1", "255.255.255.0"),  # the server's own
    ],
)
def test_an_address_that_no_client_of_its_subnet_can_have_is_not_taken(state: type, address: str, netmask: str) -> None:
    rig = reach(state)
    carried = rig.reply(awaited(rig)).options | {1: parse_ip(netmask).to_bytes(4)}
    assert drops(rig, lambda rig: rig.answer(awaited(rig), parse_ip(address), options=carried)) == Drop.BAD_ADDRESS


@pytest.mark.parametrize("netmask", ["255.255.255.254", "255.255.255.255", "255.0.255.0"])
def test_where_there_is_no_broadcast_address_the_last_is_one_like_others(netmask: str) -> None:
    """RFC 3021; and a mask that is none says nothing."""
    rig = reach(Selecting)
    carried = rig.reply(OFFER).options | {1: parse_ip(netmask).to_bytes(4)}
    assert deeds(rig.answer(OFFER, parse_ip("192.168.1.255"), options=carried)) == ["REQUEST"]


@EACH
@pytest.mark.parametrize("server", NOBODY)
@pytest.mark.parametrize("kind", [ACK, NAK])
def test_a_server_of_no_address_is_no_server(state: type, server: str, kind: MessageType) -> None:
    kind = OFFER if state is Selecting else kind
    named = {54: parse_ip(server).to_bytes(4)}
    dropped = drops(reach(state), lambda rig: rig.answer(kind, options=rig.reply(kind).options | named))
    assert dropped == Drop.NO_SERVER_IDENTIFIER


@pytest.mark.parametrize("state", [Requesting, Rebooting, Renewing, Rebinding])
@pytest.mark.parametrize("address", [OTHER_ADDRESS, ADDRESS + 1, ADDRESS ^ 0x80000000])
def test_another_address_than_asked_for_is_not_taken(state: type, address: int) -> None:
    rig = reach(state)
    assert drops(rig, lambda rig: rig.answer(ACK, address)) == Drop.OTHER_ADDRESS


@EACH
@pytest.mark.parametrize("seconds", [0, 1, 2, 3])
def test_a_lease_of_no_time_is_none(state: type, seconds: int) -> None:
    rig = reach(state)
    short = rig.reply(awaited(rig)).options | {51: seconds.to_bytes(4)}
    assert drops(rig, lambda rig: rig.answer(awaited(rig), options=short)) == Drop.SHORT_LEASE_TIME


LYING: dict[str, Callable[[MessageType], bytes]] = {
    "an option past the end": lambda kind: good(kind) + b"\x0c\xff" + b"x" * 20,
    "a code without a length": lambda kind: good(kind) + b"\x0c",
    "no message type": lambda kind: good(kind)[3:] + b"\xff",
    "an empty message type": lambda kind: option(53, b"") + good(kind)[3:] + b"\xff",
    "two octets of message type": lambda kind: option(53, bytes((kind, kind))) + good(kind)[3:] + b"\xff",
    "two message types": lambda kind: good(kind) + option(53, bytes((kind,))) + b"\xff",
    "an empty server": lambda kind: good(kind)[:3] + option(54, b"") + good(kind)[9:] + b"\xff",
    "three octets of server": lambda kind: good(kind)[:3] + option(54, b"\xc0\xa8\x01") + good(kind)[9:] + b"\xff",
    "two servers": lambda kind: good(kind) + option(54, SERVER.to_bytes(4)) + b"\xff",
    "an empty lease time": lambda kind: good(kind)[:9] + option(51, b"") + b"\xff",
    "three octets of lease time": lambda kind: good(kind)[:9] + option(51, b"\0\x0e\x10") + b"\xff",
    "eight octets of lease time": lambda kind: good(kind)[:9] + option(51, bytes(6) + b"\x0e\x10") + b"\xff",
    "another identifier": lambda kind: good(kind) + option(61, b"\x01") + b"\xff",
    "all behind the end": lambda kind: b"\xff" + good(kind) + b"\xff",
    "a file that runs over": lambda kind: good(kind) + option(52, b"\x01") + b"\xff",
    "nothing": lambda _: b"",
}


@EACH
@pytest.mark.parametrize("lie", LYING)
def test_lengths_that_lie_make_no_reply(state: type, lie: str) -> None:
    rig = reach(state)
    assert drops(rig, lambda rig: rig.feed(raw(rig, LYING[lie](awaited(rig)), b"\x0c\xff" + b"x" * 126)))


@EACH
def test_a_reply_that_is_cut_off_anywhere_is_dropped_or_whole(state: type) -> None:
    whole = reach(state)
    payload = message.encode(whole.reply(awaited(whole)))
    end = payload.index(b"\xff", 240)
    for length in range(end):
        rig = reach(state)
        cut = rig.reply(awaited(rig))
        octets = message.encode(cut)[:length]
        before = rig.state
        rig.feed(Arrival(octets))
        # RFC 2131 s4.1 wants an end option; many leave it out. What stands before the cut is then all that was said.
        taken = type(rig.state) is not type(before)
        assert taken == (length in complete(payload) and length >= needed(payload))


def complete(payload: bytes) -> set[int]:
    """Lengths at which the options of a message are cut between two of them."""
    at, found = 240, {240}
    while payload[at] != 255:
        at += 2 + payload[at + 1]
        found.add(at)
    return found


def needed(payload: bytes) -> int:
    """The length from which a reply has message type, server and lease time."""
    at = 240
    seen: set[int] = set()
    while not {53, 54, 51} <= seen:
        seen.add(payload[at])
        at += 2 + payload[at + 1]
    return at


OVERLOADS = [
    (value, file, sname)
    for value, (file, sname) in product(
        (b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\xff", b"", b"\x01\x02"),
        (
            (option(52, b"\x03") + b"\xff", option(52, b"\x03") + b"\xff"),
            (option(52, b"\x03") * 42, option(52, b"\x03") * 21),
            (bytes(128), bytes(64)),
            (option(12, b"x") * 42, option(12, b"y") * 21),
        ),
    )
]


@EACH
@pytest.mark.parametrize(("value", "file", "sname"), OVERLOADS)
def test_overloaded_fields_that_name_each_other_are_read_once(
    state: type, value: bytes, file: bytes, sname: bytes
) -> None:
    rig = reach(state)
    before = rig.state
    rig.feed(raw(rig, good(awaited(rig)) + option(52, value) + b"\xff", file, sname))
    taken = type(rig.state) is not type(before)
    assert taken != bool(rig.client.dropped)


# What is taken, and bent into shape


@pytest.mark.parametrize("state", [Requesting, Renewing])
@pytest.mark.parametrize(
    ("t1", "t2"),
    [(3000, 2000), (0, 0), (LEASE_TIME, LEASE_TIME), (0, 2000), (0xFFFFFFFF, 0xFFFFFFFF), (4000, 5000), (1, 1)],
)
def test_times_in_the_wrong_order_are_put_right(state: type, t1: int, t2: int) -> None:
    rig = reach(state)
    asked_at = rig.now.mono
    rig.answer(ACK, options=rig.reply(ACK).options | {58: t1.to_bytes(4), 59: t2.to_bytes(4)})
    rig.wake_until(Bound)
    assert asked_at < held(rig).t1_at < held(rig).t2_at < held(rig).expires_at == asked_at + LEASE_TIME


def test_a_verdict_is_the_first_one() -> None:
    for first, second in ((ACK, NAK), (NAK, ACK)):
        for state in (Requesting, Rebooting):
            rig = reach(state)
            late = Arrival(message.encode(rig.reply(second)))
            rig.answer(first)
            assert drops(rig, lambda rig, late=late: rig.feed(late))  # type: ignore[misc]
    early = reach(Selecting)
    assert drops(early, lambda rig: rig.answer(ACK)) == Drop.OTHER_KIND
    assert drops(early, lambda rig: rig.answer(NAK)) == Drop.OTHER_KIND


# What there is too much of


@EACH
def test_a_storm_of_offers_costs_a_counter(state: type) -> None:
    patient = replace(CAREFUL, timing=replace(CAREFUL.timing, offer_window=5.0))
    rig = reach(state, patient if state is Selecting else CAREFUL)
    asked, seen = len(rig.sends), 0
    for number in range(5000):
        rig.answer(OFFER, OTHER_ADDRESS + number % 200, options=rig.reply(OFFER).options | {54: bytes((10, 0, 0, 9))})
        if isinstance(rig.state, Selecting):
            seen = max(seen, len(rig.state.offers))
    assert len(rig.sends) - asked == (1 if state is Selecting else 0)
    assert seen < MAX_OFFERS
    assert sum(rig.client.dropped.values()) >= 5000 - MAX_OFFERS
    assert len(rig.client.dropped) <= 2


def test_the_names_under_which_things_are_dropped_are_few() -> None:
    rig = reach(Requesting)
    for length, octet in product(range(0, 400, 7), (0, 1, 2, 52, 53, 99, 255)):
        rig.feed(Arrival(bytes((octet,)) * length))
        rig.feed(raw(rig, bytes((octet,)) * length))
    assert len(rig.client.dropped) < 20


def under_siege(rig: Rig, answer: Callable[[Message], list[MessageType]], seconds: float) -> Counter[MessageType]:
    """What the client says while somebody answers each of its messages at once."""
    said: Counter[MessageType] = Counter()
    end = rig.now.mono + seconds
    told = len(rig.sends)
    while rig.now.mono < end:
        while told < len(rig.sends):
            asked = message.decode(rig.sends[told].payload)
            told += 1
            said[MessageType(asked.kind)] += 1
            assert said.total() < 100_000, "a rage"
            for kind in answer(asked):
                rig.answer(kind, options=rig.reply(kind).options | SHORTEST if kind == ACK else rig.reply(kind).options)
        deadline = rig.client.deadline()
        if deadline is None or deadline > end:
            break
        rig.wake()
    return said


SHORTEST = {51: (4).to_bytes(4)}


@pytest.mark.parametrize("remembering", [False, True])
def test_refusals_without_end_are_met_ever_more_slowly(remembering: bool) -> None:
    rig = Rig(REMEMBERED if remembering else None)
    rig.feed(Command.START)
    said = under_siege(rig, lambda asked: [OFFER] if asked.kind == MessageType.DISCOVER else [NAK], HOUR)
    # The waits double to 64 s with chance around them, so an hour has at most some 120 of them.
    assert 50 < said[MessageType.DISCOVER] < 130
    assert said[MessageType.REQUEST] < 135


def test_offers_and_refusals_in_one_breath_are_no_rage() -> None:
    rig = Rig()
    rig.feed(Command.START)
    said = under_siege(rig, lambda _: [OFFER, OFFER, NAK, NAK, NAK, OFFER], HOUR)
    assert said.total() < 300


@pytest.mark.parametrize("check", Check)
def test_leases_of_four_seconds_are_no_rage(check: Check) -> None:
    """Granted and refused in turn, or granted for ever: some two requests a second at most."""
    settings = replace(CAREFUL, check_new=check)
    for renewals in ([ACK], [NAK]):
        rig = Rig(None, settings)
        rig.feed(Command.START)

        def answer(asked: Message, renewals: list[MessageType] = renewals) -> list[MessageType]:
            return [OFFER] if asked.kind == MessageType.DISCOVER else renewals if asked.ciaddr else [ACK]

        assert under_siege(rig, answer, HOUR).total() < 2 * HOUR


def test_a_host_that_has_every_address_is_met_once_a_minute() -> None:
    rig = Rig()
    rig.feed(Command.START)
    declined = 0
    end = rig.now.mono + HOUR
    while rig.now.mono < end:
        if isinstance(rig.state, Selecting):
            rig.answer(OFFER)
        elif isinstance(rig.state, Requesting):
            rig.answer(ACK)
        elif isinstance(rig.state, Probing):
            declined += "DECLINE" in deeds(rig.hear(arp.announcement(OTHER_MAC, ADDRESS)))
        else:
            rig.wake()
    assert 10 < declined < 70


def test_a_storm_of_conflicts_costs_the_address_and_is_told_twice() -> None:
    rig = reach(Bound)
    sent = [deeds(rig.hear(arp.announcement(OTHER_MAC, ADDRESS))) for _ in range(2000)]
    assert [each for each in sent if each] == [["announce"], ["deconfigure:conflict", "DECLINE"]]


def test_renewals_that_change_everything_change_no_address() -> None:
    rig = reach(Bound)
    for number in range(50):
        rig.feed(Command.RENEW)
        effects = rig.answer(
            ACK, options=rig.reply(ACK).options | {1: bytes((255, 0, 0, number)), 3: bytes(4), 6: b"x"}
        )
        assert configured(effects).binding.address == ADDRESS
        assert not [effect for effect in effects if isinstance(effect, Send)]


def test_every_event_at_once_ends_in_a_state_that_waits() -> None:
    rig = Rig(REMEMBERED)
    for number in range(3000):
        match number % 9:
            case 0:
                rig.feed(LinkChanged(up=number % 2 == 0))
            case 1:
                rig.feed(Command.START)
            case 2 | 3:
                rig.answer(OFFER)
            case 4:
                rig.answer(ACK)
            case 5:
                rig.answer(NAK)
            case 6:
                rig.feed(ArpSeen(arp.announcement(OTHER_MAC, ADDRESS)))
            case 7:
                rig.later(number % 90).feed(Wake())
            case _:
                effects = rig.wake() if rig.client.deadline() else []
                assert all(effect.binding.address == ADDRESS for effect in effects if isinstance(effect, Configure))
        deadline = rig.client.deadline()
        assert deadline is None or deadline > rig.now.mono
