"""The table of options against the registry as facts, row by row."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from relet.wire import codes, options
from relet.wire.kinds import Uint
from relet.wire.relayinfo import Suboptions
from relet.wire.subspaces import BROADBAND_FORUM, CABLE_DEVICES, CABLELABS

COPY = Path(__file__).parent.parent / "facts" / "options.csv"
ORIGINAL = Path(__file__).parents[3] / "shared" / "facts" / "options.csv"
LAYOUT = {("dhcp4", 0), ("dhcp4", 255)}
"""Pad and end are no options with values; message.py knows them."""


def facts(*spaces: str) -> list[dict[str, str]]:
    with COPY.open(encoding="utf-8", newline="") as file:
        return [fact for fact in csv.DictReader(file) if fact["space"] in spaces]


def of_fact(fact: Mapping[str, str]) -> options.Option:
    space = options.OPTIONS if fact["space"] == "dhcp4" else options.RELAY
    return space[int(fact["code"])]


ROWS = [fact for fact in facts("dhcp4", "relay-agent") if (fact["space"], int(fact["code"])) not in LAYOUT]
by_fact = pytest.mark.parametrize("fact", ROWS, ids=lambda fact: f"{fact['space']}-{fact['code']}")


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the facts are not beside this clone")
def test_the_facts_are_copied_whole() -> None:
    assert COPY.read_bytes() == ORIGINAL.read_bytes()


@by_fact
def test_row(fact: dict[str, str]) -> None:
    row = of_fact(fact)
    assert (row.space, row.code, row.name, row.title) == (
        fact["space"],
        int(fact["code"]),
        fact["name"],
        fact["title"],
    )
    assert row.kind.format == fact["format"]


@pytest.mark.parametrize(
    "fact", [fact for fact in ROWS if fact["min_len"]], ids=lambda fact: f"{fact['space']}-{fact['code']}"
)
def test_lengths(fact: dict[str, str]) -> None:
    row = of_fact(fact)
    multiple, _, remainder = fact["multiple"].partition("+")
    assert row.min_len == int(fact["min_len"])
    assert row.max_len == (int(fact["max_len"]) if fact["max_len"] else None)
    assert row.max_len is not None or (row.multiple, row.remainder) == (int(multiple or 1), int(remainder or 0))


def test_nothing_is_in_the_table_that_is_not_in_the_facts() -> None:
    known = {(fact["space"], int(fact["code"])) for fact in ROWS}
    assert {(row.space, row.code) for row in (*options.OPTIONS.values(), *options.RELAY.values())} == known


def test_names_are_unique() -> None:
    for space in (options.OPTIONS, options.RELAY):
        assert len({row.name for row in space.values()}) == len(space)


@pytest.mark.parametrize(
    ("space", "names"),
    [
        ("message-type", codes.MESSAGE_TYPES),
        ("netbios-node-type", codes.NETBIOS_NODE_TYPES),
        ("auto-config", codes.AUTO_CONFIGS),
        ("access-technology-type", codes.ACCESS_TECHNOLOGY),
        ("dhcp-state", codes.DHCP_STATES),
        ("status-code", codes.STATUS_CODES),
        ("client-arch", codes.CLIENT_ARCHITECTURES.item),
    ],
)
def test_names_of_numbers(space: str, names: Uint) -> None:
    assert names.names == {int(fact["code"]): fact["name"] for fact in facts(space)}


@pytest.mark.parametrize(
    ("space", "kind"), [("ccc", CABLELABS), ("vivso-3561", BROADBAND_FORUM), ("vivso-4491", CABLE_DEVICES)]
)
def test_suboptions(space: str, kind: Suboptions) -> None:
    found = {(code, row.name, row.title, row.kind.format, row.min_len, row.max_len) for code, row in kind.rows.items()}
    assert found == {
        (
            int(fact["code"]),
            fact["name"],
            fact["title"],
            fact["format"],
            int(fact["min_len"]),
            int(fact["max_len"]) if fact["max_len"] else None,
        )
        for fact in facts(space)
    }
