"""From the sockets to the engine: straight while the server keeps up, by way of the backlog when it does not."""

from collections.abc import Iterator, Sequence
from itertools import count, islice

import pytest
from msgspec.structs import replace

from relet.model.events import Arrival
from relet.net.sockets import BATCH
from relet.run.intake import CROWDED, EARNED, EASY, SERVED_AT_ONCE, SOON_S, TAKEN_AT_ONCE, Intake
from relet.server.backlog import FULL, LEAST_PATIENCE_S
from support.table import Table, arrive, discover, ip, reboot

MOST = 4 * TAKEN_AT_ONCE


class Queue:
    """A socket that holds these messages. waiting, share: what the kernel says of those that are left."""

    def __init__(
        self, holds: Iterator[Arrival] | Sequence[Arrival], waiting: int = 2 * BATCH, share: float = 0.6
    ) -> None:
        self.given = 0
        self._held = iter(holds)
        self._left = waiting, share

    def receive(self) -> list[Arrival]:
        arrivals = list(islice(self._held, BATCH))
        self.given += len(arrivals)
        return arrivals

    def held(self) -> tuple[int, float]:
        return self._left


def strangers(number: int | None = None, first: int = 1 << 16) -> Iterator[Arrival]:
    """DISCOVERs of ever other clients; None: without an end."""
    sample = arrive(discover())
    for client in islice(count(first), number):
        payload = sample.payload[:30] + client.to_bytes(4) + sample.payload[34:]
        yield replace(sample, payload=payload)


@pytest.fixture
def table() -> Table:
    table = Table()
    table.lease(ip(100))
    return table


@pytest.mark.parametrize(
    ("number", "waiting", "share"),
    [
        (0, 0, 0.0),
        (1, 0, 0.0),
        (BATCH - 1, 50_000, 1.0),  # it has all been taken; what the kernel says is late
        (BATCH, 0, 0.0),
        (3 * BATCH, 2 * BATCH, 0.2),
        (9 * BATCH, 20_000, 0.2),  # which take no longer than is soon enough
    ],
)
def test_while_the_server_keeps_up_nothing_waits(table: Table, number: int, waiting: int, share: float) -> None:
    intake = Intake(table.engine, MOST)
    arrivals = list(strangers(number))
    ear = Queue(arrivals, waiting, share)
    heard = []
    for step in count():
        batch = intake.hear(ear, 0.99 * step * BATCH * SOON_S / 20_000)
        if not batch:
            break
        heard += batch
    assert heard == arrivals
    assert not intake.backlog


def test_what_would_take_too_long_waits(table: Table) -> None:
    intake = Intake(table.engine, MOST)
    ear = Queue(strangers(), waiting=5000, share=0.1)
    a_batch_s = BATCH * SOON_S / 5000
    assert intake.hear(ear, 0.0)  # nobody knows yet how long one takes
    assert intake.hear(ear, a_batch_s * 0.9)
    assert intake.hear(Queue(list(strangers(1))), a_batch_s * 0.95)  # what others hold says nothing of this one
    assert intake.hear(ear, a_batch_s * 2.1) == []
    assert len(intake.backlog) == TAKEN_AT_ONCE


def test_time_in_which_nobody_asked_is_no_work(table: Table) -> None:
    intake = Intake(table.engine, MOST)
    ear = Queue(strangers(), waiting=0, share=0.1)
    assert len(intake.hear(ear, 0.0)) == BATCH  # and no more was there
    assert len(intake.hear(ear, 60.0)) == BATCH


def test_when_more_waits_all_is_taken_over_and_the_best_served_first(table: Table) -> None:
    intake = Intake(table.engine, MOST)
    known = arrive(reboot(ip(100)))
    arrivals = [*strangers(TAKEN_AT_ONCE + 50), known]
    ear = Queue(arrivals)
    assert intake.hear(ear, 0.0) == []
    assert len(intake.backlog) == TAKEN_AT_ONCE
    assert intake.next(0.0) == []  # more is there to be taken over
    assert intake.hear(ear, 0.0) == []
    assert len(intake.backlog) == len(arrivals)
    served: list[Arrival] = []
    while intake.backlog:
        assert intake.hear(ear, 0.0) == []
        batch = intake.next(0.0)
        assert len(batch) == min(SERVED_AT_ONCE, len(arrivals) - len(served))
        served += batch
    assert served == [known, *arrivals[:-1]]
    ear = Queue(list(strangers(1)))
    assert len(intake.hear(ear, 0.0)) == 1


@pytest.mark.parametrize("sockets", [1, 2, 16])
def test_a_flood_is_received_no_faster_than_it_is_answered(table: Table, sockets: int) -> None:
    """At first as much as may wait is taken over, and then so much for each that is served."""
    most = 2 * TAKEN_AT_ONCE
    intake = Intake(table.engine, most)
    ears = [Queue(strangers(first=number << 24)) for number in range(sockets)]
    served = 0
    turns = 0
    while turns < 20:
        for ear in ears:
            assert intake.hear(ear, 0.0) == []
        batch = intake.next(0.0)
        served += len(batch)
        turns += len(batch) > 0
        assert len(intake.backlog) <= most
    given = sum(ear.given for ear in ears)
    assert served == 20 * SERVED_AT_ONCE
    assert most + EARNED * (served - SERVED_AT_ONCE) <= given
    assert given <= most + EARNED * served + len(ears) * BATCH
    assert intake.backlog.dropped[FULL] == given - served - len(intake.backlog)
    fewest, most_of_one = min(ear.given for ear in ears), max(ear.given for ear in ears)
    assert most_of_one - fewest <= TAKEN_AT_ONCE


@pytest.mark.parametrize("later", [0, LEAST_PATIENCE_S + 1], ids=["served", "too-late"])
def test_once_nobody_waits_the_next_wave_is_taken_over_as_the_first(table: Table, later: float) -> None:
    intake = Intake(table.engine, TAKEN_AT_ONCE)
    for wave in range(3):
        assert intake.hear(Queue(list(strangers(TAKEN_AT_ONCE))), 60.0 * wave) == []
        assert len(intake.backlog) == TAKEN_AT_ONCE
        while intake.backlog:
            intake.next(60.0 * wave + later)


def test_a_socket_that_will_not_overflow_is_left_for_a_batch(table: Table) -> None:
    intake = Intake(table.engine, MOST)
    assert intake.hear(Queue(strangers(), share=CROWDED + 0.01), 0.0) == []
    assert intake.next(0.0) == []
    assert intake.hear(Queue(strangers(first=1 << 24), share=EASY), 0.0) == []
    assert len(intake.next(0.0)) == SERVED_AT_ONCE


def test_a_quiet_socket_is_heard_beside_a_flooded_one(table: Table) -> None:
    intake = Intake(table.engine, MOST)
    flooded = Queue(strangers())
    known = arrive(reboot(ip(100)), interface="eth1")
    for _ in range(8):
        intake.hear(flooded, 0.0)
        intake.next(0.0)
    intake.hear(Queue([known]), 0.0)
    while not (batch := intake.next(0.0)):
        intake.hear(flooded, 0.0)
    assert batch[0] == known
