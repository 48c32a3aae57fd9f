"""A fleet of clients without sockets and clocks: answers and time go in, requests come out.

    fleet.hear(payloads, now)           what the servers sent
    fleet.speak(now, most)              requests to send now, for each relay (or for the one link)
    fleet.deadline(now)                 when `speak` has something to say again
    fleet.part()                        what came of it

`now` counts seconds from the start of the storm. A client waits as RFC 2131 s4.1 says: four seconds, then twice as long each
time, up to 64, give or take one. One that reboots gives up its old address after `reboot_timeout_s` and starts from INIT, as
one does that is refused (s3.2). A request for an offer is sent four times (s3.1.5). State lies in arrays, not in objects.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from relet.errors import WireError
from relet.lab.storm import wrong
from relet.lab.storm.answers import ACK, CHADDR_START, KNOWN, NAK, OFFER, XID, Answer, read
from relet.lab.storm.cast import Cast, Share
from relet.lab.storm.curves import Curve, arrivals
from relet.lab.storm.judge import Judge
from relet.lab.storm.models import MODELS
from relet.lab.storm.requests import DISCOVER, INIT_REBOOT, KINDS, RENEWING, SELECTING, WISH, Template, hardware
from relet.lab.storm.tally import SLOT_S, Part, Tally
from relet.lab.storm.timers import Timers
from relet.wire.address import parse_ip

OUTCOMES = ("ACK", "NAK", "silence")
"""Of a first request."""
ACKED, NAKED, UNANSWERED = range(3)
IDLE, BOUND, FAILED = 5, 6, 7
"""What a client does that waits for no answer: it has not begun, has a lease, or has given up. Others: the kind it asks."""

MOST_WAIT_S = 64.0  # RFC 2131 s4.1
MOST_REQUESTS = 4
MOST_NAKS = 16
"""A client that is refused so often has given up: the server offers what it will not grant."""
ATTEMPTS = 8
"""Attempts of one client that transaction numbers tell apart."""
MOST_TRIES = 255
"""Sendings of one request that are counted."""

_ODD = 0x9E3779B1
INVERSE = pow(_ODD, -1, 1 << 32)
"""A client's number, times ATTEMPTS, plus its attempt, times an odd number, plus `salt`, is a transaction number that looks
like any other; this leads back."""
_WORD = 0xFFFFFFFF


class Manner(NamedTuple):
    """How the crowd comes and behaves. window: clients that are on their way at a time at most, of all processes together; 0
    for the curve alone.
    alone: is there nobody else on the link, so that an answer to a stranger is wrong?"""

    curve: Curve = Curve.AT_ONCE
    over_s: float = 1.0
    window: int = 0
    patience_s: float = 4.0
    reboot_timeout_s: float = 10.0
    broadcast: bool = False
    alone: bool = True


class Glance(NamedTuple):
    """How far a storm is. Counts from its beginning."""

    now: float
    begun: int
    bound: int
    sent: int
    again: int
    answers: int
    wrong: int


def salt(seed: int) -> int:
    """What a storm's transaction numbers begin at."""
    return Random(seed).getrandbits(32)


def part_of(xid: int, start: int, stride: int) -> int:
    """Which of `stride` processes has the client with this transaction number."""
    return ((xid - start) * INVERSE & _WORD) // ATTEMPTS % stride


class Fleet:
    """The clients `first`, `first + stride`, ... of a cast. relays: their addresses, none on a link.

    wall: the time at which it starts; it may be set until then. tally: what was counted so far. seed: of the dice for delays
    and order; with the same one, the same happens.
    """

    def __init__(
        self,
        cast: Cast,
        manner: Manner,
        seed: int,
        wall: float,
        relays: tuple[str, ...] = (),
        first: int = 0,
        stride: int = 1,
    ) -> None:
        self.tally = Tally()
        self._judge = Judge(cast, self.tally)
        self._cast, self._manner, self.wall = cast, manner, wall
        self._window = manner.window // stride + (first < manner.window % stride)
        self._first, self._stride = first, stride
        self._mine = mine = range(first, cast.memory.clients, stride)
        self._salt = salt(seed)
        self._dice = Random(seed * 65_537 + first)
        self._random = self._dice.random
        self._waits = [min(MOST_WAIT_S, manner.patience_s * 2.0 ** (tries - 1)) for tries in range(MOST_TRIES + 1)]
        self._jitter = min(1.0, manner.patience_s / 4)
        self._relays = max(1, len(relays))
        self._circuits = cast.memory.circuits
        self._templates = _templates(cast, manner, relays)
        self._hardware = hardware(cast.memory.tribe)
        self._start = int.from_bytes(self._hardware)
        self._numbers = array("I", (cast.numbers[whole] for whole in mine))
        self._xids = array("I", (whole * ATTEMPTS * _ODD + self._salt & _WORD for whole in mine))
        self._looks = array("H", (cast.models[whole] * self._relays + whole % self._relays for whole in mine))
        count = len(mine)
        self._doing = bytearray([IDLE]) * count
        self._queued, self._tries, self._attempt, self._naks = (bytearray(count) for _ in range(4))
        self._asked = array("I", (cast.asked[at] for at in mine))
        self._server = array("I", bytes(4 * count))
        self._began = array("d", [-1.0]) * count
        self._exchange = array("d", bytes(8 * count))
        self._bound = array("d", [-1.0]) * count
        self._left, self._nakked = array("d", [-1.0]) * count, bytearray(count)
        self._expires = array("I", bytes(4 * count))
        self._timers = Timers(count)
        self._ready: deque[int] = deque()
        self._order = array("I", range(count))
        self._dice.shuffle(self._order)
        self._moments = arrivals(manner.curve, count, manner.over_s, self._dice)
        self._begun = self._finished = self._bound_so_far = 0
        self._sent, self._answers, self._met = [0] * len(KINDS), [0] * 256, [0] * len(OUTCOMES) * len(Share)

    @property
    def done(self) -> bool:
        """Has every client a lease, or given up?"""
        return self._finished == len(self._mine)

    @property
    def mostly_done(self) -> bool:
        """Have 90 % a lease? What the others wait for is mostly a timer."""
        return self._bound_so_far * 10 >= len(self._mine) * 9

    def speak(self, now: float, most: int) -> list[list[bytes]]:
        """At most that many requests, a list for each relay, in the order in which they are to be sent."""
        self._begin(now)
        for client in self._timers.rung(now):
            self._ring(client, now)
        out: list[list[bytes]] = [[] for _ in range(self._relays)]
        ready, queued, doing = self._ready, self._queued, self._doing
        sent = self._sent
        before = sum(sent)
        for _ in range(min(most, len(ready))):
            client = ready.popleft()
            queued[client] = 0
            kind = doing[client]
            if kind <= WISH:
                sent[kind] += 1
                out[self._looks[client] % self._relays].append(self._request(client, kind, now))
        if number := sum(sent) - before:
            self.tally.sent_at[int(now / SLOT_S)] += number
        return out

    def hear(self, payloads: Sequence[bytes], now: float) -> None:
        """Answers of servers, whatever they are."""
        answers, bound = self._answers, self._bound_so_far
        ours = [data for data in payloads if self._is_ours(data)]
        self.tally.ignored += len(payloads) - len(ours)
        for data in ours:
            try:
                answer = read(data)
            except WireError as error:
                self.tally.blame(wrong.MALFORMED, str(error))
                continue
            answers[answer.kind] += 1
            client = self._client_of(answer)
            if client is not None:
                self._answer(client, answer, now)
        slot = int(now / SLOT_S)
        self.tally.answered_at[slot] += len(ours)
        if number := self._bound_so_far - bound:
            self.tally.bound_at[slot] += number

    def deadline(self, now: float) -> float | None:
        """When to speak next: at once if something is ready; None if only an answer brings more."""
        if self._ready:
            return now
        times = [at for at in (self._timers.next(),) if at is not None]
        if self._begun < len(self._mine) and not self._window_is_full():
            times.append(self._moments[self._begun])
        return min(times, default=None)

    def glance(self, now: float) -> Glance:
        """How far it is."""
        wrong_ones = sum(self.tally.wrong.values())
        sent, answers = sum(self._sent), sum(self._answers)
        return Glance(now, self._begun, self._bound_so_far, sent, self.tally.again, answers, wrong_ones)

    def part(self) -> Part:
        """What there is to tell at the end."""
        tally = self.tally
        for kind, number in enumerate(self._sent):
            tally.sent[KINDS[kind]] += number
        tally.sent = +tally.sent
        tally.answers = +Counter({name: self._answers[kind] for kind, name in KNOWN.items()})
        tally.met = +Counter(
            {
                f"{share.name.lower()} {OUTCOMES[outcome]}": self._met[share * len(OUTCOMES) + outcome]
                for share in Share
                for outcome in range(len(OUTCOMES))
            }
        )
        return Part(
            self._first,
            self._stride,
            self.tally,
            self._began,
            self._bound,
            array("I", (at if self._doing[k] == BOUND else 0 for k, at in enumerate(self._asked))),
            self._expires,
            self._server,
            self._left,
            bytes(self._nakked),
        )

    def _window_is_full(self) -> bool:
        return bool(self._manner.window) and self._begun - self._finished >= self._window

    def _begin(self, now: float) -> None:
        """Send those on their way whose time has come."""
        while self._begun < len(self._mine) and self._moments[self._begun] <= now and not self._window_is_full():
            client = self._order[self._begun]
            self._exchange[client] = self._moments[self._begun]
            self._begun += 1
            self._turn_to(client, self._cast.begins[self._mine[client]])

    def _turn_to(self, client: int, kind: int) -> None:
        """Begin to ask for something else. A new attempt gets a new transaction; the answer to an offer does not."""
        if kind != SELECTING:
            self._attempt[client] = (self._attempt[client] + 1) % ATTEMPTS
        self._doing[client], self._tries[client] = kind, 0
        self._queue(client)

    def _queue(self, client: int) -> None:
        if not self._queued[client]:
            self._queued[client] = 1
            self._ready.append(client)

    def _ring(self, client: int, now: float) -> None:
        """No answer so far."""
        kind = self._doing[client]
        over = kind == INIT_REBOOT and now - self._exchange[client] >= self._manner.reboot_timeout_s
        if over or (kind == SELECTING and self._tries[client] >= MOST_REQUESTS):
            self._meet(client, kind, UNANSWERED)
            if kind == INIT_REBOOT:
                self._left[client] = now
            self._turn_to(client, DISCOVER)
        else:
            self._queue(client)

    def _request(self, client: int, kind: int, now: float) -> bytes:
        tries = self._tries[client] = min(MOST_TRIES, self._tries[client] + 1)
        if tries > 1:
            self.tally.again += 1
        else:
            if self._began[client] < 0:
                if self._manner.curve is not Curve.AT_ONCE:
                    self.tally.behind_s = max(self.tally.behind_s, now - self._exchange[client])
                self._began[client] = now
                self.tally.begun_at[int(now / SLOT_S)] += 1
            self._exchange[client] = now
        self._timers.set(client, self._until(client, kind, tries, now))
        return self._templates[kind][self._looks[client]].fill(
            self._numbers[client],
            self._xids[client] + self._attempt[client] * _ODD & _WORD,
            min(0xFFFF, int(now - self._began[client])),
            self._asked[client],
            self._server[client],
            self._mine[client] // self._relays % self._circuits if self._circuits else 0,
        )

    def _until(self, client: int, kind: int, tries: int, now: float) -> float:
        """When to try again, or to give up the old address (RFC 2131 s4.1, s3.2)."""
        at = now + self._waits[tries] + (2 * self._random() - 1) * self._jitter
        return min(at, self._exchange[client] + self._manner.reboot_timeout_s) if kind == INIT_REBOOT else at

    def _is_ours(self, data: bytes) -> bool:
        """On a link, all processes hear all, and strangers' answers too: each answer is one process's, by its transaction.
        That of a stranger is told by its hardware address, unless its transaction is one of ours."""
        whole = ((int.from_bytes(data[XID]) - self._salt) * INVERSE & _WORD) // ATTEMPTS
        if whole % self._stride != self._first:
            return False
        return self._manner.alone or whole < self._cast.memory.clients or data[CHADDR_START] == self._hardware

    def _client_of(self, answer: Answer) -> int | None:
        """Which of our clients is meant, if its answer is for it and for what it asks now."""
        whole, attempt = divmod((answer.xid - self._salt) * INVERSE & _WORD, ATTEMPTS)
        client = whole // self._stride
        if client >= len(self._mine):
            self._judge.nobody(answer)
        elif answer.number != self._numbers[client] or answer.start != self._start:
            self._judge.other_hardware(whole, answer)
        elif attempt != self._attempt[client] or self._doing[client] == IDLE:
            self.tally.late += 1
        else:
            return client
        return None

    def _answer(self, client: int, answer: Answer, now: float) -> None:
        kind, asks = answer.kind, self._doing[client]
        if self._circuits and not answer.relay:
            self._judge.no_relay_information(self._mine[client], answer)
        if kind == OFFER and asks in (DISCOVER, WISH):
            self._asked[client], self._server[client] = answer.address, answer.server
            self.tally.took(now, now - self._exchange[client])
            self._turn_to(client, SELECTING)
        elif kind == ACK and asks in (SELECTING, INIT_REBOOT, RENEWING):
            self._confirmed(client, asks, answer, now)
        elif kind == NAK and asks in (SELECTING, INIT_REBOOT, RENEWING):
            self._refused(client, asks, answer.server, now)
        else:
            self.tally.surplus += 1
            if asks == BOUND:
                self._judge.afterwards(
                    self._mine[client], self._asked[client], self._server[client], answer, self.wall + now
                )

    def _confirmed(self, client: int, asks: int, answer: Answer, now: float) -> None:
        self._judge.confirmed(self._mine[client], asks, self._asked[client], answer)
        self._meet(client, asks, ACKED)
        self.tally.took(now, now - self._exchange[client])
        self._bound_so_far += 1
        self._asked[client], self._server[client], self._bound[client] = answer.address, answer.server, now
        self._expires[client] = min(_WORD, int(self.wall + now) + answer.seconds)
        self._end(client, BOUND)

    def _refused(self, client: int, asks: int, server: int, now: float) -> None:
        self._judge.refused(self._mine[client], asks, self._asked[client], server, self.wall + now)
        if asks != SELECTING:
            self._left[client], self._nakked[client] = now, 1
        self._meet(client, asks, NAKED)
        self.tally.took(now, now - self._exchange[client])
        self._naks[client] += 1
        if self._naks[client] >= MOST_NAKS:
            self.tally.failed += 1
            self._end(client, FAILED)
        else:
            self._turn_to(client, DISCOVER)

    def _meet(self, client: int, asks: int, outcome: int) -> None:
        """How a client was met that remembered something; told once, of its first request."""
        if asks in (INIT_REBOOT, RENEWING):
            self._met[self._cast.shares[self._mine[client]] * len(OUTCOMES) + outcome] += 1

    def _end(self, client: int, how: int) -> None:
        self._doing[client] = how
        self._timers.clear(client)
        self._finished += 1


def _templates(cast: Cast, manner: Manner, relays: tuple[str, ...]) -> list[list[Template]]:
    """By kind, and by model and relay."""
    memory = cast.memory
    addresses = [parse_ip(relay) for relay in relays] or [0]
    return [
        [
            Template(MODELS[title], kind, memory.tribe, relay, bool(memory.circuits), manner.broadcast)
            for title in cast.titles
            for relay in addresses
        ]
        for kind in range(WISH + 1)
    ]
