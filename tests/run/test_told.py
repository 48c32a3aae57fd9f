"""The words: short lines that say address, server, time and cause."""

from math import inf

import msgspec
import pytest

from relet.model.effects import Binding, Configure, Deconfigure
from relet.run.plan import UNRESTRICTED
from relet.run.told import configured, deconfigured, duration
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

BINDING = Binding(parse_ip("192.168.1.5"), parse_ip("192.168.1.1"), 1000.0, 28800, 14400, 25200, {1: b"\xff\xff\xff\0"})


def test_a_bound_line() -> None:
    told = configured(Configure(BINDING, "reboot"), "eth0", 1001.0)
    assert told.text == "bound to 192.168.1.5/24 by 192.168.1.1 for 8 h (reboot: confirmed)"
    assert msgspec.json.decode(msgspec.json.encode(told)) == {
        "event": "bound",
        "text": told.text,
        "at": 1001.0,
        "interface": "eth0",
        "cause": "reboot",
        "address": "192.168.1.5",
        "prefix": 24,
        "server": "192.168.1.1",
        "lease-time": 28800,
        "expires": 29800.0,
    }


def test_an_endless_lease_never_expires() -> None:
    endless = msgspec.structs.replace(BINDING, lease_time=INFINITE)
    told = configured(Configure(endless, "bound"), "eth0", 1001.0)
    assert told.text == "bound to 192.168.1.5/24 by 192.168.1.1 for ever (new)"
    assert told.expires is None


def test_an_unbound_line() -> None:
    told = deconfigured(Deconfigure(BINDING, "nak"), "eth0", 1001.0)
    assert (told.event, told.text) == ("unbound", "192.168.1.5 taken away: the server says no")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (3600, "1 h"), (5400, "1 h 30 min"), (90061, "1 d 1 h"), (604800, "7 d"), (inf, "ever")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_lease_used_without_an_answer_lasts_for_its_rest() -> None:
    told = configured(Configure(BINDING, "remembered"), "eth0", 1000.0 + 28800 - 11)
    assert "for 11 s (remembered" in told.text


def test_what_the_server_was_not_told_is_not_called_released() -> None:
    assert deconfigured(Deconfigure(BINDING, "release"), "eth0", 1.0).text.endswith(": released")
    text = deconfigured(Deconfigure(BINDING, "release"), "eth0", 1.0, server_told=False).text
    assert text == "192.168.1.5 taken away: given up, but its server could not be told"


def test_a_captive_portal_is_shown() -> None:
    portal = msgspec.structs.replace(BINDING, options=BINDING.options | {114: b"https://portal.example/api"})
    told = configured(Configure(portal, "bound"), "eth0", 1000.5)
    assert told.text.endswith("; captive portal https://portal.example/api")
    assert told.captive_portal == "https://portal.example/api"
    free = msgspec.structs.replace(BINDING, options={114: UNRESTRICTED.encode()})
    told = configured(Configure(free, "bound"), "eth0", 1000.5)
    assert "captive" not in told.text
    assert told.captive_portal == UNRESTRICTED
