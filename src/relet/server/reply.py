"""From a verdict to the octets of the reply and the place to send them (RFC 2131 s4.1, s4.3.1 table 3).

Most of a reply is the same for everybody who asks for the same parameters on the same subnet: that part is prepared once
and kept; a few fields are packed before it and two options behind it. A reply that is too long for its client is laid
out again, with overload and without what does not fit.
"""

from collections.abc import Callable
from functools import lru_cache
from struct import Struct

from msgspec.structs import replace

from relet.model import reasons as why
from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.model.events import Arrival
from relet.model.network import Network
from relet.model.reasons import Answer, explain
from relet.server.classify import Kind
from relet.server.contents import Contents, bootp_contents, contents
from relet.server.leasequery import sent
from relet.server.names import client_name, fqdn_answer
from relet.server.parameters import t1_t2
from relet.server.settle import Settled
from relet.server.verdict import Verdict
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text
from relet.wire.message import (
    BOOTREPLY,
    BROADCAST_FLAG,
    COOKIE,
    DEFAULT_LIMIT,
    LEAST_SIZE,
    Message,
    encode,
    encode_options,
    fit,
)
from relet.wire.options import (
    AUTO_CONFIG,
    CLIENT_IDENTIFIER,
    DOMAIN_NAME,
    FQDN,
    LEASE_TIME,
    MAX_MESSAGE_SIZE,
    MESSAGE,
    MESSAGE_TYPE,
    PARAMETER_REQUEST_LIST,
    RAPID_COMMIT,
    REBINDING_TIME,
    RELAY_AGENT_INFORMATION,
    RENEWAL_TIME,
    SERVER_IDENTIFIER,
    SUBNET_SELECTION,
    MessageType,
)

MAX_PREPARED = 4096
"""Prepared bodies kept; clients choose their parameter lists, so the cache starts anew when it is full."""
MAX_TIMES = 16_384
"""Lease times kept with their T1 and T2; where leases are confirmed with the time left, there are many."""
MAX_LIMIT = 1472
"""Octets that go into one Ethernet frame."""

DO_NOT_AUTO_CONFIGURE = b"\0"
"""The value of option 116 (RFC 2563 s2.1)."""

_HEADER = Struct("!BBBBIHH4I16s192s4s3sBBI")
"""As far as the options that every reply has: message type and server identifier."""
_BOOTP_HEADER = Struct("!BBBBIHH4I16s192s4s")
_TIMES = Struct("!BBIBBIBBI")
_CLIENT_ID, _RELAY_INFO, _PARAMETERS = (
    CLIENT_IDENTIFIER.code,
    RELAY_AGENT_INFORMATION.code,
    PARAMETER_REQUEST_LIST.code,
)
_FQDN = FQDN.code
_MAX_SIZE, _LEASE, _T1, _T2, _SERVER_ID, _TYPE = (
    MAX_MESSAGE_SIZE.code,
    LEASE_TIME.code,
    RENEWAL_TIME.code,
    REBINDING_TIME.code,
    SERVER_IDENTIFIER.code,
    MESSAGE_TYPE.code,
)
_ACK, _NAK, _SILENT = Answer.ACK, Answer.NAK, Answer.SILENT
_BOOTP, _DISCOVER, _INFORM = Kind.BOOTP, Kind.DISCOVER, Kind.INFORM
_TAIL = (_CLIENT_ID, _RELAY_INFO)
"""Options that come back as they came (RFC 6842 s3); the relay's information last (RFC 3046 s2.2)."""
_SELECTED_TAIL = (_CLIENT_ID, SUBNET_SELECTION.code, _RELAY_INFO)
"""The same where clients may choose their subnet (RFC 3011 s2)."""
_IN_TAIL = frozenset((*_SELECTED_TAIL, _FQDN))
_TYPES = {
    Answer.OFFER: bytes((_TYPE, 1, MessageType.OFFER)),
    Answer.ACK: bytes((_TYPE, 1, MessageType.ACK)),
    Answer.NAK: bytes((_TYPE, 1, MessageType.NAK)),
}


class Replies:
    """Makes the replies of a server."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[str, int, bytes | int | None], Contents] = {}

    def replies(self, settled: Settled, failed: Callable[[Arrival, Exception], None]) -> list[Send]:
        """The replies to verdicts that may be answered. failed: hears of a bug of ours, which costs that one reply."""
        sends = []
        for verdict in settled.verdicts:
            if verdict.answer is not _SILENT:
                try:
                    sends.append(self._reply(verdict) if verdict.made is None else sent(verdict))
                except Exception as error:
                    failed(verdict.request.arrival, error)
        return sends

    def _reply(self, verdict: Verdict) -> Send:
        request = verdict.request
        message = request.message
        if request.kind is Kind.BOOTP:
            return _addressed(verdict, self._bootp(verdict))
        options, answer = message.options, verdict.answer
        server = verdict.identifier or request.server or request.arrival.local
        told = self._contents(verdict)
        name = _name(verdict) if told.name_at >= 0 else ""
        if answer is _NAK or request.kind is _INFORM or (terms := verdict.terms) is None:
            times, yiaddr = b"", 0
        else:
            times, yiaddr = _times(verdict.seconds, terms.renew_at, terms.rebind_at), verdict.address
        more = not yiaddr or (answer is _ACK and request.kind is _DISCOVER) or not options.keys().isdisjoint(_IN_TAIL)
        tail = _tail(verdict, yiaddr) if more else None
        octets = b"".join(
            (
                _HEADER.pack(
                    BOOTREPLY,
                    message.htype,
                    len(message.chaddr),
                    0,
                    message.xid,
                    0,
                    # As it came (s4.3.1 table 3); but a relay unicasts to yiaddr unless it has to broadcast (RFC 1542 s5.4).
                    # So where there is no yiaddr, it has to: DHCPNAK (s4.3.2), DHCPINFORM, and an offer of nothing.
                    message.flags if yiaddr or not message.giaddr else message.flags | BROADCAST_FLAG,
                    message.ciaddr if answer is _ACK else 0,
                    yiaddr,
                    told.siaddr,
                    message.giaddr,
                    message.chaddr,
                    told.names,
                    COOKIE,
                    _TYPES[answer],
                    _SERVER_ID,
                    4,
                    server,
                ),
                times,
                told.named(name) if name else told.body,
                encode_options(tail) if tail else b"",
                b"\xff",
            )
        )
        limit = _limit(message) if _MAX_SIZE in options else DEFAULT_LIMIT
        if len(octets) > limit:
            # s4.3.1 table 3: file and sname are unused in a DHCPNAK, so its text goes before they are needed
            told = told if told.name_at < 0 else told.called(name)
            told = replace(told, options={**({} if answer is _NAK else told.options), **(tail or {})})
            octets = _laid_out_again(octets, verdict, server, times, told, limit)
        return _addressed(verdict, octets.ljust(LEAST_SIZE, b"\0"))

    def _contents(self, verdict: Verdict) -> Contents:
        """What configuration and parameter request list call for; what a refusal says is its reason."""
        if verdict.answer is _NAK:
            text = f"refused: {explain(verdict.reason, ip_text(verdict.address))}"
            static = {MESSAGE.code: text.encode()[:255]}
            return Contents(static, encode_options(static))
        wanted = verdict.request.message.options.get(_PARAMETERS)
        network, terms = verdict.network, verdict.terms
        key = (network.name if network else "", terms.serial if terms else 0, wanted)
        return self._prepared.get(key) or self._keep(key, contents(terms, wanted))

    def _keep(self, key: tuple[str, int, bytes | int | None], made: Contents) -> Contents:
        if len(self._prepared) >= MAX_PREPARED:
            self._prepared.clear()
        self._prepared[key] = made
        return made

    def _bootp(self, verdict: Verdict) -> bytes:
        """A BOOTREPLY: no message type, and no longer than the request (RFC 1534 s2), which has 300 octets at least."""
        request = verdict.request
        message, payload = request.message, request.arrival.payload
        network, terms = verdict.network, verdict.terms
        info = message.options.get(_RELAY_INFO)
        tail = b"" if info is None else encode_options({_RELAY_INFO: info})
        room = min(max(len(payload), LEAST_SIZE), MAX_LIMIT) - _BOOTP_HEADER.size - len(tail)
        key = (network.name if network else "", terms.serial if terms else 0, room)
        told = self._prepared.get(key) or self._keep(key, bootp_contents(terms, verdict.reservation, room))
        yiaddr = 0 if verdict.reason is why.BOOTP_INFORMED else verdict.address
        header = _BOOTP_HEADER.pack(
            BOOTREPLY,
            message.htype,
            len(message.chaddr),
            0,
            message.xid,
            0,
            message.flags if yiaddr or not message.giaddr else message.flags | BROADCAST_FLAG,
            message.ciaddr,
            yiaddr,
            told.siaddr,
            message.giaddr,
            message.chaddr,
            told.names,
            COOKIE,
        )
        if payload[_BOOTP_HEADER.size - len(COOKIE) : _BOOTP_HEADER.size] != COOKIE:
            # RFC 1497: who does not show the cookie does not know what stands behind it
            return header[: -len(COOKIE)].ljust(LEAST_SIZE, b"\0")
        return b"".join((header, told.body, tail, b"\xff")).ljust(LEAST_SIZE, b"\0")


def _tail(verdict: Verdict, yiaddr: int) -> dict[int, bytes]:
    """The options that are this reply's alone, behind those of the configuration."""
    request = verdict.request
    options, network = request.message.options, verdict.network
    selected = network is not None and network.subnet_selection and verdict.answer is not _NAK
    tail = {
        code: octets for code in (_SELECTED_TAIL if selected else _TAIL) if (octets := options.get(code)) is not None
    }
    if _FQDN in options and (fqdn := _fqdn(verdict)) is not None:
        tail = {_FQDN: fqdn} | tail
    if request.kind is _DISCOVER and (not yiaddr or verdict.answer is _ACK):
        tail = _own(verdict) | tail
    return tail


def _name(verdict: Verdict) -> str:
    """What the client is called."""
    network = verdict.network
    return (
        "" if network is None else client_name(network, verdict.reservation, verdict.request.message, verdict.address)
    )


def _fqdn(verdict: Verdict) -> bytes | None:
    """The answer to option 81; it belongs to the messages of an allocation only (RFC 4702 s2, s4)."""
    if verdict.answer is Answer.NAK or verdict.request.kind is Kind.INFORM or verdict.terms is None:
        return None
    return fqdn_answer(_name(verdict), verdict.request.message, verdict.terms.options.get(DOMAIN_NAME.code, b""))


@lru_cache(MAX_TIMES)
def _times(seconds: int, renew_at: float, rebind_at: float) -> bytes:
    """Lease time, T1 and T2 (RFC 2131 s4.4.5)."""
    t1, t2 = t1_t2(seconds, renew_at, rebind_at)
    return _TIMES.pack(_LEASE, 4, seconds, _T1, 4, t1, _T2, 4, t2)


def _own(verdict: Verdict) -> dict[int, bytes]:
    """Options of the answers to a DHCPDISCOVER that are no plain offer."""
    if verdict.answer is Answer.ACK:
        return {RAPID_COMMIT.code: b""}  # RFC 4039 s4
    if verdict.reason is why.NOT_AUTO_CONFIGURED:
        return {AUTO_CONFIG.code: DO_NOT_AUTO_CONFIGURE}  # RFC 2563 s2.3
    return {}


def _limit(message: Message) -> int:
    """Octets of the DHCP message that the client takes: option 57 counts the headers too (RFC 2132 s9.10)."""
    return min(max((message.uint(_MAX_SIZE) or 0) - 28, DEFAULT_LIMIT), MAX_LIMIT)


def _laid_out_again(octets: bytes, verdict: Verdict, server: int, times: bytes, told: Contents, limit: int) -> bytes:
    request = verdict.request
    head = {_TYPE: _TYPES[verdict.answer][2:], _SERVER_ID: server.to_bytes(4, "big")}
    if times:
        head |= {_LEASE: times[2:6], _T1: times[8:12], _T2: times[14:18]}
    fields = _HEADER.unpack_from(octets)
    message = Message(
        op=BOOTREPLY,
        htype=request.message.htype,
        xid=request.message.xid,
        flags=fields[6],
        ciaddr=fields[7],
        yiaddr=fields[8],
        siaddr=told.siaddr,
        giaddr=request.message.giaddr,
        chaddr=request.message.chaddr,
        sname=told.sname,
        file=told.file,
        options=head | told.options,
    )
    try:
        return encode(fit(message, limit), limit)
    except ValueError:
        # RFC 3046 s2.2: where there is no room for the relay's information, the reply goes without it
        options = {code: value for code, value in message.options.items() if code != _RELAY_INFO}
        return encode(fit(replace(message, options=options), limit), limit)


def _addressed(verdict: Verdict, octets: bytes) -> Send:
    """Where the reply goes (RFC 2131 s4.1)."""
    request = verdict.request
    message, local = request.message, request.arrival.local
    if message.giaddr:
        return Send(octets, message.giaddr, request.arrival.port if request.relayed.port else SERVER_PORT, local)
    interface = request.arrival.interface or _only_interface(verdict.network)
    nak = verdict.answer is Answer.NAK
    ciaddr = verdict.address if request.kind is Kind.INFORM else message.ciaddr
    if ciaddr and not (nak and interface):
        # A NAK is broadcast; but to the far side of a router only unicast gets, and who renews still has its address.
        return Send(octets, ciaddr, CLIENT_PORT, local)
    if (
        not nak
        and verdict.address
        and not message.flags & BROADCAST_FLAG
        and message.htype == 1
        and len(message.chaddr) == 6
    ):
        return Send(octets, verdict.address, CLIENT_PORT, local, interface, message.chaddr)
    return Send(octets, BROADCAST, CLIENT_PORT, local, interface, BROADCAST_MAC)


def _only_interface(network: Network | None) -> str:
    """The interface of a network that has just one; a request by unicast does not tell on which it came in."""
    return network.interfaces[0] if network is not None and len(network.interfaces) == 1 else ""
