"""`relet storm` with real sockets: against `relet serve`, through relays and on a link, in one process and in several."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relet.lab.storm.fleet import ATTEMPTS, INVERSE, part_of, salt
from relet.net.crowd import RelaySocket
from relet.wire.address import parse_ip
from support.lab import RELET, Lab, Process, until
from support.serving import Serve

pytestmark = pytest.mark.namespaces

CONFIGURATION = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "storm"
interfaces = ["s0"]
lease-time = "1h"

[[network.subnet]]
prefix = "10.64.0.0/16"
pools = ["10.64.8.0-10.64.15.255"]
"""
RELAYS = "10.64.0.2,10.64.0.3"
TO = ("--server", "10.64.0.1", "--relay")


class Place:
    """A server and a host for the fleet, on one cable."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.host = lab, lab.namespace("fleet")
        server = lab.namespace("server")
        lab.cable(server, "s0", self.host, "c0")
        lab.address(server, "s0", "10.64.0.1/16")
        for relay in RELAYS.split(","):
            lab.address(self.host, "c0", f"{relay}/16")
        self.server = Serve(lab, server, CONFIGURATION, verbose=False)

    def start(self, *arguments: str | Path) -> Process:
        return self.lab.relet(self.host, "storm", *arguments, "--json", self.lab.folder / "report.json", "--seed", "1")

    def storm(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        """Exit code and report."""
        process = self.start(*arguments, "--limit", "25s")
        output, _ = process.popen.communicate(timeout=40)
        assert process.popen.returncode in (0, 1), output
        report: dict[str, Any] = json.loads((self.lab.folder / "report.json").read_bytes())
        return process.popen.returncode, report


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with Lab() as lab:
        yield Place(lab)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_five_hundred_clients_get_leases_and_have_them_confirmed(place: Place, processes: str) -> None:
    fleet = place.lab.folder / f"fleet-{processes}.json"
    crowd = ("--processes", processes)
    code, got = place.storm("allocate", *TO, RELAYS, "--clients", "500", *crowd, "--circuits", "16", "--save", fleet)
    assert (code, got["bound"], got["wrong"], got["overruns"]) == (0, 500, {}, 0)
    code, back = place.storm(
        "reboot", "--server", "10.64.0.1", "--fleet", fleet, *crowd, "--foreign", "4%", "--taken", "2%"
    )
    assert (code, back["bound"], back["kept"], back["wrong"]) == (0, 500, 500, {})
    met = {name: (each["ack"], each["nak"]) for name, each in back["remembered"].items()}
    assert met == {"valid": (470, 0), "foreign": (0, 20), "taken": (0, 10)}
    code, again = place.storm("renew", "--server", "10.64.0.1", "--fleet", fleet, *crowd, "--window", "50")
    assert (code, again["kept"], again["sent"]) == (0, 500, {"RENEWING": 500})


@pytest.mark.parametrize(
    "more", [("--broadcast",), (), ("--processes", "2")], ids=["broadcast", "unicast", "processes"]
)
def test_clients_stand_on_a_link(place: Place, more: tuple[str, ...]) -> None:
    fleet = place.lab.folder / "link.json"
    code, got = place.storm("allocate", "--interface", "c0", "--clients", "100", "--save", fleet, *more)
    assert (code, got["bound"], got["wrong"]) == (0, 100, {})
    code, back = place.storm("reboot", "--interface", "c0", "--fleet", fleet, "--foreign", "10%", *more)
    assert (code, back["kept"], back["remembered"]["foreign"]["nak"]) == (0, 100, 10)


def test_a_rate_is_kept(place: Place) -> None:
    code, got = place.storm("allocate", *TO, RELAYS, "--clients", "200", "--rate", "200")
    assert code == 0
    assert 0.9 < got["seconds"] < 3.0
    assert max(got["timeline"]["begun"]) < 100


def test_a_picture_is_made(place: Place) -> None:
    picture = place.lab.folder / "storm.svg"
    assert place.storm("allocate", *TO, RELAYS, "--clients", "50", "--picture", picture, "--name", "ours")[0] == 0
    assert "ours: all after" in picture.read_text(encoding="utf-8")


def test_it_ends_by_itself_when_nobody_answers(place: Place) -> None:
    process = place.start(
        "allocate", "--server", "10.64.0.99", "--relay", "10.64.0.2", "--clients", "20", "--limit", "1s"
    )
    process.line("0 of 20", "time is over after 1.0")
    assert process.wait() == 1


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_give_the_report_so_far(place: Place, ending: signal.Signals) -> None:
    process = place.start(
        "allocate", "--server", "10.64.0.99", "--relay", "10.64.0.2", "--clients", "20", "--limit", "60s"
    )
    process.line("bound 0 of 20")
    process.signal(ending)
    process.line("0 of 20", "interrupted after")
    assert process.wait() == 1


def test_if_the_first_process_is_killed_the_others_end(place: Place) -> None:
    process = place.start(
        "allocate", "--server", "10.64.0.99", "--relay", "10.64.0.2", "--clients", "20", "--limit", "60s"
    )
    process.line("bound 0 of 20")
    assert processes(place) == 2
    process.kill()
    until(lambda: processes(place) == 0)


def processes(place: Place) -> int:
    """How many are in the fleet's namespace, the one that tells it left out."""
    return len(place.lab.ip(place.host, "netns", "pids", place.host).split()) - 1


def test_what_it_will_do_is_said_first(place: Place) -> None:
    process = place.start("allocate", *TO, "10.64.0.2", "--clients", "5")
    said = process.line("clients")
    assert "5 clients ask for a lease against 10.64.0.1 through relay 10.64.0.2, all at once" in said
    assert "At most 120 s" in said
    assert process.wait() == 0


def test_without_rights_it_says_which_are_missing(place: Place) -> None:
    command = ("storm", "allocate", *TO, "10.64.0.2", "--clients", "5")
    dropped = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--reuid", "65534", "--clear-groups")
    denied = place.lab.start(place.host, *dropped, *RELET, *command)
    denied.line("cannot bind 10.64.0.2:67: Permission denied", "NET_BIND_SERVICE")
    assert denied.wait() == 3
    denied = place.lab.start(place.host, *dropped, *RELET, "storm", "allocate", "--interface", "c0", "--clients", "5")
    denied.line("cannot open a packet socket: Operation not permitted", "NET_RAW")
    assert denied.wait() == 3


def test_answers_are_steered_to_the_process_whose_client_is_meant(place: Place) -> None:
    """The kernel's arithmetic is the fleet's."""
    with place.lab.inside(place.host):
        here = parse_ip("127.0.0.1")
        sockets = [RelaySocket(here, here, shared=True) for _ in range(3)]
    try:
        sockets[0].steer(salt(5), INVERSE, ATTEMPTS, 3)
        octets = [number.to_bytes(8) for number in range(0, 1 << 32, 40_000_003)]
        assert sockets[1].send(octets) == len(octets)
        for number, socket in enumerate(sockets):
            heard = socket.receive()
            assert {part_of(int.from_bytes(payload[4:]), salt(5), 3) for payload in heard} == {number}
    finally:
        for socket in sockets:
            socket.close()
