"""Where a request came from, and what a relay may say of it: RFC 3046, 3011, 3527, 5010, 5107 and 8357."""

import pytest
from msgspec.structs import replace

from relet.model.network import Network, Reservation
from relet.server.engine import Engine
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode
from relet.wire.options import SERVER_IDENTIFIER, MessageType
from relet.wire.relayinfo import encode_suboptions
from support.networks import subnet
from support.table import (
    OTHER_MAC,
    RELAY,
    SERVER,
    Table,
    address,
    arrive,
    decline,
    discover,
    ip,
    kind_of,
    reboot,
    release,
    renewing,
    request,
    selecting,
)

LAB = parse_ip("10.20.0.0")
ALIAS = parse_ip("10.9.0.7")
"""The relay's address that stands for the server."""
BOTH = Network(
    name="lab",
    relays=(parse_ip("10.9.0.2"), parse_ip("10.9.0.3")),
    subnets=(
        subnet("10.20.0.0/24", (LAB + 100, LAB + 101)),
        subnet("10.20.1.0/24", (LAB + 356, LAB + 357)),
    ),
)


def info(*parts: tuple[int, bytes]) -> dict[int, bytes]:
    """Option 82 of these sub-options."""
    return {82: encode_suboptions(dict(parts))}


class Campus(Table):
    """Two networks: the office, and one of two subnets behind relays."""

    def __init__(self, lab: Network = BOTH) -> None:
        super().__init__()
        self.engine = Engine((self.network, lab), self.store, frozenset({SERVER}))


def relayed(message: Message, options: dict[int, bytes] | None = None, giaddr: int = RELAY) -> Message:
    """The message as a relay passes it on."""
    return replace(message, giaddr=giaddr, options=message.options | (options or {}))


def offered(reply: Message | None) -> int:
    assert reply is not None
    return reply.yiaddr


@pytest.mark.parametrize("relay", BOTH.relays)
def test_several_relays_serve_one_network(relay: int) -> None:
    assert offered(Campus().say(relayed(discover(), giaddr=relay), broadcast=False)) == LAB + 100


def test_link_selection_says_where_the_client_is() -> None:
    """R3527-3-01, R3527-3-02: the address is of the selected subnet, and when that is full of no other.
    R3527-3-07: the reply goes to the relay's address all the same."""
    table = Campus()
    told = info((5, address(LAB + 256)))
    for number in (356, 357):
        arrival = arrive(relayed(discover(mac=bytes((2, 0, 0, 0, 0, number & 255))), told), broadcast=False)
        (send,) = table.handle(arrival)
        reply = decode(send.payload)
        assert (reply.yiaddr, send.destination, send.port) == (LAB + number, RELAY, 67)
        assert list(reply.options)[-1] == 82
        assert reply.options[82] == told[82]
    assert table.say(relayed(discover(mac=OTHER_MAC), told), broadcast=False) is None
    assert table.verdict() == ("SILENT", "pool-full")


def test_a_lease_in_the_other_subnet_of_the_link_goes_on() -> None:
    """R3527-3-01: the subnet, or one on the same link."""
    table = Campus()
    assert offered(table.say(relayed(discover()), broadcast=False)) == ip(100)
    held = LAB + 100
    table.say(relayed(selecting(held), giaddr=BOTH.relays[0]), broadcast=False)
    again = relayed(reboot(held), info((5, address(LAB + 256))), BOTH.relays[0])
    assert kind_of(table.say(again, broadcast=False)) == "ACK"


def test_link_selection_of_an_unknown_subnet_is_no_network() -> None:
    """R3527-3-02"""
    table = Campus()
    for octets in (address(parse_ip("172.16.0.0")), b"\x0a"):
        assert table.say(relayed(discover(), info((5, octets))), broadcast=False) is None
        assert table.verdict() == ("SILENT", "no-network")


def test_the_subnet_of_the_relay_comes_first_and_the_others_follow() -> None:
    table = Campus()
    inside = LAB + 256 + 1
    macs = [bytes((2, 0, 0, 0, 0, number)) for number in range(4)]
    got = [offered(table.say(relayed(discover(mac=mac), giaddr=inside), broadcast=False)) for mac in macs]
    assert got == [LAB + 356, LAB + 357, LAB + 100, LAB + 101]


SELECT = {118: address(LAB)}


def test_subnet_selection_is_off_unless_configured() -> None:
    """R3011-6-01, R3011-2-05, R3011-2-06: ignored, the address is allocated as usual and the option not returned."""
    reply = Campus().say(relayed(discover(), SELECT), broadcast=False)
    assert offered(reply) == ip(100)
    assert reply is not None
    assert 118 not in reply.options


def test_subnet_selection_where_it_is_allowed() -> None:
    """R3011-2-01, R3011-2-02, R3011-2-03, R3011-2-08, R3011-6-02: only what is selected, an identical copy returned although
    nobody asked for it, the reply sent to giaddr; and only the networks that allow it can be selected."""
    table = Campus(replace(BOTH, subnet_selection=True))
    for number in (100, 101):
        mac = bytes((2, 0, 0, 0, 0, number))
        (send,) = table.handle(arrive(relayed(discover(mac=mac), SELECT | info((1, b"p"))), broadcast=False))
        copied = decode(send.payload)
        assert (copied.yiaddr, copied.options[118], send.destination) == (LAB + number, SELECT[118], RELAY)
        assert list(copied.options)[-1] == 82
    assert table.say(relayed(discover(mac=OTHER_MAC), SELECT), broadcast=False) is None
    office = {118: address(ip(0))}
    reply = table.say(relayed(discover(), office, BOTH.relays[0]), broadcast=False)
    assert offered(reply) == LAB + 356


def test_link_selection_wins_over_subnet_selection() -> None:
    """R3527-3-06"""
    table = Campus(replace(BOTH, subnet_selection=True))
    message = relayed(discover(), SELECT | info((5, address(ip(0)))))
    assert offered(table.say(message, broadcast=False)) == ip(100)


OVERRIDE = info((11, address(ALIAS)), (1, b"port"))


def test_the_override_is_the_server_identifier_and_may_be_named() -> None:
    """R5107-4-01, R5107-4-03"""
    table = Table()
    reply = table.say(relayed(discover(), OVERRIDE), broadcast=False)
    assert reply is not None
    assert reply.ip(SERVER_IDENTIFIER.code) == ALIAS
    reply = table.say(relayed(selecting(reply.yiaddr, ALIAS), OVERRIDE), broadcast=False)
    assert (kind_of(reply), reply and reply.ip(SERVER_IDENTIFIER.code)) == ("ACK", ALIAS)
    refused = table.say(relayed(reboot(parse_ip("10.0.0.9")), OVERRIDE), broadcast=False)
    assert (kind_of(refused), refused and refused.ip(SERVER_IDENTIFIER.code)) == ("NAK", ALIAS)


def test_the_override_is_remembered_until_the_relay_speaks_again() -> None:
    """R5107-4-02: a renewal by unicast hears the same identifier; once the relay leaves it out, our own."""
    table = Table()
    table.say(relayed(selecting(ip(100), ALIAS), OVERRIDE), broadcast=False)
    table.later(10)
    reply = table.say(renewing(ip(100)), broadcast=False)
    assert (kind_of(reply), reply and reply.ip(SERVER_IDENTIFIER.code)) == ("ACK", ALIAS)
    table.later(10)
    reply = table.say(relayed(renewing(ip(100)), info((1, b"port"))), broadcast=False)
    assert (kind_of(reply), reply and reply.ip(SERVER_IDENTIFIER.code)) == ("ACK", SERVER)
    table.later(10)
    reply = table.say(renewing(ip(100)), broadcast=False)
    assert (kind_of(reply), reply and reply.ip(SERVER_IDENTIFIER.code)) == ("ACK", SERVER)


@pytest.mark.parametrize(("end", "reason"), [(release, "released"), (decline, "quarantined")])
@pytest.mark.parametrize("through_relay", [True, False])
def test_what_names_the_override_is_for_us(end: object, reason: str, through_relay: bool) -> None:
    """R5107-4-03: a client gives back or declines what it has from the address that it knows as its server."""
    assert callable(end)
    table = Table()
    table.say(relayed(selecting(ip(100), ALIAS), OVERRIDE), broadcast=False)
    message = end(ip(100), server=ALIAS)
    assert table.say(relayed(message, OVERRIDE) if through_relay else message, broadcast=False) is None
    assert table.verdict() == ("SILENT", reason)


def test_an_override_of_nobody_is_another_server() -> None:
    table = Table()
    assert table.say(relayed(selecting(ip(100), ALIAS)), broadcast=False) is None
    assert table.verdict() == ("SILENT", "other-server")


def test_a_relay_with_a_port_of_its_own_is_answered_there() -> None:
    """R8357-5.1-02; the sub-option goes back with the rest."""
    (send,) = Table().handle(arrive(relayed(discover(), info((19, b""))), broadcast=False, port=4067))
    assert (send.destination, send.port, decode(send.payload).options[82]) == (RELAY, 4067, b"\x13\x00")
    (send,) = Table().handle(arrive(relayed(discover()), broadcast=False, port=4067))
    assert send.port == 67


@pytest.mark.parametrize(
    ("flags", "kind"), [(b"\x80", "RENEWING"), (b"\x00", "REBINDING"), (b"\x80\x00", "RENEWING"), (b"", "REBINDING")]
)
def test_the_relay_tells_a_renewal_from_rebinding(flags: bytes, kind: str) -> None:
    """R5010-5-01, R5010-5-02: by the unicast bit of the first octet."""
    table = Table()
    table.lease(ip(100))
    assert kind_of(table.say(relayed(renewing(ip(100)), info((10, flags))), broadcast=False)) == "ACK"
    assert table.engine.records[-1].kind == kind


def test_a_host_on_our_own_link_cannot_claim_a_circuit() -> None:
    """RFC 3046 s2.1, as relays treat it."""
    row = Reservation("circuit-id", b"port-7", ip(50))
    forged = request(MessageType.DISCOVER, info((1, b"port-7")))
    table = Table(reservations=(row,))
    assert table.say(forged) is None
    assert table.engine.drops == {"untrusted-relay-information": 1}
    trusting = Table(reservations=(row,), trust_relay_information=True)
    reply = trusting.say(forged)
    assert offered(reply) == ip(50)
    assert reply is not None
    assert reply.options[82] == forged.options[82]


@pytest.mark.parametrize("broken", [b"\x01\x09short", b"\x01", b"\xff\x00\x00\x00"])
def test_relay_information_comes_back_unchanged_even_if_it_makes_no_sense(broken: bytes) -> None:
    """R3046-2.2-01, R3046-2.2-02"""
    reply = Table().say(relayed(discover(), {82: broken}), broadcast=False)
    assert reply is not None
    assert list(reply.options)[-1] == 82
    assert reply.options[82] == broken


def test_broken_relay_information_that_may_name_the_link_is_dropped() -> None:
    table = Table()
    assert table.say(relayed(discover(), {82: b"\x05\x04\x0a\x14\x00\x00\x01"}), broadcast=False) is None
    assert table.engine.drops == {"truncated-option": 1}


def test_unicast_is_served_with_and_without_relay_information() -> None:
    """R3046-2.2-06, R3046-2.2-07"""
    table = Table()
    table.lease(ip(100))
    for options in ({}, info((1, b"port"))):
        message = replace(renewing(ip(100)), options=renewing(ip(100)).options | options)
        reply = table.say(message, broadcast=False)
        assert kind_of(reply) == "ACK"
        assert reply is not None
        assert reply.options.get(82) == options.get(82)


def test_the_first_relay_of_a_chain_says_where_the_client_is() -> None:
    """A second relay changes neither giaddr nor option 82 (RFC 3046 s2.1.1); only the sender differs."""
    table = Table()
    message = replace(relayed(discover(), info((1, b"far"))), hops=2)
    (send,) = table.handle(arrive(message, broadcast=False, source=parse_ip("10.8.0.1")))
    assert (send.destination, decode(send.payload).options[82]) == (RELAY, b"\x01\x03far")
