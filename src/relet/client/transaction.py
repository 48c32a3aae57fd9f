"""A message that wants an answer, and its copies (RFC 2131 s4.1).

A lease counts from the moment at which its request was *first* sent under the xid of the answer: if an answer could belong
to any of several copies, the oldest is the safe reading of s4.4.1. Copies that are minutes apart (RENEWING, REBINDING)
would make that reading wasteful, so each of them is a request of its own, with a new xid (s4.1 permits it).
"""

import msgspec
from msgspec.structs import replace

from relet.client.dice import Dice, draw_xid
from relet.client.timing import Timing, renewal_wait, retransmission_wait
from relet.model.clock import Now

MAX_SECS = 0xFFFF
"""Largest value of the `secs` field; it stays there."""


class Transaction(msgspec.Struct, frozen=True):
    """The copies of a message under one xid. Times are monotonic seconds.

    since: when the client began to acquire or renew; secs: the field of the newest copy, counted from there (table 1).
    sent: when the first copy went out. tries: copies sent. resend_at: when the next is due.
    """

    xid: int
    since: float
    sent: Now
    resend_at: float
    tries: int = 1
    secs: int = 0


def first(now: Now, timing: Timing, dice: Dice) -> Transaction:
    """A new message, sent at `now`."""
    return Transaction(draw_xid(dice), now.mono, now, now.mono + retransmission_wait(1, timing, dice))


def beside(ask: Transaction, now: Now, timing: Timing, dice: Dice) -> Transaction:
    """Another message, sent at `now` in the same attempt to get an address, so that its secs go on."""
    return replace(first(now, timing, dice), since=ask.since, secs=_secs(ask, now))


def copy(ask: Transaction, now: Now, timing: Timing, dice: Dice) -> Transaction:
    """The same with one more copy, sent at `now`."""
    tries = ask.tries + 1
    resend_at = now.mono + retransmission_wait(tries, timing, dice)
    return replace(ask, tries=tries, resend_at=resend_at, secs=_secs(ask, now))


def following(ask: Transaction, now: Now, timing: Timing, dice: Dice) -> Transaction:
    """The DHCPREQUEST that follows a DHCPDISCOVER: the same xid (s4.4.1), and the same secs, so that relay agents treat
    both alike (s3.1 step 3); the waits begin anew."""
    return replace(ask, sent=now, tries=1, resend_at=now.mono + retransmission_wait(1, timing, dice))


def extension(earlier: Transaction | None, until: float, now: Now, timing: Timing, dice: Dice) -> Transaction:
    """A request to extend a lease, sent at `now`. earlier: the one before it since T1, None for the first.

    until: when it is too late for this kind of request: T2 in RENEWING, the expiry in REBINDING.
    """
    resend_at = now.mono + renewal_wait(until - now.mono, timing)
    if earlier is None:
        return Transaction(draw_xid(dice), now.mono, now, resend_at)
    return Transaction(draw_xid(dice), earlier.since, now, resend_at, earlier.tries + 1, _secs(earlier, now))


def _secs(ask: Transaction, now: Now) -> int:
    return min(int(now.mono - ask.since), MAX_SECS)
