"""What a reply holds besides the lease: options asked for and forced, and the boot fields siaddr, sname and file."""

import msgspec
import pytest
from scapy.layers.dhcp import BOOTP

from relet.model.network import Parameters
from relet.server.contents import contents
from relet.server.parameters import filled
from relet.wire.message import Message, decode
from support.table import OFFICE, RELAY, SERVER, Table, arrive, discover, ip, reboot

ROUTES = b"\x18\x0a\x01\x02" + SERVER.to_bytes(4, "big") + b"\x00" + SERVER.to_bytes(4, "big")


def asking(*codes: int) -> Message:
    """A DHCPDISCOVER with this parameter request list."""
    message = discover()
    message.options[55] = bytes(codes)
    return message


def offered(message: Message, **policy: object) -> Message:
    reply = Table(OFFICE, store=None, **policy).say(message)
    assert reply is not None
    return reply


@pytest.mark.parametrize(
    ("said", "fields", "options"),
    [
        ({}, (0, b"", b""), {}),
        ({"next_server": SERVER}, (SERVER, b"", b""), {}),
        (
            {"server_name": b"boot", "boot_file": b"pxe.0"},
            (0, b"boot", b"pxe.0"),
            {66: b"boot", 67: b"pxe.0"},
        ),
        ({"options": {66: b"tftp", 67: b"x.efi"}}, (0, b"tftp", b"x.efi"), {66: b"tftp", 67: b"x.efi"}),
        ({"options": {67: b"x.efi\0"}, "boot_file": b"pxe.0"}, (0, b"", b"pxe.0"), {67: b"x.efi\0"}),
        ({"boot_file": b"f" * 127}, (0, b"", b"f" * 127), {67: b"f" * 127}),
        ({"boot_file": b"f" * 128}, (0, b"", b""), {67: b"f" * 128}),
        ({"server_name": b"s" * 64}, (0, b"", b""), {66: b"s" * 64}),
    ],
)
def test_boot_fields_and_boot_options_are_filled_from_each_other(
    said: dict[str, object], fields: tuple[int, bytes, bytes], options: dict[int, bytes]
) -> None:
    """R2131-4.3.1-20, R2131-4.3.1-24, R2131-2-17."""
    reply = offered(asking(66, 67), **said)
    assert (reply.siaddr, reply.sname, reply.file) == fields
    assert {code: octets for code, octets in reply.options.items() if code in (66, 67)} == options


def test_boot_options_that_nobody_asked_for_stay_out_unless_their_field_is_too_small() -> None:
    assert not {66, 67} & set(offered(asking(3), server_name=b"boot", boot_file=b"pxe.0").options)
    assert offered(asking(3), boot_file=b"f" * 200).options[67] == b"f" * 200


def test_overload_leaves_boot_fields_alone() -> None:
    """R3396-5-03."""
    many = {code: bytes(100) for code in (15, 17, 40, 47, 64, 100, 101, 114)}
    reply = offered(asking(*many), options=many, boot_file=b"pxe.0", server_name=b"boot", next_server=SERVER)
    assert (reply.siaddr, reply.sname, reply.file, reply.overload) == (SERVER, b"boot", b"pxe.0", 0)
    only_file = offered(asking(*many), options=many, boot_file=b"pxe.0")
    assert (only_file.file, only_file.overload) == (b"pxe.0", 2)
    neither = offered(asking(*many), options=many, server_name=b"boot")
    assert (neither.sname, neither.overload) == (b"boot", 1)


def test_nak_has_no_boot_fields() -> None:
    reply = offered(reboot(ip(1) ^ 1 << 24, giaddr=RELAY), next_server=SERVER, boot_file=b"pxe.0", server_name=b"boot")
    assert (reply.kind, reply.siaddr, reply.sname, reply.file) == (6, 0, b"", b"")


def test_scapy_reads_the_boot_fields() -> None:
    (send,) = Table(next_server=SERVER, boot_file=b"pxe.0", server_name=b"boot").handle(arrive(asking(3)))
    read = BOOTP(send.payload)
    assert (read.siaddr, read.sname.rstrip(b"\0"), read.file.rstrip(b"\0")) == ("192.168.1.1", b"boot", b"pxe.0")


@pytest.mark.parametrize(
    ("asked", "force", "expected"),
    [
        (b"\x0f\x06\x03", (), [1, 15, 6, 3]),
        (b"\x0f\x06\x03", (42, 26), [1, 15, 6, 3, 26, 42]),
        (b"\x2a\x03", (42,), [1, 42, 3]),
        (b"\x03\x01\x03\x03", (), [1, 3]),
        (b"", (42,), [1, 42]),
        (None, (42,), [1, 3, 6, 15, 26, 42]),
        (b"\x03\x36\x33\x32\x35", (54, 51), [1, 3]),  # what follows from the message is never configuration
    ],
)
def test_asked_for_in_the_order_of_the_client_then_forced(
    asked: bytes | None, force: tuple[int, ...], expected: list[int]
) -> None:
    """R2132-9.8-01, R2132-3.3-01."""
    options = dict.fromkeys((1, 3, 6, 15, 26, 42, 50, 51, 53, 54), b"\x01\x02\x03\x04")
    terms = filled(Parameters(options=options, force=frozenset(force)))
    assert list(contents(terms, asked).called("").options) == expected


@pytest.mark.parametrize(
    ("asked", "force", "sent"), [(b"\x03\x6c", (), True), (b"\x03", (108,), False), (None, (108,), False)]
)
def test_ipv6_only_goes_to_those_alone_who_ask(asked: bytes | None, force: tuple[int, ...], sent: bool) -> None:
    """R8925-3.3-04."""
    terms = filled(Parameters(options={108: bytes(4)}, force=frozenset(force)))
    assert (108 in contents(terms, asked).called("").options) is sent


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (b"\x79\x03\x21", [121, 3, 33]),
        (b"\x03\x21\x79", [121, 3, 33]),
        (b"\x03\x21", [3, 33]),
        (b"\xf9\x03", [249, 3]),
        (None, [121, 3, 33]),
    ],
)
def test_classless_routes_stand_before_those_that_they_replace(asked: bytes | None, expected: list[int]) -> None:
    terms = filled(Parameters(options={3: bytes(4), 33: bytes(8), 121: ROUTES}))
    found = contents(terms, asked).called("").options
    assert list(found) == expected
    assert found.get(249, ROUTES) == ROUTES


def test_long_options_come_in_parts() -> None:
    """R3396-6-03."""
    message = msgspec.structs.replace(asking(121), giaddr=RELAY)
    message.options[57] = (1500).to_bytes(2, "big")
    routes = ROUTES * 25
    (send,) = Table(options={121: routes}).handle(arrive(message))
    assert bytes((121, 255)) + routes[:255] + bytes((121, len(routes) - 255)) in send.payload
    assert decode(send.payload).options[121] == routes
