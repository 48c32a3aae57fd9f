"""`relet renew IFACE` and `relet release IFACE`: a word to the client that runs there, and how it ended."""

from pathlib import Path
from typing import Annotated

import typer

from relet.cli.clients import SocketFolder, ask_client
from relet.cli.output import show_json
from relet.cli.words import complain, printable
from relet.run.control import NoAnswerYetError, RefusedError
from relet.run.report import Result

Interface = Annotated[str, typer.Argument(metavar="IFACE", help="The interface whose client is meant.")]
Patience = Annotated[float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="How long to wait for the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

MEANT = {"renew": "bound", "release": "released"}
"""The good outcome of each."""


def renew(iface: Interface, timeout: Patience = 10.0, sockets: SocketFolder = None, as_json: AsJson = False) -> None:
    """Have the client extend its lease now, and wait until it has.

    Exit codes: 0 extended, 1 not (refused, no answer in time, or no lease to extend), 3 no client runs there.
    """
    _order("renew", iface, timeout, sockets, as_json, "no server has answered after {:g} s; the client goes on asking")


def release(iface: Interface, timeout: Patience = 10.0, sockets: SocketFolder = None, as_json: AsJson = False) -> None:
    """Have the client give its lease back and end on this interface.

    Exit codes: 0 released, 1 not (its server could not be told, or there is no lease), 3 no client runs there.
    """
    _order("release", iface, timeout, sockets, as_json, "the lease is not released after {:g} s")


def _order(what: str, iface: str, timeout: float, sockets: Path | None, as_json: bool, late: str) -> None:
    """Print how it ended, and end with the exit code that belongs to it."""
    try:
        result = ask_client(iface, sockets, what, Result, timeout)
    except NoAnswerYetError:
        result = Result(
            interface=iface, outcome="none", cause="", text=late.format(timeout), seconds=timeout, lease=None
        )
    except RefusedError as error:
        result = Result(interface=iface, outcome="none", cause="", text=str(error), seconds=0.0, lease=None)
    good = result.outcome == MEANT[what]
    if as_json:
        show_json(result)
    elif good:
        print(printable(f"{iface}: {result.text}"))
    else:
        complain(f"{iface}: {result.text}")
    if not good:
        raise typer.Exit(1)
