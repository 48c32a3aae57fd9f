"""Clients that have to move and have not arrived, for `relet leases --moving` and `relet reload`."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from relet.cli.output import moment, show_json, show_table, when
from relet.cli.words import complain
from relet.config.load import load
from relet.model.network import Settings
from relet.server.identify import Directory
from relet.server.moving import Move, mover, offline, told
from relet.store import SqliteReader, open_reader

COLUMNS = ("address", "client", "hostname", "network", "to", "since", "until")


def list_moves(config: Path, network: str | None, as_json: bool) -> None:
    """Print who has not arrived, by address, from the configuration and the store alone. Raises ConfigError, StoreError."""
    settings = load(config)
    source = open_reader(settings.store)
    moves = [move for move in found(settings, source, time.time()) if network in (None, move.network)]
    source.close()
    if as_json:
        show_json([_plain(move) for move in moves])
    else:
        show_moves(moves)
    for each in settings.networks:
        if network in (None, each.name) and (unknown := offline(each)):
            complain(f"network {each.name}: {' and '.join(unknown)} move clients too, which only shows when those ask")


def found(settings: Settings, source: SqliteReader, wall: float) -> Iterator[Move]:
    """The clients that the settings move, by address."""
    directory = Directory(settings.networks)
    leases = {lease.address: lease for lease in source.all()}
    kept = {lease.client: lease.address for lease in leases.values() if lease.kept}
    for lease in leases.values():
        site = directory.locate(lease.address)
        if site is not None and (move := mover(lease, site, leases.get, wall, kept)) is not None:
            yield told(move)


def show_moves(moves: Sequence[Move]) -> None:
    """Print a table of them."""
    show_table(COLUMNS, [_row(move) for move in moves])


def _row(move: Move) -> tuple[str, ...]:
    to = f"{move.to} (in use)" if move.held else move.to
    since = "not renewed yet" if move.since is None else when(move.since)
    return move.address, move.client, move.hostname, move.network, to, since, when(move.until)


def _plain(move: Move) -> dict[str, object]:
    return {
        "address": move.address,
        "client": move.client,
        "hostname": move.hostname,
        "network": move.network,
        "to": move.to,
        "held": move.held,
        "since": None if move.since is None else moment(move.since),
        "until": moment(move.until),
    }
