"""A server's plan becomes a file that any TOML reader takes, whatever is written into it."""

import tomllib
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.config.load import parse
from relet.testing.configuration import ServerPlan, planned

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex("[a-z][a-z-]{0,9}", fullmatch=True), VALUES, max_size=4))
def test_values_are_read_back_as_they_were(options: dict[str, object]) -> None:
    text = ServerPlan(options=options).toml("link")  # type: ignore[arg-type]
    assert tomllib.loads(text)["network"][0]["options"] == options


def test_no_character_is_too_odd() -> None:
    odd = "".join(map(chr, (*range(0x100), 0x2028, 0xFFFF, 0x10000)))
    assert tomllib.loads(ServerPlan(options={"x": odd, "y": {odd: odd}}).toml(odd))["network"][0]["options"]["y"] == {
        odd: odd
    }


def test_addresses_may_be_values_of_ipaddress() -> None:
    plan = ServerPlan(options={"routers": [IPv4Address("192.168.1.1")]}, top={"x": {"y": IPv4Network("10.0.0.0/8")}})
    tables = tomllib.loads(plan.toml("link"))
    assert tables["network"][0]["options"]["routers"] == ["192.168.1.1"]
    assert tables["x"] == {"y": "10.0.0.0/8"}


def test_a_plan_is_a_good_configuration() -> None:
    plan = ServerPlan(
        reservations={"52:54:00:12:34:56": "192.168.1.10"},
        network={"unknown-reboot": "nak", "routes": [{"to": "10.0.0.0/8", "via": "192.168.1.254"}]},
        top={"class": [{"name": "phones", "test": 'vendor-class == "phone"'}]},
        options={"routers": ["192.168.1.254"]},
    )
    (network,) = parse(plan.toml("office"), "plan", Path()).networks
    assert (network.name, network.interfaces, network.unknown_reboot) == ("office", ("eth0",), "nak")
    assert [reservation.address for reservation in network.reservations] == [int(IPv4Address("192.168.1.10"))]
    assert [row.name for row in network.classes] == ["phones"]


def test_what_is_said_beside_a_plan_goes_before_it() -> None:
    plan = ServerPlan(
        address="10.0.0.1", pools=["10.0.0.5-10.0.0.9"], lease_time="2h", options={"routers": ["10.0.0.1"]}
    )
    assert planned(plan) == plan
    assert planned(None) == ServerPlan()
    changed = planned(plan, pool="10.0.0.50-10.0.0.59", options={}, leases={"10.0.0.50": "id 00:61"}, lease_time=60)
    assert changed == ServerPlan(
        address="10.0.0.1", pools=("10.0.0.50-10.0.0.59",), lease_time=60, leases={"10.0.0.50": "id 00:61"}
    )


@pytest.mark.parametrize(
    ("address", "prefix", "subnet"),
    [("192.168.7.1", None, "192.168.7.0/24"), ("10.1.2.3", "10.0.0.0/8", "10.0.0.0/8")],
)
def test_the_subnet_is_the_one_around_the_server_if_nothing_is_said(
    address: str, prefix: str | None, subnet: str
) -> None:
    assert str(ServerPlan(address=address, prefix=prefix).subnet()) == subnet
