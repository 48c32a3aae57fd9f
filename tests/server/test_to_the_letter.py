"""What RFC 2131 demands and most servers leave out, where an operator wants it."""

from relet.server.host_defaults import HOST_DEFAULTS
from relet.wire.options import IP_FORWARDING, LEASE_TIME, PARAMETER_REQUEST_LIST, TCP_KEEPALIVE_INTERVAL
from support.table import Table, discover, ip, reboot, renewing, selecting


def test_who_starts_anew_gets_what_is_left_of_its_lease() -> None:
    """R2131-4.3.1-12"""
    table = Table(offer_time_left=True)
    table.lease(ip(100), seconds=1000)
    offer = table.say(discover())
    assert offer is not None
    assert (offer.yiaddr, offer.uint(LEASE_TIME.code)) == (ip(100), 1000)
    held = table.on(ip(100))
    ack = table.say(selecting(ip(100)))
    assert ack is not None
    assert ack.uint(LEASE_TIME.code) == 1000
    assert table.on(ip(100)) == held
    # it extends its lease by renewing it, or by asking for a time
    table.later(500)
    renewed = table.say(renewing(ip(100)))
    assert renewed is not None
    assert renewed.uint(LEASE_TIME.code) == 3600


def test_who_asks_for_a_time_gets_it() -> None:
    table = Table(offer_time_left=True)
    table.lease(ip(100), seconds=1000)
    message = discover()
    message.options[LEASE_TIME.code] = (1800).to_bytes(4)
    offer = table.say(message)
    assert offer is not None
    assert offer.uint(LEASE_TIME.code) == 1800


def test_a_first_lease_is_a_full_one() -> None:
    table = Table(offer_time_left=True)
    offer = table.say(discover())
    ack = table.say(selecting(ip(100)))
    assert offer is not None
    assert ack is not None
    assert offer.uint(LEASE_TIME.code) == ack.uint(LEASE_TIME.code) == 3600


def test_defaults_of_the_host_requirements() -> None:
    """R2131-4.3.1-46"""
    asked = reboot(ip(100))
    asked.options[PARAMETER_REQUEST_LIST.code] = bytes((1, *HOST_DEFAULTS))
    for table in (Table(host_defaults=True), Table()):
        table.lease(ip(100))
        reply = table.say(asked)
        assert reply is not None
        sent = {code: octets for code, octets in reply.options.items() if code in HOST_DEFAULTS}
        assert sent == (HOST_DEFAULTS if table.network.parameters.host_defaults else {})
    assert HOST_DEFAULTS[IP_FORWARDING.code] == b"\0"
    assert HOST_DEFAULTS[TCP_KEEPALIVE_INTERVAL.code] == (7200).to_bytes(4)


def test_what_is_configured_comes_before_the_defaults_and_what_was_not_asked_for_stays_away() -> None:
    table = Table(host_defaults=True, options={IP_FORWARDING.code: b"\1"})
    table.lease(ip(100))
    asked = reboot(ip(100))
    asked.options[PARAMETER_REQUEST_LIST.code] = bytes((1, IP_FORWARDING.code))
    reply = table.say(asked)
    assert reply is not None
    assert reply.options[IP_FORWARDING.code] == b"\1"
    assert TCP_KEEPALIVE_INTERVAL.code not in reply.options
