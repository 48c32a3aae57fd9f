"""The operator's program: what it is given, in which order it runs, and how it is ended."""

import signal
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

from relet.model.effects import Binding
from relet.net.clock import now
from relet.run.hook import FAREWELL_S, MAX_VALUE, MAX_WAITING, TIMEOUT_S, Hooks, environment
from relet.run.loop import Loop
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from support.lab import until


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
        12: b"host\nnameserver 6.6.6.6;$(reboot)\x1b[2J",
        28: address("192.168.1.127"),
        51: b"\0\0\x0e\x10",
        121: options.CLASSLESS_ROUTES.encode(((parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.1")),)),
        224: b"\x01\x02",
        100: b"",
    },
    parse_ip("192.168.1.9"),
    file=b"boot/image",
)


def test_a_hook_is_given_everything() -> None:
    variables = environment("reboot", "eth0", BINDING)
    assert (
        variables.items()
        >= {
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
            "RELET_OPTION_224": "01:02",
        }.items()
    )
    named = {name for name in variables if name.startswith("RELET_OPTION_")}
    assert len(named) == len(BINDING.options)


def test_every_option_has_a_name_that_a_shell_takes() -> None:
    everything = Binding(1, 1, 0.0, INFINITE, INFINITE, INFINITE, dict.fromkeys(range(1, 255), b"\x01"))
    variables = environment("bound", "eth0", everything)
    assert all(name.isidentifier() and name.isascii() and name == name.upper() for name in variables)
    assert len([name for name in variables if name.startswith("RELET_OPTION_")]) == 254
    assert variables["RELET_EXPIRES"] == "never"


def test_values_have_no_control_characters_and_an_end() -> None:
    value = environment("bound", "eth0", BINDING)["RELET_OPTION_HOST_NAME"]
    assert value.isprintable()
    assert value.startswith("host")
    long = Binding(1, 1, 0.0, 60, 30, 50, {224: bytes(20000)})
    assert len(environment("bound", "eth0", long)["RELET_OPTION_224"]) == MAX_VALUE


class Rig:
    """A hook that writes down what it sees, and the loop that it runs beside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.loop = Loop(lambda: None, lambda: None)
        self.hooks = Hooks((str(folder / "hook"), "an argument"), self.loop, self.told)

    def told(self, text: str) -> None:
        self.said.append(text)
        if self.hooks.idle():
            self.loop.stop()

    def program(self, *lines: str) -> None:
        path = self.folder / "hook"
        path.write_text("\n".join(("#!/bin/sh", f"cd {self.folder}", *lines)))
        path.chmod(0o755)

    def written(self) -> list[str]:
        return (self.folder / "written").read_text().splitlines()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.hooks.close()
    rig.loop.close()


def test_it_runs_beside_the_loop_with_its_values(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_OPTION_FROM_EARLIER", "stale")
    rig.program('echo "$1 $RELET_REASON $RELET_ADDRESS $RELET_OPTION_FROM_EARLIER." > written', "exit 3")
    rig.hooks.run("bound", environment("bound", "eth0", BINDING))
    assert not rig.hooks.idle()
    assert rig.hooks.deadline() < inf
    rig.loop.run()
    assert rig.written() == ["an argument bound 192.168.1.5 ."]
    assert rig.said == ["hook for bound ended with exit code 3"]
    assert rig.hooks.deadline() == inf


def test_no_shell_reads_what_a_server_sent(rig: Rig) -> None:
    rig.program('echo "$RELET_OPTION_HOST_NAME" > written')
    rig.hooks.run("bound", environment("bound", "eth0", BINDING))
    rig.loop.run()
    (line,) = rig.written()
    assert "$(reboot)" in line


def test_runs_follow_each_other_in_order_and_the_oldest_are_left_out(rig: Rig) -> None:
    rig.program("echo $RELET_REASON >> written")
    reasons = [f"r{number}" for number in range(MAX_WAITING + 2)]
    for reason in reasons:
        rig.hooks.run(reason, {"RELET_REASON": reason})
    assert rig.said == ["hook for r1 left out: too many are waiting"]
    rig.loop.run()
    assert rig.written() == [reasons[0], *reasons[2:]]


def test_one_that_takes_too_long_is_killed_with_what_it_started(rig: Rig) -> None:
    rig.program("sleep 1000 & echo $! > child", "mv child written", "wait")
    rig.hooks.run("bound", {})
    until((rig.folder / "written").exists)
    rig.hooks.wake(rig.hooks.deadline() - 1)
    assert rig.said == []
    rig.hooks.wake(rig.hooks.deadline())
    rig.loop.run()
    assert rig.said == [
        "hook for bound took longer than 60 s and is killed",
        f"hook for bound ended with signal {signal.SIGKILL.value}",
    ]
    stat = Path(f"/proc/{rig.written()[0]}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_at_the_end_only_the_newest_is_waited_for_and_not_long(rig: Rig) -> None:
    rig.program("echo $RELET_REASON >> written", "[ $RELET_REASON != bound ] || exec sleep 1000")
    for reason in ("bound", "renew", "stop"):
        rig.hooks.run(reason, {"RELET_REASON": reason})
    assert rig.hooks.deadline() > now().mono + TIMEOUT_S - FAREWELL_S
    until((rig.folder / "written").exists)
    rig.hooks.hurry()
    assert rig.hooks.deadline() <= now().mono + FAREWELL_S
    rig.hooks.wake(rig.hooks.deadline())
    rig.loop.run()
    assert rig.written() == ["bound", "stop"]
    assert rig.said == [
        "hook for renew left out: the client ends",
        "hook for bound took longer than 5 s and is killed",
        f"hook for bound ended with signal {signal.SIGKILL.value}",
        "hook for stop ended with exit code 0",
    ]


def test_at_the_end_with_nothing_running_there_is_nothing_to_wait_for(rig: Rig) -> None:
    rig.hooks.hurry()
    assert rig.hooks.deadline() == inf
    assert rig.hooks.idle()


def test_one_that_cannot_be_run_is_told_of_and_the_next_is_tried(rig: Rig) -> None:
    rig.hooks.run("bound", {})
    (said,) = rig.said
    assert said.startswith("hook for bound cannot be run: ")
    assert rig.hooks.idle()


def test_without_a_program_nothing_runs(rig: Rig) -> None:
    hooks = Hooks((), rig.loop, rig.told)
    hooks.run("bound", {})
    assert hooks.idle()


def test_closing_ends_what_runs(rig: Rig) -> None:
    rig.program("sleep 1000")
    rig.hooks.run("bound", {})
    rig.hooks.run("renew", {})
    rig.hooks.close()
    assert rig.hooks.idle()
