"""A PXE lab, as docs/classes.md has it, and what firmware of every sort is given to boot.

The messages in tests/captures are the firmware's own; each file says where it is from.
"""

import re
from pathlib import Path

import pytest

from relet.config.load import parse
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

ROOT = Path(__file__).parent.parent.parent
CAPTURES = ROOT / "tests" / "captures"
SERVER = parse_ip("192.168.1.1")
NOW = Now(1_000_000.0, 500.0)
PXE = bytes.fromhex("06 01 08")
"""Option 43: discovery control, take the boot file of this answer (PXE specification 2.1, table 2-1)."""


def captured(name: str) -> bytes:
    """The payload in a file of tests/captures."""
    lines = (CAPTURES / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


@pytest.fixture
def engine() -> Engine:
    """The lab of the manual."""
    (lab,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "classes.md").read_text(), re.DOTALL)
    return Engine(parse(lab, "lab.toml", ROOT).networks, MemoryStore(), frozenset({SERVER}))


def say(engine: Engine, payload: bytes) -> tuple[Message, tuple[str, ...]]:
    """The reply to a message on the lab's link, and the classes of who sent it."""
    arrival = Arrival(payload, "eth0", SERVER)
    (sent,) = engine.handle([arrival], NOW)
    assert not engine.bugs
    request = engine._read(arrival, NOW)
    assert request is not None
    return decode(sent.payload), request.classes


FIRMWARE = [
    ("bios-undi", ("bios", "unknown"), b"undionly.kpxe", b"PXEClient", PXE),
    ("ipxe-bios", ("ipxe", "unknown", "random-mac"), b"http://192.168.1.2/menu.ipxe", None, None),
    ("uefi-pxe", ("uefi", "unknown", "random-mac"), b"ipxe.efi", None, None),
    ("uefi-http", ("uefi-http", "unknown", "random-mac"), b"http://192.168.1.2/ipxe.efi", b"HTTPClient", None),
]


@pytest.mark.parametrize(("name", "classes", "file", "vendor", "inside"), FIRMWARE, ids=[row[0] for row in FIRMWARE])
def test_firmware_gets_its_boot_file(
    engine: Engine, name: str, classes: tuple[str, ...], file: bytes, vendor: bytes | None, inside: bytes | None
) -> None:
    asked = captured(name)
    offer, found = say(engine, asked)
    assert found == classes
    heard = decode(asked)
    options = {
        **heard.options,
        53: bytes((MessageType.REQUEST,)),
        REQUESTED_ADDRESS.code: offer.yiaddr.to_bytes(4),
        SERVER_IDENTIFIER.code: SERVER.to_bytes(4),
    }
    chosen = Message(op=1, xid=heard.xid, flags=heard.flags, chaddr=heard.chaddr, options=options)
    ack, _ = say(engine, encode(chosen, 1472))
    assert (offer.kind, ack.kind) == (MessageType.OFFER, MessageType.ACK)
    for reply in (offer, ack):
        assert reply.siaddr == parse_ip("192.168.1.2")
        assert reply.file == file
        assert reply.options[67] == file
        assert reply.options.get(60) == vendor
        assert reply.options.get(43) == inside
        assert reply.yiaddr == offer.yiaddr


def test_the_captures_are_whole() -> None:
    assert {file.stem for file in CAPTURES.glob("*.hex")} == {row[0] for row in FIRMWARE}
    architectures = {name: decode(captured(name)).options[93] for name, *_ in FIRMWARE}
    assert architectures == {"bios-undi": b"\0\0", "ipxe-bios": b"\0\0", "uefi-pxe": b"\0\7", "uefi-http": b"\0\x10"}
    assert decode(captured("ipxe-bios")).options[77] == b"iPXE"
    assert all((CAPTURES / f"{name}.hex").read_text().startswith("# DHCPDISCOVER of ") for name in architectures)
