"""A server that still reads its leases: whatever it answers is what it would answer if it knew them all."""

from collections.abc import Iterator
from random import Random

import pytest
from msgspec.structs import replace

from relet.errors import StoreError
from relet.model.ident import client_key
from relet.model.lease import Lease, LeaseState, Loaded
from relet.model.network import Network, Reservation
from relet.server.engine import Engine
from relet.server.order import Do, Order
from relet.store.memory import MemoryStore
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    SERVER,
    Table,
    address,
    decline,
    discover,
    ip,
    kind_of,
    reboot,
    release,
    renewing,
    request,
    reserved,
    selecting,
)

MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(8)]
FIRST, LAST = ip(100), ip(115)


class Slow(MemoryStore):
    """A store that reads as told: pieces of leases, those that are kept for somebody first."""

    def __init__(self, *pieces: list[Lease], kept: bool = True) -> None:
        super().__init__()
        self._pieces = pieces
        self._kept = kept
        self._index.complete = False

    def loading(self) -> Iterator[Loaded]:
        yield Loaded([], self._kept)
        for piece in self._pieces:
            yield Loaded(self._index.add(piece), True)
        self._index.complete = True


def lease(where: int, mac: bytes = MAC, seconds: int = 500, state: LeaseState = LeaseState.BOUND) -> Lease:
    return Lease(where, client_key(None, 1, mac), "office", state, 990_000, 1_000_000 + seconds, None, reason="granted")


def begun(store: Slow, network: Network) -> Table:
    """A server that has not read anything yet."""
    table = Table(network)
    table.store = store
    table.engine = Engine((table.network,), store, frozenset({SERVER}), load=False)
    return table


def inform(where: int, mac: bytes = MAC) -> Message:
    return request(MessageType.INFORM, mac=mac, ciaddr=where)


def starting(*pieces: list[Lease], steps: int = 1, network: Network = OFFICE, kept: bool = True) -> Table:
    """A server that has done so many steps of its start; the first one reads nothing."""
    table = begun(Slow(*pieces, kept=kept), network)
    for _ in range(steps):
        assert table.engine.start()
    return table


def test_a_lease_that_was_read_is_confirmed_at_once_and_written_down() -> None:
    table = starting([lease(ip(100))], [lease(ip(101), OTHER_MAC)], steps=2)
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.verdict() == ("ACK", "confirmed")
    assert table.say(reboot(ip(101), OTHER_MAC)) is None
    assert table.verdict() == ("SILENT", "still-loading")
    assert table.engine.start()
    assert not table.engine.start()
    assert kind_of(table.say(reboot(ip(101), OTHER_MAC))) == "ACK"
    held = table.on(ip(100))
    assert held is not None
    assert held.expires == 1_000_000 + 3600 + 1


@pytest.mark.parametrize(
    "message",
    [
        discover(),
        discover(ip(100)),
        selecting(ip(103)),
        reboot(ip(103)),
        reboot(ip(100), OTHER_MAC),
        reboot(ip(101)),
        decline(ip(100)),
        release(ip(103)),
        inform(ip(103)),
        request(3, {50: address(ip(100))}, OTHER_MAC, secs=100),
        Message(op=1, xid=1, chaddr=MAC),  # BOOTP
    ],
)
def test_everything_else_is_silence_and_changes_nothing(message: Message) -> None:
    leases = [lease(ip(100)), lease(ip(101), seconds=-5), lease(ip(102), OTHER_MAC, state=LeaseState.RELEASED)]
    network = replace(OFFICE, unknown_reboot="nak", bootp="dynamic")
    table = starting(leases, steps=2, network=network)
    before = list(table.store.all())
    assert table.say(message) is None
    assert table.verdict() == ("SILENT", "still-loading")
    assert list(table.store.all()) == before
    assert table.engine.counts.total() == 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [(renewing(ip(100)), "renewed"), (selecting(ip(100)), "confirmed"), (inform(ip(100)), "informed")],
)
def test_the_client_of_a_lease_that_was_read_goes_on_with_it(message: Message, reason: str) -> None:
    table = starting([lease(ip(100))], steps=2)
    reply = table.say(message, broadcast=False) if reason == "renewed" else table.say(message)
    assert kind_of(reply) == "ACK"
    assert table.verdict() == ("ACK", reason)


def test_a_release_is_heard_for_it_is_never_repeated() -> None:
    table = starting([lease(ip(100))], steps=2)
    assert table.say(release(ip(100))) is None
    assert table.verdict() == ("SILENT", "released")
    held = table.on(ip(100))
    assert held is not None
    assert held.state is LeaseState.RELEASED


def test_what_rests_on_no_lease_keeps_its_reason() -> None:
    table = starting([lease(ip(100))], steps=2)
    table.say(reboot(ip(100)), interface="eth7")
    assert table.verdict() == ("SILENT", "no-network")
    table.say(selecting(ip(100), server=ip(2)))
    assert table.verdict() == ("SILENT", "other-server")


def test_nobody_is_confirmed_before_it_is_known_what_the_operator_keeps() -> None:
    elsewhere = replace(lease(ip(107), state=LeaseState.RELEASED), kept=True)
    table = starting([lease(ip(100)), elsewhere], steps=2, kept=False)
    table.engine.starting._kept = False  # type: ignore[union-attr]
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "still-loading")
    while table.engine.start():
        pass
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "reserved-elsewhere")


def test_a_client_that_another_address_is_reserved_for_has_to_wait() -> None:
    network = replace(OFFICE, reservations=(reserved(ip(50)),))
    table = starting([lease(ip(100))], [lease(ip(50), OTHER_MAC)], steps=2, network=network)
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "still-loading")


def test_the_operator_is_asked_to_wait() -> None:
    table = starting([lease(ip(100))], steps=2)
    with pytest.raises(ValueError, match="still reads its leases"):
        table.engine.order(Order(Do.END, ip(100)), "root", table.now)
    with pytest.raises(StoreError, match="still reads its leases"):
        table.engine.prepare((OFFICE,), table.now)
    assert table.engine.expire(table.now, 10) == 0


def network_of(random: Random) -> Network:
    """One with rules that make one client's verdict hang on another lease."""
    rows = [reserved(random.randint(FIRST - 3, LAST), mac) for mac in random.sample(MACS, 2)]
    rows += [Reservation("circuit-id", bytes((0, 1)), random.randint(FIRST, LAST))] * random.randrange(2)
    rows = list({row.address: row for row in rows}.values())
    return replace(
        OFFICE,
        subnets=(subnet("192.168.1.0/24", (FIRST, LAST), lease_time=random.choice((60, 3600))),),
        reservations=tuple(rows),
        unknown_reboot=random.choice(("silent", "nak", "adopt")),
        limit_per_circuit=random.choice((None, 2)),
        cache_threshold=random.choice((None, 0.1)),
        match_client_id=random.choice((True, False)),
    )


def leases_of(random: Random) -> list[Lease]:
    """What happened before: any state, expired or not, some kept by hand."""
    found = []
    for where in range(FIRST, LAST + 1):
        if random.random() < 0.8:
            state = random.choice((LeaseState.BOUND, LeaseState.BOUND, *LeaseState))
            held = lease(where, random.choice(MACS), random.choice((-5, 50, 500, 50_000)), state)
            circuit = bytes((1, 2, 0, random.randrange(3))) if random.random() < 0.5 else b""
            found.append(replace(held, kept=random.random() < 0.1, relay=circuit))
    return found


def asked(random: Random, leases: list[Lease]) -> tuple[Message, dict[str, object]]:
    """Any request, most of them by the holder of a lease."""
    mac, where = random.choice(MACS), random.randint(FIRST - 3, LAST + 2)
    if random.random() < 0.8:
        held = random.choice(leases)
        mac, where = held.client[2:], held.address
    make = random.choice((reboot, reboot, renewing, selecting, release, decline, inform, discover))
    message = make(where, mac=mac)
    if random.random() < 0.2:
        message = replace(message, options=message.options | {61: b"\1" + mac})
    return message, {"broadcast": make is not renewing or random.random() < 0.5}


def compared(seed: int) -> int:
    """Ask a half-loaded and a loaded server the same at each step of the start; how often the former had an answer."""
    random = Random(seed)
    network, leases = network_of(random), leases_of(random)
    pieces = [[each for each in leases if each.kept]]
    rest = [each for each in leases if not each.kept]
    random.shuffle(rest)
    pieces += [rest[at : at + 3] for at in range(0, len(rest), 3)]
    answered = 0
    for steps in range(1, len(pieces) + 1):
        for _ in range(12):
            message, arrival = asked(random, leases)
            half, whole = begun(Slow(*pieces), network), Table(network, store=Slow(*pieces))
            for _ in range(1 + steps):
                half.engine.start()
            before = list(whole.store.all())
            said, would = half.say(message, **arrival), whole.say(message, **arrival)
            reason = half.verdict()[1]
            while half.engine.start():
                pass
            if said is not None:
                answered += 1
                assert (kind_of(said), said) == ("ACK", would)
            if reason == "still-loading":
                assert said is None
                assert list(half.store.all()) == before
            else:
                assert half.verdict() == whole.verdict()
                assert list(half.store.all()) == list(whole.store.all())
                assert half.engine.usage() == whole.engine.usage()
                stranger = discover(mac=b"\2" * 6)
                assert kind_of(half.say(stranger)) == kind_of(whole.say(stranger))
    return answered


@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_whatever_a_half_loaded_server_answers_the_loaded_one_would_answer(seed: int) -> None:
    assert sum(compared(each) for each in range(seed, seed + 5)) > 20


def test_a_start_that_broke_off_is_not_over() -> None:
    """A bug or a lack of memory in the middle: what has not been read is not taken for what is not there."""

    class Broken(Slow):
        def loading(self) -> Iterator[Loaded]:
            yield Loaded([], True)
            raise MemoryError

    engine = Engine((OFFICE,), Broken(), frozenset({SERVER}), load=False)
    assert engine.start()
    with pytest.raises(MemoryError):
        engine.start()
    for _ in range(2):
        with pytest.raises(StoreError, match="could not be read to the end"):
            engine.start()
    assert engine.starting is not None
