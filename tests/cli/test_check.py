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
