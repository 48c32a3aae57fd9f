"""Clients that are kept out, by class and by network, and pools that are for some classes only."""

from collections.abc import Callable

import msgspec
import pytest

from relet.config.expression import parse_expression
from relet.model.lease import LeaseState
from relet.model.network import ClientClass, Network, Pool
from relet.model.ranges import Ranges
from relet.server.told import told
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    Table,
    discover,
    ip,
    kind_of,
    reboot,
    release,
    renewing,
    request,
    reserved,
    selecting,
)

STRANGERS = (ClientClass("strangers", parse_expression("mac ends-with 00:01"), refuse=True),)
"""MAC is one of them, OTHER_MAC is not."""
Asked = Callable[[], Message]


def inform() -> Message:
    """DHCPINFORM of a host with an address."""
    return request(MessageType.INFORM, {}, MAC, ciaddr=ip(50))


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"classes": STRANGERS}, "class-refused"),
        ({"deny": ("unknown",)}, "not-admitted"),
        ({"allow": ("known",)}, "not-admitted"),
        ({"deny": ("random-mac",)}, "not-admitted"),
    ],
)
@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (discover, "SILENT"),
        (lambda: selecting(ip(100)), "NAK"),
        (lambda: reboot(ip(100)), "SILENT"),  # another server may have granted it
        (lambda: renewing(ip(100)), "SILENT"),
        (lambda: reboot(ip(7)), "SILENT"),
        (lambda: reboot(0x0A000001), "SILENT"),
        (inform, "SILENT"),
    ],
)
def test_kept_out(policy: dict[str, object], reason: str, asked: Asked, answer: str) -> None:
    table = Table(msgspec.structs.replace(OFFICE, **policy))
    assert kind_of(table.say(asked())) == answer
    assert table.verdict() == (answer, reason)


def test_another_servers_client_is_left_in_peace() -> None:
    table = Table(OFFICE, classes=STRANGERS)
    assert table.say(selecting(ip(100), server=ip(2))) is None
    assert table.verdict() == ("SILENT", "other-server")


@pytest.mark.parametrize("asked", [reboot, renewing])
def test_a_lease_of_ours_is_refused_aloud(asked: Callable[[int], Message]) -> None:
    table = Table(OFFICE, classes=STRANGERS)
    table.lease(ip(100))
    assert kind_of(table.say(asked(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "no-longer-admitted")


def test_who_asks_for_what_others_have_hears_so() -> None:
    table = Table(OFFICE, classes=STRANGERS)
    table.lease(ip(100), OTHER_MAC)
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")


def test_the_others_are_served() -> None:
    table = Table(OFFICE, classes=STRANGERS, deny=("bootp",))
    assert kind_of(table.say(discover(mac=OTHER_MAC))) == "OFFER"


def test_what_was_given_back_is_free_whoever_gives_it() -> None:
    table = Table(OFFICE, classes=STRANGERS)
    table.lease(ip(100))
    table.say(release(ip(100)))
    held = table.on(ip(100))
    assert held is not None
    assert held.state is LeaseState.RELEASED


def test_known_clients_may_be_all_that_is_admitted() -> None:
    table = Table(OFFICE, allow=("known",), reservations=(reserved(ip(10)),))
    assert kind_of(table.say(discover())) == "OFFER"
    assert table.say(discover(mac=OTHER_MAC)) is None


def pools(*guarded: Pool) -> Network:
    """The office with these pools."""
    place = OFFICE.subnets[0]
    return msgspec.structs.replace(
        OFFICE,
        subnets=(
            msgspec.structs.replace(
                place, pools=tuple(msgspec.structs.replace(pool, parameters=place.parameters) for pool in guarded)
            ),
        ),
        classes=(ClientClass("phones", parse_expression('vendor-class like "*phone*"')),),
    )


def test_a_guarded_pool_is_for_its_classes() -> None:
    table = Table(
        pools(
            Pool(Ranges.of([(ip(100), ip(100))]), allow=("phones",)),
            Pool(Ranges.of([(ip(120), ip(129))]), deny=("phones",)),
        )
    )
    offer = table.say(discover())
    assert offer is not None
    assert offer.yiaddr == ip(120)
    offer = table.say(request(MessageType.DISCOVER, {60: b"ACME phone 7"}, OTHER_MAC))
    assert offer is not None
    assert offer.yiaddr == ip(100)
    # nobody else is given what is left of the wrong pool, and the right one is full
    assert table.say(request(MessageType.DISCOVER, {60: b"ACME phone 7"}, b"\0\0\0\0\0\7")) is None


def test_a_class_by_relay_information_lasts_through_renewals_by_unicast() -> None:
    """RFC 3046 s2.2: a renewal by unicast passes no relay."""
    network = msgspec.structs.replace(
        pools(Pool(Ranges.of([(ip(100), ip(109))]), allow=("port7",))),
        classes=(ClientClass("port7", parse_expression('circuit-id == "port7"')),),
    )
    table = Table(network)
    relayed = {82: b"\1\5port7"}
    offer = table.say(request(MessageType.DISCOVER, relayed, giaddr=RELAY))
    assert offer is not None
    options = relayed | {50: offer.yiaddr.to_bytes(4), 54: table.network.subnets[0].parameters.options[3]}
    assert kind_of(table.say(request(MessageType.REQUEST, options, giaddr=RELAY))) == "ACK"
    table.later(1000)
    assert kind_of(table.say(renewing(offer.yiaddr), broadcast=False)) == "ACK"
    assert kind_of(table.say(renewing(offer.yiaddr, OTHER_MAC), broadcast=False)) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")


def test_why_names_the_classes() -> None:
    table = Table(OFFICE, classes=STRANGERS)
    table.say(discover())
    (verdict,) = told(table.engine.records, "52:54:00:00:00:01", 5)
    assert (verdict.reason, verdict.classes) == ("class-refused", ("strangers", "unknown", "random-mac"))
