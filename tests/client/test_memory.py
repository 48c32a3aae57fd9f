"""What is remembered of the networks that a client has been on: which leases replace each other, and which stay."""

import pytest
from msgspec.structs import replace

from relet.client.memory import (
    MAX_NETWORKS,
    MAX_OCTETS,
    bounded,
    by_gateway,
    by_server,
    remember,
    replaces,
    valid,
    without,
)
from relet.model.effects import Binding, Gateway, Remembered
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

NOW = 1_700_000_000.0
ROUTER = parse_ip("192.168.1.1")
HERE = Gateway(ROUTER, bytes.fromhex("020000000001"))
THERE = Gateway(ROUTER, bytes.fromhex("020000000002"))


def lease(
    address: str = "192.168.1.100",
    gateway: Gateway | None = None,
    server: str = "192.168.1.1",
    mask: str = "255.255.255.0",
    asked: float = NOW,
) -> Remembered:
    options = {1: parse_ip(mask).to_bytes(4)} if mask else {}
    return Remembered(Binding(parse_ip(address), parse_ip(server), asked, 3600, 1800, 3150, options), gateway)


HOME = lease(gateway=HERE)
OTHER_HOME = lease(gateway=THERE)


def test_the_newest_stands_first() -> None:
    one, two, three = (lease(f"10.0.{n}.5", server=f"10.0.{n}.1") for n in range(3))
    assert remember(remember(remember((), one), two), three) == (three, two, one)


def test_two_homes_with_the_same_addresses_are_told_apart_by_their_routers() -> None:
    both = remember(remember((), HOME), OTHER_HOME)
    assert both == (OTHER_HOME, HOME)
    again = replace(HOME, binding=replace(HOME.binding, requested_at=NOW + 60))
    assert remember(both, again) == (again, OTHER_HOME)


@pytest.mark.parametrize(
    ("older", "newer", "one_network"),
    [
        (HOME, lease("192.168.1.101", HERE), True),
        (HOME, lease("192.168.1.101", HERE, server="192.168.1.2"), True),
        (HOME, OTHER_HOME, False),
        (HOME, lease("192.168.1.101", THERE), False),
        # The router has two networks behind one interface.
        (HOME, lease("192.168.2.100", HERE, server="192.168.2.1"), False),
        (HOME, lease("192.168.1.100", HERE, mask="255.255.255.128"), False),
        # The hardware address of one of them is not known yet: until it is, this may be another home.
        (lease(), HOME, True),
        (HOME, lease("192.168.1.101"), False),
        (HOME, lease(server="192.168.1.2"), False),
        (lease(server="192.168.1.2"), HOME, False),
        # Of neither.
        (lease(), lease("192.168.1.101"), True),
        (lease(), lease(server="192.168.1.2"), False),
        (lease(), lease("192.168.2.100"), False),
        # Without a mask the class says what the subnet is.
        (lease(mask=""), lease("192.168.1.101"), True),
        (lease(mask="255.0.255.0"), lease("192.168.1.101"), True),
        (lease("10.1.0.5", mask=""), lease("10.2.0.5", mask="255.0.0.0"), True),
    ],
)
def test_a_lease_replaces_the_one_of_its_network(older: Remembered, newer: Remembered, one_network: bool) -> None:
    assert replaces(newer, older) == one_network
    assert remember((older,), newer) == ((newer,) if one_network else (newer, older))


def test_a_gateway_that_becomes_known_leaves_no_double() -> None:
    """The lease is remembered as soon as it is granted, and again when its gateway has answered."""
    unknown = remember((OTHER_HOME, lease("10.0.0.5", server="10.0.0.1")), lease("192.168.1.101", server="192.168.1.2"))
    known = lease("192.168.1.101", HERE, server="192.168.1.2")
    assert remember(unknown, known) == (known, OTHER_HOME, lease("10.0.0.5", server="10.0.0.1"))


def test_only_so_many_are_remembered() -> None:
    leases: tuple[Remembered, ...] = ()
    for n in range(MAX_NETWORKS + 3):
        leases = remember(leases, lease(f"10.0.{n}.5", server=f"10.0.{n}.1"))
        assert leases[0].binding.address == parse_ip(f"10.0.{n}.5")
    assert len(leases) == MAX_NETWORKS
    assert leases[-1].binding.address == parse_ip("10.0.3.5")


def test_servers_that_say_much_have_fewer_leases_remembered() -> None:
    """Frames of 9000 octets, and a bound on what one process tells another of them."""
    options = {1: parse_ip("255.255.255.0").to_bytes(4), 224: bytes(8900)}
    leases: tuple[Remembered, ...] = ()
    for n in range(MAX_NETWORKS):
        plain = lease(f"10.0.{n}.5", server=f"10.0.{n}.1")
        leases = remember(leases, replace(plain, binding=replace(plain.binding, options=options)))
        assert leases[0].binding.address == plain.binding.address
    assert len(leases) == 1 + MAX_OCTETS // 8904
    huge = replace(HOME, binding=replace(HOME.binding, options={224: bytes(2 * MAX_OCTETS)}))
    assert remember(leases, huge)[:1] == (huge,)
    assert bounded((HOME, huge, OTHER_HOME)) == (HOME,)
    assert bounded(()) == ()


def test_what_ran_out_is_dropped() -> None:
    over = lease("10.0.1.5", asked=NOW - 3600)
    nearly = lease("10.0.2.5", asked=NOW - 3599)
    future = lease("10.0.3.5", asked=NOW + 1e9)
    for_ever = replace(over, binding=replace(over.binding, lease_time=INFINITE))
    assert valid((over, nearly, future, for_ever), NOW) == (nearly, future, for_ever)


def test_a_gateway_is_known_by_both_addresses() -> None:
    leases = (lease("192.168.1.105"), OTHER_HOME, HOME)
    assert by_gateway(leases, HERE) == HOME
    assert by_gateway(leases, THERE) == OTHER_HOME
    assert by_gateway(leases, Gateway(ROUTER, b"\2\0\0\0\0\3")) is None
    assert by_gateway(leases, Gateway(ROUTER + 1, HERE.mac)) is None


def test_of_two_networks_behind_one_gateway_the_newer_is_given() -> None:
    other = lease("192.168.0.100", HERE, mask="255.255.254.0")
    assert by_gateway(remember((HOME,), other), HERE) == other


def test_a_server_is_known_by_its_identifier() -> None:
    one, two = lease("10.0.0.5", server="10.9.0.1"), lease("10.1.0.5", server="10.9.0.1")
    assert by_server((HOME, two, one), parse_ip("10.9.0.1")) == two
    assert by_server((HOME, two, one), parse_ip("10.9.0.2")) is None


def test_one_lease_is_taken_out_and_its_like_on_another_network_stays() -> None:
    other = lease("192.168.1.100", THERE, asked=NOW - 60)
    assert without((HOME, other), HOME.binding) == (other,)
    assert without((other,), HOME.binding) == (other,)
