"""What relays may ask about leases, and what they hear (RFC 4388): by address, by hardware address, by client identifier.

Only listed relays are answered, at their giaddr, which says nothing about where the lease is (s6.3). Nothing is written, and
only what is on record is told: neither offers nor what a batch only plans. Which relay may ask is policy; what it hears is
the table LEASEQUERY of decide.py.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from relet.errors import WireError
from relet.model.clock import Now
from relet.model.effects import SERVER_PORT, Send
from relet.model.events import Arrival
from relet.model.ident import ClientKey, client_key
from relet.model.lease import FOREVER, Lease, Leases, View
from relet.model.network import Reservation
from relet.model.reasons import Answer
from relet.server.classify import Kind, Request
from relet.server.decide import LEASEQUERY, decide
from relet.server.identify import Directory, Site
from relet.server.moving import request_of
from relet.server.offers import Offers
from relet.server.parameters import Terms
from relet.server.relayed import Relayed
from relet.server.situation import Situation
from relet.server.verdict import Verdict, remaining_seconds, verdict
from relet.wire.codes import INFINITE
from relet.wire.message import BOOTREPLY, DEFAULT_LIMIT, MESSAGE_TYPE, Message, encode, fit
from relet.wire.options import (
    ASSOCIATED_IP,
    BOOT_FILE_NAME,
    BROADCAST_ADDRESS,
    CLIENT_IDENTIFIER,
    CLIENT_LAST_TRANSACTION_TIME,
    DOMAIN_NAME,
    DOMAIN_NAME_SERVERS,
    HOST_NAME,
    INTERFACE_MTU,
    LEASE_TIME,
    NTP_SERVERS,
    PARAMETER_REQUEST_LIST,
    REBINDING_TIME,
    RELAY_AGENT_INFORMATION,
    RENEWAL_TIME,
    ROUTERS,
    SERVER_IDENTIFIER,
    SUBNET_MASK,
    TFTP_SERVER_NAME,
    TIME_OFFSET,
    MessageType,
)

MAX_ASSOCIATED = 60
"""Addresses of one client told at most, the newest: more do not fit one message."""

NON_SENSITIVE = frozenset(
    each.code
    for each in (
        SUBNET_MASK, TIME_OFFSET, ROUTERS, DOMAIN_NAME_SERVERS, DOMAIN_NAME, INTERFACE_MTU, BROADCAST_ADDRESS,
        NTP_SERVERS, TFTP_SERVER_NAME, BOOT_FILE_NAME,
    )
)  # fmt: skip
"""Configured options that are told (s6.4.2): where a client's network ends and which public services it has. The rest may
carry what is between server and client."""

_TYPES = {
    Answer.ACTIVE: MessageType.LEASEACTIVE,
    Answer.UNASSIGNED: MessageType.LEASEUNASSIGNED,
    Answer.UNKNOWN: MessageType.LEASEUNKNOWN,
}
_CLIENT_ID, _RELAY_INFO = CLIENT_IDENTIFIER.code, RELAY_AGENT_INFORMATION.code


class Leasequeries:
    """Answers queries. relays: giaddrs that may ask, empty for nobody.

    The addresses of a client are looked up here, since a store finds a lease by client identifier or hardware address but
    not by both; as many are kept as there are leases, and none if nobody may ask.
    """

    def __init__(self, relays: Collection[int]) -> None:
        self.relays = frozenset(relays)
        self._addresses: dict[ClientKey, set[int]] = {}

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in leases that are not known yet."""
        if self.relays:
            for lease in leases:
                self.note(None, lease)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Take in a lease, or a change that was committed."""
        if not self.relays:
            return
        if before is not None:
            for key in _keys(before):
                addresses = self._addresses.get(key, set())
                addresses.discard(after.address)
                if not addresses:
                    self._addresses.pop(key, None)
        for key in _keys(after):
            self._addresses.setdefault(key, set()).add(after.address)

    def request(self, message: Message, arrival: Arrival, relayed: Relayed) -> Request:
        """The query in a message. Raises WireError for those that are not answered (s5, s6.3, s6.4.3)."""
        if not self.relays:
            raise WireError("unserved-type", 240, f"message type {message.kind}")
        if not message.giaddr:
            raise WireError("leasequery-without-relay", 24)
        if message.giaddr not in self.relays:
            raise WireError("leasequery-refused", 24)
        client_id, hardware = message.options.get(_CLIENT_ID), message.chaddr.strip(b"\0")
        if (message.ciaddr != 0) + bool(client_id) + bool(hardware) != 1:
            raise WireError("leasequery-keys", 12)
        client = client_key(client_id, message.htype, message.chaddr)
        typed = bytes((message.htype,)) + message.chaddr
        return Request(Kind.LEASEQUERY, message, arrival, None, client, typed, message.ciaddr, None, relayed=relayed)

    def decide(self, request: Request, store: Leases, directory: Directory, now: Now) -> Verdict:
        """The answer. Raises StoreError."""
        asked = request.address
        candidates = (asked,) if asked else tuple(self._addresses.get(request.client, ()))
        view = store.view((), candidates)
        lease = _newest(_held(candidates, view, now)) if candidates else None
        address = lease.address if lease is not None else asked
        site = directory.locate(address) if address else None
        if site is None:
            row = LEASEQUERY[-1]
            return Verdict(request, row.answer, row.reason, asked, made=_bare(request, row.answer, asked))
        about = replace(request, site=site, address=address)
        if lease is not None:
            # the options that this client gets, worked out as for itself (s6.4.2)
            reservation, classes = _recognised(lease, site, request.arrival)
            about = replace(about, client=lease.client, reservation=reservation, classes=classes)
        situation = Situation(about, site, view, Offers(), frozenset(), now)
        decided = verdict(situation, decide(situation))
        made = _bare(request, decided.answer, address)
        if decided.answer is Answer.ACTIVE and lease is not None:
            others = self._addresses.get(lease.client, set()) | self._addresses.get(_hardware_key(lease), set())
            associated = _held(others, store.view((), others), now)
            options = _options(request, lease, situation.terms(address), associated, now)
            hardware = lease.hardware or lease.client[1:]
            made = replace(made, htype=hardware[0], chaddr=hardware[1:17], options=made.options | options)
        return replace(decided, request=request, made=made)


def sent(decided: Verdict) -> Send:
    """A made reply on its way to the relay (s6.4.3)."""
    request, message = decided.request, decided.made
    assert message is not None
    port = request.arrival.port if request.relayed.port else SERVER_PORT
    try:
        octets = encode(fit(message, DEFAULT_LIMIT))
    except ValueError:  # RFC 3046 s2.2: where there is no room for relay information, the reply goes without it
        rest = {code: value for code, value in message.options.items() if code != _RELAY_INFO}
        octets = encode(fit(replace(message, options=rest), DEFAULT_LIMIT))
    return Send(octets, message.giaddr, port, request.arrival.local)


def _recognised(lease: Lease, site: Site, arrival: Arrival) -> tuple[Reservation | None, tuple[str, ...]]:
    try:
        return site.recognise(request_of(lease), arrival, lease.relay or None)
    except WireError:  # broken relay information on record
        return None, ()


def _bare(request: Request, answer: Answer, address: int) -> Message:
    """A reply that says no more than its type (s6.4: no other options)."""
    message = request.message
    return Message(
        op=BOOTREPLY,
        htype=message.htype,
        xid=message.xid,
        flags=message.flags,
        ciaddr=address,
        giaddr=message.giaddr,
        chaddr=message.chaddr,
        options={MESSAGE_TYPE: bytes((_TYPES[answer],))},
    )


def _options(request: Request, lease: Lease, terms: Terms, associated: Collection[Lease], now: Now) -> dict[int, bytes]:
    """What DHCPLEASEACTIVE tells about a lease: what was asked for, all of it where nothing was (s6.2, s6.4.2)."""
    known = {code: octets for code, octets in terms.options.items() if code in NON_SENSITIVE}
    known |= _times(lease, terms, now)
    known[CLIENT_LAST_TRANSACTION_TIME.code] = max(0, int(now.wall) - lease.starts).to_bytes(4)
    if lease.hostname:
        known[HOST_NAME.code] = lease.hostname.encode()[:255]
    if lease.client[:1] == b"i":
        known[_CLIENT_ID] = lease.client[1:]
    if lease.relay:
        known[_RELAY_INFO] = lease.relay
    wanted = request.message.options.get(PARAMETER_REQUEST_LIST.code)
    told = {SERVER_IDENTIFIER.code: request.arrival.local.to_bytes(4)}
    told |= {
        code: known[code] for code in (known if wanted is None else wanted) if code in known and code != _RELAY_INFO
    }
    if len(associated) > 1:
        newest = sorted(associated, key=lambda each: each.starts, reverse=True)[:MAX_ASSOCIATED]
        told[ASSOCIATED_IP.code] = b"".join(each.address.to_bytes(4) for each in newest)
    if _RELAY_INFO in known and (wanted is None or _RELAY_INFO in wanted):
        told[_RELAY_INFO] = known[_RELAY_INFO]  # last
    return told


def _times(lease: Lease, terms: Terms, now: Now) -> dict[int, bytes]:
    """What is left of the lease and until T1 and T2; those that are past are left out."""
    left = remaining_seconds(lease, now)
    whole = INFINITE if lease.expires == FOREVER else lease.expires - lease.starts
    gone = int(now.wall) - lease.starts
    times = {LEASE_TIME.code: left.to_bytes(4)}
    for code, at in zip((RENEWAL_TIME.code, REBINDING_TIME.code), terms.t1_t2(whole), strict=True):
        if at == INFINITE:
            times[code] = at.to_bytes(4)
        elif at > gone:
            times[code] = (at - gone).to_bytes(4)
    return times


def _held(addresses: Collection[int], view: View, now: Now) -> list[Lease]:
    leases = (view.lease(address) for address in addresses)
    return [lease for lease in leases if lease is not None and lease.holds(now.wall)]


def _newest(leases: Collection[Lease]) -> Lease | None:
    """The one that was granted last (s6.4.1)."""
    return max(leases, key=lambda lease: (lease.starts, lease.expires), default=None)


def _keys(lease: Lease) -> set[ClientKey]:
    return {lease.client, _hardware_key(lease)} if lease.hardware else {lease.client}


def _hardware_key(lease: Lease) -> ClientKey:
    return ClientKey(b"h" + lease.hardware)
