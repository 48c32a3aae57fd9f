"""The fleet of the crash tests against a server core that is restarted, on good stores and on bad ones: what a bad store
loses or gives away twice is found out by what the clients see."""

from collections.abc import Callable, Sequence
from random import Random

import pytest
from msgspec.structs import replace

from crash.fleet import LINK, PATIENCE_S, RELAYED, UNICAST, Fleet, Packet
from crash.ledger import Ledger
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.lease import Change, Committed, Lease, Leases
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import BROADCAST
from support.networks import subnet
from support.table import OFFICE, RELAY, SERVER, ip

CLIENTS, ADDRESSES = 60, 40
RESTARTS = 6
ROUNDS = 30
BATCH = 8
TICK_S = 0.02
AWAY_S = 1.5
"""A restart takes as long."""


class Diary(MemoryStore):
    """A store in memory that remembers its batches, as a disk does."""

    def __init__(self, batches: Sequence[Sequence[Change]] = ()) -> None:
        super().__init__()
        self.batches: list[Sequence[Change]] = []
        for batch in batches:
            self.commit(batch, 0.0)

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        said = super().commit(changes, wall)
        if held := [change for number, change in enumerate(changes) if number not in said.refused]:
            self.batches.append(held)
        return said


Remembering = Callable[[Random, Sequence[Sequence[Change]]], Sequence[Sequence[Change]]]
"""What is left of the batches after a crash."""


def everything(_: Random, batches: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    return batches


def all_but_the_last_batches(_: Random, batches: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    return batches[:-3]


def half_of_the_last_batch(_: Random, batches: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    return [*batches[:-1], *(batch[: len(batch) // 2] for batch in batches[-1:])]


def nothing(_: Random, __: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    return []


def all_but_one_lease(dice: Random, batches: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    lost = ip(100 + dice.randrange(ADDRESSES))
    return [[change for change in batch if change.after.address != lost] for batch in batches]


def first_ends(_: Random, batches: Sequence[Sequence[Change]]) -> Sequence[Sequence[Change]]:
    """Renewals are lost: each lease ends as it did at first."""
    kept: dict[int, Lease] = {}
    for batch in batches:
        for change in batch:
            after = change.after
            known = kept.get(after.address)
            if known is None or (known.client, known.state) != (after.client, after.state):
                kept[after.address] = after
    return [[Change(None, lease) for lease in kept.values()]]


class Story:
    """A fleet and a server core that now and then is killed and comes back with what `remembering` leaves it."""

    def __init__(self, seed: int, remembering: Remembering = everything) -> None:
        self.ledger = Ledger()
        self.dice = Random(seed)
        self._remembering = remembering
        self.fleet = Fleet(self.dice, self.ledger, CLIENTS, RELAY, SERVER)
        times = {"lease_time": 20, "min_lease_time": 1, "max_lease_time": 600}
        pool = subnet("192.168.1.0/24", (ip(100), ip(100 + ADDRESSES - 1)), **times)
        self.network = replace(OFFICE, subnets=(pool,), decline_time=3)
        self.now = Now(1_000_000.0, 500.0)
        self.restart(Diary())

    def restart(self, store: Leases) -> None:
        self.store = store
        self.engine = Engine((self.network,), store, frozenset({SERVER}))

    def play(self) -> Ledger:
        for _ in range(RESTARTS):
            for _ in range(ROUNDS):
                self.exchange(self.fleet.act(self.now.wall, CLIENTS))
            self.crash()
            self.fleet.stop_waiting()
            self.later(AWAY_S)
            self.exchange(self.fleet.ask(self.now.wall))
            self.exchange(self.fleet.ask_again(self.now.wall))
            self.fleet.give_up_asking(self.now.wall)
        assert self.ledger.counts["promised"] > 500
        assert self.ledger.counts["handed on"] > 50
        return self.ledger

    def crash(self) -> None:
        """The last batch is committed, and only its first half is answered."""
        assert isinstance(self.store, Diary)
        self.exchange(self.fleet.act(self.now.wall, CLIENTS), answered=0.5)
        self.restart(Diary(self._remembering(self.dice, self.store.batches)))

    def later(self, seconds: float) -> None:
        self.now = Now(self.now.wall + seconds, self.now.mono + seconds)

    def exchange(self, packets: list[Packet], answered: float = 1.0) -> None:
        """Batch by batch, until nobody has anything to say."""
        while packets:
            batch, packets = packets[:BATCH], packets[BATCH:]
            sends = self.engine.handle([_arrival(packet) for packet in batch], self.now)
            assert not self.engine.bugs
            self.later(TICK_S)
            for send in sends[: int(answered * len(sends) + 0.5)]:
                packets += self.fleet.hear(send.payload, self.now.wall)


@pytest.mark.parametrize("seed", range(4))
def test_a_good_store_keeps_every_promise(seed: int) -> None:
    ledger = Story(seed).play()
    assert ledger.violations == []
    assert ledger.counts["honoured"] > 100


@pytest.mark.parametrize(
    ("remembering", "kinds"),
    [
        (all_but_the_last_batches, {"silent", "twice"}),
        (half_of_the_last_batch, {"silent"}),
        (nothing, {"silent", "twice"}),
        (all_but_one_lease, {"silent"}),
        (first_ends, {"twice"}),
    ],
)
def test_a_store_that_forgets_is_found_out(remembering: Remembering, kinds: set[str]) -> None:
    found = {violation.kind for seed in range(3) for violation in Story(seed, remembering).play().violations}
    assert found >= kinds


def test_an_address_that_is_given_twice_is_found_out() -> None:
    """A lease ends in the store while its client holds it."""
    story = Story(1)
    for _ in range(ROUNDS):
        for lease in tuple(story.store.all())[:: ADDRESSES // 4]:
            story.store.commit([Change(lease, replace(lease, expires=0))], story.now.wall)
        story.restart(story.store)
        story.exchange(story.fleet.act(story.now.wall, CLIENTS))
    assert "twice" in {violation.kind for violation in story.ledger.violations}


def test_a_client_that_hears_nothing_asks_again_later() -> None:
    story = Story(1)
    assert len(story.fleet.act(story.now.wall, 5)) == 5
    assert story.fleet.act(story.now.wall, 5) == []
    story.later(PATIENCE_S)
    assert len(story.fleet.act(story.now.wall, 5)) == 5


def test_clients_speak_on_every_road() -> None:
    story = Story(1)
    seen = set()
    for _ in range(ROUNDS):
        packets = story.fleet.act(story.now.wall, CLIENTS)
        seen |= {packet.road for packet in packets}
        assert all(packet.source for packet in packets if packet.road == UNICAST)
        story.exchange(packets)
    assert seen == {RELAYED, LINK, UNICAST}


def _arrival(packet: Packet) -> Arrival:
    if packet.road == UNICAST:
        return Arrival(packet.payload, "", SERVER, packet.source, 68, False)
    if packet.road == LINK:
        return Arrival(packet.payload, "eth0", SERVER, BROADCAST, 68, True)
    return Arrival(packet.payload, "", SERVER, RELAY, 67, False)
