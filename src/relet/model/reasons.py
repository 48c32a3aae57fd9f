"""Every reason for a verdict, one row each: log text, metric label and the operator's manual follow from the row.

A NAK may only carry a reason that is certain: what the server knows makes the client's use of the address wrong, whatever
other servers may have granted. The tables in server/decide.py are held to that by a test.
"""

from enum import StrEnum

import msgspec


class Answer(StrEnum):
    """What the client hears."""

    ACK = "ACK"
    NAK = "NAK"
    OFFER = "OFFER"
    SILENT = "SILENT"
    ACTIVE = "LEASEACTIVE"  # the answers to a relay that asks about leases (RFC 4388)
    UNASSIGNED = "LEASEUNASSIGNED"
    UNKNOWN = "LEASEUNKNOWN"


class Reason(msgspec.Struct, frozen=True):
    """id: kebab-case name. certain: does it rest on knowledge that cannot be wrong? text: completes a sentence about the
    address; with {address}. manual: what an operator should know and may do."""

    id: str
    certain: bool
    text: str
    manual: str


CONFIRMED = Reason(
    "confirmed",
    True,
    "it holds an unexpired lease on {address}",
    "The normal end of a reboot: the client remembered its address, the lease is in the database, and it was confirmed.",
)
RENEWED = Reason(
    "renewed",
    True,
    "it extended its lease on {address}",
    "The client asked this server for an extension at half of its lease time (RENEWING) and got it.",
)
REBOUND = Reason(
    "rebound",
    True,
    "it extended its lease on {address} by broadcast",
    "The server that granted the lease did not answer the renewals, so the client asked every server (REBINDING). Many of"
    " these mean that renewals sent by unicast do not arrive: look for a firewall or a missing route.",
)
GRANTED = Reason(
    "granted",
    True,
    "it accepted our offer of {address}",
    "The end of the four-message allocation.",
)
GRANTED_LATE = Reason(
    "granted-late",
    True,
    "it chose this server, and {address} is still free although our offer had lapsed",
    "The client took longer than `offer-time` to accept, or the server was restarted in between. The address was still"
    " free, so it was granted.",
)
REGRANTED = Reason(
    "regranted",
    True,
    "it was the last to hold {address}, which is still free",
    "The lease had expired or had been released, and nobody has had the address since: the client may go on.",
)
RESERVED = Reason(
    "reserved",
    True,
    "{address} is reserved for it",
    "A reservation in the configuration names this client and this address. No earlier lease is needed.",
)
ADOPTED = Reason(
    "adopted",
    False,
    "there is no record of it, but {address} is free and `unknown-reboot` says to adopt",
    "Meant for the day after a database was lost: clients keep their addresses. Set `unknown-reboot` back when they have"
    " all come by, for it trusts what clients say.",
)
INFORMED = Reason(
    "informed",
    True,
    "it has {address} by other means and asked for parameters only",
    "DHCPINFORM: parameters without a lease.",
)

RAPID_COMMIT = Reason(
    "rapid-commit",
    True,
    "it wanted a commit without an offer first, and got {address}",
    "The client put the rapid commit option (RFC 4039) into its DHCPDISCOVER, and `rapid-commit` permits it here.",
)
BOOTP_GRANTED = Reason(
    "bootp-granted",
    True,
    "it is a BOOTP client, and {address} is free",
    '`bootp = "dynamic"` gives free addresses to BOOTP clients, for ever: such a client knows no lease time, so its address'
    " comes back only when an operator ends the lease.",
)
BOOTP_INFORMED = Reason(
    "bootp-informed",
    True,
    "it is a BOOTP client that has {address} by other means and asked for its boot file",
    "A BOOTP request with ciaddr: the answer has the boot file and parameters, and no address.",
)

OFFERED_RESERVED = Reason(
    "offered-reserved",
    True,
    "{address} is reserved for it",
    "The client was offered the address of its reservation.",
)
OFFERED_CURRENT = Reason(
    "offered-current",
    True,
    "it holds an unexpired lease on {address}",
    "The client starts from INIT although it has a lease; it is offered the same address.",
)
OFFERED_AGAIN = Reason(
    "offered-again",
    True,
    "{address} is already on offer to it",
    "A repeated DHCPDISCOVER; it gets the same offer.",
)
OFFERED_LAST = Reason(
    "offered-last",
    True,
    "it was the last to hold {address}",
    "A known client comes back after its lease ended, and its address is still free.",
)
OFFERED_REQUESTED = Reason(
    "offered-requested",
    True,
    "it asked for {address}, which is free",
    "The client named an address that it would like, and it is free.",
)
OFFERED_NEW = Reason(
    "offered-new",
    True,
    "{address} is free",
    "A new client was offered a free address.",
)

WRONG_NETWORK = Reason(
    "wrong-network",
    True,
    "{address} does not belong to the network that it is on",
    "The client was carried from one network to another and asked for its old address. It will start anew. If the"
    " address does belong here, a subnet is missing from the network in the configuration.",
)
MOVING = Reason(
    "moving",
    True,
    "it has to leave {address} soon; until then it may stay for a moment",
    "The client's address is no longer for it: a reservation was added or changed, or a pool. Many clients ignore a NAK to a"
    " renewal by unicast, so the renewal is granted for `moving-time` in all, and the client comes back soon. After that"
    " it is refused. What it was promised before stays on record, so the address goes to nobody else meanwhile.",
)
RESERVED_ELSEWHERE = Reason(
    "reserved-elsewhere",
    True,
    "another address is reserved for it, and that one is free",
    "A reservation was added or changed; refusing the old address makes the client fetch the reserved one.",
)
RESERVED_FOR_OTHER = Reason(
    "reserved-for-other",
    True,
    "{address} is reserved for another client",
    "The address was given to another client by reservation.",
)
BOUND_TO_OTHER = Reason(
    "bound-to-other",
    True,
    "{address} is leased to another client",
    "The client's lease ran out while it was away and the address was given to somebody else. `relet history ADDRESS`"
    " tells when.",
)
DECLINED = Reason(
    "declined",
    True,
    "{address} was found in use by an unknown host and is in quarantine",
    "A client reported by DHCPDECLINE that somebody else uses the address. It is not given out before `decline-time` is"
    " over. Look for a host with a static address inside the pool.",
)
ENDED = Reason(
    "ended",
    True,
    "the operator has ended the lease on {address}",
    "`relet lease end` was used. The address is kept from everybody until the end that the client was promised, because the"
    " client may not hear of it before; `relet lease lift` gives it free sooner.",
)
NO_LONGER_OFFERED = Reason(
    "no-longer-offered",
    True,
    "it has a lease on {address}, but the address is in no pool any more",
    "The pool was changed in the configuration after the lease was granted.",
)
OTHER_ADDRESS = Reason(
    "other-address",
    True,
    "it holds a lease on another address of this network",
    "The client asks for an address that is ours and free, while the database says that it holds another one: its memory"
    " is older than ours. It will start anew and be offered the address that it holds.",
)
UNKNOWN_REFUSED = Reason(
    "unknown-refused",
    True,
    "there is no record of it, and `unknown-reboot` says to refuse",
    "The operator has declared that no other server grants addresses on this network, so a client without a record here"
    " has no lease at all.",
)
UNKNOWN_AFTER = Reason(
    "unknown-after",
    True,
    "there is no record of it, and no other server has answered it for `unknown-reboot-after`",
    "The client has been asking for longer than any other server would need to answer, so none knows it.",
)
NOT_AVAILABLE = Reason(
    "not-available",
    True,
    "it chose this server for {address}, which this server does not have to give",
    "The client accepted an offer that does not exist here (any more): the address is on offer to another client or is in"
    " no pool. It will start anew.",
)

NO_NETWORK = Reason(
    "no-network",
    True,
    "no network is configured for where it asked from",
    "The request came in on an interface or through a relay that no `[[network]]` covers. Add the interface, the relay's"
    " address under `relays`, or the subnet that the relay's address lies in.",
)
FOREIGN_IGNORED = Reason(
    "foreign-ignored",
    True,
    "{address} does not belong to the network, and `foreign-address` says to keep silent",
    "As wrong-network, but the operator has said that another server may be responsible for such addresses.",
)
NOT_OURS = Reason(
    "not-ours",
    False,
    "{address} lies in the subnet but in none of our pools, so another server may rightly have granted it",
    "This server does not hand out that address and cannot know who does. Silence is right if a second server shares the"
    ' subnet; if this is the only one, `unknown-reboot = "nak"` spares the client the wait.',
)
NO_RECORD = Reason(
    "no-record",
    False,
    "there is no record of it, so another server may rightly have granted {address}",
    "The client believes to have a lease, but not from this server's database. If this is the only server,"
    ' `unknown-reboot = "nak"` (start anew) or `"adopt"` (keep the address if it is free) spares the client the wait.',
)
CLASS_REFUSED = Reason(
    "class-refused",
    True,
    "it is in a class that is refused here",
    "A class of the client says `refuse = true`. It hears nothing, for another server may serve it; only if it chose an"
    " offer of this server it is told that there is none.",
)
NOT_ADMITTED = Reason(
    "not-admitted",
    True,
    "the network does not admit its classes",
    "None of the client's classes is in the network's `allow`, or one of them is in `deny`. As with class-refused, it hears"
    " nothing unless it chose an offer of this server.",
)
NO_LONGER_ADMITTED = Reason(
    "no-longer-admitted",
    True,
    "it has a lease on {address}, but is not served any more",
    "The lease is from this server, and since it was granted the client's class was refused, or the network's `allow` or"
    " `deny` was changed.",
)
OTHER_SERVER = Reason(
    "other-server",
    True,
    "it speaks to another server",
    "The message names another server's identifier (option 54). Our own offer, if there was one, is withdrawn.",
)
NO_POOL = Reason(
    "no-pool",
    True,
    "the network has no pool, and no address is reserved for it",
    "Only clients with a reservation are served on this network.",
)
SEARCH_ENDED = Reason(
    "search-ended",
    False,
    "no free address was found among those that one request may look at",
    "Hundreds of addresses in a row were on offer to others, as in a flood of DHCPDISCOVERs with made-up hardware addresses"
    " (see `client-rate` and `circuit-rate`). The search goes on with the next request.",
)
POOL_FULL = Reason(
    "pool-full",
    True,
    "every address of the pools is taken",
    "All addresses are leased, on offer, reserved or in quarantine. `relet leases` shows by whom; a shorter `lease-time`"
    " brings addresses back sooner.",
)
CIRCUIT_FULL = Reason(
    "circuit-full",
    True,
    "its circuit has as many leases and offers as `limit-per-circuit` or `limit-without-circuit` permits",
    "One port of an access network asks for many addresses: a switch with many hosts behind it, or somebody who tries to"
    " empty the pool. Clients that have a lease keep it. Leases count until they end (for others only, if their"
    " client has to move), offers for `offer-time`, declined addresses for `decline-time`, all but one of them.",
)
CLIENT_RATE = Reason(
    "client-rate",
    True,
    "it asks more often than `client-rate` permits",
    "The client repeats itself without pause. It is answered again as soon as it asks less; look at what ails it. Requests"
    " to keep or give back a lease that it has are answered all the same.",
)
CIRCUIT_RATE = Reason(
    "circuit-rate",
    True,
    "clients without a lease ask more often from its circuit than `circuit-rate` permits",
    "A flood from one circuit, or many clients that start at once, which will ask again. Clients with a lease are served"
    " all the same.",
)
QUARANTINED = Reason(
    "quarantined",
    True,
    "it found {address} in use by another host; nobody gets it for `decline-time`",
    "The client's ARP probe was answered. Look for a host with a static address inside the pool.",
)
DECLINE_EXCESS = Reason(
    "decline-excess",
    True,
    "it declined {address} and has declined many others lately; the address is given back, not kept from everybody",
    "One client may put eight addresses into quarantine at a time. A host that declines every address is broken (often"
    " something on its link answers every ARP request, as a router with proxy ARP does) or wants to empty the pool.",
)
FOUND_IN_USE = Reason(
    "found-in-use",
    True,
    "a host without a lease answered the probe of {address}; nobody gets it for `decline-time`",
    "Before an address is offered, the server asks by ARP or ping (`probe`) whether somebody uses it. Somebody does: look"
    " for a host with a static address inside the pool; `relet leases --all --json` has its hardware address if it was found"
    " by ARP. The client is offered another address at once.",
)
DECLINE_IGNORED = Reason(
    "decline-ignored",
    True,
    "it declined {address}, which it was not granted",
    "Only the holder of a lease can decline it; anything else would let one host empty the pool.",
)
RELEASED = Reason(
    "released",
    True,
    "it gave {address} back",
    "The address is free again and remembered for this client.",
)
RELEASE_IGNORED = Reason(
    "release-ignored",
    True,
    "it released {address}, on which it holds no lease",
    "Often a repeated DHCPRELEASE; otherwise nothing to worry about.",
)
IPV6_ONLY = Reason(
    "ipv6-only",
    True,
    "it can do without IPv4 here",
    "The client asked for the IPv6-only option (RFC 8925), and the option is configured where it would get an address: it"
    " was told so in an offer without an address. A client that insists may still request one.",
)
NOT_AUTO_CONFIGURED = Reason(
    "not-auto-configured",
    True,
    "no address is free, and it was told not to make one of its own",
    "The client can make itself a link-local address (RFC 2563), and `auto-configure = false` forbids that here.",
)
BOOTP_REFUSED = Reason(
    "bootp-refused",
    True,
    "it is a BOOTP client, and `bootp` says to refuse them",
    'A BOOTP request has no DHCP message type. Old network boot ROMs and some printers send such; `bootp = "reserved"` or'
    ' `"dynamic"` serves them.',
)
BOOTP_UNRESERVED = Reason(
    "bootp-unreserved",
    True,
    "it is a BOOTP client without a reservation",
    "Of BOOTP clients, only those with a reservation are served here. Reserve an address for it, or set"
    ' `bootp = "dynamic"` to give it a free one for ever.',
)
NO_ADDRESS = Reason(
    "no-address",
    True,
    "it asked for parameters without naming its address",
    "A DHCPINFORM must carry the client's address in ciaddr, or come from it; there is nowhere to send the answer.",
)
INFORM_ELSEWHERE = Reason(
    "inform-elsewhere",
    True,
    "it asked for parameters for {address}, which is the address of no host of its network",
    "The ciaddr of a DHCPINFORM lies outside the network that it came from, or is a broadcast address. An answer could go"
    " anywhere, so there is none.",
)
LEASE_ACTIVE = Reason(
    "lease-active",
    True,
    "{address} is leased",
    "A relay asked about an address or a client (leasequery) and was told of the lease.",
)
LEASE_UNASSIGNED = Reason(
    "lease-unassigned",
    True,
    "{address} is one of ours and leased to nobody",
    "A relay asked about an address (leasequery) that nobody has.",
)
LEASE_UNKNOWN = Reason(
    "lease-unknown",
    True,
    "{address} is none of ours, or the client has no lease",
    "A relay asked about an address that this server does not manage, or about a client without a lease (leasequery).",
)
STORE_UNAVAILABLE = Reason(
    "store-unavailable",
    False,
    "the lease database cannot be written, so nothing can be promised",
    "While the store fails, the server confirms what it knows for no longer than recorded, and keeps silent otherwise."
    " The server's log has the store's error; look at disk space and permissions.",
)
STORE_CONFIRMED = Reason(
    "store-confirmed",
    True,
    "it holds a lease on {address}; the database cannot be written, so it was confirmed for the time left only",
    "As confirmed, but the lease was not extended. See store-unavailable.",
)
STORE_CONTENDED = Reason(
    "store-contended",
    False,
    "the database changed under the decision several times in a row",
    "Another server wrote to the same leases at the same time. The client will ask again.",
)
STILL_LOADING = Reason(
    "still-loading",
    False,
    "the server has just started and still reads its leases, so it cannot know yet",
    "Some seconds after a start with many leases: a client whose lease has been read is confirmed at once, the others when"
    " they ask again. `relet status` says how far the server has come.",
)

REASONS: dict[str, Reason] = {row.id: row for row in tuple(globals().values()) if isinstance(row, Reason)}
"""All rows by id, in the order above."""


def explain(reason: Reason, address: str) -> str:
    """The row's text about one address (dotted quad, or '' where none was named)."""
    return reason.text.format(address=address or "an address")
