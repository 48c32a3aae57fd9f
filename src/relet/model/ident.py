"""Who asks: the identity of a client (RFC 2131 s4.2, RFC 4361)."""

from typing import NewType

from relet.wire.address import hex_text, parse_hex

ClientKey = NewType("ClientKey", bytes)
"""b'i' + client identifier (option 61), or b'h' + htype + hardware address. Unique within a network."""


def client_key(client_id: bytes | None, htype: int, chaddr: bytes) -> ClientKey:
    """The key of a client: its identifier if it gave one, else its hardware type and address."""
    if client_id:
        return ClientKey(b"i" + client_id)
    return ClientKey(b"h" + bytes((htype,)) + chaddr)


def key_text(key: ClientKey) -> str:
    """'id 01:52:54:..' or 'mac 52:54:..' ('hw 32/..' for hardware other than Ethernet)."""
    if key[:1] == b"i":
        return f"id {hex_text(key[1:])}"
    if key[1] == 1:
        return f"mac {hex_text(key[2:])}"
    return f"hw {key[1]}/{hex_text(key[2:])}"


def parse_key(text: str) -> ClientKey:
    """The inverse of `key_text`. Raises ValueError that says what to write."""
    word, _, rest = text.partition(" ")
    if word == "id" and rest:
        return client_key(parse_hex(rest), 0, b"")
    if word == "mac" and rest:
        return client_key(None, 1, parse_hex(rest))
    htype, slash, hardware = rest.partition("/")
    if word == "hw" and slash and htype.isdecimal() and int(htype) < 256:
        return client_key(None, int(htype), parse_hex(hardware))
    raise ValueError(f"{text!r} is not a client; write 'mac 52:54:00:12:34:56' or 'id 01:52:54:00:12:34:56'")
