"""The options of `relet client` that end up in its messages: what they mean, and which of them go together."""

import argparse
import re

import pytest

from relet.cli import presenting
from relet.client import requests
from relet.client.settings import ANONYMOUS_PARAMETERS, PARAMETERS, ClientSettings
from relet.wire import message, options
from relet.wire.message import Message

MAC = bytes.fromhex("525400000001")


def settings(*arguments: str) -> ClientSettings:
    reader = argparse.ArgumentParser(exit_on_error=False)
    presenting.add_to(reader)
    return presenting.presented(reader.parse_args(arguments), ClientSettings(MAC))


def discover(*arguments: str) -> Message:
    return message.decode(requests.discover(settings(*arguments), 7, 0).payload)


@pytest.mark.parametrize(
    ("arguments", "code", "octets"),
    [
        (("--hostname", "printer"), 12, b"printer"),
        # RFC 4702 s2: S and E, both RCODE fields zero, the name in wire format; partial without a dot at its end.
        (("--fqdn", "pc.example.org."), 81, b"\x05\0\0\x02pc\x07example\x03org\0"),
        (("--fqdn", "pc"), 81, b"\x05\0\0\x02pc"),
        (("--vendor-class", "relet:test"), 60, b"relet:test"),
        (("--user-class", "lab"), 77, b"\x03lab"),  # RFC 3004 s4
        (("--rapid-commit",), 80, b""),
        (("--ipv6-only",), 55, bytes((*PARAMETERS, 108))),
        (("--request", "tftp-server-name, 67"), 55, bytes((*PARAMETERS, 66, 67))),
        (("--request", "routers"), 55, bytes(PARAMETERS)),
        (("--option", "option-224=hex:01:ff"), 224, b"\x01\xff"),
        (("--option", "93=7"), 93, b"\0\x07"),
        (("--option", "root-path=/srv/a b"), 17, b"/srv/a b"),
        (("--option", 'domain-search=["a.example"]'), 119, b"\x01a\x07example\0"),
        (("--option", "root-path=17"), 17, b"17"),
    ],
)
def test_an_option_is_sent(arguments: tuple[str, ...], code: int, octets: bytes) -> None:
    assert discover(*arguments).options[code] == octets


def test_a_full_name_is_sent_in_place_of_the_host_name() -> None:
    """RFC 4702 s3.1."""
    assert 12 not in discover("--fqdn", "pc.example.org.").options


def test_an_anonymous_client_says_what_it_must() -> None:
    said = discover("--anonymous", "--ipv6-only")
    must = {options.MESSAGE_TYPE.code, options.PARAMETER_REQUEST_LIST.code, options.CLIENT_IDENTIFIER.code}
    assert set(said.options) == must
    assert said.options[options.CLIENT_IDENTIFIER.code] == b"\1" + MAC  # RFC 7844 s3.5
    assert set(said.options[55]) == {*ANONYMOUS_PARAMETERS, 108}
    orders = {
        message.decode(requests.discover(settings("--anonymous"), xid, 0).payload).options[55] for xid in range(50)
    }
    assert len(orders) > 5  # RFC 7844 s3.6: shuffled


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--hostname", "a b"), "'a b' is no name of a host; write letters"),
        (("--option", "subnet=1"), "'subnet' is no option; write a name"),
        (("--option", "0=1"), "'0' is no option; write a name"),
        (("--option", "routers"), "'routers' has no value; write routers=VALUE"),
        (("--option", "93=x"), "'x'"),
        (("--option", "93=hex:zz"), "is not hexadecimal"),
        (("--request", "routers,nonsense"), "'nonsense' is no option; write a name"),
    ],
)
def test_what_cannot_be_meant_is_told(arguments: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(argparse.ArgumentError) as told:
        settings(*arguments)
    assert wrong in str(told.value)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--hostname", "a", "--fqdn", "b."), "leave one of them out"),
        (("--anonymous", "--hostname", "a"), "--anonymous says nothing of the client"),
        (("--anonymous", "--rapid-commit"), "--anonymous says nothing of the client"),
        (("--option", "93=7", "--option", "93=9"), "stands twice"),
        (("--option", "54=10.0.0.1"), "option 54 is set by the client itself"),
        (("--request", "80"), "set rapid_commit instead"),
        (("--fqdn", "a..b"), "a label is empty"),
        (("--vendor-class", "x" * 400), "at most 400 fit into a message"),
        (("--option", "224=hex:" + "00" * 390), "at most 400 fit into a message"),
        (("--user-class", "x" * 256), "at most 255 octets"),
    ],
)
def test_what_does_not_go_together_is_told(arguments: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        settings(*arguments)
