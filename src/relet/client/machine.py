"""The client: every transition of RFC 2131 figure 5 and of the states that the figure lacks.

Rules that hold here, whatever happens:
1. What is overdue comes first: an event that arrives after the lease's end meets a client that has given the address up.
2. An address is configured only after a DHCPACK for it; or if the gateway of the network on which it is leased is here
   (RFC 4436), or the operator permits it (RFC 2131 s3.2). How it is checked is `settings.check_new` and `check_again`.
3. A lease counts from when its request was first sent, on the monotonic clock; at its end the address goes at once.
4. A remembered lease is forgotten only if another host has its address, it ran out, it was given back, a server refused it
   while it was in use, or a newer one of its network takes its place. Silence, STOP and a lost link leave it. A DHCPNAK
   while rebooting leaves it too, since another network's server may have sent it; it is asked for again after the link
   has changed.
5. In REBOOTING any server's first verdict decides. A DHCPDISCOVER may go out beside the DHCPREQUEST; until an offer has
   brought a lease, a DHCPACK to either wins, and a DHCPNAK to the one leaves the other. What comes afterwards is dropped.
6. Every way from state to state is a row of `arrows.ARROWS`; what one state knows dies with it.
No reply, however wrong, raises: it is counted in `dropped`.
"""

from math import inf
from typing import assert_never

from msgspec.structs import replace

from relet.client import conflict, grant, memory, requests
from relet.client.accept import Reply, accept, expected
from relet.client.acquiring import Acquiring
from relet.client.arrows import Cause
from relet.client.dice import draw_xid
from relet.client.holding import Holding
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    Stopped,
    V6Only,
)
from relet.model.clock import Now
from relet.model.effects import (
    Deconfigure,
    Effect,
    Finished,
    Note,
)
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake, Woken
from relet.wire import arp, options
from relet.wire.address import ip_text
from relet.wire.options import MessageType

MAX_STEPS = 8
"""Deadlines met in one call; the longest chain that settings allow is shorter, and the next call goes on."""

Asking = Requesting | Rebooting | Attached | Renewing | Rebinding
"""The states that a DHCPACK or DHCPNAK can end."""


class Client(Acquiring, Holding):
    """One interface's client.

    state: for reading. remembered: leases of the networks that it has been on, newest first. dropped: datagrams not
    taken, by name. conflicts: since an address passed its check (RFC 5227 s2.1.1). failures: grants refused or run out
    since the last BOUND. wish: the address suggested in DHCPDISCOVER, 0 for none.
    """

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
            case Woken():
                return self._woken(now)
            case ClockSet(by=by):
                return self._clock_set(by, now)
            case Command():
                return self._commanded(event, now)
            case _:
                assert_never(event)

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
                return self._reboot(lease, now)
            case Rebooting() as rebooting:
                return self._reboot_again(rebooting, now)
            case Attached() as attached:
                return self._hold_on(attached, now)
            case Probing() as probing:
                return self._probe(probing, now)
            case Backoff() | V6Only():
                self._go(Cause.WAITED, Init(now.mono))
                return []
            case Bound() | Renewing() | Rebinding() as leased:
                return self._hold_on(leased, now)
            case Stopped() | LinkDown():
                return []
            case _:
                assert_never(self.state)

    def _arrived(self, payload: bytes, now: Now) -> list[Effect]:
        reply = accept(payload, expected(self.state), self.settings, now.mono)
        if isinstance(reply, str):
            self.dropped[reply] = self.dropped.get(reply, 0) + 1
            return []
        match self.state:
            case Selecting(beside=Rebooting() as beside) | Requesting(beside=Rebooting() as beside) if (
                reply.message.xid == beside.ask.xid
            ):
                return self._judged(beside, reply, now)
            case Selecting() as selecting if reply.kind is MessageType.OFFER:
                return self._offered(selecting, reply, now)
            case Selecting() as selecting:
                return self._rapidly_granted(selecting, reply, now)
            case Requesting() | Rebooting() | Attached() | Renewing() | Rebinding() as asking:
                return self._judged(asking, reply, now)
            case _:
                raise RuntimeError(f"{self.state!r} awaits no reply")

    def _judged(self, asking: Asking, reply: Reply, now: Now) -> list[Effect]:
        refused = reply.kind is MessageType.NAK
        return self._refused_by(asking, reply, now) if refused else self._granted(asking, reply, now)

    def _granted(self, asking: Asking, reply: Reply, now: Now) -> list[Effect]:
        held = grant.held(reply, asking.ask.sent, self.settings.timing, self._dice)
        match asking:
            case Rebooting() | Attached() if reply.v6only_wait is not None:
                return self._without_ipv4(reply.v6only_wait, reply.server, now)
            case Requesting(taken=taken):
                return self._enter(Cause.ACK, held, "bound", taken, now)
            case Rebooting(taken=taken):
                return self._enter(Cause.ACK, held, "reboot", taken, now)
            case Attached(watch=watch):
                self._go(Cause.ACK, Bound(held, watch))
                return self._configure(held.binding, "reboot", extended=True)
            case Renewing(watch=watch):
                self._go(Cause.ACK, Bound(held, watch))
                return self._configure(held.binding, "renew", extended=True)
            case Rebinding(watch=watch):
                self._go(Cause.ACK, Bound(held, watch))
                return self._configure(held.binding, "rebind", extended=True)

    def _refused_by(self, asking: Asking, reply: Reply, now: Now) -> list[Effect]:
        match asking:
            case Rebooting(lease=lease):
                address = lease.binding.address
                effects = self._refused_reboot(lease.binding, reply.server, now)
            case Requesting(offer=offer):
                address = offer.address
                self._go(Cause.NAK, self._init_after_failure(now))
                effects = self._disown_offer(offer)
            case Attached(held=held, known=False):
                # Woken, perhaps elsewhere: as in REBOOTING, the lease may be another network's.
                address = held.binding.address
                effects = [Deconfigure(held.binding, "nak"), *self._refused_reboot(held.binding, reply.server, now)]
            case _:
                address = asking.held.binding.address
                self._go(Cause.NAK, self._init_after_failure(now))
                effects = self._give_up(asking.held.binding, "nak")
        said = reply.message.options.get(options.MESSAGE.code)
        words = f": {options.MESSAGE.text(said)}" if said else ""
        return [*effects, Note("nak", f"{ip_text(reply.server)} refused {ip_text(address)}{words}")]

    def _arp_seen(self, heard: arp.Arp, now: Now) -> list[Effect]:
        mac = self.settings.mac
        match self.state:
            case Probing(held=held) if conflict.in_use(heard, held.binding.address, mac):
                return self._decline(held.binding, heard, self._disown(held.binding), now)
            case Rebooting() as rebooting:
                return self._arp_while_rebooting(rebooting, heard, now)
            case Selecting(beside=Rebooting(lease=lease) as beside) as selecting if self._quickly_found(lease, heard):
                self.state = replace(selecting, beside=replace(beside, taken=heard))
            case Requesting(offer=offer, beside=beside) as requesting:
                if conflict.in_use(heard, offer.address, mac):
                    requesting = replace(requesting, taken=heard)
                if beside and self._quickly_found(beside.lease, heard):
                    requesting = replace(requesting, beside=replace(beside, taken=heard))
                self.state = requesting
            # Where two remembered gateways are on one link, the first one that answers counts.
            case Attached(known=False) as attached if here := self._network_heard(heard, now):
                return self._network_met(attached, here, now)
            case (Bound() | Renewing() | Rebinding() | Attached()) as leased:
                return self._arp_in_use(leased, heard, now)
        return []

    def _link_changed(self, up: bool, now: Now) -> list[Effect]:
        match self.state:
            case Stopped():
                self.state = Stopped(link_up=up)
                return []
            case LinkDown(not_before=not_before) if up:
                # s3.7: verify the address after a disconnection; and on this network, nothing has been refused yet.
                self._refused = ()
                return self._begin(Cause.LINK_UP, now, not_before)
            case LinkDown():
                return []
            case _ if up:
                return []
            case Bound(held=held) | Renewing(held=held) | Rebinding(held=held) | Attached(held=held):
                self._go(Cause.LINK_DOWN, LinkDown())
                return [Deconfigure(held.binding, "link-down")]
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
                return [*([Deconfigure(held.binding, "stop")] if held else []), *self._stop()]

    def _start(self, now: Now) -> list[Effect]:
        match self.state:
            case Stopped(link_up=True):
                return self._begin(Cause.START, now)
            case Stopped():
                self._go(Cause.START, LinkDown())
        return []

    def _begin(self, cause: Cause, now: Now, not_before: float = -inf) -> list[Effect]:
        """INIT-REBOOT with an unexpired remembered lease, else INIT."""
        candidates = self._candidates(now)
        if candidates:
            self._go(cause, InitReboot(candidates[0], max(now.mono, not_before)))
        else:
            delay = self._dice() * self.settings.timing.start_delay
            self._go(cause, Init(max(now.mono + delay, not_before)))
        over = [lease for lease in self.remembered if now.wall >= lease.binding.expires()]
        if not over:
            return []
        texts = [f"the remembered lease of {ip_text(lease.binding.address)} has run out" for lease in over]
        return [*self._remember(memory.valid(self.remembered, now.wall)), *(Note("expired", text) for text in texts)]

    def _release(self) -> list[Effect]:
        if held := self._held():
            binding = held.binding
            xid = draw_xid(self._dice)
            # The message leaves from the address, so it must go before the address does.
            given_back = requests.release(self.settings, xid, binding.address, binding.server, "released by its user")
            self.wish = 0
            # Forgotten first: if the host dies in between, the server keeps a lease for nobody, and not somebody an address
            # that it has given back.
            return [*self._forget(binding), given_back, Deconfigure(binding, "release")]
        lease = self.lease
        if not lease:
            return []
        self.wish = 0
        # s4.4.6: a DHCPRELEASE is unicast from the address; without it the server finds out when the lease ends.
        text = f"the server of {ip_text(lease.address)} was not told, because the address is not on the interface"
        return [*self._forget(lease), Note("not-released", text)]

    def _stop(self) -> list[Effect]:
        if not isinstance(self.state, Stopped):
            self._go(Cause.STOP, Stopped(link_up=not isinstance(self.state, LinkDown)))
        return [Finished()]
