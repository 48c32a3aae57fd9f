"""RFC 2131 on vendor classes and on whom a server need not serve, where no other test shows it (docs/conformance.md)."""

import pytest
from msgspec.structs import replace

from relet.config.expression import parse_expression
from relet.model.network import ClientClass, Parameters
from support.table import MAC, OTHER_MAC, Table, discover, ip, kind_of, reboot, reserved, selecting

PHONES = ClientClass(
    "phones", parse_expression('vendor-class == "phone"'), Parameters(options={42: b"ntp!"}, boot_file=b"phone.bin")
)


@pytest.mark.parametrize(
    ("said", "known"), [(b"phone", True), (b"phone2", False), (b"phon", False), (b"Phone", False), (None, False)]
)
def test_a_vendor_class_has_parameters_of_its_own_and_is_matched_exactly(said: bytes | None, known: bool) -> None:
    """R2131-4.2-02, R2131-4.3.1-52, R2131-4.3.1-53: in DHCPOFFER and DHCPACK."""
    table = Table(classes=(PHONES,))
    for message in (discover(ip(100)), selecting(ip(100)), reboot(ip(100))):
        told = {55: b"\x03\x2a"} | ({} if said is None else {60: said})
        reply = table.say(replace(message, options=message.options | told))
        assert reply is not None
        assert reply.yiaddr == ip(100)
        assert (reply.options.get(42), reply.file) == ((b"ntp!", b"phone.bin") if known else (None, b""))


def test_a_network_may_be_for_registered_clients_only() -> None:
    """R2131-4.2-01, R2131-4.3.1-07: free addresses or not."""
    table = Table(allow=("known",), reservations=(reserved(ip(50)),))
    assert kind_of(table.say(discover(mac=MAC))) == "OFFER"
    assert table.say(discover(mac=OTHER_MAC)) is None
    assert table.verdict() == ("SILENT", "not-admitted")
