"""`relet why CLIENT`: the last verdicts for a client and their reasons, silence included, from the running server."""

from typing import Annotated

import msgspec
import typer

from relet.cli.output import show_json, when
from relet.cli.sources import ConfigFile, ControlSocket, control_socket
from relet.model.ident import parse_asked
from relet.run.control import ask
from relet.server.told import MAX_TOLD, Told


def why(
    client: Annotated[
        str, typer.Argument(help="Hardware address, client identifier (hexadecimal), or an address it asked for.")
    ],
    config: ConfigFile = None,
    control: ControlSocket = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_TOLD, help="Verdicts shown at most.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable, one array.")] = False,
) -> None:
    """Explain what the server answered a client, or why it kept silent."""
    try:
        parse_asked(client)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    answer = ask(control_socket(config, control), {"do": "why", "client": client, "limit": limit})
    verdicts = msgspec.convert(answer, list[Told])
    if as_json:
        show_json(verdicts)
    elif verdicts:
        print("\n\n".join(_story(verdict) for verdict in verdicts))
    else:
        print(f"The server has not heard {client} since it started (or too long ago to remember).")
    if not verdicts:
        raise typer.Exit(1)


def _story(verdict: Told) -> str:
    asked = f" for {verdict.address}" if verdict.address else ""
    where = f"network {verdict.network}, {verdict.where}" if verdict.network else verdict.where
    time = f", for {verdict.seconds} s" if verdict.answer in {"ACK", "OFFER"} and verdict.seconds else ""
    classes = f", classes {', '.join(verdict.classes)}" if verdict.classes else ""
    return (
        f"{when(verdict.at)}  {verdict.request}{asked} -> {verdict.answer}  ({verdict.reason}{time})\n"
        f"  {verdict.client}, hardware {verdict.hardware or 'none'}, {where}{classes}\n"
        f"  because {verdict.text}\n"
        f"  {verdict.manual}"
    )
