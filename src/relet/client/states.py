"""The states of the client (RFC 2131 figure 5, and those that the figure leaves out), each with exactly what it knows.

Values only: a state says when it next wants to be woken, and nothing else. Times are monotonic seconds unless a name
says otherwise. What outlives a state (the remembered lease, the counters) belongs to the machine.
"""

from math import inf
from typing import Literal

import msgspec

from relet.client.conflict import Watch
from relet.client.transaction import Transaction
from relet.model.effects import Binding, Remembered
from relet.wire.arp import Arp


class Offer(msgspec.Struct, frozen=True):
    """What a DHCPOFFER comes down to. v6only_wait: seconds for which IPv4 is not wanted (RFC 8925), None: it is."""

    address: int
    server: int
    v6only_wait: int | None = None


class Held(msgspec.Struct, frozen=True):
    """A binding and its moments: t1_at, t2_at, expires_at; infinity where they never come."""

    binding: Binding
    t1_at: float
    t2_at: float
    expires_at: float


class Stopped(msgspec.Struct, frozen=True):
    """Before START, and after STOP or RELEASE. Knows whether the link is up."""

    link_up: bool = True

    def deadline(self) -> float:
        return inf


class LinkDown(msgspec.Struct, frozen=True):
    """Waits for the link. not_before: what was left of a wait that a flapping link must not cut short."""

    not_before: float = -inf

    def deadline(self) -> float:
        return inf


class Init(msgspec.Struct, frozen=True):
    """INIT. start_at: when the DHCPDISCOVER goes out (s4.4.1)."""

    start_at: float

    def deadline(self) -> float:
        return self.start_at


class InitReboot(msgspec.Struct, frozen=True):
    """INIT-REBOOT. start_at: when the DHCPREQUEST goes out."""

    lease: Remembered
    start_at: float

    def deadline(self) -> float:
        return self.start_at


class Rebooting(msgspec.Struct, frozen=True):
    """REBOOTING. give_up_at: until then a server may confirm the lease.

    hedge_at: when a DHCPDISCOVER goes out beside it. tests, test_at: how often the remembered gateways were asked whether
    they are here (RFC 4436), and when the next time is. known: the gateway of this lease has answered. taken: somebody
    else has the address (a quick check asks for it at once), None if nobody said so.
    """

    lease: Remembered
    ask: Transaction
    give_up_at: float
    hedge_at: float = inf
    tests: int = 0
    test_at: float = inf
    known: bool = False
    taken: Arp | None = None

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.give_up_at, self.hedge_at, self.test_at)


class Attached(msgspec.Struct, frozen=True):
    """The address is in use, because the network is known to be that of the lease (RFC 4436), or was until the host fell
    asleep; servers are asked as in REBOOTING.

    give_up_at: until then a verdict is awaited. known: the gateway of this lease has answered. tests, test_at: as in
    REBOOTING.
    """

    held: Held
    watch: Watch
    ask: Transaction
    give_up_at: float
    known: bool = False
    tests: int = 0
    test_at: float = inf

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.give_up_at, self.test_at, self.held.expires_at, self.watch.deadline())


class Selecting(msgspec.Struct, frozen=True):
    """SELECTING. offers: collected so far, in order of arrival. choose_at: when one of them is taken.

    beside: the DHCPREQUEST of REBOOTING that may still be answered, and wins if it is.
    """

    ask: Transaction
    offers: tuple[Offer, ...] = ()
    choose_at: float = inf
    beside: Rebooting | None = None

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.choose_at, self.beside.deadline() if self.beside else inf)


class Requesting(msgspec.Struct, frozen=True):
    """REQUESTING. Every copy repeats xid and secs of the DHCPDISCOVER that was answered (s3.1 step 3, s4.4.1).

    beside: as in SELECTING, but it is not sent again. taken: as in REBOOTING, of the address on offer.
    """

    ask: Transaction
    offer: Offer
    beside: Rebooting | None = None
    taken: Arp | None = None

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.beside.give_up_at if self.beside else inf)


class Probing(msgspec.Struct, frozen=True):
    """The lease is ours, the address not yet used: is anybody else using it? (RFC 2131 s3.1 step 5, RFC 5227 s2.1)

    cause: what the configuration will be due to. probes: sent so far. next_at: the next probe, or the end of waiting.
    """

    held: Held
    cause: Literal["bound", "reboot", "remembered"]
    probes: int
    next_at: float

    def deadline(self) -> float:
        return min(self.next_at, self.held.expires_at)


class Backoff(msgspec.Struct, frozen=True):
    """After a DHCPDECLINE (RFC 2131 s3.1 step 5: ten seconds; RFC 5227 s2.1.1: a minute after many conflicts)."""

    until: float

    def deadline(self) -> float:
        return self.until


class V6Only(msgspec.Struct, frozen=True):
    """The network prefers hosts that need no IPv4 (RFC 8925). until: when V6ONLY_WAIT is over."""

    until: float

    def deadline(self) -> float:
        return self.until


class Bound(msgspec.Struct, frozen=True):
    """BOUND."""

    held: Held
    watch: Watch

    def deadline(self) -> float:
        return min(self.held.t1_at, self.held.expires_at, self.watch.deadline())


class Renewing(msgspec.Struct, frozen=True):
    """RENEWING: asking the server that granted the lease."""

    held: Held
    watch: Watch
    ask: Transaction

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.held.t2_at, self.held.expires_at, self.watch.deadline())


class Rebinding(msgspec.Struct, frozen=True):
    """REBINDING: asking any server."""

    held: Held
    watch: Watch
    ask: Transaction

    def deadline(self) -> float:
        return min(self.ask.resend_at, self.held.expires_at, self.watch.deadline())


Leased = Bound | Renewing | Rebinding | Attached
"""The states in which the address is on the interface."""

State = (
    Stopped
    | LinkDown
    | Init
    | Selecting
    | Requesting
    | InitReboot
    | Rebooting
    | Attached
    | Probing
    | Backoff
    | V6Only
    | Bound
    | Renewing
    | Rebinding
)
