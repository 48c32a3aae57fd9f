"""How long the client waits (RFC 2131 s4.1, s4.4.1, s4.4.5). Arithmetic only; seconds everywhere.

T1 and T2 of a lease are in `grant`, the waits of RFC 5227 in `conflict`.
"""

from math import inf

import msgspec

from relet.client.dice import Dice, spread

MIN_WAIT = 0.1
"""No two copies of a message closer than this, whatever the settings."""

ENDLESS_RENEWAL_WAIT = 3600.0
"""Between requests to extend an infinite lease, for which half of the remaining time would be for ever."""


class Timing(msgspec.Struct, frozen=True):
    """The waits that an operator may set.

    start_delay: at most this before the first DHCPDISCOVER. s4.4.1 says SHOULD 1 to 10 s, to spread hosts that were
        switched on together; no client in wide use makes its user wait so long, so it is left to the operator.
    hedge_after: how long REBOOTING waits before a DHCPDISCOVER goes out beside the DHCPREQUEST; infinity for never.
    first_wait, max_wait, jitter: backoff of s4.1: 4, 8, 16, 32, 64, 64 ... each +- 1 s.
    request_tries: DHCPREQUESTs in REQUESTING before INIT (s3.1: four, about 60 s).
    offer_window: how long offers are collected after the first one; 0 takes the first.
    renewal_floor: least wait between requests in RENEWING and REBINDING (s4.4.5).
    renewal_fuzz: T1 and T2 come earlier by up to this share, so that hosts do not renew in step (s4.4.5).
    decline_wait: between DHCPDECLINE and INIT (s3.1).
    restart_wait: most that lies between failures in a row (DHCPNAK again and again) and the next DHCPDISCOVER.
    """

    start_delay: float = 0.0
    hedge_after: float = 1.0
    first_wait: float = 4.0
    max_wait: float = 64.0
    jitter: float = 1.0
    request_tries: int = 4
    offer_window: float = 0.0
    renewal_floor: float = 60.0
    renewal_fuzz: float = 0.05
    decline_wait: float = 10.0
    restart_wait: float = 64.0


def retransmission_wait(tries: int, timing: Timing, dice: Dice) -> float:
    """Wait after the `tries`-th copy of a message (s4.1)."""
    doubled: float = timing.first_wait * 2 ** min(tries - 1, 16)
    return max(MIN_WAIT, spread(min(doubled, timing.max_wait), timing.jitter, dice))


def renewal_wait(remaining: float, timing: Timing) -> float:
    """Wait in RENEWING (remaining: until T2) or REBINDING (remaining: until expiry) before asking again (s4.4.5)."""
    if remaining == inf:
        return ENDLESS_RENEWAL_WAIT
    return max(MIN_WAIT, timing.renewal_floor, remaining / 2)


def restart_wait(failures: int, timing: Timing, dice: Dice) -> float:
    """Wait in INIT after that many failures in a row: none after the first, then doubling from one second.

    RFC 2131 sets no bound; without one a server that offers and then refuses would be asked as fast as it answers.
    """
    if failures <= 1:
        return 0.0
    doubled: float = min(2.0 ** min(failures - 2, 16), timing.restart_wait)
    return max(MIN_WAIT, doubled * (1 + dice()) / 2)
