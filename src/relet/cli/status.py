"""`relet status`: what the running server has answered since it started, and what it threw away, each by its name."""

from typing import Annotated

import msgspec
import typer

from relet.cli.output import complain, show_json, show_table
from relet.cli.sources import ConfigFile, ControlSocket, control_socket
from relet.model.reasons import REASONS
from relet.run.control import ask
from relet.server.told import Status
from relet.wire import reasons as wire


def status(
    config: ConfigFile = None,
    control: ControlSocket = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count a running server's verdicts and drops. Exit code 1 if its store fails."""
    said = msgspec.convert(ask(control_socket(config, control), {"do": "status"}), Status)
    if as_json:
        show_json(said)
    else:
        verdicts = [
            (str(row.count), row.request, row.answer, row.reason, _meaning(row.reason)) for row in said.verdicts
        ]
        show_table(("count", "request", "answer", "reason", "because"), verdicts)
        if said.drops:
            print()
            drops = [(str(count), name, wire.REASONS.get(name, "")) for name, count in said.drops.items()]
            show_table(("count", "dropped", "because"), drops)
    if said.store_error:
        complain(f"the store fails: {said.store_error}")
        raise typer.Exit(1)


def _meaning(reason: str) -> str:
    return REASONS[reason].text.format(address="the address")
