"""`relet lease`: the operator's hand on single leases, carried out by the running server."""

from typing import Annotated

import msgspec
import typer

from relet.cli.leases import plain, row
from relet.cli.output import show_json
from relet.cli.sources import ConfigFile, ControlSocket, control_socket
from relet.cli.words import complain
from relet.config.values import lease_duration
from relet.model.ident import ClientKey, parse_key
from relet.model.lease import Lease
from relet.net.clock import now
from relet.run.control import ask
from relet.server.order import Do, Order
from relet.wire.address import parse_ip

MAX_HOSTNAME = 255


def lease(
    do: Annotated[Do, typer.Argument(help="What to do.", metavar="add|change|end|reserve|unreserve|lift")],
    address: Annotated[str, typer.Argument(help="The address that it is about.")],
    client: Annotated[
        str, typer.Argument(help="For add and reserve: the client as 'relet leases' prints it, or its MAC address.")
    ] = "",
    config: ConfigFile = None,
    control: ControlSocket = None,
    lasting: Annotated[
        str | None, typer.Option("--for", help="For add and change: how long from now, as '8h' or 'infinite'.")
    ] = None,
    hostname: Annotated[str | None, typer.Option("--hostname", help="For add, change and reserve: its name.")] = None,
    at_once: Annotated[
        bool, typer.Option("--now", help="For end: give the address to others although its client may still use it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lease as JSON.")] = False,
) -> None:
    """Add, change, end or reserve a lease by hand; lift a quarantine.

    The running server checks it, writes it down before it tells, and keeps who ordered it in the history. Exit code 1 if it
    refuses.
    """
    order = _order(do, address, client, lasting, hostname, at_once)
    said = ask(control_socket(config, control), {"do": "lease", "order": msgspec.to_builtins(order)})
    if isinstance(said, dict) and "refused" in said:
        complain(str(said["refused"]))
        raise typer.Exit(1)
    after = msgspec.convert(said, Lease)
    wall = now().wall
    if as_json:
        show_json(plain(after, wall))
    else:
        where, client_text, name, _, state, until, *_ = row(after, wall)
        print("  ".join(filter(None, (where, client_text, name, state, until and f"until {until}"))))
    if do is Do.END:
        still = (
            "may still use it until the end that it was promised, and others may get it now"
            if at_once
            else ("is refused when it asks again; the address is kept from others until the end that it was promised")
        )
        complain(f"the client is not told; it {still}")


def _order(do: Do, address: str, client: str, lasting: str | None, hostname: str | None, at_once: bool) -> Order:
    """The order that was written. Raises typer.BadParameter for what makes no sense."""
    if bool(client) != (do in (Do.ADD, Do.RESERVE)):
        raise typer.BadParameter(f"{do} takes {'an address alone' if client else 'an address and a client'}")
    if lasting is not None and do not in (Do.ADD, Do.CHANGE):
        raise typer.BadParameter(f"--for goes with add and change, not with {do}")
    if hostname is not None and (do not in (Do.ADD, Do.CHANGE, Do.RESERVE) or len(hostname.encode()) > MAX_HOSTNAME):
        raise typer.BadParameter(f"--hostname goes with add, change and reserve, and has {MAX_HOSTNAME} octets at most")
    if at_once and do is not Do.END:
        raise typer.BadParameter(f"--now goes with end, not with {do}")
    try:
        key, hardware = parse_key(client) if client else (ClientKey(b""), b"")
        seconds = None if lasting is None else lease_duration(lasting)
        return Order(do, parse_ip(address), key, hardware, seconds, hostname, at_once)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
