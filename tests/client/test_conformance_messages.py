"""RFC 2131 tables 1, 4 and 5: what every message of a client carries and where it goes, one row of the RFC at a time.

The messages are those that the machine sends in its states, from INIT to a conflict; only a DHCPINFORM, which no state
sends, comes from its builder. docs/conformance.md says what else shows a requirement.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from relet.client import requests
from relet.client.states import Backoff, Bound, Rebinding, Rebooting, Renewing, Requesting, Selecting
from relet.model.effects import Send
from relet.model.events import Command
from relet.wire import arp, message
from relet.wire.address import BROADCAST, BROADCAST_MAC, parse_ip
from relet.wire.codes import INFINITE
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, CAREFUL, CLIENT_ID, MAC, OTHER_MAC, REMEMBERED, SERVER, Rig, reach

LOUD = replace(CAREFUL, vendor_class="maker", user_class="kind", lease_time=INFINITE, extra={224: b"more"})
"""A client that says all it can say."""

DEAF = replace(LOUD, broadcast_flag=True)
"""One that hears no unicast before it has an address."""

BIND = parse_ip("192.168.1.250")
"""siaddr of the replies: an address of the server's that is not its identifier."""


class Said(NamedTuple):
    """A message, the way that it goes, and its octets."""

    send: Send
    message: Message


def _last(rig: Rig) -> Said:
    send = rig.sends[-1]
    return Said(send, message.decode(send.payload))


def _wish() -> Rig:
    """Nobody answered for the remembered address; it is the wish in the DHCPDISCOVER."""
    rig = Rig(REMEMBERED, LOUD)
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    return rig


def _retransmitted(rig: Rig) -> Rig:
    asked = len(rig.sends)
    rig.wake()
    assert len(rig.sends) == asked + 1
    return rig


def _conflict_while_used() -> Rig:
    rig = reach(Bound, LOUD)
    for _ in range(2):
        rig.hear(arp.announcement(OTHER_MAC, ADDRESS))
    return rig


def _released() -> Rig:
    rig = reach(Bound, LOUD)
    rig.feed(Command.RELEASE)
    return rig


def _said() -> dict[str, Said]:
    rigs = {
        "DISCOVER": reach(Selecting, LOUD),
        "DISCOVER again": _retransmitted(reach(Selecting, LOUD)),
        "DISCOVER with a wish": _wish(),
        "SELECTING": reach(Requesting, LOUD),
        "SELECTING again": _retransmitted(reach(Requesting, LOUD)),
        "INIT-REBOOT": reach(Rebooting, LOUD),
        "RENEWING": reach(Renewing, LOUD),
        "RENEWING again": _retransmitted(reach(Renewing, LOUD)),
        "REBINDING": reach(Rebinding, LOUD),
        "DECLINE while probing": reach(Backoff, LOUD),
        "DECLINE while used": _conflict_while_used(),
        "RELEASE": _released(),
        "DISCOVER of a deaf one": reach(Selecting, DEAF),
        "SELECTING of a deaf one": reach(Requesting, DEAF),
        "INIT-REBOOT of a deaf one": reach(Rebooting, DEAF),
    }
    informs = {
        "INFORM": requests.inform(LOUD, 1, 0, ADDRESS),
        "INFORM to a server": requests.inform(LOUD, 1, 0, ADDRESS, SERVER),
    }
    said = {name: _last(rig) for name, rig in rigs.items()}
    return said | {name: Said(send, message.decode(send.payload)) for name, send in informs.items()}


SAID = _said()
DISCOVER = "DISCOVER", "DISCOVER again", "DISCOVER with a wish"
SELECTING = "SELECTING", "SELECTING again"
RENEWING = "RENEWING", "RENEWING again"
REQUEST = *SELECTING, "INIT-REBOOT", *RENEWING, "REBINDING"
DECLINE = "DECLINE while probing", "DECLINE while used"
INFORM = "INFORM", "INFORM to a server"
RELEASE = ("RELEASE",)
INIT_REBOOT = ("INIT-REBOOT",)
REBINDING = ("REBINDING",)
ENDS = *DECLINE, *RELEASE
ASKS = *DISCOVER, *REQUEST, *INFORM
UNCONFIGURED = *DISCOVER, *SELECTING, *INIT_REBOOT, *DECLINE
EVERY = *ASKS, *ENDS
TO_THE_DEAF = "DISCOVER of a deaf one", "SELECTING of a deaf one", "INIT-REBOOT of a deaf one"

Check = Callable[[Said], bool]


def broadcast(said: Said) -> bool:
    return (said.send.destination, said.send.mac) == (BROADCAST, BROADCAST_MAC)


def to_server(said: Said) -> bool:
    """By unicast, to the address that the server's identifier gave."""
    return (said.send.destination, said.send.mac) == (SERVER, None)


def has(code: int, octets: bytes) -> Check:
    return lambda said: said.message.options.get(code) == octets


def lacks(*codes: int) -> Check:
    return lambda said: not set(codes) & set(said.message.options)


def both(*checks: Check) -> Check:
    return lambda said: all(check(said) for check in checks)


def kind(expected: MessageType) -> Check:
    return lambda said: said.message.kind == expected


def ciaddr(expected: int) -> Check:
    return lambda said: said.message.ciaddr == expected


REQUESTED, IDENTIFIED = has(50, ADDRESS.to_bytes(4)), has(54, SERVER.to_bytes(4))
LISTED = has(55, bytes(LOUD.parameters))

# Row of the requirements -> messages to which it speaks, and what must be so of each.
ROWS: dict[str, tuple[tuple[str, ...], Check]] = {
    # Table 1 and the sections before s4.1
    "R2131-2-02": (EVERY, has(61, CLIENT_ID)),
    "R2131-2-07": (ASKS, has(57, LOUD.max_message_size.to_bytes(2))),
    "R2131-2-09": ((*EVERY, *TO_THE_DEAF), lambda said: said.message.flags & 0x7FFF == 0),
    "R2131-2-12": (EVERY, lambda said: said.message.hops == 0),
    "R2131-2-16": (UNCONFIGURED, ciaddr(0)),
    "R2131-2.2-05": ((*DISCOVER, *REQUEST), has(51, b"\xff\xff\xff\xff")),
    "R2131-3-01": (EVERY, lambda said: said.message.op == message.BOOTREQUEST),
    "R2131-3-03": (EVERY, lambda said: said.send.payload[236:240] == bytes((99, 130, 83, 99))),
    "R2131-3-04": (EVERY, lambda said: said.message.kind in {*MessageType}),
    "R2131-3.1-01": (DISCOVER, broadcast),
    "R2131-3.1-02": (("DISCOVER with a wish",), both(REQUESTED, has(51, b"\xff\xff\xff\xff"))),
    "R2131-3.1-10": (SELECTING, IDENTIFIED),
    "R2131-3.1-11": (SELECTING, both(has(51, b"\xff\xff\xff\xff"), has(60, b"maker"))),
    "R2131-3.1-12": (SELECTING, REQUESTED),
    "R2131-3.1-14": (SELECTING, broadcast),
    "R2131-3.1-18": (EVERY, both(has(61, CLIENT_ID), lambda said: said.message.chaddr == MAC)),
    "R2131-3.1-34": (RELEASE, both(has(61, CLIENT_ID), ciaddr(ADDRESS))),
    "R2131-3.1-35": (RELEASE, has(61, CLIENT_ID)),
    "R2131-3.2-02": (INIT_REBOOT, both(kind(MessageType.REQUEST), broadcast)),
    "R2131-3.2-03": (INIT_REBOOT, REQUESTED),
    "R2131-3.2-04": (INIT_REBOOT, ciaddr(0)),
    "R2131-3.2-06": (INIT_REBOOT, has(61, CLIENT_ID)),
    "R2131-3.2-21": (RELEASE, both(has(61, CLIENT_ID), ciaddr(ADDRESS))),
    "R2131-3.5-02": (("DISCOVER", "SELECTING", "INIT-REBOOT"), LISTED),
    "R2131-3.5-03": (REQUEST, LISTED),
    "R2131-3.5-04": ((*DISCOVER, *REQUEST), has(57, LOUD.max_message_size.to_bytes(2))),
    "R2131-3.5-06": (("DISCOVER with a wish",), both(REQUESTED, has(51, b"\xff\xff\xff\xff"))),
    "R2131-3.5-08": ((*RENEWING, *REBINDING), lacks(50)),
    "R2131-3.5-09": ((*UNCONFIGURED,), ciaddr(0)),
    # s4.1, s4.2
    "R2131-4.1-01": (EVERY, lambda said: said.send.payload[236:240] == bytes((99, 130, 83, 99))),
    "R2131-4.1-02": (EVERY, lambda said: said.send.payload[240:].rstrip(b"\0").endswith(b"\xff")),
    "R2131-4.1-03": (EVERY, lambda said: said.send.port == 67),
    "R2131-4.1-11": ((*RENEWING, *RELEASE), to_server),
    "R2131-4.1-12": (UNCONFIGURED, lambda said: said.send.source == 0),
    "R2131-4.1-27": (EVERY, lambda said: _each_option_once(said.send.payload)),
    "R2131-4.1-41": (EVERY, lambda said: not said.message.broadcast),
    "R2131-4.2-03": (EVERY, has(61, CLIENT_ID)),
    "R2131-4.2-04": (EVERY, has(61, CLIENT_ID)),
    # s4.3.2, s4.3.6 (table 4)
    "R2131-4.3.2-02": (EVERY, has(61, CLIENT_ID)),
    "R2131-4.3.2-03": (REQUEST, LISTED),
    "R2131-4.3.2-06": (SELECTING, IDENTIFIED),
    "R2131-4.3.2-07": (SELECTING, ciaddr(0)),
    "R2131-4.3.2-08": (SELECTING, REQUESTED),
    "R2131-4.3.2-13": (INIT_REBOOT, lacks(54)),
    "R2131-4.3.2-14": (INIT_REBOOT, REQUESTED),
    "R2131-4.3.2-15": (INIT_REBOOT, ciaddr(0)),
    "R2131-4.3.2-26": (RENEWING, lacks(54)),
    "R2131-4.3.2-27": (RENEWING, lacks(50)),
    "R2131-4.3.2-28": (RENEWING, ciaddr(ADDRESS)),
    "R2131-4.3.2-29": (RENEWING, both(to_server, lambda said: said.message.giaddr == 0)),
    "R2131-4.3.2-34": (REBINDING, lacks(54)),
    "R2131-4.3.2-35": (REBINDING, lacks(50)),
    "R2131-4.3.2-36": (REBINDING, ciaddr(ADDRESS)),
    "R2131-4.3.2-37": (REBINDING, broadcast),
    "R2131-4.3.6-01": (INIT_REBOOT, both(broadcast, lacks(54), REQUESTED, ciaddr(0))),
    "R2131-4.3.6-02": (SELECTING, both(broadcast, IDENTIFIED, REQUESTED, ciaddr(0))),
    "R2131-4.3.6-03": (RENEWING, both(to_server, lacks(50, 54), ciaddr(ADDRESS))),
    "R2131-4.3.6-04": (REBINDING, both(broadcast, lacks(50, 54), ciaddr(ADDRESS))),
    # s4.4.1 (table 5)
    "R2131-4.4.1-02": (DISCOVER, ciaddr(0)),
    "R2131-4.4.1-03": (DISCOVER, LISTED),
    "R2131-4.4.1-04": (("DISCOVER with a wish",), both(REQUESTED, has(51, b"\xff\xff\xff\xff"))),
    "R2131-4.4.1-05": (EVERY, lambda said: said.message.chaddr == MAC),
    "R2131-4.4.1-06": (EVERY, has(61, CLIENT_ID)),
    "R2131-4.4.1-07": (REQUEST, LISTED),
    "R2131-4.4.1-10": (DISCOVER, both(broadcast, lambda said: said.send.port == 67)),
    "R2131-4.4.1-15": (
        EVERY,
        lambda said: (said.message.op, said.message.htype, said.send.payload[2], said.message.hops) == (1, 1, 6, 0),
    ),
    "R2131-4.4.1-18": (ENDS, lambda said: said.message.secs == 0),
    "R2131-4.4.1-20": (ENDS, lambda said: said.message.flags == 0),
    "R2131-4.4.1-21": (
        (*DISCOVER, *DECLINE, *INFORM, *RELEASE),
        lambda said: said.message.ciaddr == (ADDRESS if said.message.kind in {8, 7} else 0),
    ),
    "R2131-4.4.1-22": (
        REQUEST,
        lambda said: said.message.ciaddr == (0 if 50 in said.message.options else ADDRESS),
    ),
    "R2131-4.4.1-23": (
        EVERY,
        lambda said: (said.message.yiaddr, said.message.siaddr, said.message.giaddr) == (0, 0, 0),
    ),
    "R2131-4.4.1-24": (EVERY, lambda said: said.message.chaddr == MAC),
    "R2131-4.4.1-25": (EVERY, lambda said: not any(said.send.payload[44:236])),
    "R2131-4.4.1-26": (("DISCOVER with a wish",), REQUESTED),
    "R2131-4.4.1-27": (INFORM, lacks(50)),
    "R2131-4.4.1-28": ((*SELECTING, *INIT_REBOOT), REQUESTED),
    "R2131-4.4.1-29": (RENEWING, lacks(50)),
    "R2131-4.4.1-30": (DECLINE, REQUESTED),
    "R2131-4.4.1-31": (RELEASE, lacks(50)),
    "R2131-4.4.1-32": ((*DISCOVER, *REQUEST), has(51, b"\xff\xff\xff\xff")),
    "R2131-4.4.1-33": (INFORM, lacks(51)),
    "R2131-4.4.1-34": (ENDS, lacks(51)),
    "R2131-4.4.1-36": (
        EVERY,
        lambda said: (
            said.message.kind
            == {
                **dict.fromkeys(DISCOVER, 1),
                **dict.fromkeys(REQUEST, 3),
                **dict.fromkeys(DECLINE, 4),
                "RELEASE": 7,
            }.get(_name(said), 8)
        ),
    ),
    "R2131-4.4.1-37": (EVERY, has(61, CLIENT_ID)),
    "R2131-4.4.1-38": (ASKS, has(60, b"maker")),
    "R2131-4.4.1-39": (ENDS, lacks(60)),
    "R2131-4.4.1-40": ((*DISCOVER, *INFORM), lacks(54)),
    "R2131-4.4.1-41": (SELECTING, IDENTIFIED),
    "R2131-4.4.1-42": ((*INIT_REBOOT, *RENEWING, *REBINDING), lacks(54)),
    "R2131-4.4.1-43": (ENDS, IDENTIFIED),
    "R2131-4.4.1-44": (ASKS, LISTED),
    "R2131-4.4.1-45": (ENDS, lacks(55)),
    "R2131-4.4.1-46": (ASKS, has(57, LOUD.max_message_size.to_bytes(2))),
    "R2131-4.4.1-47": (ENDS, lacks(57)),
    "R2131-4.4.1-48": (ASKS, lacks(56)),
    "R2131-4.4.1-49": (ENDS, lambda said: bool(said.message.options.get(56))),
    "R2131-4.4.1-50": (ASKS, has(12, b"host")),
    "R2131-4.4.1-51": (ENDS, lambda said: set(said.message.options) <= {50, 53, 54, 56, 61}),
    "R2131-4.4.1-52": (SELECTING, both(broadcast, IDENTIFIED)),
    # s4.4.2 to s4.4.5
    "R2131-4.4.2-01": (INIT_REBOOT, REQUESTED),
    "R2131-4.4.2-02": (INIT_REBOOT, LISTED),
    "R2131-4.4.2-05": (INIT_REBOOT, lacks(54)),
    "R2131-4.4.2-06": (INIT_REBOOT, both(broadcast, lambda said: said.send.port == 67)),
    "R2131-4.4.3-01": (INFORM, LISTED),
    "R2131-4.4.3-02": (INFORM, ciaddr(ADDRESS)),
    "R2131-4.4.3-03": (INFORM, lacks(51, 58, 59)),
    "R2131-4.4.3-04": (INFORM, lambda said: to_server(said) if _name(said) == INFORM[1] else broadcast(said)),
    "R2131-4.4.3-05": (INFORM, lambda said: said.send.port == 67),
    "R2131-4.4.4-01": ((*DISCOVER, *SELECTING, *INIT_REBOOT, *REBINDING, "INFORM"), broadcast),
    "R2131-4.4.4-02": (RELEASE, to_server),
    "R2131-4.4.4-03": (DECLINE, broadcast),
    "R2131-4.4.4-05": (("INFORM to a server",), to_server),
    "R2131-4.4.5-03": (RENEWING, both(to_server, ciaddr(ADDRESS))),
    "R2131-4.4.5-05": (RENEWING, lacks(54)),
    "R2131-4.4.5-08": (REBINDING, both(broadcast, ciaddr(ADDRESS))),
    "R2131-4.4.5-09": (REBINDING, lacks(54)),
    # RFC 1542, RFC 2132
    "R1542-3.4-01": (EVERY, lambda said: said.message.giaddr == 0),
    "R2132-9.8-02": (ASKS, LISTED),
}


def _name(said: Said) -> str:
    return next(name for name, each in SAID.items() if each is said)


def _each_option_once(payload: bytes) -> bool:
    codes, _ = _field(payload[240:])
    return len(codes) == len(set(codes))


def _field(octets: bytes) -> tuple[list[int], bytes]:
    """The codes of a field's options, each of which lies wholly in it, and what follows its end option."""
    codes, at = [], 0
    while octets[at] != 255:
        codes.append(octets[at])
        at += 2 + octets[at + 1]
    return codes, octets[at + 1 :]


@pytest.mark.parametrize("row", ROWS)
def test_messages(row: str) -> None:
    """What the row requires, of each message that it speaks of."""
    names, check = ROWS[row]
    assert {name: check(SAID[name]) for name in names} == dict.fromkeys(names, True)


def test_the_broadcast_bit_is_set_by_a_client_that_needs_it_and_only_before_it_has_an_address() -> None:
    """R2131-4.1-40, R2131-4.4.1-19."""
    states = (Selecting, Requesting, Rebooting, Renewing, Rebinding, Backoff)
    flags = {state.__name__: message.decode(reach(state, DEAF).sends[-1].payload).flags for state in states}
    assert flags == dict.fromkeys(("Selecting", "Requesting", "Rebooting"), 0x8000) | dict.fromkeys(
        ("Renewing", "Rebinding", "Backoff"), 0
    )


def test_unicast_goes_to_the_server_identifier_whatever_else_the_reply_says() -> None:
    """R2131-4.1-11: siaddr is the next server to boot from."""
    rig = reach(Requesting)
    rig.answer(MessageType.ACK, siaddr=BIND)
    rig.wake_until(Renewing)
    assert rig.sends[-1].destination == SERVER
    rig.feed(Command.RELEASE)
    assert rig.sends[-1].destination == SERVER


def test_what_does_not_fit_goes_into_file_as_options() -> None:
    """R2131-4.4.1-25, R2131-4.4.1-35, R2131-4.1-18, R2131-4.1-19, R2131-4.1-20, R2131-4.1-21, R2131-4.1-22,
    R2131-4.1-23, R2131-4.1-24."""
    talkative = replace(CAREFUL, hostname="h" * 120, vendor_class="v" * 200)
    payload = reach(Requesting, talkative).sends[-1].payload
    in_options, padding = _field(payload[240:])
    in_file, file_padding = _field(payload[108:236])
    assert b"\x34\x01\x01" in payload[240:]  # option 52: file holds options
    assert 52 in in_options
    assert sorted(in_options + in_file) == [12, 50, 52, 53, 54, 55, 57, 60, 61]
    assert in_file
    assert not any(padding + file_padding)
    assert not any(payload[44:108])
    said = message.decode(payload)
    assert (said.options[12], said.options[60]) == (b"h" * 120, b"v" * 200)
    for state in (Backoff, Bound):
        rig = reach(state, talkative)
        rig.feed(Command.RELEASE)
        assert not any(rig.sends[-1].payload[44:236])
