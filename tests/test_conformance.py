"""What docs/conformance-*.csv say of the RFCs' requirements is complete, and the tests that they name exist."""

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "tests" / "facts" / "requirements.csv"
SUBJECTS = {
    "server": "2131 2132 3046 3396 6842 4361 3527 3011 5107 4388 4702 4039 2563 8925 8357 1534 1542",
    "client": "2131 2132 5227 3396 3442 6842 4361 4436 3011 4702 4039 2563 8925 7844 8910 3203 6704 1534 1542",
}
"""The RFCs whose rows are judged on each side."""
HOW_MANY = {"server": 336, "client": 414}
SIDES = pytest.mark.parametrize("side", SUBJECTS)
NO_EXCUSE = {"2131", "5227"}
"""RFCs of which no MUST may be left undone."""
ROW = re.compile(r"\bR\d{4}-[\w.-]+-\d\d\b")
NAMED_IN = "tests/client/test_conformance_"
"""Tests that name the rows which they show, in their docstrings or in the tables of their parameters."""


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows(side: str) -> dict[str, dict[str, str]]:
    """The requirements that one side has to meet, by name."""
    of = SUBJECTS[side].split()
    return {row["id"]: row for row in table(REQUIREMENTS) if row["side"] in (side, "both") and row["rfc"] in of}


VERDICTS = {side: table(ROOT / "docs" / f"conformance-{side}.csv") for side in SUBJECTS}


@cache
def names_in(file: Path) -> frozenset[str]:
    """Names of the tests in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_")


def shown_in(file: Path) -> set[tuple[str, str]]:
    """Row and test, of every test in the file that names rows."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tables: dict[str, set[str]] = {}
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            tables[ast.unparse(target)] = set(ROW.findall(ast.unparse(node)))
        elif isinstance(node, ast.FunctionDef) and node.name[:5] == "test_":
            words = [word.id for each in node.decorator_list for word in ast.walk(each) if isinstance(word, ast.Name)]
            named = set(ROW.findall(ast.get_docstring(node) or "")).union(*(tables.get(word, ()) for word in words))
            found |= {(row, f"{file.relative_to(ROOT)}::{node.name}") for row in named}
    return found


@SIDES
def test_every_row_has_one_verdict(side: str) -> None:
    assert len(rows(side)) == HOW_MANY[side]
    assert sorted(verdict["id"] for verdict in VERDICTS[side]) == sorted(rows(side))


@SIDES
def test_a_verdict_is_a_test_or_a_reason(side: str) -> None:
    for verdict in VERDICTS[side]:
        if verdict["verdict"] == "shown":
            assert verdict["tests"], verdict["id"]
        else:
            assert verdict["verdict"] in {"does-not-apply", "not-done"}
            assert len(verdict["note"].split()) >= 3, verdict["id"]
            assert not verdict["tests"], verdict["id"]


@SIDES
def test_the_tests_exist(side: str) -> None:
    nodes = {node for verdict in VERDICTS[side] for node in verdict["tests"].split()}
    assert len(nodes) > 50
    missing = [node for node in sorted(nodes) if not _exists(*node.split("::"))]
    assert missing == []


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and name in names_in(path)


@SIDES
@pytest.mark.parametrize("rfc", sorted(NO_EXCUSE))
def test_no_must_is_missing(side: str, rfc: str) -> None:
    musts = {name for name, row in rows(side).items() if row["rfc"] == rfc and row["strength"] in {"MUST", "MUST NOT"}}
    undone = {verdict["id"] for verdict in VERDICTS[side] if verdict["verdict"] == "not-done"}
    assert musts & undone == set()
    assert len(musts) > 10 or (side, rfc) == ("server", "5227")


def test_rows_that_tests_name_exist() -> None:
    """Docstrings of tests say which rows they show."""
    known = {row["id"] for row in table(REQUIREMENTS)}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        named = set(ROW.findall(file.read_text(encoding="utf-8")))
        assert named - known == set(), file


def test_tables_and_tests_agree_on_what_is_shown_of_the_client() -> None:
    """A test that names a row stands in the row's verdict, and a verdict names no such test that does not name its row."""
    named: set[tuple[str, str]] = set()
    for file in sorted(ROOT.glob(NAMED_IN + "*.py")):
        named |= shown_in(file)
    judged = {
        (verdict["id"], node)
        for verdict in VERDICTS["client"]
        for node in verdict["tests"].split()
        if node.startswith(NAMED_IN)
    }
    assert len(named) > 150
    assert judged == named
