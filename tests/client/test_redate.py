"""A wall clock that is set: what this run has won is dated anew, and what it was told to remember is judged again."""

import pytest
from msgspec.structs import replace

from relet.client.states import Attached, Bound, LinkDown, Rebooting, Selecting, State
from relet.model.clock import Now
from relet.model.effects import Remember
from relet.model.events import Command, LinkChanged
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, LEASE_TIME, REMEMBERED, SETTINGS, START, Rig, names

DECADES = START.wall
BOOT = Now(wall=20.0, mono=20.0)
"""A host without a clock of its own, soon after its start."""


def won(now: Now = BOOT) -> Rig:
    """A client that has just won its lease."""
    rig = Rig(now=now)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(MessageType.OFFER)
    rig.answer(MessageType.ACK)
    rig.wake_until(Bound)
    return rig


def test_a_lease_that_was_won_in_1970_is_written_down_with_the_true_date() -> None:
    rig = won()
    lease = rig.client.lease
    assert lease is not None
    assert 20.0 <= lease.requested_at < 60.0
    (effect,) = rig.set_clock(DECADES)
    (remembered,) = rig.client.remembered
    assert effect == Remember((remembered,))
    assert remembered.binding == replace(lease, requested_at=lease.requested_at + DECADES)
    assert rig.client.lease == remembered.binding


def test_its_end_stays_where_it_was() -> None:
    rig = won()
    before = rig.client.deadline()
    rig.set_clock(DECADES)
    assert rig.client.deadline() == before


def test_it_is_asked_for_again_after_the_link_was_lost() -> None:
    rig = won()
    rig.set_clock(DECADES)
    rig.feed(LinkChanged(up=False))
    assert isinstance(rig.state, LinkDown)
    rig.later(5).feed(LinkChanged(up=True))
    assert isinstance(rig.state, Rebooting)
    assert rig.state.lease.binding.address == ADDRESS


def test_a_question_that_is_out_is_dated_anew_too() -> None:
    rig = Rig(now=BOOT)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(MessageType.OFFER)
    rig.set_clock(DECADES)
    rig.answer(MessageType.ACK)
    rig.wake_until(Bound)
    assert rig.client.lease is not None
    assert rig.client.lease.requested_at == pytest.approx(DECADES + 20.0, abs=30)


def test_a_lease_of_an_earlier_run_keeps_its_date() -> None:
    rig = Rig(REMEMBERED, now=Now(20.0, 20.0))
    rig.feed(Command.START)
    assert isinstance(rig.state, Rebooting)
    assert rig.set_clock(DECADES) == []
    assert rig.client.lease == REMEMBERED.binding


@pytest.mark.parametrize(("by", "state"), [(600.0, Bound), (10.0 * LEASE_TIME, Selecting), (-7200.0, Selecting)])
def test_a_remembered_lease_in_use_is_judged_by_the_new_clock(by: float, state: type[State]) -> None:
    rig = Rig(REMEMBERED, replace(SETTINGS, use_remembered=True))
    rig.feed(Command.START)
    rig.wake_until(Bound)
    effects = rig.set_clock(by)
    assert isinstance(rig.state, state)
    assert ("deconfigure:expire" in names(effects)) == (state is Selecting)
    if isinstance(rig.state, Bound | Attached):
        left = REMEMBERED.binding.expires() - rig.now.wall
        assert rig.state.held.expires_at == pytest.approx(rig.now.mono + left, abs=1)
