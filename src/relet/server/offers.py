"""Addresses on offer: promises in memory that last for a minute and never go to two clients (RFC 2131 s3.1.2).

An offer is no grant. Losing all of them in a crash costs a client one retransmission, so they are never written down.
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from relet.model.ident import ClientKey
from relet.server.allocate import PoolAddresses

MAX_OFFERS = 200_000
"""Offers held at most; beyond that the oldest is withdrawn. A flood of DISCOVERs cannot fill the memory."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """until: monotonic seconds. pool: the one that counts it as on offer, None if it is leased or reserved."""

    client: ClientKey
    network: str
    until: float
    pool: PoolAddresses | None


class Offers:
    """Who was offered which address, until when (monotonic seconds)."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[int, Offer] = OrderedDict()
        self._by_client: dict[tuple[str, ClientKey], int] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def hold(self, address: int, offer: Offer, mono: float) -> None:
        """Offer an address to a client. An earlier offer to that client in that network is withdrawn."""
        self.withdraw(address)  # it may have lapsed, and have been somebody else's
        whose = (offer.network, offer.client)
        if earlier := self._by_client.get(whose, 0):
            self.withdraw(earlier)
        self._by_address[address] = offer
        self._by_client[whose] = address
        if offer.pool is not None:
            offer.pool.offered += 1
        oldest = next(iter(self._by_address))
        if len(self._by_address) > MAX_OFFERS or self._by_address[oldest].until <= mono:
            self.withdraw(oldest)

    def lapse(self, mono: float, limit: int) -> int:
        """Forget at most so many offers that have lapsed; how many there were. One that lapses earlier than an offer of
        longer `offer-time` made before it waits for that."""
        done = 0
        while done < limit and self._by_address:
            oldest = next(iter(self._by_address))
            if self._by_address[oldest].until > mono:
                break
            self.withdraw(oldest)
            done += 1
        return done

    def holder(self, address: int, mono: float) -> ClientKey | None:
        """The client that an address is on offer to."""
        offer = self._by_address.get(address)
        return offer.client if offer is not None and offer.until > mono else None

    def address(self, client: ClientKey, network: str, mono: float) -> int:
        """The address on offer to a client in a network, 0 if none."""
        address = self._by_client.get((network, client), 0)
        return address if address and self._by_address[address].until > mono else 0

    def recount(self, pool: Callable[[int], PoolAddresses | None]) -> None:
        """The pools are others now: let them know what is on offer. pool: the one that an address lies in now."""
        for address, offer in self._by_address.items():
            counts = pool(address) if offer.pool is not None else None
            self._by_address[address] = replace(offer, pool=counts)
            if counts is not None:
                counts.promised(address)

    def withdraw(self, address: int) -> None:
        """Forget the offer of an address, if there is one."""
        offer = self._by_address.pop(address, None)
        if offer is not None:
            self._by_client.pop((offer.network, offer.client), None)
            if offer.pool is not None:
                offer.pool.offered -= 1
