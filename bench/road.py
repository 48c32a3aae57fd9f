"""What a request costs on the server's road, without sockets: batches through the engine, per kind and store.

    python bench/road.py [--clients 20000] [--batch 64] [--json FILE]

Figures are microseconds per request on this machine, now; compare only figures of one run.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import kept

from relet.model.events import Arrival
from relet.model.lease import Leases
from relet.model.network import Network, Parameters, Pool, Subnet
from relet.model.ranges import Ranges
from relet.net.clock import now
from relet.server.engine import Engine
from relet.store import open_store
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import PARAMETER_REQUEST_LIST, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

SERVER, RELAY, FIRST = parse_ip("10.64.0.1"), parse_ip("10.64.0.2"), parse_ip("10.65.0.0")
OPTIONS = {1: bytes((255, 192, 0, 0)), 3: SERVER.to_bytes(4), 6: SERVER.to_bytes(4), 15: b"example.org"}
_xids = count(1)


def network(clients: int) -> Network:
    """One subnet with room for all."""
    parameters = Parameters(options=OPTIONS, lease_time=86400)
    pool = Pool(Ranges.of([(FIRST, FIRST + 2 * clients)]), parameters=parameters)
    return Network(name="bench", subnets=(Subnet(parse_ip("10.64.0.0"), 10, (pool,), parameters),))


def request(client: int, kind: int, options: dict[int, bytes], ciaddr: int = 0) -> Arrival:
    """A client's request as its relay passes it on."""
    listed = {PARAMETER_REQUEST_LIST.code: bytes((1, 28, 2, 3, 15, 6, 12))}
    message = Message(
        op=1,
        xid=next(_xids),
        ciaddr=ciaddr,
        giaddr=RELAY,
        chaddr=b"\2\0" + client.to_bytes(4),
        options={53: bytes((kind,))} | options | listed,
    )
    return Arrival(encode(message), "", SERVER, RELAY, 67, False)


def timed(engine: Engine, arrivals: list[Arrival], size: int) -> tuple[float, list[int]]:
    """Microseconds per request, and the address in each reply."""
    began = time.perf_counter()
    sends = []
    for start in range(0, len(arrivals), size):
        sends += engine.handle(arrivals[start : start + size], now())
    microseconds = (time.perf_counter() - began) / len(arrivals) * 1e6
    addresses = [decode(send.payload).yiaddr for send in sends]
    if len(addresses) != len(arrivals) or engine.bugs:
        sys.exit(f"{len(arrivals)} requests, {len(addresses)} replies, bugs: {list(engine.bugs)[:1]}")
    return microseconds, addresses


def measure(store: Leases, clients: int, size: int) -> Iterable[tuple[str, float]]:
    """(kind of request, microseconds) for each kind."""
    engine = Engine((network(clients),), store, frozenset({SERVER}))
    cost, addresses = timed(engine, [request(n, MessageType.DISCOVER, {}) for n in range(clients)], size)
    yield "DISCOVER", cost
    named = {SERVER_IDENTIFIER.code: SERVER.to_bytes(4)}
    asked = [{REQUESTED_ADDRESS.code: address.to_bytes(4)} for address in addresses]
    cost, _ = timed(engine, [request(n, MessageType.REQUEST, asked[n] | named) for n in range(clients)], size)
    yield "SELECTING", cost
    time.sleep(1.1)  # within the second of the grant there would be nothing to write
    cost, _ = timed(engine, [request(n, MessageType.REQUEST, asked[n]) for n in range(clients)], size)
    yield "INIT-REBOOT", cost
    time.sleep(1.1)
    cost, _ = timed(engine, [request(n, MessageType.REQUEST, {}, addresses[n]) for n in range(clients)], size)
    yield "REBINDING", cost


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clients", type=int, default=20_000)
    arguments.add_argument("--batch", type=int, default=64)
    kept.json_option(arguments)
    given = arguments.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for url in ("memory:", f"sqlite:{Path(folder).resolve() / 'leases.db'}"):
            store = open_store(url)
            for kind, cost in measure(store, given.clients, given.batch):
                sys.stdout.write(f"{url.partition(':')[0]:7} {kind:12} {cost:7.1f} us\n")
                figures[f"{kind}, {url.partition(':')[0]}, us"] = cost
            store.close()
    kept.keep(given.json, "road", figures)


if __name__ == "__main__":
    main()
