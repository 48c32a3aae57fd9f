"""What a server's log says: what an operator must know, and with `verbose` every verdict. Nothing per packet otherwise."""

from collections import Counter
from itertools import islice

import structlog

from relet import __version__
from relet.model import reasons as why
from relet.model.ident import key_text
from relet.model.network import Settings
from relet.model.reasons import Answer
from relet.server.classify import Kind
from relet.server.engine import Engine
from relet.server.record import Record
from relet.server.usage import Level
from relet.wire.address import hex_text, ip_text

POOL_FULL_EVERY_S = 60.0
"""Seconds between two lines that say that clients get no address because of full pools."""
DROPS_EVERY_S = 60.0
"""Seconds between two lines that say what was thrown away."""
_DECLINED = (Kind.DECLINE.value, Answer.SILENT.value, why.QUARANTINED.id)
_FOUND = (Kind.DISCOVER.value, Answer.SILENT.value, why.FOUND_IN_USE.id)
_IN_USE = (why.QUARANTINED.id, why.FOUND_IN_USE.id)
_POOL_FULL = (Kind.DISCOVER.value, Answer.SILENT.value, why.POOL_FULL.id)
_LINK_TROUBLE = ("link-down", "link-gone")


class Journal:
    """Follows an engine and tells what is new since the last call."""

    def __init__(self, engine: Engine, verbose: bool) -> None:
        self._log = structlog.get_logger("relet.serve")
        self._engine = engine
        self._verbose = verbose
        self._seen: Counter[object] = Counter()
        self._store_error = ""
        self._fold_error = ""
        self._pool_full_at = 0.0
        self._drops: Counter[str] = Counter()
        self._drops_at = 0.0
        self._waiting_since: float | None = None

    def started(self, settings: Settings) -> None:
        """What is served, and by what."""
        networks = settings.networks
        self._log.info(
            "relet serves",
            version=__version__,
            networks=len(networks),
            subnets=sum(len(network.subnets) for network in networks),
            reservations=sum(len(network.reservations) for network in networks),
            interfaces=", ".join(name for network in networks for name in network.interfaces),
            store=settings.store.partition(":")[0],
        )

    def read(self, leases: int, seconds: float) -> None:
        """The start is over: how many leases there are, and how long after the start of the process they are known."""
        self._log.info("all leases are known", leases=leases, seconds=round(seconds, 1))

    def follow(self, mono: float) -> None:
        """After a batch, at this monotonic time."""
        engine = self._engine
        if engine.store_error != self._store_error:
            self._store_error = engine.store_error
            if engine.store_error:
                self._log.error("store failed; confirming what is known, silent otherwise", error=engine.store_error)
            else:
                self._log.info("store works again")
        if self._new("bug", engine.drops["bug"]):
            bug = engine.bugs[-1]
            self._log.error("bug; please report", error=bug.error, payload=bug.arrival.payload.hex())
        fresh = self._new("records", engine.recorded)
        if self._verbose:
            for record in reversed(tuple(islice(reversed(engine.records), fresh))):
                self._log.info(record.answer, **_words(record))
            return
        # RFC 2131 s4.3.3: the administrator should hear of it
        if declined := self._new("declined", engine.counts[_DECLINED] + engine.counts[_FOUND]):
            newest = next(each for each in reversed(engine.records) if each.reason in _IN_USE)
            self._log.warning("address in use by an unknown host", declined=declined, **_words(newest))
        if mono >= self._pool_full_at and (refused := self._new("pool-full", engine.counts[_POOL_FULL])):
            self._pool_full_at = mono + POOL_FULL_EVERY_S
            networks = {record.network for record in engine.records if record.reason == why.POOL_FULL.id}
            self._log.warning(
                "clients without an address: every pool is full", unserved=refused, networks=", ".join(sorted(networks))
            )

    def pools(self, mono: float) -> None:
        """Now and then: is a pool nearly full or full, or no longer?"""
        for level, before, usage in self._engine.pool_events(mono):
            words = {
                "network": usage.network,
                "pool": usage.pool,
                "size": usage.size,
                "leased": usage.used,
                "offered": usage.offered,
                "declined": usage.declined,
                "reserved": usage.reserved,
                "free": usage.free,
            }
            if level > before:
                self._log.warning("pool full" if level is Level.FULL else "pool nearly full", **words)
            else:
                was = "full" if before is Level.FULL else "nearly full"
                self._log.info(f"pool no longer {was}", **words)

    def links(self, drops: Counter[str]) -> None:
        """Now and then: has a socket lost its interface?"""
        if self._new("link", sum(drops[name] for name in _LINK_TROUBLE)):
            self._log.error("an interface went down or is gone; it is served again when it comes back")

    def folded(self, error: str) -> None:
        """After each step of the store's housekeeping: what it failed with, '' if it did not."""
        if error and error != self._fold_error:
            self._log.error("the store's upkeep met an error", error=error)
        self._fold_error = error

    def dropped(self, drops: Counter[str], mono: float) -> None:
        """Now and then: what has been thrown away since the last line about it? drops: all so far, by name."""
        if mono >= self._drops_at and (fresh := drops - self._drops):
            self._drops = drops
            self._drops_at = mono + DROPS_EVERY_S
            self._log.warning("datagrams dropped", count=fresh.total(), names=_counted(fresh))

    def waiting(self, number: int, mono: float) -> None:
        """Now and then: do requests wait, or no longer?"""
        if number and self._waiting_since is None:
            self._waiting_since = mono
            self._log.warning("more requests come than can be served; they wait", waiting=number)
        elif not number and self._waiting_since is not None:
            self._log.info("no request waits any longer", seconds=round(mono - self._waiting_since))
            self._waiting_since = None

    def _new(self, what: str, count: int) -> int:
        fresh = count - self._seen[what]
        self._seen[what] = count
        return fresh


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _words(record: Record) -> dict[str, str]:
    return {
        "request": record.kind,
        "reason": record.reason,
        "address": ip_text(record.address) if record.address else "",
        "client": key_text(record.client),
        "hardware": hex_text(record.hardware[1:]),
        "network": record.network,
    }
