"""Client identifiers (option 61): the forms that RFCs give them.

RFC 2132 s9.14: a type, and an identifier of that type. RFC 4361 s6.1 has 255, an IAID and a DUID, which outlives the
interface's hardware; RFC 7844 s3.5 has the hardware address alone, which tells nothing that is not in chaddr.
"""

from relet.wire.address import hex_text

NODE_SPECIFIC = 255
"""The type of an identifier made of IAID and DUID (RFC 4361 s6.1)."""

DUID_UUID = b"\0\4"
"""Type 4 (RFC 6355 s4)."""

DUID_OCTETS = range(3, 131)
"""How long a DUID is: two octets of type, and 1 to 128 more (RFC 8415 s11.1)."""


def by_hardware(mac: bytes, htype: int = 1) -> bytes:
    """The identifier made of a hardware address and its type."""
    return bytes((htype,)) + mac


def by_duid(iaid: bytes, duid: bytes) -> bytes:
    """The identifier of an interface (IAID, 4 octets) of a host (DUID). Raises ValueError if they cannot be that."""
    if len(iaid) != 4:
        raise ValueError(f"an IAID has 4 octets, not {len(iaid)}")
    if len(duid) not in DUID_OCTETS:
        raise ValueError(f"a DUID has {DUID_OCTETS[0]} to {DUID_OCTETS[-1]} octets, not {len(duid)}")
    return bytes((NODE_SPECIFIC,)) + iaid + duid


def duid_of(client_id: bytes | None) -> bytes | None:
    """The DUID in an identifier, if it is one of RFC 4361."""
    if client_id and client_id[0] == NODE_SPECIFIC and len(client_id) - 5 in DUID_OCTETS:
        return client_id[5:]
    return None


def identity_text(client_id: bytes | None) -> str:
    """An identifier in words, for whoever wants to know which DUID was chosen (RFC 4361 s6.1)."""
    if client_id is None:
        return "no client identifier"
    if duid := duid_of(client_id):
        return f"DUID {hex_text(duid)}, IAID {hex_text(client_id[1:5])}"
    return f"client identifier {hex_text(client_id)}"
