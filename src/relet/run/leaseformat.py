"""What stands in a client's lease file, as values and as octets: JSON, one object, its format named first.

Each lease stands there with the identity that it was granted to: servers know clients apart by it (RFC 2131 s4.2), so under
another hardware address or client identifier it is of no use, but it is there when that identity comes back, as that of a
host which has a random hardware address for each network. One lease that cannot be used costs none of the others.
"""

import msgspec

from relet.client.accept import usable
from relet.client.memory import MAX_NETWORKS, Leases, bounded
from relet.model.effects import Binding, Gateway, Remembered
from relet.wire.address import hex_text, ip_text, parse_hex, parse_ip
from relet.wire.codes import INFINITE

FORMAT = 2
"""The format written; format 1, which had one lease alone, is read too."""

MAX_OCTETS = 1 << 20
"""A lease takes some kilooctets; a file with more than this is not read, and none is written."""

LAYOUT = 1 << 16
"""Octets that blanks and line ends take at most: there are no more than MAX_NETWORKS leases with 254 options each."""

LATEST = 1 << 40
"""Seconds since 1970 beyond which no lease was asked for."""


class Identity(msgspec.Struct, frozen=True):
    """Who holds a lease (RFC 2131 s4.2). client_id: octets of option 61, None if none is sent."""

    mac: bytes
    client_id: bytes | None


class Kept(msgspec.Struct, frozen=True):
    """A lease, and whose it is."""

    identity: Identity
    lease: Remembered


class Taken(msgspec.Struct, frozen=True):
    """An identity taken over from another client of this host, and where it stood."""

    identity: Identity
    source: str


class Content(msgspec.Struct, frozen=True):
    """All that a lease file holds. kept: newest first, at most MAX_NETWORKS."""

    kept: tuple[Kept, ...] = ()
    taken: Taken | None = None

    def of(self, identity: Identity) -> Leases:
        """The leases of one identity, newest first."""
        return bounded(tuple(kept.lease for kept in self.kept if kept.identity == identity))

    def replacing(self, identity: Identity, leases: Leases) -> "Content":
        """The same with these leases as the only ones of an identity; they are newer than those of all others."""
        own = tuple(Kept(identity, lease) for lease in leases)
        others = (kept for kept in self.kept if kept.identity != identity)
        return Content((*own, *others)[:MAX_NETWORKS], self.taken)


class _Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: str
    mac: str


class _Lease(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Addresses as dotted quads, octets as hexadecimal, times as `Binding` has them."""

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
    gateway: _Gateway | None = None
    format: str | None = None  # in format 1 the whole file is one lease


class _Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mac: str
    client_id: str | None
    source: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    taken: _Taken | None = None
    leases: list[msgspec.Raw] = []


class _Head(msgspec.Struct, frozen=True):
    format: str


def encode(content: Content) -> bytes:
    """The file's octets, never more than MAX_OCTETS: the oldest leases are left out if they were."""
    taken = None if content.taken is None else _Taken(*_identity_text(content.taken.identity), content.taken.source)
    leases, room = [], MAX_OCTETS - LAYOUT
    for kept in content.kept:
        octets = msgspec.json.encode(_lease_text(kept))
        room -= len(octets)
        if room < 0:
            break
        leases.append(msgspec.Raw(octets))
    file = _File(f"relet-lease-{FORMAT}", taken, leases)
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def decode(octets: bytes) -> tuple[Content, list[str]]:
    """What a file holds, and what is wrong with single leases, which are left out. Raises ValueError for a useless file."""
    try:
        version = _version(msgspec.json.decode(octets, type=_Head).format)
        if version == 1:
            return Content((_kept(octets),)), []
        file = msgspec.json.decode(octets, type=_File)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    taken = None
    if file.taken is not None:
        taken = Taken(_identity(file.taken.mac, file.taken.client_id), file.taken.source)
    good, problems = [], []
    for number, lease in enumerate(file.leases[:MAX_NETWORKS], 1):
        try:
            good.append(_kept(lease))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            problems.append(f"lease {number} cannot be used: {error}")
    if len(file.leases) > MAX_NETWORKS:
        problems.append(f"only the first {MAX_NETWORKS} of {len(file.leases)} leases are read")
    return Content(tuple(good), taken), problems


def _version(text: str) -> int:
    """Raises ValueError for a format that this program does not know."""
    name, _, number = text.rpartition("-")
    if name != "relet-lease" or not (number.isascii() and number.isdecimal()) or len(number) > 3:
        raise ValueError(f"its format is {text[:40]!r}, not relet-lease-{FORMAT}")
    if int(number) > FORMAT:
        raise ValueError(f"written by a newer relet: its format is {text}, this one knows relet-lease-{FORMAT}")
    return int(number)


def _lease_text(kept: Kept) -> _Lease:
    binding, gateway = kept.lease.binding, kept.lease.gateway
    mac, client_id = _identity_text(kept.identity)
    return _Lease(
        mac=mac,
        client_id=client_id,
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
        gateway=None if gateway is None else _Gateway(ip_text(gateway.address), hex_text(gateway.mac)),
    )


def _kept(octets: bytes | msgspec.Raw) -> Kept:
    """Raises ValueError or DecodeError for what no server could have granted."""
    stored = msgspec.json.decode(octets, type=_Lease)
    if not 0 < stored.t1 <= stored.t2 <= stored.lease_time <= INFINITE:
        raise ValueError(f"T1 {stored.t1}, T2 {stored.t2} and lease time {stored.lease_time} do not fit each other")
    if not 0 <= stored.requested_at < LATEST:
        raise ValueError(f"{stored.requested_at} is no time at which a lease was asked for")
    if not all(1 <= code <= 254 for code in stored.options):
        raise ValueError("an option code is not within 1..254")
    binding = Binding(
        _host(stored.address),
        _host(stored.server),
        stored.requested_at,
        stored.lease_time,
        stored.t1,
        stored.t2,
        {code: parse_hex(octets) for code, octets in stored.options.items()},
        parse_ip(stored.siaddr),
        parse_hex(stored.sname),
        parse_hex(stored.file),
    )
    gateway = None
    if stored.gateway is not None:
        gateway = Gateway(_host(stored.gateway.address), _mac(stored.gateway.mac))
    return Kept(_identity(stored.mac, stored.client_id), Remembered(binding, gateway))


def _host(text: str) -> int:
    address = parse_ip(text)
    if not usable(address):
        raise ValueError(f"no host can have the address {text}")
    return address


def _mac(text: str) -> bytes:
    octets = parse_hex(text)
    if not 1 <= len(octets) <= 16:
        raise ValueError(f"{text!r} is no hardware address")
    return octets


def _identity(mac: str, client_id: str | None) -> Identity:
    return Identity(_mac(mac), None if client_id is None else parse_hex(client_id))


def _identity_text(identity: Identity) -> tuple[str, str | None]:
    return hex_text(identity.mac), None if identity.client_id is None else hex_text(identity.client_id)
