"""The loop: sockets, signals, deadlines, and callbacks that raise. No clock is waited for."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from io import StringIO

import pytest
import structlog

from relet.net.clock import now
from relet.run.loop import MAX_FAULTS, Loop


class Pair:
    """A loop with one socket to read; `said` is what came through it, or which callback was called."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.said: list[str] = []
        self.loop = Loop(lambda: self.at, self.wake)
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
    with structlog.testing.capture_logs() as logs:
        pair.outside.send(b"break")
        pair.loop.run()
    assert pair.said == ["break", "stop"]
    assert pair.loop.faults == 1
    assert [(log["event"], log["error"]) for log in logs] == [
        ("callback failed", "ZeroDivisionError('a bug of our own')")
    ]


class Broken(StringIO):
    """A terminal whose other end is gone."""

    def write(self, _: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_log_that_cannot_be_written_does_not_end_the_loop(pair: Pair) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(Broken()))
    try:
        pair.outside.send(b"break")
        pair.loop.run()
    finally:
        structlog.reset_defaults()
    assert pair.said == ["break", "stop"]


def test_a_loop_in_which_nothing_works_any_more_ends(pair: Pair) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    pair.loop.unregister(pair.inside)
    pair.loop.register(pair.inside, broken)
    pair.outside.send(b"never read")
    with structlog.testing.capture_logs() as logs, pytest.raises(ZeroDivisionError):
        pair.loop.run()
    assert pair.loop.faults == MAX_FAULTS
    assert len(logs) == MAX_FAULTS - 1


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
    with structlog.testing.capture_logs():
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
