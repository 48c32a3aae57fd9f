"""The hooks in examples/hooks: what they do with a lease, and what they leave alone.

Host names are set in a UTS namespace; the programs that speak to services are stand-ins that write down what they are told.
"""

import os
import subprocess
from pathlib import Path

import pytest

from relet.model.effects import Binding
from relet.run.variables import LEASED, REASONS, environment
from relet.wire.address import parse_ip
from support.lab import need

HOOKS = Path(__file__).parents[2] / "examples" / "hooks"
OVER = sorted(REASONS.keys() - LEASED)


def lease(hostname: bytes = b"host7", ntp: tuple[str, ...] = ("192.168.1.3", "192.168.1.4")) -> Binding:
    servers = b"".join(parse_ip(text).to_bytes(4) for text in ntp)
    carried = {1: b"\xff\xff\xff\0", 12: hostname, 42: servers}
    return Binding(parse_ip("192.168.1.5"), 1, 0.0, 60, 30, 50, {code: each for code, each in carried.items() if each})


class Machine:
    """Programs that write down what they are told, and a folder for what hooks write."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sources, self.given = folder, folder / "sources", folder / "run" / "hostname"
        self.told = folder / "told"
        programs = folder / "bin"
        programs.mkdir()
        for name in ("chronyc", "systemctl", "hostnamectl"):
            (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {self.told}\n')
            (programs / name).chmod(0o755)
        self._own = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SOURCES": str(self.sources),
            "GIVEN": str(self.given),
            "SYSTEMD": str(folder / "systemd"),
        }

    def run(self, hook: str, reason: str, binding: Binding, *within: str) -> str:
        """Run it as a client would; what it prints."""
        variables = self._own | environment(reason, "eth0", binding)
        argv = [*within, str(HOOKS / hook), REASONS[reason][1]]
        done = subprocess.run(argv, env=variables, check=False, capture_output=True, text=True, timeout=10)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def host_name(self, present: str, reason: str, binding: Binding) -> str:
        """What a host that is called `present` is called after the hook has run."""
        need("hostname")
        shell = ("sh", "-c", f'echo "{present}" > /proc/sys/kernel/hostname && "$@" && hostname', "sh")
        return self.run("hostname", reason, binding, need("unshare"), "--uts", *shell).strip()

    def heard(self) -> list[str]:
        return self.told.read_text().splitlines() if self.told.exists() else []

    def written(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.sources.glob("*")}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.namespaces
@pytest.mark.parametrize("present", ["localhost", "(none)"])
def test_a_host_without_a_name_takes_that_of_the_lease(machine: Machine, present: str) -> None:
    assert machine.host_name(present, "bound", lease()) == "host7"
    assert machine.host_name("host7", "renew", lease(b"host8")) == "host8"


@pytest.mark.namespaces
def test_a_host_with_a_name_of_its_own_keeps_it(machine: Machine) -> None:
    assert machine.host_name("mine", "bound", lease()) == "mine"
    assert machine.host_name("localhost", "bound", lease()) == "host7"
    assert machine.host_name("mine", "renew", lease(b"host8")) == "mine"


@pytest.mark.namespaces
@pytest.mark.parametrize("hostname", [b"", b"a b", b"-x", b"$(reboot)", b"x;reboot"])
def test_what_is_no_name_is_not_taken(machine: Machine, hostname: bytes) -> None:
    assert machine.host_name("localhost", "bound", lease(hostname)) == "localhost"


@pytest.mark.namespaces
@pytest.mark.parametrize("reason", OVER)
def test_a_lease_that_is_over_changes_no_name(machine: Machine, reason: str) -> None:
    assert machine.host_name("localhost", reason, lease()) == "localhost"


@pytest.mark.namespaces
def test_where_systemd_runs_its_service_is_asked(machine: Machine) -> None:
    (machine.folder / "systemd").mkdir()
    assert machine.host_name("localhost", "bound", lease()) == "localhost"
    assert machine.heard() == ["hostnamectl --transient set-hostname host7"]


CHRONY = "server 192.168.1.3 iburst\nserver 192.168.1.4 iburst\n"
TIMESYNCD = "[Time]\nNTP=192.168.1.3 192.168.1.4\n"


@pytest.mark.parametrize(
    ("hook", "file", "text", "told"),
    [
        ("chrony", "eth0.sources", CHRONY, "chronyc reload sources"),
        ("timesyncd", "01-relet-eth0.conf", TIMESYNCD, "systemctl try-restart systemd-timesyncd.service"),
    ],
)
def test_time_servers_come_and_go_with_the_lease(machine: Machine, hook: str, file: str, text: str, told: str) -> None:
    machine.run(hook, "bound", lease())
    machine.run(hook, "renew", lease())  # nothing new
    assert (machine.written(), machine.heard()) == ({file: text}, [told])
    machine.run(hook, "renew", lease(ntp=("192.168.1.3",)))
    assert "192.168.1.4" not in machine.written()[file]
    for reason in OVER:
        machine.run(hook, reason, lease())
        assert machine.written() == {}
        before = machine.heard()
        machine.run(hook, reason, lease())  # nothing new
        assert machine.heard() == before
        machine.run(hook, "bound", lease())
    machine.run(hook, "renew", lease(ntp=()))
    assert machine.written() == {}
    assert machine.heard() == [told] * (3 + 2 * len(OVER))


def test_several_hooks_are_run_in_order_by_one(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "hooks.d"
    folder.mkdir()
    for name, line in (("10-first", "exit 1"), ("20-second", ":"), ("30-no-program", ":")):
        (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" $RELET_REASON >> {machine.told}\n{line}\n')
        (folder / name).chmod(0o644 if "no" in name else 0o755)
    variables = {"PATH": os.environ["PATH"], "HOOKS": str(folder)} | environment("renew", "eth0", lease())
    done = subprocess.run([HOOKS / "all", "renew"], env=variables, check=False, timeout=10)
    assert done.returncode == 1
    assert machine.heard() == ["10-first renew renew", "20-second renew renew"]
