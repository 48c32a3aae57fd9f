"""`relet reload`: have the running server read its configuration again, or tell what that would change."""

import time
from typing import Annotated

import msgspec
import typer

from relet.cli.moving import show_moves
from relet.cli.output import show_json
from relet.cli.sources import ConfigFile, ControlSocket, control_socket
from relet.cli.words import complain, printable
from relet.run.control import ask
from relet.run.reload import APPLIED, PREPARING, REFUSED, Reloaded

POLL_S = 0.1
"""Between two questions whether the server is done."""


def reload(
    config: ConfigFile = None,
    control: ControlSocket = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have the running server read its configuration file again, as a whole or not at all.

    Tells what changes and which clients have to move. Exit code 1, and nothing changed, if anything is wrong in the file.
    """
    path = control_socket(config, control)
    said = msgspec.convert(ask(path, {"do": "reload", "dry": dry_run}), Reloaded)
    while said.state == PREPARING:
        time.sleep(POLL_S)
        said = msgspec.convert(ask(path, {"do": "reloaded"}), Reloaded)
    if as_json:
        show_json(said)
    elif said.state != REFUSED:
        _show(said)
    if said.state == REFUSED:
        for problem in [] if as_json else said.problems:
            complain(problem)
        raise typer.Exit(1)


def _show(said: Reloaded) -> None:
    for change in said.changes:
        print(printable(change))
    if not said.changes:
        print("nothing changes")
    if said.moving:
        will = "have to move" if said.state == APPLIED else "would have to move"
        print(f"\n{said.moving} client{'s' * (said.moving != 1)} {will}:")
        show_moves(said.moves)
    if said.state == APPLIED:
        print("reloaded")
