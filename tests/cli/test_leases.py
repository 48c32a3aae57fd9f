"""`relet leases` and `relet history` over a real store, as text and as JSON."""

import json
import time
from pathlib import Path

import msgspec
import pytest

from relet.cli.leases import state_text
from relet.cli.output import aligned, moment, when
from relet.cli.words import printable
from relet.model.ident import ClientKey, client_key
from relet.model.lease import FOREVER, Change, Lease, LeaseState
from relet.store import open_store
from support.commands import relet

NOW = int(time.time())
MAC = bytes.fromhex("020000000001")
BY_MAC = client_key(None, 1, MAC)
BY_ID = client_key(b"\1" + MAC, 1, MAC)
OTHER = client_key(b"\xff\0\0\0\1odd", 1, MAC)
BASE = 0xC0A80164  # 192.168.1.100


def _lease(
    number: int, *, state: LeaseState = LeaseState.BOUND, expires: int = NOW + 9000, key: ClientKey = BY_MAC
) -> Lease:
    name = f"host{number}" if number else "evil\x1b]0;"
    network = "office" if number % 2 else "guests"
    return Lease(BASE + number, key, network, state, NOW - 60, expires, b"\1" + MAC, name, b"", "granted")


LEASES = [
    _lease(0),
    _lease(1, expires=FOREVER, key=BY_ID),
    _lease(2, state=LeaseState.RELEASED, expires=NOW - 5),
    _lease(3, expires=NOW - 5, key=OTHER),
    _lease(4, state=LeaseState.DECLINED),
    _lease(5, state=LeaseState.DECLINED, expires=NOW - 5),
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one lease of every sort; that of the first address was renewed once."""
    named = f"sqlite:{tmp_path / 'leases.db'}"
    store = open_store(named)
    store.commit([Change(None, lease) for lease in LEASES], NOW - 60.5)
    renewed = msgspec.structs.replace(LEASES[0], reason="renewed")
    store.commit([Change(LEASES[0], renewed)], NOW - 1.5)
    store.close()
    return named


def _addresses(out: str) -> list[int]:
    return [int(row["address"].rpartition(".")[2]) - 100 for row in json.loads(out)]


def test_leases_held_now(url: str) -> None:
    code, out, err = relet("leases", "--store", url)
    head, *rows = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split() == ["ADDRESS", "CLIENT", "HOSTNAME", "NETWORK", "STATE", "UNTIL", "REASON", "NOTE"]
    assert [row.split()[0] for row in rows] == ["192.168.1.100", "192.168.1.101", "192.168.1.104"]
    assert "mac 02:00:00:00:00:01" in rows[0]
    assert "never" in rows[1]
    assert all(row.endswith("random mac") for row in rows)
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [((), [0, 1, 4]), (("--all",), [0, 1, 2, 3, 4, 5]), (("--network", "office"), [1]), (("--network", "none"), [])],
)
def test_leases_as_json(url: str, arguments: tuple[str, ...], addresses: list[int]) -> None:
    code, out, _ = relet("leases", "--store", url, "--json", *arguments)
    assert (code, _addresses(out)) == (0, addresses)


def test_a_lease_as_json(url: str) -> None:
    _, out, _ = relet("leases", "--store", url, "--json", "--network", "office")
    assert json.loads(out) == [
        {
            "address": "192.168.1.101",
            "client": "id 01:02:00:00:00:00:01",
            "hardware": "02:00:00:00:00:01",
            "random-mac": True,
            "hostname": "host1",
            "network": "office",
            "state": "bound",
            "starts": moment(NOW - 60),
            "expires": None,
            "relay": "",
            "reason": "granted",
            "reserved": False,
        }
    ]


def test_history_is_newest_first(url: str) -> None:
    code, out, _ = relet("history", "--store", url, "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["number"] for row in rows] == sorted((row["number"] for row in rows), reverse=True)
    assert (rows[0]["reason"], rows[0]["time"]) == ("renewed", moment(NOW - 2))


@pytest.mark.parametrize(
    ("who", "addresses"),
    [
        ("192.168.1.100", [0, 0]),
        ("02:00:00:00:00:01", [0, 5, 4, 3, 2, 1, 0]),
        ("mac 02-00-00-00-00-01", [0, 5, 4, 3, 2, 1, 0]),
        ("id 01:02:00:00:00:00:01", [1]),
        ("ff000000016f6464", [3]),
    ],
)
def test_history_of_somebody(url: str, who: str, addresses: list[int]) -> None:
    code, out, _ = relet("history", who, "--store", url, "--json")
    assert (code, _addresses(out)) == (0, addresses)


def test_history_is_limited(url: str) -> None:
    _, out, _ = relet("history", "02:00:00:00:00:01", "--store", url, "--limit", "2")
    assert len(out.splitlines()) == 1 + 2


def test_nothing_to_tell_is_a_no(url: str) -> None:
    code, out, _ = relet("history", "10.0.0.1", "--store", url)
    assert code == 1
    assert out.startswith("TIME")


@pytest.mark.parametrize("arguments", [("leases",), ("history", "nobody", "--store"), ("history", "", "--store")])
def test_wrong_use(url: str, arguments: tuple[str, ...]) -> None:
    code, _, err = relet(*arguments, *([url] if arguments[-1] == "--store" else []))
    assert code == 2
    assert "Invalid value" in err


def test_a_store_that_is_not_there_is_the_environments_fault(tmp_path: Path) -> None:
    code, _, err = relet("leases", "--store", f"sqlite:{tmp_path / 'none.db'}")
    assert code == 3
    assert err.startswith("relet: ")
    assert "none.db" in err


def test_states_that_time_has_ended() -> None:
    assert [state_text(lease, NOW) for lease in LEASES] == [
        "bound", "bound", "released", "expired", "declined", "expired",
    ]  # fmt: skip


def test_aligned() -> None:
    assert aligned(("name", "n"), [("a", "1"), ("longer", "")]) == "NAME    N\na       1\nlonger"


def test_times_and_harmless_text() -> None:
    assert (when(FOREVER), moment(FOREVER)) == ("never", None)
    assert moment(0.9) == "1970-01-01T00:00:00Z"
    assert printable("a\x1bb\n") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
