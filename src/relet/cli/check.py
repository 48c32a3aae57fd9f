"""`relet check`: is the configuration file good, and what would be served by it?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from relet.config.editor import json_schema
from relet.config.load import load
from relet.model.network import DEFAULT_LEASE_S, Network, Settings
from relet.wire.address import ip_text
from relet.wire.codes import INFINITE


def check(
    file: Annotated[Path | None, typer.Argument(help="The configuration file.", show_default=False)] = None,
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
    for line in summary(load(file)):
        print(line)


def summary(settings: Settings) -> Iterator[str]:
    """What a server with these settings would do, a line for each thing."""
    yield f"store {settings.store}"
    if settings.listen:
        yield f"listens on {', '.join(map(ip_text, settings.listen))}"
    for network in settings.networks:
        yield from _network(network)


def _network(network: Network) -> Iterator[str]:
    heard = [*network.interfaces, *(f"relay {ip_text(relay)}" for relay in network.relays)]
    yield f"network {network.name}: heard on {', '.join(heard) or 'relays inside its subnets'}"
    for subnet in network.subnets:
        size = sum(len(pool.addresses) for pool in subnet.pools)
        pools = (
            f"{', '.join(str(pool.addresses) for pool in subnet.pools)} ({size} address{'es' * (size != 1)})"
            if size
            else "no pool"
        )
        yield f"  subnet {ip_text(subnet.prefix)}/{subnet.width}: {pools}"
    if network.reservations:
        yield f"  {len(network.reservations)} reservation{'s' * (len(network.reservations) != 1)}"
    yield f"  leases for {_duration(network.parameters.lease_time or DEFAULT_LEASE_S)}"
    after = f", NAK after {network.unknown_reboot_after} s" if network.unknown_reboot_after is not None else ""
    yield f"  a rebooting client without a record: {network.unknown_reboot}{after}"
    yield f"  one with an address of another network: {network.foreign_address}"


def _duration(seconds: int) -> str:
    if seconds == INFINITE:
        return "ever"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
