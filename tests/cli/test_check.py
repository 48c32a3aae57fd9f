"""`relet check`: a good file is summed up, a bad one is told with all its problems."""

import json
from pathlib import Path

from relet.config.editor import json_schema
from support.commands import relet

GOOD = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "office"
interfaces = ["eth0"]
relays = ["10.9.0.1"]
lease-time = "8h"
unknown-reboot = "silent"
unknown-reboot-after = "10s"

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]

[[network.reservation]]
mac = "52:54:00:12:34:56"
address = "192.168.1.10"
"""


def test_a_good_file_is_summed_up(tmp_path: Path) -> None:
    file = tmp_path / "relet.toml"
    file.write_text(GOOD)
    code, out, err = relet("check", str(file))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"store sqlite:{tmp_path / 'leases.db'}",
        "network office: heard on eth0, relay 10.9.0.1",
        "  subnet 192.168.1.0/24: 192.168.1.100-192.168.1.199 (100 addresses)",
        "  1 reservation",
        "  leases for 8 h",
        "  a rebooting client without a record: silent, NAK after 10 s",
        "  one with an address of another network: nak",
    ]


CAMPUS = "".join(
    f"""
[[network]]
name = "building-{number}"
interfaces = ["vlan{number}"]
deny = ["guests"]
[[network.subnet]]
prefix = "10.{number}.0.0/16"
pools = ["10.{number}.1.0-10.{number}.1.255", "10.{number}.3.1"]
[[network.subnet.pool]]
range = "10.{number}.2.1-10.{number}.2.2"
allow = ["phones"]
lease-time = "infinite"
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.{number}.0.2"
"""
    for number in range(1, 201)
)
CLASSES = """
[server]
store = "memory:"
control = ""
[[class]]
name = "guests"
[[class]]
name = "phones"
"""


def test_many_networks_have_a_line_each(tmp_path: Path) -> None:
    file = tmp_path / "campus.toml"
    file.write_text(CLASSES + CAMPUS)
    code, out, err = relet("check", str(file))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == [
        "store memory:",
        "200 networks, 200 subnets, 51800 addresses in pools, 200 reservations, 2 classes, from 1 file",
        "network building-1: 10.1.0.0/16; 259 addresses, 1 reservation; vlan1",
    ]
    assert len(lines) == 203
    assert lines[-1] == "`--network NAME` tells one of them in detail"


def test_one_network_in_detail(tmp_path: Path) -> None:
    file = tmp_path / "campus.toml"
    file.write_text(CLASSES + CAMPUS)
    code, out, err = relet("check", str(file), "--network", "building-7")
    assert (code, err) == (0, "")
    assert out.splitlines()[2:] == [
        "network building-7: heard on vlan7",
        "  not for guests",
        "  subnet 10.7.0.0/16: 2 pools",
        "    10.7.1.0-10.7.1.255, 10.7.3.1 (257 addresses)",
        "    10.7.2.1-10.7.2.2 (2 addresses)",
        "      only for phones",
        "  1 reservation",
        "  leases for 8 h",
        "  a rebooting client without a record: silent",
        "  one with an address of another network: nak",
    ]
    code, out, err = relet("check", str(file), "--network", "building-0")
    assert (code, out) == (2, "")
    assert "there is no network 'building-0'" in err


def test_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "campus.toml"
    file.write_text(CLASSES + CAMPUS)
    code, out, err = relet("check", str(file), "--json", "--network", "building-7")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["classes"], told["files"], told["listen"]) == (["guests", "phones"], [str(file)], [])
    (network,) = told["networks"]
    assert (network["name"], network["addresses"], network["lease-time"]) == ("building-7", 259, 28800)
    assert network["subnets"][0]["pools"][1] == {
        "ranges": ["10.7.2.1-10.7.2.2"],
        "addresses": 2,
        "allow": ["phones"],
        "deny": [],
        "lease-time": 4294967295,
    }


def test_all_problems_are_told(tmp_path: Path) -> None:
    file = tmp_path / "relet.toml"
    file.write_text(GOOD.replace('"eth0"', "7").replace("lease-time", "leese-time"))
    code, out, err = relet("check", str(file))
    assert (code, out) == (1, "")
    problems = err.splitlines()
    assert len(problems) >= 2
    assert all(problem.startswith(f"{file}:") for problem in problems)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, out, err = relet("check", str(tmp_path / "none.toml"))
    assert code in {1, 3}
    assert out == ""
    assert "none.toml" in err
    assert "Traceback" not in err


def test_the_schema_is_printed() -> None:
    code, out, err = relet("check", "--schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == json_schema()


def test_a_file_must_be_named() -> None:
    code, out, err = relet("check")
    assert (code, out) == (2, "")
    assert "name the configuration file" in err
