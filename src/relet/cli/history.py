"""`relet history`: who had which address when."""

from typing import Annotated

import typer

from relet.cli.output import moment, show_json, show_table, when
from relet.cli.sources import ConfigFile, StoreName, reader
from relet.model.ident import ClientKey, client_key, key_text, parse_asked
from relet.model.lease import Entry
from relet.store import SqliteReader
from relet.wire.address import hex_text, ip_text

MOST_ENTRIES = 100_000
COLUMNS = ("time", "address", "client", "hostname", "network", "became", "until", "reason", "who")


def history(
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="CLIENT|ADDRESS",
            help="A hardware address, a client identifier (either as 'relet leases' prints it) or an IP address.",
        ),
    ] = None,
    config: ConfigFile = None,
    store: StoreName = None,
    limit: Annotated[int, typer.Option(help="How many entries at most.", min=1, max=MOST_ENTRIES)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what became of a client's leases, of an address, or of all of them; the newest first.

    Exit code 1 if there is nothing to tell.
    """
    source = reader(config, store)
    entries = _found(source, who, limit)
    source.close()
    if as_json:
        show_json([_plain(entry) for entry in entries])
    else:
        show_table(COLUMNS, [_row(entry) for entry in entries])
    if not entries:
        raise typer.Exit(1)


def _found(source: SqliteReader, who: str | None, limit: int) -> list[Entry]:
    """The newest entries about whom the operator asked. Raises typer.BadParameter."""
    if who is None:
        return list(source.history(limit=limit))
    try:
        asked = parse_asked(who)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if isinstance(asked, int):
        return list(source.history(address=asked, limit=limit))
    keys = _keys(source, asked)
    entries = [entry for key in keys for entry in source.history(client=key, limit=limit)]
    return sorted(entries, key=lambda entry: -entry.number)[:limit]


def _keys(source: SqliteReader, octets: bytes) -> set[ClientKey]:
    """Every key that a client with this hardware address or identifier may have.

    A client may send its hardware address as identifier, behind its type (RFC 2132 s9.14), or an identifier that has
    nothing to do with it (RFC 4361); of those the leases know the hardware.
    """
    guessed = {client_key(octets, 0, b""), client_key(b"\1" + octets, 0, b""), client_key(None, 1, octets)}
    return guessed | {lease.client for lease in source.all() if lease.hardware[1:] == octets}


def _row(entry: Entry) -> tuple[str, ...]:
    lease = entry.lease
    became, until = lease.state.value + (", reserved" if lease.kept else ""), when(lease.expires)
    who = key_text(lease.client), lease.hostname, lease.network
    return when(entry.at), ip_text(lease.address), *who, became, until, lease.reason, entry.who


def _plain(entry: Entry) -> dict[str, object]:
    lease = entry.lease
    return {
        "number": entry.number,
        "time": moment(entry.at),
        "address": ip_text(lease.address),
        "client": key_text(lease.client),
        "hardware": hex_text(lease.hardware[1:]),
        "hostname": lease.hostname,
        "network": lease.network,
        "became": lease.state.value,
        "starts": moment(lease.starts),
        "expires": moment(lease.expires),
        "reason": lease.reason,
        "reserved": lease.kept,
        "who": entry.who,
    }
