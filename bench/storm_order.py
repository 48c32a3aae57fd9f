"""How soon a storm is over with the backlog's order, and without: real clients' timing, the real engine, virtual time.

    python bench/storm_order.py [--clients 200000] [--strangers 50000] [--rate 50000] [--spread 1]

All clients start within --spread seconds of each other, as after a power failure. Those with a lease ask for it
(INIT-REBOOT), as dhclient does: again after 4, 8, 16, .. seconds, each one more or less (RFC 2131 s4.1), and after ten
seconds they start anew with a DHCPDISCOVER. Strangers begin with that. The server can serve --rate requests a second, if it
does nothing else. What the socket's buffer does not hold is lost.

'in order of arrival' is a server that takes from its socket what is oldest; 'by worth' is relet's. For clients with a lease,
then for strangers: seconds until half, 99 % and all of them have an address. The figures follow from the seed alone; no
clock is read.
"""

import argparse
import heapq
import sys
from collections import Counter, deque
from itertools import count
from random import Random
from typing import NamedTuple

from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.model.network import Network, Parameters, Pool, Subnet
from relet.model.ranges import Ranges
from relet.run import intake
from relet.run.intake import Intake
from relet.server import backlog
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

SERVER, RELAY, FIRST = parse_ip("10.64.0.1"), parse_ip("10.64.0.2"), parse_ip("10.65.0.0")
SCALE = 10
"""A tenth of the clients, each of whom costs ten times as much: the same storm in a tenth of the time."""
SOCKET = 52_000 // SCALE
"""Datagrams that the socket's buffer holds."""
MOST = 200_000 // SCALE
"""Requests that may wait besides."""
BATCHES = ("BATCH", "TAKEN_AT_ONCE", "SERVED_AT_ONCE")
"""What must be as much smaller in run/intake.py."""
RECEIVE_S, WAIT_S = 2e-6 * SCALE, 3e-6 * SCALE
"""What it costs to receive a datagram, and to let it wait and take it out again."""
REBOOT_TIMEOUT_S, GIVE_UP_S = 10.0, 300.0
WALL = 1_700_000_000.0


class Due(NamedTuple):
    """A moment at which a client does something, unless it has gone on to another transaction since."""

    at: float
    number: int
    client: "Client"
    xid: int


class Client:
    """A host that wants its address back (`address`), or any (0)."""

    def __init__(self, mac: bytes, address: int) -> None:
        self.mac = mac
        self.address = address
        self.bound_at: float | None = None
        self.sent: Message | None = None
        self.began = 0.0
        self.delay = 4.0


class Storm:
    """Clients, a socket and a server, and the time."""

    def __init__(self, known: int, strangers: int, rate: float, seed: int, spread: float = 1.0) -> None:
        self.dice = Random(seed)
        self.now = 0.0
        self.serve_s = 1 / rate
        self.socket: deque[Arrival] = deque()
        self.counts: Counter[str] = Counter()
        self.numbers = count(1)
        self.due: list[Due] = []
        parameters = Parameters(lease_time=86400)
        pool = Pool(Ranges.of([(FIRST, FIRST + 2 * (known + strangers))]), parameters=parameters)
        network = Network(name="campus", subnets=(Subnet(parse_ip("10.64.0.0"), 10, (pool,), parameters),))
        store = MemoryStore()
        leases = [
            Lease(
                FIRST + n,
                client_key(None, 1, mac(n)),
                "campus",
                LeaseState.BOUND,
                int(WALL) - 9,
                int(WALL) + 80_000,
                b"\1" + mac(n),
            )
            for n in range(known)
        ]
        store.commit([Change(None, lease) for lease in leases], WALL)
        self.engine = Engine((network,), store, frozenset({SERVER}))
        self.known = [Client(mac(n), FIRST + n) for n in range(known)]
        self.strangers = [Client(mac(known + n), 0) for n in range(strangers)]
        self.clients = {client.mac: client for client in (*self.known, *self.strangers)}
        for client in self.clients.values():
            self.later(client, self.dice.uniform(0, spread))

    def later(self, client: Client, at: float) -> None:
        """Let a client act then."""
        heapq.heappush(self.due, Due(at, next(self.numbers), client, client.sent.xid if client.sent else 0))

    def advance(self, to: float) -> None:
        """Let the clients do what they do until then."""
        self.now = to
        while self.due and self.due[0].at <= to:
            at, _, client, xid = heapq.heappop(self.due)
            if client.bound_at is not None or (client.sent and client.sent.xid != xid):
                continue
            sent = client.sent
            if sent is None or (at - client.began >= REBOOT_TIMEOUT_S and sent.kind == MessageType.REQUEST):
                kind = MessageType.REQUEST if sent is None and client.address else MessageType.DISCOVER
                self.begin(client, kind, {}, at)
            else:
                self.say(client, at)

    def begin(self, client: Client, kind: int, options: dict[int, bytes], at: float, xid: int = 0) -> None:
        """A new transaction, or the next step of one."""
        if client.address:
            options = {REQUESTED_ADDRESS.code: client.address.to_bytes(4), **options}
        client.sent = Message(
            op=1,
            xid=xid or next(self.numbers),
            giaddr=RELAY,
            chaddr=client.mac,
            options={53: bytes((kind,)), **options},
        )
        client.began, client.delay = at, 4.0
        self.say(client, at)

    def say(self, client: Client, at: float) -> None:
        """Send the message, once more, and see to the next time."""
        message = client.sent
        assert message is not None
        self.counts["sent"] += 1
        if len(self.socket) < SOCKET:
            payload = encode(
                Message(
                    op=1,
                    xid=message.xid,
                    secs=int(at - client.began),
                    giaddr=RELAY,
                    chaddr=client.mac,
                    options=message.options,
                )
            )
            self.socket.append(Arrival(payload, "", SERVER, RELAY, 67, False))
        else:
            self.counts["lost"] += 1
        wait = client.delay + self.dice.uniform(-1, 1)
        client.delay = min(64.0, 2 * client.delay)
        if message.kind == MessageType.REQUEST:
            wait = min(wait, max(0.01, client.began + REBOOT_TIMEOUT_S - at))
        self.later(client, at + wait)

    def hear(self, reply: Message) -> None:
        """A client gets a reply, if it still waits for that one."""
        client = self.clients[reply.chaddr]
        if client.bound_at is not None or client.sent is None or reply.xid != client.sent.xid:
            self.counts["in vain"] += 1
        elif reply.kind == MessageType.ACK:
            client.bound_at = self.now
        elif reply.kind == MessageType.OFFER and client.sent.kind == MessageType.DISCOVER:
            client.address = reply.yiaddr
            self.begin(client, MessageType.REQUEST, {SERVER_IDENTIFIER.code: SERVER.to_bytes(4)}, self.now, reply.xid)
        else:
            self.counts["in vain"] += 1

    def serve(self, arrivals: list[Arrival]) -> None:
        """A batch."""
        self.counts["served"] += len(arrivals)
        replies = self.engine.handle(arrivals, Now(WALL + self.now, self.now))
        self.advance(self.now + len(arrivals) * self.serve_s)
        for reply in replies:
            self.hear(decode(reply.payload))

    def receive(self) -> list[Arrival]:
        """A batch of what the socket holds."""
        arrivals = [self.socket.popleft() for _ in range(min(intake.BATCH, len(self.socket)))]
        self.advance(self.now + len(arrivals) * RECEIVE_S)
        return arrivals

    def held(self) -> tuple[int, float]:
        """What the kernel says of the socket."""
        return len(self.socket), len(self.socket) / SOCKET

    def over(self) -> bool:
        """Has everybody an address?"""
        return all(client.bound_at is not None for client in self.clients.values())

    def run(self, ordered: bool) -> Intake:
        """Until everybody has an address."""
        taking = Intake(self.engine, MOST)
        while self.now < GIVE_UP_S:
            if not self.socket and not taking.backlog:
                if self.over():
                    break
                self.advance(max(self.now, self.due[0].at) if self.due else GIVE_UP_S)
            if not ordered:
                self.serve(self.receive())
                continue
            before = len(taking.backlog) + taking.backlog.dropped.total()
            self.serve(taking.hear(self, self.now))
            waiting = len(taking.backlog) + taking.backlog.dropped.total() - before
            self.advance(self.now + waiting * WAIT_S)
            if taking.backlog:
                self.serve(taking.next(self.now))
        return taking


def mac(number: int) -> bytes:
    """A hardware address."""
    return b"\2\0" + number.to_bytes(4)


def line(name: str, storm: Storm, dropped: Counter[str]) -> str:
    """What came of a storm."""
    cells = []
    for clients in (storm.known, storm.strangers):
        times = sorted(client.bound_at if client.bound_at is not None else GIVE_UP_S for client in clients) or [0.0]
        cells += [times[len(times) // 2], times[len(times) * 99 // 100], times[-1]]
    kept = sum(1 for number, client in enumerate(storm.known) if client.address == FIRST + number)
    times = " ".join(f"{cell:7.1f}" for cell in cells)
    return f"{name:20} {times}  kept {kept}  {dict(storm.counts)} {dict(dropped)}\n"


def shrink() -> None:
    """Make the server's batches as much smaller as the storm is."""
    for name in BATCHES:
        setattr(intake, name, getattr(intake, name) // SCALE)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clients", type=int, default=200_000)
    arguments.add_argument("--strangers", type=int, default=50_000)
    arguments.add_argument("--rate", type=float, default=50_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--spread", type=float, default=1.0)
    arguments.add_argument("--late", type=float, default=backlog.LATE_S, help="0: newest first, 999: oldest first")
    given = arguments.parse_args()
    backlog.LATE_S = given.late
    shrink()
    for name in ("in order of arrival", "by worth"):
        storm = Storm(given.clients // SCALE, given.strangers // SCALE, given.rate / SCALE, given.seed, given.spread)
        taken = storm.run(name == "by worth")
        sys.stdout.write(line(name, storm, taken.backlog.dropped))


if __name__ == "__main__":
    main()
