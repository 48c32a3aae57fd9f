"""The piece of work that bench/instructions.py has callgrind count: each kind of request through the engine, in batches.

    valgrind --tool=callgrind --dump-before=getsid python bench/counted.py memory

Clock and dice stand still. A call of `mark` ends one count and begins the next: the counts alternate between what is not
wanted (start-up, warm-up, making requests) and one of COUNTED, in that order.
"""

import gc
import os
import sys
import tempfile
from pathlib import Path

from road import SERVER, network, request

from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.lease import Leases
from relet.server.engine import Engine
from relet.store import open_store
from relet.wire.message import decode
from relet.wire.options import REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

MARK = "getsid"
"""A function of the C library that nothing else calls here."""
YARDSTICK = "yardstick"
KINDS = ("DISCOVER", "SELECTING", "INIT-REBOOT", "REBINDING")
COUNTED = (YARDSTICK, *KINDS)
STORES = ("memory", "sqlite")
REQUESTS, WARM_UP, BATCH = 1024, 256, 64
"""Of each kind: counted, before that, and at once."""


def mark() -> None:
    """End one count and begin the next."""
    os.getsid(0)


def yardstick() -> int:
    """A fixed piece of Python with a little of all that the road does: calls, octets, tuples, mappings."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for number in range(2000):
        key = number.to_bytes(4, "big") + b"\2\0"
        found[key] = (number & 255, key[:4])
    return sum(size + int.from_bytes(part, "big") for size, part in found.values())


def requests(kind: str, clients: range, addresses: list[int]) -> list[Arrival]:
    """What these clients ask. addresses: what each was offered."""
    if kind == "DISCOVER":
        return [request(client, MessageType.DISCOVER, {}) for client in clients]
    if kind == "REBINDING":
        return [request(client, MessageType.REQUEST, {}, addresses[client]) for client in clients]
    named = {SERVER_IDENTIFIER.code: SERVER.to_bytes(4)} if kind == "SELECTING" else {}
    asked = [{REQUESTED_ADDRESS.code: addresses[client].to_bytes(4)} | named for client in clients]
    return [request(client, MessageType.REQUEST, asks) for client, asks in zip(clients, asked, strict=True)]


def batches(arrivals: list[Arrival]) -> list[list[Arrival]]:
    """As they would be received."""
    return [arrivals[start : start + BATCH] for start in range(0, len(arrivals), BATCH)]


def work(store: Leases) -> None:
    """All that is counted. Ends the program if a request has no reply."""
    yardstick()
    mark()
    yardstick()
    mark()
    engine = Engine((network(WARM_UP + REQUESTS),), store, frozenset({SERVER}))
    addresses: list[int] = []
    for turn, kind in enumerate(KINDS):
        now = Now(1_800_000_000.0 + 5 * turn, 1000.0 + 5 * turn)  # later each time, or there would be nothing to write
        first = [engine.handle(batch, now) for batch in batches(requests(kind, range(WARM_UP), addresses))]
        gc.collect()  # as the server does when it has started
        gc.freeze()
        counted = batches(requests(kind, range(WARM_UP, WARM_UP + REQUESTS), addresses))
        mark()
        sends = [engine.handle(batch, now) for batch in counted]
        mark()
        answered = [decode(send.payload).yiaddr for batch in first + sends for send in batch]
        if len(answered) != WARM_UP + REQUESTS or engine.bugs:
            sys.exit(f"{kind}: {len(answered)} replies, bugs: {list(engine.bugs)[:1]}")
        addresses = answered


def main() -> None:
    """Do the work with the store that the first argument names."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("memory:" if sys.argv[1] == "memory" else f"sqlite:{Path(folder) / 'leases.db'}")
        work(store)
        store.close()


if __name__ == "__main__":
    main()
