"""The configurations in examples/ are good, for the server and for editors, and serve what they say."""

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from relet.config.editor import json_schema
from support.commands import relet

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVED = {
    "home.toml": (1, 100),
    "office.toml": (4, 1695),
    "pxe.toml": (1, 100),
    "isp.toml": (1, 16333),
    "campus/relet.toml": (200, 198200),
}
"""File -> networks and addresses in pools."""


@pytest.mark.parametrize("name", SERVED)
def test_relet_check_is_content(name: str) -> None:
    code, out, err = relet("check", str(EXAMPLES / name), "--json")
    assert (code, err) == (0, "")
    networks = json.loads(out)["networks"]
    assert (len(networks), sum(network["addresses"] for network in networks)) == SERVED[name]


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.toml")), ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_editor_is_content(file: Path) -> None:
    found = Draft202012Validator(json_schema()).iter_errors(tomllib.loads(file.read_text()))
    assert [each.message for each in found] == []


def test_every_example_is_looked_at() -> None:
    mains = {str(file.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("*.toml") if "[server]" in file.read_text()}
    assert mains == SERVED.keys()
