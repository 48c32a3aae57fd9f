"""Options: looking them up, and the values, texts and configuration of each kind."""

import re

import pytest

from relet.errors import WireError
from relet.wire import options
from relet.wire.options import MessageType, by_name, option
from relet.wire.relayinfo import decode_suboptions, encode_suboptions

RELAY = options.RELAY_AGENT_INFORMATION


def test_rows_are_found_by_code_and_name() -> None:
    assert option(3) is options.ROUTERS
    assert by_name("routers") is options.ROUTERS
    assert by_name("option-3") is options.ROUTERS
    assert by_name("router") is None
    unknown = option(224)
    assert (unknown.name, unknown.decode(b"ab"), by_name("option-224")) == ("option-224", b"ab", unknown)


@pytest.mark.parametrize(
    "name",
    ["option-", "option-0", "option-255", "option-256", "option-x", "option--1", "option-" + "9" * 5000, "", "224"],
)
def test_what_is_no_name_of_an_option(name: str) -> None:
    assert by_name(name) is None


def test_message_types_are_those_of_option_53() -> None:
    assert options.MESSAGE_TYPE.text(bytes((MessageType.REQUEST,))) == "3 (request)"
    assert [*MessageType] == list(range(1, 19))


GOOD = [
    (options.SUBNET_MASK, "255.255.255.0", "ffffff00", "255.255.255.0"),
    (options.TIME_OFFSET, -3600, "fffff1f0", "-3600"),
    (options.ROUTERS, ["192.168.1.1", "192.168.1.2"], "c0a80101c0a80102", "192.168.1.1, 192.168.1.2"),
    (options.ROUTERS, "192.168.1.1", "c0a80101", "192.168.1.1"),
    (options.MOBILE_IP_HOME_AGENT, [], "", "none"),
    (options.HOST_NAME, "laptop", "6c6170746f70", '"laptop"'),
    (options.HOST_NAME, 'a"\\\x1b', "61225c1b", r'"a\"\\\x1b"'),
    (options.IP_FORWARDING, True, "01", "true"),
    (options.IP_FORWARDING, False, "00", "false"),
    (options.STATIC_ROUTES, [["10.0.0.0", "192.168.1.1"]], "0a000000c0a80101", None),
    (options.VENDOR_OPTIONS, {"option-6": "08", "option-8": "01:02"}, "06010808020102", "option-6 08, option-8 01:02"),
    (options.NETBIOS_NODE_TYPE, "h-node", "08", "8 (h-node)"),
    (options.NETBIOS_NODE_TYPE, 8, "08", "8 (h-node)"),
    (options.LEASE_TIME, 3600, "00000e10", "3600"),
    (options.MESSAGE_TYPE, "request", "03", "3 (request)"),
    (options.PARAMETER_REQUEST_LIST, ["subnet-mask", 224, "option-0"], "01e000", "subnet-mask, option-224, option-0"),
    (options.CLIENT_IDENTIFIER, "01:52:54:00", "01525400", "01:52:54:00"),
    (options.USER_CLASS, ["iPXE"], "0469505845", '"iPXE"'),
    (options.USER_CLASS, [{"hex": "00:01"}], "020001", "00:01"),
    (options.SLP_DIRECTORY_AGENT, {"mandatory": True, "agents": ["1.2.3.4"]}, "0101020304", None),
    (options.SLP_SERVICE_SCOPE, {"mandatory": False, "scopes": ""}, "00", None),
    (options.RAPID_COMMIT, True, "", "present"),
    (options.FQDN, "host.example.org.", "04000004686f7374076578616d706c65036f726700", '"host.example.org." flags E'),
    (options.CLIENT_SYSTEM, ["x64-uefi", 99], "00070063", "7 (x64-uefi), 99"),
    (options.UUID_GUID, {"type": 0, "uuid": "00" * 16}, "00" * 17, None),
    (options.GEOCONF_CIVIC, {"what": 2, "country": "DE", "elements": {"option-3": "41"}}, "024445030141", None),
    (options.DHCP4O6_S46_SADDR, "2001:db8::1", "20010db8" + "00" * 11 + "01", "2001:db8::1"),
    (
        options.CLASSLESS_ROUTES,
        ["10.0.0.0/8 via 192.168.1.1", "0.0.0.0/0 via 192.168.1.2", "10.1.2.3/32 via 0.0.0.0"],
        "080ac0a80101" + "00c0a80102" + "200a01020300000000",
        "10.0.0.0/8 via 192.168.1.1, 0.0.0.0/0 via 192.168.1.2, 10.1.2.3/32 via 0.0.0.0",
    ),
    (options.CABLELABS_CLIENT_CONF, {"tsp-primary-server": "1.2.3.4"}, "010401020304", "tsp-primary-server 1.2.3.4"),
    (options.CABLELABS_CLIENT_CONF, {"tsp-provisioning-server": {"name": "a"}}, "030400016100", None),
    (options.ENTERPRISE_CLASSES, [{"enterprise": 9, "data": "x"}], "000000090178", 'enterprise 9: "x"'),
    (
        options.ENTERPRISE_OPTIONS,
        {"enterprise": 3561, "data": {"serial-number": "7"}},
        "00000de903020137",
        'enterprise 3561: serial-number "7"',
    ),
    (options.V4_SZTP_REDIRECT, ["https://a"], "000968747470733a2f2f61", '"https://a"'),
    (options.V4_PCP_SERVER, [["1.2.3.4", "5.6.7.8"], ["9.9.9.9"]], "0801020304050607080409090909", None),
    (options.STATUS_CODE, {"status": "success", "message": ""}, "00", None),
    (RELAY, {"circuit-id": "0001", "link-selection": "10.0.0.1", "relay-port": True}, "0102000105040a0000011300", None),
    (options.RELAY_FLAGS, 128, "80", "128"),
]


@pytest.mark.parametrize(("row", "configured", "octets", "text"), GOOD)
def test_configuration_octets_and_text(row: options.Option, configured: object, octets: str, text: str | None) -> None:
    assert row.parse(configured).hex() == octets
    assert row.parse(row.plain(bytes.fromhex(octets))).hex() == octets
    assert text is None or row.text(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(
    ("row", "configured", "problem"),
    [
        (options.SUBNET_MASK, 24, "not an IPv4 address such as"),
        (options.SUBNET_MASK, "255.255.255", "not an IPv4 address such as"),
        (options.ROUTERS, [], "at least 4"),
        (options.ROUTERS, ["1.2.3.4", 5], "not an IPv4 address"),
        (options.HOST_NAME, 5, "write it in quotes"),
        (options.HOST_NAME, "", "at least 1"),
        (options.HOST_NAME, "a\0", "without NULs"),
        (options.IP_FORWARDING, "yes", "not true or false"),
        (options.RAPID_COMMIT, False, "leave the option out"),
        (options.LEASE_TIME, "8h", "not a number"),
        (options.LEASE_TIME, -1, "from 0 to 4294967295"),
        (options.LEASE_TIME, True, "not a number"),
        (options.TIME_OFFSET, 2**31, "from -2147483648"),
        (options.TIME_OFFSET, "x", "not a number"),
        (options.NETBIOS_NODE_TYPE, "x-node", "one of b-node, p-node"),
        (options.PARAMETER_REQUEST_LIST, ["router"], "neither the name of an option"),
        (options.PARAMETER_REQUEST_LIST, [256], "from 0 to 255"),
        (options.CLIENT_IDENTIFIER, "xyz", "not hexadecimal"),
        (options.CLIENT_IDENTIFIER, 5, "not hexadecimal"),
        (options.USER_CLASS, ["x" * 256], "more octets than its length can say"),
        (options.USER_CLASS, [5], "neither a text in quotes nor"),
        (options.SLP_DIRECTORY_AGENT, {"mandatory": True}, "not a table of mandatory, agents"),
        (options.SIP_SERVERS, "a", "{ names = .. } or { addresses = .. }"),
        (options.FQDN, 5, "neither a name nor a table"),
        (options.FQDN, {"flags": 256, "rcode1": 0, "rcode2": 0, "name": ""}, "from 0 to 255"),
        (options.STATIC_ROUTES, [["0.0.0.0", "192.168.1.1"]], "0.0.0.0 is no destination"),  # R2132-5.8-01
        (options.CLASSLESS_ROUTES, ["10.0.0.0/8"], "not a route such as"),
        (options.CLASSLESS_ROUTES, ["10.0.0.1/8 via 1.2.3.4"], "10.0.0.0/8"),
        (options.DHCP4O6_S46_SADDR, "1.2.3.4", "not an IPv6 address"),
        (options.GEOCONF_CIVIC, {"what": 2, "country": "D", "elements": {}}, "needs 2"),
        (options.ENTERPRISE_CLASSES, ["x"], "not a table such as"),
        (options.ENTERPRISE_CLASSES, [{"enterprise": "x", "data": "y"}], "not a number such as"),
        (options.ENTERPRISE_CLASSES, [{"enterprise": 1, "data": "y" * 256}], "at most 255"),
        (RELAY, "x", "not a table of sub-options"),
        (RELAY, {"circuit": "01"}, "no sub-option known here; write circuit-id or remote-id"),
        (RELAY, {"circuit-id": 5}, "circuit-id: 5 is not hexadecimal"),
        (options.VENDOR_OPTIONS, {"option-255": "01"}, "are pad and end here"),
    ],
)
def test_what_is_wrong_in_a_configuration_is_said(row: options.Option, configured: object, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        row.parse(configured)


def test_any_option_can_be_configured_as_octets() -> None:
    assert options.ROUTERS.parse({"hex": "01:02"}) == b"\1\2"


@pytest.mark.parametrize(
    ("row", "octets", "reason"),
    [
        (options.REQUESTED_ADDRESS, "c0a801", "bad-length"),
        (options.ROUTERS, "c0a80101c0", "bad-length"),
        (options.SLP_DIRECTORY_AGENT, "01020304050607", "bad-length"),
        (options.IP_FORWARDING, "02", "bad-value"),
        (options.HOST_NAME, "ff", "bad-text"),
        (options.HOST_NAME, "610062", "bad-text"),
        (options.FQDN, "000000ff", "bad-text"),
        (options.CLASSLESS_ROUTES, "2101020304ffffffff", "bad-value"),
        (options.CLASSLESS_ROUTES, "080ac0a801", "truncated-value"),
        (options.V4_PCP_SERVER, "0501020304", "truncated-value"),
        (options.V4_PCP_SERVER, "0301020304", "truncated-value"),
        (options.V4_LOST, "01610001", "trailing-octets"),
        (options.ENTERPRISE_CLASSES, "0000000905", "truncated-value"),
        (RELAY, "0105ab", "truncated-option"),
        (RELAY, "010101ff", "truncated-option"),
        (options.VENDOR_OPTIONS, "4d534654", "truncated-option"),
    ],
)
def test_malformed_values(row: options.Option, octets: str, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        row.decode(bytes.fromhex(octets))
    assert caught.value.reason == reason
    assert row.text(bytes.fromhex(octets)) == f"{bytes.fromhex(octets).hex(':')} ({reason})"
    assert row.plain(bytes.fromhex(octets)) == {"hex": bytes.fromhex(octets).hex(":")}


def test_offsets_count_from_the_start_of_the_option() -> None:
    with pytest.raises(WireError) as caught:
        options.ENTERPRISE_OPTIONS.decode(bytes.fromhex("0000000a03 020561"))
    assert caught.value.offset == 5


def test_nuls_behind_a_text_are_dropped() -> None:
    assert options.HOST_NAME.decode(b"laptop\0\0") == "laptop"


def test_bits_behind_the_width_of_a_route_are_cleared() -> None:
    assert options.CLASSLESS_ROUTES.decode(b"\x09\x0a\xff\1\2\3\4") == ((0x0A800000, 9, 0x01020304),)


def test_a_user_class_may_be_bare() -> None:
    assert options.USER_CLASS.decode(b"iPXE") == (b"iPXE",)
    assert options.USER_CLASS.decode(b"\4iPXE\1x") == (b"iPXE", b"x")


def test_only_the_first_octet_of_relay_flags_counts() -> None:
    assert options.RELAY_FLAGS.decode(b"\x80\1\2") == 0x80


def test_suboptions_come_back() -> None:
    found = {1: b"eth0", 0: b"zero", 255: b"end", 2: b"", 9: b"x" * 300}
    octets = encode_suboptions(found)
    assert decode_suboptions(octets) == found
    with pytest.raises(ValueError, match="256"):
        encode_suboptions({256: b""})


@pytest.mark.parametrize(("octets", "offset"), [(b"\1", 0), (b"\1\2a", 0), (b"\1\1a\2\1", 3), (b"\1\0\0", 2)])
def test_suboptions_that_run_past_the_end(octets: bytes, offset: int) -> None:
    with pytest.raises(WireError) as caught:
        decode_suboptions(octets)
    assert (caught.value.reason, caught.value.offset) == ("truncated-option", offset)


def test_vendor_options_know_pad_and_end() -> None:
    assert options.VENDOR_OPTIONS.decode(b"\0\6\1\x08\0\xff\6") == {6: b"\x08"}
