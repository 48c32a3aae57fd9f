"""What docs/conformance.csv says of the RFCs' requirements is complete, and the tests that it names exist."""

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPY = ROOT / "tests" / "facts" / "requirements.csv"
ORIGINAL = ROOT.parent / "shared" / "facts" / "rfc2131-requirements.csv"
SUBJECTS = tuple(
    "2131 2132 3046 3396 6842 4361 3527 3011 5107 4388 4702 4039 2563 8925 8357 1534 1542".split()  # noqa: SIM905
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = {row["id"]: row for row in table(COPY) if row["side"] in ("server", "both") and row["rfc"] in SUBJECTS}
VERDICTS = table(ROOT / "docs" / "conformance.csv")


@cache
def names_in(file: Path) -> frozenset[str]:
    """Names of the tests in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_")


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the facts are not beside this clone")
def test_the_requirements_are_copied_whole() -> None:
    assert COPY.read_bytes() == ORIGINAL.read_bytes()


def test_every_row_has_one_verdict() -> None:
    assert len(ROWS) == 336
    assert sorted(verdict["id"] for verdict in VERDICTS) == sorted(ROWS)


def test_a_verdict_is_a_test_or_a_reason() -> None:
    for verdict in VERDICTS:
        if verdict["verdict"] == "shown":
            assert verdict["tests"], verdict["id"]
        else:
            assert verdict["verdict"] in {"does-not-apply", "not-done"}
            assert len(verdict["note"].split()) >= 3, verdict["id"]
            assert not verdict["tests"], verdict["id"]


def test_the_tests_exist() -> None:
    nodes = {node for verdict in VERDICTS for node in verdict["tests"].split()}
    assert len(nodes) > 100
    missing = [node for node in sorted(nodes) if not _exists(*node.split("::"))]
    assert missing == []


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and name in names_in(path)


def test_no_must_of_rfc_2131_is_missing() -> None:
    musts = {name for name, row in ROWS.items() if row["rfc"] == "2131" and row["strength"] in {"MUST", "MUST NOT"}}
    undone = {verdict["id"] for verdict in VERDICTS if verdict["verdict"] == "not-done"}
    assert musts & undone == set()


def test_rows_that_tests_name_exist() -> None:
    """Docstrings of tests say which rows they show."""
    known = {row["id"] for row in table(COPY)}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        named = set(re.findall(r"\bR\d{4}-[\d.]+-\d\d\b", file.read_text(encoding="utf-8")))
        assert named - known == set(), file
