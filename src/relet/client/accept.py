"""Which replies a client takes, state by state; every other is dropped under a name and counted.

`accept` judges one datagram against what the state awaits. It changes nothing and never raises.
"""

from enum import StrEnum

import msgspec

from relet.client.settings import ClientSettings
from relet.client.states import Attached, Rebinding, Rebooting, Renewing, Requesting, Selecting, State
from relet.errors import WireError
from relet.wire import message, options
from relet.wire.address import BROADCAST, mask
from relet.wire.codes import INFINITE
from relet.wire.message import Message
from relet.wire.options import MessageType

MIN_LEASE_TIME = 4
"""Seconds. With less there is no room for T1 < T2 < expiry in whole seconds, and a renewal loop needs a bound."""


class Drop(StrEnum):
    """Why a datagram was dropped. Octets that are no DHCP message are counted as 'malformed-' + the WireError's reason."""

    NOT_AWAITED = "not-awaited"  # the state waits for nothing; figure 5 discards what comes in BOUND
    NOT_A_REPLY = "not-a-reply"  # op is not BOOTREPLY
    OTHER_XID = "other-xid"  # an answer to somebody else, or to an earlier request of ours
    OTHER_HARDWARE = "other-hardware"  # chaddr is not ours
    OTHER_CLIENT_ID = "other-client-id"  # RFC 6842 s3
    OTHER_KIND = "other-kind"  # not one of the message types that the state takes, or none (BOOTP)
    NO_SERVER_IDENTIFIER = "no-server-identifier"  # RFC 2131 table 3: MUST
    OTHER_SERVER = "other-server"  # not the server that was selected
    OTHER_ADDRESS = "other-address"  # not the address that was asked for
    BAD_ADDRESS = "bad-address"  # no host can have it, or not this one: the server's own, or the subnet's first or last
    NO_LEASE_TIME = "no-lease-time"  # RFC 2131 table 3: MUST in DHCPOFFER and DHCPACK to a DHCPREQUEST
    SHORT_LEASE_TIME = "short-lease-time"  # less than MIN_LEASE_TIME
    LEASE_OVER = "lease-over"  # the answer took longer than the lease lasts


class Expected(msgspec.Struct, frozen=True):
    """What a state awaits. server, address: 0 for any. sent: monotonic time from which a lease would count.

    refuser: the server whose DHCPNAK counts, 0 for any.
    """

    xid: int
    kinds: frozenset[int]
    sent: float
    server: int = 0
    address: int = 0
    refuser: int = 0


class Reply(msgspec.Struct, frozen=True):
    """An acceptable reply. Of a DHCPNAK only `kind`, `server` and `message` mean anything.

    v6only_wait: seconds for which IPv4 is not wanted, None if it is (RFC 8925 s3.2).
    """

    kind: MessageType
    server: int
    message: Message
    address: int = 0
    lease_time: int = 0
    v6only_wait: int | None = None


MIN_V6ONLY_WAIT = 300
"""Seconds (RFC 8925 s3.4)."""

ALLOCATIONS = frozenset((MessageType.OFFER, MessageType.ACK))
VERDICTS = frozenset((MessageType.ACK, MessageType.NAK))


def expected(state: State) -> tuple[Expected, ...]:
    """What the state awaits; (): nothing, whatever comes is dropped."""
    match state:
        case Selecting(ask=ask, beside=beside):
            # A DHCPACK is an answer to a DHCPDISCOVER with option 80 (RFC 4039).
            return Expected(ask.xid, ALLOCATIONS, ask.sent.mono), *_besides(beside)
        case Requesting(ask=ask, offer=offer, beside=beside):
            # An answer for another address than the one offered is a server's error. It is not declined, which would
            # take a good address out of use, but ignored: the copies go on and end in INIT.
            wanted = Expected(ask.xid, VERDICTS, ask.sent.mono, offer.server, offer.address, offer.server)
            return wanted, *_besides(beside)
        case Rebooting():
            return _besides(state)
        case Attached(ask=ask, held=held):
            return (Expected(ask.xid, VERDICTS, ask.sent.mono, address=held.binding.address),)
        case Renewing(ask=ask, held=held):
            # A server may answer under another of its addresses, so the server is not held to its identifier; but to
            # refuse what it granted, it must be the one that was asked.
            address, server = held.binding.address, held.binding.server
            return (Expected(ask.xid, VERDICTS, ask.sent.mono, address=address, refuser=server),)
        case Rebinding(ask=ask, held=held):
            # s4.4.5: any server was asked, so any may answer.
            return (Expected(ask.xid, VERDICTS, ask.sent.mono, address=held.binding.address),)
        case _:
            return ()


def _besides(rebooting: Rebooting | None) -> tuple[Expected, ...]:
    """s4.4.2: from any server."""
    if rebooting is None:
        return ()
    ask = rebooting.ask
    return (Expected(ask.xid, VERDICTS, ask.sent.mono, address=rebooting.lease.binding.address),)


def accept(payload: bytes, awaited: tuple[Expected, ...], settings: ClientSettings, now: float) -> Reply | str:
    """The reply in `payload`, or the name under which it is dropped. now: monotonic."""
    if not awaited:
        return Drop.NOT_AWAITED
    try:
        reply = message.decode(payload)
    except WireError as error:
        return f"malformed-{error.reason}"
    wanted = next((wanted for wanted in awaited if wanted.xid == reply.xid), awaited[0])
    return _not_for_us(reply, wanted, settings) or _judged(reply, wanted, settings, now)


def _not_for_us(reply: Message, wanted: Expected, settings: ClientSettings) -> Drop | None:
    """Is it an answer, to our question, and to us?"""
    if reply.op != message.BOOTREPLY:
        return Drop.NOT_A_REPLY
    if reply.xid != wanted.xid:
        return Drop.OTHER_XID
    if reply.chaddr != settings.mac:
        return Drop.OTHER_HARDWARE
    # RFC 6842 s3: a returned identifier that is not ours belongs to another client with our hardware address.
    if reply.options.get(options.CLIENT_IDENTIFIER.code, settings.identifier) != settings.identifier:
        return Drop.OTHER_CLIENT_ID
    if reply.kind not in wanted.kinds:
        return Drop.OTHER_KIND
    if wanted.kinds is ALLOCATIONS and reply.kind == MessageType.ACK and not _rapid(reply, settings):
        return Drop.OTHER_KIND
    return None


def _rapid(reply: Message, settings: ClientSettings) -> bool:
    """RFC 4039 s3: the option must be there, and must have been sent."""
    return settings.rapid_commit and not settings.anonymous and options.RAPID_COMMIT.code in reply.options


def _judged(reply: Message, wanted: Expected, settings: ClientSettings, now: float) -> Reply | Drop:
    """Does it say what a server must say?"""
    kind = MessageType(reply.kind)
    server = reply.ip(options.SERVER_IDENTIFIER.code)
    if server is None or not usable(server):
        return Drop.NO_SERVER_IDENTIFIER
    if wanted.server not in (0, server):
        return Drop.OTHER_SERVER
    if kind is MessageType.NAK:
        return Reply(kind, server, reply) if wanted.refuser in (0, server) else Drop.OTHER_SERVER
    wait = _v6only_wait(reply, settings)
    if kind is MessageType.OFFER and wait is not None:
        # RFC 8925 s3.3: the address may be 0.0.0.0. It is not asked for (s3.2), so nothing else of it matters.
        return Reply(kind, server, reply, v6only_wait=wait)
    if not usable(reply.yiaddr) or reply.yiaddr == server or _of_the_subnet_itself(reply):
        return Drop.BAD_ADDRESS
    if wanted.address not in (0, reply.yiaddr):
        return Drop.OTHER_ADDRESS
    octets = reply.options.get(options.LEASE_TIME.code, b"")
    if len(octets) != 4:
        return Drop.NO_LEASE_TIME
    lease_time = int.from_bytes(octets)
    if lease_time < MIN_LEASE_TIME:
        return Drop.SHORT_LEASE_TIME
    if lease_time != INFINITE and wanted.sent + lease_time <= now:
        return Drop.LEASE_OVER
    return Reply(kind, server, reply, reply.yiaddr, lease_time, wait)


def _of_the_subnet_itself(reply: Message) -> bool:
    """Is it the subnet's own address or its broadcast address (RFC 1122 s3.2.1.3)? 31 bits have none (RFC 3021)."""
    netmask = reply.ip(options.SUBNET_MASK.code)
    width = 0 if netmask is None else netmask.bit_count()
    if not 0 < width < 31 or netmask != mask(width):
        return False
    host = reply.yiaddr & ~mask(width) & BROADCAST
    return host in (0, ~mask(width) & BROADCAST)


def _v6only_wait(reply: Message, settings: ClientSettings) -> int | None:
    """RFC 8925 s3.1, s3.2: only who asked for the option heeds it, and only with its right length."""
    octets = reply.options.get(options.V6_ONLY_PREFERRED.code, b"")
    if not settings.ipv6_only or len(octets) != 4:
        return None
    return max(MIN_V6ONLY_WAIT, int.from_bytes(octets))


def usable(address: int) -> bool:
    """Can a host have this address? Not if it is in 0/8, 127/8, multicast, or above (RFC 1122 s3.2.1.3)."""
    return 0 < address >> 24 < 224 and address >> 24 != 127
