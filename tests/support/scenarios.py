"""Scenarios as text: what is configured and on record, what clients ask, and what the server answers and why.

    scenario  the lease is on record: it is confirmed
      network unknown-reboot = "nak"                    one more setting of the network
      lease 192.168.1.100 alice bound 30m
      alice INIT-REBOOT 192.168.1.100
      -> ACK confirmed 192.168.1.100 1h

Without more, there is one network, 192.168.1.0/24 with the pool .100-.109, the server at .1, leases for an hour. `{alice}`
stands for a client's hardware address. The lines are told in `_Reader`. The same text is run against the engine
(tests/server/test_scenarios.py) and against a running server (tests/run/test_scenarios_on_the_wire.py), where every
scenario has addresses of its own in place of 192.168.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import tomlkit

from relet.config.values import duration
from relet.model.ident import client_key
from relet.model.lease import FOREVER, Lease, LeaseState
from relet.server.classify import Kind
from relet.wire.address import hex_text, parse_ip
from relet.wire.message import BROADCAST_FLAG, Message
from relet.wire.options import (
    CIRCUIT_ID,
    PARAMETER_REQUEST_LIST,
    RELAY_AGENT_INFORMATION,
    REQUESTED_ADDRESS,
    SERVER_IDENTIFIER,
    MessageType,
    by_name,
)
from relet.wire.relayinfo import encode_suboptions

FOLDER = Path(__file__).parent.parent / "scenarios"
SERVER = "192.168.1.1"
INTERFACE = "eth0"
ACCESS = "192.168.1.3"
"""The relay that may ask about leases."""

_NAME = re.compile(r"\{(\w+)\}")
_TYPES = {
    "DISCOVER": MessageType.DISCOVER,
    "SELECTING": MessageType.REQUEST,
    "INIT-REBOOT": MessageType.REQUEST,
    "RENEWING": MessageType.REQUEST,
    "REBINDING": MessageType.REQUEST,
    "DECLINE": MessageType.DECLINE,
    "RELEASE": MessageType.RELEASE,
    "INFORM": MessageType.INFORM,
    "LEASEQUERY": MessageType.LEASEQUERY,
    "BOOTP": None,
}
_IN_CIADDR = ("RENEWING", "REBINDING", "RELEASE", "INFORM", "LEASEQUERY", "BOOTP")
UNICAST = ("RENEWING", "RELEASE", "LEASEQUERY")
"""Kinds that go to the server alone unless a relay carries them."""


class Answer(NamedTuple):
    """What is expected: address '' for any or none, seconds None for any."""

    answer: str
    reason: str
    address: int | None
    seconds: int | None


class Step(NamedTuple):
    """A client's message and the answer, or time that passes. relay: giaddr, 0 for a client on the link."""

    line: int
    later: int
    kind: str
    message: Message | None
    relay: int
    answer: Answer | None


class Scenario(NamedTuple):
    """One story. configuration: tables as tomllib would give them. leases: (starts and expires count from now)."""

    name: str
    configuration: dict[str, Any]
    leases: tuple[Lease, ...]
    steps: tuple[Step, ...]

    def toml(self) -> str:
        """The configuration as a file."""
        return tomlkit.dumps(self.configuration)


def scenarios(number: int = 0, interface: str = INTERFACE) -> Iterator[Scenario]:
    """Every scenario. number: that of the first one's own addresses, 10.N. in place of 192.168., and of its interface
    (behind its name); 0: all as written."""
    for file in sorted(FOLDER.glob("*.txt")):
        for line, block in _blocks(file.read_text(encoding="utf-8")):
            yield _Reader(f"{file.stem}:{line}", number, f"{interface}{number}" if number else interface).read(block)
            number += number > 0


def mac(name: str, number: int) -> bytes:
    """The hardware address of a client, its own in every scenario."""
    return b"\x00\x16\x3e" + number.to_bytes(1) + crc32(name.encode()).to_bytes(4)[:2]


def _blocks(text: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    block: list[tuple[int, str]] = []
    for number, written in enumerate(text.splitlines(), 1):
        line = written.split(" # ")[0].strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("scenario "):
            if block:
                yield block[0][0], block
            block = []
        block.append((number, line))
    if block:
        yield block[0][0], block


class _Reader:
    """Reads one scenario."""

    def __init__(self, place: str, number: int, interface: str) -> None:
        self._place = place
        self._number = number
        self._network: dict[str, Any] = {"name": f"office{number or ''}", "interfaces": [interface], "lease-time": "1h"}
        self._subnet: dict[str, Any] = {
            "prefix": self._own("192.168.1.0/24"),
            "pools": [self._own("192.168.1.100-192.168.1.109")],
        }
        self._network["subnet"] = [self._subnet]
        self._more: dict[str, Any] = {}
        self._leases: list[Lease] = []
        self._steps: list[Step] = []

    def read(self, block: list[tuple[int, str]]) -> Scenario:
        """The scenario of its lines."""
        title = block[0][1].removeprefix("scenario").strip()
        for number, line in block[1:]:
            text = _NAME.sub(lambda found: hex_text(mac(found[1], self._number)), self._own(line))
            word, _, rest = text.partition(" ")
            try:
                self._line(number, word, rest)
            except (ValueError, KeyError, IndexError, tomllib.TOMLDecodeError) as error:
                raise ValueError(f"{self._place}: line {number}: {line!r}: {error!r}") from error
        configuration = {
            "server": {"listen": [self._own(SERVER)], "leasequery": [self._own(ACCESS)]},
            **self._more,
            "network": [self._network],
        }
        return Scenario(f"{self._place} {title}", configuration, tuple(self._leases), tuple(self._steps))

    def _line(self, number: int, word: str, rest: str) -> None:
        match word:
            case "network":
                self._network |= tomllib.loads(rest)
            case "subnet":
                self._subnet |= tomllib.loads(rest)
            case "another-subnet":
                self._network["subnet"].append(_table(rest))
            case "pool" | "reservation":
                where = self._subnet if word == "pool" else self._network
                where.setdefault(word, []).append(_table(rest))
            case "class" | "everywhere":
                name = "reservation" if word == "everywhere" else word
                self._more.setdefault(name, []).append(_table(rest))
            case "lease":
                self._leases.append(self._lease(*rest.split()))
            case "later":
                self._steps.append(Step(number, duration(rest), "", None, 0, None))
            case "crowd":
                count, kind = rest.split()
                steps = (self._asked(number, f"stranger-{each}", kind, each) for each in range(1, int(count) + 1))
                self._steps += steps
            case "->":
                asked = self._steps[-1].line
                answered = (step._replace(answer=_answer(rest)) for step in self._steps if step.line == asked)
                self._steps = [*(step for step in self._steps if step.line != asked), *answered]
            case _:
                self._steps.append(self._asked(number, word, rest))

    def _lease(self, address: str, who: str, state: str, length: str = "") -> Lease:
        """'ADDRESS WHO bound 30m', 'expired 5m' (so long ago), 'released', 'declined 1h', 'bound forever'."""
        expires = FOREVER if length == "forever" else duration(length) if length else 0
        hardware = mac(who, self._number)
        if state == "expired":
            state, expires = "bound", -expires
        return Lease(
            parse_ip(address), client_key(None, 1, hardware), self._network["name"], LeaseState(state), -5000, expires, None,
        )  # fmt: skip

    def _asked(self, number: int, who: str, rest: str, stranger: int = 0) -> Step:
        """'WHO KIND [ADDRESS] [via RELAY] [server ADDRESS] [secs N] [circuit TEXT] [option NAME=TOML] [broadcast]'

        stranger: number of a client of a crowd ('crowd NUMBER KIND': so many clients one after the other, one answer)."""
        kind, *words = _words(rest)
        Kind(kind)
        address = 0 if not words or not re.match(r"\d+\.", words[0]) else parse_ip(words.pop(0))
        message_type = _TYPES[kind]
        options = {} if message_type is None else {53: bytes((message_type,))}
        fields: dict[str, Any] = {}
        if address and kind in _IN_CIADDR:
            fields["ciaddr"] = address
        elif address:
            options[REQUESTED_ADDRESS.code] = address.to_bytes(4)
        if kind in ("SELECTING", "DECLINE", "RELEASE"):
            options[SERVER_IDENTIFIER.code] = parse_ip(self._own(SERVER)).to_bytes(4)
        relay = _modified(words, options, fields)
        if kind != "BOOTP":
            options[PARAMETER_REQUEST_LIST.code] = bytes((1, 3, 6, 15, 108, 116, 121))
        # option 82 comes last
        ordered = dict(sorted(options.items(), key=lambda each: each[0] == RELAY_AGENT_INFORMATION.code))
        xid = crc32(f"{self._place}:{number}:{stranger}".encode())
        by_address = kind == "LEASEQUERY" and address  # it names an address or a client
        hardware = b"" if by_address else mac(who, self._number)
        if stranger:
            hardware = b"\x02\x00\x00" + (self._number << 16 | stranger).to_bytes(3)
        message = Message(op=1, xid=xid, chaddr=hardware, options=ordered, **fields)
        return Step(number, 0, kind, message, relay, None)

    def _own(self, text: str) -> str:
        """The text with this scenario's own addresses."""
        return text.replace("192.168.", f"10.{self._number}.") if self._number else text


def _modified(words: list[str], options: dict[int, bytes], fields: dict[str, Any]) -> int:
    """Carry out what stands behind the address; the relay, 0 if there is none."""
    while words:
        match words.pop(0):
            case "via":
                fields["giaddr"] = parse_ip(words.pop(0))
            case "server":
                options[SERVER_IDENTIFIER.code] = parse_ip(words.pop(0)).to_bytes(4)
            case "secs":
                fields["secs"] = int(words.pop(0))
            case "circuit":
                info = encode_suboptions({CIRCUIT_ID.code: words.pop(0).strip('"').encode()})
                options[RELAY_AGENT_INFORMATION.code] = info
            case "broadcast":
                fields["flags"] = BROADCAST_FLAG
            case "option":
                name, _, value = words.pop(0).partition("=")
                row = by_name(name)
                if row is None:
                    raise ValueError(f"unknown option {name}")
                options[row.code] = row.parse(tomllib.loads(f"value = {value}")["value"])
            case other:
                raise ValueError(f"what is {other!r}?")
    return int(fields.get("giaddr", 0))


def _table(text: str) -> dict[str, Any]:
    return dict(tomllib.loads(f"table = {{ {text} }}")["table"])


def _words(text: str) -> list[str]:
    """Split at blanks, but not inside quotation marks or brackets."""
    return re.findall(r"(?:[^\s\"\[]|\"[^\"]*\"|\[[^\]]*\])+", text)


def _answer(text: str) -> Answer:
    """'ACK confirmed 192.168.1.100 1h', 'SILENT no-record'."""
    answer, reason, *rest = text.split()
    address = parse_ip(rest[0]) if rest else None
    return Answer(answer, reason, address, duration(rest[1]) if len(rest) > 1 else None)
