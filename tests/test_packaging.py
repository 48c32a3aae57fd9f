"""The systemd unit, judged by systemd's own program, and its words by ours."""

import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from relet.config.load import parse
from relet.net.rights import CAP_NET_BIND_SERVICE, CAP_NET_RAW, KEPT
from relet.net.sockets import RECEIVE_BUFFER
from support.lab import need

PACKAGING = Path(__file__).parent.parent / "packaging"
NETWORK = '[[network]]\nname = "n"\ninterfaces = ["eth0"]\n[[network.subnet]]\nprefix = "192.168.1.0/24"\n'
EXPOSURE_MAX = "25"
"""Of 100, as `systemd-analyze security` counts."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that this machine has."""
    path = tmp_path / "relet.service"
    path.write_text((PACKAGING / "relet.service").read_text().replace("/usr/bin/relet", "/bin/true"))
    return path


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run([need("systemd-analyze"), "verify", str(unit)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sandbox_is_tight(unit: Path) -> None:
    argv = [need("systemd-analyze"), "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(unit)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_unit_gives_what_the_server_keeps() -> None:
    service = ConfigParser(interpolation=None, strict=False)
    service.optionxform = str  # type: ignore[method-assign,assignment]
    service.read(PACKAGING / "relet.service")
    capabilities = "CAP_NET_RAW CAP_NET_BIND_SERVICE"
    assert service["Service"]["AmbientCapabilities"] == service["Service"]["CapabilityBoundingSet"] == capabilities
    assert KEPT == 1 << CAP_NET_RAW | 1 << CAP_NET_BIND_SERVICE
    assert service["Service"]["Type"] == "notify"
    assert service["Service"]["ExecStart"] == "/usr/bin/relet serve --config /etc/relet/relet.toml"


def test_a_server_without_rights_may_have_the_room_that_it_asks_for() -> None:
    rows = [line.split(" = ") for line in (PACKAGING / "relet.sysctl").read_text().splitlines() if line[0] != "#"]
    settings = parse(NETWORK, "relet.toml", Path())
    assert rows == [["net.core.rmem_max", str(settings.receive_buffer // 2)]]
    assert settings.receive_buffer == RECEIVE_BUFFER


def test_the_settings_in_its_first_lines_are_read(tmp_path: Path) -> None:
    lines = (PACKAGING / "relet.service").read_text().split("\n\n")[0].splitlines()
    text = "\n".join(line.removeprefix("#     ") for line in lines if line.startswith("#     "))
    settings = parse(f"{text}\n{NETWORK}", "relet.toml", tmp_path)
    assert (settings.store, settings.control) == ("sqlite:/var/lib/relet/leases.db", "/run/relet/relet.sock")
    assert (settings.user, settings.group) == ("", "relet")
