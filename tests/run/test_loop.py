"""The loop: sockets, signals, deadlines, and callbacks that raise. No clock is waited for."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from select import select

import pytest

from relet.net.clock import now
from relet.net.timer import Alarm, ClockWatch
from relet.run.loop import MAX_FAULTS, Loop
from support.clock import set_wall_clock


class Pair:
    """A loop with one socket to read; `said` is what came through it, or which callback was called."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.said: list[str] = []
        self.faults: list[str] = []
        self.loop = Loop(lambda: self.at, self.wake, self.failed)
        self.cannot_tell: Exception | None = None
        self.inside, self.outside = socket.socketpair()
        self.inside.setblocking(False)
        self.loop.register(self.inside, self.read)

    def read(self) -> None:
        word = self.inside.recv(100).decode()
        self.said.append(word)
        if word == "stop":
            self.loop.stop()
        if word == "break":
            self.outside.send(b"stop")
            raise ZeroDivisionError("a bug of our own")

    def failed(self, error: Exception, faults: int) -> None:
        self.faults.append(f"{faults} {error!r}")
        if self.cannot_tell:
            raise self.cannot_tell

    def wake(self) -> None:
        self.said.append("wake")
        self.at = None
        self.outside.send(b"stop")


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.loop.close()
    pair.inside.close()
    pair.outside.close()


def test_what_can_be_read_is_called(pair: Pair) -> None:
    pair.outside.send(b"stop")
    pair.loop.run()
    assert pair.said == ["stop"]


def test_a_deadline_that_has_come_wakes(pair: Pair) -> None:
    pair.at = now().mono
    pair.loop.run()
    assert pair.said == ["wake", "stop"]


def test_a_deadline_that_has_not_come_does_not(pair: Pair) -> None:
    pair.at = now().mono + 1000
    pair.outside.send(b"stop")
    pair.loop.run()
    assert pair.said == ["stop"]


def test_what_is_no_longer_registered_is_not_called(pair: Pair) -> None:
    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.outside, pair.loop.stop)
    pair.outside.send(b"unheard")
    pair.inside.send(b"x")
    pair.loop.run()
    assert pair.said == []


def test_a_callback_that_raises_costs_its_datum_alone(pair: Pair) -> None:
    pair.outside.send(b"break")
    pair.loop.run()
    assert pair.said == ["break", "stop"]
    assert pair.loop.faults == 1
    assert pair.faults == ["1 ZeroDivisionError('a bug of our own')"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("I/O operation on closed file")])
def test_a_fault_that_cannot_be_told_does_not_end_the_loop(error: Exception, pair: Pair) -> None:
    pair.cannot_tell = error
    pair.outside.send(b"break")
    pair.loop.run()
    assert (pair.said, pair.loop.faults) == (["break", "stop"], 1)


def test_without_anybody_to_tell_a_fault_is_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def break_down() -> None:
        loop.stop()
        raise ZeroDivisionError("a bug of our own")

    loop = Loop(lambda: 0.0, break_down)
    loop.run()
    loop.close()
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Traceback (most recent call last):"
    assert said[-1] == "ZeroDivisionError: a bug of our own"


def test_a_loop_in_which_nothing_works_any_more_ends(pair: Pair) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.inside, broken)
    pair.outside.send(b"never read")
    with pytest.raises(ZeroDivisionError):
        pair.loop.run()
    assert pair.loop.faults == MAX_FAULTS
    assert len(pair.faults) == MAX_FAULTS - 1


def test_a_success_between_faults_forgives_them(pair: Pair) -> None:
    turns = 0

    def mostly_broken() -> None:
        nonlocal turns
        turns += 1
        if turns == 3 * MAX_FAULTS:
            pair.loop.stop()
        elif turns % 2:
            raise ZeroDivisionError

    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.inside, mostly_broken)
    pair.outside.send(b"never read")
    pair.loop.run()
    assert pair.loop.faults == 3 * MAX_FAULTS // 2


def test_signals_are_called_from_the_loop_and_handlers_restored(pair: Pair) -> None:
    before = signal.getsignal(signal.SIGUSR1)

    def asked_to_stop() -> None:
        pair.said.append("usr2")
        pair.loop.stop()

    def first() -> None:
        pair.said.append("usr1")
        os.kill(os.getpid(), signal.SIGUSR2)

    def ask() -> None:
        pair.inside.recv(1)
        os.kill(os.getpid(), signal.SIGUSR1)

    pair.loop.on_signal(signal.SIGUSR1, first)
    pair.loop.on_signal(signal.SIGUSR2, asked_to_stop)
    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.inside, ask)
    pair.outside.send(b"x")
    pair.loop.run()
    assert pair.said == ["usr1", "usr2"]
    assert signal.getsignal(signal.SIGUSR1) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_before_the_loop_runs_is_heard_and_one_behind_it_is_not_ours(pair: Pair) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        pair.loop.on_signal(signal.SIGUSR1, lambda: pair.said.append("heard"))
        os.kill(os.getpid(), signal.SIGUSR1)
        pair.outside.send(b"stop")
        pair.loop.run()
        assert (sorted(pair.said), heard) == (["heard", "stop"], [])
        os.kill(os.getpid(), signal.SIGUSR1)
        assert (sorted(pair.said), heard) == (["heard", "stop"], [signal.SIGUSR1])
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_loop_that_never_ran_gives_the_signals_back(pair: Pair) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    pair.loop.on_signal(signal.SIGUSR1, pair.loop.stop)
    assert signal.getsignal(signal.SIGUSR1) != before
    pair.loop.close()
    assert signal.getsignal(signal.SIGUSR1) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_stopped_loop_calls_nobody_else(pair: Pair) -> None:
    other, peer = socket.socketpair()
    calls: list[str] = []

    def last(name: str) -> None:
        calls.append(name)
        pair.loop.stop()

    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.inside, lambda: last("one"))
    pair.loop.register(other, lambda: last("other"))
    pair.outside.send(b"x")
    peer.send(b"x")
    pair.loop.run()
    assert len(calls) == 1
    other.close()
    peer.close()


def test_what_was_given_up_in_the_same_turn_is_not_called() -> None:
    pairs = [socket.socketpair(), socket.socketpair()]
    calls: list[int] = []

    def end() -> None:
        loop.stop()

    loop = Loop(lambda: 0.0, end)

    def give_up_the_other(which: int) -> None:
        calls.append(which)
        loop.unregister(pairs[1 - which][0])

    for which, (inside, outside) in enumerate(pairs):
        loop.register(inside, partial(give_up_the_other, which))
        outside.send(b"x")
    loop.run()
    assert len(calls) == 1
    loop.close()
    for each in (*pairs[0], *pairs[1]):
        each.close()


# Time ------------------------------------------------------------------------------------------------------------------


def readable(source: Alarm | ClockWatch, seconds: float = 0.0) -> bool:
    return bool(select([source], [], [], seconds)[0])


def test_an_alarm_rings_at_its_moment_and_not_before() -> None:
    alarm = Alarm()
    alarm.by(now().mono + 1000)
    assert not readable(alarm)
    at = now().mono + 0.01
    alarm.by(at)
    assert readable(alarm, 10.0)
    assert now().mono >= at
    alarm.take()
    assert not readable(alarm)
    alarm.close()
    alarm.close()


@pytest.mark.parametrize("past", [-1.0, 0.0, 1e-12, 1.0])
def test_a_moment_that_has_passed_rings_at_once(past: float) -> None:
    alarm = Alarm()
    alarm.by(past)
    assert readable(alarm)
    alarm.close()


def test_an_alarm_is_not_put_off() -> None:
    """Which would be a system call for each message that a server answers."""
    alarm = Alarm()
    alarm.by(0.0)
    alarm.by(now().mono + 1000)
    assert readable(alarm)
    alarm.take()
    alarm.by(now().mono + 1000)
    assert not readable(alarm)
    alarm.close()


def test_a_deadline_that_is_put_off_while_the_loop_sleeps_rings_once_for_nothing() -> None:
    asked: list[float] = []

    def deadline() -> float:
        asked.append(now().mono)
        return asked[0] + (0.01 if len(asked) == 1 else 0.02)

    def woken() -> None:
        assert now().mono >= asked[0] + 0.02
        loop.stop()

    loop = Loop(deadline, woken)
    loop.run()
    loop.close()
    assert len(asked) == 3
    assert loop.faults == 0


def test_a_wall_clock_that_was_set_is_heard_of(pair: Pair) -> None:
    def heard() -> None:
        pair.said.append("clock")
        pair.loop.stop()

    watch = ClockWatch()
    assert not readable(watch)
    assert not watch.take()
    pair.loop.on_clock_set(heard)
    set_wall_clock()
    pair.loop.run()
    assert pair.said == ["clock"]
    assert readable(watch)
    assert watch.take()
    assert not readable(watch)
    watch.close()
