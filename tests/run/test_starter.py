"""Who waits for the client's first address: let go at that, or when its time is up, once, and told where things are."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path

import pytest

from relet.net import clock
from relet.run.notify import Notify
from relet.run.starter import Starter
from relet.run.told import Told


class Supervisor:
    """systemd's end, and a starter that tells it."""

    def __init__(self, address: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(address))
        self._notify = Notify({"NOTIFY_SOCKET": str(address)}, os.getpid())

    def starter(self, wait_s: float = inf) -> Starter:
        return Starter(self._notify, wait_s=wait_s)

    def heard(self) -> list[str]:
        """Lines since last time."""
        lines: list[str] = []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._notify.close()
        self._socket.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with closing(Supervisor(tmp_path / "notify")) as supervisor:
        yield supervisor


def told(event: str, text: str, interface: str = "eth0") -> Told:
    return Told(event=event, text=text, at=0.0, interface=interface)


def test_it_is_ready_with_the_first_address_and_its_state_goes_on(supervisor: Supervisor) -> None:
    starter = supervisor.starter()
    starter.told(told("selecting", "looking for a server"))
    assert supervisor.heard() == ["STATUS=eth0: looking for a server"]
    assert starter.deadline() == inf
    starter.told(told("bound", "bound to 192.168.1.5/24"))
    assert supervisor.heard() == ["READY=1", "STATUS=eth0: bound to 192.168.1.5/24"]
    starter.told(told("hook", "hook for bound ended with exit code 0"))
    starter.told(told("bound", "bound to 192.168.2.5/24", "eth1"))
    assert supervisor.heard() == ["STATUS=eth0: bound to 192.168.1.5/24; eth1: bound to 192.168.2.5/24"]
    starter.ending()
    assert supervisor.heard() == ["STOPPING=1"]


def test_a_network_that_needs_no_ipv4_is_not_waited_for(supervisor: Supervisor) -> None:
    starter = supervisor.starter(wait_s=30)
    starter.told(told("v6only", "doing without IPv4"))
    assert supervisor.heard() == ["READY=1", "STATUS=eth0: doing without IPv4"]
    assert starter.deadline() == inf


def test_who_waits_is_let_go_when_the_time_is_up_and_not_twice(supervisor: Supervisor) -> None:
    before = clock.now().mono
    starter = supervisor.starter(wait_s=30)
    assert before + 30 <= starter.deadline() <= clock.now().mono + 30
    starter.told(told("selecting", "looking for a server"))
    starter.wake(starter.deadline() - 0.1)
    assert supervisor.heard() == ["STATUS=eth0: looking for a server"]
    starter.wake(starter.deadline())
    assert supervisor.heard() == ["READY=1", "STATUS=eth0: looking for a server"]
    assert starter.deadline() == inf
    starter.wake(before + 3600)
    starter.told(told("bound", "bound to 192.168.1.5/24"))
    assert supervisor.heard() == ["STATUS=eth0: bound to 192.168.1.5/24"]


def test_an_address_ends_the_wait_before_its_time(supervisor: Supervisor) -> None:
    starter = supervisor.starter(wait_s=30)
    starter.told(told("bound", "bound to 192.168.1.5/24"))
    assert starter.deadline() == inf
