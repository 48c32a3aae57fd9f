"""Every arrow of the table is gone along by some story, and the diagram shows them all."""

from collections.abc import Callable
from typing import get_args

import pytest
from msgspec.structs import replace

from relet.client.arrows import ARROWS, Arrow, Cause, diagram
from relet.client.states import (
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
)
from relet.model.events import Command, LinkChanged, Wake
from relet.wire import arp
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, OTHER_MAC, REMEMBERED, SETTINGS, Rig, reach

OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK


def _conflicts(rig: Rig) -> None:
    for _ in range(2):
        rig.hear(arp.announcement(OTHER_MAC, ADDRESS))


def _end_of_lease(rig: Rig) -> None:
    assert isinstance(rig.state, Probing | Bound | Renewing | Rebinding)
    rig.later(rig.state.held.expires_at - rig.now.mono).feed(Wake())


def _over_t2(rig: Rig) -> None:
    assert isinstance(rig.state, Bound)
    rig.later(rig.state.held.t2_at - rig.now.mono).feed(Wake())


def _permitted() -> Rig:
    rig = Rig(REMEMBERED, replace(SETTINGS, use_remembered=True))
    rig.feed(Command.START)
    return rig


def _stopped_without_link() -> Rig:
    rig = Rig()
    rig.feed(LinkChanged(up=False))
    return rig


def _link_down_without_lease() -> Rig:
    rig = _stopped_without_link()
    rig.feed(Command.START)
    return rig


START: Callable[[Rig], object] = lambda rig: rig.feed(Command.START)  # noqa: E731
RUNNING = (Init, Selecting, Requesting, InitReboot, Rebooting, Probing, Backoff, Bound, Renewing, Rebinding)

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
    (_permitted, lambda rig: rig.wake_until(Probing), Arrow(Rebooting, Cause.PERMITTED, Probing)),
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
for leased in (Bound, Renewing, Rebinding):
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
    for source, cause, target in ARROWS:
        from_here = f"{source.__name__} --> {target.__name__}: {cause}"
        from_all = f"Running --> {target.__name__}: {cause}"
        assert from_here in rows or (from_all in rows and source in RUNNING)
