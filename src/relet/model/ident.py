"""Who asks: the identity of a client (RFC 2131 s4.2, RFC 4361)."""

from typing import NewType

from relet.wire.address import hex_text, parse_hex, parse_ip

ClientKey = NewType("ClientKey", bytes)
"""b'i' + client identifier (option 61), or b'h' + htype + hardware address. Unique within a network."""


_DUIDS = {
    b"\0\1": ("duid-llt", 9, 130),
    b"\0\2": ("duid-en", 7, 130),
    b"\0\3": ("duid-ll", 5, 130),
    b"\0\4": ("duid-uuid", 18, 18),
}
"""Type -> (name, octets at least and at most) of the DUIDs of RFC 8415 s11."""
MAX_CLIENT_ID = 255
"""Octets of a client identifier that a reply can return."""


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
    """'id 01:52:54:..', 'duid-llt 00:01:.. iaid 00:00:00:01' for an identifier of RFC 4361, 'mac 52:54:..', or 'hw 32/..'
    for hardware other than Ethernet."""
    if key[:1] == b"i":
        return _duid_text(key[1:]) or f"id {hex_text(key[1:])}"
    if key[1] == 1:
        return f"mac {hex_text(key[2:])}"
    return f"hw {key[1]}/{hex_text(key[2:])}"


def _duid_text(client_id: bytes) -> str:
    """RFC 4361 s6.1: type 255, IAID, DUID. '' for anything else, and for DUIDs of no known type or size (RFC 8415 s11)."""
    duid = client_id[5:]
    name, least, most = _DUIDS.get(duid[:2], ("", 1, 0))
    if client_id[:1] != b"\xff" or not least <= len(duid) <= most:
        return ""
    return f"{name} {hex_text(duid)} iaid {hex_text(client_id[1:5])}"


def parse_asked(text: str) -> int | bytes:
    """What an operator calls a client: an address, or the octets of its hardware address or client identifier, also as
    `key_text` writes them. Raises ValueError that says what to write."""
    words = text.split()
    try:
        if words and words[0].startswith("duid"):
            _, duid, iaid, number = words
            if iaid != "iaid" or len(octets := parse_hex(number)) != 4:
                raise ValueError
            return b"\xff" + octets + parse_hex(duid)
        word = words[-1].rpartition("/")[2] if words else ""
        asked = parse_ip(word) if "." in word else parse_hex(word)
    except ValueError:
        asked = b""
    if asked == b"":
        raise ValueError(
            f"{text!r} is no client; write its hardware address (52:54:00:12:34:56), client identifier, as 'duid-ll 00:03:.."
            " iaid 00:00:00:01' too, or IP address"
        )
    return asked


def parse_key(text: str) -> tuple[ClientKey, bytes]:
    """(key, hardware: type and address, b'' if unknown) of a client as `key_text` writes it; a hardware address alone is a
    client that sends no identifier. Raises ValueError that says what to write."""
    if text.startswith("duid"):
        asked = parse_asked(text)
        if isinstance(asked, bytes) and len(asked) <= MAX_CLIENT_ID:
            return client_key(asked, 0, b""), b""
    name, _, word = text.strip().rpartition(" ")
    htype, slash, digits = word.rpartition("/")
    advice = "write 'mac 52:54:00:12:34:56' or 'id 01:52:54:00:12:34:56', as 'relet leases' does"
    try:
        octets = parse_hex(digits)
    except ValueError:
        octets = b""
    if name == "id" and not slash and 0 < len(octets) <= MAX_CLIENT_ID:
        # RFC 2132 s9.14: many identifiers are hardware type and address
        return client_key(octets, 0, b""), octets if len(octets) == 7 and octets[0] == 1 else b""
    if name == "hw" and htype.isascii() and htype.isdecimal() and int(htype) < 256 and 0 < len(octets) <= 16:
        return client_key(None, int(htype), octets), bytes((int(htype),)) + octets
    if name in ("", "mac") and not slash and len(octets) == 6:
        return client_key(None, 1, octets), b"\1" + octets
    raise ValueError(f"{text!r} is no client; {advice}")
