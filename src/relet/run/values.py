"""What a value from the network must look like before anybody is shown it or told to use it.

Questions only: nothing is mended here. Whoever refuses a value says so under a name (plan.py).
"""

from relet.client.accept import usable
from relet.wire.address import BROADCAST, mask
from relet.wire.texts import quoted

MAX_NAME = 253
"""Characters of a name in text: 255 octets on the wire (RFC 1035 s2.3.4)."""

MAX_LABEL = 63
MAX_URI = 255
"""Characters of a captive portal's URI (RFC 8910 s2)."""

MAX_SHOWN = 80
"""Characters of a refused value that are shown."""

_URI_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%")
"""Unreserved and reserved characters, and the percent sign (RFC 3986 s2)."""

_PLAIN_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/,@%+= ")


def is_host_name(text: str) -> bool:
    """Can a host or a domain be called so (RFC 1123 s2.1): labels of letters, digits and inner hyphens, no dotted
    number? The dot of the root may stand behind it."""
    labels = text.removesuffix(".").split(".")
    if len(text.removesuffix(".")) > MAX_NAME or not all(map(_is_label, labels)):
        return False
    # RFC 1123 s2.1: the highest label is alphabetic, so that no name looks like an address.
    return len(labels) == 1 or not labels[-1].isdigit()


def is_web_uri(text: str) -> bool:
    """Is it a URI of a web server: http or https, with a host, in the characters of RFC 3986?"""
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    return len(text) <= MAX_URI and scheme.lower() in ("http", "https") and host != "" and set(text) <= _URI_CHARACTERS


def is_plain(text: str) -> bool:
    """Has it only characters that mean nothing to any shell, even to one that reads the text as its own?"""
    return set(text) <= _PLAIN_CHARACTERS


def is_neighbour(address: int, own: int, width: int) -> bool:
    """Can another host have this address, seen from our own in a network of that width? (RFC 1122 s3.2.1.3)"""
    inside = address & mask(width) == own & mask(width)
    host_bits = ~mask(width) & BROADCAST
    # RFC 3021: a network of two addresses has no broadcast address, and one of one has nobody else.
    edge = inside and width < 31 and address & host_bits in (0, host_bits)
    return usable(address) and not edge


def printable(text: str) -> str:
    """The text without control characters and other invisible ones."""
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def shown(text: str) -> str:
    """A refused value in quotes, short, and harmless to a terminal."""
    return quoted(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "...")


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= MAX_LABEL
        and label.isascii()
        and label.replace("-", "0").isalnum()
        and label[0] != "-"
        and label[-1] != "-"
    )
