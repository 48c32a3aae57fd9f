"""Between deciding and answering stands the store: only what it made safe is settled, and only what is settled is answered.

`Settled` is the one thing that replies are made from, and it cannot be made of verdicts whose changes were not committed.
"""

from collections.abc import Sequence
from itertools import accumulate

import msgspec

from relet.model import reasons as why
from relet.model.clock import Now
from relet.model.lease import Committed, View
from relet.model.reasons import Answer
from relet.server.classify import Kind, Request
from relet.server.verdict import Verdict, remaining_seconds
from relet.wire.codes import INFINITE


class Settled(msgspec.Struct, frozen=True):
    """Verdicts that may be answered. safe: their changes are on disk; without it, a verdict with changes is a ValueError."""

    verdicts: Sequence[Verdict]
    safe: bool = False

    def __post_init__(self) -> None:
        if not self.safe and any(verdict.changes for verdict in self.verdicts):
            raise ValueError("a verdict whose changes are not committed cannot be settled")


def settle(plans: Sequence[Verdict], committed: Committed) -> tuple[Settled, list[Request]]:
    """What may be answered, and what must be decided anew. If anything was refused, so is whatever wrote nothing: it may
    have been decided on the strength of a change that did not come about."""
    if not committed.refused:
        return Settled(plans, safe=True), []
    settled: list[Verdict] = []
    again: list[Request] = []
    ends = accumulate(len(plan.changes) for plan in plans)
    for plan, end in zip(plans, ends, strict=True):
        if plan.changes and committed.refused.isdisjoint(range(end - len(plan.changes), end)):
            settled.append(plan)
        else:
            again.append(plan.request)
    return Settled(settled, safe=True), again


def silent(requests: Sequence[Request], reason: why.Reason) -> Settled:
    """Nothing can be said to these, for one reason."""
    return Settled([_silent(request, reason) for request in requests])


def without_writing(plans: Sequence[Verdict], view: View, now: Now) -> Settled:
    """What can stand although nothing can be written: silence, parameters, what relays ask,
    and a lease on record for what is left of it."""
    return Settled([_without_writing(plan, view, now) for plan in plans])


def _without_writing(plan: Verdict, view: View, now: Now) -> Verdict:
    request = plan.request
    informs = plan.reason in (why.INFORMED, why.BOOTP_INFORMED)
    if informs or request.kind is Kind.LEASEQUERY or (plan.answer is Answer.SILENT and not plan.changes):
        return plan
    lease = view.lease(plan.address)
    left = remaining_seconds(lease, now) if lease is not None and lease.holds(now.wall) else 0
    if request.kind is Kind.BOOTP and left != INFINITE:
        left = 0  # such a client knows no lease time
    if plan.answer is Answer.ACK and lease is not None and lease.client == request.client and left:
        # a client that has to move is not kept longer than with a store that works
        seconds = min(plan.seconds, left) if plan.reason is why.MOVING else left
        return msgspec.structs.replace(plan, reason=why.STORE_CONFIRMED, seconds=seconds, changes=())
    return _silent(request, why.STORE_UNAVAILABLE)


def _silent(request: Request, reason: why.Reason) -> Verdict:
    return Verdict(request, Answer.SILENT, reason, request.address)
