"""ICMP echo, compared with scapy."""

import pytest
from scapy.layers.inet import ICMP, IP

from relet.errors import WireError
from relet.wire.icmp import ECHO_REPLY, ECHO_REQUEST, Echo, decode_echo, encode_echo


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(100)), b"\xff" * 7])
def test_requests_are_those_of_scapy(payload: bytes) -> None:
    theirs = bytes(ICMP(type="echo-request", id=0x1234, seq=77) / payload)
    assert encode_echo(Echo(ECHO_REQUEST, 0x1234, 77, payload)) == theirs


@pytest.mark.parametrize("payload", [b"", b"odd", bytes(64)])
def test_replies_of_scapy_are_read(payload: bytes) -> None:
    packet = bytes(IP(src="192.0.2.7", dst="192.0.2.1", options=[]) / ICMP(type="echo-reply", id=5, seq=6) / payload)
    assert decode_echo(packet) == (0xC0000207, Echo(ECHO_REPLY, 5, 6, payload))


def test_what_is_no_echo_is_told_apart() -> None:
    good = bytes(IP(src="192.0.2.7", dst="192.0.2.1") / ICMP(type="echo-reply", id=5, seq=6) / b"payload")
    for length in range(28):
        with pytest.raises(WireError, match="cut off"):
            decode_echo(good[:length])
    with pytest.raises(WireError, match="checksum"):
        decode_echo(good[:-1] + b"X")
    with pytest.raises(WireError, match="type 3"):
        decode_echo(bytes(IP() / ICMP(type=3, code=1) / bytes(28)))
