"""A configuration that is read again while the server runs: refused as a whole, or applied between two batches."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from relet.model.clock import Now
from relet.model.effects import SERVER_PORT
from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.model.network import Settings
from relet.net.link import LinkError
from relet.run.control import ask
from relet.run.reload import APPLIED, COMPARED, PREPARING, REFUSED, Reload, Reloaded
from relet.server.engine import Engine
from relet.store import open_store
from relet.store.memory import MemoryStore
from relet.wire.address import ip_text
from relet.wire.message import decode, encode
from support.lab import RELET, Lab, until
from support.serving import Serve
from support.table import SERVER, arrive, ip, kind_of, reboot

NOW = Now(1_000_000.0, 500.0)
RELAY = ip(254)
RELOADS = 20
CLIENTS = 8
CROWD = 11_000
"""Leases in the store, so that a reload takes more than one step."""

CONFIG = """
[server]
store = "{store}"
control = "{control}"
options = {{ domain-name = "{domain}" }}
lease-time = "{time}"

[[network]]
name = "office"
interfaces = ["s0"]

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]

[[network.subnet]]
prefix = "10.0.0.0/16"
pools = ["10.0.1.0-10.0.250.255"]
{more}
"""
MOVE = """
[[network.reservation]]
mac = "02:00:00:00:00:00"
address = "192.168.1.10"
"""


def config(
    domain: str = "one.example", time: str = "1h", store: str = "memory:", control: str = "", more: str = ""
) -> str:
    return CONFIG.format(domain=domain, time=time, store=store, control=control, more=more)


def mac(number: int) -> bytes:
    return b"\2\0" + number.to_bytes(4)


def lease(address: int, number: int) -> Lease:
    return Lease(
        address, client_key(None, 1, mac(number)), "office", LeaseState.BOUND, 0, 4_000_000_000, b"\1" + mac(number)
    )


class Desk:
    """An engine, a file, and sockets that may be refused."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "relet.toml"
        self.file.write_text(config())
        self.wanted: list[Settings] = []
        self.refuse = False
        store = MemoryStore()
        store.commit([Change(None, lease(ip(100 + number), number)) for number in range(3)], 0.0)
        settings = self.read()
        self.engine = Engine(settings.networks, store, frozenset({SERVER}))
        self.reload = Reload(self.engine, settings, self.file, self.want)

    def read(self) -> Settings:
        return Reload(Engine((), MemoryStore()), Settings(()), self.file, self.want)._read()

    def want(self, settings: Settings) -> None:
        self.wanted.append(settings)
        if self.refuse and len(self.wanted) == 1:
            raise LinkError("port 67 is taken")

    def again(self, text: str, dry: bool = False) -> Reloaded:
        """All of a reload."""
        self.file.write_text(text)
        self.reload.begin(dry, NOW)
        while self.reload.busy:
            assert self.reload.said.state == PREPARING
            self.reload.step()
        return self.reload.said

    def answer(self) -> tuple[str, bytes]:
        """To the first client's INIT-REBOOT: the answer and the domain name in it."""
        sends = self.engine.handle([arrive(reboot(ip(100), mac(0)), interface="s0")], NOW)
        reply = decode(sends[0].payload)
        return kind_of(reply), reply.options.get(15, b"")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_good_file_is_applied_and_tells_who_has_to_move(desk: Desk) -> None:
    said = desk.again(config("two.example", more=MOVE))
    assert said.state == APPLIED
    assert said.changes == [
        "network office: option domain-name: changed",
        "network office: reservation of mac 02:00:00:00:00:00: none -> 192.168.1.10",
    ]
    assert said.moving == 1
    assert [(move.address, move.to) for move in said.moves] == [("192.168.1.100", "192.168.1.10")]
    assert desk.answer()[0] == "NAK"
    assert desk.reload.settings == desk.wanted[-1]


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    said = desk.again(config("two.example", more=MOVE), dry=True)
    assert (said.state, said.moving, len(said.changes)) == (COMPARED, 1, 2)
    assert desk.answer() == ("ACK", b"one.example")
    assert desk.wanted == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (config(more="[[network.subnet]]\nprefix = 7\n"), "relet.toml:"),
        (config(store="sqlite:other.db", control="relet.sock"), "store, control cannot change while the server runs"),
        (config().replace("[server]", '[server]\nreceive-buffer = "1MiB"'), "receive-buffer cannot change while"),
    ],
    ids=["wrong", "fixed", "hyphen"],
)
def test_a_file_that_is_wrong_or_cannot_be_applied_changes_nothing(desk: Desk, text: str, problem: str) -> None:
    said = desk.again(text)
    assert said.state == REFUSED
    assert problem in "\n".join(said.problems)
    assert desk.answer() == ("ACK", b"one.example")
    assert desk.wanted == []


def test_all_problems_are_told(desk: Desk) -> None:
    said = desk.again(config(more='bogus = 1\n[[network.subnet]]\nprefix = "x"\n'))
    assert len(said.problems) >= 2


def test_sockets_that_cannot_be_had_change_nothing(desk: Desk) -> None:
    desk.refuse = True
    before = desk.reload.settings
    said = desk.again(config("two.example"))
    assert (said.state, said.problems) == (REFUSED, ["port 67 is taken"])
    assert desk.answer() == ("ACK", b"one.example")
    assert desk.wanted[-1] == before


def test_a_second_reload_takes_the_place_of_one_that_is_not_finished(desk: Desk) -> None:
    desk.file.write_text(config("two.example"))
    desk.reload.begin(False, NOW)
    assert desk.again(config("three.example")).state == APPLIED
    assert desk.answer() == ("ACK", b"three.example")


def test_a_bug_of_ours_costs_the_reload_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.reload.begin(False, NOW)
    monkeypatch.setattr(desk.engine, "reconfigure", lambda *_: 1 / 0)
    while desk.engine._rebuild is not None and desk.engine._rebuild.step():
        pass
    with pytest.raises(ZeroDivisionError):
        desk.reload.step()
    monkeypatch.undo()
    desk.reload.step()
    assert desk.answer() == ("ACK", b"one.example")


def test_a_server_without_a_file_says_so(desk: Desk) -> None:
    reload = Reload(desk.engine, desk.reload.settings, None, desk.want)
    said = reload.begin(False, NOW)
    assert said.state == REFUSED
    assert "without a configuration file" in said.problems[0]


class Field:
    """A server process with many leases, and a relay that has a few clients ask without a pause."""

    def __init__(self, lab: Lab) -> None:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        lab.address(host, "c0", "192.168.1.254/24")
        folder = lab.folder / "serve"
        self.text = config(store="sqlite:leases.db", control="relet.sock")
        url = f"sqlite:{lab.folder / 'leases.db'}"
        with closing(open_store(url)) as store:
            crowd = [lease(0x0A000100 + number, CLIENTS + number) for number in range(CROWD)]
            held = [lease(ip(100 + number), number) for number in range(CLIENTS)]
            store.commit([Change(None, each) for each in (*crowd, *held)], 0.0)
        self.serve = Serve(lab, server, self.text.replace("sqlite:leases.db", url), verbose=False)
        self.text = self.text.replace("sqlite:leases.db", url)
        assert folder.is_dir()
        with lab.inside(host):
            self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.relay.bind((ip_text(RELAY), SERVER_PORT))
        self.relay.settimeout(20)
        self.waiting: dict[int, int] = {}
        self.heard: list[tuple[bytes, int]] = []

    def ask(self, number: int) -> None:
        message = msgspec.structs.replace(reboot(ip(100 + number), mac(number)), giaddr=RELAY)
        self.waiting[message.xid] = number
        self.relay.sendto(encode(message), (ip_text(SERVER), SERVER_PORT))

    def hear(self) -> int:
        """The next reply; whose it is. Fails if there is none."""
        reply = decode(self.relay.recv(4096))
        assert kind_of(reply) == "ACK"
        self.heard.append((reply.options[15], reply.uint(51) or 0))
        return self.waiting.pop(reply.xid)

    def close(self) -> None:
        self.relay.close()


@pytest.fixture
def field() -> Iterator[Field]:
    with Lab() as lab, closing(Field(lab)) as made:
        yield made


ONE, TWO = (b"one.example", 3600), (b"two.example", 7200)


@pytest.mark.namespaces
def test_no_request_is_lost_and_none_is_answered_by_half_a_configuration(field: Field) -> None:
    texts = (field.text.replace("one.example", "two.example").replace("1h", "2h"), field.text)
    applied = 0
    for number in range(CLIENTS):
        field.ask(number)
    for turn in range(RELOADS):
        field.serve.config.write_text(texts[turn % 2])
        said = msgspec.convert(ask(field.serve.control, {"do": "reload", "dry": False}), Reloaded)
        assert said.state == PREPARING
        while said.state == PREPARING:
            field.ask(field.hear())
            said = msgspec.convert(ask(field.serve.control, {"do": "reloaded"}), Reloaded)
        applied += said.state == APPLIED
        start = len(field.heard) + CLIENTS  # those under way may have been answered before
        while len(field.heard) < start + CLIENTS:
            field.ask(field.hear())
        assert set(field.heard[start:]) == {(TWO, ONE)[turn % 2]}
    for _ in range(CLIENTS):
        field.hear()
    assert applied == RELOADS
    assert not field.waiting
    assert set(field.heard) == {ONE, TWO}
    assert ask(field.serve.control, {"do": "status"})["drops"] == {}  # type: ignore[index]


@pytest.mark.namespaces
def test_by_command_and_by_signal(field: Field) -> None:
    server = field.serve

    def relet(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*RELET, "reload", "--config", str(server.config), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    server.config.write_text(field.text + MOVE)
    dry = relet("--dry-run")
    assert dry.returncode == 0
    assert "none -> 192.168.1.10" in dry.stdout
    assert "1 client would have to move" in dry.stdout
    assert "reloaded" not in dry.stdout
    done = relet("--json")
    assert msgspec.json.decode(done.stdout)["state"] == APPLIED
    assert relet().stdout.splitlines()[0] == "nothing changes"
    server.config.write_text(field.text.replace("192.168.1.0/24", "192.168.1.0/33"))
    wrong = relet()
    assert wrong.returncode == 1
    assert f"{server.config}:" in wrong.stderr

    server.process.signal(signal.SIGHUP)
    assert "/33" in server.process.line("not reloaded")
    server.config.write_text(field.text)
    server.process.signal(signal.SIGHUP)
    server.process.line("reloaded")
    until(lambda: ask(server.control, {"do": "reloaded"})["state"] == APPLIED)  # type: ignore[index]
