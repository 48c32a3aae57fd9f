"""The client in the real world: gives the machine what sockets, clock, link and operator say, and does what it wants.

What the protocol asks is decided in client/machine.py. Here stand the order of the deeds (address, lease file, hook) and
the few wishes of an operator that the machine does not know: once, release. Whether the interface is there at all is
the business of presence.py. Nothing is printed here; what happens is handed to `tell`.
"""

import errno
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from math import inf
from typing import assert_never

from msgspec.structs import replace

from relet.client.machine import Client
from relet.client.memory import Leases
from relet.client.settings import ClientSettings
from relet.client.states import Bound, Init, Rebinding, Renewing, Requesting, Selecting, State, V6Only
from relet.model.effects import (
    CLIENT_PORT,
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Finished,
    Note,
    Remember,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, ClockSet, Command, Event, LinkChanged, Wake, Woken
from relet.net import clock, dice
from relet.net.arp import ArpFrames
from relet.net.link import LinkError
from relet.net.packet import DhcpFrames, Frames
from relet.net.sockets import QUIET_BATCH
from relet.net.udp import Mouth
from relet.run.configure import metric_of
from relet.run.desk import Desk
from relet.run.hand import Hand, Held
from relet.run.loop import Sources
from relet.run.mtu import REFUSED as MTU_REFUSED
from relet.run.orders import ENVIRONMENT, GOOD, NO, Orders
from relet.run.plan import Plan, plan, without_mtu
from relet.run.siblings import Siblings
from relet.run.told import IGNORED, Told, configured, deconfigured, duration, state_line
from relet.run.upkeep import Upkeep
from relet.run.variables import environment
from relet.wire.address import ip_text
from relet.wire.arp import REPLY, REQUEST, Arp

RELEASE_POLLS = 100
RELEASE_POLL_S = 0.01
"""A DHCPRELEASE may wait in the kernel for its server's hardware address; our address stays for that long at most."""

LINK_GOES = (errno.ENODEV, errno.ENETDOWN)
"""Why an address cannot be set on an interface of which netlink will soon say that it is down."""

CANNOT_CONFIGURE = "cannot-configure"
"""The event of a lease that cannot be put on the interface, or taken away from there."""


class Acquire:
    """One client on an interface as it is now; another index or hardware address is another client's.

    held: the interface; its sockets become the client's. hand: does what the client wants done. tell: gets all that happens,
    and must not raise, for more is to be done than to tell it. ended: called when `finished` may have become true. binding:
    the lease whose address is in use. outcome: GOOD, NO (nothing obtained, nothing to release) or ENVIRONMENT. obtained:
    has there been an address, or is none needed?
    """

    def __init__(
        self,
        held: Held,
        settings: ClientSettings,
        orders: Orders,
        loop: Sources,
        hand: Hand,
        desk: Desk,
        tell: Callable[[Told], None],
        ended: Callable[[], None],
    ) -> None:
        self.link, self.outcome, self.finished, self.obtained = held.link, GOOD, False, False
        self._orders, self._hand, self._desk, self._tell, self._ended = orders, hand, desk, tell, ended
        with ExitStack() as stack:
            for each in held.sockets:
                stack.callback(each.close)
            self._frames = DhcpFrames(Frames(held.sockets.dhcp, QUIET_BATCH), CLIENT_PORT)
            self._arp = ArpFrames(Frames(held.sockets.arp, QUIET_BATCH))
            self._mouth = Mouth(held.sockets.udp)
            for source in (self._frames, self._arp):
                loop.register(source, partial(self._readable, source))
                stack.callback(loop.unregister, source)
            self._opened = stack.pop_all()
        if orders.speak:
            self._mouth.borrow()
        self._notes(held.notes)
        settings = replace(settings, client_id=held.identity.client_id)
        self._client = Client(settings, dice.throw, held.leases)
        self._written, self._unwritten = places(held.leases), ""
        desk.attend(self._client, self._good)
        self.binding: Binding | None = None
        self._upkeep = Upkeep(held.link, metric_of(held.link, orders.metric))
        self._wall = clock.WallClock()
        self._sent = True
        self._siblings = Siblings(lambda: clock.now().mono)
        self._ignored: set[str] = set()
        self._refused: tuple[Note, ...] = ()
        self._bad_mtu = 0

    def start(self, up: bool) -> None:
        """Begin. Raises LinkError if the interface cannot be switched on."""
        if self._orders.release and self._client.lease is None:
            self._say("nothing-to-release", f"{self.link.name} has no lease to release")
            self.end(NO)
            return
        if self._orders.configure:
            self._prepare()
        else:
            self._run_hook("preinit")
        self.on([LinkChanged(up), Command.START])

    def on(self, events: Sequence[Event]) -> None:
        """Something happened: have the machine say what follows, and do it. The machine reckons with no wall time but the
        one that it knows, so it hears first if that was set."""
        heard = (*self._clock_set(), *events)
        for event in heard:
            before, now = self._client.state, clock.now()
            effects = self._client.handle(event, now)
            self._desk.record(event, before, effects, now)
            for effect in in_order(effects, self._written):
                self._carry_out(effect)
            self._tell_ignored()
            self._tell_state(before)
        if self.binding and any(isinstance(event, ClockSet | Woken) for event in heard):
            self._put_again()
        self._after()

    def command(self, command: Command) -> None:
        """What the operator asks of the client."""
        if command is Command.RENEW and self._orders.configure and self.binding:
            self._upkeep.hurry(clock.now())
            self._put_back()
        self.on([command])

    def taken(self, route: tuple[int, int, int] | None) -> None:
        """The kernel says that a route of DHCP's or, None, an address is no longer on the interface."""
        now = clock.now()
        if wait_s := self._upkeep.taken(route, now):
            self._say(
                "taken-off",
                f"{self._upkeep.missing()} was taken off {self.link.name} again; put back in {wait_s:.0f} s",
            )
        self._put_back()

    def deadline(self) -> float:
        """Monotonic time at which `wake` is wanted; infinity for never."""
        machine = self._client.deadline()
        return min(self._upkeep.deadline(), inf if machine is None else machine)

    def wake(self, mono: float) -> None:
        """The deadline has come."""
        self._put_back()
        machine = self._client.deadline()
        if machine is not None and machine <= mono:
            self.on([Wake()])

    def end(self, outcome: int) -> None:
        """Stop, with that outcome."""
        self.outcome = outcome
        self.on([Command.STOP])

    def close(self) -> None:
        """Give the sockets back. Idempotent."""
        self._opened.close()

    def _clock_set(self) -> Sequence[Event]:
        by = self._wall.was_set()
        if not by:
            return ()
        self._say("clock-set", f"the wall clock was set {'forward' if by > 0 else 'back'} by {duration(abs(by))}")
        return (ClockSet(by),)

    def _put_again(self) -> None:
        """The kernel's idea of how long the address lives does not count the time asleep, and name servers have a date."""
        if lease := self._client.lease:
            self.binding = self._good(lease)
            with suppress(LinkError):  # what put it there before said what is wrong
                self._hand.put(plan(lease))
                self._keep(plan(lease))

    def _keep(self, wanted: Plan | None) -> None:
        """Of an interface that is not ours to touch, nothing is kept."""
        self._upkeep.keep(wanted if self._orders.configure else None)

    def _put_back(self) -> None:
        """Whatever of the lease somebody else has taken off the interface, if it is time for it."""
        now = clock.now()
        if self._upkeep.deadline() > now.mono:
            return
        what = self._upkeep.missing()
        self._upkeep.put_back(now)
        lease = self._client.lease
        if not what or lease is None or self.binding is None:
            return
        try:
            self._hand.put(plan(lease))
        except LinkError as error:
            self._say(CANNOT_CONFIGURE, str(error))
            return
        self._say("put-back", f"{what} was taken off {self.link.name} by somebody else, and is put back")

    def _readable(self, source: DhcpFrames | ArpFrames) -> None:
        events = [event for event in source.receive() if not self._from_this_host(event)]
        if self._orders.speak and self.binding:
            self._speak_for(self.binding.address, events)
        self.on(events)

    def _from_this_host(self, event: Event) -> bool:
        """Is it ARP of another interface of ours, about the address that we use or would like to?"""
        state = self._client.state
        lease = self._client.lease
        address = state.offer.address if isinstance(state, Requesting) else lease.address if lease else 0
        return isinstance(event, ArpSeen) and event.arp.sha != self.link.mac and self._siblings.sent(event.arp, address)

    def _speak_for(self, address: int, events: Sequence[Event]) -> None:
        """RFC 5227 s2.5: whoever has an address answers ARP for it; a kernel that does not know it will not."""
        for event in events:
            if isinstance(event, ArpSeen) and event.arp.op == REQUEST and event.arp.tpa == address != event.arp.spa:
                reply = Arp(REPLY, self.link.mac, address, event.arp.sha, event.arp.spa)
                self._arp.send(SendArp(reply, event.arp.sha))

    def _prepare(self) -> None:
        # A client that was killed left its address behind. It is not ours to use before a server says so again.
        left = {lease.binding.address: plan(lease.binding) for lease in self._client.remembered}
        found, notes = self._hand.prepare(tuple(left.values()))
        for address in found:
            self._say("left-over", f"{ip_text(address)} of an earlier run taken away until it is confirmed")
        self._notes(notes)

    def _after(self) -> None:
        """Does a wish of the operator, or the machine's end, end the client?"""
        state = self._client.state
        if not self.finished and self._orders.release:
            self._release_if_possible(state)
        if self._orders.once and (isinstance(state, V6Only) or (isinstance(state, Bound) and not state.watch.busy)):
            self.finished = True
        if self.finished:
            self._ended()

    def _release_if_possible(self, state: State) -> None:
        if isinstance(state, Bound | Renewing | Rebinding):
            self.on([Command.RELEASE])
        elif self._client.lease is None:
            self.end(GOOD)  # refused, run out or in use elsewhere: it is no longer ours
        elif isinstance(state, Init | Selecting | Requesting | V6Only):
            self._say("not-released", "no server confirmed the lease, so none could be told; it stays remembered")
            self.end(NO)

    # What is to be done ----------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(mac=None):
                self._send(effect)
            case Send():
                self._frames.send([effect])
            case SendArp():
                self._arp.send(effect)
            case Remember(leases=leases):
                self._remember(leases)
            case Configure():
                self._configure(effect)
            case Deconfigure():
                self._deconfigure(effect)
            case Note(kind=kind, text=text):
                self._say(kind, text)
            case Finished():
                self.finished = True
                self._hand.hurry()
            case _:
                assert_never(effect)

    def _send(self, send: Send) -> None:
        self._sent = self._mouth.send(send)
        if not self._sent:
            where = f"to {ip_text(send.destination)} from {ip_text(send.source)}"
            self._say("not-sent", f"the kernel cannot send {where}; is that address on {self.link.name}?")

    def _configure(self, effect: Configure) -> None:
        now, wanted = clock.now(), plan(effect.binding)
        self._notes(note for note in wanted.refused if note not in self._refused)
        self._refused = wanted.refused
        try:
            notes = self._hand.put(wanted)
        except LinkError as error:
            self._say(CANNOT_CONFIGURE, str(error))
            if error.code not in LINK_GOES:
                self.end(ENVIRONMENT)
            return
        self._keep(wanted)
        self._bad_mtu = wanted.mtu if any(note.kind == MTU_REFUSED for note in notes) else 0
        before, self.binding = self.binding, self._good(effect.binding)
        self.obtained = True
        self._tell(configured(effect, self.link.name, now.wall))
        self._notes(notes)
        self._run_hook(effect.cause, self.binding, before)

    def _deconfigure(self, effect: Deconfigure) -> None:
        self.binding = None
        self._keep(None)
        server_told = effect.cause != "release" or self._let_go()
        if not server_told:
            self.outcome = NO
        notes: Sequence[Note] = ()
        try:
            notes = self._hand.take(plan(effect.binding), link_lost=effect.cause == "link-down")
        except LinkError as error:
            self._say(CANNOT_CONFIGURE, str(error))
        self._tell(deconfigured(effect, self.link.name, clock.now().wall, server_told, not self._unwritten))
        self._notes(notes)
        self._run_hook(effect.cause, self._good(effect.binding))

    def _good(self, binding: Binding) -> Binding:
        """A lease as everybody may see it: what `plan` cannot know is that the interface refuses its MTU."""
        return without_mtu(binding) if self._bad_mtu and plan(binding).mtu == self._bad_mtu else binding

    def _run_hook(self, reason: str, lease: Binding | None = None, before: Binding | None = None) -> None:
        if self._orders.hook:
            self._hand.run_hook(reason, environment(reason, self.link.name, lease, before))

    def _let_go(self) -> bool:
        """Has the DHCPRELEASE that was just sent left the kernel?"""
        for _ in range(RELEASE_POLLS):
            if not self._sent or not self._mouth.unsent():
                break
            time.sleep(RELEASE_POLL_S)
        return self._sent and not self._mouth.unsent()

    def _remember(self, leases: Leases) -> None:
        try:
            self._hand.remember(leases)
            self._written, self._unwritten = places(leases), ""
        except OSError as error:
            if str(error) != self._unwritten:
                self._say("lease-file", str(error))
            self._unwritten = str(error)

    # What is told ----------------------------------------------------------------------------------------------------

    def _tell_state(self, before: State) -> None:
        state = self._client.state
        line = state_line(state)
        self.obtained = self.obtained or isinstance(state, V6Only)
        if line and type(state) is not type(before):
            self._say(type(state).__name__.lower(), line)

    def _tell_ignored(self) -> None:
        """Once for each reason."""
        for name, meaning in IGNORED.items():
            if name in self._client.dropped and name not in self._ignored:
                self._ignored.add(name)
                self._say("ignored", f"a server's answer is ignored: {meaning}")

    def _notes(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self._say(note.kind, note.text)

    def _say(self, event: str, text: str) -> None:
        self._tell(Told(event=event, text=text, at=clock.now().wall, interface=self.link.name))


Places = frozenset[tuple[int, int]]
"""Addresses with the widths of their prefixes, as they may be on an interface."""


def places(leases: Leases) -> Places:
    """What the client may have on its interface, if it has these leases."""
    return frozenset((each.binding.address, each.binding.prefix()[1]) for each in leases)


def in_order(effects: Sequence[Effect], written: Places) -> list[Effect]:
    """In which order to carry out what follows from one event. written: what the lease file has.

    To write the file waits for the disk, longer than all else takes. So that comes last; but for an address that is not in
    the file, as a client that was killed finds by it what it has left on the interface.
    """
    return sorted(effects, key=lambda each: isinstance(each, Remember) and places(each.leases) <= written)
