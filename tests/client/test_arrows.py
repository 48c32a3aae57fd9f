"""Every arrow of the table is gone along by some story, and the diagram shows them all."""

from collections.abc import Callable
from typing import get_args

import pytest
from msgspec.structs import replace

from relet.client.arrows import ARROWS, Arrow, Cause, diagram
from relet.client.conflict import Check
from relet.client.settings import ClientSettings
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    Stopped,
    V6Only,
)
from relet.model.effects import Remembered
from relet.model.events import Command, LinkChanged, Wake, Woken
from relet.wire import arp
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    AWAY,
    AWAY_HERE,
    CAREFUL,
    HERE,
    KNOWN,
    OTHER_MAC,
    REMEMBERED,
    ROUTED,
    V6ONLY_WAIT,
    Dice,
    Rig,
    Traced,
    reach,
)

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK


def _conflicts(rig: Rig) -> None:
    for _ in range(2):
        rig.hear(arp.announcement(OTHER_MAC, ADDRESS))


def _end_of_lease(rig: Rig) -> None:
    assert isinstance(rig.state, Probing | Attached | Bound | Renewing | Rebinding)
    rig.later(rig.state.held.expires_at - rig.now.mono).feed(Wake())


def _over_t2(rig: Rig) -> None:
    assert isinstance(rig.state, Bound)
    rig.later(rig.state.held.t2_at - rig.now.mono).feed(Wake())


QUICK = replace(CAREFUL, check_new=Check.QUICK, check_again=Check.QUICK)
PERMITTING = replace(CAREFUL, use_remembered=True)
HEDGING = replace(CAREFUL.timing, hedge_after=1.0)


def _rebooting(settings: ClientSettings, *remembered: Remembered) -> Rig:
    """A client in REBOOTING."""
    rig = Rig(None, settings)
    rig.client = Traced(settings, Dice(), remembered or (REMEMBERED,))
    rig.feed(Command.START)
    return rig


def _hedged(settings: ClientSettings) -> Rig:
    """A client in SELECTING whose last DHCPREQUEST may still be answered; `sent` is that one."""
    rig = _rebooting(replace(settings, timing=HEDGING))
    request = rig.sent
    rig.wake_until(Selecting)
    rig.sent = request
    return rig


def _taken(rig: Rig) -> Rig:
    """Somebody has the address that a quick check has asked for."""
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    return rig


def _v6only(rig: Rig) -> dict[int, bytes]:
    return rig.able().reply(ACK).options | {108: V6ONLY_WAIT.to_bytes(4)}


def _chosen() -> Rig:
    """A client in REQUESTING whose last DHCPREQUEST of REBOOTING may still be answered; `sent` is that one."""
    rig = _rebooting(replace(CAREFUL, timing=HEDGING))
    request = rig.sent
    rig.wake_until(Selecting)
    rig.answer(OFFER)
    rig.sent = request
    return rig


def _stopped_without_link() -> Rig:
    rig = Rig()
    rig.feed(LinkChanged(up=False))
    return rig


def _link_down_without_lease() -> Rig:
    rig = _stopped_without_link()
    rig.feed(Command.START)
    return rig


def _woken(settings: ClientSettings) -> Rig:
    """A client that slept, and remembers another network too."""
    rig = _rebooting(settings, KNOWN, AWAY)
    rig.answer(ACK, options=rig.reply(ACK).options | ROUTED)
    rig.wake_until(Bound)
    while rig.client.remembered[0].gateway is None:
        rig.wake()
        rig.hear(HERE)
    rig.later(60).feed(Woken())
    return rig


def _offered_nothing() -> Rig:
    """A client in REQUESTING whose user permits the use of the remembered lease."""
    rig = _rebooting(replace(PERMITTING, timing=HEDGING))
    rig.wake_until(Selecting)
    rig.answer(OFFER)
    rig.wake()
    return rig


def _hedged_away() -> Rig:
    rig = _rebooting(replace(QUICK, timing=HEDGING), AWAY, KNOWN)
    request = rig.sent
    rig.wake_until(Selecting)
    rig.sent = request
    return rig


START: Callable[[Rig], object] = lambda rig: rig.feed(Command.START)  # noqa: E731
RUNNING = (
    Init,
    Selecting,
    Requesting,
    InitReboot,
    Rebooting,
    Attached,
    Probing,
    Backoff,
    V6Only,
    Bound,
    Renewing,
    Rebinding,
)

# (where from, what is done there, the first arrow then gone along)
WALKS: list[tuple[Callable[[], Rig], Callable[[Rig], object], Arrow]] = [
    (Rig, START, Arrow(Stopped, Cause.START, Init)),
    (lambda: Rig(REMEMBERED), START, Arrow(Stopped, Cause.START, InitReboot)),
    (_stopped_without_link, START, Arrow(Stopped, Cause.START, LinkDown)),
    (_link_down_without_lease, lambda rig: rig.feed(LinkChanged(up=True)), Arrow(LinkDown, Cause.LINK_UP, Init)),
    (
        lambda: reach(LinkDown),
        lambda rig: rig.feed(LinkChanged(up=True)),
        Arrow(LinkDown, Cause.LINK_UP, InitReboot),
    ),
    (lambda: reach(LinkDown), lambda rig: rig.feed(Command.STOP), Arrow(LinkDown, Cause.STOP, Stopped)),
    (lambda: reach(Init), Rig.wake, Arrow(Init, Cause.DISCOVER, Selecting)),
    (lambda: reach(Selecting), lambda rig: rig.answer(OFFER), Arrow(Selecting, Cause.CHOSEN, Requesting)),
    (lambda: reach(Requesting), lambda rig: rig.answer(ACK), Arrow(Requesting, Cause.ACK, Probing)),
    (lambda: reach(Requesting), lambda rig: rig.answer(NAK), Arrow(Requesting, Cause.NAK, Init)),
    (lambda: reach(Requesting), lambda rig: rig.wake_until(Selecting), Arrow(Requesting, Cause.SILENCE, Init)),
    (lambda: reach(InitReboot), Rig.wake, Arrow(InitReboot, Cause.REBOOT, Rebooting)),
    (lambda: reach(Rebooting), lambda rig: rig.answer(ACK), Arrow(Rebooting, Cause.ACK, Probing)),
    (lambda: reach(Rebooting), lambda rig: rig.answer(NAK), Arrow(Rebooting, Cause.NAK, Init)),
    (lambda: reach(Rebooting), lambda rig: rig.wake_until(Selecting), Arrow(Rebooting, Cause.SILENCE, Init)),
    (lambda: _rebooting(PERMITTING), lambda rig: rig.wake_until(Probing), Arrow(Rebooting, Cause.PERMITTED, Probing)),
    (
        lambda: _rebooting(replace(QUICK, use_remembered=True)),
        lambda rig: rig.wake_until(Bound),
        Arrow(Rebooting, Cause.PERMITTED, Bound),
    ),
    (lambda: reach(Requesting, QUICK), lambda rig: rig.answer(ACK), Arrow(Requesting, Cause.ACK, Bound)),
    (lambda: _rebooting(QUICK), lambda rig: rig.answer(ACK), Arrow(Rebooting, Cause.ACK, Bound)),
    (lambda: _taken(reach(Requesting, QUICK)), lambda rig: rig.answer(ACK), Arrow(Requesting, Cause.CONFLICT, Backoff)),
    (lambda: _taken(_rebooting(QUICK)), lambda rig: rig.answer(ACK), Arrow(Rebooting, Cause.CONFLICT, Backoff)),
    (lambda: _rebooting(replace(CAREFUL, timing=HEDGING)), Rig.wake, Arrow(Rebooting, Cause.HEDGE, Selecting)),
    (lambda: _hedged(CAREFUL), lambda rig: rig.answer(ACK), Arrow(Selecting, Cause.ACK, Probing)),
    (lambda: _hedged(QUICK), lambda rig: rig.answer(ACK), Arrow(Selecting, Cause.ACK, Bound)),
    (lambda: _taken(_hedged(QUICK)), lambda rig: rig.answer(ACK), Arrow(Selecting, Cause.CONFLICT, Backoff)),
    (lambda: _hedged(PERMITTING), lambda rig: rig.wake_until(Probing), Arrow(Selecting, Cause.PERMITTED, Probing)),
    (
        lambda: _hedged(replace(QUICK, use_remembered=True)),
        lambda rig: rig.wake_until(Bound),
        Arrow(Selecting, Cause.PERMITTED, Bound),
    ),
    (lambda: _rebooting(QUICK, AWAY, KNOWN), lambda rig: rig.answer(NAK), Arrow(Rebooting, Cause.NAK, InitReboot)),
    (_hedged_away, lambda rig: rig.answer(NAK), Arrow(Selecting, Cause.NAK, InitReboot)),
    (lambda: _rebooting(QUICK, KNOWN), lambda rig: rig.hear(HERE), Arrow(Rebooting, Cause.KNOWN, Attached)),
    (lambda: _rebooting(CAREFUL, AWAY, KNOWN), lambda rig: rig.hear(HERE), Arrow(Rebooting, Cause.KNOWN, InitReboot)),
    (lambda: reach(Attached), lambda rig: rig.answer(ACK), Arrow(Attached, Cause.ACK, Bound)),
    (lambda: reach(Attached), lambda rig: rig.answer(NAK), Arrow(Attached, Cause.NAK, Init)),
    (lambda: reach(Attached), lambda rig: rig.wake_until(Bound), Arrow(Attached, Cause.SILENCE, Bound)),
    (lambda: _woken(QUICK), lambda rig: rig.wake_until(Selecting), Arrow(Attached, Cause.SILENCE, Init)),
    (lambda: _woken(QUICK), lambda rig: rig.hear(AWAY_HERE), Arrow(Attached, Cause.KNOWN, Attached)),
    (lambda: _woken(CAREFUL), lambda rig: rig.hear(AWAY_HERE), Arrow(Attached, Cause.KNOWN, InitReboot)),
    (
        lambda: _woken(QUICK),
        lambda rig: rig.answer(NAK, options=rig.reply(NAK).options | {54: AWAY.binding.server.to_bytes(4)}),
        Arrow(Attached, Cause.NAK, InitReboot),
    ),
    (
        _offered_nothing,
        lambda rig: rig.wake_until(Rebooting),
        Arrow(Requesting, Cause.SILENCE, InitReboot),
    ),
    (
        lambda: reach(Selecting),
        lambda rig: rig.answer(OFFER, options=_v6only(rig) | {53: bytes((OFFER,))}),
        Arrow(Selecting, Cause.V6ONLY, V6Only),
    ),
    (_chosen, lambda rig: rig.answer(ACK, options=_v6only(rig)), Arrow(Requesting, Cause.V6ONLY, V6Only)),
    (
        lambda: reach(Rebooting),
        lambda rig: rig.answer(ACK, options=_v6only(rig)),
        Arrow(Rebooting, Cause.V6ONLY, V6Only),
    ),
    (lambda: reach(Attached), lambda rig: rig.answer(ACK, options=_v6only(rig)), Arrow(Attached, Cause.V6ONLY, V6Only)),
    (lambda: reach(V6Only), Rig.wake, Arrow(V6Only, Cause.WAITED, Init)),
    (lambda: reach(Probing), lambda rig: rig.wake_until(Bound), Arrow(Probing, Cause.FREE, Bound)),
    (lambda: reach(Probing), _conflicts, Arrow(Probing, Cause.CONFLICT, Backoff)),
    (lambda: reach(Probing), _end_of_lease, Arrow(Probing, Cause.EXPIRY, Init)),
    (lambda: reach(Backoff), Rig.wake, Arrow(Backoff, Cause.WAITED, Init)),
    (lambda: reach(Bound), Rig.wake, Arrow(Bound, Cause.T1, Renewing)),
    (lambda: reach(Bound), _over_t2, Arrow(Bound, Cause.T2, Rebinding)),
    (lambda: reach(Bound), lambda rig: rig.feed(Command.RENEW), Arrow(Bound, Cause.RENEW, Renewing)),
    (lambda: reach(Renewing), lambda rig: rig.answer(ACK), Arrow(Renewing, Cause.ACK, Bound)),
    (lambda: reach(Renewing), lambda rig: rig.answer(NAK), Arrow(Renewing, Cause.NAK, Init)),
    (lambda: reach(Renewing), lambda rig: rig.wake_until(Rebinding), Arrow(Renewing, Cause.T2, Rebinding)),
    (lambda: reach(Rebinding), lambda rig: rig.answer(ACK), Arrow(Rebinding, Cause.ACK, Bound)),
    (lambda: reach(Rebinding), lambda rig: rig.answer(NAK), Arrow(Rebinding, Cause.NAK, Init)),
]
for awake in (Bound, Renewing, Rebinding):
    WALKS.append((lambda kind=awake: reach(kind), lambda rig: rig.feed(Woken()), Arrow(awake, Cause.WOKEN, Attached)))  # type: ignore[misc] # noqa: PERF401
for leased in (Bound, Renewing, Rebinding, Attached):
    WALKS.append((lambda kind=leased: reach(kind), _conflicts, Arrow(leased, Cause.CONFLICT, Backoff)))  # type: ignore[misc]
    WALKS.append((lambda kind=leased: reach(kind), _end_of_lease, Arrow(leased, Cause.EXPIRY, Init)))  # type: ignore[misc]
for running in RUNNING:
    WALKS.append(
        (
            lambda kind=running: reach(kind),  # type: ignore[misc]
            lambda rig: rig.feed(LinkChanged(up=False)),
            Arrow(running, Cause.LINK_DOWN, LinkDown),
        )
    )
    WALKS.append(
        (
            lambda kind=running: reach(kind),  # type: ignore[misc]
            lambda rig: rig.feed(Command.RELEASE),
            Arrow(running, Cause.STOP, Stopped),
        )
    )


def test_every_arrow_has_its_walk() -> None:
    assert {arrow for _, _, arrow in WALKS} == ARROWS


@pytest.mark.parametrize(("start", "act", "arrow"), WALKS, ids=[str(arrow.cause) for _, _, arrow in WALKS])
def test_arrow(start: Callable[[], Rig], act: Callable[[Rig], object], arrow: Arrow) -> None:
    rig = start()
    before = len(rig.client.trace)
    act(rig)
    assert rig.client.trace[before] == arrow


def test_the_machine_takes_no_other_way() -> None:
    rig = reach(Bound)
    with pytest.raises(RuntimeError, match="no arrow"):
        rig.client._go(Cause.CHOSEN, Init(0.0))


def test_the_diagram_shows_every_state_and_every_arrow() -> None:
    drawn = diagram()
    rows = {line.strip() for line in drawn.splitlines()}
    assert drawn.startswith("stateDiagram-v2\n")
    for kind in get_args(State):
        assert any(kind.__name__ in row for row in rows)
    for arrow in ARROWS:
        where = f" --> {arrow.target.__name__}: {arrow.cause}"
        assert arrow.source.__name__ + where in rows or ("Running" + where in rows and arrow.source in RUNNING)
