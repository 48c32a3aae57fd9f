"""Kinds that are made for one option each: records and lists of the kinds that many share."""

from relet.wire.codes import ACCESS_TECHNOLOGY, STATUS_CODES
from relet.wire.compounds import ADDRESSES, Record, Tagged, Tuples, list_of
from relet.wire.kinds import ADDRESS, ADDRESS6, BOOL, UINT8, UINT16, UINT32, UINT64, Value
from relet.wire.names import LONG_NAMES, PLAIN_NAMES
from relet.wire.relayinfo import SUBOPTIONS
from relet.wire.subspaces import BY_ENTERPRISE
from relet.wire.texts import BINARY, TEXT, TEXT2, octets
from relet.wire.vendor import vendor_suboptions

FILTERS = list_of(Record.of(("address", ADDRESS), ("mask", ADDRESS)), "ip-mask-list")


class ClassfulRoute(Record, frozen=True):
    """A destination and its router. The default route is none of these (RFC 2132 s5.8)."""

    def parse(self, configured: object) -> tuple[Value, ...]:
        route = super().parse(configured)
        if route[0] == 0:
            raise ValueError("0.0.0.0 is no destination of a static route; name its router in 'routers'")
        return route


CLASSFUL_ROUTES = list_of(ClassfulRoute.of(("destination", ADDRESS), ("router", ADDRESS)), "ip-pair-list")
SLP_AGENTS = Record.of(("mandatory", BOOL), ("agents", ADDRESSES))
SLP_SCOPES = Record.of(("mandatory", BOOL), ("scopes", TEXT), least=1)
ISNS = Record.of(
    ("functions", UINT16), ("access", UINT16), ("flags", UINT16), ("security", UINT32), ("servers", ADDRESSES)
)
AUTHENTICATION = Record.of(
    ("protocol", UINT8), ("algorithm", UINT8), ("rdm", UINT8), ("replay", UINT64), ("information", BINARY), least=11
)
NETWORK_INTERFACE = Record.of(("type", UINT8), ("major", UINT8), ("minor", UINT8))
CIVIC = Record.of(("what", UINT8), ("country", TEXT2), ("elements", SUBOPTIONS), least=3)
RDNSS = Record.of(
    ("preference", UINT8), ("primary", ADDRESS), ("secondary", ADDRESS), ("domains", PLAIN_NAMES), least=9
)
STATUS = Record.of(("status", STATUS_CODES), ("message", TEXT), least=1)
PORTS = Record.of(("offset", UINT8), ("length", UINT8), ("psid", UINT16))
SIX_RD = Record.of(("mask-length", UINT8), ("prefix-length", UINT8), ("prefix", ADDRESS6), ("relays", ADDRESSES))
SUBNETS = Record.of(("flags", UINT8), ("suboptions", SUBOPTIONS), least=1)
SIP = Tagged("record(uint8,domain-list or ip-list)", 3, choices=((0, "names", LONG_NAMES), (1, "addresses", ADDRESSES)))
TECHNOLOGY = Record.of(("reserved", UINT8), ("type", ACCESS_TECHNOLOGY))
VIRTUAL_SUBNET = Record.of(("type", UINT8), ("information", BINARY), least=1)
MACHINE = Record.of(("type", UINT8), ("uuid", octets(16)))
URIS = Tuples("tuple16-list", 2, item=TEXT, width=2)
SERVER_LISTS = Tuples("tuple8-list(ip-list)", 5, item=ADDRESSES)
VENDORS = vendor_suboptions({}, least=4)
ENTERPRISE = vendor_suboptions(BY_ENTERPRISE)
