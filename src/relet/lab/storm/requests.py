"""A fleet's requests: one template for each model, kind and relay, into which a client's own octets are written.

A template is a whole message made by `wire.message.encode`; `fill` puts number, transaction, seconds and addresses at their
places and gives the octets to send. What a request must and must not carry is RFC 2131 s4.4.1, table 5.
"""

from struct import Struct

from relet.lab.storm.models import NAME, NUMBER, Model
from relet.wire.message import BOOTREQUEST, BROADCAST_FLAG, Message, encode
from relet.wire.options import (
    CIRCUIT_ID,
    CLIENT_IDENTIFIER,
    HOST_NAME,
    MESSAGE_TYPE,
    PARAMETER_REQUEST_LIST,
    RELAY_AGENT_INFORMATION,
    REMOTE_ID,
    REQUESTED_ADDRESS,
    SERVER_IDENTIFIER,
    MessageType,
)

DISCOVER, SELECTING, INIT_REBOOT, RENEWING, WISH = range(5)
"""Kinds of request. WISH is a DHCPDISCOVER that names the address which the client would like to have."""
KINDS = ("DISCOVER", "SELECTING", "INIT-REBOOT", "RENEWING", "DISCOVER")

DUID_TIME = bytes.fromhex("2c0f9b40")
"""The time in all DUIDs of type LLT (RFC 8415 s11.2); the hardware address makes them differ."""

_PLACEHOLDER = bytes(4)
_CIRCUIT = b"port-" + NAME
_HEAD = Struct("!IH")  # xid, secs
_WORD = Struct("!I")
_OPTIONS = 240  # the first option, behind header and cookie
_CHADDR_END = 30
_CIADDR = 12
_FQDN = 81


def hardware(tribe: int) -> bytes:
    """The first two octets of a fleet's hardware addresses: locally administered, then 0..255."""
    return bytes((2, tribe))


class Template:
    """Requests of one kind, by one model, through one relay."""

    def __init__(
        self, model: Model, kind: int, tribe: int, relay: int = 0, circuits: bool = False, broadcast: bool = False
    ) -> None:
        options = _options(model, kind, hardware(tribe), relay, circuits)
        message = Message(
            op=BOOTREQUEST,
            xid=0,
            hops=1 if relay else 0,
            flags=BROADCAST_FLAG if broadcast else 0,
            giaddr=relay,
            chaddr=hardware(tribe) + NUMBER,
            options=options,
        )
        self._octets = bytearray(encode(message))
        self._numbers = [_CHADDR_END]
        self._names: list[int] = []
        self._address = _CIADDR if kind == RENEWING else 0
        self._server = 0
        self._circuit = 0
        at = _OPTIONS
        for code, octets in options.items():
            at += 2
            if code == REQUESTED_ADDRESS.code:
                self._address = at
            elif code == SERVER_IDENTIFIER.code:
                self._server = at
            elif code == RELAY_AGENT_INFORMATION.code:
                self._circuit = at + octets.index(NAME)
            else:
                self._numbers += [at + spot for spot in range(len(octets) - 3) if octets[spot : spot + 4] == NUMBER]
                if NAME in octets:
                    self._names.append(at + octets.index(NAME))
            at += len(octets)

    def fill(self, number: int, xid: int, secs: int, address: int, server: int, circuit: int) -> bytes:
        """The message of client `number`. secs: at most 65535. circuit: which port of the relay it comes from."""
        octets, word = self._octets, _WORD.pack_into
        _HEAD.pack_into(octets, 4, xid, secs)
        for at in self._numbers:
            word(octets, at, number)
        for at in self._names:
            octets[at : at + 8] = b"%08x" % number
        if self._address:
            word(octets, self._address, address)
        if self._server:
            word(octets, self._server, server)
        if self._circuit:
            octets[self._circuit : self._circuit + 8] = b"%08x" % circuit
        return bytes(octets)


def _options(model: Model, kind: int, start: bytes, relay: int, circuits: bool) -> dict[int, bytes]:
    """In the model's order; what a relay adds comes last (RFC 3046 s2.1)."""
    asked = MessageType.DISCOVER if kind in (DISCOVER, WISH) else MessageType.REQUEST
    known = model.values | {MESSAGE_TYPE.code: bytes((asked,)), PARAMETER_REQUEST_LIST.code: model.parameters}
    if kind in (SELECTING, INIT_REBOOT, WISH):
        known[REQUESTED_ADDRESS.code] = _PLACEHOLDER
    if kind == SELECTING:
        known[SERVER_IDENTIFIER.code] = _PLACEHOLDER
    if model.name:
        known[HOST_NAME.code] = model.name
    if model.identifier == "hardware":
        known[CLIENT_IDENTIFIER.code] = b"\1" + start + NUMBER
    elif model.identifier == "duid":
        # RFC 4361 s6.1: type 255, IAID, DUID.
        known[CLIENT_IDENTIFIER.code] = b"\xff" + NUMBER + b"\0\1\0\1" + DUID_TIME + start + NUMBER
    options = {code: known[code] for code in model.order if code in known}
    if kind in (DISCOVER, WISH):
        options.pop(_FQDN, None)  # Windows sends its full name only when it takes an address
    if circuits and relay:
        circuit = bytes((CIRCUIT_ID.code, len(_CIRCUIT))) + _CIRCUIT
        remote = bytes((REMOTE_ID.code, 4)) + relay.to_bytes(4)
        options[RELAY_AGENT_INFORMATION.code] = circuit + remote
    return options
