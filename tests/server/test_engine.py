"""What the engine promises whatever happens: no reply before a commit, no exception, no double grant."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import StoreError
from relet.model.events import Arrival
from relet.model.ident import ClientKey
from relet.model.lease import Change, Committed, Entry, Lease, LeaseState, Loaded, View
from relet.model.reasons import REASONS, Answer
from relet.server import decide
from relet.server.classify import Kind
from relet.server.situation import Situation
from relet.store.memory import MemoryStore
from relet.wire.message import Message, decode
from relet.wire.options import MessageType
from support.table import (
    MAC,
    OTHER_MAC,
    Table,
    arrive,
    decline,
    discover,
    ip,
    kind_of,
    pairs,
    reboot,
    release,
    renewing,
    request,
    selecting,
)


class Faulty:
    """A store that fails, or refuses, as told."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.fail_commit = self.fail_view = False
        self.rivals: list[Change] = []
        self.commits = 0

    def loading(self) -> Iterator[Loaded]:
        return self.inner.loading()

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:
        if self.fail_view:
            raise StoreError("the store is gone")
        return self.inner.view(clients, addresses)

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        self.commits += 1
        if self.fail_commit:
            raise StoreError("the disk is full")
        if self.rivals:
            self.inner.commit([self.rivals.pop(0)], wall)
        return self.inner.commit(changes, wall)

    def all(self) -> Iterator[Lease]:
        return self.inner.all()

    def walk(self) -> Iterator[Lease]:
        return self.inner.walk()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        return self.inner.history(client, address, limit)

    def fold(self, limit: int = 1000) -> int:
        return self.inner.fold(limit)

    def tend(self) -> None:
        self.inner.tend()

    def close(self) -> None:
        self.inner.close()


def test_store_that_cannot_write_means_confirming_for_the_time_left() -> None:
    store = Faulty()
    table = Table(store=store)
    table.lease(ip(100), seconds=777)
    store.fail_commit = True
    reply = table.say(reboot(ip(100)))
    assert reply is not None
    assert (table.verdict(), reply.uint(51)) == (("ACK", "store-confirmed"), 777)
    assert table.engine.store_error == "the disk is full"


@pytest.mark.parametrize(
    "message",
    [discover(), selecting(ip(103)), reboot(ip(101)), release(ip(100)), decline(ip(100)), reboot(ip(102), OTHER_MAC)],
    ids=["discover", "selecting", "other-address", "release", "decline", "regranted"],
)
def test_store_that_cannot_write_means_silence_to_whatever_would_have_to_be_written(message: Message) -> None:
    store = Faulty()
    table = Table(store=store)
    table.lease(ip(100))
    table.lease(ip(102), OTHER_MAC, seconds=-5)
    store.fail_commit = True
    assert table.say(message) is None
    assert table.verdict() == ("SILENT", "store-unavailable")
    assert pairs(table.handle(arrive(reboot(ip(100))))) == [("ACK", ip(100))]


def test_store_that_cannot_be_read_means_silence() -> None:
    store = Faulty()
    table = Table(store=store)
    table.lease(ip(100))
    store.fail_view = True
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "store-unavailable")
    store.fail_view = False
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.engine.store_error == ""


def test_refused_grant_is_decided_anew_with_what_is_true_by_then() -> None:
    store = Faulty()
    table = Table(store=store)
    rival = Lease(ip(100), ClientKey(b"irival"), "office", LeaseState.BOUND, 0, 2_000_000)
    store.rivals = [Change(None, rival)]
    assert kind_of(table.say(selecting(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")
    assert table.on(ip(100)) == rival


def test_answers_that_rested_on_a_refused_grant_are_decided_anew() -> None:
    store = Faulty()
    table = Table(store=store)
    table.lease(ip(100), OTHER_MAC, seconds=-5)
    ended = table.on(ip(100))
    gone = Lease(ip(100), ClientKey(b"h\x01" + OTHER_MAC), "office", LeaseState.BOUND, 0, 2_000_000)
    store.rivals = [Change(ended, gone)]
    # MAC's grant is planned first, so OTHER_MAC would be refused; but the store says OTHER_MAC has it
    sends = table.handle(arrive(selecting(ip(100))), arrive(reboot(ip(100), OTHER_MAC)))
    assert sorted(pairs(sends)) == [("ACK", ip(100)), ("NAK", 0)]
    held = table.on(ip(100))
    assert held is not None
    assert held.client == b"h\x01" + OTHER_MAC


def test_lease_that_keeps_changing_ends_in_silence() -> None:
    store = Faulty()
    table = Table(store=store)
    mine = table.lease(ip(100))
    leases = [mine, *(Lease(ip(100), mine.client, "office", LeaseState.BOUND, n, 1_003_000) for n in range(10))]
    store.rivals = [Change(a, b) for a, b in pairwise(leases)]
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "store-contended")


def test_one_commit_for_a_whole_batch() -> None:
    store = Faulty()
    table = Table(store=store)
    macs = [bytes((2, 0, 0, 0, 0, n)) for n in range(10)]
    for number, mac in enumerate(macs):
        table.lease(ip(100 + number), mac, seconds=5)
    before = store.commits
    sends = table.handle(*(arrive(reboot(ip(100 + n), mac)) for n, mac in enumerate(macs)))
    assert len(sends) == 10
    assert store.commits == before + 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (arrive(request(MessageType.OFFER)).payload, "unserved-type"),
        (arrive(request(99)).payload, "unserved-type"),
        (b"\x02" + arrive(discover()).payload[1:], "not-a-request"),
        (arrive(request(MessageType.REQUEST)).payload, "request-without-address"),
        (arrive(discover(mac=b"")).payload, "no-identity"),
    ],
)
def test_drops_have_names(payload: bytes, reason: str) -> None:
    table = Table()
    assert table.handle(Arrival(payload, "eth0")) == []
    assert table.engine.drops[reason] == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=5))
def test_nothing_on_the_wire_raises(payloads: list[bytes]) -> None:
    table = Table()
    head = arrive(discover()).payload[:240]
    table.handle(*(Arrival(payload, "eth0") for payload in payloads))
    table.handle(*(Arrival(head + payload, "eth0") for payload in payloads))
    assert not table.engine.bugs


def test_bug_of_ours_costs_one_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table()
    table.lease(ip(100))
    bad = arrive(reboot(ip(100)))
    real = decide.decide

    def failing(situation: Situation) -> decide.Ruling:
        if situation.request.arrival is bad:
            raise KeyError("oops")
        return real(situation)

    monkeypatch.setattr("relet.server.engine.decide", failing)
    assert pairs(table.handle(bad, arrive(reboot(ip(100))))) == [("ACK", ip(100))]
    assert table.engine.drops["bug"] == 1
    assert table.engine.bugs[0].arrival is bad


MACS = [MAC, OTHER_MAC, bytes.fromhex("525400000003")]
ACTIONS = st.one_of(
    st.builds(discover, st.sampled_from([0, ip(100), ip(101), ip(102)]), st.sampled_from(MACS)),
    st.builds(selecting, st.sampled_from([ip(100), ip(101), ip(102)]), mac=st.sampled_from(MACS)),
    st.builds(reboot, st.sampled_from([ip(100), ip(101), ip(102)]), st.sampled_from(MACS)),
    st.builds(renewing, st.sampled_from([ip(100), ip(101), ip(102)]), st.sampled_from(MACS)),
    st.builds(release, st.sampled_from([ip(100), ip(101)]), st.sampled_from(MACS)),
    st.builds(decline, st.sampled_from([ip(100), ip(101)]), st.sampled_from(MACS)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(ACTIONS, min_size=1, max_size=4), st.sampled_from([0, 1, 50, 4000])), max_size=12))
def test_no_address_is_granted_twice(story: list[tuple[list[Message], float]]) -> None:
    """Whatever clients say in whatever order: an ACK's address is nobody else's while its promise lasts."""
    table = Table(unknown_reboot="adopt", decline_time=100)
    promised: dict[int, tuple[bytes, float]] = {}
    for messages, pause in story:
        arrivals = [arrive(message) for message in messages]
        before = table.now
        given_back = {
            (message.ciaddr or message.ip(50) or 0, message.chaddr)
            for message in messages
            if message.kind in {MessageType.RELEASE, MessageType.DECLINE}
        }
        promised = {a: p for a, p in promised.items() if (a, p[0]) not in given_back}
        for send in table.handle(*arrivals):
            reply = decode(send.payload)
            if reply.kind != MessageType.ACK:
                continue
            holder, until = promised.get(reply.yiaddr, (reply.chaddr, 0.0))
            assert holder == reply.chaddr or until <= before.wall or (reply.yiaddr, holder) in given_back
            promised[reply.yiaddr] = (reply.chaddr, before.wall + (reply.uint(51) or 0))
            held = table.on(reply.yiaddr)
            assert held is not None
        promised = {a: p for a, p in promised.items() if (a, p[0]) not in given_back}
        table.later(pause)


def test_tables_are_sound() -> None:
    for kind in Kind:
        rows = decide.table(kind)
        assert rows[-1].known in {"anything else", "no address is free", "no record of this client"}
        for row in rows:
            assert REASONS[row.reason.id] is row.reason
            if row.answer is Answer.NAK:
                assert row.reason.certain, f"{kind.value} row {row.number} refuses without knowing"
