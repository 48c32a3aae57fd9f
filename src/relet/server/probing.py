"""Probes before an offer: nobody is offered an address that a host uses without a lease (RFC 2131 s2.2, s3.1, s4.3.1).

The server SHOULD probe an address before it allocates it. The address stays promised to its client (offers.py) while the
probe is out, and the request waits here; nobody else waits. If nothing answers in time, the request is decided once more,
and then the address counts as seen well for a while. Who answers is the caller's business to hear.
"""

from collections import OrderedDict
from heapq import heappop, heappush
from typing import NamedTuple

from msgspec.structs import replace

from relet.model import reasons as why
from relet.model.clock import Now
from relet.model.effects import Probe
from relet.model.lease import Change, Lease, LeaseState, beside
from relet.model.reasons import Answer, Reason
from relet.server.classify import Request
from relet.server.verdict import Verdict

MAX_IN_FLIGHT = 256
"""Probes out at once. Beyond that an address is offered unprobed, and counted in `Probing.skipped`: a flood of DISCOVERs
must neither hold up the clients nor fill the kernel's table of neighbours."""
SEEN_WELL_S = 300.0
"""Seconds for which an address that was granted, or probed without an answer, is not probed again."""
MAX_SEEN = 65_536
"""Addresses remembered as seen well; beyond that the oldest is forgotten, and probed once more."""
_FIRST = ("DISCOVER", "BOOTP")
"""Kinds of request by which a client gets an address that it has not had: by an OFFER, or by an ACK at once."""


class Waiting(NamedTuple):
    """A request whose address is being probed. reason: why the client is to get it."""

    request: Request
    reason: Reason
    until: float


class Probing:
    """effects: probes to send, for the shell to take. skipped: addresses offered unprobed, see MAX_IN_FLIGHT."""

    def __init__(self) -> None:
        self.effects: list[Probe] = []
        self.skipped = 0
        self._waiting: dict[int, Waiting] = {}
        self._due: list[tuple[float, int]] = []
        self._clean: dict[int, Reason] = {}
        self._seen: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def holds(self, decided: Verdict, lease: Lease | None, mono: float) -> bool:
        """Has this verdict to wait? Then its request is kept and, if need be, a probe sent. lease: on record for the
        address, whatever its state."""
        request, network, address = decided.request, decided.network, decided.address
        at_once = decided.answer is Answer.ACK and request.kind.value in _FIRST and decided.changes
        grants = decided.answer is Answer.OFFER or at_once
        if not grants or not address or network is None or self._seen_well(address, mono):
            return False
        if lease is not None and lease.client == request.client and lease.state is not LeaseState.DECLINED:
            return False  # it would find its own host
        if (waiting := self._waiting.get(address)) is not None:
            # a retransmission, or the next client that it is promised to: the newest xid is the one that is waited for
            reason = waiting.reason if waiting.request.client == request.client else decided.reason
            self._waiting[address] = waiting._replace(request=request, reason=reason)
            return True
        # ARP does not pass a relay
        interface = "" if request.message.giaddr else request.arrival.interface
        arp = network.probe != "ping" and interface != ""
        ping = network.probe != "arp"
        if not arp and not ping:
            return False
        if len(self._waiting) >= MAX_IN_FLIGHT:
            self.skipped += 1
            return False
        self._waiting[address] = Waiting(request, decided.reason, mono + network.probe_wait)
        heappush(self._due, (mono + network.probe_wait, address))
        self.effects.append(Probe(address, interface, arp, ping))
        return True

    def deadline(self) -> float | None:
        """When the next wait is over (monotonic), None if nothing waits."""
        return self._due[0][0] if self._due else None

    def due(self, mono: float) -> list[tuple[int, Request]]:
        """Nobody answered for these addresses in time: they are seen well, and the requests may be decided."""
        done = []
        self._clean.clear()
        while self._due and self._due[0][0] <= mono:
            until, address = heappop(self._due)
            waiting = self._waiting.get(address)
            if waiting is None or waiting.until != until:
                continue  # somebody answered
            del self._waiting[address]
            self._clean[address] = waiting.reason
            self.saw(address, mono)
            done.append((address, waiting.request))
        return done

    def answered(self, address: int, hardware: bytes) -> Request | None:
        """A host uses the address. The request that waited for it, if one did; the client's own host does not count.
        hardware: that of the host, b'' if it is not known."""
        waiting = self._waiting.get(address)
        if waiting is None or (hardware and hardware == waiting.request.message.chaddr):
            return None
        del self._waiting[address]
        return waiting.request

    def told(self, decided: Verdict) -> Verdict:
        """The verdict with the reason that it had before it waited."""
        if decided.reason is why.OFFERED_AGAIN and (reason := self._clean.pop(decided.address, None)) is not None:
            return replace(decided, reason=reason)
        return decided

    def saw(self, address: int, mono: float) -> None:
        """The address is in order: its client has it, or nobody answers for it."""
        self._seen[address] = mono
        self._seen.move_to_end(address)
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def forget(self, address: int) -> None:
        """It is not in order."""
        self._seen.pop(address, None)

    def clear(self) -> None:
        """Let nothing wait any more; the clients ask again."""
        self._waiting.clear()
        self._due.clear()

    def _seen_well(self, address: int, mono: float) -> bool:
        at = self._seen.get(address)
        return at is not None and mono - at < SEEN_WELL_S


def found_in_use(request: Request, address: int, before: Lease | None, hardware: bytes, now: Now) -> Verdict:
    """The quarantine of an address that a host uses without a lease. hardware: that of the host, b'' if it is not known."""
    if request.site is None:
        raise ValueError("a request from nowhere is offered nothing")
    network = request.site.network
    starts = int(now.wall)
    after = Lease(
        address,
        request.client,
        network.name,
        LeaseState.DECLINED,
        starts,
        starts + network.decline_time,
        beside(request.client, b"\1" + hardware if hardware else b""),
        reason=why.FOUND_IN_USE.id,
    )
    change = Change(before, after)
    return Verdict(request, Answer.SILENT, why.FOUND_IN_USE, address, 0, (change,), network)
