"""What a file of another client tells, whichever it is: a lease, and who held it."""

import msgspec

from relet.client.accept import MIN_LEASE_TIME, usable
from relet.client.grant import renewal_times
from relet.model.effects import Binding
from relet.wire.codes import INFINITE
from relet.wire.options import CLIENT_IDENTIFIER, LEASE_TIME, REBINDING_TIME, RENEWAL_TIME, SERVER_IDENTIFIER


class Found(msgspec.Struct, frozen=True):
    """A lease of another client. client_id: what it sent as option 61, None if it sent none as far as the file tells."""

    binding: Binding
    client_id: bytes | None


def granted(address: int, requested_at: float, options: dict[int, bytes]) -> Binding:
    """The lease of an address whose DHCPACK had these options. Raises ValueError for what no server could have granted."""
    server, lease_time = _uint(options, SERVER_IDENTIFIER.code), _uint(options, LEASE_TIME.code)
    if not usable(address) or server is None or not usable(server):
        raise ValueError("it has no address or no server that could be a host's")
    if lease_time is None or not MIN_LEASE_TIME <= lease_time <= INFINITE:
        raise ValueError("it has no lease time")
    t1, t2 = renewal_times(lease_time, _uint(options, RENEWAL_TIME.code), _uint(options, REBINDING_TIME.code))
    return Binding(address, server, max(0.0, requested_at), lease_time, t1, t2, options)


def echoed(options: dict[int, bytes]) -> bytes | None:
    """The client identifier that the server sent back (RFC 6842)."""
    octets = options.get(CLIENT_IDENTIFIER.code, b"")
    return octets if 2 <= len(octets) <= 255 else None


def _uint(options: dict[int, bytes], code: int) -> int | None:
    octets = options.get(code, b"")
    return int.from_bytes(octets) if len(octets) == 4 else None
