"""`relet check`: is the configuration file good, and what would be served by it?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from relet.cli.served import described, overview
from relet.config.editor import json_schema
from relet.config.load import load

MOST_IN_DETAIL = 10
"""Networks that are told in detail without being asked for by name."""


def check(
    file: Annotated[Path | None, typer.Argument(help="The configuration file.", show_default=False)] = None,
    network: Annotated[str | None, typer.Option(help="Tell this network alone, in detail.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of such files, for editors.")] = False,
) -> None:
    """Check a configuration file and say what it would serve.

    Every problem is told as 'file:line: where: what; what to write instead', and the exit code is 1.
    """
    if schema:
        print(json.dumps(json_schema(), indent=2))
        return
    if file is None:
        raise typer.BadParameter("name the configuration file")
    settings = load(file)
    told = [each for each in settings.networks if network in (None, each.name)]
    if not told:
        names = ", ".join(each.name for each in settings.networks[:MOST_IN_DETAIL])
        raise typer.BadParameter(f"there is no network {network!r}; there are {names}")
    if as_json:
        print(json.dumps(described(settings, told), indent=2))
        return
    for line in overview(settings, told, in_detail=len(told) <= MOST_IN_DETAIL):
        print(line)
