"""What was promised on the wire, and every promise that was not kept: the oracle of the crash tests.

It is told what left the clients and what reached them, never what the server thinks. A DHCPACK is a promise: until the lease
time has run out, counted from when the client asked (RFC 2131 s4.4.1), the address is this client's and nobody else's,
whatever happened to the server in between. A client that sends DHCPRELEASE or DHCPDECLINE gives its promise up at that
moment, whether or not the server ever hears of it. Addresses and clients are integers, times seconds of one clock.
"""

from collections import Counter
from math import inf
from typing import NamedTuple

INFINITE = 0xFFFFFFFF
"""A lease time without end (RFC 2131 s3.3)."""


class Promise(NamedTuple):
    """Who has an address until when; sent: when the request was sent that the DHCPACK answered."""

    client: int
    until: float
    sent: float


class Violation(NamedTuple):
    """A promise that was broken. kind: 'twice' (the address was given to another client as well), 'refused' (DHCPNAK),
    'moved' (another address for the one asked for) or 'silent' (no answer at all)."""

    kind: str
    address: int
    promise: Promise
    at: float
    other: int

    def __str__(self) -> str:
        promised = (
            f"{_ip(self.address)} is client {self.promise.client}'s for {self.promise.until - self.at:.2f} s more"
        )
        happened = {
            "twice": f"but was given to client {self.other}",
            "refused": "but it was refused",
            "moved": f"but it was given {_ip(self.other)} instead",
            "silent": "but it was met with silence",
        }
        return f"{self.kind}: {promised}, {happened[self.kind]}"


class Ledger:
    """violations: all of them, oldest first. counts: 'promised' DHCPACKs that were a promise, 'void' those that promised
    nothing any more when they came, 'honoured' promises that their client asked about and was confirmed in, 'handed on'
    promises of an address that another client had before."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.counts: Counter[str] = Counter()
        self._promises: dict[int, Promise] = {}
        self._given_up: dict[tuple[int, int], float] = {}
        self._last: dict[int, int] = {}  # who had an address last

    def acknowledged(self, client: int, address: int, seconds: int, sent: float, heard: float, asked: int = 0) -> None:
        """A DHCPACK came. asked: the address that the client asked to keep, 0 if it chose an offer."""
        until = inf if seconds == INFINITE else sent + seconds
        if until <= heard or sent <= self._given_up.get((client, address), -inf):
            self.counts["void"] += 1
            return
        self.counts["promised"] += 1
        if asked and (kept := self.promise(client, asked, heard)) is not None and sent >= kept.sent:
            if asked == address:
                self.counts["honoured"] += 1
            else:
                self._broken("moved", asked, kept, heard, address)
        self.counts["handed on"] += self._last.setdefault(address, client) != client
        self._last[address] = client
        before = self._promises.get(address)
        if before is not None and before.client != client:
            if before.until > heard:
                self._broken("twice", address, before, heard, client)
        elif before is not None and before.sent > sent:
            return  # an answer to an older request than the one that counts
        self._promises[address] = Promise(client, until, sent)

    def refused(self, client: int, asked: int, sent: float, heard: float) -> None:
        """A DHCPNAK came to a client that asked to keep an address."""
        kept = self.promise(client, asked, heard)
        if kept is not None and sent >= kept.sent:
            self._broken("refused", asked, kept, heard)

    def unanswered(self, client: int, asked: int, at: float) -> None:
        """However often the client asked to keep an address, nothing came."""
        kept = self.promise(client, asked, at)
        if kept is not None:
            self._broken("silent", asked, kept, at)

    def gave_up(self, client: int, address: int, at: float) -> None:
        """The client has sent DHCPRELEASE or DHCPDECLINE."""
        self._given_up[client, address] = at
        if self.promise(client, address, at) is not None:
            del self._promises[address]

    def promise(self, client: int, address: int, at: float) -> Promise | None:
        """What this client was promised of the address, None if nothing that holds at this time."""
        promise = self._promises.get(address)
        return promise if promise is not None and promise.client == client and promise.until > at else None

    def due(self, at: float) -> list[tuple[int, int]]:
        """(client, address) of every promise that holds at this time."""
        return [(each.client, address) for address, each in self._promises.items() if each.until > at]

    def _broken(self, kind: str, address: int, promise: Promise, at: float, other: int = 0) -> None:
        self.violations.append(Violation(kind, address, promise, at, other))


def _ip(address: int) -> str:
    return ".".join(map(str, address.to_bytes(4, "big")))
