"""What operators met with after they had changed the configuration; each on its own."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.model.ident import client_key
from relet.model.lease import LeaseState
from relet.model.network import ClientClass, Parameters, Reservation
from relet.wire.message import Message
from support.networks import saying
from support.table import MAC, OFFICE, OTHER_MAC, Table, discover, ip, kind_of, reboot, release, renewing, selecting

WEEK = 7 * 24 * 3600


@pytest.mark.parametrize("threshold", [None, 0.5])
@pytest.mark.parametrize("before", [WEEK, 0xFFFFFFFF])
def test_a_shorter_lease_time_counts_from_the_next_renewal_on(threshold: float | None, before: int) -> None:
    """The end that was promised stays on record, because the ACK may get lost."""
    long = replace(saying(OFFICE, lease_time=before), cache_threshold=threshold)
    table = Table(long)
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"
    promised = table.on(ip(100))
    assert promised is not None
    short = Table(saying(long, lease_time=600), store=table.store)
    for message in (renewing(ip(100)), reboot(ip(100))):
        short.later(95)
        reply = short.say(message)
        assert reply is not None
        assert (kind_of(reply), reply.uint(51)) == ("ACK", 600)
        held = short.on(ip(100))
        assert held is not None
        assert held.expires == promised.expires


@pytest.mark.parametrize(("by", "code"), [("hostname", 12), ("option-60", 60)])
def test_a_client_may_leave_out_what_its_reservation_goes_by(by: str, code: int) -> None:
    """Once it has the offer or the address, only a message that says otherwise is another client's."""
    row = Reservation(by, b"printer", ip(50), classes=("printers",), parameters=Parameters(lease_time=500))
    table = Table(reservations=(row,), classes=(ClientClass("printers"),), allow=("printers",), moving_time=0)
    first = discover()
    first.options[code] = b"printer"
    offer = table.say(first)
    assert offer is not None
    assert offer.yiaddr == ip(50)
    for message in (selecting(ip(50)), renewing(ip(50)), reboot(ip(50))):
        reply = table.say(message)
        assert reply is not None
        assert (kind_of(reply), reply.yiaddr, reply.uint(51)) == ("ACK", ip(50), 500)
        table.later(100)


@pytest.mark.parametrize(("by", "code"), [("hostname", 12), ("option-60", 60)])
def test_who_says_another_name_or_has_no_promise_is_another_client(by: str, code: int) -> None:
    table = Table(reservations=(Reservation(by, b"printer", ip(50)),), moving_time=0)
    first = discover()
    first.options[code] = b"printer"
    assert table.say(first) is not None
    assert kind_of(table.say(selecting(ip(50), mac=OTHER_MAC))) == "NAK"
    renamed = selecting(ip(50))
    renamed.options[code] = b"scanner"
    assert kind_of(table.say(renamed)) == "NAK"
    assert table.verdict() == ("NAK", "reserved-for-other")
    assert kind_of(table.say(selecting(ip(50)))) == "ACK"
    again = table.say(discover())
    assert again is not None
    assert again.yiaddr == ip(50)


def named(message: Message) -> Message:
    """With a client identifier."""
    message.options[61] = b"\0me"
    return message


@pytest.mark.parametrize("ask", [renewing, reboot], ids=["renewal", "reboot"])
@pytest.mark.parametrize("broadcast", [True, False])
def test_leases_outlast_that_identifiers_count_no_longer(broadcast: bool, ask: Callable[..., Message]) -> None:
    """The next grant is written down under the new key."""
    before = Table()
    assert kind_of(before.say(named(selecting(ip(105))))) == "ACK"
    after = Table(match_client_id=False, store=before.store)
    after.later(100)
    assert kind_of(after.say(named(ask(ip(105))), broadcast=broadcast)) == "ACK"
    held = after.on(ip(105))
    assert held is not None
    assert held.client == client_key(None, 1, MAC)
    assert kind_of(after.say(ask(ip(105), mac=OTHER_MAC))) == "NAK"


@pytest.mark.parametrize("ask", [renewing, reboot], ids=["renewal", "reboot"])
def test_a_lease_of_the_hardware_is_not_that_of_an_identifier_on_it(ask: Callable[..., Message]) -> None:
    """Several clients may share the hardware: what was promised to one is not granted to another."""
    table = Table()
    table.lease(ip(105))
    assert kind_of(table.say(named(ask(ip(105))))) == "NAK"


def test_no_second_address_where_identifiers_count_no_longer() -> None:
    before = Table()
    assert kind_of(before.say(named(selecting(ip(105))))) == "ACK"
    after = Table(match_client_id=False, store=before.store)
    offer = after.say(named(discover()))
    assert offer is not None
    assert (after.verdict(), offer.yiaddr) == (("OFFER", "offered-current"), ip(105))
    assert kind_of(after.say(named(selecting(ip(105))))) == "ACK"
    offer = after.say(named(discover(mac=OTHER_MAC)))
    assert offer is not None
    assert offer.yiaddr != ip(105)


def test_a_lease_from_before_the_change_can_be_released() -> None:
    before = Table()
    assert kind_of(before.say(named(selecting(ip(105))))) == "ACK"
    after = Table(match_client_id=False, store=before.store)
    assert after.say(named(release(ip(105))), broadcast=False) is None
    held = after.on(ip(105))
    assert held is not None
    assert held.state is LeaseState.RELEASED


def test_an_identifier_alone_does_not_take_over_what_its_hardware_has() -> None:
    """A container may share the hardware address of its host."""
    table = Table()
    table.lease(ip(100))
    offer = table.say(named(discover(ip(100))))
    assert offer is not None
    assert offer.yiaddr != ip(100)
