"""Requests that wait: who comes first, whose older copies go, who has stopped waiting, and that nobody starves or is pushed
out by somebody else."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from relet.errors import StoreError
from relet.model.events import Arrival
from relet.model.ident import ClientKey
from relet.model.lease import View
from relet.server.backlog import (
    FULL,
    LATE_S,
    LEAST_PATIENCE_S,
    MOST_PATIENCE_S,
    PARTS,
    SHARES,
    STALE,
    SUPERSEDED,
    Backlog,
)
from relet.server.engine import Engine
from relet.server.record import forgone
from relet.server.standing import Worth
from relet.server.told import told
from relet.store.memory import MemoryStore
from relet.wire.address import hex_text
from relet.wire.message import COOKIE, Message, decode
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    SERVER,
    Table,
    arrive,
    decline,
    discover,
    ip,
    reboot,
    release,
    renewing,
    request,
    selecting,
)

PLANT = replace(OFFICE, name="plant", interfaces=("eth1",), relays=(), subnets=(subnet("192.168.2.0/24"),))
MOST = 1000


def mac(number: int) -> bytes:
    """Of a client that nobody knows."""
    return b"\x52\x54\xff\0" + number.to_bytes(2)


class Waiting:
    """A backlog before an engine on the table. MAC has a lease on .100."""

    def __init__(self, most: int = MOST) -> None:
        self.table = Table()
        self.table.engine = Engine((self.table.network, PLANT), self.table.store, frozenset({SERVER}))
        self.table.lease(ip(100))
        self.backlog = Backlog(most)

    def put(self, *messages: Message, **where: object) -> None:
        self.arrive(*(arrive(message, **where) for message in messages))

    def arrive(self, *arrivals: Arrival) -> None:
        self.backlog.put(arrivals, self.table.engine.standing(), self.table.now.mono)

    def take(self, limit: int = MOST) -> list[Message]:
        return [decode(arrival.payload) for arrival in self.backlog.take(limit, self.table.now.mono)]


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def xids(messages: Iterable[Message]) -> list[int]:
    return [message.xid for message in messages]


# Order


def test_the_best_comes_first(waiting: Waiting) -> None:
    waiting.table.lease(ip(101), mac(1))
    waiting.table.lease(ip(102), mac(2))
    waiting.table.lease(ip(104), mac(10))
    waiting.table.say(discover(mac=mac(3)))  # and so .103 is on offer to it
    offered = waiting.table.engine.records[-1].address
    waiting.table.say(discover(mac=mac(11)))
    offered_too = waiting.table.engine.records[-1].address
    best_first = [
        release(ip(101), mac(1)),
        decline(ip(102), mac(2)),
        reboot(ip(100)),
        selecting(offered, mac=mac(3)),
        discover(mac=mac(10)),
        request(MessageType.LEASEQUERY, mac=mac(9), ciaddr=ip(100), giaddr=RELAY),
        reboot(ip(100), mac=mac(4)),
        request(MessageType.INFORM, mac=mac(5), ciaddr=ip(200)),
        selecting(offered, mac=mac(6)),
        selecting(offered_too, server=SERVER + 1, mac=mac(11)),
        discover(mac=mac(8)),
    ]
    waiting.put(*reversed(best_first))
    taken = waiting.take()
    order = [Worth.GIVEN_BACK] * 2 + [Worth.KNOWN, Worth.CHOSEN] + [Worth.RETURNING] * 2 + [Worth.OTHER] * 4
    worth_of = dict(zip(xids(best_first), [*order, Worth.STRANGER], strict=True))
    assert [worth_of[xid] for xid in xids(taken)] == [*order, Worth.STRANGER]


@pytest.mark.parametrize(
    "message",
    [
        reboot(ip(100)),
        renewing(ip(100)),
        reboot(ip(100), hops=1, giaddr=RELAY),
        replace(reboot(ip(100)), options={53: b"\3", 50: ip(100).to_bytes(4), 61: b"unknown here, so far"}),
    ],
    ids=["init-reboot", "renewing", "relayed", "with-identifier"],
)
def test_who_has_the_lease_it_asks_for_is_known(waiting: Waiting, message: Message) -> None:
    waiting.put(discover(mac=mac(1)), reboot(ip(105), mac=mac(2)), message)
    assert waiting.take(1) == [message]


def test_a_lease_under_an_identifier_is_known_too(waiting: Waiting) -> None:
    named = {53: b"\1", 61: b"name"}
    waiting.table.say(replace(discover(mac=OTHER_MAC), options=named))
    address = waiting.table.engine.records[-1].address
    asked = {53: b"\3", 50: address.to_bytes(4), 61: b"name"}
    waiting.table.say(replace(discover(mac=OTHER_MAC), options=asked | {54: SERVER.to_bytes(4)}))
    mine, other = (
        replace(discover(mac=mac(n)), options=asked | {61: name}) for n, name in ((1, b"name"), (2, b"none"))
    )
    waiting.put(other, mine)
    assert waiting.take() == [mine, other]


def test_the_first_to_ask_is_the_first_to_be_answered_until_it_is_late(waiting: Waiting) -> None:
    first, second, third = (discover(mac=mac(number)) for number in range(3))
    waiting.put(first)
    waiting.table.later(1)
    waiting.put(second)
    waiting.table.later(LATE_S - 1)
    waiting.put(third)
    assert waiting.take(1) == [first]
    waiting.put(first)
    waiting.table.later(1.5)
    assert waiting.take() == [first, third, second]


def test_networks_take_turns(waiting: Waiting) -> None:
    flood = [discover(mac=mac(number)) for number in range(100)]
    waiting.put(*flood)
    few = [discover(mac=mac(number)) for number in range(200, 203)]
    waiting.put(*few, interface="eth1")
    taken = waiting.take(10)
    assert set(xids(few)) <= set(xids(taken[:6]))
    assert len(taken) == 10


def test_no_flood_starves_another(waiting: Waiting) -> None:
    """While more clients with a lease ask than can be served, a stranger is served in its turn all the same."""
    stranger = discover(mac=mac(1))
    waiting.put(stranger)
    numbers = iter(range(1_000_000))
    batch = PARTS
    taken: list[Message] = []
    for _ in range(3):
        waiting.put(*(replace(release(ip(100)), xid=next(numbers)) for _ in range(2 * batch)))
        waiting.put(*(replace(reboot(ip(100)), chaddr=MAC, giaddr=RELAY, xid=next(numbers)) for _ in range(2 * batch)))
        taken += waiting.take(batch)
    assert stranger in taken
    assert sum(SHARES.values()) <= PARTS
    assert min(SHARES.values()) > 0


@pytest.mark.parametrize("worth", list(Worth))
def test_each_worth_has_its_part_of_a_batch(waiting: Waiting, worth: Worth) -> None:
    waiting.table.lease(ip(101), mac(0))
    waiting.table.say(discover(mac=mac(1)))
    of_a_worth = {
        Worth.GIVEN_BACK: release(ip(101)),
        Worth.KNOWN: reboot(ip(100)),
        Worth.CHOSEN: selecting(waiting.table.engine.records[-1].address, mac=mac(1)),
        Worth.RETURNING: request(MessageType.LEASEQUERY),
        Worth.OTHER: request(MessageType.INFORM, ciaddr=ip(9)),
        Worth.STRANGER: discover(mac=mac(2)),
    }
    # each from ever other senders, so that nothing is a copy
    waiting.arrive(
        *(
            arrive(message, interface="", source=source, broadcast=False)
            for message in of_a_worth.values()
            for source in range(1, PARTS + 1)
        )
    )
    taken = Counter(xids(waiting.take(PARTS)))
    assert taken.total() == PARTS
    assert taken[of_a_worth[worth].xid] >= SHARES[worth]


# Copies


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (discover(), discover()),
        (reboot(ip(100)), reboot(ip(100))),
        (reboot(ip(100)), discover()),
        (discover(), reboot(ip(100))),
        (discover(), selecting(ip(105))),
        (reboot(ip(100)), reboot(ip(101))),
        (replace(discover(), options={}), replace(discover(), options={})),
    ],
    ids=["discover", "reboot", "gave-up", "went-on", "chose", "another-address", "bootp"],
)
def test_of_one_client_only_the_newest_request_waits(waiting: Waiting, older: Message, newer: Message) -> None:
    waiting.put(older)
    waiting.put(replace(older, secs=4), newer, replace(newer, secs=8))
    assert len(waiting.backlog) == 1
    assert waiting.take() == [replace(newer, secs=8)]
    assert waiting.backlog.dropped == {SUPERSEDED: 3}


def test_a_copy_keeps_its_clients_place(waiting: Waiting) -> None:
    first, second = discover(mac=mac(1)), discover(mac=mac(2))
    waiting.put(first, second)
    waiting.put(replace(first, secs=4), discover(mac=mac(3)))
    assert xids(waiting.take(2)) == xids([first, second])


def test_the_newest_request_is_worth_what_it_is_worth_itself(waiting: Waiting) -> None:
    waiting.put(discover(mac=mac(1)), discover(), renewing(ip(109), mac=mac(2)))
    waiting.put(reboot(ip(100)), discover(mac=mac(2)))
    assert [message.chaddr for message in waiting.take()] == [MAC, mac(1), mac(2)]


@pytest.mark.parametrize("ending", [release(ip(100)), decline(ip(100))], ids=["release", "decline"])
def test_who_gives_its_address_back_does_not_want_it_any_more(waiting: Waiting, ending: Message) -> None:
    waiting.put(reboot(ip(100)), ending)
    assert waiting.take() == [ending]
    assert waiting.backlog.dropped == {SUPERSEDED: 1}


@pytest.mark.parametrize("ending", [release(ip(100)), decline(ip(100))], ids=["release", "decline"])
def test_what_is_sent_once_is_displaced_by_nothing(waiting: Waiting, ending: Message) -> None:
    waiting.put(ending, ending, discover(), reboot(ip(100)))
    assert [message.kind for message in waiting.take()] == [ending.kind, ending.kind, MessageType.REQUEST]


IDENTIFIED = replace(discover(), options={53: b"\1", 61: b"one"})
INFINIBAND = replace(IDENTIFIED, htype=32, chaddr=b"")  # RFC 4390: no hardware address in chaddr
TWO_PARTS = arrive(discover()).payload[:-60] + b"\x3d\1a\x3d\1b\xff"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (arrive(discover()), arrive(discover(mac=OTHER_MAC))),
        (arrive(IDENTIFIED), arrive(replace(IDENTIFIED, options={53: b"\1", 61: b"two"}))),
        (arrive(IDENTIFIED), arrive(discover())),
        (arrive(INFINIBAND), arrive(replace(INFINIBAND, options={53: b"\1", 61: b"two"}))),
        (arrive(replace(INFINIBAND, options={53: b"\1"})), arrive(replace(INFINIBAND, options={53: b"\1"}))),
        (arrive(discover()), arrive(replace(discover(), htype=6))),
        (arrive(discover()), arrive(discover(), interface="eth1")),
        (arrive(discover()), arrive(discover(giaddr=RELAY))),
        (arrive(discover(giaddr=RELAY)), arrive(discover(giaddr=RELAY + 1))),
        (
            arrive(discover(giaddr=RELAY), interface="", source=RELAY, broadcast=False),
            arrive(discover(giaddr=RELAY), interface="", source=ip(66), broadcast=False),
        ),
        (
            arrive(renewing(ip(100)), interface="", source=ip(100), broadcast=False),
            arrive(renewing(ip(100)), interface="", source=ip(66), broadcast=False),
        ),
        (arrive(reboot(ip(100))), arrive(request(MessageType.INFORM, ciaddr=ip(100)))),
        (arrive(request(MessageType.INFORM)), arrive(request(MessageType.INFORM))),
        (arrive(request(MessageType.LEASEQUERY)), arrive(request(MessageType.LEASEQUERY))),
        (arrive(discover()), arrive(request(99))),
        (arrive(discover()), Arrival(TWO_PARTS, "eth0", SERVER)),
        (Arrival(b"", "eth0"), Arrival(b"", "eth0")),
        (Arrival(b"\1", "eth0"), Arrival(bytes(236) + COOKIE, "eth0")),
    ],
    ids=[
        "two-clients", "identifiers", "with-and-without", "infiniband", "nobody", "hardware-types", "interfaces",
        "relayed", "relays", "forged-relay", "forged-renewal", "inform", "informs", "leasequeries", "other-types",
        "identifier-in-parts", "nothing", "garbage",
    ],
)  # fmt: skip
def test_nothing_but_a_copy_is_displaced(waiting: Waiting, one: Arrival, other: Arrival) -> None:
    waiting.arrive(one)
    waiting.arrive(other)
    taken = waiting.backlog.take(MOST, waiting.table.now.mono)
    assert sorted(taken, key=id) == sorted([one, other], key=id)
    assert not waiting.backlog.dropped


# Patience


@pytest.mark.parametrize(
    ("message", "waits_s"),
    [
        (discover(), LEAST_PATIENCE_S),
        (reboot(ip(100)), LEAST_PATIENCE_S),
        (discover(secs=4), 2 * 4 + LEAST_PATIENCE_S),
        (discover(secs=12), 2 * 12 + LEAST_PATIENCE_S),
        (discover(secs=60), MOST_PATIENCE_S),
        (discover(secs=0x0400), MOST_PATIENCE_S),  # four seconds, as some clients write them
        (renewing(ip(100)), MOST_PATIENCE_S),
        (release(ip(100)), None),
        (decline(ip(100)), None),
    ],
)
def test_who_has_stopped_waiting_is_not_answered(waiting: Waiting, message: Message, waits_s: float | None) -> None:
    waiting.put(message)
    waiting.table.later(waits_s if waits_s is not None else 10 * MOST_PATIENCE_S)
    assert waiting.take() == [message]
    assert waiting.backlog.longest_s == (waits_s or 0)  # nobody waits for an answer to a DHCPRELEASE
    waiting.put(message)
    waiting.table.later((waits_s or 0) + 0.1)
    assert waiting.take() == ([] if waits_s is not None else [message])
    assert waiting.backlog.dropped[STALE] == (waits_s is not None)
    assert not waiting.backlog


def test_a_copy_shows_that_its_client_still_waits(waiting: Waiting) -> None:
    waiting.put(discover())
    waiting.table.later(LEAST_PATIENCE_S)
    copy = discover(secs=10)
    waiting.put(copy)
    waiting.table.later(LEAST_PATIENCE_S)
    assert waiting.take() == [copy]


def test_what_is_stale_takes_nobodys_place_in_a_batch(waiting: Waiting) -> None:
    waiting.put(*(discover(mac=mac(number)) for number in range(50)))
    waiting.table.later(LEAST_PATIENCE_S + 1)
    fresh = [discover(mac=mac(number)) for number in range(100, 105)]
    waiting.put(*fresh)
    assert waiting.take(5) == fresh
    assert waiting.backlog.dropped == {STALE: 50}


# The bound


def test_when_it_is_full_the_least_worth_goes(waiting: Waiting) -> None:
    waiting = Waiting(most=10)
    waiting.put(*(discover(mac=mac(number)) for number in range(8)))
    waiting.put(reboot(ip(100)), release(ip(100)), *(reboot(ip(9), mac=mac(number)) for number in range(20, 25)))
    assert len(waiting.backlog) == 10
    kinds = Counter(message.kind for message in waiting.take())
    assert kinds == {MessageType.RELEASE: 1, MessageType.REQUEST: 5, MessageType.DISCOVER: 4}
    assert waiting.backlog.dropped == {SUPERSEDED: 1, FULL: 4}


def test_when_it_is_full_the_network_that_floods_it_loses(waiting: Waiting) -> None:
    waiting = Waiting(most=20)
    few = [discover(mac=mac(number)) for number in range(200, 205)]
    waiting.put(*few, interface="eth1")
    for at in range(0, 100, 10):
        waiting.put(*(discover(mac=mac(number)) for number in range(at, at + 10)))
    assert len(waiting.backlog) == 20
    assert set(xids(few)) <= set(xids(waiting.take()))


def test_when_it_is_full_the_last_to_come_goes(waiting: Waiting) -> None:
    waiting = Waiting(most=3)
    asking = [discover(mac=mac(number)) for number in range(5)]
    waiting.put(*asking)
    assert waiting.take() == asking[:3]


# Everything at once

KINDS = [*(MessageType(number) for number in (1, 3, 4, 7, 8, 10)), 0, 99]
messages = st.builds(
    lambda kind, number, named, xid, relay, wanted: Message(
        op=1,
        xid=xid,
        giaddr=relay,
        chaddr=MAC if not number else mac(number),
        options=({53: bytes((kind,))} if kind else {}) | named | ({50: wanted.to_bytes(4)} if wanted else {}),
    ),
    st.sampled_from(KINDS),
    st.integers(0, 3),
    st.sampled_from([{}, {61: b"a"}, {61: b"b"}]),
    st.integers(0, 2),
    st.sampled_from([0, RELAY, RELAY + 1]),
    st.sampled_from([0, ip(100), ip(101)]),
)
arrivals = st.one_of(
    st.builds(arrive, messages, interface=st.sampled_from(["eth0", "eth1", "eth9"])),
    st.builds(arrive, messages, interface=st.just(""), source=st.integers(1, 2), broadcast=st.just(False)),
    st.builds(Arrival, st.binary(max_size=20), st.just("eth0")),
)
steps = st.lists(st.one_of(st.lists(arrivals, max_size=8), st.integers(0, 10), st.floats(0, 20)), max_size=12)


def _sender(arrival: Arrival) -> object:
    """Whose request it is, told from what decoding says; None if none can replace it."""
    if len(arrival.payload) < 240:
        return None
    message = decode(arrival.payload)
    if message.kind not in (MessageType.DISCOVER, MessageType.REQUEST) and 53 in message.options:
        return None
    named = message.options.get(61, b"")
    return message.htype, message.chaddr, named, message.giaddr, arrival.interface or arrival.source


@given(steps, st.integers(1, 12))
def test_every_request_is_served_or_dropped_for_its_reason(does: Sequence[object], most: int) -> None:
    waiting = Waiting(most)
    backlog, mono = waiting.backlog, waiting.table.now.mono
    came: list[Arrival] = []
    served: list[Arrival] = []
    for step in does:
        if isinstance(step, list):
            fresh = [replace(arrival) for arrival in step]  # an object for each that comes
            came += fresh
            backlog.put(fresh, waiting.table.engine.standing(), mono)
        elif isinstance(step, int):
            served += _checked(backlog, step, mono)
        else:
            assert isinstance(step, float)
            mono += step
        assert len(backlog) <= most
        assert len(came) == len(served) + backlog.dropped.total() + len(backlog)
    served += _checked(backlog, len(came), mono)
    assert not backlog
    assert {id(arrival) for arrival in served} <= {id(arrival) for arrival in came}
    assert len({id(arrival) for arrival in served}) == len(served)
    if not backlog.dropped[FULL] + backlog.dropped[STALE]:  # then only requests of a client that sent another are gone
        gone = [arrival for arrival in came if not any(arrival is each for each in served)]
        assert all(_sender(arrival) is not None for arrival in gone)


def _checked(backlog: Backlog, limit: int, mono: float) -> list[Arrival]:
    """Take some; none of them is of the same client as another."""
    taken = backlog.take(limit, mono)
    assert len(taken) <= limit
    senders = [sender for arrival in taken if (sender := _sender(arrival)) is not None]
    assert len(senders) == len(set(senders))
    return taken


def test_why_tells_of_those_who_waited_in_vain() -> None:
    waiting = Waiting(most=2)
    table = waiting.table
    table.say(discover())
    table.later(1)
    waiting.put(discover(), discover(secs=4), reboot(ip(100), mac=OTHER_MAC))
    waiting.put(reboot(ip(101), mac=OTHER_MAC), interface="eth1")
    waiting.arrive(Arrival(b"garbage", "eth0"))  # which nobody can be told of
    table.later(MOST_PATIENCE_S + 1)
    assert waiting.take() == []
    assert waiting.backlog.dropped == {SUPERSEDED: 1, FULL: 2, STALE: 2}
    table.say(discover())
    unserved = list(forgone(waiting.backlog.unserved, table.now))
    tales = told(table.engine.records, hex_text(MAC), 5, unserved=unserved)
    assert [(tale.at, tale.answer, tale.reason) for tale in tales] == [
        (table.now.wall, "OFFER", "offered-current"),
        (table.now.wall, "DROPPED", STALE),
        (table.now.wall - MOST_PATIENCE_S - 2, "OFFER", "offered-current"),
    ]
    assert "waited in vain" in tales[1].text
    (tale,) = told((), hex_text(OTHER_MAC), 1, unserved=unserved)
    assert (tale.at, tale.reason) == (table.now.wall, STALE)
    assert len(told((), hex_text(OTHER_MAC), 5, unserved=unserved)) == 2


class Deaf(MemoryStore):
    """A store that cannot be read."""

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:  # noqa: ARG002
        raise StoreError("gone")


def test_if_the_store_cannot_be_asked_nobody_is_known_and_all_are_served(waiting: Waiting) -> None:
    engine = Engine((OFFICE,), Deaf(), frozenset({SERVER}))
    asked = [arrive(reboot(ip(100))), arrive(discover(mac=OTHER_MAC))]
    waiting.backlog.put(asked, engine.standing(), 0.0)
    assert waiting.backlog.take(2, 0.0) == asked
