"""What a client asks for by option, and what a lease's options mean for the machine: RFC 2131, 2132, 1542 and 3442.

Each test names its rows of the requirements; docs/conformance.md has their text and what else shows one.
"""

import pytest
from msgspec.structs import replace

from relet.client.settings import PARAMETERS
from relet.client.states import Bound, Rebinding, Rebooting, Renewing, Requesting, Selecting
from relet.model.effects import Binding, Configure
from relet.model.events import Arrival, Command
from relet.net.link import Route
from relet.run.plan import plan
from relet.wire import message, options
from relet.wire.address import parse_ip
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, CAREFUL, MAC, OTHER_MAC, SERVER, Rig, reach

ASKING = (Selecting, Requesting, Rebooting, Renewing, Rebinding)
MASK = {1: bytes((255, 255, 255, 0))}
ROUTERS = {3: SERVER.to_bytes(4)}
STATIC = {33: parse_ip("10.0.0.0").to_bytes(4) + parse_ip("192.168.1.9").to_bytes(4)}
# 10.0.0.0/8 via 192.168.1.7 with a bit behind its width, and a default route by another router than option 3 says
CLASSLESS = {121: bytes((8, 10)) + parse_ip("192.168.1.7").to_bytes(4) + bytes(1) + parse_ip("192.168.1.8").to_bytes(4)}


def granted(*parts: dict[int, bytes]) -> Binding:
    """The binding that comes of a DHCPACK with these options."""
    rig = reach(Requesting)
    carried = rig.reply(MessageType.ACK).options
    del carried[1]
    for part in parts:
        carried |= part
    effects = rig.answer(MessageType.ACK, options=carried) + rig.wake_until(Bound)
    (binding,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    return binding


def listed(rig: Rig) -> bytes:
    """The parameter request list of the last message."""
    return message.decode(rig.sends[-1].payload).options[options.PARAMETER_REQUEST_LIST.code]


def test_a_lease_that_says_nothing_is_an_address_and_no_more() -> None:
    """R2131-3.5-01, R2132-8.4-02: the mask is that of the address' class, and all else is left to the host."""
    bare = plan(granted())
    assert (bare.address, bare.width, bare.routes, bare.mtu) == (ADDRESS, 24, (), 0)
    assert (bare.nameservers, bare.domain, bare.hostname, bare.ntp) == ((), "", "", ())
    assert bare.refused == ()


def test_giaddr_is_no_router() -> None:
    """R1542-3.4-02."""
    rig = reach(Requesting)
    reply = rig.reply(MessageType.ACK, giaddr=parse_ip("192.168.1.254"))
    effects = rig.answer(MessageType.ACK, giaddr=reply.giaddr, options=reply.options) + rig.wake_until(Bound)
    (binding,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    assert (plan(binding).routes, plan(binding).routers) == ((), ())


@pytest.mark.parametrize("mac", [MAC, OTHER_MAC])
def test_without_an_identifier_the_hardware_address_tells_clients_apart(mac: bytes) -> None:
    """R2131-2-01, R2131-4.2-07, R2132-9.14-02: none is made up that another host might make up as well."""
    rig = Rig(None, replace(CAREFUL, client_id=None, mac=mac))
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    asked = [rig.sent]
    rig.answer(
        MessageType.OFFER,
        chaddr=mac,
        options={k: v for k, v in rig.reply(MessageType.OFFER).options.items() if k != 61},
    )
    asked.append(rig.sent)
    assert isinstance(rig.state, Requesting)
    assert [(said.chaddr, 61 in said.options) for said in asked if said] == [(mac, False)] * 2


def test_every_interface_has_a_client_of_its_own() -> None:
    """R2131-3.6-01: what one of them is told is nothing to the other."""
    one, other = reach(Requesting), Rig(None, replace(CAREFUL, mac=OTHER_MAC, interface="eth1"))
    before = other.state
    for kind in (MessageType.ACK, MessageType.NAK):
        reply = one.reply(kind)
        one.answer(kind)
        assert other.answer(kind, xid=reply.xid, chaddr=reply.chaddr) == []
    assert other.state == before


@pytest.mark.parametrize("state", ASKING)
def test_the_captive_portal_is_asked_for(state: type) -> None:
    """R8910-2-01."""
    assert options.V4_CAPTIVE_PORTAL.code in listed(reach(state))


# RFC 3442


@pytest.mark.parametrize("state", ASKING)
def test_classless_routes_are_asked_for_before_the_others(state: type) -> None:
    """R3442-client-04, R3442-client-05, R3442-client-06."""
    asked = listed(reach(state))
    assert asked == bytes(PARAMETERS)
    assert asked.index(121) < min(asked.index(3), asked.index(33))


def test_classless_routes_are_taken_and_the_others_ignored() -> None:
    """R3442-client-02, R3442-client-03, R3442-client-07, R3442-client-08."""
    without = plan(granted(MASK, ROUTERS, STATIC))
    assert without.routes == (
        Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.9")),
        Route(0, 0, SERVER),
    )
    assert plan(granted(MASK, ROUTERS, STATIC, CLASSLESS)).routes == (
        Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.7")),
        Route(0, 0, parse_ip("192.168.1.8")),
    )


def test_bits_of_a_destination_behind_its_width_are_cleared() -> None:
    """R3442-client-09."""
    odd = {121: bytes((20, 172, 16, 0xFF)) + parse_ip("192.168.1.7").to_bytes(4)}
    assert plan(granted(MASK, odd)).routes == (Route(parse_ip("172.16.240.0"), 20, parse_ip("192.168.1.7")),)


def test_routes_in_several_parts_are_one_option() -> None:
    """R3442-sizing-03, R2131-4.1-28: more routes than 255 octets hold."""
    routes = [(parse_ip("10.0.0.0") + (number << 8), 24, parse_ip("192.168.1.7")) for number in range(50)]
    octets = options.CLASSLESS_ROUTES.encode(tuple(routes))
    assert len(octets) > 255
    rig = reach(Requesting)
    reply = rig.reply(MessageType.ACK, options=rig.reply(MessageType.ACK).options | {121: octets})
    effects = rig.feed(Arrival(message.encode(reply, 1472))) + rig.wake_until(Bound)
    (binding,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    assert plan(binding).routes == tuple(Route(*route) for route in routes)


def test_a_message_may_have_what_an_ethernet_carries() -> None:
    """R3442-sizing-01, R3442-sizing-02: and an operator may set more."""
    for size in (1500, 9000, 65535):
        said = message.decode(reach(Selecting, replace(CAREFUL, max_message_size=size)).sends[-1].payload)
        assert said.uint(options.MAX_MESSAGE_SIZE.code) == size
    assert CAREFUL.max_message_size == 1500


def test_replies_larger_than_bootp_are_taken() -> None:
    """R1542-2.1-02."""
    rig = reach(Requesting)
    large = rig.reply(MessageType.ACK, options=rig.reply(MessageType.ACK).options | {224: bytes(900)})
    octets = message.encode(large, 1472)
    assert len(octets) > 1000
    effects = rig.feed(Arrival(octets)) + rig.wake_until(Bound)
    (binding,) = [effect.binding for effect in effects if isinstance(effect, Configure)]
    assert binding.options[224] == bytes(900)
