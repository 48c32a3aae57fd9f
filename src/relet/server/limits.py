"""What one circuit, and one client, may take at most, so that a flood from one port leaves the others their addresses.

    Circuits   leases and offers of each circuit of a relay, and of all clients that come without one
    Buckets    requests a second that are answered

Both only ever keep strangers out: a client with a lease is confirmed in it, however often it asks, and may give it back;
what else it asks for is counted against its bucket. Every table has a bound, and what falls out of one is in nobody's way: a
forgotten bucket is full again, a forgotten offer merely no longer counts.
"""

from collections import OrderedDict
from collections.abc import Iterable

from relet.model.lease import Lease, LeaseState
from relet.model.network import Network
from relet.server.relayed import RelayBook

MAX_OFFERED = 200_000
"""Offers counted at most in a network; beyond that the oldest does not count any more."""
MAX_BUCKETS = 65_536
"""Circuits or clients whose requests are counted; the one not heard for longest is forgotten first, and starts anew."""
BURST_S = 5
"""A bucket holds what comes in this many seconds, .."""
LEAST_BURST = 4
""".. and this much at least: an allocation takes two requests, and each may be repeated."""
SWEEP_S = 1.0
"""Seconds between two looks at the same full circuit for leases and offers that have ended."""


class Circuits:
    """Who holds how much. A circuit is circuit id and remote id (`Relayed.circuit`) within the network; b'' is all that
    came without one. Times are wall time in seconds."""

    def __init__(self, network: Network, relays: RelayBook) -> None:
        self._limits = network.limit_per_circuit, network.limit_without_circuit
        self._relays = relays
        self._held: dict[bytes, dict[int, float]] = {}  # circuit -> address -> end of its lease or offer
        self._circuit: dict[int, bytes] = {}  # the other way round
        self._offered: OrderedDict[int, None] = OrderedDict()  # those that are offers
        self._declined: dict[bytes, set[int]] = {}  # circuit -> those that are in quarantine by a client's word
        self._sweep_at: dict[bytes, float] = {}

    def note(self, lease: Lease) -> None:
        """Take in a lease at start, or as it was committed. Addresses that clients of the circuit declined count until their
        quarantine ends, all but one: declining one after the other would empty the pool as well."""
        self.forget(lease.address)
        if lease.state is not LeaseState.RELEASED:
            circuit = self._relays.remembered(lease.relay).circuit
            self._hold(lease.address, circuit, lease.expires)
            if lease.state is LeaseState.DECLINED:
                self._declined.setdefault(circuit, set()).add(lease.address)

    def offer(self, address: int, circuit: bytes, until: float, wall: float) -> None:
        """Count an offer, or a grant that is not committed yet. A lease that the client has already goes on counting."""
        known = self._circuit.get(address)
        if known is not None and address not in self._offered and self._held[known][address] > wall:
            return
        self.forget(address)
        self._hold(address, circuit, until)
        self._offered[address] = None
        oldest = next(iter(self._offered))
        if len(self._offered) > MAX_OFFERED or self._held[self._circuit[oldest]][oldest] <= wall:
            self.forget(oldest)

    def forget(self, address: int) -> None:
        """It counts no more."""
        circuit = self._circuit.pop(address, None)
        if circuit is not None:
            self._offered.pop(address, None)
            held = self._held[circuit]
            del held[address]
            if not held:
                del self._held[circuit]
                self._sweep_at.pop(circuit, None)
            declined = self._declined.get(circuit)
            if declined is not None:
                declined.discard(address)
                if not declined:
                    del self._declined[circuit]

    def withdraw(self, address: int) -> None:
        """An offer counts no more; a lease does."""
        if address in self._offered:
            self.forget(address)

    def full(self, circuit: bytes, wall: float, leaving: Iterable[int] = ()) -> bool:
        """Has the circuit as many leases and offers as it may? leaving: addresses that the client who asks has to give up;
        looked at only if the circuit is full with them."""
        limit = self._limits[not circuit]
        held = self._held.get(circuit)
        if limit is None:
            return False
        if held is None:
            return limit == 0
        if len(held) >= limit and self._sweep_at.get(circuit, 0) <= wall:
            for address in [address for address, until in held.items() if until <= wall]:
                self.forget(address)
            if held:
                self._sweep_at[circuit] = wall + SWEEP_S
        counted = len(held) - (circuit in self._declined)
        return counted >= limit and counted - sum(address in held for address in leaving) >= limit

    def _hold(self, address: int, circuit: bytes, until: float) -> None:
        self._circuit[address] = circuit
        self._held.setdefault(circuit, {})[address] = until


class Buckets:
    """Token buckets by key: so many a second in the long run, more for a moment. Times are monotonic seconds."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._size = max(LEAST_BURST, rate * BURST_S)
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: bytes, mono: float) -> bool:
        """Take one token; False if there is none."""
        left, since = self._left.get(key, (self._size, mono))
        left = min(self._size, left + (mono - since) * self._rate)
        taken = left >= 1
        self._left[key] = (left - taken, mono)
        self._left.move_to_end(key)
        if len(self._left) > MAX_BUCKETS:
            self._left.popitem(last=False)
        return taken


class Rates:
    """Whose requests are answered, by circuit and by client.

    A client's bucket is that of its hardware address on its circuit: who borrows somebody's address on another circuit
    does not empty it. Strangers on a full circuit make no bucket of their own.
    """

    def __init__(self, network: Network) -> None:
        self._circuits = Buckets(network.circuit_rate) if network.circuit_rate is not None else None
        self._clients = Buckets(network.client_rate) if network.client_rate is not None else None

    def circuit_exceeds(self, circuit: bytes, mono: float) -> bool:
        """Take a token of the circuit's; are there none left?"""
        return self._circuits is not None and not self._circuits.take(circuit, mono)

    def client_exceeds(self, circuit: bytes, hardware: bytes, mono: float) -> bool:
        """Take a token of the client's; are there none left?"""
        return self._clients is not None and not self._clients.take(circuit + b"\0" + hardware, mono)
