"""What holds for every value of every kind, and for every message and frame."""

import json
from collections.abc import Callable
from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.errors import WireError
from relet.wire import options, text
from relet.wire.arp import Arp, decode_arp, encode_arp
from relet.wire.frame import Datagram, decode_datagram, encode_datagram
from relet.wire.message import KEPT, Message, decode, encode, encode_options, fit
from relet.wire.reasons import REASONS
from support.wire_values import arps, datagrams, messages, row_values
from support.wire_values import json as configured_values

ROWS = [*options.OPTIONS.values(), *options.RELAY.values(), options.option(224)]
by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.space}-{row.code}")
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def bare(message: Message) -> Message:
    """A message less what says how it was laid out."""
    return msgspec.structs.replace(message, overload=0)


def refusal(call: Callable[[], object]) -> ValueError | WireError | None:
    """What a call refuses its input with; any other exception is a failure."""
    try:
        call()
    except (ValueError, WireError) as error:
        return error
    return None


@by_row
@few
@given(data=st.data())
def test_a_value_comes_back(row: options.Option, data: st.DataObject) -> None:
    value = data.draw(row_values(row))
    octets = row.encode(value)
    assert row.decode(octets) == value
    assert row.parse(row.plain(octets)) == octets
    assert row.text(octets).isprintable()


@by_row
@few
@given(octets=st.binary(max_size=60))
def test_any_octets_can_be_shown(row: options.Option, octets: bytes) -> None:
    assert row.text(octets).isprintable()
    json.dumps(row.plain(octets))
    msgspec.json.encode(row.plain(octets))
    error = refusal(lambda: row.decode(octets))
    if error is not None:
        assert isinstance(error, WireError)
        assert error.reason in REASONS
        assert 0 <= error.offset <= len(octets)
        assert row.parse(row.plain(octets)) == octets


@by_row
@few
@given(configured=configured_values)
def test_what_cannot_be_configured_is_a_value_error(row: options.Option, configured: object) -> None:
    error = refusal(lambda: row.parse(configured))
    assert error is None or (isinstance(error, ValueError) and str(error))


@by_row
@few
@given(value=configured_values | st.binary(max_size=5) | st.tuples(st.integers(), st.text(max_size=3)))
def test_what_cannot_be_encoded_is_a_value_error(row: options.Option, value: object) -> None:
    error = refusal(lambda: row.encode(value))
    assert error is None or (isinstance(error, ValueError) and str(error))


@given(message=messages())
def test_a_message_comes_back(message: Message) -> None:
    octets = encode(message, 65507)
    again = decode(octets)
    assert again == message
    assert list(again.options) == list(message.options)
    assert len(octets) >= 300


@given(message=messages(300), limit=st.integers(200, 1500))
def test_a_message_that_fits_comes_back_whole(message: Message, limit: int) -> None:
    size = len(encode_options({code: octets for code, octets in message.options.items() if code != 82}))
    relay = len(encode_options({82: message.options[82]})) if 82 in message.options else 0
    room = max(limit, 300) - 241 - relay
    everywhere = room + (0 if message.file else 127) + (0 if message.sname else 63)
    try:
        octets = encode(message, limit)
    except ValueError:
        # An overload option, parts begun anew, and ends of fields too short for a part.
        assert room < 3 or size > everywhere - 24
    else:
        assert 300 <= len(octets) <= max(limit, 300)
        assert bare(decode(octets)) == message


@given(message=messages(300), limit=st.integers(300, 600))
def test_fit_drops_from_the_end_and_nothing_that_matters(message: Message, limit: int) -> None:
    less = fit(message, limit)
    left = [code for code in message.options if code not in KEPT and code in less.options]
    droppable = [code for code in message.options if code not in KEPT]
    assert left == droppable[: len(left)]
    assert less.options.items() <= message.options.items()
    assert all(code in less.options for code in message.options if code in KEPT)
    try:
        encode(less, limit)
    except ValueError:
        assert not left
    if len(left) < len(droppable):
        code = droppable[len(left)]
        more = {other: message.options[other] for other in message.options if other in less.options or other == code}
        with pytest.raises(ValueError, match="fit"):
            encode(msgspec.structs.replace(message, options=more), limit)


@given(message=messages(60))
def test_every_message_has_texts(message: Message) -> None:
    assert text.line(message).isprintable()
    assert all(line.isprintable() for line in text.full(message).splitlines())
    json.dumps(text.plain(message))
    msgspec.json.encode(text.plain(message))


@given(octets=st.binary(max_size=400))
def test_any_octets_are_a_message_or_a_wire_error(octets: bytes) -> None:
    for begin in (b"", bytes(236), b"\1" + bytes(235) + b"\x63\x82\x53\x63"):
        error = refusal(partial(decode, begin + octets))
        if error is not None:
            assert isinstance(error, WireError)
            assert error.reason in REASONS
            assert 0 <= error.offset <= len(begin + octets)


@given(datagram=datagrams)
def test_a_datagram_comes_back(datagram: Datagram) -> None:
    frame = encode_datagram(datagram)
    assert decode_datagram(frame) == datagram
    assert decode_datagram(frame + b"padding") == datagram


@given(arp=arps)
def test_an_arp_packet_comes_back(arp: Arp) -> None:
    assert decode_arp(encode_arp(arp)) == arp
