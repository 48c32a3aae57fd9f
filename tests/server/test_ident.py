"""What clients are called: identifiers of RFC 4361 by the kind of their DUID, and that what is printed is taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.model.ident import client_key, key_text, parse_asked

MAC = bytes.fromhex("525400123456")


@pytest.mark.parametrize(
    ("client_id", "text"),
    [
        ("", "mac 52:54:00:12:34:56"),
        ("01525400123456", "id 01:52:54:00:12:34:56"),
        (
            "ff 00000001 0001 0001 2a3b4c5d 525400123456",
            "duid-llt 00:01:00:01:2a:3b:4c:5d:52:54:00:12:34:56 iaid 00:00:00:01",
        ),
        ("ff 12345678 0002 0000ab11 f00d", "duid-en 00:02:00:00:ab:11:f0:0d iaid 12:34:56:78"),
        ("ff 00000002 0003 0001 525400123456", "duid-ll 00:03:00:01:52:54:00:12:34:56 iaid 00:00:00:02"),
        ("ff 00000000 0004" + "00" * 16, "duid-uuid 00:04" + ":00" * 16 + " iaid 00:00:00:00"),
        ("ff 00000000 0004" + "00" * 15, "id ff:00:00:00:00:00:04" + ":00" * 15),
        ("ff 00000001 0063 aabb", "id ff:00:00:00:01:00:63:aa:bb"),
        ("ff", "id ff"),
    ],
)  # fmt: skip
def test_names_of_clients(client_id: str, text: str) -> None:
    key = client_key(bytes.fromhex(client_id), 1, MAC)
    assert key_text(key) == text
    assert parse_asked(text) == (bytes.fromhex(client_id) or MAC)


@given(st.binary(min_size=1, max_size=40) | st.binary(max_size=30).map(lambda tail: b"\xff\0\0\0\1\0" + tail))
def test_what_is_printed_is_taken_back(client_id: bytes) -> None:
    assert parse_asked(key_text(client_key(client_id, 1, MAC))) == client_id


@pytest.mark.parametrize(
    "text",
    ["", "  ", "duid", "duid-ll 00:03", "duid-ll 00:03 iaid", "duid-ll 00:03 iaid 00", "duid-ll zz iaid 00:00:00:01"],
)
def test_what_is_no_client(text: str) -> None:
    with pytest.raises(ValueError, match="is no client; write"):
        parse_asked(text)
