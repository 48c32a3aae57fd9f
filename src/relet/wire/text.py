"""Messages as text: one line, in full, and for JSON. None of these ever raises, and nothing in them moves a terminal."""

from relet.wire import options
from relet.wire.address import hex_text, ip_text
from relet.wire.codes import INFINITE
from relet.wire.message import BOOTREQUEST, Message
from relet.wire.texts import OPAQUE


def line(message: Message) -> str:
    """'REQUEST xid 0x3d1d from 52:54:00:12:34:56 requested 192.168.1.5': what matters of a message."""
    parts = [
        kind_text(message),
        f"xid {message.xid:#x}",
        "from" if message.op == BOOTREQUEST else "to",
        _who(message),
    ]
    for word, address in (
        ("requested", message.ip(options.REQUESTED_ADDRESS.code)),
        ("ciaddr", message.ciaddr),
        ("yiaddr", message.yiaddr),
        ("server", message.ip(options.SERVER_IDENTIFIER.code)),
        ("giaddr", message.giaddr),
    ):
        if address:
            parts.append(f"{word} {ip_text(address)}")
    lease = message.uint(options.LEASE_TIME.code)
    if lease is not None:
        parts.append("lease for ever" if lease == INFINITE else f"lease {lease}s")
    said = [row for row in (options.HOST_NAME, options.MESSAGE) if row.code in message.options]
    return " ".join(parts + [f"{row.title.lower()} {row.text(message.options[row.code])}" for row in said])


def full(message: Message) -> str:
    """All fields and options, one on a line."""
    fields = [
        ("op", f"{message.op} ({_op(message)})"),
        ("htype", str(message.htype)),
        ("hops", str(message.hops)),
        ("xid", f"{message.xid:#010x}"),
        ("secs", str(message.secs)),
        ("flags", f"{message.flags:#06x}" + (" (broadcast)" if message.broadcast else "")),
        ("ciaddr", ip_text(message.ciaddr)),
        ("yiaddr", ip_text(message.yiaddr)),
        ("siaddr", ip_text(message.siaddr)),
        ("giaddr", ip_text(message.giaddr)),
        ("chaddr", hex_text(message.chaddr) or "none"),
        ("sname", OPAQUE.text(message.sname)),
        ("file", OPAQUE.text(message.file)),
    ]
    lines = [f"{name:<8}{value}" for name, value in fields]
    for code, octets in message.options.items():
        row = options.option(code)
        lines.append(f"{code:<8}{row.name}: {row.text(octets)}")
    return "\n".join(lines)


def plain(message: Message) -> dict[str, object]:
    """For JSON: addresses and hardware addresses as text, options by name."""
    rows = ((options.option(code), octets) for code, octets in message.options.items())
    return {
        "op": _op(message),
        "kind": kind_text(message),
        "xid": message.xid,
        "htype": message.htype,
        "hops": message.hops,
        "secs": message.secs,
        "flags": message.flags,
        "ciaddr": ip_text(message.ciaddr),
        "yiaddr": ip_text(message.yiaddr),
        "siaddr": ip_text(message.siaddr),
        "giaddr": ip_text(message.giaddr),
        "chaddr": hex_text(message.chaddr),
        "sname": OPAQUE.plain(message.sname),
        "file": OPAQUE.plain(message.file),
        "overload": message.overload,
        "options": {row.name: row.plain(octets) for row, octets in rows},
    }


def kind_text(message: Message) -> str:
    """'DISCOVER'; 'BOOTREQUEST' or 'BOOTREPLY' without a message type; 'type 77' for one that has no name."""
    kind = message.kind
    if kind == 0:
        return _op(message)
    return options.MessageType(kind).name if kind in _KINDS else f"type {kind}"


_KINDS = frozenset(member.value for member in options.MessageType)


def _op(message: Message) -> str:
    return "BOOTREQUEST" if message.op == BOOTREQUEST else "BOOTREPLY"


def _who(message: Message) -> str:
    """The hardware address; without one (RFC 4390 s2.1) the client identifier."""
    if message.chaddr:
        return hex_text(message.chaddr)
    return f"id {hex_text(message.options.get(options.CLIENT_IDENTIFIER.code, b'')) or 'unknown'}"
