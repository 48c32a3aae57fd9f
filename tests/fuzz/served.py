"""A server's story: batches of good and mutated datagrams through a whole engine, its store well or in a bad mood.

Whatever comes, `handle` does not raise, meets no bug of ours, makes a verdict or a counted drop of every datagram, and lets
no two clients hold an unexpired promise on one address.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from random import Random

from msgspec.structs import replace

from fuzz.crowd import NETWORKS, OWN, some_arrival, some_request, what_follows
from fuzz.mutate import mutate
from fuzz.wire import some_message
from relet.errors import StoreError
from relet.model.clock import Now
from relet.model.effects import Send
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.model.lease import FOREVER, Change, Committed, View
from relet.server.engine import Engine
from relet.server.record import Record
from relet.store.memory import MemoryStore
from relet.wire.codes import INFINITE
from relet.wire.message import BOOTREPLY, Message, decode

MOST_BATCHES = 40
MOST_IN_A_BATCH = 64
MOST_REMEMBERED = 32
"""Replies that something may follow on."""
LONGEST_REPLY = 1472
"""Octets of a DHCP message in one Ethernet frame."""
PAUSES = (0, 0, 0, 0.4, 1, 30, 120, 4000)
"""Seconds between batches."""


class MoodyStore(MemoryStore):
    """A store that cannot be read, cannot be written, or has another writer, as `mood` says."""

    mood = ""

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:
        if self.mood == "unreadable":
            raise StoreError("the store is gone")
        return super().view(clients, addresses)

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        if self.mood == "unwritable":
            raise StoreError("the disk is full")
        if self.mood == "shared" and changes and (lease := changes[0].before) and lease.expires < FOREVER:
            super().commit([Change(lease, replace(lease, expires=lease.expires + 1))], wall)
        return super().commit(changes, wall)


class ServerStory:
    """batch: the datagrams that the engine has at present. outcomes: verdicts and drops so far."""

    def __init__(self, dice: Random) -> None:
        self.batch: list[bytes] = []
        self.outcomes: Counter[str] = Counter()
        self._dice = dice
        self._heard: deque[Send] = deque(maxlen=MOST_REMEMBERED)
        self._store = MoodyStore()
        self._engine = Engine(NETWORKS, self._store, OWN)
        self._now = Now(1_700_000_000.0 + dice.random(), 1000.0)
        self._promised: dict[int, tuple[ClientKey, float]] = {}

    def play(self) -> int:
        """Play it to its end; how many datagrams there were."""
        dice, played = self._dice, 0
        for _ in range(dice.randrange(1, MOST_BATCHES)):
            arrivals = self._arrivals()
            self.batch = [arrival.payload for arrival in arrivals]
            self._store.mood = dice.choices(("", "unreadable", "unwritable", "shared"), (20, 1, 2, 2))[0]
            self._hand_in(arrivals)
            played += len(arrivals)
            pause = dice.choice(PAUSES)
            self._now = Now(self._now.wall + pause, self._now.mono + pause)
            if dice.random() < 0.05:
                self._store.mood = ""
                self._engine = Engine(NETWORKS, self._store, OWN)
        return played

    def _arrivals(self) -> list[Arrival]:
        dice = self._dice
        arrivals: list[Arrival] = []
        for _ in range(dice.choice((1, 2, 8, dice.randrange(1, MOST_IN_A_BATCH + 1)))):
            if arrivals and dice.random() < 0.1:
                arrivals.append(dice.choice(arrivals))
                continue
            if self._heard and dice.random() < 0.5:
                arrival = what_follows(dice, dice.choice(self._heard))
            else:
                arrival = some_arrival(dice, some_message(dice) if dice.random() < 0.1 else some_request(dice))
            if dice.random() < 0.4:
                arrival = replace(arrival, payload=mutate(dice, arrival.payload))
            arrivals.append(arrival)
        return arrivals

    def _hand_in(self, arrivals: Sequence[Arrival]) -> None:
        engine = self._engine
        verdicts, drops = engine.counts.copy(), engine.drops.copy()
        sends = engine.handle(arrivals, self._now)
        if engine.bugs:
            bug = engine.bugs[-1]
            self.batch = [bug.arrival.payload]
            raise AssertionError(f"{bug.error} at {bug.arrival}")
        verdicts, drops = engine.counts - verdicts, engine.drops - drops
        if verdicts.total() + drops.total() != len(arrivals):
            raise AssertionError(f"of {len(arrivals)} came {verdicts.total()} verdicts and {drops.total()} drops")
        for (_, answer, reason), times in verdicts.items():
            self.outcomes[f"{answer} {reason}"] += times
        self.outcomes.update(drops)
        self._follow(islice(reversed(engine.records), verdicts.total()), sends)

    def _follow(self, newest_first: Iterable[Record], sends: Sequence[Send]) -> None:
        """Hold the replies to the verdicts, and the promises to each other."""
        replies = iter(sends)
        for record in reversed(list(newest_first)):
            if record.answer == "SILENT":
                if record.reason in {"released", "quarantined"}:
                    del self._promised[record.address]
                continue
            send = next(replies)
            reply = _checked(send)
            if reply.yiaddr:
                self._heard.append(send)
            if record.answer == "ACK" and record.reason not in {"informed", "bootp-informed"}:
                self._promise(record, reply)
        if next(replies, None) is not None:
            raise AssertionError("more replies than verdicts")
        self._look_up()

    def _promise(self, record: Record, reply: Message) -> None:
        address, wall = reply.yiaddr, self._now.wall
        bootp = record.kind == "BOOTP"
        seconds = INFINITE if bootp else reply.uint(51)
        if address in OWN or address != record.address or not seconds or seconds != record.seconds:
            raise AssertionError(f"{reply} is not what {record} says")
        network = next(network for network in NETWORKS if network.subnet_of(address))
        matched = network.match_client_id or not reply.chaddr
        named = client_key(reply.options.get(61) if matched else None, reply.htype, reply.chaddr)
        client = record.client if bootp else named
        holder, until = self._promised.get(address, (client, 0.0))
        if holder != client and until > wall:
            raise AssertionError(f"{record} is promised to {holder!r} for {until - wall} s more")
        self._promised[address] = (client, inf if seconds == INFINITE else wall + seconds)

    def _look_up(self) -> None:
        """Is every unexpired promise on record?"""
        view = MemoryStore.view(self._store, (), ())
        for address, (client, until) in self._promised.items():
            lease = view.lease(address)
            if until > self._now.wall and (
                lease is None or lease.client != client or lease.expires < min(FOREVER, until)
            ):
                raise AssertionError(f"promised to {client!r} until {until}, but {lease} is on record")


def _checked(send: Send) -> Message:
    reply = decode(send.payload)
    if reply.op != BOOTREPLY or len(send.payload) > LONGEST_REPLY or not send.destination:
        raise AssertionError(f"{send} is no reply")
    return reply
