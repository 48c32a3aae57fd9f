"""Good files, and what becomes of them."""

from pathlib import Path

import pytest

from relet.config.load import load, parse, quick
from relet.errors import ConfigError
from relet.model.network import Network, Reservation, Settings, Subnet
from relet.server.parameters import filled
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

OFFICE = """
[server]
store = "sqlite:leases.db"

[[network]]                             # one broadcast domain
name = "office"
interfaces = ["eth0"]                   # clients heard directly
relays = ["10.9.0.1"]
lease-time = "8h"
foreign-address = "nak"
unknown-reboot = "silent"
options = { domain-name = "example.org", domain-name-servers = ["192.168.1.1"] }

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]
options = { routers = ["192.168.1.1"] }

[[network.reservation]]
mac = "52:54:00:12:34:56"
address = "192.168.1.10"
hostname = "printer"
"""

BENCH = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "bench"
interfaces = ["veth0"]
lease-time = "24h"
options = { domain-name = "example.org", domain-name-servers = ["10.64.0.1"] }

[[network.subnet]]
prefix = "10.64.0.0/10"
pools = ["10.65.0.0-10.80.66.63"]
options = { routers = ["10.64.0.1"] }
"""

EVERYTHING = """
[server]
store = "memory:"
control = ""
listen = ["10.9.0.1", "10.9.0.2", "10.9.0.1"]
options = { time-servers = "10.0.0.3", domain-name = "server", option-250 = { hex = "0102" } }

[[network]]
name = "all"
lease-time = "infinite"
min-lease-time = 30
max-lease-time = "infinite"
renew-at = 0.4
rebind-at = 0.8
offer-time = "2m"
decline-time = "1h"
foreign-address = "silent"
unknown-reboot = "adopt"
unknown-reboot-after = "10s"
cache-threshold = 0.75
match-client-id = false
options.domain-name = "network"
options.subnet-mask = "255.0.0.0"

[[network.subnet]]
prefix = "10.0.0.0/29"
pools = ["10.0.0.0/29"]
options = { domain-name = "subnet", routers = ["10.0.0.3"], broadcast-address = "10.255.255.255" }

[[network.subnet]]
prefix = "10.1.0.0/31"
pools = ["10.1.0.0", "10.1.0.1"]

[[network.reservation]]
client-id = "01:02"
address = "10.0.0.4"
options = { host-name = "mine" }

[[network.reservation]]
circuit-id = "port 7"
address = "10.0.0.5"

[[network.reservation]]
remote-id = "0xff"
address = "10.1.0.1"
"""


def network(settings: Settings) -> Network:
    (only,) = settings.networks
    return only


def addresses(subnet: Subnet) -> str:
    """Those of its pools."""
    return "; ".join(str(pool.addresses) for pool in subnet.pools)


def times(network: Network) -> tuple[int | None, int | None, int | None]:
    """Least, default and greatest lease time."""
    parameters = network.parameters
    return parameters.min_lease_time, parameters.lease_time, parameters.max_lease_time


def test_an_office(tmp_path: Path) -> None:
    file = tmp_path / "relet.toml"
    file.write_text(OFFICE)
    settings = load(file)
    assert settings.store == f"sqlite:{tmp_path.resolve() / 'leases.db'}"
    assert settings.control == str(tmp_path.resolve() / "relet.sock")
    assert settings.listen == ()
    office = network(settings)
    assert (office.name, office.interfaces, office.relays) == ("office", ("eth0",), (parse_ip("10.9.0.1"),))
    assert times(office) == (None, 28800, None)
    assert office.reservations == (
        Reservation("mac", bytes.fromhex("525400123456"), parse_ip("192.168.1.10"), "printer"),
    )
    (subnet,) = office.subnets
    assert (subnet.prefix, subnet.width) == (parse_ip("192.168.1.0"), 24)
    assert addresses(subnet) == "192.168.1.100-192.168.1.199"
    assert subnet.parameters.options == {
        1: bytes((255, 255, 255, 0)),
        28: bytes((192, 168, 1, 255)),
        15: b"example.org",
        6: bytes((192, 168, 1, 1)),
        3: bytes((192, 168, 1, 1)),
    }
    assert next(iter(subnet.parameters.options)) == 1


def test_a_large_pool() -> None:
    bench = network(parse(BENCH, "bench.toml", Path("/etc")))
    assert addresses(bench.subnets[0]) == "10.65.0.0-10.80.66.63"


def test_every_setting() -> None:
    settings = parse(EVERYTHING, "all.toml", Path("/etc"))
    assert (settings.store, settings.control) == ("memory:", "")
    assert settings.listen == (parse_ip("10.9.0.1"), parse_ip("10.9.0.2"))
    every = network(settings)
    assert times(every) == (30, INFINITE, INFINITE)
    assert (every.parameters.renew_at, every.parameters.rebind_at, every.offer_time, every.decline_time) == (
        0.4,
        0.8,
        120,
        3600,
    )
    assert (every.foreign_address, every.unknown_reboot, every.unknown_reboot_after) == ("silent", "adopt", 10)
    assert (every.cache_threshold, every.match_client_id) == (0.75, False)
    assert [(each.by, each.key) for each in every.reservations] == [
        ("client-id", b"\x01\x02"),
        ("circuit-id", b"port 7"),
        ("remote-id", b"\xff"),
    ]
    assert every.reservations[0].parameters.options == {12: b"mine"}


def test_the_nearest_option_wins() -> None:
    near, far = network(parse(EVERYTHING, "all.toml", Path("/etc"))).subnets
    assert (near.parameters.options[15], far.parameters.options[15]) == (b"subnet", b"network")
    assert near.parameters.options[4] == far.parameters.options[4] == bytes((10, 0, 0, 3))
    assert near.parameters.options[250] == b"\x01\x02"
    assert near.parameters.options[1] == far.parameters.options[1] == bytes((255, 0, 0, 0))
    assert near.parameters.options[28] == bytes((10, 255, 255, 255))
    # RFC 3021: a prefix of 31 bits has no broadcast address.
    assert 28 not in far.parameters.options


def test_a_whole_prefix_as_pool_leaves_out_what_no_client_may_have() -> None:
    near, far = network(parse(EVERYTHING, "all.toml", Path("/etc"))).subnets
    assert addresses(near) == "10.0.0.1-10.0.0.2, 10.0.0.4-10.0.0.6"
    assert addresses(far) == "10.1.0.0-10.1.0.1"


def test_a_short_lease_has_a_short_minimum() -> None:
    settings = parse(OFFICE.replace('"8h"', '"20s"'), "x", Path())
    assert filled(network(settings).parameters).min_lease_time == 20


def test_a_store_may_lie_elsewhere() -> None:
    assert parse(OFFICE.replace("leases.db", "/var/lib/l.db"), "x", Path("/etc")).store == "sqlite:/var/lib/l.db"


def test_settings_without_a_server_table_are_kept_beside_the_file() -> None:
    settings = parse(OFFICE[OFFICE.index("[[network]]") :], "x", Path("/srv"))
    assert (settings.store, settings.control) == ("sqlite:/srv/leases.db", "/srv/relet.sock")


def test_a_first_try_needs_no_file() -> None:
    settings = quick("eth0", "192.168.1.100-192.168.1.199", parse_ip("192.168.1.5"), 24)
    assert (settings.store, settings.control) == ("memory:", "")
    served = network(settings)
    assert (served.name, served.interfaces) == ("eth0", ("eth0",))
    assert addresses(served.subnets[0]) == "192.168.1.100-192.168.1.199"
    assert served.subnets[0].parameters.options[1] == bytes((255, 255, 255, 0))


def test_a_first_try_with_the_whole_prefix_spares_the_server() -> None:
    settings = quick("eth0", "192.168.1.0/29", parse_ip("192.168.1.2"), 24)
    assert addresses(network(settings).subnets[0]) == "192.168.1.1, 192.168.1.3-192.168.1.7"


@pytest.mark.parametrize(
    ("pool", "says"),
    [
        ("192.168.1.1-192.168.1.9", "contains 192.168.1.5, the address of the interface itself; write 192.168.1.1-"),
        ("192.168.2.1-192.168.2.9", "not inside the prefix"),
        ("many", "'many' is not an IPv4 address"),
    ],
)
def test_a_first_try_that_cannot_be(pool: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f'^command line: network "eth0".*{says}'):
        quick("eth0", pool, parse_ip("192.168.1.5"), 24)
