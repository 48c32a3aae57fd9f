"""How long the client waits: bounds over the whole range of the dice (RFC 2131 s4.1, s4.4.1, s4.4.5; RFC 5227 s1.1)."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.client.conflict import ConflictTiming, Watch, conflicting, in_use, may_defend, probe_wait
from relet.client.dice import draw_xid
from relet.client.grant import renewal_times
from relet.client.states import Probing, Rebooting, Selecting
from relet.client.timing import Timing, renewal_wait, restart_wait, retransmission_wait
from relet.model.effects import SendArp
from relet.model.events import Command
from relet.wire import arp
from relet.wire.codes import INFINITE
from support.client_rig import ADDRESS, CAREFUL, MAC, OTHER_MAC, SETTINGS, Rig, reach

ALMOST_ONE = 1 - 2**-53
SHOWN = st.floats(0, ALMOST_ONE)


@pytest.mark.parametrize(("tries", "middle"), [(1, 4), (2, 8), (3, 16), (4, 32), (5, 64), (6, 64), (500, 64)])
def test_retransmission_doubles_to_64_with_a_second_of_chance(tries: int, middle: float) -> None:
    assert retransmission_wait(tries, Timing(), lambda: 0.0) == middle - 1
    assert retransmission_wait(tries, Timing(), lambda: 0.5) == middle
    assert retransmission_wait(tries, Timing(), lambda: ALMOST_ONE) == pytest.approx(middle + 1)


@given(SHOWN, st.integers(1, 10**6))
def test_no_setting_makes_copies_follow_without_a_pause(shown: float, tries: int) -> None:
    assert retransmission_wait(tries, Timing(first_wait=0, max_wait=0, jitter=9), lambda: shown) >= 0.1
    assert renewal_wait(0, Timing(renewal_floor=0)) >= 0.1


def test_copies_in_selecting_come_when_they_should_under_one_xid() -> None:
    rig = reach(Selecting)
    xids, moments, secs = set(), [], []
    for _ in range(7):
        assert rig.sent is not None
        xids.add(rig.sent.xid)
        moments.append(rig.now.mono)
        secs.append(rig.sent.secs)
        rig.wake()
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == pytest.approx([4, 8, 16, 32, 64, 64], abs=0.01)
    assert secs == pytest.approx([0, 4, 12, 28, 60, 124, 188], abs=1)
    assert len(xids) == 1


def test_copies_in_rebooting_keep_xid_and_lease_time_base() -> None:
    rig = reach(Rebooting)
    first = rig.sent
    rig.wake()
    assert first is not None
    assert rig.sent is not None
    assert (rig.sent.xid, first.secs) == (first.xid, 0)
    assert rig.sent.secs in (3, 4, 5)
    assert isinstance(rig.state, Rebooting)


def test_secs_stays_at_its_largest_value() -> None:
    rig = reach(Selecting)
    rig.later(100_000).wake()
    assert rig.sent is not None
    assert rig.sent.secs == 0xFFFF


@given(SHOWN)
def test_start_is_delayed_by_less_than_the_setting(shown: float) -> None:
    rig = Rig(dice=lambda: shown)
    started = rig.now.mono
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    assert 0 <= rig.now.mono - started <= CAREFUL.timing.start_delay


@pytest.mark.parametrize(("remaining", "wait"), [(1000, 500), (121, 60.5), (120, 60), (10, 60), (inf, 3600)])
def test_renewal_waits_half_of_the_rest_but_a_minute(remaining: float, wait: float) -> None:
    assert renewal_wait(remaining, Timing()) == wait


@given(SHOWN, st.integers(0, 10**6))
def test_restarts_slow_down_and_never_stop(shown: float, failures: int) -> None:
    wait = restart_wait(failures, Timing(), lambda: shown)
    assert 0 <= wait <= 64
    assert (wait > 0) == (failures > 1)


@pytest.mark.parametrize(
    ("lease_time", "t1", "t2", "times"),
    [
        (1000, None, None, (500, 875)),
        (1000, 300, 600, (300, 600)),
        (1000, 300, None, (300, 875)),
        (1000, None, 600, (500, 600)),
        (1000, 600, 600, (500, 875)),
        (1000, 600, 300, (500, 875)),
        (1000, 0, 600, (500, 875)),
        (1000, 300, 1000, (500, 875)),
        (1000, 900, None, (500, 875)),
        (1000, INFINITE, INFINITE, (500, 875)),
        (INFINITE, 10, 20, (INFINITE, INFINITE)),
        (4, None, None, (2, 3)),
    ],
)
def test_renewal_times(lease_time: int, t1: int | None, t2: int | None, times: tuple[int, int]) -> None:
    assert renewal_times(lease_time, t1, t2) == times


@given(st.integers(4, INFINITE - 1), st.none() | st.integers(0, INFINITE), st.none() | st.integers(0, INFINITE))
def test_renewal_times_are_always_in_order(lease_time: int, t1: int | None, t2: int | None) -> None:
    early, late = renewal_times(lease_time, t1, t2)
    assert 0 < early < late < lease_time


@given(SHOWN)
def test_xids_fit_their_field(shown: float) -> None:
    assert 1 <= draw_xid(lambda: shown) <= 0xFFFFFFFF
    assert draw_xid(lambda: 0.0) == 1


@given(SHOWN)
def test_probe_waits_lie_in_their_ranges(shown: float) -> None:
    timing = ConflictTiming()
    assert 0 <= probe_wait(0, timing, lambda: shown) <= 1
    assert 1 <= probe_wait(1, timing, lambda: shown) <= 2
    assert 1 <= probe_wait(2, timing, lambda: shown) <= 2
    assert probe_wait(3, timing, lambda: shown) == 2


def test_constants_are_those_of_rfc_5227() -> None:
    assert ConflictTiming() == ConflictTiming(1, 3, 1, 2, 2, 2, 2, 10, 60, 10)


def test_probes_and_announcements_carry_what_they_should() -> None:
    rig = reach(Probing)
    (probe,) = rig.wake()
    assert probe == SendArp(arp.Arp(arp.REQUEST, MAC, 0, bytes(6), ADDRESS))
    rig.wake()
    rig.wake()
    effects = rig.wake()
    first_at = rig.now.mono
    assert effects[-1] == SendArp(arp.Arp(arp.REQUEST, MAC, ADDRESS, bytes(6), ADDRESS))
    assert rig.wake() == [effects[-1]]
    assert rig.now.mono == first_at + SETTINGS.conflict.announce_interval


@pytest.mark.parametrize(
    ("packet", "while_probing", "while_used"),
    [
        (arp.announcement(OTHER_MAC, ADDRESS), True, True),
        (arp.Arp(arp.REPLY, OTHER_MAC, ADDRESS, MAC, 0), True, True),
        (arp.Arp(arp.REQUEST, OTHER_MAC, ADDRESS, bytes(6), ADDRESS + 7), True, True),
        (arp.probe(OTHER_MAC, ADDRESS), True, False),
        (arp.probe(OTHER_MAC, ADDRESS + 1), False, False),
        (arp.Arp(arp.REQUEST, OTHER_MAC, ADDRESS + 1, bytes(6), ADDRESS), False, False),
        (arp.announcement(MAC, ADDRESS), False, False),
        (arp.probe(MAC, ADDRESS), False, False),
    ],
)
def test_what_counts_as_a_conflict(packet: arp.Arp, while_probing: bool, while_used: bool) -> None:
    assert in_use(packet, ADDRESS, MAC) is while_probing
    assert conflicting(packet, ADDRESS, MAC) is while_used


def test_one_defence_per_interval() -> None:
    assert may_defend(Watch(), ConflictTiming(), 0.0)
    assert not may_defend(Watch(conflict_at=100.0), ConflictTiming(), 109.9)
    assert may_defend(Watch(conflict_at=100.0), ConflictTiming(), 110.0)


def test_probe_settings_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="probe_min"):
        ConflictTiming(probe_min=3, probe_max=2)
