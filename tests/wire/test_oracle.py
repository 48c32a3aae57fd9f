"""Bytes against scapy, in both directions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.wire import options
from relet.wire.address import hex_text, ip_text
from relet.wire.arp import Arp, decode_arp, encode_arp
from relet.wire.frame import Datagram, decode_datagram, encode_datagram
from relet.wire.message import Message, decode, encode
from support.oracle import ARP, BOOTP, DHCP, IP, UDP, DHCPRevOptions, Dot1AD, Dot1Q, Ether, Raw
from support.wire_values import addresses, arps, datagrams, messages

FIELDS = ("op", "xid", "htype", "hops", "secs")
ADDRESSES = ("ciaddr", "yiaddr", "siaddr", "giaddr")
some = settings(max_examples=60, deadline=None)

TYPED: list[tuple[int, str, object, object]] = [
    (1, "subnet_mask", "255.255.255.0", 0xFFFFFF00),
    (2, "time_zone", 3600, 3600),
    (3, "router", "192.168.1.1", (0xC0A80101,)),
    (6, "name_server", "192.168.1.2", (0xC0A80102,)),
    (12, "hostname", b"laptop", "laptop"),
    (15, "domain", b"example.org", "example.org"),
    (26, "interface-mtu", 1500, 1500),
    (28, "broadcast_address", "192.168.1.255", 0xC0A801FF),
    (42, "NTP_server", "192.168.1.3", (0xC0A80103,)),
    (50, "requested_addr", "192.168.1.10", 0xC0A8010A),
    (51, "lease_time", 3600, 3600),
    (53, "message-type", 3, 3),
    (54, "server_id", "192.168.1.1", 0xC0A80101),
    (55, "param_req_list", [1, 3, 6], (1, 3, 6)),
    (56, "error_message", b"no", "no"),
    (57, "max_dhcp_size", 1500, 1500),
    (58, "renewal_time", 1800, 1800),
    (59, "rebinding_time", 3150, 3150),
    (60, "vendor_class_id", b"MSFT 5.0", "MSFT 5.0"),
    (61, "client_id", b"\1abcdef", b"\1abcdef"),
    (80, "rapid_commit", b"", True),
    (121, "classless_static_routes", ["10.0.0.0/8:192.168.1.1"], ((0x0A000000, 8, 0xC0A80101),)),
]


def theirs(message: Message) -> BOOTP:
    """The message as scapy would build it, options as octets."""
    return BOOTP(
        **{field: getattr(message, field) for field in FIELDS},
        **{field: ip_text(getattr(message, field)) for field in ADDRESSES},
        hlen=len(message.chaddr),
        flags=message.flags,
        chaddr=message.chaddr.ljust(16, b"\0"),
        sname=message.sname.ljust(64, b"\0"),
        file=message.file.ljust(128, b"\0"),
        options=b"c\x82Sc",
    ) / DHCP(options=[*message.options.items(), "end"])


@some
@given(message=messages(255))
def test_what_scapy_builds_is_read_alike(message: Message) -> None:
    assert decode(bytes(theirs(message))) == message


@some
@given(message=messages(255))
def test_what_is_built_here_scapy_reads_alike(message: Message) -> None:
    octets = encode(message, 65507)
    read = BOOTP(octets)
    for field in FIELDS:
        assert getattr(read, field) == getattr(message, field)
    for field in ADDRESSES:
        assert getattr(read, field) == ip_text(getattr(message, field))
    assert int(read.flags) == message.flags
    assert (read.hlen, read.chaddr) == (len(message.chaddr), message.chaddr.ljust(16, b"\0"))
    assert (read.sname.rstrip(b"\0"), read.file.rstrip(b"\0")) == (message.sname, message.file)
    assert bytes(theirs(message)).rstrip(b"\0") == octets.rstrip(b"\0")


@pytest.mark.parametrize(("code", "name", "value", "ours"), TYPED, ids=[name for _, name, _, _ in TYPED])
def test_values_of_options(code: int, name: str, value: object, ours: object) -> None:
    row = options.option(code)
    read = decode(bytes(BOOTP(op=1) / DHCP(options=[(name, value), "end"])))
    assert row.decode(read.options[code]) == ours
    built = DHCP(encode(Message(1, 1, options={code: row.encode(ours)}))[240:])
    assert DHCPRevOptions[name][0] == code
    assert (name, value) in built.options or value == b""
    assert any(option[0] == name for option in built.options)


@some
@given(datagram=datagrams)
def test_frames_built_here(datagram: Datagram) -> None:
    frame = encode_datagram(datagram)
    read = Ether(frame)
    assert (read.src, read.dst) == (hex_text(datagram.src_mac), hex_text(datagram.dst_mac))
    tags = [layer for layer in (read.getlayer(Dot1AD), read.getlayer(Dot1Q)) if layer is not None]
    assert tuple(tag.vlan for tag in tags) == datagram.vlans
    ip, udp = read[IP], read[UDP]
    assert (ip.src, ip.dst, ip.ttl, int(ip.flags)) == (ip_text(datagram.src), ip_text(datagram.dst), 64, 0)
    assert (udp.sport, udp.dport, bytes(udp.payload)) == (datagram.sport, datagram.dport, datagram.payload)
    found = ip.chksum, udp.chksum
    del ip.chksum, udp.chksum
    again = IP(bytes(ip))
    assert found == (again.chksum, again[UDP].chksum)


@some
@given(datagram=datagrams, padding=st.binary(max_size=20))
def test_frames_built_by_scapy(datagram: Datagram, padding: bytes) -> None:
    frame = Ether(src=hex_text(datagram.src_mac), dst=hex_text(datagram.dst_mac))
    for vlan in datagram.vlans[:-1]:
        frame /= Dot1AD(vlan=vlan)
    for vlan in datagram.vlans[-1:]:
        frame /= Dot1Q(vlan=vlan, prio=5)
    frame /= IP(src=ip_text(datagram.src), dst=ip_text(datagram.dst))
    frame /= UDP(sport=datagram.sport, dport=datagram.dport) / Raw(datagram.payload)
    assert decode_datagram(bytes(frame) + padding) == datagram


@some
@given(arp=arps)
def test_arp_both_ways(arp: Arp) -> None:
    read = Ether(encode_arp(arp))
    assert (read.dst, read.src) == ("ff:ff:ff:ff:ff:ff", hex_text(arp.sha))
    assert (read.op, read.hwsrc, read.psrc) == (arp.op, hex_text(arp.sha), ip_text(arp.spa))
    assert (read.hwdst, read.pdst) == (hex_text(arp.tha), ip_text(arp.tpa))
    built = ARP(op=arp.op, hwsrc=read.hwsrc, psrc=read.psrc, hwdst=read.hwdst, pdst=read.pdst)
    assert decode_arp(bytes(Ether(src=read.src, dst=read.dst) / Dot1Q(vlan=7) / built)) == arp


@some
@given(listed=st.lists(addresses, min_size=1, max_size=10))
def test_address_lists(listed: list[int]) -> None:
    built = bytes(BOOTP(op=1) / DHCP(options=[("router", *map(ip_text, listed)), "end"]))
    assert options.ROUTERS.decode(decode(built).options[3]) == tuple(listed)
