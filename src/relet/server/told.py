"""What a server tells of itself: the last verdicts for a client (`relet why`), and what was counted (`relet status`)."""

from collections import Counter
from collections.abc import Reversible, Sequence
from itertools import islice

import msgspec

from relet.model.ident import key_text, parse_asked
from relet.model.reasons import POOL_FULL, REASONS, explain
from relet.server.backlog import FULL, STALE
from relet.server.engine import Engine
from relet.server.record import Record
from relet.server.usage import PoolUsage, explained
from relet.wire.address import hex_text, ip_text
from relet.wire.reasons import REASONS as DROPS

MAX_TOLD = 200
"""Verdicts told at most for one question."""


class Told(msgspec.Struct, frozen=True):
    """One verdict in the operator's words. at: wall time; seconds: the lease time promised. classes: those of
    the client, where the network knows any."""

    at: float
    client: str
    hardware: str
    where: str
    network: str
    request: str
    answer: str
    reason: str
    address: str
    seconds: int
    text: str
    manual: str
    classes: tuple[str, ...] = ()


class Count(msgspec.Struct, frozen=True):
    """How often a kind of request was answered so, for this reason."""

    request: str
    answer: str
    reason: str
    count: int


class Status(msgspec.Struct, frozen=True):
    """A server since its start. drops: datagrams thrown away, by name, most first; store_error: '' while the store works;
    pools: how full they are now; probes_skipped: addresses offered unprobed because too many probes were out; waiting:
    requests that wait because more come than can be served. starting: leases read so far, None once all are known; the
    pools are as full as that."""

    verdicts: list[Count]
    drops: dict[str, int]
    store_error: str
    pools: list[PoolUsage] = []
    probes_skipped: int = 0
    waiting: int = 0
    starting: int | None = None


def status(engine: Engine, drops: Counter[str], waiting: int = 0) -> Status:
    """What has been counted; the most frequent first. drops: those of the sockets included."""
    verdicts = [Count(*key, count) for key, count in engine.counts.most_common()]
    starting = engine.read if engine.starting is not None else None
    thrown = dict(drops.most_common())
    return Status(verdicts, thrown, engine.store_error, engine.usage(), engine.probes_skipped, waiting, starting)


def told(
    records: Reversible[Record],
    client: str,
    limit: int,
    pools: Sequence[PoolUsage] = (),
    unserved: Reversible[Record] = (),
) -> list[Told]:
    """The newest verdicts for a client, newest first. client: hardware address, client identifier, either as `relet
    leases` prints it, or an address. pools: as they are now, to explain with. unserved: what waited in vain. Both
    lists have the oldest first. Raises ValueError that says what to write."""
    asked = parse_asked(client)
    octets = asked.to_bytes(4) if isinstance(asked, int) else asked
    most = max(1, min(limit, MAX_TOLD))

    def of_client(record: Record) -> bool:
        return octets in (record.client[1:], record.hardware[1:], record.address.to_bytes(4))

    found = [record for each in (records, unserved) for record in islice(filter(of_client, reversed(each)), most)]
    return [tell(record, pools) for record in sorted(found, key=lambda record: record.at, reverse=True)[:most]]


def tell(record: Record, pools: Sequence[PoolUsage] = ()) -> Told:
    """One verdict in words. pools: as they are now, to explain with."""
    address = ip_text(record.address) if record.address else ""
    text, manual = _explained(record.reason, address)
    if record.reason == POOL_FULL.id and (full := [row for row in pools if row.network == record.network]):
        text += f"; now {explained(full)}"
    where = f"relay {ip_text(record.giaddr)}" if record.giaddr else record.interface or "unicast"
    return Told(
        at=record.at,
        client=key_text(record.client),
        hardware=hex_text(record.hardware[1:]),
        where=where,
        network=record.network,
        request=record.kind,
        answer=record.answer,
        reason=record.reason,
        address=address,
        seconds=record.seconds,
        text=text,
        manual=manual,
        classes=record.classes,
    )


def _explained(reason: str, address: str) -> tuple[str, str]:
    """(completion of 'because', paragraph) of a reason, be it a verdict's or a drop's."""
    row = REASONS.get(reason)
    if row is None and reason in (STALE, FULL):
        return f"more requests came than could be served, and it waited in vain ({reason})", DROPS[reason]
    if row is None:
        return f"it is no request that a server answers ({reason})", DROPS.get(reason, "")
    return explain(row, address), row.manual
