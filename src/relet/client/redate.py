"""When somebody sets the wall clock, leases that were won under the old one are dated anew.

A host without a clock of its own boots decades ago, gets a lease, and then hears the time. What it would write down of that
lease must hold for the next boot.
"""

from collections.abc import Callable

from msgspec.structs import replace

from relet.client.states import (
    Attached,
    Bound,
    InitReboot,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
)
from relet.client.transaction import Transaction
from relet.model.clock import Now
from relet.model.effects import Binding

Date = Callable[[Binding], Binding]
"""Gives a lease its new date, or leaves it as it is."""


def redated(state: State, by: float, date: Date) -> State:
    """The same state under the new clock. by: seconds by which the wall clock was set forward."""
    match state:
        case Bound(held=held) | Probing(held=held):
            return replace(state, held=replace(held, binding=date(held.binding)))
        case Renewing(held=held, ask=ask) | Rebinding(held=held, ask=ask) | Attached(held=held, ask=ask):
            return replace(state, held=replace(held, binding=date(held.binding)), ask=_sent(ask, by))
        case InitReboot(lease=lease):
            return replace(state, lease=replace(lease, binding=date(lease.binding)))
        case Rebooting():
            return _rebooting(state, by, date)
        case Selecting(ask=ask, beside=beside) | Requesting(ask=ask, beside=beside):
            return replace(state, ask=_sent(ask, by), beside=beside and _rebooting(beside, by, date))
        case _:
            return state


def _rebooting(state: Rebooting, by: float, date: Date) -> Rebooting:
    return replace(state, lease=replace(state.lease, binding=date(state.lease.binding)), ask=_sent(state.ask, by))


def _sent(ask: Transaction, by: float) -> Transaction:
    return replace(ask, sent=Now(ask.sent.wall + by, ask.sent.mono))
