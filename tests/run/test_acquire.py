"""The client's shell on a link where no server answers: what it does to interface, lease file and hook, and how it ends.

What it does where servers answer is in tests/peers.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from relet.model.effects import Binding, Remembered
from relet.net import netlink
from relet.run.leasefile import load, save
from relet.run.leaseformat import Content, Identity
from relet.wire.address import parse_ip
from support.lab import RELET, Lab, Process, until

pytestmark = pytest.mark.namespaces

USE_IT = ("--use-remembered", "--reboot-timeout", "0.2")


class Host(NamedTuple):
    """A host with an interface c0, at whose other end s0 nobody serves."""

    lab: Lab
    name: str
    other: str
    lease_file: Path

    def remember(self, age: float = 0.0) -> None:
        """Leave a lease of 192.168.1.5/24 behind, granted for an hour so many seconds ago, as an earlier run would have."""
        with self.lab.inside(self.name):
            identity = Identity(netlink.link("c0").mac, None)
        options = {1: b"\xff\xff\xff\0", 3: parse_ip("192.168.1.1").to_bytes(4)}
        granted = time.time() - age
        binding = Binding(parse_ip("192.168.1.5"), parse_ip("192.168.1.1"), granted, 3600, 1800, 3150, options)
        save(self.lease_file, Content().replacing(identity, (Remembered(binding),)))

    def remembers(self) -> bool:
        content, _ = load(self.lease_file)
        return content is not None and len(content.kept) == 1

    def start(self, *arguments: str | Path) -> Process:
        return self.lab.relet(self.name, *self.command(*arguments))

    def command(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        return ("client", "c0", "--lease-file", self.lease_file, "--json", "--conflict", "off", *arguments)

    def program(self, text: str) -> Path:
        hook = self.lab.folder / "hook"
        hook.write_text("#!/bin/sh\n" + text)
        hook.chmod(0o755)
        return hook

    def addresses(self) -> list[str]:
        return self.lab.addresses(self.name, "c0")


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        name, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(name, "c0", other, "s0")
        yield Host(lab, name, other, lab.folder / "c0.lease")


def event(process: Process, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(process.line(f'"event":"{name}"'))
    return told


def test_without_a_server_it_ends_when_the_time_is_up(host: Host) -> None:
    client = host.start("--timeout", "0.3")
    event(client, "selecting")
    event(client, "timeout")
    assert client.wait() == 1
    assert host.addresses() == []
    assert not host.lease_file.exists()


def test_silence_is_no_permission(host: Host) -> None:
    host.remember()
    client = host.start("--reboot-timeout", "0.2")
    event(client, "rebooting")
    event(client, "reboot-silence")
    event(client, "selecting")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert host.addresses() == []
    assert host.remembers()


def test_with_permission_the_remembered_lease_is_used_and_taken_away_in_the_end(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT)
    told = event(client, "bound")
    assert (told["cause"], told["address"], told["prefix"]) == ("remembered", "192.168.1.5", 24)
    assert host.addresses() == ["192.168.1.5/24"]
    client.signal(signal.SIGINT)
    assert client.wait() == 0
    assert host.addresses() == []
    assert host.remembers()


def test_once_leaves_the_address_to_the_kernel(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT, "--once")
    assert client.wait() == 0
    (row,) = (
        row for row in host.lab.ip(host.name, "-4", "address", "show", "dev", "c0").splitlines() if "valid" in row
    )
    assert 3500 < int(row.split()[1].removesuffix("sec")) <= 3600


def test_no_configure_does_everything_else(host: Host) -> None:
    host.remember()
    written = host.lab.folder / "written"
    hook = host.program(f"echo $RELET_REASON $RELET_INTERFACE $RELET_ADDRESS/$RELET_PREFIX >> {written}\n")
    client = host.start(*USE_IT, "--no-configure", "--hook", hook)
    event(client, "bound")
    event(client, "hook")
    assert host.addresses() == []
    client.signal(signal.SIGTERM)
    event(client, "unbound")
    event(client, "hook")
    assert client.wait() == 0
    assert written.read_text() == "preinit c0 /\nremembered c0 192.168.1.5/24\nstop c0 192.168.1.5/24\n"
    assert host.remembers()


def test_a_second_signal_does_not_wait_for_the_hook(host: Host) -> None:
    host.remember()
    hook = host.program("exec sleep 1000\n")
    client = host.start(*USE_IT, "--hook", hook)
    event(client, "bound")
    client.signal(signal.SIGTERM)
    event(client, "unbound")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0


def test_an_address_that_another_host_has_is_not_used(host: Host) -> None:
    host.remember()
    host.lab.address(host.other, "s0", "192.168.1.5/24")
    client = host.start(*USE_IT, "--conflict", "quick")
    assert "192.168.1.5 is in use by" in str(event(client, "conflict")["text"])
    assert host.addresses() == []
    assert not host.lease_file.exists()


def test_a_link_that_goes_takes_the_address_and_brings_it_back(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT)
    event(client, "bound")
    host.lab.ip(host.other, "link", "set", "s0", "down")
    assert event(client, "unbound")["cause"] == "link-down"
    assert host.addresses() == []
    host.lab.ip(host.other, "link", "set", "s0", "up")
    assert event(client, "bound")["cause"] == "remembered"
    assert host.addresses() == ["192.168.1.5/24"]


def test_an_interface_that_is_off_is_switched_on(host: Host) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "down")
    client = host.start()
    event(client, "selecting")


def test_a_lease_that_nobody_confirms_cannot_be_released_and_stays(host: Host) -> None:
    host.remember()
    client = host.start("--release", "--reboot-timeout", "0.2")
    event(client, "not-released")
    assert client.wait() == 1
    assert host.remembers()


def test_a_broken_lease_file_is_told_of_and_costs_the_memory_alone(host: Host) -> None:
    host.lease_file.write_text("{")
    client = host.start()
    assert str(host.lease_file) in str(event(client, "bad-lease-file")["text"])
    event(client, "selecting")


def test_a_lease_file_that_cannot_be_written_is_told_of_and_the_address_used(host: Host) -> None:
    host.remember()
    host.lease_file.with_name(".c0.lease.new").mkdir()
    # The gateway answers the client's question, and with that there is something to write down.
    host.lab.address(host.other, "s0", "192.168.1.1/24")
    client = host.start(*USE_IT)
    event(client, "bound")
    told = str(event(client, "lease-file")["text"])
    assert told == f"the lease file {host.lease_file} stays as it was: Is a directory"
    assert host.addresses() == ["192.168.1.5/24"]
    client.signal(signal.SIGTERM)
    assert str(event(client, "unbound")["text"]).endswith(
        "the lease could not be written down, so the next client may not know of it"
    )


@pytest.mark.parametrize("where", [">/dev/full", ">/dev/full 2>&1", ">&-"])
def test_what_cannot_be_printed_changes_nothing(host: Host, where: str) -> None:
    host.remember()
    written = host.lab.folder / "written"
    hook = host.program(f"echo $RELET_REASON >> {written}\n")
    arguments = (*RELET, *host.command(*USE_IT, "--hook", hook))
    client = host.lab.start(host.name, "sh", "-c", f'exec "$@" {where}', "sh", *arguments)
    until(written.exists)
    assert host.addresses() == ["192.168.1.5/24"]
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert host.addresses() == []
    assert written.read_text().split() == ["remembered", "stop"]


def test_a_second_client_on_the_interface_does_not_begin(host: Host) -> None:
    host.remember()
    first = host.start(*USE_IT)
    event(first, "bound")
    second = host.start("--lease-file", host.lab.folder / "other")
    second.line("cannot claim c0", "another client runs on this interface, end it first")
    assert second.wait() == 3
    assert host.addresses() == ["192.168.1.5/24"]
    assert host.remembers()


def test_a_release_that_cannot_be_sent_is_not_called_one(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT, "--no-configure")
    event(client, "bound")
    client.signal(signal.SIGUSR1)
    assert "192.168.1.1 from 192.168.1.5" in str(event(client, "not-sent")["text"])
    client.signal(signal.SIGUSR2)
    event(client, "not-sent")
    assert str(event(client, "unbound")["text"]).endswith("its server could not be told")
    assert client.wait() == 1


def test_a_release_to_a_server_that_is_gone_is_not_called_one(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT)
    event(client, "bound")
    client.signal(signal.SIGUSR2)
    assert str(event(client, "unbound")["text"]).endswith("its server could not be told")
    assert client.wait() == 1


def test_a_client_that_is_stopped_does_not_wait_long_for_a_hook(host: Host) -> None:
    host.remember()
    hook = host.program("[ $RELET_REASON = stop ] && exit\ntrap '' TERM INT\nexec sleep 1000\n")
    client = host.start(*USE_IT, "--hook", hook)
    event(client, "bound")
    client.signal(signal.SIGTERM)
    client.line("hook for remembered took longer than 5 s and is killed")
    client.line("hook for stop ended with exit code 0")
    assert client.wait() == 0


def test_a_lease_that_has_run_out_needs_no_release(host: Host) -> None:
    host.remember(age=4000)
    client = host.start("--release")
    event(client, "expired")
    assert client.wait() == 0
    assert not host.lease_file.exists()


def test_the_name_of_a_lease_file_need_not_be_text(host: Host) -> None:
    odd = host.lab.folder / os.fsdecode(b"\xff.lease")
    odd.mkdir()
    client = host.start("--lease-file", odd)
    assert str(event(client, "bad-lease-file")["text"]).endswith(
        "\N{REPLACEMENT CHARACTER}.lease cannot be read: Is a directory"
    )
    event(client, "selecting")


def test_an_address_and_a_route_that_somebody_takes_away_are_put_back(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT)
    event(client, "bound")
    host.lab.ip(host.name, "route", "del", "default")
    assert event(client, "put-back")["text"] == (
        "the route to 0.0.0.0/0 was taken off c0 by somebody else, and is put back"
    )
    assert any(route.startswith("default via 192.168.1.1") for route in host.lab.routes(host.name))
    host.lab.ip(host.name, "address", "flush", "dev", "c0")
    assert event(client, "taken-off")["text"] == "192.168.1.5 was taken off c0 again; put back in 5 s"
    client.signal(signal.SIGUSR1)  # the operator's word is not waited with
    client.line('"event":"put-back"', "192.168.1.5 was taken off c0 by somebody else")
    assert host.addresses() == ["192.168.1.5/24"]
    assert any(route.startswith("default via 192.168.1.1") for route in host.lab.routes(host.name))
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert host.addresses() == []


def test_what_the_client_takes_away_itself_stays_away_and_so_does_what_it_has_not_set(host: Host) -> None:
    host.remember()
    client = host.start(*USE_IT, "--no-configure")
    event(client, "bound")
    host.lab.address(host.name, "c0", "192.168.1.5/24")
    host.lab.ip(host.name, "address", "flush", "dev", "c0")
    client.signal(signal.SIGUSR1)
    event(client, "not-sent")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert host.addresses() == []
    client = host.start(*USE_IT)
    event(client, "bound")
    host.lab.ip(host.other, "link", "set", "s0", "down")
    event(client, "unbound")
    host.lab.ip(host.other, "link", "set", "s0", "up")
    event(client, "bound")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert [line for line in client.lines if "put-back" in line] == []


def test_an_address_that_an_operator_has_set_is_no_leftover(host: Host) -> None:
    host.remember()
    host.lab.address(host.name, "c0", "192.168.1.5/24")
    client = host.start("--reboot-timeout", "0.2")
    event(client, "selecting")
    assert host.addresses() == ["192.168.1.5/24"]
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert host.addresses() == ["192.168.1.5/24"]
