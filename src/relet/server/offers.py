"""Addresses on offer: promises in memory that last for a minute and never go to two clients (RFC 2131 s3.1.2).

An offer is no grant. Losing all of them in a crash costs a client one retransmission, so they are never written down.
"""

from collections import OrderedDict

from relet.model.ident import ClientKey

MAX_OFFERS = 200_000
"""Offers held at most; beyond that the oldest is withdrawn. A flood of DISCOVERs cannot fill the memory."""


class Offers:
    """Who was offered which address, until when (monotonic seconds)."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[int, tuple[ClientKey, str, float]] = OrderedDict()
        self._by_client: dict[tuple[str, ClientKey], int] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def hold(self, address: int, client: ClientKey, network: str, until: float, mono: float) -> None:
        """Offer an address to a client. An earlier offer to that client in that network is withdrawn."""
        self.withdraw(address)  # it may have lapsed, and have been somebody else's
        self.withdraw(self._by_client.get((network, client), 0))
        self._by_address[address] = (client, network, until)
        self._by_client[network, client] = address
        oldest = next(iter(self._by_address))
        if len(self._by_address) > MAX_OFFERS or self._by_address[oldest][2] <= mono:
            self.withdraw(oldest)

    def holder(self, address: int, mono: float) -> ClientKey | None:
        """The client that an address is on offer to."""
        offer = self._by_address.get(address)
        return offer[0] if offer is not None and offer[2] > mono else None

    def address(self, client: ClientKey, network: str, mono: float) -> int:
        """The address on offer to a client in a network, 0 if none."""
        address = self._by_client.get((network, client), 0)
        return address if address and self._by_address[address][2] > mono else 0

    def withdraw(self, address: int) -> None:
        """Forget the offer of an address, if there is one."""
        offer = self._by_address.pop(address, None)
        if offer is not None:
            self._by_client.pop((offer[1], offer[0]), None)
