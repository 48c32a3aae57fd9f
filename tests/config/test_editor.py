"""The JSON schema that editors use: it takes what the server takes, and sees what it can see of what is wrong."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from relet.config.editor import json_schema
from relet.config.load import parse
from relet.config.schema import TABLES

ROOT = Path(__file__).parents[2]
GOOD = """\
include = ["networks/*.toml"]
[server]
store = "memory:"
lease-time = "infinite"
metrics = "127.0.0.1:9547"
probe-wait = "200ms"
[[option]]
name = "acme"
code = 224
type = { a = "uint8", b = "text" }
[[class]]
name = "phones"
test = 'vendor-class == "phone"'
refuse = true
[[reservation]]
option = { host-name = "x" }
classes = ["phones"]
[[network]]
name = "a"
interfaces = ["eth0"]
deny = ["phones"]
routes = [{ to = "10.0.0.0/8", via = "10.0.0.1" }]
offer-time = 30
[[network.subnet]]
prefix = "10.0.0.0/24"
pools = ["10.0.0.10-10.0.0.20", "10.0.0.22"]
options = { routers = "10.0.0.1", acme = { a = 1, b = "x" } }
[[network.subnet.pool]]
range = "10.0.0.128/25"
lease-time = 3600
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.0.0.2"
"""
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(text: str) -> list[str]:
    return ["/".join(map(str, each.absolute_path)) for each in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_what_the_server_takes_is_good_here_too() -> None:
    assert parse(GOOD, "f", Path("/none")).networks
    assert errors(GOOD) == []


def test_the_configuration_of_the_readme_is_good_here_too() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert errors(block) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("store", "stor", "server"),
        ('"infinite"', '"for ever"', "server/lease-time"),
        ("9547", "x", "server/metrics"),
        ("code = 224", "code = 255", "option/0"),
        ("refuse = true", 'refuse = "yes"', "class/0/refuse"),
        ('name = "phones"\ntest', "test", "class/0"),
        ('["eth0"]', '"eth0"', "network/0/interfaces"),
        ("offer-time = 30", "offer-time = -1", "network/0/offer-time"),
        ("offer-time = 30", 'bootp = "always"', "network/0/bootp"),
        ("offer-time = 30", "nearly-full = 2", "network/0/nearly-full"),
        ('via = "10.0.0.1"', 'dev = "eth0"', "network/0/routes/0"),
        ('prefix = "10.0.0.0/24"', "", "network/0/subnet/0"),
        ("10.0.0.10-10.0.0.20", "10.0.0.10..20", "network/0/subnet/0/pools/0"),
        ('range = "10.0.0.128/25"', "range = []", "network/0/subnet/0/pool/0/range"),
        ("52:54:00:00:00:01", "52:54", "network/0/reservation/0/mac"),
        ("[[network.reservation]]", "[network.reservation]", "network/0/reservation"),
    ],
)
def test_what_is_wrong_is_seen(old: str, new: str, place: str) -> None:
    assert old in GOOD
    found = errors(GOOD.replace(old, new, 1))
    assert any(each.startswith(place) for each in found), found


def test_every_setting_is_described() -> None:
    tables = [SCHEMA, *SCHEMA["$defs"].values()]  # type: ignore[attr-defined]
    assert len(tables) == len(set(TABLES.values())) + 2
    assert [name for table in tables for name, each in table["properties"].items() if not each["description"]] == []


def test_the_copy_in_the_documents_is_this_one() -> None:
    assert json.loads((ROOT / "docs" / "relet.schema.json").read_text()) == SCHEMA
