"""The systemd units, judged by systemd's own program, and their words by ours."""

import os
import re
import signal
import subprocess
from configparser import ConfigParser, SectionProxy
from math import inf
from pathlib import Path

import pytest

from relet.cli.client import parser
from relet.config.load import parse
from relet.net.rights import CAP_NET_BIND_SERVICE, CAP_NET_RAW, KEPT
from relet.net.sockets import RECEIVE_BUFFER
from relet.run.control import CLIENTS
from relet.run.programs import FAREWELL_S
from support.lab import need
from support.talking import host

PACKAGING = Path(__file__).parent.parent / "packaging"
NETWORK = '[[network]]\nname = "n"\ninterfaces = ["eth0"]\n[[network.subnet]]\nprefix = "192.168.1.0/24"\n'
SERVER, CLIENT = "relet.service", "relet-client@.service"
EXPOSURE_MAX = {SERVER: "25", CLIENT: "29"}
"""Of 100, as `systemd-analyze security` counts. A client has to set addresses, and starts as root."""


@pytest.fixture(params=EXPOSURE_MAX)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit with a program that this machine has; of a template, an instance."""
    name: str = request.param
    path = tmp_path / name.replace("@", "@eth0")
    path.write_text((PACKAGING / name).read_text().replace("/usr/bin/relet", "/bin/true"))
    return path


def service(name: str) -> SectionProxy:
    """What a unit says under [Service]."""
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(PACKAGING / name)
    return unit["Service"]


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run([need("systemd-analyze"), "verify", str(unit)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sandbox_is_tight(unit: Path) -> None:
    argv = [
        need("systemd-analyze"),
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_MAX[unit.name.replace('eth0', '')]}",
        str(unit),
    ]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_unit_gives_what_the_server_keeps() -> None:
    said = service(SERVER)
    capabilities = "CAP_NET_RAW CAP_NET_BIND_SERVICE"
    assert said["AmbientCapabilities"] == said["CapabilityBoundingSet"] == capabilities
    assert KEPT == 1 << CAP_NET_RAW | 1 << CAP_NET_BIND_SERVICE
    assert said["Type"] == "notify"
    assert said["ExecStart"] == "/usr/bin/relet serve --config /etc/relet/relet.toml"


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


def test_the_client_is_called_as_it_can_be() -> None:
    said = service(CLIENT)
    program, command, *arguments = said["ExecStart"].replace("%I", "eth0").split()
    assert (program, command) == ("/usr/bin/relet", "client")
    options = parser().parse_args(arguments)
    # systemd would kill a client that says nothing for longer than that.
    assert options.wait < int(said["TimeoutStartSec"].removesuffix("s"))
    assert options.timeout == inf
    assert options.lease_file.parent == Path("/var/lib", said["StateDirectory"])
    assert Path("/run", said["RuntimeDirectory"]) == options.sockets == CLIENTS
    assert (said["Type"], said["StateDirectoryMode"], said["KillMode"]) == ("notify", "0700", "mixed")
    assert int(said["TimeoutStopSec"].removesuffix("s")) > FAREWELL_S
    assert said["ExecReload"] == "/usr/bin/relet renew %I"


@pytest.mark.namespaces
def test_the_capabilities_of_the_unit_are_enough_for_a_client() -> None:
    names = service(CLIENT)["CapabilityBoundingSet"].replace("CAP_", "").lower().split()
    bounded = "--bounding-set=-all," + ",".join(f"+{name}" for name in names)
    with host() as here:
        client = here.lab.start(here.name, need("setpriv"), bounded, "--no-new-privs", *here.command())
        client.line("bound to 192.168.1.100/24")
        assert here.lab.addresses(here.name, "c0") == ["192.168.1.100/24"]
        status = Path(f"/proc/{client.pid}/status").read_text()
        assert re.search(r"^Uid:\t(?!0\t)", status, re.MULTILINE), "it is still root"
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
        assert here.asked("renew", "c0")[0] == 0
        assert here.asked("release", "c0")[0] == 0
        assert client.wait() == 0
        assert here.lab.addresses(here.name, "c0") == []


def allowed(group: str) -> set[str]:
    """The system calls of one of systemd's groups, with those of the groups in it."""
    ran = subprocess.run([need("systemd-analyze"), "syscall-filter", group], check=True, capture_output=True, text=True)
    names = {line.strip() for line in ran.stdout.splitlines() if line.startswith("    ") and line.strip()[0] != "#"}
    inner = {name for name in names if name[0] == "@"}
    return (names - inner).union(*map(allowed, inner))


@pytest.mark.namespaces
def test_what_a_client_asks_of_the_kernel_is_what_the_unit_lets_it(tmp_path: Path) -> None:
    """From its start to its end, with a renewal and a hook: system calls, kinds of sockets, files that it writes."""
    said, trace, hook = service(CLIENT), tmp_path / "trace", tmp_path / "hook"
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    with host() as here:
        strace = (need("strace"), "-f", "-qq", "-o", trace)
        client = here.lab.start(here.name, *strace, *here.command("--hook", hook, "--pid-file", here.pid_file))
        client.line("bound to 192.168.1.100/24")
        assert here.asked("renew", "c0")[0] == 0
        os.kill(int(here.pid_file.read_text()), signal.SIGTERM)
        assert client.wait() == 0
        folder = str(here.lab.folder)
    calls = re.findall(r"^\d+ +(\w+)\((.*)", trace.read_text(), re.MULTILINE)
    assert {"execve", "bind", "sendto", "recvmsg"} < {name for name, _ in calls}
    assert {name for name, _ in calls} - allowed(said["SystemCallFilter"]) == set()
    families = {arguments.split(",")[0] for name, arguments in calls if name in ("socket", "socketpair")}
    assert families - {"AF_LOCAL"} - set(said["RestrictAddressFamilies"].split()) == set()
    mapped = [arguments for name, arguments in calls if name in ("mmap", "mprotect")]
    assert [each for each in mapped if "PROT_WRITE|PROT_EXEC" in each] == []
    opened = [arguments for name, arguments in calls if name in ("open", "openat") and " = -1 " not in arguments]
    written = {each.split('"')[1] for each in opened if re.search(r"O_WRONLY|O_RDWR|O_CREAT", each)}
    places = (
        folder,
        "/dev/",
        "/proc/self/",
        *(f"{path}/" for path in said["ReadWritePaths"].split() if path[0] == "/"),
    )
    assert folder + "/client.pid" in written
    assert {path for path in written if path[0] == "/" and not path.startswith(places)} == set()
