"""What came of a storm: the figures that text, JSON and picture are made of. `docs/storm.schema.json` describes the JSON.

All times are seconds from the start of the storm, all latencies seconds between the first sending of a request and its
answer, so a request that was lost and answered when it was sent again counts as long as its client waited.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate
from math import inf
from typing import Literal

import msgspec

from relet.lab.storm.cast import Cast, Share
from relet.lab.storm.memory import FOREVER, Memory
from relet.lab.storm.tally import BUCKETS, SLOT_S, Part, Tally, middle, quantile
from relet.lab.storm.wrong import TWO_CLIENTS
from relet.wire.address import ip_text

MOST_STEPS = 1200
"""Points of a timeline."""
STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
MOMENTS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p100": 1.0}


class Setup(msgspec.Struct, frozen=True):
    """What was asked for. server, relays: addresses; interface: the link instead. started: ISO 8601, UTC."""

    name: str
    work: str
    clients: int
    server: str
    relays: tuple[str, ...]
    interface: str
    curve: str
    over_s: float
    window: int
    seed: int
    processes: int
    limit_s: float
    patience_s: float
    reboot_timeout_s: float
    circuits: int
    models: dict[str, int]
    started: str


class Latency(msgspec.Struct, frozen=True):
    """Quantiles in seconds, within 5 %; the greatest is exact. histogram: (middle of a bucket, how many answers)."""

    count: int
    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None
    histogram: tuple[tuple[float, int], ...] = ()


class Met(msgspec.Struct, frozen=True):
    """How the clients that remembered one sort of lease were met by the answer to their first request. not_begun: those that
    had not asked yet at the end."""

    clients: int
    ack: int
    nak: int
    silence: int
    not_begun: int = 0


class Wrong(msgspec.Struct, frozen=True):
    """How often it happened, and some examples in words."""

    count: int
    examples: tuple[str, ...]


class Timeline(msgspec.Struct, frozen=True):
    """One value for each step of `step_s` seconds. bound: altogether by then. p50, p99: latency of the answers in it."""

    step_s: float
    begun: tuple[int, ...]
    sent: tuple[int, ...]
    answers: tuple[int, ...]
    bound: tuple[int, ...]
    p50: tuple[float | None, ...]
    p99: tuple[float | None, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A storm. end: done, limit or interrupted. seconds: until the last client was bound, or until the end.

    bound: clients with a lease. kept: those of them that have the address which they had. moments: when that share of all
    clients was bound, null for never. rate: clients bound a second, until 90 % of them were (what has to wait for a timer
    says nothing of a server's speed). wait: from a client's first request to its lease. sent: by kind, sent_again among
    them. late, surplus: answers that nobody waited for any more. overruns: answers that this machine lost. unsent: requests
    that it could not send. begun_s: when the last client was on its way. behind_s: how late it was itself.
    busy: share of the time, until 90 % were bound, in which the busiest process of the fleet did not wait for answers.
    """

    format: Literal["relet-storm"] = "relet-storm"
    version: Literal[1] = 1
    setup: Setup
    end: str
    seconds: float
    good: bool
    bound: int
    failed: int
    kept: int
    rate: float
    moments: dict[str, float | None]
    wait: Latency
    latency: Latency
    sent: dict[str, int]
    sent_again: int
    answers: dict[str, int]
    late: int
    surplus: int
    remembered: dict[str, Met]
    wrong: dict[str, Wrong]
    overruns: int
    unsent: dict[str, int]
    begun_s: float
    behind_s: float
    busy: float
    timeline: Timeline


def report(setup: Setup, cast: Cast, parts: Sequence[Part], end: str, wall: float, elapsed_s: float) -> Report:
    """The figures of all processes together, of a storm that began at `wall` and ended after `elapsed_s`."""
    tally = Tally()
    for part in parts:
        tally.add(part.tally)
    clients = cast.memory.clients
    bound_at, addresses = _joined(parts, clients)
    for told in _doubles(cast, parts, wall):
        tally.blame(TWO_CLIENTS, told)
    moments = sorted(at for at in bound_at if at >= 0)
    waits = sorted(
        bound - began for part in parts for bound, began in zip(part.bound, part.began, strict=True) if bound >= 0
    )
    last = moments[-1] if moments else 0.0
    seconds = last if len(moments) == clients else elapsed_s
    return Report(
        setup=setup,
        end=end,
        seconds=round(seconds, 4),
        good=len(moments) == clients and not tally.wrong,
        bound=len(moments),
        failed=tally.failed,
        kept=sum(1 for mine, old in zip(addresses, cast.memory.addresses, strict=True) if mine and mine == old),
        rate=_rate(moments, clients),
        moments={name: _moment(moments, clients, share) for name, share in MOMENTS.items()},
        wait=_exact(waits),
        latency=_latency(tally),
        sent=dict(tally.sent),
        sent_again=tally.again,
        answers=dict(tally.answers),
        late=tally.late,
        surplus=tally.surplus,
        remembered=_remembered(cast, tally, parts),
        wrong={name: Wrong(number, tuple(tally.examples.get(name, ()))) for name, number in tally.wrong.items()},
        overruns=tally.overruns,
        unsent={name: number for name, number in tally.unsent.items() if number},
        begun_s=round(max((at for part in parts for at in part.began), default=0.0), 4),
        behind_s=round(tally.behind_s, 4),
        busy=round(tally.busy, 3),
        timeline=_timeline(tally, seconds),
    )


def remembering(cast: Cast, parts: Sequence[Part]) -> Memory:
    """The fleet with the leases that it has now. A client that got none keeps what it had, if that was not refused."""
    memory, numbers, asked = cast.memory, cast.numbers, cast.asked
    addresses, expires, servers = (array("I", had) for had in (memory.addresses, memory.expires, memory.servers))
    for part in parts:
        for k, at in enumerate(range(part.first, memory.clients, part.stride)):
            if numbers[at] != at:
                continue  # a stranger's lease is not this client's
            if part.addresses[k]:
                addresses[at], expires[at], servers[at] = part.addresses[k], part.expires[k], part.servers[k]
            elif part.refused[k] and asked[at] == addresses[at]:
                addresses[at] = expires[at] = servers[at] = 0
    return msgspec.structs.replace(memory, addresses=addresses, expires=expires, servers=servers)


def _joined(parts: Sequence[Part], clients: int) -> tuple[array[float], array[int]]:
    """When each client was bound, and its address, over all processes."""
    bound, addresses = array("d", bytes(8 * clients)), array("I", bytes(4 * clients))
    for part in parts:
        mine = slice(part.first, None, part.stride)
        bound[mine], addresses[mine] = part.bound, part.addresses
    return bound, addresses


def _doubles(cast: Cast, parts: Sequence[Part], wall: float) -> list[str]:
    """In words, each client that was granted an address which another one still had, from this storm or an earlier one."""
    holders: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for part in parts:
        for k, client in enumerate(range(part.first, cast.memory.clients, part.stride)):
            if address := part.addresses[k]:
                holders[address].append((part.bound[k], _end(part.expires[k], wall), client))
    for part in parts:
        for k, client in enumerate(range(part.first, cast.memory.clients, part.stride)):
            address = cast.memory.addresses[client]
            if cast.shares[client] == Share.VALID and address in holders:
                given_up = min((at for at in (part.left[k], part.bound[k]) if at >= 0), default=inf)
                holders[address].append((-1.0, min(given_up, _end(cast.expires[client], wall)), client))
    found: dict[tuple[int, ...], str] = {}
    for address, spans in holders.items():
        holder, held_until = -1, -inf
        for since, until, client in sorted(spans):
            if since >= 0 and since < held_until and client != holder:
                pair = tuple(sorted((holder, client)))
                found[pair] = f"clients {pair[0]} and {pair[1]} both have {ip_text(address)}"
            if until >= held_until:
                holder, held_until = client, until
    return list(found.values())


def _end(expires: int, wall: float) -> float:
    """When a lease ends, in seconds from the start of the storm."""
    return inf if expires == FOREVER else expires - wall


def _moment(moments: Sequence[float], clients: int, share: float) -> float | None:
    """When that share of all clients was bound."""
    wanted = -(-int(clients * share * 100) // 100)
    return round(moments[wanted - 1], 4) if 0 < wanted <= len(moments) else None


def _rate(moments: Sequence[float], clients: int) -> float:
    """Clients bound a second, until 90 % of all were, or until the last."""
    enough = moments[: -(-clients * 9 // 10)]
    return round(len(enough) / enough[-1], 1) if enough and enough[-1] > 0 else 0.0


def _exact(values: Sequence[float]) -> Latency:
    """Quantiles of sorted values."""
    if not values:
        return Latency(0, None, None, None, None)
    p50, p90, p99, most = (
        round(values[max(0, -(-int(len(values) * share * 100) // 100) - 1)], 6) for share in MOMENTS.values()
    )
    return Latency(len(values), p50, p90, p99, most)


def _latency(tally: Tally) -> Latency:
    overall: Counter[int] = Counter()
    for key, number in tally.latencies.items():
        overall[key % BUCKETS] += number
    rows = sorted(overall.items())
    p50, p90, p99 = (_below(quantile(rows, share), tally.slowest_s) for share in (0.5, 0.9, 0.99))
    histogram = tuple((round(middle(at), 7), number) for at, number in rows)
    return Latency(sum(overall.values()), p50, p90, p99, round(tally.slowest_s, 6) if rows else None, histogram)


def _remembered(cast: Cast, tally: Tally, parts: Sequence[Part]) -> dict[str, Met]:
    there = Counter(cast.shares)
    waiting: Counter[int] = Counter()
    for part in parts:
        mine = cast.shares[part.first :: part.stride]
        waiting.update(share for share, began in zip(mine, part.began, strict=True) if began < 0)
    found = {}
    for share in Share:
        if share and there[share]:
            ack, nak = (tally.met[f"{share.name.lower()} {outcome}"] for outcome in ("ACK", "NAK"))
            silence = there[share] - ack - nak - waiting[share]
            found[share.name.lower()] = Met(there[share], ack, nak, silence, waiting[share])
    return found


def _timeline(tally: Tally, seconds: float) -> Timeline:
    step = next((step for step in STEPS_S if seconds / step <= MOST_STEPS), STEPS_S[-1])
    wide = round(step / SLOT_S)
    length = int(seconds / step) + 1
    histograms: list[Counter[int]] = [Counter() for _ in range(length)]
    for key, number in tally.latencies.items():
        slot, bucket = divmod(key, BUCKETS)
        histograms[min(slot // wide, length - 1)][bucket] += number

    def steps(slots: Counter[int]) -> tuple[int, ...]:
        row = [0] * length
        for slot, number in slots.items():
            row[min(slot // wide, length - 1)] += number
        return tuple(row)

    rows = [sorted(histogram.items()) for histogram in histograms]
    return Timeline(
        step,
        steps(tally.begun_at),
        steps(tally.sent_at),
        steps(tally.answered_at),
        tuple(accumulate(steps(tally.bound_at))),
        tuple(_rounded(quantile(row, 0.5)) for row in rows),
        tuple(_rounded(quantile(row, 0.99)) for row in rows),
    )


def _below(seconds: float | None, most: float) -> float | None:
    """A bucket's middle may lie above the greatest value in it."""
    return None if seconds is None else round(min(seconds, most), 7)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 7)
