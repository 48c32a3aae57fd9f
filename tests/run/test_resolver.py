"""Name servers, told to whoever looks after resolv.conf: which one that is, what it is told, and that all is as before."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from relet.model.effects import Note
from relet.net.clock import now
from relet.run.loop import Loop
from relet.run.plan import Plan
from relet.run.programs import Programs
from relet.run.resolver import MAX_OCTETS, Places, Resolver
from relet.run.resolvfile import BEFORE, HEADER
from relet.wire.address import parse_ip

OPERATORS = b"# the operator's\noptions edns0\nnameserver 10.0.0.1\n"
SOMEBODYS = b"nameserver 10.9.9.9\n"


def plan(*servers: str, search: tuple[str, ...] = (), lasts: float = 3600.0) -> Plan:
    return Plan(1, 24, nameservers=tuple(map(parse_ip, servers)), search=search, expires=now().wall + lasts)


HOME = plan("192.168.1.1", "9.9.9.9", search=("home.example", "example"))
WORK = plan("172.16.0.1", "9.9.9.9", search=("work.example",))
AT_HOME = ["search home.example example", "nameserver 192.168.1.1", "nameserver 9.9.9.9"]
AT_WORK = ["search work.example", "nameserver 172.16.0.1", "nameserver 9.9.9.9"]


class Machine:
    """A machine's places, all in one folder, and programs that write down what they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc, self.bin, self.resolved = folder / "etc", folder / "bin", folder / "resolved"
        for each in (self.etc, self.bin, self.resolved):
            each.mkdir()
        self.conf = self.etc / "resolv.conf"
        self.conf.write_bytes(OPERATORS)
        self.conf.chmod(0o640)
        self.said: list[str] = []
        self.look_at = 0.0
        self.loop = Loop(lambda: self.look_at, self.look)
        self.programs = Programs(self.loop, self.told)
        self.places = Places(
            str(self.conf),
            folder / "state",
            (str(self.bin),),
            (str(self.resolved),),
            networks=folder / "networks",
        )

    def told(self, kind: str, text: str) -> None:
        self.said.append(f"{kind}: {text}")

    def look(self) -> None:
        self.look_at = now().mono + 0.01
        if self.programs.idle():
            self.loop.stop()

    def resolver(self) -> Resolver:
        """As in another process: it knows what files know."""
        return Resolver(self.programs, self.places)

    def program(self, name: str, code: int = 0) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\n{{ echo {name} $IF_METRIC "$@"; /bin/cat; }} >> {self.folder}/told\nexit {code}\n')
        path.chmod(0o755)

    def heard(self) -> list[str]:
        """What the programs were told so far, once all have run."""
        self.loop.run()
        return (self.folder / "told").read_text().splitlines()

    def lines(self) -> list[str]:
        octets = self.conf.read_bytes()
        assert octets.startswith(HEADER)
        return octets.removeprefix(HEADER).decode().splitlines()

    def as_before(self) -> bool:
        """The operator's octets and mode, and nothing of ours beside it."""
        real = self.conf.resolve()
        beside = [each.name for each in real.parent.iterdir()]
        return (real.read_bytes(), real.stat().st_mode & 0o777, beside) == (OPERATORS, 0o640, [real.name])


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.programs.close()
    machine.loop.close()


def test_the_file_is_written_changed_and_put_back(machine: Machine) -> None:
    resolver = machine.resolver()
    assert resolver.apply("eth0", 1002, HOME) == []
    assert machine.lines() == AT_HOME
    assert machine.conf.stat().st_mode & 0o777 == 0o640
    assert resolver.apply("eth0", 1002, WORK) == []
    assert machine.lines() == AT_WORK
    assert resolver.withdraw("eth0") == []
    assert machine.as_before()
    assert resolver.withdraw("eth0") == []
    assert machine.as_before()


def test_several_interfaces_count_by_their_metric_whoever_runs_them(machine: Machine) -> None:
    first, second = machine.resolver(), machine.resolver()
    first.apply("eth0", 1002, HOME)
    second.apply("wlan0", 600, WORK)
    servers = ["nameserver 172.16.0.1", "nameserver 9.9.9.9", "nameserver 192.168.1.1"]
    assert machine.lines() == ["search work.example home.example example", *servers]
    second.withdraw("wlan0")
    assert machine.lines() == AT_HOME
    first.withdraw("eth0")
    assert machine.as_before()


def test_what_a_killed_client_left_is_cleared_up_by_the_next(machine: Machine) -> None:
    machine.resolver().apply("eth0", 1002, HOME)
    later = machine.resolver()
    assert later.withdraw("eth0") == []
    assert machine.as_before()
    machine.resolver().apply("eth0", 1002, HOME)
    later.apply("eth0", 1002, WORK)
    assert machine.lines() == AT_WORK
    later.withdraw("eth0")
    assert machine.as_before()


def test_so_is_what_it_left_before_the_machine_booted_again(machine: Machine) -> None:
    machine.resolver().apply("eth0", 1002, HOME)
    for file in list(machine.places.state.iterdir()):
        file.unlink()
    later = machine.resolver()
    later.apply("eth0", 1002, WORK)
    later.withdraw("eth0")
    assert machine.as_before()


def test_a_lease_that_ran_out_without_its_client_counts_no_more(machine: Machine) -> None:
    machine.resolver().apply("eth0", 1002, plan("192.168.1.1", lasts=-1.0))
    other = machine.resolver()
    other.apply("wlan0", 2000, WORK)
    assert machine.lines() == AT_WORK
    other.withdraw("wlan0")
    assert machine.as_before()


def test_what_somebody_else_writes_has_the_last_word(machine: Machine) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    machine.conf.write_bytes(SOMEBODYS)
    resolver.apply("eth0", 1002, HOME)  # a renewal
    assert machine.conf.read_bytes() == SOMEBODYS
    resolver.withdraw("eth0")
    assert machine.conf.read_bytes() == SOMEBODYS
    assert [each.name for each in machine.etc.iterdir()] == ["resolv.conf"]


def test_and_is_what_was_there_before_another_lease(machine: Machine) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    machine.conf.write_bytes(SOMEBODYS)
    resolver.apply("eth0", 1002, WORK)
    assert machine.lines() == AT_WORK
    resolver.withdraw("eth0")
    assert machine.conf.read_bytes() == SOMEBODYS


def test_a_renewal_leaves_the_file_alone(machine: Machine) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    before = machine.conf.stat().st_ino
    resolver.apply("eth0", 1002, plan("192.168.1.1", "9.9.9.9", search=HOME.search, lasts=7200.0))
    assert machine.conf.stat().st_ino == before


def test_where_there_was_no_file_there_is_none_in_the_end(machine: Machine) -> None:
    machine.conf.unlink()
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    assert machine.conf.stat().st_mode & 0o777 == 0o644
    resolver.withdraw("eth0")
    assert list(machine.etc.iterdir()) == []


def test_a_link_stays_a_link(machine: Machine) -> None:
    elsewhere = machine.folder / "elsewhere"
    elsewhere.mkdir()
    machine.conf.rename(elsewhere / "real.conf")
    machine.conf.symlink_to("../elsewhere/real.conf")
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    assert machine.conf.is_symlink()
    assert machine.lines() == AT_HOME
    assert sorted(each.name for each in elsewhere.iterdir()) == ["real.conf", "real.conf" + BEFORE]
    resolver.withdraw("eth0")
    assert machine.conf.is_symlink()
    assert machine.as_before()


@pytest.mark.parametrize("target", ["/nowhere/at/all", "resolv.conf"])
def test_a_link_that_leads_nowhere_is_told_of(machine: Machine, target: str) -> None:
    machine.conf.unlink()
    machine.conf.symlink_to(target)
    (note,) = machine.resolver().apply("eth0", 1002, HOME)
    assert note.kind == "bad-resolver"
    assert "cannot be written" in note.text
    assert str(machine.conf.readlink()) == target


def test_without_name_servers_nothing_is_said(machine: Machine) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, plan(search=("home.example",)))
    assert machine.as_before()
    resolver.apply("eth0", 1002, HOME)
    resolver.apply("eth0", 1002, plan())
    assert machine.as_before()


def test_resolvconf_is_told_where_it_is(machine: Machine) -> None:
    machine.program("resolvconf")
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    assert machine.heard() == ["resolvconf 1002 -a eth0.relet", *AT_HOME]
    resolver.apply("eth0", 1002, HOME)  # a renewal
    machine.resolver().withdraw("eth0")
    assert machine.heard()[4:] == ["resolvconf 1002 -d eth0.relet"]
    assert machine.as_before()
    assert machine.said == []


def test_one_that_fails_is_told_of(machine: Machine) -> None:
    machine.program("resolvconf", code=7)
    machine.resolver().apply("eth0", 1002, HOME)
    machine.heard()
    assert machine.said == ["resolver: resolvconf ended with exit code 7"]


def test_resolved_is_told_where_resolv_conf_is_its_own(machine: Machine) -> None:
    for name in ("resolvectl", "resolvconf"):
        machine.program(name)
    stub = machine.resolved / "stub-resolv.conf"
    stub.write_text("nameserver 127.0.0.53\n")
    machine.conf.unlink()
    machine.conf.symlink_to(stub)
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    resolver.apply("wlan0", 600, plan("172.16.0.1"))
    told = [
        "resolvectl 1002 dns eth0 192.168.1.1 9.9.9.9",
        "resolvectl 1002 domain eth0 home.example example",
        "resolvectl 600 dns wlan0 172.16.0.1",
        "resolvectl 600 domain wlan0 ",
    ]
    assert machine.heard() == told
    resolver.withdraw("eth0")
    assert machine.heard()[4:] == ["resolvectl 1002 revert eth0"]
    assert stub.read_text() == "nameserver 127.0.0.53\n"


def test_resolvectl_under_the_name_of_resolvconf_is_none(machine: Machine) -> None:
    """Where resolved is not in charge of resolv.conf, it would be told in vain."""
    machine.program("resolvectl")
    (machine.bin / "resolvconf").symlink_to("resolvectl")
    machine.resolver().apply("eth0", 1002, HOME)
    assert machine.lines() == AT_HOME
    assert not (machine.folder / "told").exists()


def test_whoever_looks_after_it_may_change_meanwhile(machine: Machine) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    machine.program("resolvconf")
    resolver.apply("eth0", 1002, HOME)
    assert machine.heard()[0] == "resolvconf 1002 -a eth0.relet"
    assert machine.as_before()


def test_the_machines_own_file_is_left_alone_in_a_network_of_its_own(machine: Machine) -> None:
    machine.places.networks.mkdir()
    (machine.places.networks / "ours").symlink_to("/proc/self/ns/net")
    resolver = machine.resolver()
    (note,) = resolver.apply("eth0", 1002, HOME)
    assert resolver.apply("eth0", 1002, HOME) == []  # it is told once
    assert note == Note("no-resolver", f"{machine.conf} is left alone: this network namespace has none of its own")
    assert machine.as_before()


@pytest.mark.parametrize("rubbish", [b"", b"{}", b"\xff", b'{"interface": 1}', b" " * MAX_OCTETS + b"{}"])
def test_a_broken_memory_counts_as_none(machine: Machine, rubbish: bytes) -> None:
    resolver = machine.resolver()
    resolver.apply("eth0", 1002, HOME)
    (machine.places.state / "wlan0.resolver").write_bytes(rubbish)
    assert resolver.withdraw("wlan0") == []
    assert json.loads((machine.places.state / "eth0.resolver").read_bytes())["manager"] == "file"
    resolver.withdraw("eth0")
    assert machine.as_before()


def test_where_nothing_can_be_remembered_nothing_is_changed(machine: Machine) -> None:
    machine.places.state.write_text("in the way")
    (note,) = machine.resolver().apply("eth0", 1002, HOME)
    assert note.kind == "bad-resolver"
    assert machine.as_before()


class Killed(BaseException):
    """In place of kill -9: nothing that catches errors catches it."""


STEPS = ((Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (os, "open"), (os, "write"))
"""What changes files, or opens them to be changed."""


def killed_before(step: int, monkeypatch: pytest.MonkeyPatch, life: Callable[[], object]) -> bool:
    """Run it up to that step. Was it killed?"""
    steps = count(1)

    def watched(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            if next(steps) == step:
                raise Killed
            return function(*arguments, **named)

        return call

    with monkeypatch.context() as patched:
        for owner, name in STEPS:
            patched.setattr(owner, name, watched(getattr(owner, name)))
        try:
            life()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("next_one", ["takes it back", "has a lease of its own"])
def test_whenever_a_client_is_killed_the_next_one_leaves_all_as_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, next_one: str
) -> None:
    def life() -> None:
        resolver = machine.resolver()
        resolver.apply("eth0", 1002, HOME)
        resolver.apply("eth0", 1002, WORK)
        resolver.withdraw("eth0")

    for step in count(1):
        killed = killed_before(step, monkeypatch, life)
        later = machine.resolver()
        if next_one != "takes it back":
            assert later.apply("eth0", 1002, HOME) == []
            assert machine.lines() == AT_HOME
        assert later.withdraw("eth0") == []
        assert machine.as_before()
        if not killed:
            break
    assert step > 20
