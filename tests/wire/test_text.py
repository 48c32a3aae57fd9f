"""Messages as text."""

from ast import literal_eval

from hypothesis import given
from hypothesis import strategies as st

from relet.wire.message import Message
from relet.wire.text import full, line, plain
from relet.wire.texts import quoted

MAC = bytes.fromhex("525400123456")
ADDRESS = bytes((192, 168, 1, 5))
REQUEST = Message(1, 0x3D1D, chaddr=MAC, options={53: b"\3", 50: ADDRESS, 12: b"lap\ntop"})
ACK = Message(
    2,
    0x3D1D,
    yiaddr=int.from_bytes(ADDRESS, "big"),
    giaddr=0x0A090001,
    flags=0x8000,
    chaddr=MAC,
    file=b"/k\xff",
    options={53: b"\5", 54: bytes((192, 168, 1, 1)), 51: b"\0\0\x0e\x10", 224: b"\1\2", 119: b"\xc0\0"},
)


def test_line() -> None:
    assert line(REQUEST) == 'REQUEST xid 0x3d1d from 52:54:00:12:34:56 requested 192.168.1.5 host name "lap\\ntop"'
    assert line(ACK) == (
        "ACK xid 0x3d1d to 52:54:00:12:34:56 yiaddr 192.168.1.5 server 192.168.1.1 giaddr 10.9.0.1 lease 3600s"
    )
    refused = Message(2, 1, chaddr=MAC, options={53: b"\6", 51: b"\xff" * 4, 56: b"not here"})
    assert line(refused) == 'NAK xid 0x1 to 52:54:00:12:34:56 lease for ever message "not here"'


def test_line_without_names_for_things() -> None:
    assert line(Message(1, 1)) == "BOOTREQUEST xid 0x1 from id unknown"
    assert line(Message(2, 1, options={53: b"\x4d", 61: b"\xff\1"})) == "type 77 xid 0x1 to id ff:01"


def test_full() -> None:
    assert full(ACK).splitlines() == [
        "op      2 (BOOTREPLY)",
        "htype   1",
        "hops    0",
        "xid     0x00003d1d",
        "secs    0",
        "flags   0x8000 (broadcast)",
        "ciaddr  0.0.0.0",
        "yiaddr  192.168.1.5",
        "siaddr  0.0.0.0",
        "giaddr  10.9.0.1",
        "chaddr  52:54:00:12:34:56",
        'sname   ""',
        "file    2f:6b:ff",
        "53      dhcp-message-type: 5 (ack)",
        "54      dhcp-server-identifier: 192.168.1.1",
        "51      dhcp-lease-time: 3600",
        "224     option-224: 01:02",
        "119     domain-search: c0:00 (bad-name)",
    ]


def test_plain() -> None:
    assert plain(ACK) == {
        "op": "BOOTREPLY",
        "kind": "ACK",
        "xid": 0x3D1D,
        "htype": 1,
        "hops": 0,
        "secs": 0,
        "flags": 0x8000,
        "ciaddr": "0.0.0.0",
        "yiaddr": "192.168.1.5",
        "siaddr": "0.0.0.0",
        "giaddr": "10.9.0.1",
        "chaddr": "52:54:00:12:34:56",
        "sname": "",
        "file": {"hex": "2f:6b:ff"},
        "overload": 0,
        "options": {
            "dhcp-message-type": "ack",
            "dhcp-server-identifier": "192.168.1.1",
            "dhcp-lease-time": 3600,
            "option-224": "01:02",
            "domain-search": {"hex": "c0:00"},
        },
    }


@given(st.text())
def test_a_quoted_text_is_a_literal_that_moves_no_cursor(text: str) -> None:
    assert literal_eval(quoted(text)) == text
    assert quoted(text).isprintable()


def test_a_quoted_text_shows_what_it_cannot_be() -> None:
    assert quoted('a"b\\c\n\x1b\u2028\U000e0001') == r'"a\"b\\c\n\x1b\u2028\U000e0001"'
