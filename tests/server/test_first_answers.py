"""Answers to DHCPDISCOVER that are no plain offer: rapid commit (RFC 4039), IPv6-only (RFC 8925), auto-configure (RFC
2563)."""

from collections.abc import Sequence

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.lease import Change, Committed
from relet.store.memory import MemoryStore
from relet.wire.address import BROADCAST
from relet.wire.message import BROADCAST_FLAG, Message, decode
from relet.wire.options import V6_ONLY_PREFERRED, MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    Table,
    arrive,
    discover,
    ip,
    kind_of,
    reboot,
    reserved,
    selecting,
)

WAIT = (1800).to_bytes(4, "big")
HOPEFUL = {108: WAIT}


def office(**policy: object) -> Table:
    return Table(OFFICE, store=None, **policy)


def with_options(message: Message, *codes: int, **values: bytes) -> Message:
    """codes: asked for as well. values: option_80=b'' and the like."""
    message.options[55] += bytes(codes)
    for name, octets in values.items():
        message.options[int(name.removeprefix("option_"))] = octets
    return message


def rapid(mac: bytes = MAC, *codes: int) -> Message:
    return with_options(discover(mac=mac), *codes, option_80=b"")


def test_rapid_commit_is_a_lease_on_disk() -> None:
    """R4039-3-04, R4039-4-02, R4039-4-03."""
    table = office(rapid_commit=True)
    reply = table.say(rapid())
    assert reply is not None
    assert (reply.kind, reply.yiaddr, reply.options[80], reply.uint(51)) == (MessageType.ACK, ip(100), b"", 3600)
    lease = table.on(ip(100))
    assert lease is not None
    assert (lease.reason, lease.holds(table.now.wall), table.verdict()) == (
        "rapid-commit", True, ("ACK", "rapid-commit"),
    )  # fmt: skip
    other = table.say(rapid(OTHER_MAC))
    assert other is not None
    assert other.yiaddr == ip(101)
    again = table.say(rapid())
    assert again is not None
    assert again.yiaddr == ip(100)


def test_two_clients_of_one_batch_get_different_addresses() -> None:
    table = office(rapid_commit=True)
    sends = table.handle(arrive(rapid()), arrive(rapid(OTHER_MAC)))
    assert {decode(send.payload).yiaddr for send in sends} == {ip(100), ip(101)}


def test_rapid_commit_of_a_reserved_address_that_the_request_does_not_name() -> None:
    table = office(rapid_commit=True, reservations=(reserved(ip(20)),))
    table.lease(ip(105), OTHER_MAC)
    reply = table.say(with_options(discover(ip(105)), option_80=b""))
    assert reply is not None
    assert reply.yiaddr == ip(20)
    taken, given = table.on(ip(105)), table.on(ip(20))
    assert taken is not None
    assert given is not None
    assert (taken.client, given.client) == (b"h\1" + OTHER_MAC, b"h\1" + MAC)


@pytest.mark.parametrize(("allowed", "asked"), [(False, True), (True, False)])
def test_rapid_commit_needs_both_sides(allowed: bool, asked: bool) -> None:
    """R4039-3-02, R4039-3-05."""
    table = office(rapid_commit=allowed, force=frozenset((80,)), options={80: b""})
    reply = table.say(rapid() if asked else discover())
    assert reply is not None
    assert (reply.kind, 80 in reply.options, table.on(ip(100))) == (MessageType.OFFER, False, None)


def test_rapid_commit_without_a_store_is_silence() -> None:
    class Broken(MemoryStore):
        def commit(self, changes: Sequence[Change], wall: float) -> Committed:
            raise StoreError(f"no room for {len(changes)} at {wall}")

    table = Table(OFFICE, store=Broken(), rapid_commit=True)
    assert table.say(rapid()) is None
    assert table.verdict() == ("SILENT", "store-unavailable")


def test_full_pool_is_silence_for_rapid_commit_too() -> None:
    table = Table(msgspec.structs.replace(OFFICE, subnets=(subnet("192.168.1.0/24"),)), rapid_commit=True)
    assert table.say(rapid()) is None
    assert table.verdict() == ("SILENT", "no-pool")


def test_ipv6_only_is_an_offer_of_nothing() -> None:
    """R8925-3.3-05, R8925-3.3-06, R8925-3.1-03."""
    table = office(options=HOPEFUL)
    (send,) = table.handle(arrive(with_options(discover(), 108)))
    reply = decode(send.payload)
    assert (reply.kind, reply.yiaddr, reply.options[108]) == (MessageType.OFFER, 0, WAIT)
    assert send.destination == BROADCAST
    assert table.verdict() == ("OFFER", "ipv6-only")
    other = table.say(discover(mac=OTHER_MAC))  # nothing is held
    assert other is not None
    assert 108 not in other.options
    assert other.yiaddr in (ip(100), ip(101))


def test_a_relay_broadcasts_an_offer_of_nothing() -> None:
    reply = office(options=HOPEFUL).say(with_options(discover(giaddr=RELAY), 108), broadcast=False)
    assert reply is not None
    assert reply.flags == BROADCAST_FLAG


@pytest.mark.parametrize(
    ("options", "asked", "reason"),
    [({}, True, "offered-new"), (HOPEFUL, False, "offered-new"), (HOPEFUL, True, "ipv6-only")],
)
def test_ipv6_only_needs_both_sides(options: dict[int, bytes], asked: bool, reason: str) -> None:
    """R8925-3.3-03."""
    table = office(options=options)
    assert table.say(with_options(discover(), *([108] if asked else []))) is not None
    assert table.verdict() == ("OFFER", reason)


def test_the_ipv6_only_option_has_four_octets() -> None:
    """R8925-3.1-01."""
    assert V6_ONLY_PREFERRED.parse(1800) == WAIT
    with pytest.raises(ValueError, match="number"):
        V6_ONLY_PREFERRED.parse(1 << 32)


def test_ipv6_only_follows_the_pool() -> None:
    """R8925-3.3-01."""
    marked = subnet("192.168.1.0/24", (ip(100), ip(100)), options=HOPEFUL)
    plain = subnet("192.168.2.0/24", (ip(100) + 256, ip(109) + 256), options={})
    table = Table(msgspec.structs.replace(OFFICE, subnets=(marked, plain)))
    assert table.say(with_options(discover(), 108)) is not None
    assert table.verdict() == ("OFFER", "ipv6-only")
    table.lease(ip(100), OTHER_MAC)
    table.restart()
    reply = table.say(with_options(discover(), 108))
    assert reply is not None
    assert (table.verdict(), reply.yiaddr, 108 in reply.options) == (("OFFER", "offered-new"), ip(100) + 256, False)


def test_who_insists_gets_an_address_and_the_option() -> None:
    """R8925-3.3-09."""
    table = office(options=HOPEFUL)
    for message in (selecting(ip(100)), reboot(ip(100))):
        reply = table.say(with_options(message, 108))
        assert reply is not None
        assert (reply.kind, reply.yiaddr, reply.options[108]) == (MessageType.ACK, ip(100), WAIT)


def test_ipv6_only_comes_before_rapid_commit() -> None:
    """R8925-3.3-10."""
    table = office(options=HOPEFUL, rapid_commit=True)
    reply = table.say(rapid(MAC, 108))
    assert reply is not None
    assert (reply.kind, reply.yiaddr, 80 in reply.options) == (MessageType.OFFER, 0, False)


def full(**policy: object) -> Table:
    table = office(**policy)
    for number in range(100, 110):
        table.lease(ip(number), bytes((2, 0, 0, 0, 0, number)))
    table.restart()
    return table


def test_ipv6_only_of_a_full_pool() -> None:
    """R8925-3.3.1-01."""
    reply = full(options=HOPEFUL).say(with_options(discover(), 108))
    assert reply is not None
    assert (reply.kind, reply.yiaddr, reply.options[108]) == (MessageType.OFFER, 0, WAIT)


@pytest.mark.parametrize(
    ("allowed", "said", "verdict"),
    [
        (False, True, ("OFFER", "not-auto-configured")),
        (False, False, ("SILENT", "pool-full")),
        (True, True, ("SILENT", "pool-full")),
        (None, True, ("SILENT", "pool-full")),
    ],
)
def test_auto_configure_of_a_full_pool(allowed: bool | None, said: bool, verdict: tuple[str, str]) -> None:
    """R2563-2.3-01, R2563-2.3-02, R2563-2.3-03."""
    table = full(auto_configure=allowed)
    message = with_options(discover(ip(100)), option_116=b"\1") if said else discover()
    reply = table.say(message)
    assert table.verdict() == verdict
    assert kind_of(reply) == verdict[0]
    if reply is not None:
        assert (reply.yiaddr, reply.options[116]) == (0, b"\0")


def test_auto_configure_has_no_say_where_there_is_an_address() -> None:
    table = office(auto_configure=False)
    reply = table.say(with_options(discover(), option_116=b"\1"))
    assert reply is not None
    assert (reply.yiaddr, 116 in reply.options) == (ip(100), False)
