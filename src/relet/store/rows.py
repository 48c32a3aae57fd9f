"""Leases and history entries to rows and back: what the server and the readers of one SQLite file have in common.

Only SELECTs, and each function asks for one thing; whoever needs several to agree opens a transaction around them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from sys import intern

from relet.model.ident import ClientKey
from relet.model.lease import Entry, Lease, LeaseState, beside

LEASE_COLUMNS = "address, client, network, state, starts, expires, hardware, hostname, relay, reason, kept"
"""The fields of `Lease` in their order, with the whole hardware address in place of `beside`."""

PIECE = 500
"""Leases read at once: one or two milliseconds."""

_COLUMNS = (LEASE_COLUMNS, "who")
_COLUMNS_1 = (LEASE_COLUMNS.replace("kept", "0 AS kept"), "'' AS who")
"""The columns of a lease, and who ordered it, in a file of version 1: a reader may come before the first server that
brings the file up to date."""


class _States(dict[str, LeaseState]):
    """Lease states by their text; a dict because a million leases are read in one go."""

    def __missing__(self, text: str) -> LeaseState:
        raise sqlite3.DataError(f"{text!r} is no state of a lease")


_STATES = _States({state.value: state for state in LeaseState})

HistoryRow = tuple[int, float, int, bytearray, str, str, int, int, bytearray, str, bytearray, str, int, str]


def _columns(schema: int) -> tuple[str, str]:
    return _COLUMNS_1 if schema == 1 else _COLUMNS


def append(count: int) -> str:
    """The statement that appends so many rows to the history: one parameter for each field of each row."""
    row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    return f"INSERT INTO history (number, at, {LEASE_COLUMNS}, who) VALUES {', '.join([row] * count)}"


def tail(connection: sqlite3.Connection, schema: int) -> Iterator[list[Lease]]:
    """The leases that are not folded yet, in pieces, the newest first."""
    return _pieces(connection, f"SELECT {_columns(schema)[0]} FROM tail ORDER BY number DESC")


def kept(connection: sqlite3.Connection, schema: int) -> Iterator[list[Lease]]:
    """Those of the lease table that an operator keeps for somebody: before the others, because they bear on any client."""
    return iter(()) if schema == 1 else _pieces(connection, f"SELECT {LEASE_COLUMNS} FROM lease WHERE kept != 0")


def folded(connection: sqlite3.Connection, schema: int) -> Iterator[list[Lease]]:
    """The leases of the lease table, in pieces, by address."""
    return _pieces(connection, f"SELECT {_columns(schema)[0]} FROM lease ORDER BY address")


def _pieces(connection: sqlite3.Connection, select: str) -> Iterator[list[Lease]]:
    """Times, and the texts that many leases have, are one object for all of them: they are a third of a lease's memory."""
    states = _STATES
    times: dict[int, int] = {}
    share = times.setdefault
    cursor = connection.execute(select)
    while rows := cursor.fetchmany(PIECE):
        yield [
            Lease(
                address,
                client,
                intern(network),
                states[state],
                share(starts, starts),
                share(expires, expires),
                beside(client, hardware),
                hostname,
                relay,
                intern(reason),
                kept != 0,
            )
            for address, client, network, state, starts, expires, hardware, hostname, relay, reason, kept in rows
        ]


def folded_to(connection: sqlite3.Connection) -> int:
    """Number of the last change that the lease table knows."""
    (number,) = connection.execute("SELECT folded_to FROM watermark").fetchone()
    return int(number)


def oldest(connection: sqlite3.Connection, limit: int) -> tuple[int, int]:
    """Number of the last of the `limit` oldest changes in the view `tail`, and how many they are."""
    upto, count = connection.execute(
        "SELECT max(number), count(*) FROM (SELECT number FROM tail ORDER BY number LIMIT ?)", (limit,)
    ).fetchone()
    return int(upto or folded_to(connection)), int(count)


def last_number(connection: sqlite3.Connection) -> int:
    """Number of the newest entry that was ever in the file, 0 if there was none; also when the history has been cut off."""
    (number,) = connection.execute(
        "SELECT max((SELECT folded_to FROM watermark), coalesce((SELECT max(number) FROM history), 0))"
    ).fetchone()
    return int(number)


def history(
    connection: sqlite3.Connection, client: ClientKey | None, address: int | None, limit: int, schema: int
) -> Sequence[Entry]:
    """The newest `limit` entries of a client, an address, both or all, newest first.

    The tail has no index and is read through; what is folded is found by address or client.
    """
    asked = {"client": client, "address": address, "limit": max(limit, 0)}
    conditions = [f"{name} = :{name}" for name in ("client", "address") if asked[name] is not None]
    index = "by_address" if address is not None else "by_client"
    if not conditions:
        source = "history"
    else:
        folded = f"number IN (SELECT number FROM {index} WHERE {conditions[-1]})"
        source = f"(SELECT * FROM tail UNION ALL SELECT * FROM history WHERE {folded})"
    columns, ordered_by = _columns(schema)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"SELECT number, at, {ordered_by}, {columns} FROM {source} {where} ORDER BY number DESC LIMIT :limit", asked
    )
    return tuple(
        Entry(
            number,
            at,
            Lease(
                where,
                whose,
                network,
                _STATES[state],
                starts,
                expires,
                beside(whose, hardware),
                hostname,
                relay,
                reason,
                bool(kept),
            ),
            who,
        )
        for number, at, who, where, whose, network, state, starts, expires, hardware, hostname, relay, reason, kept in rows
    )
