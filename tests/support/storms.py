"""Storms in virtual time: a fleet against relet's own engine, or against a server that answers as a test wants it to."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from relet.lab.storm.cast import Cast, Wanted, cast
from relet.lab.storm.fleet import Fleet, Manner
from relet.lab.storm.memory import Memory, fresh
from relet.lab.storm.report import Report, Setup, remembering, report
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.network import Network
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import LEASE_TIME, MESSAGE_TYPE, RELAY_AGENT_INFORMATION, SERVER_IDENTIFIER
from support.networks import subnet

SERVER, RELAY = "10.64.0.1", "10.64.0.2"
FIRST = parse_ip("10.64.1.0")
WALL = 1_700_000_000.0
STEP_S = 0.01
LONGEST_S = 300.0
LEASE_S = 86_400

Server = Callable[[Sequence[bytes], float], list[bytes]]
"""Requests at a time (seconds from the start of the storm) -> answers."""


class Relet:
    """The engine behind a relay. It lives as long as a test wants, over several storms."""

    def __init__(self, addresses: int = 60_000, **said: object) -> None:
        network = Network(
            name="storm", subnets=(subnet("10.64.0.0/14", (FIRST, FIRST + addresses - 1), lease_time=LEASE_S, **said),)
        )
        self.engine = Engine((network,), MemoryStore(), frozenset({parse_ip(SERVER)}))
        self.wall = WALL

    def __call__(self, payloads: Sequence[bytes], now: float) -> list[bytes]:
        arrivals = [Arrival(payload, "", parse_ip(SERVER), parse_ip(RELAY), 67, False) for payload in payloads]
        return [send.payload for send in self.engine.handle(arrivals, Now(self.wall + now, now))]


def answer(request: Message, kind: int, address: int, **said: object) -> bytes:
    """A sound answer to a request, before it is made unsound."""
    options = {MESSAGE_TYPE.code: bytes((kind,)), SERVER_IDENTIFIER.code: parse_ip(SERVER).to_bytes(4)}
    if kind != 6:
        options[LEASE_TIME.code] = LEASE_S.to_bytes(4)
    if RELAY_AGENT_INFORMATION.code in request.options:
        options[RELAY_AGENT_INFORMATION.code] = request.options[RELAY_AGENT_INFORMATION.code]
    made = replace(request, op=2, secs=0, ciaddr=0, yiaddr=address if kind != 6 else 0, options=options)
    return encode(replace(made, **said))


def scripted(rule: Callable[[Message], bytes | None]) -> Server:
    """A server that answers each request by a rule; None for silence."""

    def server(payloads: Sequence[bytes], _now: float) -> list[bytes]:
        return [octets for octets in map(rule, map(decode, payloads)) if octets is not None]

    return server


class Storm:
    """What came of one."""

    def __init__(self, memory: Memory, actors: Cast, fleets: Sequence[Fleet], elapsed_s: float) -> None:
        self.cast = actors
        parts = [fleet.part() for fleet in fleets]
        end = "done" if all(fleet.done for fleet in fleets) else "limit"
        self.report: Report = report(SETUP(memory), actors, parts, end, WALL, elapsed_s)
        self.memory = remembering(actors, parts)


def SETUP(memory: Memory, name: str = "relet") -> Setup:  # noqa: N802 - it gives what would be a constant
    """A setup that fits."""
    return Setup(
        name, "reboot", memory.clients, SERVER, (RELAY,), "", "at-once", 0.0, 0, memory.seed, 1, 60.0, 4.0, 10.0,
        memory.circuits, memory.models, "2026-01-01T00:00:00Z",
    )  # fmt: skip


def new(clients: int, models: str = "windows", seed: int = 1, circuits: int = 0) -> Memory:
    """A fleet of one model, without leases."""
    return fresh(clients, {models: 1}, seed, circuits, (RELAY,))


def storm(
    memory: Memory,
    server: Server,
    wanted: Wanted,
    manner: Manner | None = None,
    processes: int = 1,
    limit_s: float = LONGEST_S,
) -> Storm:
    """Run one to its end."""
    actors = cast(memory, wanted, WALL, memory.seed)
    fleets = [
        Fleet(actors, manner or Manner(), memory.seed, WALL, (RELAY,), first, processes) for first in range(processes)
    ]
    now = 0.0
    while now < limit_s and not all(fleet.done for fleet in fleets):
        spoken = [payload for fleet in fleets for relay in fleet.speak(now, 64) for payload in relay]
        answers = server(spoken, now) if spoken else []
        now = round(now + STEP_S, 6)
        if answers:
            for fleet in fleets:
                fleet.hear(answers, now)
        elif not spoken:
            deadlines = [at for fleet in fleets if (at := fleet.deadline(now)) is not None]
            now = max(now, min(deadlines, default=limit_s))
    return Storm(memory, actors, fleets, now)


def with_leases(clients: int, server: Server, **said: str | int) -> Memory:
    """A fleet that got its leases from this server."""
    memory = new(clients, **said)  # type: ignore[arg-type]
    had = storm(memory, server, Wanted(allocate=1))
    assert had.report.good, had.report.wrong
    return had.memory
