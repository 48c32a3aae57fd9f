"""With an address: renewing it, announcing and defending it, and giving it up in time.

`machine.py` says which rules hold, and decides who is called.
"""

from math import inf

from msgspec.structs import replace

from relet.client import conflict, grant, memory, transaction
from relet.client.arrows import Cause
from relet.client.conflict import Check
from relet.client.core import Core
from relet.client.states import (
    Attached,
    Bound,
    Init,
    Leased,
    Rebinding,
    Renewing,
)
from relet.model.clock import Now
from relet.model.effects import (
    Binding,
    Deconfigure,
    Effect,
    Gateway,
    Note,
    Remembered,
    SendArp,
)
from relet.wire import arp
from relet.wire.address import hex_text, ip_text


class Holding(Core):
    """The client with an address."""

    def _hold_on(self, leased: Leased, now: Now) -> list[Effect]:
        """The deadlines of a client with an address, the gravest first."""
        held = leased.held
        if held.expires_at <= now.mono:
            return self._expire(held.binding, now)
        if isinstance(leased, Attached):
            if leased.give_up_at <= now.mono:
                return self._unanswered(leased, now)
            if leased.test_at <= now.mono:
                tests, sent = self._network_tests(now), leased.tests + 1
                self.state = replace(leased, tests=sent, test_at=self._tested_again(sent, tests, now))
                return tests
        elif held.t2_at <= now.mono and not isinstance(leased, Rebinding):
            self._go(Cause.T2, self._rebinding(leased, now))
            return self._ask()
        elif held.t1_at <= now.mono and isinstance(leased, Bound):
            self._go(Cause.T1, self._renewing(leased, now))
            return self._ask()
        if leased.watch.deadline() <= now.mono:
            return self._look_after(leased, now)
        match leased:
            case Attached():
                self.state = replace(leased, ask=self._copy(leased.ask, now))
            case Rebinding():
                self.state = self._rebinding(leased, now)
            case _:
                self.state = self._renewing(leased, now)
        return self._ask()

    def _unanswered(self, attached: Attached, now: Now) -> list[Effect]:
        binding = attached.held.binding
        nobody = f"nobody answered for {ip_text(binding.address)}"
        if attached.known or self._entry(binding).gateway is None:
            # s3.2 step 4: the rest of an unexpired lease may be used.
            self._go(Cause.SILENCE, Bound(attached.held, attached.watch))
            return [Note("reboot-silence", f"{nobody}; using it for the rest of its lease")]
        # The gateway that was here before the host slept is not, and no server knows us.
        self._go(Cause.SILENCE, Init(now.mono))
        return [Deconfigure(binding, "moved"), Note("reboot-silence", f"{nobody}, nor did its gateway; starting anew")]

    def _look_after(self, leased: Leased, now: Now) -> list[Effect]:
        """The rest of a quick check, announcements, and the question who the gateway is (RFC 5227 s2.3, RFC 4436)."""
        watch, timing, mac = leased.watch, self.settings.conflict, self.settings.mac
        address = leased.held.binding.address
        if watch.probe_at <= now.mono:
            self.state = replace(leased, watch=conflict.after_probe(watch, timing, now.mono))
            if watch.probes:
                return [SendArp(arp.probe(mac, address))]
            self.conflicts = 0
            return []
        if watch.announce_at <= now.mono:
            self.state = replace(leased, watch=conflict.after_announcement(watch, timing, now.mono))
            return [SendArp(arp.announcement(mac, address))]
        gateway = grant.gateway(leased.held.binding)
        watch = conflict.after_question(watch, now.mono) if gateway else replace(watch, ask_at=inf)
        self.state = replace(leased, watch=watch)
        return [SendArp(arp.question(mac, address, gateway))] if gateway else []

    def _expire(self, binding: Binding, now: Now) -> list[Effect]:
        # s4.4.5: stop using the address at once, and begin as if there had been none.
        self._go(Cause.EXPIRY, Init(now.mono))
        note = Note("expired", f"the lease of {ip_text(binding.address)} ran out")
        return [Deconfigure(binding, "expire"), *self._forget(binding), note]

    def _arp_in_use(self, leased: Leased, heard: arp.Arp, now: Now) -> list[Effect]:
        mac, binding = self.settings.mac, leased.held.binding
        if not conflict.conflicting(heard, binding.address, mac):
            return self._gateway_heard(leased, heard)
        if not conflict.may_defend(leased.watch, self.settings.conflict, now.mono):
            return self._decline(binding, heard, self._give_up(binding, "conflict"), now)
        self.state = replace(leased, watch=replace(leased.watch, conflict_at=now.mono))
        text = f"{hex_text(heard.sha)} uses our address {ip_text(binding.address)}; defending it"
        return [SendArp(arp.announcement(mac, binding.address)), Note("defended", text)]

    def _gateway_heard(self, leased: Leased, heard: arp.Arp) -> list[Effect]:
        """The gateway tells its hardware address: by this its network will be known again (RFC 4436)."""
        if not leased.watch.asked or heard.op != arp.REPLY or heard.tha != self.settings.mac or heard.sha[0] & 1:
            return []
        if heard.spa != grant.gateway(leased.held.binding) or self.settings.anonymous:
            return []
        self.state = replace(leased, watch=replace(leased.watch, ask_at=inf))
        known = Remembered(leased.held.binding, Gateway(heard.spa, heard.sha))
        return self._remember(memory.remember(memory.without(self.remembered, known.binding), known))

    def _woken(self, now: Now) -> list[Effect]:
        """s3.7, RFC 5227 s2.1: verify the address and check it again. It stays meanwhile, for the sake of connections: the
        link did not go down."""
        match self.state:
            case (Bound() | Renewing() | Rebinding()) as leased:
                self._refused = ()
                give_up_at = now.mono + self.settings.reboot_timeout
                watch, probes = leased.watch, list[Effect]()
                if self.settings.check_again is not Check.OFF:
                    watch = conflict.watch(self.settings.conflict, now.mono, Check.QUICK)
                    probes = [SendArp(arp.probe(self.settings.mac, leased.held.binding.address))]
                attached = Attached(leased.held, watch, self._first(now), give_up_at)
                self._go(Cause.WOKEN, attached)
                tests = self._network_tests(now)
                self.state = replace(attached, tests=1, test_at=self._tested_again(1, tests, now))
                return [*self._ask(), *probes, *tests]
            case _:
                return []

    def _renew_now(self, now: Now) -> list[Effect]:
        match self.state:
            case Bound() as bound:
                self._go(Cause.RENEW, self._renewing(bound, now))
            case Renewing() as renewing:
                self.state = self._renewing(renewing, now)
            case Rebinding() as rebinding:
                self.state = self._rebinding(rebinding, now)
            case Attached() as attached:
                self.state = replace(attached, ask=self._copy(attached.ask, now))
            case _:
                return [Note("nothing-to-renew", "there is no address whose lease could be extended")]
        return self._ask()

    def _renewing(self, leased: Leased, now: Now) -> Renewing:
        earlier = None if isinstance(leased, Bound) else leased.ask
        ask = transaction.extension(earlier, leased.held.t2_at, now, self.settings.timing, self._dice)
        return Renewing(leased.held, leased.watch, ask)

    def _rebinding(self, leased: Leased, now: Now) -> Rebinding:
        earlier = None if isinstance(leased, Bound) else leased.ask
        ask = transaction.extension(earlier, leased.held.expires_at, now, self.settings.timing, self._dice)
        return Rebinding(leased.held, leased.watch, ask)
