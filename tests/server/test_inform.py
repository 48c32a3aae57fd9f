"""DHCPINFORM (RFC 2131 s3.4, s4.3.5): parameters for who has an address already, and nothing else."""

import msgspec
import pytest

from relet.model.network import Parameters, Reservation
from relet.wire.address import BROADCAST
from relet.wire.message import BROADCAST_FLAG, Message, decode
from relet.wire.options import MessageType
from support.table import MAC, OFFICE, OTHER_MAC, RELAY, Table, arrive, ip, request


def inform(ciaddr: int, mac: bytes = MAC, **fields: int) -> Message:
    return request(MessageType.INFORM, {}, mac, ciaddr=ciaddr, **fields)


@pytest.mark.parametrize("ciaddr", [ip(7), ip(100)])
def test_parameters_and_no_lease(ciaddr: int) -> None:
    """R2131-3.4-02, R2131-3.4-04, R2131-3.4-05, R2131-4.3.5-04."""
    table = Table()
    reply = table.say(inform(ciaddr), broadcast=False)
    assert reply is not None
    assert (reply.kind, reply.yiaddr, reply.ciaddr) == (MessageType.ACK, 0, ciaddr)
    assert list(reply.options) == [53, 54, 1, 3, 6, 15]
    assert (table.verdict(), table.on(ciaddr)) == (("ACK", "informed"), None)


def test_a_lease_of_somebody_else_is_not_looked_for() -> None:
    """R2131-3.4-03."""
    table = Table()
    lease = table.lease(ip(100), OTHER_MAC)
    assert table.say(inform(ip(100))) is not None
    assert table.on(ip(100)) == lease


@pytest.mark.parametrize(
    ("message", "where", "expected"),
    [
        (inform(ip(7)), {}, (ip(7), 68)),
        (inform(ip(7)), {"broadcast": False, "interface": ""}, (ip(7), 68)),
        (inform(ip(7), flags=BROADCAST_FLAG), {}, (ip(7), 68)),
        (inform(ip(7), giaddr=RELAY), {"broadcast": False}, (RELAY, 67)),
        (inform(0), {"source": ip(7)}, (ip(7), 68)),  # the datagram came from its address
    ],
)
def test_destination(message: Message, where: dict[str, object], expected: tuple[int, int]) -> None:
    """R2131-3.4-06."""
    (send,) = Table().handle(arrive(message, **where))
    assert (send.destination, send.port, send.mac) == (*expected, None)
    reply = decode(send.payload)
    assert (reply.yiaddr, reply.ciaddr, reply.giaddr) == (0, message.ciaddr, message.giaddr)


def test_a_relay_is_told_to_broadcast_as_it_has_no_yiaddr_to_send_to() -> None:
    reply = Table().say(inform(ip(7), giaddr=RELAY), broadcast=False)
    assert reply is not None
    assert reply.flags == BROADCAST_FLAG


@pytest.mark.parametrize(
    ("message", "source", "reason"),
    [
        (inform(0), 0, "no-address"),
        (inform(0, giaddr=RELAY), RELAY, "no-address"),  # the relay's address is not the client's
        (inform(BROADCAST), 0, "no-address"),
        (inform(0), 0x0A000001, "inform-elsewhere"),
        (inform(0x0A000001), 0, "inform-elsewhere"),
        (inform(ip(0)), 0, "inform-elsewhere"),
        (inform(ip(255)), 0, "inform-elsewhere"),
    ],
)
def test_silence_where_the_address_is_not_sure(message: Message, source: int, reason: str) -> None:
    """R2131-3.4-07."""
    table = Table()
    assert table.say(message, source=source) is None
    assert table.verdict() == ("SILENT", reason)


def test_reservation_and_boot_file_count_outside_of_pools_too() -> None:
    said = Parameters(options={15: b"lab.example", 42: bytes(4)}, force=frozenset((42,)), boot_file=b"x")
    mine = Reservation("mac", MAC, parameters=said)
    reply = Table(msgspec.structs.replace(OFFICE, reservations=(mine,))).say(inform(ip(7)))
    assert reply is not None
    assert (reply.options[15], reply.options[42], reply.file) == (b"lab.example", bytes(4), b"x")
    other = Table(msgspec.structs.replace(OFFICE, reservations=(mine,))).say(inform(ip(7), OTHER_MAC))
    assert other is not None
    assert (other.options[15], other.file) == (b"example.org", b"")
