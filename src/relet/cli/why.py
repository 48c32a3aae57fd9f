"""`relet why CLIENT`: the last verdicts for a client and their reasons, silence included, from the running server."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from relet.config.load import load
from relet.run.control import ask
from relet.server.told import Told


def why(
    client: Annotated[
        str, typer.Argument(help="Hardware address, client identifier (hexadecimal), or an address it asked for.")
    ],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The server's configuration file.")] = None,
    control: Annotated[Path | None, typer.Option(help="The server's control socket, instead of --config.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="Verdicts shown at most.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable, one array.")] = False,
) -> None:
    """Explain what the server answered a client, or why it kept silent."""
    answer = ask(_control(config, control), {"do": "why", "client": client, "limit": limit})
    verdicts = msgspec.convert(answer, list[Told])
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(verdicts) + b"\n")
    elif verdicts:
        print("\n\n".join(_story(verdict) for verdict in verdicts))
    else:
        print(f"The server has not heard {client} since it started (or too long ago to remember).")
    if not verdicts:
        raise typer.Exit(1)


def _control(config: Path | None, control: Path | None) -> Path:
    if control is not None and config is None:
        return control
    if config is not None and control is None:
        settings = load(config)
        if settings.control:
            return Path(settings.control)
        raise typer.BadParameter(f'{config} has no control socket; write [server] control = "relet.sock"')
    raise typer.BadParameter("give either --config FILE or --control SOCKET")


def _story(verdict: Told) -> str:
    at = datetime.fromtimestamp(verdict.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    asked = f" for {verdict.address}" if verdict.address else ""
    where = f"network {verdict.network}, {verdict.where}" if verdict.network else verdict.where
    time = f", for {verdict.seconds} s" if verdict.answer in {"ACK", "OFFER"} and verdict.seconds else ""
    return (
        f"{at}  {verdict.request}{asked} -> {verdict.answer}  ({verdict.reason}{time})\n"
        f"  {verdict.client}, hardware {verdict.hardware or 'none'}, {where}\n"
        f"  because {verdict.text}\n"
        f"  {verdict.manual}"
    )
