"""Classes: which requests a test is true of, and that no octets can make one fail."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.config.expression import parse_expression
from relet.model.events import Arrival
from relet.model.network import ClientClass, Network, Pool, Reservation
from relet.model.ranges import Ranges
from relet.server.match import Classes, Subject, classes_of, compiled, like
from relet.wire.address import parse_ip
from relet.wire.message import Message
from support.networks import subnet
from support.table import OFFICE

MAC = bytes.fromhex("525400123456")
OPTION_82 = bytes.fromhex("0104") + b"eth7" + bytes.fromhex("0206a0b1c2d3e4f5") + bytes.fromhex("0603") + b"tom"
VENDORS = bytes.fromhex("0000118b 07 01 02 abcd 02 01 09 00000009 02 1122")
"""Option 125: CableLabs (4491) with sub-options 1 and 2, then Cisco (9) with octets."""
ASKED = Message(
    op=1,
    xid=1,
    hops=1,
    secs=12,
    giaddr=parse_ip("10.9.0.1"),
    chaddr=MAC,
    options={
        53: b"\1",
        12: b"Printer\0",
        55: bytes((1, 3, 252)),
        60: b"PXEClient:Arch:00007:UNDI:003016",
        61: b"\1" + MAC,
        77: b"\4iPXE\3lab",
        81: b"\0\0\0gw.example.org",
        82: OPTION_82,
        93: b"\0\7",
        124: bytes.fromhex("0000118b03") + b"abc",
        125: VENDORS,
        57: b"\5\xdc",
    },
)


def true_of(text: str, message: Message = ASKED, reservation: Reservation | None = None) -> bool:
    """What a test says of a message heard on eth0."""
    subject = Subject(message, Arrival(b"", "eth0"), "office", reservation, message.options.get(82))
    return compiled(parse_expression(text))(subject)


@pytest.mark.parametrize(
    "text",
    [
        'vendor-class starts-with "PXEClient" and architecture in ["x64-uefi", "ebc"]',
        'vendor-class like "PXE*Arch:0000?:*"',
        'user-class == "iPXE"',
        'user-class contains "ab"',
        'user-class != "other"',
        "mac starts-with 52:54:00",
        "mac[0..2] == 52:54:00",
        "mac ends-with 0x56",
        "random-mac",
        'circuit-id like "eth*"',
        'relay.circuit-id == "eth7"',
        "remote-id == a0:b1:c2:d3:e4:f5",
        'subscriber-id in ["ann", "tom"]',
        "option.client-system contains 7",
        "giaddr in 10.9.0.0/16",
        "giaddr in [192.168.0.0/16, 10.9.0.1]",
        "giaddr != 10.9.0.2 and giaddr > 10.0.0.0",
        "hops >= 1 and hops < 2 and secs <= 12",
        "not known",
        "exists option.user-class and not exists option.v4-captive-portal",
        "asks-for option-252 and not asks-for domain-name",
        'hostname == "printer"',
        'hostname == "Printer"',
        'hostname in ["Scanner", "Printer"] and hostname like "PRI*" and hostname[0..2] == "PRI"',
        'interface == "eth0" and network == "office"',
        "vendor.4491 starts-with 0x0102",
        "vendor.4491.1 == ab:cd and vendor.9 == 11:22",
        'vendor-class.4491 == "abc"',
        "option.dhcp-max-message-size == 1500",
        "client-id == 01:52:54:00:12:34:56",
        "not (broadcast or bootp)",
    ],
)
def test_true(text: str) -> None:
    assert true_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "exists option.v4-captive-portal",
        'option.v4-captive-portal != "x"',  # absent: false, whatever is asked of it
        "ciaddr != 1.2.3.4",
        'user-class != "iPXE"',
        'user-class == "iPX"',
        'vendor-class like "PXE"',
        "mac[0..2] == 52:54:01",
        "mac[4..9] == 34:56:00:00:00:00",
        "giaddr in 10.8.0.0/16",
        "vendor.4491.3 == 0x01",
        "vendor.3561 != 0x01",
        "known",
        'in-class "phones"',
        "architecture == 9",
        "hops > 1",
    ],
)
def test_false(text: str) -> None:
    assert not true_of(text)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({93: b"\0"}, "architecture >= 0"),
        ({93: b""}, "architecture != 3"),
        ({57: b"\1\2\3"}, "option.dhcp-max-message-size != 1"),
        ({82: b"\1\xff"}, 'circuit-id != "x"'),
        ({82: b"\1\xff"}, "exists circuit-id"),
        ({125: b"\0\0\0\x09\xff"}, "exists vendor.9"),
        ({125: b"\0\0\0\x09\1\1"}, "vendor.9.1 != 0x00"),
        ({77: b""}, 'user-class != "x"'),
        ({81: b"\4\0\0\xff"}, 'hostname != "x"'),
    ],
)
def test_what_is_malformed_compares_false(options: dict[int, bytes], text: str) -> None:
    assert not true_of(text, Message(op=1, xid=1, chaddr=MAC, options={53: b"\1"} | options))


def test_a_user_class_without_lengths_counts() -> None:
    message = msgspec.structs.replace(ASKED, options={53: b"\1", 77: b"iPXE"})
    assert true_of('user-class == "iPXE"', message)


@pytest.mark.parametrize(
    ("value", "pattern", "fits"),
    [
        (b"", b"", True), (b"", b"*", True), (b"a", b"", False), (b"abc", b"a*c", True), (b"abc", b"a?c", True),
        (b"abc", b"?b", False), (b"aXbXc", b"*X*c", True), (b"abcab", b"*ab", True), (b"a" * 200, b"*a" * 100 + b"b", False),
        (b"abc", b"abc***", True), (b"ab", b"ab?", False), (b"Eth0/1", b"Eth*/?", True),
    ],
)  # fmt: skip
def test_globs(value: bytes, pattern: bytes, fits: bool) -> None:
    assert like(value, pattern) is fits


EVERYTHING = parse_expression(
    'architecture contains 7 or user-class like "*x" or option.dhcp-max-message-size > 3 or circuit-id ends-with "1"'
    ' or vendor.9.1 == 0x00 or vendor-class.9 contains "a" or hostname == "b" or mac[0..2] == 00:01:02'
    " or option.routers contains 1.2.3.4 or option.fqdn starts-with 0x04 or relay.option-77 != 0x01"
    " or option.domain-search != 0x00 or relay.link-selection in 10.0.0.0/8"
)
CODES = st.sampled_from([3, 12, 55, 57, 60, 61, 77, 81, 82, 93, 119, 124, 125])


@given(st.binary(max_size=16), st.dictionaries(CODES, st.binary(max_size=40)))
def test_no_octets_make_a_test_fail(chaddr: bytes, options: dict[int, bytes]) -> None:
    message = Message(op=1, xid=1, chaddr=chaddr, options=options)
    row = ClientClass("all", EVERYTHING)
    found = Classes(msgspec.structs.replace(OFFICE, classes=(row,))).of(message, Arrival(b""), None, options.get(82))
    assert set(found) <= {"all", "unknown", "random-mac", "bootp"}


def classes(*rows: ClientClass, message: Message = ASKED, reservation: Reservation | None = None) -> tuple[str, ...]:
    """What a client of a network with these classes is in."""
    network = msgspec.structs.replace(OFFICE, classes=rows)
    return Classes(network).of(message, Arrival(b"", "eth0"), reservation, None)


def test_classes_stand_in_the_files_order_and_built_in_ones_behind() -> None:
    rows = (
        ClientClass("by-hand"),
        ClientClass("pxe", parse_expression("exists architecture")),
        ClientClass("never", parse_expression("bootp")),
        ClientClass("lab", parse_expression('in-class "pxe" and in-class "random-mac"')),
    )
    assert classes(*rows) == ("pxe", "lab", "unknown", "random-mac")
    row = Reservation("mac", MAC, classes=("by-hand", "elsewhere"))
    assert classes(*rows, reservation=row) == ("by-hand", "pxe", "lab", "elsewhere", "known", "random-mac")


def test_a_class_sees_only_those_before_it() -> None:
    rows = (ClientClass("a", parse_expression('in-class "b"')), ClientClass("b", parse_expression("hops > 0")))
    assert classes(*rows) == ("b", "unknown", "random-mac")


def test_networks_without_classes_have_none() -> None:
    assert classes_of(OFFICE) is None
    guarded = Pool(Ranges.of([(1, 2)]), allow=("known",))
    place = msgspec.structs.replace(subnet("192.168.1.0/24"), pools=(guarded,))
    for network in (
        msgspec.structs.replace(OFFICE, deny=("bootp",)),
        msgspec.structs.replace(OFFICE, subnets=(place,)),
        msgspec.structs.replace(OFFICE, everywhere=(Reservation("mac", MAC, classes=("a",)),)),
        msgspec.structs.replace(OFFICE, classes=(ClientClass("a"),)),
    ):
        assert isinstance(network, Network)
        assert classes_of(network) is not None


@pytest.mark.parametrize(
    ("mac", "random"),
    [("525400123456", True), ("020000000001", True), ("001122334455", False), ("030000000001", False), ("", False)],
)
def test_randomised_hardware_addresses(mac: str, random: bool) -> None:
    message = Message(op=1, xid=1, chaddr=bytes.fromhex(mac), options={53: b"\1", 61: b"\1"})
    assert true_of("random-mac", message) is random
