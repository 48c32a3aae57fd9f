"""What a new configuration changes, in words."""

from pathlib import Path

import pytest

from relet.config.diff import MAX_OF_A_KIND, changes, fixed
from relet.config.load import parse
from relet.model.network import Settings

BASE = """
[server]
store = "memory:"
lease-time = "1h"

[[network]]
name = "office"
interfaces = ["eth0"]
options = { domain-name = "example.org" }

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]
options = { routers = ["192.168.1.1"] }

[[network.reservation]]
mac = "52:54:00:12:34:56"
address = "192.168.1.10"
hostname = "printer"
"""


def read(text: str) -> Settings:
    return parse(text.replace('lease-time = "1h"\n\n[[', "\n[["), "relet.toml", Path("/nowhere"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", []),
        ("[server]\n", "[server]\nmerge-replies = true\n", ["merge-replies: off -> on"]),
        ('"example.org"', '"example.net"', ["network office: option domain-name: changed"]),
        (
            'domain-name = "example.org"',
            'domain-search = ["example.org"]',
            ["network office: option domain-name: removed", "network office: option domain-search: added"],
        ),
        (
            'routers = ["192.168.1.1"]',
            'routers = ["192.168.1.2"]',
            ["network office: subnet 192.168.1.0/24: option routers: changed"],
        ),
        (
            "1.100-192.168.1.199",
            "1.100-192.168.1.220",
            [
                "network office: subnet 192.168.1.0/24: pool 192.168.1.100-192.168.1.199 removed",
                "network office: subnet 192.168.1.0/24: pool 192.168.1.100-192.168.1.220 added",
            ],
        ),
        (
            '"192.168.1.10"',
            '"192.168.1.11"',
            [
                "network office: reservation of mac 52:54:00:12:34:56: 192.168.1.10 printer -> 192.168.1.11 printer",
            ],
        ),
        (
            ":56",
            ":57",
            [
                "network office: reservation of mac 52:54:00:12:34:56: 192.168.1.10 printer -> none",
                "network office: reservation of mac 52:54:00:12:34:57: none -> 192.168.1.10 printer",
            ],
        ),
        ('["eth0"]', '["eth1"]', ["network office: interfaces: eth0 -> eth1"]),
        ('"office"', '"home"', ["network home: added", "network office: removed"]),
        (
            'interfaces = ["eth0"]',
            'interfaces = ["eth0"]\nunknown-reboot = "nak"\nrelays = ["10.9.0.1"]',
            ["network office: relays: none -> 10.9.0.1", "network office: unknown-reboot: silent -> nak"],
        ),
    ],
)
def test_a_change_is_told_where_it_is(old: str, new: str, told: list[str]) -> None:
    assert changes(read(BASE), read(BASE.replace(old, new))) == told


def test_a_new_lease_time_is_told_once() -> None:
    longer = BASE.replace("[[network]]", '[[network]]\nlease-time = "2h"')
    assert changes(read(BASE), read(longer)) == ["network office: lease-time: unset -> 7200"]


def test_many_reservations_are_counted() -> None:
    rows = "".join(
        f'[[network.reservation]]\nmac = "52:54:00:00:00:{n:02x}"\naddress = "192.168.1.{n + 20}"\n' for n in range(50)
    )
    lines = changes(read(BASE), read(BASE + rows))
    assert len(lines) == MAX_OF_A_KIND + 1
    assert f"network office: reservations: {50 - MAX_OF_A_KIND} changes more" in lines


def test_what_cannot_change_is_named() -> None:
    assert fixed(read(BASE), read(BASE.replace("memory:", "sqlite:x.db"))) == ["store"]
    assert fixed(read(BASE), read(BASE.replace('store = "memory:"', 'store = "memory:"\nsync = "os"'))) == ["sync"]
    assert fixed(read(BASE), read(BASE)) == []
