"""What a supervisor is told: heard at a socket of our own, by the class and by a running server."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relet.run.notify import Notify
from support.lab import RELET, Lab, gather
from support.serving import office


class Supervisor:
    """The other end: every datagram as its lines."""

    def __init__(self, address: str) -> None:
        self.variable = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def heard(self) -> list[list[str]]:
        """What has come so far."""
        said = []
        while True:
            try:
                said.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return said

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@relet-test-{os.getpid()}"
    with closing(Supervisor(address)) as made:
        yield made


def test_readiness_state_life_and_end_are_told(supervisor: Supervisor) -> None:
    notify = Notify({"NOTIFY_SOCKET": supervisor.variable, "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "7"}, 7)
    notify.ready("serves")
    assert supervisor.heard() == [["READY=1", "STATUS=serves"]]
    for mono in (100.0, 101.0, 104.9, 105.0, 109.0):
        notify.alive("serves", mono)
    assert supervisor.heard() == [["WATCHDOG=1"], ["WATCHDOG=1"]]
    notify.alive("the disk\nis full", 109.5)
    notify.alive("the disk\nis full", 109.6)
    assert supervisor.heard() == [["STATUS=the disk is full"]]
    notify.reloading(12.5)
    assert supervisor.heard() == [["RELOADING=1", "MONOTONIC_USEC=12500000"]]
    notify.stopping()
    assert supervisor.heard() == [["STOPPING=1"]]
    notify.close()


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}],
    ids=["none", "nonsense", "off", "anothers"],
)
def test_no_sign_of_life_is_given_that_nobody_asked_for(supervisor: Supervisor, watchdog: dict[str, str]) -> None:
    with closing(Notify({"NOTIFY_SOCKET": supervisor.variable, **watchdog}, 7)) as notify:
        notify.ready("serves")
        notify.alive("serves", 100.0)
    assert supervisor.heard() == [["READY=1", "STATUS=serves"]]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nobody/listens"}, {"NOTIFY_SOCKET": "/" + 200 * "x"}])
def test_nobody_who_listens_is_no_harm(environment: dict[str, str]) -> None:
    with closing(Notify(environment | {"WATCHDOG_USEC": "1"}, 7)) as notify:
        notify.ready("serves")
        notify.alive("stops", 1.0)
        notify.stopping()


@pytest.mark.namespaces
def test_a_running_server_tells_its_supervisor(tmp_path: Path) -> None:
    with Lab() as lab, closing(Supervisor(str(tmp_path / "notify"))) as supervisor:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        config = tmp_path / "relet.toml"
        config.write_text(office())
        told = (f"NOTIFY_SOCKET={supervisor.variable}", "WATCHDOG_USEC=2000000")
        process = lab.start(server, "env", *told, *RELET, "serve", "--config", config)
        heard = gather(supervisor.heard, 3)
        assert heard[0] == ["READY=1", "STATUS=serves (networks 1, addresses 1)"]
        assert heard[1:] == [["WATCHDOG=1"], ["WATCHDOG=1"]]
        ready = ["READY=1", "STATUS=serves (networks 1, addresses 1)"]
        # a reload that is refused has an end as well
        for text in (office(pool="192.168.1.50-192.168.1.60"), "nonsense"):
            config.write_text(text)
            process.signal(signal.SIGHUP)
            heard = []
            while ready not in heard:
                heard += gather(supervisor.heard, 1)
            heard = [lines for lines in heard if lines != ["WATCHDOG=1"]]
            assert [lines[0] for lines in heard] == ["RELOADING=1", "READY=1"]
            assert heard[0][1].startswith("MONOTONIC_USEC=")
        lab.ip(server, "address", "del", "192.168.1.1/24", "dev", "s0")
        process.line("interface lost")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        assert supervisor.heard()[-1] == ["STOPPING=1"]
