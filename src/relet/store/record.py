"""A batch of changes as one record of the tail, and back.

A record is one MessagePack value: number of the first change, wall time of the batch, and a row for each change with the
columns of a lease (rows.LEASE_COLUMNS) and who ordered it. Encoding a batch of 64 takes 0.2 us a change. What is decoded
for the database has bytearrays, because the sqlite3 module (CPython 3.11) looks for an adapter for each bytes object,
which takes 0.9 us; for the same reason `kept` is a number.
"""

from collections.abc import Iterator, Sequence
from sys import intern

import msgspec

from relet.model.ident import ClientKey
from relet.model.lease import Change, Entry, Lease, LeaseState, beside

Row = tuple[int, bytearray, str, str, int, int, bytearray, str, bytearray, str, int, str]
_Fields = tuple[int, bytes, str, LeaseState, int, int, bytes, str, bytes, str, int, str]

_ENCODER = msgspec.msgpack.Encoder()
_ROWS: msgspec.msgpack.Decoder[tuple[int, float, list[Row]]] = msgspec.msgpack.Decoder(tuple[int, float, list[Row]])
_FIELDS: msgspec.msgpack.Decoder[tuple[int, float, list[_Fields]]] = msgspec.msgpack.Decoder(
    tuple[int, float, list[_Fields]]
)


def encode(changes: Sequence[Change], number: int, wall: float) -> bytes:
    """The record of a batch whose changes are numbered from `number`. Raises UnicodeEncodeError for text that is none."""
    rows = [
        (
            lease.address,
            lease.client,
            lease.network,
            lease.state,
            lease.starts,
            lease.expires,
            lease.hardware,
            lease.hostname,
            lease.relay,
            lease.reason,
            1 if lease.kept else 0,
            change.who,
        )
        for change in changes
        for lease in (change.after,)
    ]
    return _ENCODER.encode((number, wall, rows))


def rows(octets: bytes) -> tuple[int, float, list[Row]]:
    """Number of the first change, wall time, and the columns of each for the database. Raises MsgspecError."""
    return _ROWS.decode(octets)


def entries(octets: bytes) -> Iterator[Entry]:
    """The changes of a record, the newest first. Raises MsgspecError."""
    first, at, batch = _FIELDS.decode(octets)
    for number in range(first + len(batch) - 1, first - 1, -1):
        address, client, network, state, starts, expires, hardware, hostname, relay, reason, kept, who = batch[
            number - first
        ]
        client_key = ClientKey(client)
        lease = Lease(
            address,
            client_key,
            intern(network),
            state,
            starts,
            expires,
            beside(client_key, hardware),
            hostname,
            relay,
            intern(reason),
            kept != 0,
        )
        yield Entry(number, at, lease, who)
