"""`relet lease`: orders by command, through the control socket, and who gave them."""

import getpass
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.model.ident import client_key, key_text, parse_key
from relet.model.lease import Change, Committed, Leases
from relet.model.network import Settings
from relet.net.clock import now
from relet.run.asked import answer
from relet.run.control import Control, ask
from relet.run.intake import Intake
from relet.run.loop import Loop
from relet.run.reload import Reload, Reloaded
from relet.server.engine import Engine
from relet.store import open_store
from relet.store.memory import MemoryStore
from support.commands import relet
from support.leases import lease
from support.table import OFFICE, SERVER

PATIENCE_S = 10
WHO = getpass.getuser()


class Desk:
    """A server that answers questions and nothing else."""

    def __init__(self, path: Path, store: Leases) -> None:
        self.engine = Engine((OFFICE,), store, frozenset({SERVER}))
        self.intake = Intake(self.engine, 100)
        self.reloading = Reload(self.engine, Settings((OFFICE,)), None, lambda _: None)
        self.loop = Loop(lambda: now().mono + 0.02, lambda: None)
        self.control = Control(path, lambda question: answer(self, question), self.loop)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def drops(self) -> Counter[str]:
        return Counter()

    def reload(self, dry: bool) -> Reloaded:
        return self.reloading.begin(dry, now())

    def close(self) -> None:
        self.loop.stop()
        self._thread.join(PATIENCE_S)
        self.control.close()
        self.loop.close()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def control(tmp_path: Path, store: MemoryStore) -> Iterator[str]:
    path = tmp_path / "relet.sock"
    desk = Desk(path, store)
    yield str(path)
    desk.close()


def test_a_lease_from_its_beginning_to_its_end(control: str, store: MemoryStore) -> None:
    at = ("--control", control)
    code, out, err = relet("lease", "add", "192.168.1.100", "52:54:00:00:00:01", "--for", "2h", *at)
    assert (code, err) == (0, "")
    assert out.startswith("192.168.1.100  mac 52:54:00:00:00:01  bound  until ")
    assert relet("lease", "change", "192.168.1.100", "--hostname", "desk", *at)[0] == 0
    code, out, _ = relet("lease", "reserve", "192.168.1.100", "mac 52:54:00:00:00:01", *at)
    assert "bound, reserved  until" in out
    assert relet("lease", "unreserve", "192.168.1.100", *at)[0] == 0
    code, out, err = relet("lease", "end", "192.168.1.100", "--json", *at)
    assert (json.loads(out)["state"], json.loads(out)["hostname"]) == ("ended", "desk")
    assert "kept from others until the end that it was promised" in err
    assert relet("lease", "lift", "192.168.1.100", *at)[0] == 0
    entries = store.history()
    assert [entry.who for entry in entries] == [WHO] * 6
    assert entries[0].lease.state == "released"


def test_an_address_that_is_reserved_and_free_has_no_end(control: str) -> None:
    _, out, _ = relet(
        "lease", "reserve", "192.168.1.50", "52:54:00:00:00:01", "--hostname", "desk", "--control", control
    )
    assert out == "192.168.1.50  mac 52:54:00:00:00:01  desk  reserved\n"


def test_a_refusal_is_told(control: str) -> None:
    code, out, err = relet("lease", "end", "192.168.1.100", "--control", control)
    assert (code, out) == (1, "")
    assert "nobody holds 192.168.1.100" in err


def test_a_failing_store_is_told(control: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_changes: object, _wall: float) -> Committed:
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "commit", full)
    code, _, err = relet("lease", "reserve", "192.168.1.100", "52:54:00:00:00:01", "--control", control)
    assert code == 3
    assert "nothing was changed, because the store fails: the disk is full" in err


def test_at_once_warns(control: str) -> None:
    relet("lease", "add", "192.168.1.100", "52:54:00:00:00:01", "--control", control)
    code, _, err = relet("lease", "end", "192.168.1.100", "--now", "--control", control)
    assert code == 0
    assert "others may get it now" in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add", "192.168.1.100"), "an address and a client"),
        (("end", "192.168.1.100", "52:54:00:00:00:01"), "an address alone"),
        (("end", "192.168.1.100", "--for", "2h"), "--for goes with"),
        (("lift", "192.168.1.100", "--now"), "--now goes with end"),
        (("end", "192.168.1.100", "--hostname", "x"), "--hostname goes with"),
        (("add", "192.168.1", "52:54:00:00:00:01"), "not an IPv4 address"),
        (("add", "192.168.1.100", "desk"), "is no client"),
        (("add", "192.168.1.100", "52:54:00:00:00:01", "--for", "0"), "'0'"),
        (("grant", "192.168.1.100"), "grant"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(arguments: tuple[str, ...], text: str) -> None:
    code, _, err = relet("lease", *arguments, "--control", "/nowhere")
    assert code == 2
    assert text in " ".join(err.replace("\u2502", " ").split())


def test_nobody_can_claim_to_be_somebody_else(control: str, store: MemoryStore) -> None:
    order = {"do": "add", "address": 0xC0A80164, "client": "aAECAwQFBgc="}
    ask(Path(control), {"do": "lease", "order": order, "who": "somebody else"})
    assert [entry.who for entry in store.history()] == [WHO]


def test_a_reload_without_a_file_says_so(control: str) -> None:
    code, _, err = relet("reload", "--control", control)
    assert code == 1
    assert "started without a configuration file" in err


def test_who_and_what_is_reserved_show_in_the_tables(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'leases.db'}"
    store = open_store(url)
    held = lease(1)
    kept = [type(held)(each.address, each.client, each.network, each.state, each.starts, expires, kept=True)
            for each, expires in ((lease(1), 4_000_000_000), (lease(2), 2000))]  # fmt: skip
    store.commit([Change(None, each, "ada") for each in kept], 5.0)
    store.close()
    _, out, _ = relet("leases", "--store", url)
    assert ["bound, reserved" in line for line in out.splitlines()] == [False, True, False]
    assert out.splitlines()[2].endswith("  office   reserved")
    assert [row["reserved"] for row in json.loads(relet("leases", "--store", url, "--json")[1])] == [True, True]
    assert relet("history", "--store", url)[1].splitlines()[1].endswith("  ada")
    assert [row["who"] for row in json.loads(relet("history", "--store", url, "--json")[1])] == ["ada", "ada"]


@pytest.mark.parametrize(
    ("text", "key", "hardware"),
    [
        ("52:54:00:12:34:56", client_key(None, 1, bytes.fromhex("525400123456")), "01525400123456"),
        ("mac 52-54-00-12-34-56", client_key(None, 1, bytes.fromhex("525400123456")), "01525400123456"),
        ("id 01:52:54:00:12:34:56", client_key(bytes.fromhex("01525400123456"), 0, b""), "01525400123456"),
        ("id ff:00:01", client_key(b"\xff\0\1", 0, b""), ""),
        ("duid-ll 00:03:00:01:52:54 iaid 00:00:00:01", client_key(b"\xff\0\0\0\1\0\3\0\1RT", 0, b""), ""),
        ("hw 32/0a:0b", client_key(None, 32, b"\x0a\x0b"), "200a0b"),
    ],
)
def test_clients_are_written_as_they_are_shown(text: str, key: bytes, hardware: str) -> None:
    assert parse_key(text) == (key, bytes.fromhex(hardware))
    assert parse_key(key_text(client_key(None, 1, b"123456")))[0] == client_key(None, 1, b"123456")


@pytest.mark.parametrize(
    "text", ["", "desk", "52:54:00", "id ", "hw 300/01", "hw x/01", "mac 1/52:54:00:12:34:56", "192.168.1.1"]
)
def test_what_names_no_client(text: str) -> None:
    with pytest.raises(ValueError, match="is no client"):
        parse_key(text)
