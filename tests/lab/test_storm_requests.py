"""What a fleet sends: what RFC 2131 demands of each request, and what the captured clients themselves sent."""

from pathlib import Path

import pytest

from relet.lab.storm.models import MODELS, NAME, NUMBER
from relet.lab.storm.requests import DISCOVER, INIT_REBOOT, KINDS, RENEWING, SELECTING, WISH, Template
from relet.wire.address import parse_ip
from relet.wire.message import BROADCAST_FLAG, Message, decode
from relet.wire.options import (
    CLIENT_IDENTIFIER,
    HOST_NAME,
    OPTIONS,
    PARAMETER_REQUEST_LIST,
    RELAY_AGENT_INFORMATION,
    REQUESTED_ADDRESS,
    SERVER_IDENTIFIER,
    MessageType,
)
from support.oracle import BOOTP, DHCP

RELAY, ADDRESS, SERVER = parse_ip("10.64.0.2"), parse_ip("10.65.0.9"), parse_ip("10.64.0.1")
ALL = [(model, kind) for model in MODELS for kind in range(WISH + 1)]
IDS = [f"{model}-{KINDS[kind]}{'-wish' if kind == WISH else ''}" for model, kind in ALL]
CAPTURES = Path(__file__).parent.parent / "captures"


def made(model: str, kind: int, number: int = 0x01020304, circuits: bool = True, broadcast: bool = False) -> bytes:
    template = Template(MODELS[model], kind, 7, RELAY, circuits, broadcast)
    template.fill(1, 1, 1, 1, 1, 1)  # what was written for another client must not stay
    return template.fill(number, 0xDEADBEEF, 12, ADDRESS, SERVER, 0x21)


@pytest.mark.parametrize(("model", "kind"), ALL, ids=IDS)
def test_requests_carry_what_they_must_and_nothing_that_they_must_not(model: str, kind: int) -> None:
    """RFC 2131 s4.4.1, table 5, and s4.3.2."""
    message = decode(made(model, kind))
    asks = message.kind
    assert asks == (MessageType.DISCOVER if kind in (DISCOVER, WISH) else MessageType.REQUEST)
    assert message.ip(REQUESTED_ADDRESS.code) == (ADDRESS if kind in (SELECTING, INIT_REBOOT, WISH) else None)
    assert message.ip(SERVER_IDENTIFIER.code) == (SERVER if kind == SELECTING else None)
    assert message.ciaddr == (ADDRESS if kind == RENEWING else 0)
    assert (message.xid, message.secs, message.giaddr, message.hops) == (0xDEADBEEF, 12, RELAY, 1)
    assert message.chaddr == bytes.fromhex("020701020304")
    assert (message.yiaddr, message.siaddr, message.flags) == (0, 0, 0)
    assert message.options[PARAMETER_REQUEST_LIST.code] == MODELS[model].parameters


@pytest.mark.parametrize(("model", "kind"), ALL, ids=IDS)
def test_nothing_of_the_template_is_left_and_all_options_can_be_read(model: str, kind: int) -> None:
    octets = made(model, kind)
    assert NUMBER not in octets
    assert NAME not in octets
    for code, value in decode(octets).options.items():
        OPTIONS[code].decode(value)


@pytest.mark.parametrize(("model", "kind"), ALL, ids=IDS)
def test_scapy_reads_the_same(model: str, kind: int) -> None:
    octets = made(model, kind)
    read = BOOTP(octets)
    message = decode(octets)
    assert (read.xid, read.secs, read.giaddr, read.chaddr[:6]) == (0xDEADBEEF, 12, "10.64.0.2", message.chaddr)
    options: dict[str, object] = dict(option[:2] for option in read[DHCP].options if isinstance(option, tuple))
    assert options["message-type"] == message.kind
    assert options.get("requested_addr") == ("10.65.0.9" if message.ip(REQUESTED_ADDRESS.code) else None)
    read_list = options["param_req_list"]
    assert isinstance(read_list, list)
    assert bytes(read_list) == MODELS[model].parameters


@pytest.mark.parametrize("model", MODELS)
def test_two_clients_differ_wherever_a_client_is_named(model: str) -> None:
    one, other = (decode(made(model, DISCOVER, number)) for number in (5, 6))
    for code in (CLIENT_IDENTIFIER.code, HOST_NAME.code):
        if code in one.options:
            assert one.options[code] != other.options[code]


@pytest.mark.parametrize(
    ("model", "identifier"),
    [
        ("windows", "01 0207 01020304"),
        ("udhcpc", "01 0207 01020304"),
        ("dhcpcd", "ff 01020304 0001 0001 2c0f9b40 0207 01020304"),  # RFC 4361 s6.1: IAID, DUID of type LLT
        ("dhclient", ""),
    ],
)
def test_client_identifiers(model: str, identifier: str) -> None:
    octets = decode(made(model, INIT_REBOOT)).options.get(CLIENT_IDENTIFIER.code, b"")
    assert octets == bytes.fromhex(identifier)


def test_a_relay_adds_its_circuit_last() -> None:
    """RFC 3046 s2.1."""
    message = decode(made("windows", INIT_REBOOT))
    assert list(message.options)[-1] == RELAY_AGENT_INFORMATION.code
    octets = message.options[RELAY_AGENT_INFORMATION.code]
    assert octets == b"\x01\x0dport-00000021\x02\x04" + RELAY.to_bytes(4)
    assert RELAY_AGENT_INFORMATION.code not in decode(made("windows", INIT_REBOOT, circuits=False)).options


def test_broadcast_answers_are_asked_for() -> None:
    assert decode(made("windows", DISCOVER, broadcast=True)).flags == BROADCAST_FLAG


def captured(name: str) -> Message:
    rows = (CAPTURES / name).read_text(encoding="utf-8").splitlines()
    return decode(bytes.fromhex("".join(row for row in rows if not row.startswith("#"))))


def test_ipxe_is_as_it_was_captured() -> None:
    real, ours = captured("ipxe-bios.hex"), decode(made("ipxe", DISCOVER, circuits=False))
    assert list(ours.options) == list(real.options)
    own = {CLIENT_IDENTIFIER.code, 97}
    assert {code: octets for code, octets in ours.options.items() if code not in own} == {
        code: octets for code, octets in real.options.items() if code not in own
    }
    assert {code: len(octets) for code, octets in ours.options.items()} == {
        code: len(octets) for code, octets in real.options.items()
    }
