"""What the documents say is so: commands and options, settings and their defaults, rings, targets, links, made pages."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from relet.cli.main import COMMANDS
from relet.config import schema
from relet.config.expression import OPERATORS, parse_expression
from relet.config.fields import HEADER, OPTION_NAMES, RELAY_NAMES, field_of
from relet.config.load import parse
from relet.model.network import NOTHING
from relet.server.parameters import filled
from support.commands import relet

ROOT = Path(__file__).parent.parent
README, MANUAL, ARCHITECTURE = ROOT / "README.md", ROOT / "docs" / "manual.md", ROOT / "docs" / "architecture.md"
GUIDES = (README, MANUAL)
DOCUMENTS = sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
MINIMAL = """
[server]
[[network]]
name = "a"
interfaces = ["a0"]
[[network.subnet]]
prefix = "10.0.0.0/24"
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.0.0.9"
[[class]]
name = "c"
[[option]]
name = "o"
code = 224
type = "uint8"
"""
CALL = re.compile(r"(?:^    |`)(?:[\w./]+/)?relet ([a-z]+)([^`\n#]*)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def _text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


@cache
def _options(command: str) -> set[str]:
    """What a command takes, from its help: an option begins a line."""
    ended = relet(command, "--help")
    assert ended.code == 0
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z-]*)", ended.out, re.MULTILINE))


def _section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of its level."""
    level = heading.partition(" ")[0]
    return text.split(f"\n{heading}\n", 1)[1].split(f"\n{level} ", 1)[0]


def _cells(table: str) -> list[list[str]]:
    """The cells of a table's rows, its head left out."""
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def _settings() -> Iterator[tuple[str, str, str]]:
    """(heading, setting, default) for every row of the settings reference."""
    text = _text(SETTINGS_PAGE)
    for heading in re.findall(r"^## (.*)$", text, re.MULTILINE):
        for name, default, meaning in _cells(_section(text, f"## {heading}")):
            assert meaning
            yield heading, name.strip("`"), default.strip("`")


SETTINGS = list(_settings())


@pytest.mark.parametrize("document", GUIDES, ids=lambda document: document.name)
def test_commands_and_their_options_exist(document: Path) -> None:
    calls = CALL.findall(_text(document))
    assert len(calls) >= 5
    for command, arguments in calls:
        assert command in {row.name for row in COMMANDS}
        assert set(OPTION.findall(arguments)) - _options(command) == set(), command


@pytest.mark.parametrize("document", GUIDES, ids=lambda document: document.name)
def test_options_named_alone_are_options_of_some_command(document: Path) -> None:
    known = set().union(*(_options(row.name) for row in COMMANDS))
    named = {option for code in re.findall(r"`([^`]+)`", _text(document)) for option in OPTION.findall(code)}
    assert named
    assert named - known == set()


def test_the_manual_has_every_option_of_the_client() -> None:
    named = {option for row in _cells(_section(_text(MANUAL), "## The client")) for option in OPTION.findall(row[0])}
    assert named == _options("client") - {"--help"}


def test_the_manual_has_every_option_of_storm() -> None:
    named = {option for row in _cells(_section(_text(MANUAL), "## Storms")) for option in OPTION.findall(row[0])}
    assert named == _options("storm") - {"--help"}


def test_the_reference_has_every_setting_and_no_other() -> None:
    said, policy = set(schema.Said.model_fields), set(schema.Policy.model_fields)
    known = {("What clients get", name) for name in said} | {("Policies", name) for name in policy}
    for table in set(schema.TABLES.values()):
        heading = ", ".join(place for place, each in schema.TABLES.items() if each is table)
        known |= {(heading, name) for name in set(table.model_fields) - said - policy}
    inner = {name.strip("[]").rpartition(".")[2] for name in schema.TABLES} - {"server"}  # tables of their own
    assert {(heading, name.replace("-", "_")) for heading, name, _ in SETTINGS} == {
        (heading, name) for heading, name in known if name not in inner
    }


@pytest.mark.parametrize(("heading", "setting", "default"), [each for each in SETTINGS if each[2]])
def test_writing_a_default_changes_nothing(heading: str, setting: str, default: str) -> None:
    """What the reference calls the default is what the server does if nothing is written."""
    place = "[[network]]" if heading in ("Policies", "What clients get") else heading.split(", ", 1)[0]
    written = MINIMAL.replace(place + "\n", f"{place}\n{setting} = {default}\n", 1)
    assert written != MINIMAL
    with_default, without = parse(written, "", ROOT), parse(MINIMAL, "", ROOT)
    for each, other in zip(with_default.networks, without.networks, strict=True):
        assert filled(each.parameters) == filled(other.parameters)
        assert replace(each, parameters=NOTHING, subnets=()) == replace(other, parameters=NOTHING, subnets=())
    assert replace(with_default, networks=()) == replace(without, networks=())


def test_the_configuration_of_the_readme_is_good() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", _text(README), re.DOTALL)
    settings = parse(block, "relet.toml", ROOT)
    assert [network.name for network in settings.networks] == ["office"]
    assert len(msgspec.to_builtins(settings.networks[0].reservations)) == 1


def test_the_rings_are_those_that_are_held() -> None:
    contracts = tomllib.loads(_text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    (line,) = re.findall(r"^    (errors <- .*)$", _text(ARCHITECTURE), re.MULTILINE)
    assert [ring.strip("{ }") for ring in line.split(" <- ")] == layers[::-1]


def test_every_ring_is_described() -> None:
    rings = _section(_text(ARCHITECTURE), "## Rings")
    described = set(re.findall(r"^      ([a-z]+)(?:/|\.py) ", rings, re.MULTILINE))
    source = ROOT / "src" / "relet"
    assert described == {each.name for each in source.iterdir() if each.is_dir() and each.name[0] != "_"} | {"errors"}


def test_the_targets_of_the_readme_are_in_the_makefile() -> None:
    named = re.findall(r"(?:^    |`)make ([a-z]+)", _text(README), re.MULTILINE)
    assert named
    assert set(named) <= set(re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(document)):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            page = (document.parent / name).resolve() if name else document
            assert page.exists(), target
            headings = [
                line.lstrip("# ").lower().replace(" ", "-") for line in _text(page).splitlines() if line[:1] == "#"
            ]
            assert not anchor or anchor in headings, target


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:server|client|run|model|docs|tests)/[\w.]+)`", _text(ARCHITECTURE))))
)
def test_files_that_the_architecture_names_are_there(path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "src" / "relet" / path).exists()


def test_the_pages_made_from_the_code_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_tests_of_classes_that_are_shown_can_be_read() -> None:
    page = _text(ROOT / "docs" / "classes.md")
    shown = re.findall(r"^(?:    )?test = '(.*)'$", page, re.MULTILINE)
    assert len(shown) >= 12
    for each in shown:
        assert parse_expression(each)


def test_every_field_and_operator_of_classes_is_shown() -> None:
    page = _text(ROOT / "docs" / "classes.md")
    fields = {cells[0].strip("`"): cells[1] for cells in _cells(_section(page, "## Fields"))}
    for name, sort in fields.items():
        written = name.replace("NAME", "option-1").replace("ENTERPRISE", "9").replace("CODE", "1")
        assert field_of(written).sort in (sort.split(",")[0], "address", "octets"), name
    assert set(fields) >= {*HEADER, *OPTION_NAMES, *RELAY_NAMES}
    operators = {cells[0]: set(re.findall(r"`([^`]+)`", cells[1])) for cells in _cells(_section(page, "## Operators"))}
    assert operators == {sort: set(fitting) for sort, fitting in OPERATORS.items()}
