"""What a server may have to hear: some networks, a few clients with bad manners, and their messages.

The addresses, identities and relays are few, so that clients get into each other's way. Nothing is mutated here; every
message is one that `decode` takes.
"""

from random import Random

from relet.model.effects import Send
from relet.model.events import Arrival
from relet.model.network import Network, Parameters, Reservation, Subnet
from relet.wire.address import BROADCAST, parse_ip
from relet.wire.codes import INFINITE
from relet.wire.message import BROADCAST_FLAG, Message, decode, encode, fit
from support.networks import subnet

OFFICE_SERVER, WORKSHOP_SERVER, FAR_SERVER = parse_ip("192.168.1.1"), parse_ip("10.20.0.1"), parse_ip("10.30.0.1")
IN_THE_POOL = parse_ip("192.168.1.103")
"""An address of the server itself that the pool contains all the same."""
OWN = frozenset((OFFICE_SERVER, WORKSHOP_SERVER, FAR_SERVER, IN_THE_POOL))
RELAYS = (parse_ip("10.9.0.1"), parse_ip("10.30.0.254"), parse_ip("192.168.1.254"), parse_ip("172.16.0.1"))
MACS = tuple(bytes((2, 0, 0, 0, 0, number)) for number in range(6))
CLIENT_IDS = (b"\1" + MACS[0], b"\0printer", b"\xff" + bytes(18), b"x" * 255, b"y" * 600)
RELAY_INFOS = (
    b"\1\4port\2\2me",
    b"\1\4eth9",
    b"\5\4" + parse_ip("10.31.0.0").to_bytes(4),
    b"\5\4" + parse_ip("172.16.0.0").to_bytes(4),
    b"\1\xfd" + b"z" * 253,
    b"\1\xfd" + b"z" * 253 + b"\2\xfd" + b"q" * 253,
    b"\2\4core",
    b"\1\x09broken",
)
WORDS = {
    3: bytes((192, 168, 1, 254)),
    6: bytes(16),
    15: b"example.org",
    43: b"v" * 300,
    108: bytes(4),
    119: b"\7example\3org\0" * 20,
}
"""Options that do not fit together into a short reply."""


def _subnet(prefix: str, first: int = 0, last: int = -1, **said: object) -> Subnet:
    start = parse_ip(prefix)
    spans = [(start + first, start + last)] if last >= first else []
    return subnet(f"{prefix}/24", *spans, options={1: b"\xff\xff\xff\0", **WORDS}, **said)


NETWORKS = (
    Network(
        name="office",
        subnets=(_subnet("192.168.1.0", 100, 104, lease_time=3600, max_lease_time=7200),),
        interfaces=("eth0",),
        relays=RELAYS[:1],
        cache_threshold=0.5,
        rapid_commit=True,
        hostnames="generate",
        auto_configure=False,
        bootp="dynamic",
    ),
    Network(
        name="workshop",
        subnets=(_subnet("10.20.0.0", 50, 53, boot_file=b"f" * 127, server_name=b"s" * 64),),
        interfaces=("eth1",),
        reservations=(
            Reservation("mac", MACS[1], parse_ip("10.20.0.10"), "printer"),
            Reservation("client-id", CLIENT_IDS[1], parse_ip("10.20.0.51")),
            Reservation("circuit-id", b"eth9", parse_ip("10.20.0.11"), parameters=Parameters(options={15: b"b" * 255})),
            Reservation("remote-id", b"core", parse_ip("10.20.0.52"), "host-" * 20),
        ),
        unknown_reboot="adopt",
        decline_time=100,
        match_client_id=False,
    ),
    Network(
        name="far",
        subnets=(
            _subnet("10.30.0.0", 10, 12, lease_time=INFINITE),
            _subnet("10.31.0.0", 10, 11, lease_time=INFINITE),
        ),
        unknown_reboot="nak",
        bootp="dynamic",
        offer_time=5,
    ),
    Network(
        name="bare",
        subnets=(_subnet("10.40.0.0"),),
        interfaces=("eth2",),
        foreign_address="silent",
        bootp="refuse",
        unknown_reboot_after=10,
    ),
)
ADDRESSES = (
    *(a for network in NETWORKS for subnet in network.subnets for pool in subnet.pools for a in pool.addresses),
    *(row.address for network in NETWORKS for row in network.reservations),
)
ODD_ADDRESSES = (0, 1, BROADCAST, parse_ip("127.0.0.1"), parse_ip("224.0.0.1"), parse_ip("172.16.0.9"), *OWN, *RELAYS)


def some_address(dice: Random) -> int:
    """One that the networks know, or one that makes no sense."""
    return dice.choice(ADDRESSES if dice.random() < 0.8 else ODD_ADDRESSES)


def some_request(dice: Random) -> bytes:
    """A message of any type as a client of the networks might send it, or a relay."""
    kind = dice.choices((1, 3, 4, 7, 8, 2, 9, 0), (6, 12, 2, 3, 2, 1, 1, 1))[0]
    options = {53: bytes((kind,))} if kind else {}
    ciaddr = some_address(dice) if dice.random() < 0.3 else 0
    if dice.random() < 0.7:
        options[50] = some_address(dice).to_bytes(4)
    if dice.random() < 0.3:
        options[54] = dice.choice((*OWN, RELAYS[3])).to_bytes(4)
    if dice.random() < 0.4:
        options[61] = dice.choice(CLIENT_IDS)
    if dice.random() < 0.2:
        options[51] = dice.choice((0, 1, 59, 600, 10**6, INFINITE)).to_bytes(4)
    if dice.random() < 0.2:
        options[81] = dice.choice((b"\5\0\0\4host", b"\1\0\0host.org", b"\4\0\0\\9x", b"\4\0\0" + b"\x3f" + b"h" * 63))
    if dice.random() < 0.1:
        options[80] = b""
    if dice.random() < 0.1:
        options[116] = b"\1"
    if dice.random() < 0.3:
        options[55] = dice.randbytes(dice.randrange(20))
    if dice.random() < 0.2:
        options[57] = dice.choice((0, 300, 576, 1500, 65535)).to_bytes(2)
    if dice.random() < 0.3:
        options[12] = dice.choice((b"host", b"\xc3\xb6\xff\0\0", b"\0", b"h" * 300))
    if dice.random() < 0.3:
        options[82] = dice.choice(RELAY_INFOS)
    message = Message(
        op=1 if dice.random() < 0.98 else 2,
        xid=dice.getrandbits(32),
        htype=1 if dice.random() < 0.9 else dice.choice((0, 6, 32)),
        secs=dice.choice((0, 9, 10, 65535)),
        flags=dice.choice((0, BROADCAST_FLAG, 0xFFFF)),
        ciaddr=ciaddr,
        giaddr=dice.choice(RELAYS) if dice.random() < 0.4 else 0,
        chaddr=dice.choice(MACS) if dice.random() < 0.95 else dice.randbytes(dice.randrange(17)),
        options=options,
    )
    return encode(fit(message, 4000), 4000)


def what_follows(dice: Random, heard: Send) -> Arrival:
    """What a client may say after a reply that it heard, on the way that the reply took."""
    reply = decode(heard.payload)
    address, server = reply.yiaddr.to_bytes(4), reply.options.get(54, b"")
    says = dice.choices(("SELECTING", "INIT-REBOOT", "RENEWING", "DECLINE", "RELEASE"), (8, 5, 3, 1, 1))[0]
    options = {
        "SELECTING": {53: b"\3", 50: address, 54: server},
        "INIT-REBOOT": {53: b"\3", 50: address},
        "RENEWING": {53: b"\3"},
        "DECLINE": {53: b"\4", 50: address, 54: server},
        "RELEASE": {53: b"\7", 54: server},
    }[says]
    same = {code: reply.options[code] for code in (61, 82) if code in reply.options}
    ciaddr = reply.yiaddr if says in {"RENEWING", "RELEASE"} else 0
    message = Message(
        op=1, xid=reply.xid, htype=reply.htype, chaddr=reply.chaddr, ciaddr=ciaddr, giaddr=reply.giaddr,
        options=options | same,
    )  # fmt: skip
    routed = not heard.interface
    return Arrival(
        encode(message, 4000), heard.interface, heard.source, reply.giaddr or ciaddr, 67 + routed, not routed
    )


def some_arrival(dice: Random, payload: bytes) -> Arrival:
    """The payload as it came in: heard on an interface, or routed to us."""
    source, port = dice.choice((0, *RELAYS)), dice.choice((68, 67, 0, 65535))
    match dice.randrange(5):
        case 0 | 1:
            return Arrival(payload, "eth0", OFFICE_SERVER, source, port)
        case 2:
            return Arrival(payload, "eth1", WORKSHOP_SERVER, source, port)
        case 3:
            return Arrival(payload, dice.choice(("eth2", "eth9")), 0, source, port)
        case _:
            return Arrival(payload, "", FAR_SERVER, source, port, False)
