"""`relet leases`: who has which address now."""

import time
from typing import Annotated

import typer

from relet.cli.moving import list_moves
from relet.cli.output import moment, show_json, show_table, when
from relet.cli.sources import ConfigFile, StoreName, reader
from relet.model.ident import key_text, random_mac
from relet.model.lease import Lease, LeaseState
from relet.wire.address import hex_text, ip_text

RESERVED = "reserved"
COLUMNS = ("address", "client", "hostname", "network", "state", "until", "reason", "note")


def leases(
    config: ConfigFile = None,
    store: StoreName = None,
    every: Annotated[bool, typer.Option("--all", help="Also leases that have ended.")] = False,
    network: Annotated[str | None, typer.Option(help="Only this network's leases.", metavar="NAME")] = None,
    moving: Annotated[
        bool, typer.Option("--moving", help="Only clients that have to move to another address; needs --config.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the leases that a server has granted, by address, while it runs or not.

    Without --all: those that clients hold now, and addresses kept back because somebody else was found using them.
    """
    if moving:
        if config is None or store is not None or every:
            raise typer.BadParameter(
                "--moving goes with --config FILE, which says where clients have to be, and without --all"
            )
        list_moves(config, network, as_json)
        return
    source = reader(config, store)
    wall = time.time()
    chosen = [
        lease
        for lease in source.all()
        if (every or lease.holds(wall) or lease.quarantined(wall) or lease.kept) and network in (None, lease.network)
    ]
    source.close()
    if as_json:
        show_json([plain(lease, wall) for lease in chosen])
    else:
        show_table(COLUMNS, [row(lease, wall) for lease in chosen])


def row(lease: Lease, wall: float) -> tuple[str, ...]:
    """A lease as cells under COLUMNS."""
    client, state, until = key_text(lease.client), state_text(lease, wall), when(lease.expires)
    if state == RESERVED:
        until = ""
    elif lease.kept:
        state = f"{state}, {RESERVED}"
    return ip_text(lease.address), client, lease.hostname, lease.network, state, until, lease.reason, note(lease)


def note(lease: Lease) -> str:
    """What is worth knowing besides: a hardware address that its host made up is another one on another network."""
    return "random mac" if lease.hardware and random_mac(lease.hardware[0], lease.hardware[1:]) else ""


def plain(lease: Lease, wall: float) -> dict[str, object]:
    """A lease as JSON."""
    return {
        "address": ip_text(lease.address),
        "client": key_text(lease.client),
        "hardware": hex_text(lease.hardware[1:]),
        "random-mac": note(lease) != "",
        "hostname": lease.hostname,
        "network": lease.network,
        "state": state_text(lease, wall),
        "starts": moment(lease.starts),
        "expires": moment(lease.expires),
        "relay": lease.relay.hex(),
        "reason": lease.reason,
        "reserved": lease.kept,
    }


def state_text(lease: Lease, wall: float) -> str:
    """'bound', 'released', 'declined', 'ended', or 'expired' if time has ended what the last change began; 'reserved' if
    it is kept for its client, who has no lease."""
    if (lease.state is LeaseState.RELEASED and not lease.kept) or lease.holds(wall) or lease.quarantined(wall):
        return lease.state.value
    return RESERVED if lease.kept else "expired"
