"""`relet status`: what runs here; with an interface, the client there; with a configuration or socket, a server."""

from typing import Annotated

import typer

from relet.cli.client_status import show_client
from relet.cli.clients import SocketFolder
from relet.cli.overview import show_overview
from relet.cli.server_status import show_server
from relet.cli.sources import ConfigFile, ControlSocket, control_socket


def status(
    iface: Annotated[
        str | None, typer.Argument(metavar="[IFACE]", help="The interface whose client is meant.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    control: ControlSocket = None,
    sockets: SocketFolder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where a client is: its lease, its times, its last exchange; or count a server's verdicts, drops and addresses.

    Without IFACE, --config and --control: all clients and the server that run here. Exit code 1 if a client has no
    address, a server's store fails, or nothing runs.
    """
    server = config is not None or control is not None
    if iface is not None and server:
        raise typer.BadParameter("say either IFACE, for the client there, or --config or --control, for a server")
    if sockets is not None and server:
        raise typer.BadParameter("--sockets is where clients are asked; a server has --control SOCKET")
    if server:
        good = show_server(control_socket(config, control), as_json)
    elif iface is not None:
        good = show_client(iface, sockets, as_json)
    else:
        good = show_overview(sockets, as_json)
    if not good:
        raise typer.Exit(1)
