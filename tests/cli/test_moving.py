"""`relet leases --moving`: who has not arrived where the configuration wants it, told without a server."""

import json
import time
from pathlib import Path

import pytest

from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.store import open_store
from support.commands import relet

NOW = int(time.time())
BASE = 0xC0A80100
CONFIG = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "office"
interfaces = ["eth0"]

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]

[[network.reservation]]
mac = "02:00:00:00:00:01"
address = "192.168.1.10"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration, and three leases: of a client reserved elsewhere, of one outside of the pools, of one at home."""
    file = tmp_path / "relet.toml"
    file.write_text(CONFIG)
    store = open_store(f"sqlite:{tmp_path / 'leases.db'}")
    for last, number, reason in ((101, 1, "moving"), (50, 2, "granted"), (102, 3, "granted")):
        mac = bytes((2, 0, 0, 0, 0, number))
        held = Lease(
            BASE + last,
            client_key(None, 1, mac),
            "office",
            LeaseState.BOUND,
            NOW,
            NOW + 900,
            b"\1" + mac,
            reason=reason,
        )
        store.commit([Change(None, held)], NOW)
    store.close()
    return str(file)


def test_who_has_not_arrived_as_text(config: str) -> None:
    code, out, err = relet("leases", "--moving", "--config", config)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["ADDRESS", "CLIENT", "HOSTNAME", "NETWORK", "TO", "SINCE", "UNTIL"]
    assert [(line[0], line[4]) for line in lines[1:]] == [("192.168.1.50", "any"), ("192.168.1.101", "192.168.1.10")]
    assert "not renewed yet" in out.splitlines()[1]


def test_who_has_not_arrived_as_json(config: str) -> None:
    code, out, _ = relet("leases", "--moving", "--config", config, "--json")
    assert code == 0
    rows = [(row["address"], row["to"], row["held"], row["since"] is None) for row in json.loads(out)]
    assert rows == [("192.168.1.50", "any", False, True), ("192.168.1.101", "192.168.1.10", False, False)]


def test_nobody_of_another_network(config: str) -> None:
    code, out, _ = relet("leases", "--moving", "--config", config, "--network", "guests", "--json")
    assert (code, json.loads(out)) == (0, [])


def test_the_store_alone_does_not_say_where_clients_have_to_be(tmp_path: Path) -> None:
    code, _, err = relet("leases", "--moving", "--store", f"sqlite:{tmp_path / 'leases.db'}")
    assert code == 2
    assert "--config" in err
