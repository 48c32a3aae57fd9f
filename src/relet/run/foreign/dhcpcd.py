"""dhcpcd's lease file: the DHCPACK as it came. The time at which it was written is when the lease began."""

import re

from relet.client.identity import by_duid, by_hardware
from relet.errors import WireError
from relet.run.foreign.found import Found, echoed, granted
from relet.wire import message

_SETTING = re.compile(r"^[ \t]*(duid|clientid)\b[ \t]*([^\s#]*)", re.MULTILINE)
_SECTION = re.compile(r"^[ \t]*(?:interface|ssid|profile|arping)\b", re.MULTILINE)


def read(octets: bytes, written_at: float, mac: bytes, identity: bytes | None) -> Found:
    """The lease. identity: what dhcpcd sends if the server did not repeat it. Raises ValueError if it is not this mac's."""
    try:
        ack = message.decode(octets)
    except WireError as error:
        raise ValueError(f"it is no DHCP message: {error}") from None
    if ack.chaddr != mac:
        raise ValueError("it is the lease of another hardware address")
    return Found(granted(ack.yiaddr, written_at, dict(ack.options)), echoed(ack.options) or identity)


def identity(configuration: bytes, duid: bytes | None, mac: bytes) -> bytes | None:
    """The client identifier that dhcpcd sends by its configuration file; None for none, and for what only it can know.

    duid: of dhcpcd's own file. Its IAID is the last octets of the hardware address. The last setting counts.
    """
    text = configuration.decode("latin-1")
    if section := _SECTION.search(text):
        text = text[: section.start()]  # what is said of single interfaces or networks is left to it
    settings = _SETTING.findall(text)
    match settings[-1] if settings else None:
        case ("duid", _) if duid:
            return by_duid(mac[-4:], duid)
        case ("clientid", ""):
            return by_hardware(mac)
        case _:
            return None
