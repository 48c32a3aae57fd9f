"""Where an address lies in a network: its subnet and its pool, found by one bisection however many there are of them."""

from bisect import bisect_right

from relet.model.network import Network, Parameters, Pool, Subnet


class Spot:
    """A stretch of addresses that have subnet and pool in common. subnet: None outside of the network. pool: None outside of
    all pools. parameters: what a client gets there before its classes and reservation are looked at."""

    __slots__ = ("parameters", "pool", "subnet")

    def __init__(self, network: Network, subnet: Subnet | None = None, pool: Pool | None = None) -> None:
        self.subnet = subnet
        self.pool = pool
        self.parameters: Parameters = (pool or subnet or network).parameters


class Spots:
    """Every address of the world is in one of these; `Network.subnet_of` and `Subnet.pool_of` say the same, more slowly."""

    def __init__(self, network: Network) -> None:
        elsewhere = Spot(network)
        begins = {0: elsewhere}
        for subnet in sorted(network.subnets, key=lambda subnet: subnet.prefix):
            behind = subnet.prefix + (1 << 32 - subnet.width)
            pairs = [pair for pool in subnet.pools for pair in pool.addresses.pairs()]
            edges = {subnet.prefix, *(first for first, _ in pairs), *(last + 1 for _, last in pairs)}
            known: dict[int, Spot] = {}
            for edge in edges:
                if subnet.prefix <= edge < behind:
                    pool = subnet.pool_of(edge)
                    begins[edge] = known.setdefault(id(pool), Spot(network, subnet, pool))
            begins[behind] = elsewhere
        self._starts = sorted(begins)
        self._spots = [begins[start] for start in self._starts]

    def at(self, address: int) -> Spot:
        """The one that an address lies in."""
        return self._spots[bisect_right(self._starts, address) - 1]
