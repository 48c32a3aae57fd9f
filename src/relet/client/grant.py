"""What a DHCPACK grants, and until when (RFC 2131 s4.4.1, s4.4.5).

T1, T2 and the expiry run on the monotonic clock, because the wall clock of a booting host may jump by decades. Only a
lease that was remembered over a reboot has nothing but wall time to go by.
"""

from math import inf
from typing import Any

from relet.client.accept import Reply, usable
from relet.client.dice import Dice
from relet.client.states import Held
from relet.client.timing import Timing
from relet.errors import WireError
from relet.model.clock import Now
from relet.model.effects import Binding
from relet.wire import options
from relet.wire.codes import INFINITE

CLOCK_TOLERANCE_S = 60.0
"""A remembered lease that was asked for later than this from now was written under another wall clock."""


def held(reply: Reply, sent: Now, timing: Timing, dice: Dice) -> Held:
    """The lease that a DHCPACK grants; `sent` is when its request went out."""
    ack = reply.message
    t1, t2 = ack.uint(options.RENEWAL_TIME.code), ack.uint(options.REBINDING_TIME.code)
    t1, t2 = renewal_times(reply.lease_time, t1, t2)
    return _on_clock(
        Binding(
            address=reply.address,
            server=reply.server,
            requested_at=sent.wall,
            lease_time=reply.lease_time,
            t1=t1,
            t2=t2,
            options=ack.options,
            siaddr=ack.siaddr,
            sname=ack.sname,
            file=ack.file,
        ),
        sent.mono,
        timing,
        dice,
    )


def valid(lease: Binding, wall: float) -> bool:
    """May a remembered lease be trusted to run still? Not if it was asked for in the future."""
    return lease.requested_at - CLOCK_TOLERANCE_S <= wall < lease.expires()


def remembered(lease: Binding, now: Now, timing: Timing, dice: Dice) -> Held:
    """A remembered lease, as old as the wall clock says."""
    return _on_clock(lease, now.mono - max(0.0, now.wall - lease.requested_at), timing, dice)


def link_local(address: int) -> bool:
    """Is it in 169.254/16 (RFC 3927)?"""
    return address >> 16 == 0xA9FE


def gateway(lease: Binding) -> int:
    """The router by which the rest of the world is reached: of option 121, else of option 3; 0 for none (RFC 3442)."""
    routes = _decoded(lease, options.CLASSLESS_ROUTES)
    routers = [router for _, width, router in routes if not width] if routes else _decoded(lease, options.ROUTERS)
    return next((router for router in routers if usable(router) and router != lease.address), 0)


def _decoded(lease: Binding, option: options.Option) -> tuple[Any, ...]:
    """An option's value; none if it is not there or malformed."""
    try:
        return tuple(option.decode(lease.options.get(option.code, b"")))
    except WireError:
        return ()


def renewal_times(lease_time: int, t1: int | None, t2: int | None) -> tuple[int, int]:
    """T1 and T2 of a lease: the server's if 0 < T1 < T2 < lease time, else half and seven eighths of it (s4.4.5)."""
    if lease_time == INFINITE:
        return INFINITE, INFINITE
    half, seven_eighths = lease_time // 2, lease_time * 7 // 8
    early = half if t1 is None else t1
    late = seven_eighths if t2 is None else t2
    return (early, late) if 0 < early < late < lease_time else (half, seven_eighths)


def _on_clock(binding: Binding, sent: float, timing: Timing, dice: Dice) -> Held:
    """The binding with its three moments on the monotonic clock."""
    if binding.lease_time == INFINITE:
        return Held(binding, inf, inf, inf)
    # s4.4.5: T1 and T2 with some chance in them; earlier, never later, and T1 stays before T2.
    early = timing.renewal_fuzz * dice()
    t1 = binding.t1 * (1 - early)
    t2 = binding.t2 - (binding.t2 - binding.t1) * early
    return Held(binding, sent + t1, sent + t2, sent + binding.lease_time)
