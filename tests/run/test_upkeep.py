"""What somebody takes off the interface of a lease is looked for, and put back at a pace that is no race."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from relet.model.clock import Now
from relet.net import netlink
from relet.net.link import Route
from relet.run.configure import Interface
from relet.run.plan import Plan
from relet.run.upkeep import ENDING_S, PAUSE_MAX_S, PAUSE_S, Upkeep
from relet.wire.address import parse_ip
from support.lab import Lab

pytestmark = pytest.mark.namespaces

EXPIRES = 10_000.0
DEFAULT = (0, 0)
PLAN = Plan(parse_ip("192.168.1.5"), 24, (Route(*DEFAULT, parse_ip("192.168.1.1")),), expires=EXPIRES)


class Host:
    """A namespace whose c0 has the plan, and who looks after it. mono: the time, which passes when it is told to."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.name = lab, lab.namespace("host")
        lab.cable(self.name, "c0", lab.namespace("other"), "s0")
        self.mono = 0.0
        with lab.inside(self.name):
            self.link = netlink.link("c0")
            self.interface = Interface(self.link, None)
            self.upkeep = Upkeep(self.link, self.interface.metric)
            self.put()
        self.upkeep.keep(PLAN)

    def put(self) -> None:
        self.interface.apply(PLAN, 1000.0)

    def now(self, wall: float = 1000.0) -> Now:
        return Now(mono=self.mono, wall=wall)

    def take_address(self) -> None:
        self.lab.ip(self.name, "address", "flush", "dev", "c0")

    def take_route(self) -> None:
        self.lab.ip(self.name, "route", "del", "default")

    def lost_route(self) -> tuple[int, int, int]:
        return (*DEFAULT, self.interface.metric)


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        host = Host(lab)
        with lab.inside(host.name):
            yield host


def test_what_is_there_is_not_missed(host: Host) -> None:
    host.upkeep.taken(None, host.now())
    host.upkeep.taken(host.lost_route(), host.now())
    assert (host.upkeep.missing(), host.upkeep.deadline()) == ("", float("inf"))


def test_an_address_is_put_back_at_once_and_then_after_pauses_that_double(host: Host) -> None:
    pause, pauses = PAUSE_S, []
    host.take_address()
    assert host.upkeep.taken(None, host.now()) is None
    for _ in range(9):
        assert host.upkeep.missing() == "192.168.1.5"
        assert host.upkeep.deadline() == host.mono
        host.put()
        host.upkeep.put_back(host.now())
        host.take_address()
        pauses.append(host.upkeep.taken(None, host.now()))
        assert pauses[-1] == min(pause, PAUSE_MAX_S)
        assert host.upkeep.taken(None, host.now()) is None  # it is told of once
        host.mono, pause = host.upkeep.deadline(), pause * 2
    assert pauses[-1] == PAUSE_MAX_S


def test_a_lease_that_is_extended_begins_with_the_shortest_pause_again(host: Host) -> None:
    for _ in range(4):
        host.upkeep.put_back(host.now())
    host.mono += PAUSE_MAX_S
    host.upkeep.keep(PLAN)
    host.upkeep.put_back(host.now())
    host.take_address()
    assert host.upkeep.taken(None, host.now()) == PAUSE_S


def test_an_operator_need_not_wait(host: Host) -> None:
    host.upkeep.put_back(host.now())
    host.upkeep.hurry(host.now())
    assert host.upkeep.deadline() == float("inf")
    host.take_address()
    assert host.upkeep.taken(None, host.now()) == PAUSE_S
    host.upkeep.hurry(host.now())
    assert host.upkeep.deadline() == host.mono


def test_a_route_of_the_lease_is_missed_and_no_other(host: Host) -> None:
    host.take_route()
    for other in ((0, 0, 7), (parse_ip("10.0.0.0"), 8, host.interface.metric)):
        host.upkeep.taken(other, host.now())
        assert host.upkeep.deadline() == float("inf")
    host.upkeep.taken(host.lost_route(), host.now())
    assert (host.upkeep.missing(), host.upkeep.deadline()) == ("the route to 0.0.0.0/0", host.mono)


def test_what_the_kernel_takes_away_when_the_lease_ends_was_nobody(host: Host) -> None:
    host.take_address()
    host.upkeep.taken(None, host.now(EXPIRES - ENDING_S / 2))
    assert host.upkeep.deadline() == float("inf")
    host.upkeep.keep(replace(PLAN, expires=None))
    host.upkeep.taken(None, host.now(EXPIRES))
    assert host.upkeep.deadline() == host.mono


def test_of_an_interface_without_a_lease_or_one_that_is_gone_nothing_is_missed(host: Host) -> None:
    host.lab.ip(host.name, "link", "del", "c0")
    host.upkeep.taken(None, host.now())
    assert host.upkeep.deadline() == float("inf")
    host.upkeep.keep(None)
    host.upkeep.taken(None, host.now())
    assert host.upkeep.deadline() == float("inf")
