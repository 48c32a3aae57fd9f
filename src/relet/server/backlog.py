"""Requests that wait because more come than can be served, in the order in which they are worth most.

    backlog.put(arrivals, standing, mono)
    engine.handle(backlog.take(limit, mono), now)

While the server keeps up nothing is in here. When it does not, three things are known that a socket's queue cannot know.
A client sends its request again and again, and only the newest copy is of use. A client that has had its address before
is worth more than one that nobody knows (standing.py). And a client that should have asked again twice and has not is
not waiting any more. What is dropped is counted by reason; nothing in here answers or decides anything.

A request takes the place only of an older one of the same client that came the same way: hardware address, client
identifier, relay, and interface or sender have to agree. So who has not got all of them displaces nobody. What a client
sends once (DHCPRELEASE, DHCPDECLINE), or beside the rest (DHCPINFORM, leasequery), and what cannot be told at a glimpse,
stands for itself.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from itertools import count
from math import inf

from relet.model.events import Arrival
from relet.server.standing import OF_A_LEASE, Standing, Worth
from relet.wire.glimpse import Glimpse, glimpse
from relet.wire.options import CLIENT_IDENTIFIER, MESSAGE_TYPE

SUPERSEDED, STALE, FULL = "superseded", "stale", "backlog-full"
"""Reasons of drops (wire.reasons)."""

PARTS = 32
SHARES = {
    Worth.GIVEN_BACK: 4,
    Worth.KNOWN: 16,
    Worth.CHOSEN: 4,
    Worth.RETURNING: 2,
    Worth.OTHER: 1,
    Worth.STRANGER: 2,
}
"""Of PARTS, what each worth may claim of a batch, so that no flood starves another for ever. The rest goes to the best."""

LEAST_PATIENCE_S, MOST_PATIENCE_S = 10.0, 65.0
"""Clients in use ask for their old address for 5 to 10 seconds; RFC 2131 s4.1 has none wait longer than 64, one more or
less, before it sends the next copy."""

LATE_S = 8.0
"""The oldest request comes first, unless it is older than this: then the newest does. While all can be served before they
give up, the first to ask is the first to be answered. Where they cannot, those who have waited longest are about to give
up, and answers to them would be in vain (bench/storm_order.py)."""

_CLIENT_ID, _MESSAGE_TYPE = CLIENT_IDENTIFIER.code, MESSAGE_TYPE.code
_WAY = 16  # octets by which an interface or a sender is told: linux/if.h IFNAMSIZ
_NOBODY = bytes(16)  # chaddr of a client that is known by its identifier alone
_NO_ADDRESS = bytes(4)

Dropped = tuple[float, str, Arrival]
"""When (monotonic), why, and what."""
MAX_UNSERVED = 4096
"""Requests remembered of those that waited in vain; `relet why` tells of them."""

Queue = OrderedDict[bytes | int, tuple[float, Arrival]]
"""Requests, each with the monotonic time at which it came: inf for those to which nobody waits for an answer. By client, or
by a number for what stands for itself."""


class Line:
    """The requests of one worth: a queue for each network, which take turns, so that a flood on one holds up no other."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}
        self._turns: deque[str] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def queue(self, network: str) -> Queue:
        """That of a network."""
        found = self._queues.get(network)
        if found is None:
            found = self._queues[network] = OrderedDict()
            self._turns.append(network)
        return found

    def next(self) -> Queue | None:
        """The queue whose turn it is, None if nobody waits."""
        turns = self._turns
        while turns:
            if queue := self._queues[turns[0]]:
                turns.rotate(-1)
                return queue
            del self._queues[turns.popleft()]
        return None

    def longest(self) -> Queue:
        """The queue in which most wait."""
        return max(self._queues.values(), key=len)


class Backlog:
    """most: requests kept at most. dropped: how many were thrown away, by reason. unserved: the last of those for which no
    newer one was served. longest_s: how long the one waited that
    waited longest for an answer, of those taken last."""

    def __init__(self, most: int) -> None:
        self.dropped: Counter[str] = Counter()
        self.unserved: deque[Dropped] = deque(maxlen=MAX_UNSERVED)
        self.longest_s = 0.0
        self._most = most
        self._waiting = 0
        self._lines = {worth: Line() for worth in Worth}
        self._where: dict[bytes | int, Queue] = {}  # client -> the queue in which its newest request waits
        self._numbers = count()

    def __len__(self) -> int:
        return self._waiting

    def put(self, arrivals: Sequence[Arrival], standing: Standing, mono: float) -> None:
        """Let these wait, in the order in which they came, and drop what that makes useless."""
        where = self._where
        for arrival in arrivals:
            data = arrival.payload
            seen = glimpse(data)
            client = _client(arrival, seen)
            before = where.get(client)
            if before is not None:
                self.dropped[SUPERSEDED] += 1
                if _copies(data, before[client][1].payload):
                    before[client] = mono, arrival
                    continue
            worth = standing.worth(data, seen, mono) if seen is not None else Worth.STRANGER
            queue = self._lines[worth].queue(standing.network(arrival))
            if before is not None and before is not queue:
                del before[client], where[client]
                self._waiting -= 1
            if worth is Worth.GIVEN_BACK:
                queue[next(self._numbers)] = inf, arrival
            elif not client:
                queue[next(self._numbers)] = mono, arrival
            else:
                self._waiting -= client in queue
                queue[client] = mono, arrival
                where[client] = queue
            self._waiting += 1
        if self._waiting > self._most:
            self._shed(self._waiting - self._most, mono)

    def take(self, limit: int, mono: float) -> list[Arrival]:
        """At most so many to be served now, the best first; they wait no more."""
        taken: list[Arrival] = []
        self.longest_s = 0.0
        full = 0
        for line, claim in zip(self._lines.values(), self._claims(limit), strict=True):
            full += claim
            while len(taken) < full and (queue := line.next()) is not None:
                since, arrival = self._out(queue, mono)
                waited_s = mono - since
                if waited_s > LEAST_PATIENCE_S and waited_s > patience_s(arrival.payload):
                    self._drop(STALE, arrival, mono)
                    continue
                taken.append(arrival)
                self.longest_s = max(self.longest_s, waited_s)
        return taken

    def _out(self, queue: Queue, mono: float) -> tuple[float, Arrival]:
        """The next one of a queue: the oldest, or the newest if the oldest is late but not stale."""
        client, waiting = queue.popitem(last=False)
        late = mono - waiting[0]
        if late > LATE_S and late <= patience_s(waiting[1].payload) and queue:
            queue[client] = waiting
            queue.move_to_end(client, last=False)
            client, waiting = queue.popitem()
        self._where.pop(client, None)
        self._waiting -= 1
        return waiting

    def _claims(self, limit: int) -> list[int]:
        """How many of each worth are in the next batch."""
        lengths = [len(line) for line in self._lines.values()]
        claims = [min(length, limit * part // PARTS) for length, part in zip(lengths, SHARES.values(), strict=True)]
        left = limit - sum(claims)
        for at, length in enumerate(lengths):
            more = min(left, length - claims[at])
            claims[at] += more
            left -= more
        return claims

    def _drop(self, reason: str, arrival: Arrival, mono: float) -> None:
        self.dropped[reason] += 1
        self.unserved.append((mono, reason, arrival))

    def _shed(self, number: int, mono: float) -> None:
        """Too many wait: drop so many of those who would be served last, where most of them are."""
        self._waiting -= number
        for line in reversed(self._lines.values()):
            while number and len(line):
                queue = line.longest()
                some = min(number, (len(queue) + 1) // 2)
                for _ in range(some):
                    client, (_, arrival) = queue.popitem()
                    self._where.pop(client, None)
                    self._drop(FULL, arrival, mono)
                number -= some


def patience_s(data: bytes) -> float:
    """For how many seconds after a request its client may wait for the answer.

    RFC 2131 s4.1 has clients ask again after 4 s, then 8, 16, 32 and 64, each one more or less: who has asked for `secs`
    asks again secs + 4 later. Twice as long without a copy means that it has stopped, even if one copy was lost. Who has an
    address (ciaddr) waits a minute at least (s4.4.5)."""
    if data[12:16] != _NO_ADDRESS:
        return MOST_PATIENCE_S
    return min(MOST_PATIENCE_S, max(LEAST_PATIENCE_S, 2.0 * (data[8] << 8 | data[9]) + LEAST_PATIENCE_S))


def _client(arrival: Arrival, seen: Glimpse | None) -> bytes:
    """Who asks, and by which way: what all copies of a request share and no other client's has. b'': cannot be told, or
    the request is none that another one makes useless."""
    if seen is None or seen.get(_MESSAGE_TYPE) not in OF_A_LEASE:
        return b""
    data, identifier = arrival.payload, seen.get(_CLIENT_ID, b"")
    if not identifier and data[28:44] == _NOBODY:
        return b""
    name = arrival.interface  # the system has none of more than 15 octets
    way = name.encode().ljust(_WAY, b"\0") if name else arrival.source.to_bytes(_WAY)
    return data[1:3] + data[24:44] + way + identifier


def _copies(data: bytes, before: bytes) -> bool:
    """Is it the same but for hops, xid and secs, and so worth the same?"""
    return data[10:] == before[10:]
