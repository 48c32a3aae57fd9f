"""The client's lease file: one JSON object, so that the next start can ask for the same address.

Whoever reads the file finds the old lease or the new one, never a part: it is written beside its place, synced, and
renamed. A file that cannot be used, or is another client's, is moved aside as '.bad' if that is possible, and the client
starts without a lease and says so.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from relet.client.accept import usable
from relet.model.effects import Binding, Note
from relet.wire.address import hex_text, ip_text, parse_hex, parse_ip
from relet.wire.codes import INFINITE

MAX_OCTETS = 1 << 20
"""A lease file is a few hundred octets; more than this is not read."""

FOLDER = Path("/var/lib/relet")


def default_path(interface: str) -> Path:
    """Where an interface's lease is kept unless the operator says otherwise."""
    return FOLDER / f"{interface}.lease"


class Identity(msgspec.Struct, frozen=True):
    """Who holds the lease: a file of another client is of no use, for servers know them apart (RFC 2131 s4.2)."""

    mac: bytes
    client_id: bytes | None


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content: addresses as dotted quads, octets as hexadecimal, times as `Binding` has them."""

    format: Literal["relet-lease-1"]
    mac: str
    client_id: str | None
    address: str
    server: str
    requested_at: float
    lease_time: int
    t1: int
    t2: int
    options: dict[int, str]
    siaddr: str
    sname: str
    file: str


class LeaseFile:
    """One client's lease at one path."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self._identity = identity

    def read(self) -> tuple[Binding | None, Note | None]:
        """The remembered lease, if there is a file and it is good; what the operator should hear of it."""
        try:
            with self.path.open("rb") as file:
                octets = file.read(MAX_OCTETS + 1)
        except FileNotFoundError:
            return None, None
        except OSError as error:
            return None, Note("bad-lease-file", f"{self.path} cannot be read: {error.strerror}")
        try:
            return _binding(_checked(octets, self._identity)), None
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return None, Note("bad-lease-file", f"{self.path} cannot be used: {error}; {self._set_aside()}")

    def write(self, binding: Binding) -> None:
        """Make the lease the remembered one, safe on disk when this returns. Raises OSError; the old file then stays."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.new")
        octets = msgspec.json.format(msgspec.json.encode(_stored(binding, self._identity)), indent=2) + b"\n"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
        self._sync_folder()

    def remove(self) -> None:
        """There is no remembered lease any more. Raises OSError."""
        self.path.unlink(missing_ok=True)
        if self.path.parent.is_dir():
            self._sync_folder()

    def _set_aside(self) -> str:
        """What became of a file that cannot be used."""
        aside = self.path.with_name(self.path.name + ".bad")
        try:
            self.path.replace(aside)
        except OSError as error:
            return f"it cannot be moved aside: {error.strerror}"
        return f"it is kept as {aside}"

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _stored(binding: Binding, identity: Identity) -> Stored:
    return Stored(
        format="relet-lease-1",
        mac=hex_text(identity.mac),
        client_id=None if identity.client_id is None else hex_text(identity.client_id),
        address=ip_text(binding.address),
        server=ip_text(binding.server),
        requested_at=binding.requested_at,
        lease_time=binding.lease_time,
        t1=binding.t1,
        t2=binding.t2,
        options={code: hex_text(octets) for code, octets in binding.options.items()},
        siaddr=ip_text(binding.siaddr),
        sname=hex_text(binding.sname),
        file=hex_text(binding.file),
    )


def _checked(octets: bytes, identity: Identity) -> Stored:
    """Raises ValueError or DecodeError that says why the octets are not this client's lease."""
    if len(octets) > MAX_OCTETS:
        raise ValueError(f"it has more than {MAX_OCTETS} octets")
    stored = msgspec.json.decode(octets, type=Stored)
    client_id = None if stored.client_id is None else parse_hex(stored.client_id)
    if Identity(parse_hex(stored.mac), client_id) != identity:
        raise ValueError("it is the lease of another hardware address or client identifier")
    return stored


def _binding(stored: Stored) -> Binding:
    """Raises ValueError for what no server could have granted."""
    if not 0 < stored.t1 <= stored.t2 <= stored.lease_time <= INFINITE:
        raise ValueError(f"T1 {stored.t1}, T2 {stored.t2} and lease time {stored.lease_time} do not fit each other")
    if not all(1 <= code <= 254 for code in stored.options):
        raise ValueError("an option code is not within 1..254")
    address, server = parse_ip(stored.address), parse_ip(stored.server)
    for each in (address, server):
        if not usable(each):
            raise ValueError(f"no host can have the address {ip_text(each)}")
    return Binding(
        address,
        server,
        stored.requested_at,
        stored.lease_time,
        stored.t1,
        stored.t2,
        {code: parse_hex(octets) for code, octets in stored.options.items()},
        parse_ip(stored.siaddr),
        parse_hex(stored.sname),
        parse_hex(stored.file),
    )
