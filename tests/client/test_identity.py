"""Client identifiers as RFC 4361 and RFC 7844 make them."""

import pytest
from msgspec.structs import replace

from relet.client.identity import by_duid, by_hardware, duid_of, identity_text
from relet.client.states import Backoff, Rebinding, Rebooting, Renewing, Requesting, Selecting, State
from relet.model.events import Command
from relet.wire import message
from relet.wire.options import MessageType
from support.client_rig import CAREFUL, reach

MAC = bytes.fromhex("525400000001")
IAID = b"\0\0\0\7"
DUID = bytes.fromhex("00040123456789abcdef0123456789abcdef")


def test_rfc_4361_identifier_is_type_iaid_and_duid() -> None:
    assert by_duid(IAID, DUID) == b"\xff" + IAID + DUID
    assert duid_of(by_duid(IAID, DUID)) == DUID
    assert (
        identity_text(by_duid(IAID, DUID))
        == "DUID 00:04:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef, IAID 00:00:00:07"
    )


@pytest.mark.parametrize("state", [Selecting, Requesting, Rebooting, Renewing, Rebinding, Backoff])
def test_an_identifier_of_rfc_4361_stands_in_every_message(state: type[State]) -> None:
    rig = reach(state, replace(CAREFUL, client_id=by_duid(IAID, DUID)))
    rig.feed(Command.RELEASE)
    said = [message.decode(send.payload) for send in rig.sends]
    assert {each.options.get(61) for each in said} == {by_duid(IAID, DUID)}
    assert (MessageType.RELEASE in {each.kind for each in said}) == (state in (Renewing, Rebinding))


@pytest.mark.parametrize(("iaid", "duid"), [(b"123", DUID), (b"12345", DUID), (IAID, b"\0\4"), (IAID, bytes(131))])
def test_what_is_no_iaid_or_duid_is_refused(iaid: bytes, duid: bytes) -> None:
    with pytest.raises(ValueError, match="octets, not"):
        by_duid(iaid, duid)


def test_hardware_identifier_is_type_and_address() -> None:
    assert by_hardware(MAC) == b"\1" + MAC
    assert duid_of(by_hardware(MAC)) is None
    assert identity_text(by_hardware(MAC)) == "client identifier 01:52:54:00:00:00:01"


@pytest.mark.parametrize("client_id", [None, b"", b"\xff", b"\xff" + IAID + b"\0\4", b"\xff" + IAID + bytes(131)])
def test_not_every_identifier_has_a_duid(client_id: bytes | None) -> None:
    assert duid_of(client_id) is None
    assert identity_text(None) == "no client identifier"
