"""The rules that no other tool holds: how the source is laid out, what it imports, and what must not be written into it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "relet"
FILES = sorted(SOURCE.rglob("*.py"))
MOST_LINES = 400
"""A longer file is no longer one noun."""
LONG_FOR_A_REASON = {"src/relet/model/reasons.py": 600}
"""All reasons stand in one file: a table with one row each."""

LOADS_BY_NAME = {
    SOURCE / "__init__.py",
    SOURCE / "cli" / "main.py",
    SOURCE / "run" / "memory.py",
    *(SOURCE / "testing" / name for name in ("__init__.py", "plugin.py")),
}
"""What is loaded where most do not need it: a command by its name, the library by a look at it, fixtures by a
test, what reads other clients' lease files when there are any."""

PURE = ("wire", "model", "client", "server", "errors.py")
"""Rings that see no world but their arguments."""

PURE_MAY_IMPORT = {
    "__future__", "abc", "array", "bisect", "collections", "contextlib", "enum", "functools", "heapq", "ipaddress",
    "itertools", "math", "operator", "re", "struct", "sys", "types", "typing", "unicodedata", "msgspec", "relet",
}  # fmt: skip
TARGETS = ("demo", "test", "check", "bench", "fuzz", "crash", "docs")

WORDS_OF_A_WORKPLACE = re.compile(
    r"(?<![\w.])/(?:work|home|root|Users)/\w"  # a path of somebody's machine
    r"|--(?:extra-)?index-url|https?://[^\s\"'>)]*(?:pypi|registry|artifactory|nexus)[^\s\"'>)]*"  # an address of a registry
    r"|\"resolved\": *\"http|registry *= *\"http",
    re.IGNORECASE,
)


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def _imported(tree: ast.AST) -> Iterator[str]:
    """Top-level names of all modules that are imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _calls(tree: ast.AST, *names: str) -> list[int]:
    """Lines on which one of these functions is called by its bare name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def _tracked() -> list[Path]:
    """Files of the repository, those not yet added included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [file for name in listed.stdout.decode().split("\0") if name and (file := ROOT / name).is_file()]


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 40
    assert {file.parent.name for file in FILES} >= {
        "wire",
        "model",
        "client",
        "server",
        "store",
        "net",
        "run",
        "lab",
        "cli",
    }


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_file_is_one_noun(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= LONG_FOR_A_REASON.get(_name(file), MOST_LINES)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_file_says_what_it_is_for(file: Path) -> None:
    docstring = ast.get_docstring(_tree(file)) or ""
    assert len(docstring.split()) >= 4
    assert docstring.rstrip().endswith((".", "?", "`", ")")) or "\n" in docstring


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_imports_stand_at_the_top(file: Path) -> None:
    """Not in functions: what a module needs is seen at its head, and there are no cycles to be hidden."""
    inner = [
        node.lineno
        for outer in ast.walk(_tree(file))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(outer)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inner == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_only_commands_print_and_end_the_program(file: Path) -> None:
    tree = _tree(file)
    if SOURCE / "cli" not in file.parents:
        assert _calls(tree, "print", "input", "exit", "quit") == []
        assert [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n) == "sys.exit"] == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_modules_are_loaded_by_name_only_where_few_need_them(file: Path) -> None:
    if file not in LOADS_BY_NAME:
        assert not {"importlib", "runpy", "pkgutil"} & set(_imported(_tree(file)))
        assert _calls(_tree(file), "__import__", "eval", "exec") == []


@pytest.mark.parametrize("file", [file for file in FILES if file.relative_to(SOURCE).parts[0] in PURE], ids=_name)
def test_the_pure_rings_see_no_world(file: Path) -> None:
    tree = _tree(file)
    assert set(_imported(tree)) - PURE_MAY_IMPORT == set()
    assert _calls(tree, "open", "print", "input") == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_shell(file: Path) -> None:
    shells = [
        keyword.value
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell"
    ]
    assert shells == []


def test_nothing_of_a_workplace_is_written_down() -> None:
    found = []
    for file in _tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if file != Path(__file__):
            found += [f"{_name(file)}: {match.group()}" for match in WORDS_OF_A_WORKPLACE.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "see /wo" + "rk/main",
        "--index" + "-url x",
        "https://py" + "pi.org/simple",
        "/ho" + "me/someone",
        '"resolved": "ht' + "tp",
    ],
)
def test_words_of_a_workplace_are_recognised(text: str) -> None:
    assert WORDS_OF_A_WORKPLACE.search(text)


@pytest.mark.parametrize("target", TARGETS)
def test_makefile_has_the_target_and_what_it_runs_is_there(target: str) -> None:
    ran = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    scripts = re.findall(r"[\w/]+/python ([\w/.]+\.py)", ran.stdout)
    assert [script for script in scripts if not script.startswith("..") and not (ROOT / script).is_file()] == []
    assert ".venv/bin/" in ran.stdout


def test_requirements_are_pinned_and_name_no_place() -> None:
    lines = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!]+", pin)] == []
    names = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(r"^    \"([a-z0-9-]+)>=", project, re.MULTILINE)
    assert needed
    assert set(needed) <= names
    assert sys.version_info >= (3, 11)


def test_the_licence_is_whole() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert {"set -euo pipefail", "make check", "make test"} <= set(text.splitlines())
