"""What a fleet remembers from one storm to the next, and the file in which it does: JSON, with the leases packed.

    {"format": "relet-fleet", "version": 1, "clients": 200000, "tribe": 7, "models": {"windows": 40, ...}, "circuits": 0,
     "relays": ["10.64.0.2"], "seed": 1, "addresses": "...", "expires": "...",
     "servers": "..."}

addresses, expires: base64 of one unsigned 32-bit number, in network order, for each client: its address, and the second
since 1970 at which its lease ends; both 0 for a client without a lease. servers: likewise, the server identifier of who
granted it; 0, or the whole left out, where that is not known.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Literal

import msgspec

from relet.errors import MachineError
from relet.lab.storm.models import MODELS
from relet.wire.address import parse_ip

MOST_CLIENTS = 1 << 28
"""A transaction's number tells client and attempt: 28 bits for one, three for the other, and one for strangers."""
MOST_CIRCUITS = 1 << 24
FOREVER = 0xFFFFFFFF
"""End of a lease without an end (option 51 of all ones, RFC 2131 s3.3)."""


class FleetFileError(MachineError):
    """The file cannot be read, or is no fleet of ours."""


class Memory(msgspec.Struct, frozen=True):
    """A fleet: who its clients are, and which leases they have. See the head of this file for the fields."""

    clients: int
    tribe: int
    models: dict[str, int]
    seed: int
    circuits: int
    relays: tuple[str, ...]
    addresses: array[int]
    expires: array[int]
    servers: array[int]

    @property
    def leases(self) -> int:
        """How many clients have one."""
        return sum(map(bool, self.addresses))


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["relet-fleet"]
    version: Literal[1]
    clients: int
    tribe: int
    models: dict[str, int]
    seed: int
    circuits: int
    relays: tuple[str, ...]
    addresses: str
    expires: str
    servers: str = ""


def fresh(clients: int, models: dict[str, int], seed: int, circuits: int = 0, relays: tuple[str, ...] = ()) -> Memory:
    """A fleet that has no leases yet. Its hardware addresses follow from the seed."""
    none = array("I", bytes(4 * clients))
    return Memory(clients, seed % 256, models, seed, circuits, relays, none, none, none)


def save(memory: Memory, file: Path) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    said = _File(
        format="relet-fleet",
        version=1,
        clients=memory.clients,
        tribe=memory.tribe,
        models=memory.models,
        seed=memory.seed,
        circuits=memory.circuits,
        relays=memory.relays,
        addresses=_packed(memory.addresses),
        expires=_packed(memory.expires),
        servers=_packed(memory.servers),
    )
    beside = file.with_name(file.name + ".new")
    beside.write_bytes(msgspec.json.encode(said) + b"\n")
    beside.replace(file)


def load(file: Path) -> Memory:
    """Read a file. Raises FleetFileError."""
    try:
        said = msgspec.json.decode(file.read_bytes(), type=_File)
        addresses, expires = _unpacked(said.addresses), _unpacked(said.expires)
        servers = _unpacked(said.servers) if said.servers else array("I", bytes(4 * len(addresses)))
    except OSError as error:
        raise FleetFileError(f"cannot read the fleet {file}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise FleetFileError(f"{file} is not a fleet that `relet storm --save` wrote: {error}") from error
    if not len(addresses) == len(expires) == len(servers) == said.clients <= MOST_CLIENTS:
        raise FleetFileError(f"{file} is damaged: {said.clients} clients, but {len(addresses)} leases")
    if not said.models or said.models.keys() - MODELS.keys():
        raise FleetFileError(f"{file} is damaged: models should be some of {', '.join(MODELS)}")
    if min(said.models.values()) < 0 or not sum(said.models.values()):
        raise FleetFileError(f"{file} is damaged: the shares of models are negative, or all zero")
    for name, number, most in (("tribe", said.tribe, 255), ("circuits", said.circuits, MOST_CIRCUITS)):
        if not 0 <= number <= most:
            raise FleetFileError(f"{file} is damaged: {name} is {number}, not 0 to {most}")
    try:
        for relay in said.relays:
            parse_ip(relay)
    except ValueError as error:
        raise FleetFileError(f"{file} is damaged: relays: {error}") from None
    return Memory(
        said.clients, said.tribe, said.models, said.seed, said.circuits, said.relays, addresses, expires, servers
    )


def _packed(numbers: array[int]) -> str:
    return b64encode(_network_order(numbers).tobytes()).decode()


def _unpacked(text: str) -> array[int]:
    return _network_order(array("I", b64decode(text, validate=True)))


def _network_order(numbers: array[int]) -> array[int]:
    """The numbers with their octets turned round where the machine is little-endian."""
    turned = array("I", numbers)
    if sys.byteorder == "little":
        turned.byteswap()
    return turned
