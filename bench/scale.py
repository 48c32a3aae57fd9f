"""What many leases cost: memory for each, the start with them on disk, and requests in random order against a small server.

    python bench/scale.py [--leases 1000000] [--small 10000] [--requests 40000] [--json FILE]

A file is filled with leases as the server writes them (24 hours, granted over a day, identifiers of 7 octets, every third
with a host name), folded, and read by a server's core, step by step. Then the same leases are granted by a running core.
Memory is what the process has resident, less what it had without leases. Times are of this process's own work (CPU), and the
two sizes take turns, so that the ratio is right on a busy machine, too.
"""

import argparse
import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import kept

from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.network import Network, Parameters, Pool, Subnet
from relet.model.ranges import Ranges
from relet.run.serve import EXPIRE_STEP
from relet.server.engine import Engine
from relet.store import open_store
from relet.wire.address import parse_ip
from relet.wire.message import Message, encode

SERVER, RELAY, NET = parse_ip("10.0.0.1"), parse_ip("10.0.0.2"), parse_ip("10.0.0.0")
FIRST = parse_ip("10.1.0.0")
WALL = 1_700_000_000
DAY_S = 86_400
BATCH = 64
TURN = 20
"""Batches that one of the two servers is given in a row."""


def network() -> Network:
    """Room for fifteen million clients."""
    parameters = Parameters(options={3: SERVER.to_bytes(4), 6: SERVER.to_bytes(4)}, lease_time=DAY_S)
    pool = Pool(Ranges.of([(FIRST, parse_ip("10.255.255.0"))]), parameters=parameters)
    return Network(name="bench", subnets=(Subnet(NET, 8, (pool,), parameters),))


def hardware(client: int) -> bytes:
    """Ethernet, and an address of it."""
    return b"\1\2\0" + client.to_bytes(4)


def hostname(client: int) -> str:
    """Every third client has one."""
    return f"host-{client}" if client % 3 == 0 else ""


def request(client: int, kind: int, options: dict[int, bytes], name: bool = True) -> Arrival:
    """A client's request as its relay passes it on."""
    named = {12: hostname(client).encode()} if name and hostname(client) else {}
    message = Message(
        op=1,
        xid=client,
        giaddr=RELAY,
        chaddr=hardware(client)[1:],
        options={53: bytes((kind,)), 61: hardware(client), 55: bytes((1, 28, 2, 3, 15, 6, 12))} | options | named,
    )
    return Arrival(encode(message), "", SERVER, RELAY, 67, False)


def fill(path: Path, leases: int, wall: int = WALL) -> None:
    """A store with so many leases, all of them folded, granted in the day before: addresses in a row to random clients."""
    open_store(f"sqlite:{path}").close()
    database = sqlite3.connect(path)
    random = Random(1)
    clients = list(range(leases))
    random.shuffle(clients)
    rows = (
        (
            FIRST + number, b"i" + hardware(client), "bench", "bound", starts, starts + DAY_S + 1, hardware(client),
            hostname(client), b"", "granted", 0,
        )
        for number, client in enumerate(clients)
        for starts in (wall - random.randrange(DAY_S),)
    )  # fmt: skip
    database.executemany(f"INSERT INTO lease VALUES ({', '.join('?' * 11)})", rows)
    database.commit()
    database.close()


def resident() -> int:
    """Octets of this process in memory."""
    gc.collect()
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4096


FIGURES: dict[str, float] = {}
"""What was said."""


def say(what: str, value: float, unit: str) -> None:
    """A line of the table."""
    FIGURES[f"{what}, {unit}" if unit else what] = value
    sys.stdout.write(f"{what:58} {value:9.2f} {unit}\n")
    sys.stdout.flush()


def served(path: Path, what: str) -> Engine:
    """A server's core on a store; what the start took."""
    store = open_store(f"sqlite:{path}", load=False)
    engine = Engine((network(),), store, frozenset({SERVER}), load=False)
    before = resident()
    took = steps_of(engine.start)
    say(f"{what}: time to read them", sum(took), "s")
    say(f"{what}: longest step of that", max(took) * 1e3, "ms")
    say(f"{what}: memory for each, read from disk", (resident() - before) / engine.read, "octets")
    return engine


def steps_of(step: Callable[[], bool]) -> list[float]:
    """CPU seconds of each step until there is nothing left to do."""
    took = []
    more = True
    while more:
        began = time.process_time()
        more = step()
        took.append(time.process_time() - began)
    return took


def upkeep(engine: Engine, what: str) -> None:
    """What expiry and a reload cost at a time, when a third of all leases is over."""
    now = Now(WALL + DAY_S / 3, 0.0)
    took = steps_of(lambda: engine.expire(now, EXPIRE_STEP) == EXPIRE_STEP)
    say(f"{what}: a step of expiry, 99 of 100 are shorter", sorted(took)[len(took) * 99 // 100] * 1e3, "ms")
    rebuild = engine.prepare((network(),), now)
    took = steps_of(rebuild.step)
    engine.reconfigure(rebuild)
    say(f"{what}: a step of a reload, 99 of 100 are shorter", sorted(took)[len(took) * 99 // 100] * 1e3, "ms")


def reboots(engine: Engine, leases: int, seed: int, wall: float) -> Iterator[float]:
    """CPU microseconds for each request of one turn, for ever; clients in random order."""
    random = Random(seed)
    view = engine._store.view((), ())
    while True:
        spent = 0.0
        for _ in range(TURN):
            wall += 1.0
            arrivals = []
            for _ in range(BATCH):
                lease = view.lease(FIRST + random.randrange(leases))
                assert lease is not None
                client = int.from_bytes(lease.client[4:])
                arrivals.append(request(client, 3, {50: lease.address.to_bytes(4)}))
            began = time.process_time()
            sends = engine.handle(arrivals, Now(wall, wall - WALL))
            spent += time.process_time() - began
            if len(sends) != BATCH or engine.bugs:
                sys.exit(f"{BATCH} requests, {len(sends)} replies, bugs: {list(engine.bugs)[:1]}")
        yield spent / (TURN * BATCH) * 1e6


def granted(leases: int) -> None:
    """Memory of leases that a running core grants, less that of one that has granted few."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        store = open_store(f"sqlite:{Path(folder).resolve() / 'leases.db'}")
        engine = Engine((network(),), store, frozenset({SERVER}))
        wall = float(WALL)
        before = 0
        warm = 70_000  # as many as records are kept of
        for start in range(0, warm + leases, BATCH):
            wall += BATCH * DAY_S / leases
            if start >= warm and not before:
                before = resident()
            now = Now(wall, wall - WALL)
            clients = range(start, start + BATCH) if start >= warm else [start % 512] * BATCH
            offers = engine.handle([request(client, 1, {}) for client in clients], now)
            asked = [
                request(client, 3, {50: offer.payload[16:20], 54: SERVER.to_bytes(4)})
                for client, offer in zip(clients, offers, strict=True)
            ]
            if len(engine.handle(asked, now)) != BATCH:
                sys.exit("not all were granted")
        say(f"{leases} leases: memory for each, granted", (resident() - before) / leases, "octets")
        store.close()


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--leases", type=int, default=1_000_000)
    arguments.add_argument("--small", type=int, default=10_000)
    arguments.add_argument("--requests", type=int, default=40_000)
    arguments.add_argument("--granted", action="store_true", help="only what leases cost that are granted")
    kept.json_option(arguments)
    given = arguments.parse_args()
    if given.granted:
        granted(given.leases)
        kept.keep(given.json, "scale", FIGURES)
        return
    with tempfile.TemporaryDirectory(dir=".") as folder:
        engines = []
        for leases in (given.small, given.leases):
            path = Path(folder).resolve() / f"{leases}.db"
            fill(path, leases)
            engines.append((leases, served(path, f"{leases} leases")))
        turns = [reboots(engine, leases, 1, WALL) for leases, engine in engines]
        for turn in turns:
            next(turn)
        costs: list[list[float]] = [[], []]
        for _ in range(given.requests // (TURN * BATCH)):
            for turn, cost in zip(turns, costs, strict=True):
                cost.append(next(turn))
        small, large = (sorted(cost)[len(cost) // 2] for cost in costs)
        say(f"{given.small} leases: a reboot, in random order", small, "us")
        say(f"{given.leases} leases: a reboot, in random order", large, "us")
        say("ratio", large / small, "")
        upkeep(engines[1][1], f"{given.leases} leases")
    kept.keep(given.json, "scale", FIGURES)


if __name__ == "__main__":
    main()
