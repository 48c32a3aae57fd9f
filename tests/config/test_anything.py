"""Whatever an operator writes for a setting: it is taken, or told with its line; nothing else is ever raised."""

from pathlib import Path

import pytest

from relet.config.load import parse
from relet.config.schema import TABLES
from relet.errors import ConfigError

BASE = """\
[server]
store = "memory:"
[[option]]
name = "acme"
code = 224
type = "text"
[[class]]
name = "c"
[[reservation]]
client-id = "x"
address = "10.0.0.11"
[[network]]
name = "a"
interfaces = ["eth0"]
[[network.subnet]]
prefix = "10.0.0.0/24"
[[network.subnet.pool]]
range = "10.0.0.10-10.0.0.20"
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.0.0.10"
"""
VALUES = (
    "0", "-1", "7", "4294967296", "1.5", "inf", "nan", "true", "1979-05-27", "''", "'x'", "'10.0.0.1'", "'10.0.0.0/24'",
    "'10.0.0.10-10.0.0.20'", "'\\u0000'", '"\\u0000"', "'c'", "[]", "['x']", "['c', 'c']", "[1]", "[[]]", "[{}]",
    "['10.0.0.1', '10.0.0.1']", "[{ to = 1 }]", "{}", "{ x = 1 }", "{ routers = {} }", "{ routers = ['x', 5] }",
    "{ hex = 'zz' }", "{ routers = { hex = '00' } }", "{ 4491 = 1 }", "{ vivso-suboptions = { 4491 = { x = 1 } } }",
    "{ vivso-suboptions = { 99999999999 = { option-1 = { hex = '00' } } } }", "{ classless-static-route = { hex = '99' } }",
    "{ vendor-encapsulated-options = { option-0 = { hex = '00' } } }", "{ a = 'uint8', b = 'text' }", "'999999w'",
)  # fmt: skip
SETTINGS = [(heading, str(field.alias)) for heading, table in TABLES.items() for field in table.model_fields.values()]


def with_setting(heading: str, setting: str, value: str) -> str:
    """The base with a setting in one of its tables, the one that is there taken away."""
    before, _, after = BASE.partition(f"{heading}\n")
    own, bracket, rest = after.partition("[[")
    kept = "".join(f"{line}\n" for line in own.splitlines() if not line.startswith(f"{setting} ="))
    return f"{before}{heading}\n{setting} = {value}\n{kept}{bracket}{rest}"


@pytest.mark.parametrize(("heading", "setting"), SETTINGS)
def test_any_value_is_taken_or_told(heading: str, setting: str) -> None:
    told, unplaced = 0, []
    for value in VALUES:
        try:
            parse(with_setting(heading, setting, value), "f", Path("/etc"))
        except ConfigError as error:
            told += 1
            unplaced += [str(problem) for problem in error.problems if problem.line < 1 or not problem.what]
    assert unplaced == []
    assert told >= len(VALUES) // 2  # most of it fits no setting
