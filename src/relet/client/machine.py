"""The client: every transition of RFC 2131 figure 5 and of the states that the figure lacks.

Rules that hold here, whatever happens:
1. What is overdue comes first: an event that arrives after the lease's end meets a client that has given the address up.
2. An address is configured only after a DHCPACK for it, or with the operator's permission (s3.2), and after its check.
3. A lease counts from when its request was first sent, on the monotonic clock; at its end the address goes at once.
4. The remembered lease is forgotten only if a server refused it, another host has it, it ran out, or it was given back.
   Silence, STOP and a lost link leave it.
5. Every way from state to state is a row of `arrows.ARROWS`; what one state knows dies with it.
No reply, however wrong, raises: it is counted in `dropped`.
"""

from math import inf
from typing import Literal, assert_never

from msgspec.structs import replace

from relet.client import conflict, grant, requests, transaction
from relet.client.accept import Reply, accept, expected
from relet.client.arrows import ARROWS, Arrow, Cause
from relet.client.dice import Dice, draw_xid
from relet.client.settings import ClientSettings
from relet.client.states import (
    Backoff,
    Bound,
    Held,
    Init,
    InitReboot,
    Leased,
    LinkDown,
    Offer,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    Stopped,
)
from relet.client.timing import restart_wait
from relet.client.transaction import Transaction
from relet.model.clock import Now
from relet.model.effects import Binding, Configure, Deconfigure, Effect, Finished, Forget, Note, SendArp
from relet.model.events import ArpSeen, Arrival, Command, Event, LinkChanged, Wake
from relet.wire import arp, options
from relet.wire.address import hex_text, ip_text
from relet.wire.options import MessageType

MAX_STEPS = 8
"""Deadlines met in one call; the longest chain that settings allow is shorter, and the next call goes on."""

MAX_OFFERS = 16
"""Offers collected before one is chosen, though the window be open."""

Asking = Requesting | Rebooting | Renewing | Rebinding
"""The states that a DHCPACK or DHCPNAK can end."""

ConfigureCause = Literal["bound", "reboot", "renew", "rebind", "remembered"]


class Client:
    """One interface's client.

    state: for reading. remembered: the lease that INIT-REBOOT would ask for. dropped: datagrams not taken, by name.
    conflicts: since the last BOUND (RFC 5227 s2.1.1). failures: grants refused or run out since then.
    wish: the address suggested in DHCPDISCOVER, 0 for none.
    """

    def __init__(self, settings: ClientSettings, dice: Dice, remembered: Binding | None = None) -> None:
        self.settings = settings
        self.state: State = Stopped()
        self.remembered = remembered
        self.dropped: dict[str, int] = {}
        self.conflicts = 0
        self.failures = 0
        self.wish = remembered.address if remembered else 0
        self._dice = dice

    def deadline(self) -> float | None:
        """Monotonic time at which a `Wake` is wanted; None: none is."""
        at = self.state.deadline()
        return None if at == inf else at

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """What follows from an event at `now` (never earlier than in the last call), to be done in this order."""
        return [*self._overdue(now), *self._on(event, now), *self._overdue(now)]

    def _on(self, event: Event, now: Now) -> list[Effect]:
        match event:
            case Wake():
                return []
            case Arrival(payload=payload):
                return self._arrived(payload, now)
            case ArpSeen(arp=heard):
                return self._arp_seen(heard, now)
            case LinkChanged(up=up):
                return self._link_changed(up, now)
            case Command():
                return self._commanded(event, now)
            case _:
                assert_never(event)

    def _go(self, cause: Cause, target: State) -> None:
        """The only way into another state."""
        if Arrow(type(self.state), cause, type(target)) not in ARROWS:
            raise RuntimeError(f"no arrow from {self.state!r} by {cause!r} to {target!r}")
        self.state = target

    def _overdue(self, now: Now) -> list[Effect]:
        effects: list[Effect] = []
        for _ in range(MAX_STEPS):
            if self.state.deadline() > now.mono:
                break
            effects += self._due(now)
        return effects

    def _due(self, now: Now) -> list[Effect]:
        match self.state:
            case Init():
                self._go(Cause.DISCOVER, Selecting(self._first(now)))
                return self._ask()
            case Selecting() as selecting:
                return self._select(selecting, now)
            case Requesting() as requesting:
                return self._request_again(requesting, now)
            case InitReboot(lease=lease):
                give_up_at = now.mono + self.settings.reboot_timeout
                self._go(Cause.REBOOT, Rebooting(lease, self._first(now), give_up_at))
                return self._ask()
            case Rebooting() as rebooting:
                return self._reboot_again(rebooting, now)
            case Probing() as probing:
                return self._probe(probing, now)
            case Backoff():
                self._go(Cause.WAITED, Init(now.mono))
                return []
            case Bound() | Renewing() | Rebinding() as leased:
                return self._hold_on(leased, now)
            case Stopped() | LinkDown():
                return []
            case _:
                assert_never(self.state)

    # What falls due ----------------------------------------------------------------------------------------------------

    def _select(self, selecting: Selecting, now: Now) -> list[Effect]:
        if selecting.choose_at > now.mono:
            self.state = replace(selecting, ask=self._copy(selecting.ask, now))
            return self._ask()
        # s4.4.1 leaves the choice to us: the address we had before, else whoever came first.
        offer = next((offer for offer in selecting.offers if offer.address == self.wish), selecting.offers[0])
        ask = transaction.following(selecting.ask, now, self.settings.timing, self._dice)
        self._go(Cause.CHOSEN, Requesting(ask, offer))
        return self._ask()

    def _request_again(self, requesting: Requesting, now: Now) -> list[Effect]:
        ask, offer = requesting.ask, requesting.offer
        if ask.tries < self.settings.timing.request_tries:
            self.state = replace(requesting, ask=replace(self._copy(ask, now), secs=ask.secs))
            return self._ask()
        # s3.1 step 5: back to INIT, and the user is told.
        self._go(Cause.SILENCE, Init(now.mono))
        text = f"{ip_text(offer.server)} offered {ip_text(offer.address)} and then fell silent; starting anew"
        return [Note("request-silence", text)]

    def _reboot_again(self, rebooting: Rebooting, now: Now) -> list[Effect]:
        if rebooting.give_up_at > now.mono:
            self.state = replace(rebooting, ask=self._copy(rebooting.ask, now))
            return self._ask()
        lease = rebooting.lease
        nobody = f"nobody answered for the remembered address {ip_text(lease.address)}; "
        if self.settings.use_remembered and grant.valid(lease, now.wall):
            # s3.2 step 4: the rest of an unexpired lease may be used.
            held = grant.remembered(lease, now, self.settings.timing, self._dice)
            self._go(Cause.PERMITTED, self._check(held, "remembered", now))
            return [Note("reboot-silence", nobody + "using it for the rest of its lease")]
        # Silence is no refusal: the lease stays remembered, and is the wish in the DHCPDISCOVER (s4.4.1).
        self._go(Cause.SILENCE, Init(now.mono))
        return [Note("reboot-silence", nobody + "starting anew")]

    def _probe(self, probing: Probing, now: Now) -> list[Effect]:
        timing, held = self.settings.conflict, probing.held
        address = held.binding.address
        if held.expires_at <= now.mono:
            self._go(Cause.EXPIRY, self._init_after_failure(now))
            text = f"the lease of {ip_text(address)} ran out while the address was being checked; starting anew"
            return [*self._disown(address, "expire"), Note("expired", text)]
        if probing.probes < timing.probe_num:
            wait = conflict.probe_wait(probing.probes + 1, timing, self._dice)
            self.state = replace(probing, probes=probing.probes + 1, next_at=now.mono + wait)
            return [SendArp(arp.probe(self.settings.mac, address))]
        self.conflicts = self.failures = 0
        # RFC 5227 s2.5: from the first announcement on, ARP requests must be answered; so the address comes just before it.
        self._go(Cause.FREE, Bound(held, conflict.Watch(announce_at=now.mono if timing.announce_num else inf)))
        return [self._configure(held.binding, probing.cause)]

    def _hold_on(self, leased: Leased, now: Now) -> list[Effect]:
        """The deadlines of a client with an address, the gravest first."""
        held = leased.held
        if held.expires_at <= now.mono:
            return self._expire(held.binding, now)
        if held.t2_at <= now.mono and not isinstance(leased, Rebinding):
            self._go(Cause.T2, self._rebinding(leased, now))
            return self._ask()
        if held.t1_at <= now.mono and isinstance(leased, Bound):
            self._go(Cause.T1, self._renewing(leased, now))
            return self._ask()
        if leased.watch.announce_at <= now.mono:
            watch = conflict.after_announcement(leased.watch, self.settings.conflict, now.mono)
            self.state = replace(leased, watch=watch)
            return [SendArp(arp.announcement(self.settings.mac, held.binding.address))]
        self.state = self._rebinding(leased, now) if isinstance(leased, Rebinding) else self._renewing(leased, now)
        return self._ask()

    def _expire(self, binding: Binding, now: Now) -> list[Effect]:
        # s4.4.5: stop using the address at once, and begin as if there had been none.
        self._go(Cause.EXPIRY, Init(now.mono))
        self.remembered = None
        return [Deconfigure(binding, "expire"), Note("expired", f"the lease of {ip_text(binding.address)} ran out")]

    # What arrives -------------------------------------------------------------------------------------------------------

    def _arrived(self, payload: bytes, now: Now) -> list[Effect]:
        reply = accept(payload, expected(self.state), self.settings, now.mono)
        if isinstance(reply, str):
            self.dropped[reply] = self.dropped.get(reply, 0) + 1
            return []
        match self.state:
            case Selecting() as selecting:
                return self._offered(selecting, reply, now)
            case Requesting() | Rebooting() | Renewing() | Rebinding() as asking:
                refused = reply.kind is MessageType.NAK
                return self._refused(asking, reply, now) if refused else self._granted(asking, reply, now)
            case _:
                raise RuntimeError(f"{self.state!r} awaits no reply")

    def _offered(self, selecting: Selecting, reply: Reply, now: Now) -> list[Effect]:
        offers = (*selecting.offers, Offer(reply.address, reply.server))
        enough = reply.address == self.wish or len(offers) == MAX_OFFERS
        choose_at = now.mono + (0.0 if enough else self.settings.timing.offer_window)
        self.state = replace(selecting, offers=offers, choose_at=min(selecting.choose_at, choose_at))
        return []

    def _granted(self, asking: Asking, reply: Reply, now: Now) -> list[Effect]:
        held = grant.held(reply, asking.ask.sent, self.settings.timing, self._dice)
        match asking:
            case Requesting():
                self._go(Cause.ACK, self._check(held, "bound", now))
                return []
            case Rebooting():
                self._go(Cause.ACK, self._check(held, "reboot", now))
                return []
            case Renewing(watch=watch):
                self._go(Cause.ACK, Bound(held, watch))
                return [self._configure(held.binding, "renew")]
            case Rebinding(watch=watch):
                self._go(Cause.ACK, Bound(held, watch))
                return [self._configure(held.binding, "rebind")]

    def _refused(self, asking: Asking, reply: Reply, now: Now) -> list[Effect]:
        self._go(Cause.NAK, self._init_after_failure(now))
        said = reply.message.options.get(options.MESSAGE.code)
        match asking:
            case Requesting(offer=offer):
                address, effects = offer.address, self._disown(offer.address, "nak")
            case Rebooting(lease=lease):
                address, effects = lease.address, self._disown(lease.address, "nak")
            case Renewing(held=held) | Rebinding(held=held):
                address, effects = held.binding.address, self._give_up(held.binding, "nak")
        text = f"{ip_text(reply.server)} refused {ip_text(address)}" + (
            f": {options.MESSAGE.text(said)}" if said else ""
        )
        return [*effects, Note("nak", text)]

    def _arp_seen(self, heard: arp.Arp, now: Now) -> list[Effect]:
        mac = self.settings.mac
        match self.state:
            case Probing(held=held) if conflict.in_use(heard, held.binding.address, mac):
                return self._decline(held.binding, heard, self._disown(held.binding.address, "conflict"), now)
            case (Bound() | Renewing() | Rebinding()) as leased:
                binding = leased.held.binding
                if not conflict.conflicting(heard, binding.address, mac):
                    return []
                if not conflict.may_defend(leased.watch, self.settings.conflict, now.mono):
                    return self._decline(binding, heard, self._give_up(binding, "conflict"), now)
                self.state = replace(leased, watch=replace(leased.watch, conflict_at=now.mono))
                text = f"{hex_text(heard.sha)} uses our address {ip_text(binding.address)}; defending it"
                return [SendArp(arp.announcement(mac, binding.address)), Note("defended", text)]
            case _:
                return []

    def _decline(self, binding: Binding, heard: arp.Arp, farewell: list[Effect], now: Now) -> list[Effect]:
        # s3.1 step 5: decline, wait, start anew. RFC 5227 s2.1.1: slowly after many conflicts.
        self.conflicts += 1
        many = self.conflicts >= self.settings.conflict.max_conflicts
        wait = self.settings.conflict.rate_limit_interval if many else self.settings.timing.decline_wait
        self._go(Cause.CONFLICT, Backoff(now.mono + wait))
        why = f"{ip_text(binding.address)} is in use by {hex_text(heard.sha)}"
        xid = draw_xid(self._dice)
        declined = requests.decline(self.settings, xid, binding.address, binding.server, why)
        return [*farewell, declined, Note("conflict", why)]

    # What the link and the operator do ------------------------------------------------------------------------------

    def _link_changed(self, up: bool, now: Now) -> list[Effect]:
        match self.state:
            case Stopped():
                self.state = Stopped(link_up=up)
                return []
            case LinkDown(not_before=not_before) if up:
                # s3.7: verify the address after a disconnection.
                return self._begin(Cause.LINK_UP, now, not_before)
            case LinkDown():
                return []
            case _ if up:
                return []
            case Bound(held=held) | Renewing(held=held) | Rebinding(held=held):
                self._go(Cause.LINK_DOWN, LinkDown())
                return [Deconfigure(held.binding, "link-down", forget=False)]
            case Probing(held=held):
                self.wish = held.binding.address
                self._go(Cause.LINK_DOWN, LinkDown())
                return []
            case Init() | Backoff() as waiting:
                self._go(Cause.LINK_DOWN, LinkDown(waiting.deadline()))
                return []
            case _:
                self._go(Cause.LINK_DOWN, LinkDown())
                return []

    def _commanded(self, command: Command, now: Now) -> list[Effect]:
        match command:
            case Command.START:
                return self._start(now)
            case Command.RENEW:
                return self._renew_now(now)
            case Command.RELEASE:
                return [*self._release(), *self._stop()]
            case Command.STOP:
                held = self._held()
                return [*([Deconfigure(held.binding, "stop", forget=False)] if held else []), *self._stop()]

    def _start(self, now: Now) -> list[Effect]:
        match self.state:
            case Stopped(link_up=True):
                return self._begin(Cause.START, now)
            case Stopped():
                self._go(Cause.START, LinkDown())
        return []

    def _begin(self, cause: Cause, now: Now, not_before: float = -inf) -> list[Effect]:
        """INIT-REBOOT with an unexpired remembered lease, else INIT."""
        lease = self.remembered
        if lease and now.wall < lease.expires():
            self._go(cause, InitReboot(lease, max(now.mono, not_before)))
            return []
        delay = self._dice() * self.settings.timing.start_delay
        self._go(cause, Init(max(now.mono + delay, not_before)))
        if not lease:
            return []
        self.remembered = None
        return [Forget("expire"), Note("expired", f"the remembered lease of {ip_text(lease.address)} has run out")]

    def _renew_now(self, now: Now) -> list[Effect]:
        match self.state:
            case Bound() as bound:
                self._go(Cause.RENEW, self._renewing(bound, now))
            case Renewing() as renewing:
                self.state = self._renewing(renewing, now)
            case Rebinding() as rebinding:
                self.state = self._rebinding(rebinding, now)
            case _:
                return [Note("nothing-to-renew", "there is no address whose lease could be extended")]
        return self._ask()

    def _release(self) -> list[Effect]:
        if held := self._held():
            binding = held.binding
            xid = draw_xid(self._dice)
            # The message leaves from the address, so it must go before the address does.
            given_back = requests.release(self.settings, xid, binding.address, binding.server, "released by its user")
            return [given_back, *self._give_up(binding, "release")]
        lease = self.state.held.binding if isinstance(self.state, Probing) else self.remembered
        if not lease:
            return []
        forget: list[Effect] = [Forget("release")] if self.remembered else []
        self.remembered, self.wish = None, 0
        # s4.4.6: a DHCPRELEASE is unicast from the address; without it the server finds out when the lease ends.
        text = f"the server of {ip_text(lease.address)} was not told, because the address is not on the interface"
        return [*forget, Note("not-released", text)]

    def _stop(self) -> list[Effect]:
        if not isinstance(self.state, Stopped):
            self._go(Cause.STOP, Stopped(link_up=not isinstance(self.state, LinkDown)))
        return [Finished()]

    # What several of them share ------------------------------------------------------------------------------------------

    def _ask(self) -> list[Effect]:
        return [requests.question(self.settings, self.state, self.wish)]

    def _first(self, now: Now) -> Transaction:
        return transaction.first(now, self.settings.timing, self._dice)

    def _copy(self, ask: Transaction, now: Now) -> Transaction:
        return transaction.copy(ask, now, self.settings.timing, self._dice)

    def _renewing(self, leased: Leased, now: Now) -> Renewing:
        earlier = None if isinstance(leased, Bound) else leased.ask
        ask = transaction.extension(earlier, leased.held.t2_at, now, self.settings.timing, self._dice)
        return Renewing(leased.held, leased.watch, ask)

    def _rebinding(self, leased: Leased, now: Now) -> Rebinding:
        earlier = None if isinstance(leased, Bound) else leased.ask
        ask = transaction.extension(earlier, leased.held.expires_at, now, self.settings.timing, self._dice)
        return Rebinding(leased.held, leased.watch, ask)

    def _check(self, held: Held, cause: Literal["bound", "reboot", "remembered"], now: Now) -> Probing:
        """Find out whether the address is free, after a random wait (RFC 5227 s2.1.1)."""
        return Probing(held, cause, 0, now.mono + conflict.probe_wait(0, self.settings.conflict, self._dice))

    def _configure(self, binding: Binding, cause: ConfigureCause) -> Configure:
        self.remembered = binding
        self.wish = binding.address
        return Configure(binding, cause)

    def _init_after_failure(self, now: Now) -> Init:
        self.failures += 1
        return Init(now.mono + restart_wait(self.failures, self.settings.timing, self._dice))

    def _give_up(self, binding: Binding, cause: Literal["nak", "conflict", "release"]) -> list[Effect]:
        """The address on the interface is ours no longer."""
        self.remembered, self.wish = None, 0
        return [Deconfigure(binding, cause)]

    def _disown(self, address: int, cause: Literal["nak", "expire", "conflict"]) -> list[Effect]:
        """An address that is not on the interface cannot be ours; forget it if it is the one that is remembered."""
        if self.wish == address:
            self.wish = 0
        if self.remembered is None or self.remembered.address != address:
            return []
        self.remembered = None
        return [Forget(cause)]

    def _held(self) -> Held | None:
        return self.state.held if isinstance(self.state, Bound | Renewing | Rebinding) else None
