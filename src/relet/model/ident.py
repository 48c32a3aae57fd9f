"""Who asks: the identity of a client (RFC 2131 s4.2, RFC 4361)."""

from typing import NewType

from relet.wire.address import hex_text, parse_hex, parse_ip

ClientKey = NewType("ClientKey", bytes)
"""b'i' + client identifier (option 61), or b'h' + htype + hardware address. Unique within a network."""


def client_key(client_id: bytes | None, htype: int, chaddr: bytes) -> ClientKey:
    """The key of a client: its identifier if it gave one, else its hardware type and address."""
    if client_id:
        return ClientKey(b"i" + client_id)
    return ClientKey(b"h" + bytes((htype,)) + chaddr)


def random_mac(htype: int, chaddr: bytes) -> bool:
    """Is it a unicast Ethernet address that its host made up (IEEE 802 s8.2: locally administered), as phones do anew for
    each network? Virtual machines have such addresses too."""
    return htype == 1 and len(chaddr) == 6 and chaddr[0] & 3 == 2


def key_text(key: ClientKey) -> str:
    """'id 01:52:54:..' or 'mac 52:54:..' ('hw 32/..' for hardware other than Ethernet)."""
    if key[:1] == b"i":
        return f"id {hex_text(key[1:])}"
    if key[1] == 1:
        return f"mac {hex_text(key[2:])}"
    return f"hw {key[1]}/{hex_text(key[2:])}"


def parse_asked(text: str) -> int | bytes:
    """What an operator calls a client: an address, or the octets of its hardware address or client identifier, also as
    `key_text` writes them. Raises ValueError that says what to write."""
    word = text.strip().split(" ")[-1].rpartition("/")[2]
    try:
        asked = parse_ip(word) if "." in word else parse_hex(word)
    except ValueError:
        asked = b""
    if asked == b"":
        raise ValueError(
            f"{text!r} is no client; write its hardware address (52:54:00:12:34:56), client identifier or IP address"
        )
    return asked
