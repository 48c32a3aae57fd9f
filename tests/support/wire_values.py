"""Hypothesis strategies for everything that goes over the wire: values of every kind, messages, datagrams, ARP."""

from hypothesis import strategies as st

from relet.wire.address import BROADCAST
from relet.wire.arp import REPLY, REQUEST, Arp
from relet.wire.compounds import List, Record, Tagged, Tuples
from relet.wire.frame import Datagram
from relet.wire.kinds import Address, Address6, Bool, Int, Kind, Nothing, Uint, Value
from relet.wire.message import Message
from relet.wire.names import ClientName, Name, Names, labels_text
from relet.wire.option import Option
from relet.wire.relayinfo import Suboptions
from relet.wire.routes import Routes
from relet.wire.shapes import ClassfulRoute
from relet.wire.texts import Binary, Text
from relet.wire.vendor import Vendors

addresses = st.integers(0, 2**32 - 1)
macs = st.binary(min_size=6, max_size=6)
octet = st.integers(0, 255)
characters = st.characters(codec="utf-8", exclude_characters="\0")
labels = st.lists(st.binary(min_size=1, max_size=63), max_size=3)
names = labels.map(labels_text)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def values(kind: Kind) -> st.SearchStrategy[Value]:  # noqa: C901, PLR0912 - one case for each kind
    """Values that the kind can write."""
    match kind:
        case Uint():
            return st.integers(0, 256**kind.least - 1)
        case Int():
            return st.integers(-(2 ** (8 * kind.least - 1)), 2 ** (8 * kind.least - 1) - 1)
        case Bool():
            return st.booleans()
        case Nothing():
            return st.just(True)
        case Address():
            return addresses
        case Address6():
            return st.binary(min_size=16, max_size=16)
        case Text():
            if kind.most is not None:
                return st.text("abcXYZ", min_size=kind.most, max_size=kind.most)
            return st.text(characters, min_size=1, max_size=40)
        case Binary():
            return st.binary(min_size=max(kind.least, 1), max_size=kind.most or 40)
        case Name():
            return names
        case Names():
            return st.lists(names.filter(lambda name: name != "."), min_size=1, max_size=5).map(tuple)
        case Tuples() | List():
            return st.lists(values(kind.item), min_size=1, max_size=5).map(tuple)
        case ClassfulRoute():  # RFC 2132 s5.8: 0.0.0.0 is no destination
            return st.tuples(st.integers(1, BROADCAST), st.integers(0, BROADCAST))
        case Record():
            return st.tuples(*(values(inner) for _, inner in kind.parts))
        case Tagged():
            return st.one_of([st.tuples(st.just(tag), values(inner)) for tag, _, inner in kind.choices])
        case Routes():
            return st.lists(routes(), min_size=1, max_size=5).map(tuple)
        case ClientName():
            return client_names()
        case Suboptions():
            return suboptions(kind)
        case Vendors():
            known = [st.tuples(st.just(number), values(inner)) for number, inner in kind.known.items()]
            other = st.tuples(st.integers(10000, 2**32 - 1), values(kind.inside))
            return st.lists(st.one_of(other, *known), min_size=1, max_size=2).map(tuple)
        case _:
            raise TypeError(f"no values for {kind}")


def row_values(row: Option) -> st.SearchStrategy[Value]:
    """Values of an option: those of its kind, as long as the row wants them."""
    if isinstance(row.kind, Binary):
        return st.binary(min_size=max(row.min_len, 1), max_size=row.max_len or 40)
    return values(row.kind)


@st.composite
def routes(draw: st.DrawFn) -> tuple[int, int, int]:
    width = draw(st.integers(0, 32))
    return draw(addresses) >> (32 - width) << (32 - width), width, draw(addresses)


@st.composite
def client_names(draw: st.DrawFn) -> tuple[int, int, int, str]:
    flags, rcode1, rcode2 = draw(octet), draw(octet), draw(octet)
    if not flags & 4:
        return flags, rcode1, rcode2, draw(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20))
    wire = draw(labels)
    name = labels_text(wire) if wire else ""
    return flags, rcode1, rcode2, name + draw(st.sampled_from(["", "."]))


@st.composite
def suboptions(draw: st.DrawFn, kind: Suboptions) -> dict[int, bytes]:
    """Known ones with good values, unknown ones with any octets."""
    unknown = st.integers(200, 254)
    found = draw(st.dictionaries(unknown, st.binary(max_size=20), min_size=1, max_size=3))
    for row in draw(st.lists(st.sampled_from(list(kind.rows.values())), max_size=2)) if kind.rows else []:
        octets = row.encode(draw(values(row.kind)))
        if len(octets) < 90:
            found[row.code] = octets
    return found


codes = st.integers(1, 254).filter(lambda code: code != 52)


def messages(longest: int = 600) -> st.SearchStrategy[Message]:
    """Messages with any fields and options."""
    return st.builds(
        Message,
        op=st.sampled_from([1, 2]),
        xid=st.integers(0, 2**32 - 1),
        htype=octet,
        hops=octet,
        secs=st.integers(0, 65535),
        flags=st.integers(0, 65535),
        ciaddr=addresses,
        yiaddr=addresses,
        siaddr=addresses,
        giaddr=addresses,
        chaddr=st.binary(max_size=16),
        sname=st.just(b"") | st.binary(max_size=64).map(lambda octets: octets.rstrip(b"\0")),
        file=st.just(b"") | st.binary(max_size=128).map(lambda octets: octets.rstrip(b"\0")),
        options=st.dictionaries(codes, st.binary(max_size=20) | st.binary(max_size=longest), max_size=12),
    )


datagrams = st.builds(
    Datagram,
    src_mac=macs,
    dst_mac=macs,
    src=addresses,
    dst=addresses,
    sport=st.integers(0, 65535),
    dport=st.integers(0, 65535),
    payload=st.binary(max_size=700),
    vlans=st.lists(st.integers(0, 4095), max_size=2).map(tuple),
)

arps = st.builds(Arp, op=st.sampled_from([REQUEST, REPLY]), sha=macs, spa=addresses, tha=macs, tpa=addresses)
