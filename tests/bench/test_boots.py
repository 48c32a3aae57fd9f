"""The table of boots: which run says something about a row, what becomes of those that came to nothing, and real boots."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any

import pytest

from support.lab import need

ROOT = Path(__file__).parent.parent.parent
HAD, OTHER = "10.77.1.5", "10.77.9.9"
CONFIRMED = [(20.0, "INIT-REBOOT"), (21.0, "ACK")]
ALLOCATED = [(20.0, "DISCOVER"), (21.0, "OFFER"), (22.0, "SELECTING"), (23.0, "ACK")]
REFUSED = [(18.0, "INIT-REBOOT"), (19.0, "NAK"), *ALLOCATED]


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    for folder in ("bench", "docs"):
        monkeypatch.syspath_prepend(ROOT / folder)
    return import_module


def boot(part: Any, seen: list[tuple[float, str]], address: float | None = 30.0, **more: Any) -> Any:
    """One that came to an address that works, unless it is said otherwise."""
    known = {"text": HAD if address else "", "ping": address, "stayed": True, "ended": None}
    return part("boot").Boot(address=address, seen=seen, **(known | more))


@pytest.mark.parametrize(
    ("row", "client", "seen", "text", "wrong"),
    [
        ("allocation", "dhclient", ALLOCATED, HAD, ""),
        ("allocation", "dhclient", CONFIRMED, HAD, "sent INIT-REBOOT"),
        ("confirmed", "dhclient", CONFIRMED, HAD, ""),
        ("confirmed", "dhclient", ALLOCATED, HAD, "sent no INIT-REBOOT, was offered something"),
        ("confirmed", "dhclient", CONFIRMED, OTHER, "got another address"),
        ("confirmed", "udhcpc", ALLOCATED, HAD, ""),
        ("confirmed", "udhcpc", ALLOCATED, OTHER, "got another address"),
        ("negated", "dhclient", REFUSED, OTHER, ""),
        ("negated", "dhclient", [REFUSED[0], *ALLOCATED], OTHER, "was not refused"),
        ("silent", "dhclient", [REFUSED[0], *ALLOCATED], OTHER, ""),
        ("silent", "dhclient", REFUSED, OTHER, "was refused"),
        ("silent", "udhcpc", ALLOCATED, OTHER, ""),
        ("alone", "dhclient", [CONFIRMED[0], (21.0, "ARP reply")], HAD, ""),
        ("alone", "dhclient", CONFIRMED, HAD, "was answered by a server"),
    ],
)
def test_a_run_by_another_way_than_its_row_is_about_is_told(
    part: Any, row: str, client: str, seen: list[tuple[float, str]], text: str, wrong: str
) -> None:
    rows, clients = part("boot_rows"), part("boot_clients")
    assert rows.judge(rows.ROWS[row], clients.CLIENTS[client], HAD, boot(part, seen, text=text)) == wrong


def test_what_passed_after_the_address_is_not_the_way_to_it(part: Any) -> None:
    told = boot(part, [*CONFIRMED, (31.0, "DISCOVER"), (32.0, "NAK")])
    assert told.path() == ["INIT-REBOOT", "ACK"]
    assert (told.sent(), told.acknowledged()) == (20.0, 21.0)
    rows, clients = part("boot_rows"), part("boot_clients")
    assert rows.judge(rows.ROWS["confirmed"], clients.CLIENTS["dhclient"], HAD, told) == ""


def test_runs_that_came_to_nothing_count_as_never_and_those_beside_the_row_not_at_all(part: Any) -> None:
    rows = part("boot_rows")
    good = boot(part, CONFIRMED)
    dead = [
        boot(part, CONFIRMED[:1], None),
        boot(part, CONFIRMED[:1], None, ended=1),
        boot(part, CONFIRMED, ping=None),
        boot(part, CONFIRMED, stayed=False),
    ]

    def figures(*boots: Any, wrong: str = "") -> Any:
        return rows.figures([rows.Run("confirmed", "dhclient", each, wrong) for each in boots])

    found = figures(good, good, good, *dead)
    assert (found.runs, found.usable, found.median_ms, found.low_ms, found.high_ms) == (7, 3, "never", 30.0, "never")
    assert sum(found.dead.values()) == 4
    assert set(found.dead) == {
        "no address",
        "no address, ended with 1",
        "the gateway does not answer the address",
        "the address did not stay",
    }
    assert figures(good, good, good, dead[0]).median_ms == 30.0
    beside = figures(good, wrong="was refused")
    assert (beside.usable, beside.median_ms, beside.ways, beside.dead) == (0, "never", {}, {"was refused": 1})
    assert rows.figures([rows.Run("confirmed", "dhclient", None, "the bench failed")]).dead == {"the bench failed": 1}


@pytest.mark.parametrize(
    ("times", "share", "found"),
    [
        ([], 0.5, inf),
        ([1.0], 0.25, 1.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([1.0, 2.0, inf], 0.5, 2.0),
        ([1.0, inf], 0.5, inf),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.25, 2.0),
    ],
)
def test_quantiles(part: Any, times: list[float], share: float, found: float) -> None:
    assert part("boot_rows").quantile(times, share) == found


def kept(**medians: float | str) -> dict[str, Any]:
    """A result: one row, some clients."""
    row: dict[str, Any] = {
        "runs": 2,
        "usable": 2,
        "low_ms": 1.0,
        "high_ms": 9.0,
        "sent_ms": 5.0,
        "applied_ms": None,
        "dead": {"no": 1},
    }
    clients = {name: row | {"median_ms": median, "ways": {"DISCOVER": 2}} for name, median in medians.items()}
    facts = {name: {"checks": "probes" if name.startswith("checked") else "", "asks": False} for name in medians}
    machine = {"cpu": "A CPU", "cores": 2, "kernel": "6.1", "python": "3.11.7"}
    return {"boots": {"figures": {"clients": facts, "rows": {"negated": clients}}, "machine": machine}}


def test_the_page_names_who_was_fastest_and_what_was_never(part: Any) -> None:
    page = part("boots_page")
    told = page.page(kept(relet=40.0, checked=5300.0, checked_too="never"))
    assert "Fastest of all: **relet**, 40 ms. Fastest of those that check for conflicts: **checked**, 5.30 s." in told
    assert "| checked_too | **never** |" in told
    assert "2 of 2; 1 x no |" in told
    assert told.count("*Not measured.*") == len(page.ROWS) - 1
    picture = page.picture(kept(relet=40.0, checked=5300.0, checked_too="never"))
    assert ET.fromstring(picture).tag.endswith("svg")
    assert "never" in picture
    assert page.page({}).count("*Not measured.*") == len(page.ROWS)
    ET.fromstring(page.picture({}))


@pytest.mark.namespaces
@pytest.mark.peer
def test_real_boots_are_by_the_way_that_their_row_is_about(tmp_path: Path) -> None:
    for program in ("dhclient", "udhcpc", "dnsmasq", "ip"):
        need(program)
    words = ("--runs", "1", "--rows", "confirmed,negated", "--clients", "dhclient,udhcpc", "--json", tmp_path / "json")
    subprocess.run([sys.executable, ROOT / "bench" / "boots.py", *words], check=True, timeout=60)
    rows = json.loads((tmp_path / "json").read_text())["figures"]["rows"]
    allocation = "DISCOVER OFFER SELECTING ACK"
    ways = {name: {client: row["ways"] for client, row in clients.items()} for name, clients in rows.items()}
    assert ways == {
        "confirmed": {"dhclient": {"INIT-REBOOT ACK": 1}, "udhcpc": {allocation: 1}},
        "negated": {"dhclient": {f"INIT-REBOOT NAK {allocation}": 1}, "udhcpc": {allocation: 1}},
    }
    for row in (row for clients in rows.values() for row in clients.values()):
        assert row["usable"] == 1
        assert row["dead"] == {}
        assert 0 < row["sent_ms"] < row["median_ms"]
        assert 0 < row["applied_ms"] < row["median_ms"]
