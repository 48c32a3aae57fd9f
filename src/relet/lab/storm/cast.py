"""Who takes part in a storm: for each client its model, what it begins with, and what it remembers.

Drawn once, from seeded dice, for the whole fleet; every process of a storm sees the same cast.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from random import Random

import msgspec

from relet.lab.storm.memory import Memory
from relet.lab.storm.models import MODELS
from relet.lab.storm.requests import DISCOVER, INIT_REBOOT, RENEWING, WISH

STRANGER = 1 << 31
"""Added to a client's number: hardware that no server has seen yet."""
HOSTS = 1 << 16
"""Addresses of a foreign prefix that are used at most."""


class Share(IntEnum):
    """What a client remembers. NEW: nothing."""

    NEW = 0
    VALID = 1
    EXPIRED = 2
    FOREIGN = 3
    TAKEN = 4


class Wanted(msgspec.Struct, frozen=True):
    """A storm's crowd. allocate, reboot, renew: shares of the clients that begin so, of their sum. expired, foreign, taken:
    shares (0..1) of the clients that reboot or renew. prefix: (address, width) of the network that foreign addresses are of.
    """

    allocate: float = 0.0
    reboot: float = 0.0
    renew: float = 0.0
    expired: float = 0.0
    foreign: float = 0.0
    taken: float = 0.0
    prefix: tuple[int, int] = (0xC6120000, 15)  # 198.18.0.0/15: RFC 2544, routed nowhere


class Cast(msgspec.Struct, frozen=True):
    """One value for each client of the fleet. begins: the kind of its first request. asked: the address that it
    remembers, 0 for none. number: what its hardware address ends with. expires: the end of its lease, see `memory`."""

    memory: Memory
    titles: tuple[str, ...]
    models: bytes
    begins: bytes
    shares: bytes
    asked: array[int]
    numbers: array[int]
    expires: array[int]

    def shares_text(self) -> str:
        """'90 valid, 5 foreign', what clients remember; '' if nothing."""
        there = Counter(self.shares)
        return ", ".join(f"{there[share]:,} {share.name.lower()}" for share in Share if share and there[share])


def cast(memory: Memory, wanted: Wanted, wall: float, seed: int) -> Cast:
    """The cast of a storm that begins at `wall`. A client without a lease begins with DISCOVER whatever is wanted. The
    fleet's own seed says which model each client is, this one what it does.

    A client whose lease is over by the fleet's own file is expired, wanted or not. If more are wanted, the rest are
    strangers: a new hardware address that remembers an address which none of the fleet has; no server has a record of it.
    """
    dice = Random(seed)
    titles = tuple(memory.models)
    models = bytes(Random(memory.seed).choices(range(len(titles)), list(memory.models.values()), k=memory.clients))
    begins, shares = bytearray(memory.clients), bytearray(memory.clients)
    asked, numbers = array("I", memory.addresses), array("I", range(memory.clients))
    expires = array("I", memory.expires)
    works = dice.choices(
        (DISCOVER, INIT_REBOOT, RENEWING), (wanted.allocate, wanted.reboot, wanted.renew), k=memory.clients
    )
    for client, drawn in enumerate(works):
        work = drawn
        model = MODELS[titles[models[client]]]
        if work == INIT_REBOOT and not model.remembers:
            work = WISH if model.wishes else DISCOVER
        if work == DISCOVER or not memory.addresses[client]:
            begins[client], asked[client] = DISCOVER, 0
        else:
            begins[client] = work
            if work != WISH:  # who only wishes for its address is owed nothing
                shares[client] = Share.EXPIRED if memory.expires[client] <= wall else Share.VALID
    made = Cast(memory, titles, models, bytes(begins), b"", asked, numbers, expires)
    return msgspec.structs.replace(made, shares=bytes(_share_out(made, shares, wanted, dice)))


def _share_out(cast: Cast, shares: bytearray, wanted: Wanted, dice: Random) -> bytearray:
    """Choose who remembers what. Of those who renew none is chosen for 'expired': it would not renew."""
    with_lease = [client for client, share in enumerate(shares) if share]
    valid = [client for client in with_lease if shares[client] == Share.VALID]
    rebooting = [client for client in valid if cast.begins[client] == INIT_REBOOT]
    dice.shuffle(rebooting)
    total = len(with_lease)

    def some(share: float, already: int = 0) -> list[int]:
        number = max(0, round(share * total) - already)
        chosen, rebooting[:] = rebooting[:number], rebooting[number:]
        return chosen

    taken, foreign = some(wanted.taken), some(wanted.foreign)
    strangers = some(wanted.expired, len(with_lease) - len(valid))
    for client in taken:
        shares[client] = Share.TAKEN
    for client in foreign:
        shares[client] = Share.FOREIGN
        address, width = wanted.prefix
        cast.asked[client] = address + 1 + client % min(HOSTS, (1 << 32 - width) - 2)
    free = _free(cast.memory.addresses, len(strangers))
    for client, address in zip(strangers, free, strict=True):
        shares[client] = Share.EXPIRED
        cast.asked[client], cast.numbers[client] = address, cast.numbers[client] | STRANGER
    owners = [client for client in valid if shares[client] == Share.VALID]
    for place, client in enumerate(taken):
        owner = dice.choice(owners) if owners else taken[place - 1]  # if nobody else is left, each other's
        cast.asked[client] = cast.memory.addresses[owner]
        if owner == client:  # it is alone
            shares[client] = Share.VALID
    return shares


def _free(addresses: Sequence[int], number: int) -> list[int]:
    """Addresses next to the fleet's own that no client of it has: the last ones of the pools, or just behind them."""
    held = set(addresses)
    found: list[int] = []
    at = max(held, default=0)
    while len(found) < number:
        at += 1
        if at not in held and at & 0xFF not in (0, 0xFF):
            found.append(at)
    return found
