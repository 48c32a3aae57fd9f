"""The server's road on one page: decode, identify, classify, decide, commit, encode. A batch goes through at once.

    engine = Engine(networks, store, own_addresses)
    sends = engine.handle(arrivals, now)

Whatever arrives, `handle` does not raise: bad bytes are counted drops, a failing store means confirming what is known and
silence otherwise, and a bug of our own costs the one datagram that met it. Nothing is sent that the store has not made
safe: replies are made from settled verdicts only (settle.py).
"""

from collections import Counter, deque
from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from relet.errors import StoreError, WireError
from relet.model import reasons as why
from relet.model.clock import Now
from relet.model.effects import Probe, Send
from relet.model.events import Arrival
from relet.model.lease import Change, Leases, LeaseState, View
from relet.model.network import Network
from relet.model.reasons import Answer
from relet.server.classify import Kind, Request
from relet.server.decide import decide
from relet.server.identify import Directory, Site
from relet.server.leasequery import Leasequeries
from relet.server.offers import Offer, Offers
from relet.server.order import Order, ordered
from relet.server.overlay import Overlay
from relet.server.probing import Probing, found_in_use
from relet.server.rebuild import Rebuild, take_in
from relet.server.record import Record, dropped, record_of
from relet.server.reply import Replies
from relet.server.requested import requested
from relet.server.rows import NO_NETWORK
from relet.server.settle import Settled, settle, silent, without_writing
from relet.server.situation import Situation
from relet.server.standing import Standing, standing
from relet.server.start import STARTING, Start, stands, still_loading
from relet.server.usage import Levels, PoolEvent, PoolUsage, usage
from relet.server.verdict import Verdict, verdict
from relet.wire.message import decode

MAX_RECORDS = 65_536
"""Verdicts remembered for `relet why`."""
MAX_BUGS = 100
"""Datagrams kept of those that met a bug."""
RETRY_S = 5.0
"""While the store fails, one batch that writes nothing is answered as usual this often: an OFFER leads to a request that
must be written, which tells whether the store works again."""
MAX_ROUNDS = 3
"""How often a request is decided anew because the store's leases changed under it."""


class Bug(msgspec.Struct, frozen=True):
    """A datagram that our own code failed on, kept for replay, and what it failed with."""

    arrival: Arrival
    error: str


class Engine:
    """A DHCP server without sockets, clock or disk.

    own: the server's addresses, which it answers for and never hands out.
    counts: verdicts by (kind, answer, reason id). drops: datagrams by the name of what was wrong with them.
    records: the newest verdicts and drops that could be read, oldest first; recorded: how many there have been.
    leasequery: relays that may ask about leases (RFC 4388), empty for nobody.
    bugs: see `Bug`. store_error: what the store last said, '' while it works.
    load: take in the store's leases at once, which may raise StoreError; else the caller works `start` off.
    starting: while that goes on. read: leases taken in by it.
    """

    def __init__(
        self,
        networks: tuple[Network, ...],
        store: Leases,
        own: frozenset[int] = frozenset(),
        leasequery: Collection[int] = (),
        load: bool = True,
    ) -> None:
        self.own = own
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.drops: Counter[str] = Counter()
        self.records: deque[Record] = deque(maxlen=MAX_RECORDS)
        self.recorded = 0
        self.bugs: deque[Bug] = deque(maxlen=MAX_BUGS)
        self.store_error = ""
        self._retry_at = 0.0
        self._store = store
        self._directory = Directory(networks)
        self._offers = Offers()
        self._probing = Probing()
        self._levels = Levels()
        self._replies = Replies()
        self._queries = Leasequeries(leasequery)
        self._rebuild: Rebuild | None = None
        self.starting: Start | None = Start(store)
        self.read = 0
        while load and self.start():
            pass

    def start(self) -> bool:
        """Take in some of the store's leases. Is there more to do? Raises StoreError."""
        leases = self.starting.step() if self.starting is not None else None
        if leases is None:
            self.starting = None
            return False
        self.read += len(leases)
        take_in(self._directory, leases)
        self._queries.load(leases)
        return True

    def prepare(self, networks: tuple[Network, ...], now: Now, leasequery: Collection[int] | None = None) -> Rebuild:
        """Begin to build other networks beside those that are served; the last one begun is kept up to date. leasequery:
        relays that may ask about leases then, None for the same as now. Raises StoreError, also while the start is not
        over."""
        if self.starting is not None:
            raise StoreError(STARTING)
        view = self._store.view((), ())
        addresses = (address for site in self._directory.sites.values() for address in site.kept)
        kept = {lease.client: lease.address for address in addresses if (lease := view.lease(address)) is not None}
        others = None if leasequery is None or self._queries.relays == set(leasequery) else Leasequeries(leasequery)
        self._rebuild = Rebuild(networks, self._store.walk(), view.lease, now.wall, kept, others)
        return self._rebuild

    def reconfigure(self, rebuild: Rebuild | None) -> None:
        """Serve what was prepared, from the next batch on; None: forget it. Offers stay, and hold as far as the new networks
        allow them; counts and records stay; prepared replies are forgotten."""
        if rebuild is not None:
            self._directory = rebuild.done()
            self._queries = rebuild.queries or self._queries
            self._replies = Replies()
            self._offers.recount(self._directory.pool)
            self._probing.clear()
        self._rebuild = None

    def order(self, order: Order, who: str, now: Now) -> Change:
        """Do what the operator orders of a lease: checked, committed, and in the history with who ordered it.

        Raises ValueError that says why not, StoreError if it could not be written.
        """
        if self.starting is not None:
            raise ValueError(STARTING)
        site = self._directory.locate(order.address)
        view = self._store.view([order.client], [order.address])
        change = ordered(order, site, view, self.own, who, now)
        if self._store.commit([change], now.wall).refused:
            raise ValueError("the lease changed at this very moment; look at it again")
        self._note(change)
        return change

    def handle(self, arrivals: Sequence[Arrival], now: Now) -> list[Send]:
        """Decide a batch, make its grants safe, and give the replies to send."""
        return self._serve([request for each in arrivals if (request := self._read(each, now)) is not None], now)

    def standing(self) -> Standing:
        """What is known of those who ask, to sort requests that wait; good until the next batch."""
        return standing(self._store, self._offers, self._directory, self.own)

    def deadline(self) -> float | None:
        """When `wake` should be called (monotonic), None if there is no need."""
        return self._probing.deadline()

    def wake(self, now: Now) -> list[Send]:
        """Time has passed: serve those whose address nobody has answered for. Those that went elsewhere are forgotten."""
        due = self._probing.due(now.mono)
        waiting = [request for address, request in due if self._offers.holder(address, now.mono) == request.client]
        return self._serve([replace(request, again=True) for request in waiting], now)

    @property
    def probes_skipped(self) -> int:
        """Addresses offered unprobed because too many probes were out."""
        return self._probing.skipped

    def probes(self) -> list[Probe]:
        """The probes to send since the last call. An answer to one is told by `answered`."""
        probes, self._probing.effects = self._probing.effects, []
        return probes

    def answered(self, address: int, hardware: bytes, now: Now) -> list[Send]:
        """A host was heard that uses an address. If it was probed, it is quarantined, and its client served anew.

        hardware: the host's hardware address, b'' if it is not known. What was never asked for is ignored.
        """
        request = self._probing.answered(address, hardware)
        if request is None:
            return []
        if request.site is not None:
            self._withdraw(address, request.site)
        try:
            plan = found_in_use(request, address, self._store.view((), (address,)).lease(address), hardware, now)
            settled, _ = settle([plan], self._store.commit(plan.changes, now.wall))
        except StoreError as error:
            self.store_error = str(error)
            return []
        return self._answer(settled, now) + self._serve([replace(request, again=True)], now)

    def _serve(self, pending: list[Request], now: Now) -> list[Send]:
        sends: list[Send] = []
        for _ in range(MAX_ROUNDS):
            if not pending:
                return sends
            try:
                view = self._view(pending)
                plans = self._plan(pending, view, now)
                pending = [plan.request for plan in plans]  # less those that met a bug
                changes = [change for plan in plans for change in plan.changes]
                if self.store_error and not changes and now.mono < self._retry_at:
                    # s4 of the design: while nothing can be written, nothing is allocated and nobody refused
                    return sends + self._answer(without_writing(plans, view, now), now)
                committed = self._store.commit(changes, now.wall)
            except StoreError as error:
                self.store_error = str(error)
                self._retry_at = now.mono + RETRY_S
                return sends + self._answer(self._without_store(pending, now), now)
            if changes:
                self.store_error = ""
            self._retry_at = now.mono + RETRY_S
            settled, pending = settle(plans, committed)
            sends += self._answer(settled, now)
        return sends + self._answer(silent(pending, why.STORE_CONTENDED), now)

    def expire(self, now: Now, limit: int) -> int:
        """Housekeeping between batches: work off at most so many offers and leases that are over; how many there were.
        Nothing depends on it but the counts of `usage` and the length of a later search."""
        if self.starting is not None:
            return 0
        done = self._offers.lapse(now.mono, limit)
        try:
            lease = self._store.view((), ()).lease
            for site in self._directory.sites.values():
                done += site.free.expire(lease, int(now.wall), limit - done)
        except StoreError as error:
            self.store_error = str(error)
        return done

    def usage(self) -> list[PoolUsage]:
        """How full each pool is, in the file's order; as true as `expire` keeps it."""
        return [row for site in self._directory.sites.values() for row in usage(site)]

    def pool_events(self, mono: float) -> list[PoolEvent]:
        """Pools that have become nearly full or full since the last call, or are so no longer."""
        return self._levels.follow(self._directory.sites.values(), mono)

    def _view(self, requests: Sequence[Request]) -> View:
        return self._store.view((key for each in requests for key in each.keys), (each.address for each in requests))

    def _read(self, arrival: Arrival, now: Now) -> Request | None:
        """Decode, identify, classify. None for what is no request; it is counted."""
        message = None
        try:
            message = decode(arrival.payload)
            return requested(message, arrival, self._directory, self._queries)
        except WireError as error:
            self.drops[error.reason] += 1
            if message is not None:
                self._remember(dropped(message, arrival, error.reason, now.wall))
        except Exception as error:  # a bug of ours: it costs this datagram
            self._bug(arrival, error)
        return None

    def _plan(self, requests: Sequence[Request], view: View, now: Now) -> list[Verdict]:
        """Decide one after the other; each sees what those before it planned."""
        overlay = Overlay(view)
        plans = []
        for request in requests:
            try:
                plan = self._decide(request, overlay, now)
            except StoreError:
                raise
            except Exception as error:  # a bug of ours: it costs this datagram
                self._bug(request.arrival, error)
                continue
            if plan is None:
                continue
            if plan.changes:
                overlay.plan(plan.changes)
            plans.append(plan)
        return plans

    def _decide(self, request: Request, view: View, now: Now) -> Verdict | None:
        """None: its address has to be probed first."""
        start = self.starting
        if request.site is None and request.kind is not Kind.LEASEQUERY:
            return Verdict(request, NO_NETWORK.answer, NO_NETWORK.reason, request.address)
        if start is not None and not start.open_to(request):
            return still_loading(request)
        if request.site is None:
            return self._queries.decide(request, self._store, self._directory, now)
        situation = Situation(request, request.site, view, self._offers, self.own, now)
        ruling = decide(situation)
        if start is not None and not stands(situation, ruling[0]):
            return still_loading(request)
        decided = verdict(situation, ruling)
        network = request.site.network
        waits = False
        if network.probe != "off":
            decided = self._probing.told(decided)
            waits = self._probing.holds(decided, view.lease(decided.address), now.mono)
        if request.site.circuits is not None:
            situation.count(decided.answer is Answer.OFFER or bool(decided.changes), decided.address)
        if (decided.answer is Answer.OFFER and decided.address) or waits:
            pool = None if decided.reason is why.OFFERED_CURRENT else request.site.free.pool(decided.address)
            offer = Offer(request.client, network.name, now.mono + network.offer_time, pool)
            self._offers.hold(decided.address, offer, now.mono)
        elif request.kind is Kind.SELECTING and decided.reason is why.OTHER_SERVER:
            # RFC 2131 s3.1.4: the client chose another server
            self._withdraw(self._offers.address(request.client, request.site.network.name, now.mono), request.site)
        return None if waits else decided

    def _withdraw(self, offered: int, site: Site) -> None:
        self._offers.withdraw(offered)
        if site.circuits is not None:
            site.circuits.withdraw(offered)

    def _answer(self, settled: Settled, now: Now) -> list[Send]:
        """Follow what is settled, remember it for `relet why`, and encode the replies."""
        verdicts = settled.verdicts
        self.counts.update([(done.request.kind, done.answer, done.reason.id) for done in verdicts])
        self.records.extend([record_of(done, now) for done in verdicts])
        self.recorded += len(verdicts)
        for done in verdicts:
            for change in done.changes:
                self._note(change)
            if done.answer is Answer.ACK and done.network is not None and done.network.probe != "off":
                self._probing.saw(done.address, now.mono)
        return self._replies.replies(settled, self._bug)

    def _without_store(self, requests: Sequence[Request], now: Now) -> Settled:
        """Nothing can be written: confirm what is known for no longer than recorded, keep silent otherwise."""
        try:
            view = self._view(requests)
            return without_writing(self._plan(requests, view, now), view, now)
        except StoreError:
            return silent(requests, why.STORE_UNAVAILABLE)

    def _note(self, change: Change) -> None:
        """Follow a committed change."""
        before, after = change.before, change.after
        if self._rebuild is not None:
            self._rebuild.note(change)
        if (site := self._directory.locate(after.address)) is not None:
            site.note(before, after)
        self._queries.note(before, after)
        self._offers.withdraw(after.address)
        if after.state is LeaseState.DECLINED:
            self._probing.forget(after.address)

    def _remember(self, record: Record) -> None:
        self.records.append(record)
        self.recorded += 1

    def _bug(self, arrival: Arrival, error: Exception) -> None:
        self.drops["bug"] += 1
        self.bugs.append(Bug(arrival, f"{type(error).__name__}: {error}"))
