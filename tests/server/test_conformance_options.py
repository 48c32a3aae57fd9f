"""RFC 2132, 3046 and 6842, requirement by requirement, where no other test shows one (docs/conformance.md)."""

import pytest
from msgspec.structs import replace

from relet.model.network import Parameters, Reservation
from relet.wire.message import Message
from support.table import OTHER_MAC, RELAY, Table, discover, ip, kind_of, reboot, renewing, selecting


def more(message: Message, options: dict[int, bytes]) -> Message:
    """The same request with more options."""
    return replace(message, options=message.options | options)


@pytest.mark.parametrize(
    "options", [{43: b"\xff\xff\x01"}, {60: b"\x00\xfe no class"}, {43: b"MSFT 98", 60: b"MSFT 98"}]
)
def test_what_the_server_cannot_interpret_changes_nothing(options: dict[int, bytes]) -> None:
    """R2132-8.4-01, R2132-9.13-01."""
    table = Table()
    plain, odd = table.say(discover()), table.say(more(discover(), options))
    assert plain is not None
    assert odd is not None
    assert (odd.yiaddr, odd.options) == (plain.yiaddr, plain.options)


@pytest.mark.parametrize("identifier", [None, b"\x01\x02", b"\x00me", b"\xff" + bytes(200)])
def test_the_client_identifier_comes_back_if_one_was_sent(identifier: bytes | None) -> None:
    """R6842-3-01, R6842-3-02, R6842-3-03: in DHCPOFFER, DHCPACK and DHCPNAK."""
    table = Table()
    told = {} if identifier is None else {61: identifier}
    for message, kind in (
        (discover(ip(100)), "OFFER"),
        (selecting(ip(100)), "ACK"),
        (renewing(ip(100)), "ACK"),
        (reboot(ip(100)), "ACK"),
        (reboot(ip(101)), "NAK"),
    ):
        reply = table.say(more(message, told))
        assert kind_of(reply) == kind
        assert reply is not None
        assert reply.options.get(61) == identifier


PORT = b"\x01\x06port-7\x02\x03dsl"


@pytest.mark.parametrize(("by", "key"), [("circuit-id", b"port-7"), ("remote-id", b"dsl")])
def test_circuit_and_remote_ids_choose_address_and_parameters(by: str, key: bytes) -> None:
    """R3046-3.1-02, R3046-3.2-03."""
    row = Reservation(by, key, ip(50), parameters=Parameters(options={15: b"by-port.example"}))
    table = Table(reservations=(row,))
    reply = table.say(more(discover(giaddr=RELAY), {82: PORT}), broadcast=False)
    assert reply is not None
    assert (reply.yiaddr, reply.options[15]) == (ip(50), b"by-port.example")
    other = table.say(discover(mac=OTHER_MAC, giaddr=RELAY), broadcast=False)
    assert other is not None
    assert (other.yiaddr, other.options[15]) == (ip(100), b"example.org")


@pytest.mark.parametrize("by", ["circuit-id", "remote-id"])
@pytest.mark.parametrize("key", [b"port-", b"port-70", b"PORT-7", b"\x06port-7", b"port-7\x00"])
def test_circuit_and_remote_ids_are_matched_whole(by: str, key: bytes) -> None:
    """R3046-3.1-03, R3046-3.2-04."""
    table = Table(reservations=(Reservation(by, key, ip(50)),))
    both = b"\x01\x06port-7\x02\x06port-7"
    reply = table.say(more(discover(giaddr=RELAY), {82: both}), broadcast=False)
    assert reply is not None
    assert reply.yiaddr == ip(100)
