"""A disk that is full, and a database that cannot be written, under a running server and when it starts."""

import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from relet.model.effects import SERVER_PORT
from relet.store import open_reader
from relet.wire.address import ip_text
from relet.wire.message import Message, decode, encode
from support.lab import Lab, Process, gather, need, until
from support.serving import Serve, office
from support.table import SERVER, discover, ip, kind_of, request, selecting

pytestmark = pytest.mark.namespaces

RELAY = ip(254)
CLIENTS_MAX = 60
"""So many leases fill what a full disk still has room for: the last page of the log that was begun."""

Fault = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not one octet is left on the file system."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    yield
    filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The kernel refuses every write to the files, also to those who have them open."""
    files = [str(path) for path in folder.glob("leases.db*")]
    subprocess.run([need("chattr"), "+i", *files], check=True)
    try:
        yield
    finally:
        subprocess.run([need("chattr"), "-i", *files], check=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of half a mebibyte."""
    folder.mkdir()
    subprocess.run([need("mount"), "-t", "tmpfs", "-o", "size=512k", "relet", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run([need("umount"), "--lazy", str(folder)], check=True)


class Town:
    """A server whose store lies in a folder of its own, and a relay that speaks for any number of clients."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.store = lab, folder, folder / "leases.db"
        self.server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(self.server, "s0", host, "c0")
        lab.address(self.server, "s0", "192.168.1.1/24")
        lab.address(host, "c0", "192.168.1.254/24")
        with lab.inside(host):
            self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self.relay.bind((ip_text(RELAY), SERVER_PORT))

    @property
    def configuration(self) -> str:
        text = office(pool="192.168.1.100-192.168.1.199")
        return text.replace("sqlite:leases.db", f"sqlite:{self.store}")

    def say(self, number: int, message: Message) -> None:
        """A request of this client."""
        ours = replace(message, giaddr=RELAY, chaddr=number.to_bytes(6))
        self.relay.sendto(encode(ours), (ip_text(SERVER), SERVER_PORT))

    def reply(self) -> Message:
        return decode(gather(self._receive, 1)[0])

    def _receive(self) -> list[bytes]:
        try:
            return [self.relay.recv(4096)]
        except BlockingIOError:
            return []

    def offer(self, number: int) -> int:
        """The address that this client is offered, once there is one: a server that lacks its disk tries now and then."""
        offered: list[bytes] = []

        def heard() -> bool:
            self.say(number, discover())
            offered.extend(self._receive())
            return bool(offered)

        until(heard)
        return decode(offered[0]).yiaddr

    def kept(self) -> set[int]:
        """The addresses on disk, read beside the server."""
        with closing(open_reader(f"sqlite:{self.store}")) as reader:
            return {lease.address for lease in reader.all()}

    def status(self) -> Process:
        return self.lab.relet(self.server, "status", "--config", self.folder.parent / "serve" / "relet.toml")

    def close(self) -> None:
        self.relay.close()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@pytest.mark.parametrize("fault", [full, read_only])
def test_nothing_is_granted_that_is_not_on_disk_and_service_resumes(lab: Lab, fault: Fault) -> None:
    disk = small_disk(lab.folder / "disk") if fault is full else _plain(lab.folder / "disk")
    with disk as folder, ExitStack() as stack:
        town = stack.enter_context(closing(Town(lab, folder)))
        server = Serve(lab, town.server, town.configuration)
        granted: dict[int, int] = {}
        for number in range(1, 4):
            granted[number] = _grant(town, server, number)
        with fault(folder):
            for number in range(4, CLIENTS_MAX):
                town.say(number, discover())
                address = town.reply().yiaddr
                town.say(number, selecting(address))
                if "reason=granted" not in server.verdict("SELECTING"):
                    break
                assert kind_of(town.reply()) == "ACK"
                granted[number] = address
            assert "reason=store-unavailable" in server.process.lines[-1]
            said = [line for line in server.process.lines if "store failed; confirming what is known" in line]
            assert len(said) == 1
            assert str(town.store) in said[0]
            assert town.kept() == set(granted.values())
            # who is known is confirmed for what is left, and nothing more is written
            town.say(1, request(3, {50: granted[1].to_bytes(4), 12: b"renamed"}))
            confirmed = town.reply()
            assert (kind_of(confirmed), confirmed.yiaddr) == ("ACK", granted[1])
            assert 0 < (confirmed.uint(51) or 0) <= 3600
            assert "reason=store-confirmed" in server.verdict("INIT-REBOOT")
            status = town.status()
            status.line("the store fails:", str(town.store))
            assert status.wait() == 1
            if not any("upkeep met an error" in line for line in server.process.lines):
                server.process.line("upkeep met an error", str(town.store))
        address = town.offer(CLIENTS_MAX)
        town.say(CLIENTS_MAX, selecting(address))
        until(lambda: kind_of(town.reply()) == "ACK")  # behind further offers
        granted[CLIENTS_MAX] = address
        server.process.line("store works again")
        assert town.status().wait() == 0
        until(lambda: _folded(town.store) == len(granted))
        server.kill()
        assert town.kept() == set(granted.values())
        server.start()
        town.say(CLIENTS_MAX, request(3, {50: address.to_bytes(4)}))
        assert kind_of(town.reply()) == "ACK"


def test_a_folder_that_is_not_to_be_found_means_silence_until_it_is_back(lab: Lab) -> None:
    with _plain(lab.folder / "disk") as folder, ExitStack() as stack:
        town = stack.enter_context(closing(Town(lab, folder)))
        server = Serve(lab, town.server, town.configuration)
        address = _grant(town, server, 1)
        away = folder.rename(folder.with_name("away"))
        folder.touch()  # what is asked of the files now fails otherwise than for one that was removed
        server.process.line("upkeep met an error", str(town.store))
        town.say(2, discover())
        town.say(2, selecting(town.reply().yiaddr))
        assert "reason=store-unavailable" in server.verdict("SELECTING")
        town.say(1, request(3, {50: address.to_bytes(4), 12: b"renamed"}))
        assert kind_of(town.reply()) == "ACK"
        assert "reason=store-confirmed" in server.verdict("INIT-REBOOT")
        folder.unlink()
        away.rename(folder)
        town.say(2, selecting(town.offer(2)))
        until(lambda: kind_of(town.reply()) == "ACK")  # behind further offers
        assert len(town.kept()) == 2
        assert not any("callback failed" in line for line in server.process.lines)


def test_a_full_disk_at_the_start_is_said_and_is_3(lab: Lab) -> None:
    with small_disk(lab.folder / "disk") as folder, ExitStack() as stack:
        town = stack.enter_context(closing(Town(lab, folder)))
        config = lab.folder / "relet.toml"
        config.write_text(town.configuration)
        with full(folder):
            process = lab.relet(town.server, "serve", "--config", config)
            process.line(f"relet: {town.store}", "No space left on device")
            assert process.wait() == 3


def test_a_file_that_cannot_be_written_at_the_start_is_said_and_is_3(lab: Lab) -> None:
    with _plain(lab.folder / "disk") as folder, ExitStack() as stack:
        town = stack.enter_context(closing(Town(lab, folder)))
        config = lab.folder / "relet.toml"
        config.write_text(town.configuration)
        process = lab.relet(town.server, "serve", "--config", config)
        process.line("relet serves")
        process.close()
        with read_only(folder):
            process = lab.relet(town.server, "serve", "--config", config)
            process.line(f"relet: {town.store}", "lock")
            assert process.wait() == 3
        process = lab.relet(town.server, "serve", "--config", config)
        process.line("relet serves")


def _grant(town: Town, server: Serve, number: int) -> int:
    town.say(number, discover())
    address = town.reply().yiaddr
    town.say(number, selecting(address))
    assert kind_of(town.reply()) == "ACK"
    server.verdict("SELECTING")
    return address


@contextmanager
def _plain(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    yield folder


def _folded(store: Path) -> int:
    """Leases that are in the database, and no longer in the tail alone."""
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM lease").fetchone()
        return int(count)
