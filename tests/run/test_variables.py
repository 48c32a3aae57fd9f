"""A lease as environment variables: ours, dhclient-script's and udhcpc's, and that nothing in them does harm."""

import pytest
from msgspec.structs import replace

from relet.model.effects import Binding
from relet.run.told import CONFIGURED, DECONFIGURED
from relet.run.variables import LEASED, MAX_VALUE, REASONS, environment, is_ours
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE


def address(text: str) -> bytes:
    return parse_ip(text).to_bytes(4)


BINDING = Binding(
    parse_ip("192.168.1.5"),
    parse_ip("192.168.1.1"),
    1000.5,
    3600,
    1800,
    3150,
    {
        1: address("255.255.255.128"),
        3: address("192.168.1.1") + address("192.168.1.2"),
        6: address("192.168.1.3"),
        15: b"example.org",
        12: b"host-1",
        17: b"nfs:/srv/root,ro",
        28: address("192.168.1.127"),
        51: b"\0\0\x0e\x10",
        53: b"\x05",
        54: address("192.168.1.1"),
        121: options.CLASSLESS_ROUTES.encode(((parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.1")),)),
        224: b"\x01\x02",
        100: b"",
    },
    parse_ip("192.168.1.9"),
    sname=b"boot",
    file=b"boot/image",
)

OURS = {
    "RELET_REASON": "reboot",
    "RELET_INTERFACE": "eth0",
    "RELET_ADDRESS": "192.168.1.5",
    "RELET_PREFIX": "25",
    "RELET_NETMASK": "255.255.255.128",
    "RELET_BROADCAST": "192.168.1.127",
    "RELET_ROUTERS": "192.168.1.1 192.168.1.2",
    "RELET_SERVER": "192.168.1.1",
    "RELET_LEASE_TIME": "3600",
    "RELET_EXPIRES": "4600",
    "RELET_NEXT_SERVER": "192.168.1.9",
    "RELET_BOOT_FILE": "boot/image",
    "RELET_OPTION_SUBNET_MASK": "255.255.255.128",
    "RELET_OPTION_ROUTERS": "192.168.1.1 192.168.1.2",
    "RELET_OPTION_DOMAIN_NAME_SERVERS": "192.168.1.3",
    "RELET_OPTION_DOMAIN_NAME": "example.org",
    "RELET_OPTION_HOST_NAME": "host-1",
    "RELET_OPTION_CLASSLESS_STATIC_ROUTE": "10.0.0.0/8 via 192.168.1.1",
    "RELET_OPTION_224": "01:02",
}
DHCLIENT = {
    "ip_address": "192.168.1.5",
    "network_number": "192.168.1.0",
    "subnet_mask": "255.255.255.128",
    "broadcast_address": "192.168.1.127",
    "routers": "192.168.1.1 192.168.1.2",
    "domain_name_servers": "192.168.1.3",
    "domain_name": "example.org",
    "domain_search": "example.org",
    "host_name": "host-1",
    "root_path": "nfs:/srv/root,ro",
    "rfc3442_classless_static_routes": "8 10 192 168 1 1",
    "dhcp_lease_time": "3600",
    "dhcp_message_type": "5",
    "dhcp_server_identifier": "192.168.1.1",
    "expiry": "4600",
    "next_server": "192.168.1.9",
    "server_name": "boot",
    "filename": "boot/image",
}
UDHCPC = {
    "interface": "eth0",
    "ip": "192.168.1.5",
    "mask": "25",
    "subnet": "255.255.255.128",
    "broadcast": "192.168.1.127",
    "router": "192.168.1.1 192.168.1.2",
    "dns": "192.168.1.3",
    "domain": "example.org",
    "search": "example.org",
    "hostname": "host-1",
    "rootpath": "nfs:/srv/root,ro",
    "staticroutes": "10.0.0.0/8 192.168.1.1",
    "lease": "3600",
    "serverid": "192.168.1.1",
    "siaddr": "192.168.1.9",
    "sname": "boot",
    "boot_file": "boot/image",
}


def prefixed(prefix: str, variables: dict[str, str]) -> dict[str, str]:
    return {prefix + name: value for name, value in variables.items()}


def test_a_hook_is_given_everything_under_three_names() -> None:
    variables = environment("reboot", "eth0", BINDING)
    assert variables.items() >= (OURS | prefixed("new_", DHCLIENT) | UDHCPC).items()
    assert variables["reason"] == "REBOOT"
    assert len([name for name in variables if name.startswith("RELET_OPTION_")]) == len(BINDING.options)
    assert not [name for name in variables if name.startswith("old_")]


def test_a_renewed_lease_has_the_one_before_beside_it() -> None:
    before = replace(BINDING, options=BINDING.options | {12: b"host-0"})
    variables = environment("renew", "eth0", BINDING, before)
    assert variables["reason"] == "RENEW"
    assert (variables["new_host_name"], variables["old_host_name"]) == ("host-1", "host-0")
    assert variables["hostname"] == "host-1"


@pytest.mark.parametrize("reason", sorted(REASONS.keys() - LEASED))
def test_a_lease_that_is_no_longer_there_is_an_old_one(reason: str) -> None:
    variables = environment(reason, "eth0", BINDING)
    assert variables.items() >= (OURS | {"RELET_REASON": reason} | prefixed("old_", DHCLIENT)).items()
    assert not [name for name in variables if name.startswith("new_")]
    assert variables.keys().isdisjoint(UDHCPC.keys() - {"interface"})


@pytest.mark.parametrize("reason", ["preinit", "fail"])
def test_without_a_lease_there_is_a_reason_and_an_interface(reason: str) -> None:
    assert environment(reason, "eth0") == {
        "RELET_REASON": reason,
        "RELET_INTERFACE": "eth0",
        "reason": REASONS[reason][0],
        "interface": "eth0",
    }


def test_all_that_can_happen_to_a_lease_is_a_reason() -> None:
    assert CONFIGURED.keys() <= LEASED <= REASONS.keys()
    assert DECONFIGURED.keys() <= REASONS.keys() - LEASED


def test_every_option_has_a_name_that_a_shell_takes() -> None:
    everything = Binding(1, 1, 0.0, INFINITE, INFINITE, INFINITE, dict.fromkeys(range(1, 255), b"\x01"))
    variables = environment("bound", "eth0", everything)
    assert all(name.isidentifier() and name.isascii() for name in variables)
    assert all(is_ours(name) for name in variables)
    assert variables["RELET_EXPIRES"] == "never"
    assert "new_expiry" not in variables


HOSTILE = b"x\nnameserver 6.6.6.6;$(reboot)`reboot`|&<>\"'\\\x1b[2J*?[a]{b}~!#() { :; }; reboot"


def test_nothing_in_a_text_moves_a_terminal_or_a_shell() -> None:
    everywhere = Binding(
        parse_ip("192.168.1.5"), 1, 0.0, 60, 30, 50, dict.fromkeys(range(1, 255), HOSTILE), sname=HOSTILE, file=HOSTILE
    )
    variables = environment("renew", "eth0", everywhere, everywhere)
    assert all(value.isprintable() for value in variables.values())
    ours = {name: value for name, value in variables.items() if name.startswith("RELET_")}
    foreign = "".join(value for name, value in variables.items() if name not in ours)
    assert not set(foreign) & set(";$`|&<>\"'\\*?[]{}~!#()\n\x1b")
    # What a plan refuses reaches nobody; what it does not look at is text under our own names alone.
    for checked in ("HOST_NAME", "DOMAIN_NAME", "DOMAIN_SEARCH", "V4_CAPTIVE_PORTAL", "ROUTERS", "DOMAIN_NAME_SERVERS"):
        assert f"RELET_OPTION_{checked}" not in ours
    assert "$(reboot)" in ours["RELET_OPTION_DHCP_MESSAGE"]
    assert "new_dhcp_message" not in variables


def test_values_have_an_end() -> None:
    long = Binding(1, 1, 0.0, 60, 30, 50, {224: bytes(20000)})
    assert len(environment("bound", "eth0", long)["RELET_OPTION_224"]) == MAX_VALUE


def test_a_network_of_two_or_one_has_no_broadcast_address() -> None:
    for netmask in ("255.255.255.254", "255.255.255.255"):
        variables = environment("bound", "eth0", replace(BINDING, options={1: address(netmask)}))
        assert variables["RELET_BROADCAST"] == ""
        assert not {"broadcast", "new_broadcast_address"} & variables.keys()


def test_routes_are_classless_or_static_as_the_server_sent_them() -> None:
    static = {1: address("255.255.255.0"), 3: address("192.168.1.1"), 33: address("10.0.0.0") + address("192.168.1.9")}
    variables = environment("bound", "eth0", replace(BINDING, options=static))
    assert (variables["routes"], variables["new_static_routes"]) == ("10.0.0.0/192.168.1.9", "10.0.0.0 192.168.1.9")
    assert not {"staticroutes", "new_rfc3442_classless_static_routes"} & variables.keys()
    both = static | {121: BINDING.options[121]}
    variables = environment("bound", "eth0", replace(BINDING, options=both))
    assert variables["staticroutes"] == "10.0.0.0/8 192.168.1.1"
    assert not {"routes", "new_static_routes", "RELET_OPTION_STATIC_ROUTES"} & variables.keys()
