"""What the client says, byte for byte where it counts (RFC 2131 tables 4 and 5)."""

import pytest
from msgspec.structs import replace

from relet.client import requests
from relet.client.settings import MAX_OWN_OCTETS, PARAMETERS, ClientSettings
from relet.model.effects import Send
from relet.wire import message
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, CLIENT_ID, MAC, SERVER, SETTINGS

XID = 0x12345678
FULL = replace(SETTINGS, vendor_class="maker", lease_time=7200, broadcast_flag=True)
SELF = {53, 61, 57, 55, 60, 12}

SENDS = {
    "discover": requests.discover(FULL, XID, 7),
    "discover-wish": requests.discover(FULL, XID, 7, ADDRESS),
    "selecting": requests.selecting(FULL, XID, 7, ADDRESS, SERVER),
    "init-reboot": requests.init_reboot(FULL, XID, 7, ADDRESS),
    "renewing": requests.renewing(FULL, XID, 7, ADDRESS, SERVER),
    "rebinding": requests.rebinding(FULL, XID, 7, ADDRESS),
    "inform": requests.inform(FULL, XID, 7, ADDRESS, SERVER),
    "inform-anybody": requests.inform(FULL, XID, 7, ADDRESS),
    "decline": requests.decline(FULL, XID, ADDRESS, SERVER, "in use"),
    "release": requests.release(FULL, XID, ADDRESS, SERVER, "bye"),
}

# name: message type, ciaddr, secs, broadcast flag, option 50, option 54, the other options
TABLE: dict[str, tuple[MessageType, int, int, bool, int | None, int | None, set[int]]] = {
    "discover": (MessageType.DISCOVER, 0, 7, True, None, None, SELF | {51}),
    "discover-wish": (MessageType.DISCOVER, 0, 7, True, ADDRESS, None, SELF | {51}),
    "selecting": (MessageType.REQUEST, 0, 7, True, ADDRESS, SERVER, SELF | {51}),
    "init-reboot": (MessageType.REQUEST, 0, 7, True, ADDRESS, None, SELF | {51}),
    "renewing": (MessageType.REQUEST, ADDRESS, 7, False, None, None, SELF | {51}),
    "rebinding": (MessageType.REQUEST, ADDRESS, 7, False, None, None, SELF | {51}),
    "inform": (MessageType.INFORM, ADDRESS, 7, False, None, None, SELF),
    "inform-anybody": (MessageType.INFORM, ADDRESS, 7, False, None, None, SELF),
    "decline": (MessageType.DECLINE, 0, 0, False, ADDRESS, SERVER, {53, 61, 56}),
    "release": (MessageType.RELEASE, ADDRESS, 0, False, None, SERVER, {53, 61, 56}),
}

UNICAST = {"renewing", "inform", "release"}
WITH_ADDRESS = UNICAST | {"rebinding", "inform-anybody"}


def said(name: str) -> Message:
    """The message of a send."""
    return message.decode(SENDS[name].payload)


def test_every_builder_has_a_row() -> None:
    assert set(SENDS) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_fields_and_options(name: str) -> None:
    kind, ciaddr, secs, flag, requested, server, others = TABLE[name]
    found = said(name)
    assert (found.op, found.htype, found.hops, found.xid, found.chaddr) == (1, 1, 0, XID, MAC)
    assert (found.yiaddr, found.siaddr, found.giaddr, found.sname, found.file) == (0, 0, 0, b"", b"")
    assert (found.kind, found.ciaddr, found.secs, found.broadcast) == (kind, ciaddr, secs, flag)
    assert found.flags & 0x7FFF == 0
    assert (found.ip(50), found.ip(54)) == (requested, server)
    assert set(found.options) - {50, 54} == others
    assert next(iter(found.options)) == 53


@pytest.mark.parametrize("name", TABLE)
def test_route(name: str) -> None:
    send = SENDS[name]
    unicast = name in UNICAST
    assert send.port == 67
    assert send.interface == "eth0"
    assert send.destination == (SERVER if unicast else BROADCAST)
    assert send.mac == (None if unicast else BROADCAST_MAC)
    assert send.source == (ADDRESS if name in WITH_ADDRESS else 0)


def test_what_the_client_says_of_itself() -> None:
    options = said("discover").options
    assert options[61] == CLIENT_ID
    assert options[12] == b"host"
    assert options[60] == b"maker"
    assert options[55] == bytes(PARAMETERS)
    assert options[57] == (1500).to_bytes(2)
    assert options[51] == (7200).to_bytes(4)
    assert said("decline").options[56] == b"in use"


def test_what_is_not_set_is_not_said() -> None:
    send: Send = requests.discover(ClientSettings(MAC, parameters=()), XID, 0)
    assert set(message.decode(send.payload).options) == {53, 57}


def test_all_that_the_settings_permit_fits_into_the_least_message() -> None:
    large = ClientSettings(
        MAC, client_id=b"\xff" * 255, hostname="h" * (MAX_OWN_OCTETS - 255 - len(PARAMETERS)), lease_time=9
    )
    send = requests.selecting(large, XID, 0, ADDRESS, SERVER)
    assert len(send.payload) <= 548
    assert message.decode(send.payload).options[61] == b"\xff" * 255


@pytest.mark.parametrize(
    "wrong",
    [
        {"mac": b""},
        {"mac": bytes(17)},
        {"max_message_size": 575},
        {"max_message_size": 65536},
        {"client_id": b""},
        {"parameters": (0,)},
        {"parameters": (255,)},
        {"lease_time": 0},
        {"hostname": "h" * 500},
    ],
)
def test_settings_that_no_message_could_carry_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\d|option codes"):
        ClientSettings(**({"mac": MAC} | wrong))  # type: ignore[arg-type]
