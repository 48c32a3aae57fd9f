"""Stores full of leases, written without a server: for relet and for Kea, with the same clients on the same addresses.

Client n of `fleet` holds `addresses(count)[n]`: the addresses are in random order, and so is what is
written after one another.
"""

import random
import time
from itertools import islice
from pathlib import Path

import fleet
import setups

from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.store import open_store
from relet.wire.address import ip_text, parse_ip

LEASE_TIME = 86_400
BATCH = 10_000
_KEA = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"


def addresses(count: int) -> list[int]:
    """The address of each client."""
    first = parse_ip(setups.FIRST)
    shuffled = list(range(first, first + count))
    random.Random(count).shuffle(shuffled)
    return shuffled


def relet(folder: Path, held: list[int]) -> None:
    """leases.db, folded."""
    now = int(time.time())
    store = open_store(f"sqlite:{folder / 'leases.db'}")
    for _ in store.loading():
        pass
    changes = (
        Change(
            None,
            Lease(
                address=address,
                client=client_key(None, 1, fleet.mac(number)),
                network="bench",
                state=LeaseState.BOUND,
                starts=now,
                expires=now + LEASE_TIME,
                beside=None,  # its hardware is its key
                reason="selected",
            ),
        )
        for number, address in enumerate(held)
    )
    while batch := list(islice(changes, BATCH)):
        store.commit(batch, float(now))
    while store.fold(BATCH):
        pass
    store.close()


def kea(folder: Path, held: list[int]) -> None:
    """leases.csv of Kea's memfile, version 2.2."""
    expire = int(time.time()) + LEASE_TIME
    with (folder / "leases.csv").open("w", encoding="ascii") as file:
        file.write(_KEA)
        for number, address in enumerate(held):
            mac = fleet.mac(number).hex(":")
            file.write(f"{ip_text(address)},{mac},,{LEASE_TIME},{expire},1,0,0,,0,\n")
