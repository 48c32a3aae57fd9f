"""What a fleet remembers from one storm to the next, and the file in which it does: JSON, with the leases packed.

    {"format": "relet-fleet", "version": 1, "clients": 200000, "tribe": 7, "models": {"windows": 40, ...}, "circuits": 0,
     "relays": ["10.64.0.2"], "seed": 1, "addresses": "...", "expires": "..."}

addresses, expires: base64 of one unsigned 32-bit number, in network order, for each client: its address, and the second
since 1970 at which its lease ends; both 0 for a client without a lease.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Literal

import msgspec

from relet.errors import MachineError

MOST_CLIENTS = 1 << 28
"""A transaction's number tells client and attempt: 28 bits for one, three for the other, and one for strangers."""
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


def fresh(clients: int, models: dict[str, int], seed: int, circuits: int = 0, relays: tuple[str, ...] = ()) -> Memory:
    """A fleet that has no leases yet. Its hardware addresses follow from the seed."""
    none = array("I", bytes(4 * clients))
    return Memory(clients, seed % 256, models, seed, circuits, relays, none, none)


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
    )
    beside = file.with_name(file.name + ".new")
    beside.write_bytes(msgspec.json.encode(said) + b"\n")
    beside.replace(file)


def load(file: Path) -> Memory:
    """Read a file. Raises FleetFileError."""
    try:
        said = msgspec.json.decode(file.read_bytes(), type=_File)
        addresses, expires = _unpacked(said.addresses), _unpacked(said.expires)
    except OSError as error:
        raise FleetFileError(f"cannot read the fleet {file}: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise FleetFileError(f"{file} is not a fleet that `relet storm --save` wrote: {error}") from error
    if not len(addresses) == len(expires) == said.clients <= MOST_CLIENTS:
        raise FleetFileError(f"{file} is damaged: {said.clients} clients, but {len(addresses)} leases")
    return Memory(said.clients, said.tribe, said.models, said.seed, said.circuits, said.relays, addresses, expires)


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
