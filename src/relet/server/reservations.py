"""Which reservation names the client of a request, and which addresses are kept for whom.

Looked up by whatever the rows of this network go by, each way at the cost of one dictionary; a network without
reservations pays for an empty loop. The order is that of `Reservation`: first the network's own rows, then those of the
whole file.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from relet.errors import WireError
from relet.model.network import Network, Reservation
from relet.server.relayed import suboptions
from relet.wire.message import Message
from relet.wire.option import numbered
from relet.wire.options import CIRCUIT_ID, CLIENT_IDENTIFIER, FQDN, HOST_NAME, REMOTE_ID, SUBSCRIBER_ID

Finder: TypeAlias = Callable[[Message, bytes | None], bytes | None]
"""(message, option 82 that counts for it) -> the key that it is looked up by, None if it has none."""

_HOST_NAME = HOST_NAME.code
_FQDN = FQDN.code


def host_name(message: Message) -> bytes | None:
    """Option 12 in lower case."""
    octets = message.options.get(_HOST_NAME)
    return None if octets is None else octets.rstrip(b"\0").lower()


def full_name(message: Message) -> bytes | None:
    """The name in the client's FQDN option (RFC 4702) in lower case, without the dot at its end."""
    octets = message.options.get(_FQDN)
    if octets is None:
        return None
    try:
        name = FQDN.decode(octets)[3]
    except WireError:
        return None
    return str(name).rstrip(".").lower().encode() or None


def _mac(message: Message, _: bytes | None) -> bytes | None:
    return message.chaddr


def _option(code: int, message: Message, _: bytes | None) -> bytes | None:
    return message.options.get(code)


def _relayed(code: int, _: Message, info: bytes | None) -> bytes | None:
    return None if info is None else suboptions(info).get(code)


_WAYS: tuple[tuple[str, tuple[Finder, ...]], ...] = (
    ("mac", (_mac,)),
    ("client-id", (partial(_option, CLIENT_IDENTIFIER.code),)),
    ("circuit-id", (partial(_relayed, CIRCUIT_ID.code),)),
    ("remote-id", (partial(_relayed, REMOTE_ID.code),)),
    ("subscriber-id", (partial(_relayed, SUBSCRIBER_ID.code),)),
    ("hostname", (lambda message, _: host_name(message), lambda message, _: full_name(message))),
)
RELAYED = frozenset({"circuit-id", "remote-id", "subscriber-id"})


class Reservations:
    """Those of one network, with the file's. by_address: who each reserved address is kept for, one or several.

    relayed: is a client known here by what its relay says?
    """

    def __init__(self, network: Network) -> None:
        everywhere = tuple(
            row if not row.address or network.subnet_of(row.address) is not None else replace(row, address=0)
            for row in network.everywhere
        )
        rows = (*network.reservations, *everywhere)
        self.relayed = any(row.by in RELAYED for row in rows)
        self.by_address: dict[int, tuple[Reservation, ...]] = {}
        for row in rows:
            if row.address:
                self.by_address[row.address] = (*self.by_address.get(row.address, ()), row)
        self._silent = {by: _finders(by) for row in rows if (by := row.by) == "hostname" or numbered(by) is not None}
        self._steps = (*_steps(network.reservations), *_steps(everywhere))

    def of(self, message: Message, info: bytes | None) -> Reservation | None:
        """The row that names the client, None if none does. info: option 82, of the message or remembered from an earlier
        one. Raises WireError if that is broken and a row would need it."""
        for find, rows in self._steps:
            key = find(message, info)
            if key and (row := rows.get(key)) is not None:
                return row
        return None

    def unsaid(self, address: int, message: Message, found: Reservation | None) -> Reservation | None:
        """Of the rows of an address, one that names its client by a host name or option that this message has not, and
        that would count before the row that was found. Who holds the address is that client, as far as the message tells."""
        kept = self.by_address.get(address, ())
        for _, rows in self._steps:
            if found is not None and rows.get(found.key) is found:
                return None
            for row in kept:
                if row.by in self._silent and rows.get(row.key) is row and not self._says(message, row.by):
                    return row
        return None

    def _says(self, message: Message, by: str) -> bool:
        return any(find(message, None) for find in self._silent[by])


def _finders(by: str) -> tuple[Finder, ...]:
    """How to find what a row goes by."""
    code = numbered(by)
    return dict(_WAYS)[by] if code is None else (partial(_option, code),)


def _steps(rows: tuple[Reservation, ...]) -> list[tuple[Finder, dict[bytes, Reservation]]]:
    """Where to look, in the order of `Reservation`. Of two rows with the same key the first counts."""
    by_way: dict[str, dict[bytes, Reservation]] = {}
    for row in rows:
        by_way.setdefault(row.by, {}).setdefault(row.key, row)
    options = [(by, _finders(by)) for by in by_way if numbered(by) is not None]
    return [(find, by_way[by]) for by, finders in (*_WAYS, *options) if by in by_way for find in finders]
