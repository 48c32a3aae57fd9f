"""A lease, its changes, and what a store must be.

A lease is a fact about an address. It is replaced, never edited: a `Change` carries the lease before and after, and a
store refuses it if *before* no longer holds. That compare-and-set is what makes a double grant impossible, whoever else
writes to the store.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from relet.model.ident import ClientKey

FOREVER = 253402300799
"""`expires` of an infinite lease (RFC 2131 s3.3): the last second of the year 9999."""


class LeaseState(StrEnum):
    """What the last change made of the lease. Whether it has run out is a question of `expires` and the time."""

    BOUND = "bound"
    RELEASED = "released"  # DHCPRELEASE (RFC 2131 s4.3.4): free, remembered for its last client
    ENDED = (
        "ended"  # by the operator: the client must go, and nobody else gets it before `expires`, which it was promised
    )
    DECLINED = "declined"  # DHCPDECLINE (s4.3.3): in use by an unknown host, not offered before `expires`


class Lease(msgspec.Struct, frozen=True, gc=False):
    """Who has an address until when.

    address:  IPv4 address as an integer; at most one lease exists per address.
    client:   its key; of a declined address, the client that declined it.
    network:  name of the network that the address was granted in.
    starts, expires: wall time in whole seconds; `expires` is FOREVER for an infinite lease.
    beside:   see `beside`; `hardware` is what to read.
    relay:    option 82 as it came with the last request, b'' if none.
    reason:   id of the reason for the last change (model.reasons).
    kept:     the operator keeps the address for this client, whether it has a lease or not, until this is taken back.
    """

    address: int
    client: ClientKey
    network: str
    state: LeaseState
    starts: int
    expires: int
    beside: bytes | None = b""
    hostname: str = ""
    relay: bytes = b""
    reason: str = ""
    kept: bool = False

    @property
    def hardware(self) -> bytes:
        """Htype octet and chaddr, for people and for the first frame to the client; b'' if they are not known."""
        beside = self.beside
        return self.client[1:] if beside is None else beside

    def holds(self, wall: float) -> bool:
        """Is the address the client's at this time?"""
        return self.state is LeaseState.BOUND and self.expires > wall

    def quarantined(self, wall: float) -> bool:
        """Is the address kept from everybody, because somebody found it in use or the operator ended a lease early?"""
        return self.expires > wall and (self.state is LeaseState.DECLINED or self.state is LeaseState.ENDED)


def beside(client: ClientKey, hardware: bytes) -> bytes | None:
    """What a lease keeps of a hardware address (htype octet and chaddr) beside its client's key: None if that says it, as
    nearly all do, by hardware or by an identifier made of it. The octets would be a sixth of the lease's memory."""
    return None if client[1:] == hardware else hardware


class Change(msgspec.Struct, frozen=True, gc=False):
    """A lease before and after. `before` is None for an address that never had one. who: the person who ordered it, '' if
    it came about by itself."""

    before: Lease | None
    after: Lease
    who: str = ""


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A step of `Leases.loading`. leases: what was read in it; no older than anything that is read later, and one for an
    address. kept: are all leases known by now that an operator keeps for somebody?"""

    leases: list[Lease]
    kept: bool


class Committed(msgspec.Struct, frozen=True):
    """What a store says once a batch is durable; the only thing that can turn planned grants into replies.

    refused: positions in the batch whose *before* no longer held. Everything else is safe on disk.
    """

    refused: frozenset[int]


Sync = Literal["batch", "interval", "os"]
"""What a committed batch survives besides the end of the process. batch: a power failure, for it is synced before `commit`
returns. interval: one that comes a second later. os: one that comes after the batch was folded."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the history: what became of an address, and when, and who ordered it (see `Change`)."""

    number: int
    at: float
    lease: Lease
    who: str = ""


class View(Protocol):
    """What a store knows of the addresses and clients that were asked for."""

    def lease(self, address: int) -> Lease | None:
        """The lease on an address, whatever its state; None if there never was one."""

    def leases(self, client: ClientKey) -> Sequence[Lease]:
        """All leases of which this client is the last holder, in any state and network."""


class Leases(Protocol):
    """The contract of a store (tests/store/test_contract.py holds every implementation to it). All may raise StoreError.

    A store may be open before it has read its leases (`loading`). Until it has, what it says of a lease is the truth, but
    a lease that it does not know may still be on disk; it refuses every change of such an address.
    """

    def loading(self) -> Iterator[Loaded]:
        """Read what is on disk, in steps of a few milliseconds between which the store may be used; at the end, every lease
        is known. What was known before is told as well, so each lease is told once."""

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:
        """Everything known of these clients and addresses. Views of memory-indexed stores stay current by themselves."""

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        """Make the changes durable, all that hold in one synced transaction. An earlier change of the batch counts as
        done for a later one. On StoreError nothing was changed."""

    def all(self) -> Iterator[Lease]:
        """Every lease, in any state, by address."""

    def walk(self) -> Iterator[Lease]:
        """Every lease, by address, each as it is when it is come to, while the store goes on. One of an address that had
        none when the walk began may be left out."""

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first."""

    def fold(self, limit: int = 1000) -> int:
        """A step of housekeeping, now: work off at most `limit` pieces, return how many were done. 0: nothing left to do."""

    def tend(self) -> None:
        """Have the housekeeping done beside the road. A server says this about once a second; it takes no time. Raises
        StoreError while the housekeeping fails; it is tried again each time."""

    def close(self) -> None:
        """Give back files and connections. Idempotent."""
