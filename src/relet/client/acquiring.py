"""On the way to an address: from INIT or INIT-REBOOT to the moment before its use.

`machine.py` says which rules hold, and decides who is called.
"""

from math import inf

from msgspec.structs import replace

from relet.client import conflict, grant, memory, requests, transaction
from relet.client.accept import Reply
from relet.client.arrows import Cause
from relet.client.conflict import Check
from relet.client.core import NETWORK_TEST_PAUSE_S, Core
from relet.client.states import (
    Attached,
    Init,
    InitReboot,
    Offer,
    Probing,
    Rebooting,
    Requesting,
    Selecting,
    V6Only,
)
from relet.model.clock import Now
from relet.model.effects import (
    Binding,
    Deconfigure,
    Effect,
    Note,
    Remembered,
    SendArp,
)
from relet.wire import arp
from relet.wire.address import ip_text

MAX_OFFERS = 16
"""Offers collected before one is chosen, though the window be open."""


class Acquiring(Core):
    """The client without an address."""

    def _select(self, selecting: Selecting, now: Now) -> list[Effect]:
        beside = selecting.beside
        if selecting.choose_at <= now.mono:
            return self._choose(selecting, now)
        if beside and beside.give_up_at <= now.mono:
            return self._unconfirmed(beside, now)
        if beside and beside.deadline() <= now.mono:
            beside = replace(beside, ask=self._copy(beside.ask, now))
            self.state = replace(selecting, beside=beside)
            return [requests.question(self.settings, beside)]
        self.state = replace(selecting, ask=self._copy(selecting.ask, now))
        return self._ask()

    def _choose(self, selecting: Selecting, now: Now) -> list[Effect]:
        # s4.4.1 leaves the choice to us: the address we had before, else whoever came first.
        offer = next((offer for offer in selecting.offers if self.wish == offer.address != 0), selecting.offers[0])
        if offer.v6only_wait is not None:
            return self._without_ipv4(offer.v6only_wait, offer.server, now)
        ask = transaction.following(selecting.ask, now, self.settings.timing, self._dice)
        beside = selecting.beside
        taken = beside.taken if beside and beside.lease.binding.address == offer.address else None
        self._go(Cause.CHOSEN, Requesting(ask, offer, beside, taken))
        return [*self._ask(), *self._first_probe(self._check(offer.address, offer.server), offer.address)]

    def _request_again(self, requesting: Requesting, now: Now) -> list[Effect]:
        ask, offer, beside = requesting.ask, requesting.offer, requesting.beside
        if beside and beside.give_up_at <= now.mono:
            self.state = replace(requesting, beside=None)
            text = (
                f"nobody answered for the remembered address {ip_text(beside.lease.binding.address)}; taking the offer"
            )
            return [Note("reboot-silence", text)]
        if ask.tries < self.settings.timing.request_tries:
            self.state = replace(requesting, ask=replace(self._copy(ask, now), secs=ask.secs))
            return self._ask()
        # s3.1 step 5: back to INIT, and the user is told; or to what the user permits in case of silence.
        candidates = self._candidates(now) if self.settings.use_remembered else ()
        self._go(Cause.SILENCE, InitReboot(candidates[0], now.mono) if candidates else Init(now.mono))
        text = f"{ip_text(offer.server)} offered {ip_text(offer.address)} and then fell silent; starting anew"
        return [Note("request-silence", text)]

    def _reboot(self, lease: Remembered, now: Now) -> list[Effect]:
        self.wish = address = lease.binding.address
        rebooting = Rebooting(
            lease,
            self._first(now),
            give_up_at=now.mono + self.settings.reboot_timeout,
            hedge_at=now.mono + self.settings.timing.hedge_after,
        )
        self._go(Cause.REBOOT, rebooting)
        return [
            *self._ask(),
            *self._first_probe(self.settings.check_again, address),
            *self._test_networks(rebooting, now),
        ]

    def _reboot_again(self, rebooting: Rebooting, now: Now) -> list[Effect]:
        if rebooting.give_up_at <= now.mono:
            return self._unconfirmed(rebooting, now)
        if rebooting.hedge_at <= now.mono:
            beside = replace(rebooting, hedge_at=inf, test_at=inf)
            discover = transaction.beside(rebooting.ask, now, self.settings.timing, self._dice)
            self._go(Cause.HEDGE, Selecting(discover, beside=beside))
            return self._ask()
        if rebooting.test_at <= now.mono:
            return self._test_networks(rebooting, now)
        self.state = replace(rebooting, ask=self._copy(rebooting.ask, now))
        return self._ask()

    def _test_networks(self, rebooting: Rebooting, now: Now) -> list[Effect]:
        pause_until = self._tested_at + NETWORK_TEST_PAUSE_S
        if not rebooting.tests and now.mono < pause_until:
            self.state = replace(rebooting, test_at=pause_until)
            return []
        tests, sent = self._network_tests(now), rebooting.tests + 1
        self.state = replace(rebooting, tests=sent, test_at=self._tested_again(sent, tests, now))
        return tests

    def _unconfirmed(self, rebooting: Rebooting, now: Now) -> list[Effect]:
        """Nobody has answered the DHCPREQUEST, and it is too late for that."""
        lease = rebooting.lease.binding
        nobody = f"nobody answered for the remembered address {ip_text(lease.address)}; "
        if (self.settings.use_remembered or rebooting.known) and grant.valid(lease, now.wall):
            # s3.2 step 4: the rest of an unexpired lease may be used.
            held = grant.remembered(lease, now, self.settings.timing, self._dice)
            note = Note("reboot-silence", nobody + "using it for the rest of its lease")
            return [note, *self._enter(Cause.PERMITTED, held, "remembered", rebooting.taken, now)]
        # Silence is no refusal: the lease stays remembered, and is the wish in the DHCPDISCOVER (s4.4.1).
        match self.state:
            case Selecting() as selecting:
                self.state = replace(selecting, beside=None)
                return [Note("reboot-silence", nobody + "awaiting an offer")]
            case _:
                self._go(Cause.SILENCE, Init(now.mono))
                return [Note("reboot-silence", nobody + "starting anew")]

    def _probe(self, probing: Probing, now: Now) -> list[Effect]:
        timing, held = self.settings.conflict, probing.held
        address = held.binding.address
        if held.expires_at <= now.mono:
            self._go(Cause.EXPIRY, self._init_after_failure(now))
            text = f"the lease of {ip_text(address)} ran out while the address was being checked; starting anew"
            return [*self._disown(held.binding), Note("expired", text)]
        if probing.probes < timing.probe_num:
            wait = conflict.probe_wait(probing.probes + 1, timing, self._dice)
            self.state = replace(probing, probes=probing.probes + 1, next_at=now.mono + wait)
            return [SendArp(arp.probe(self.settings.mac, address))]
        # RFC 5227 s2.5: from the first announcement on, ARP requests must be answered; so the address comes just before it.
        return self._use(Cause.FREE, held, probing.cause, Check.FULL, now)

    def _offered(self, selecting: Selecting, reply: Reply, now: Now) -> list[Effect]:
        offers = (*selecting.offers, Offer(reply.address, reply.server, reply.v6only_wait))
        enough = self.wish == reply.address != 0 or len(offers) == MAX_OFFERS
        choose_at = now.mono + (0.0 if enough else self.settings.timing.offer_window)
        self.state = replace(selecting, offers=offers, choose_at=min(selecting.choose_at, choose_at))
        return []

    def _rapidly_granted(self, selecting: Selecting, reply: Reply, now: Now) -> list[Effect]:
        """RFC 4039 s3: allocated in two messages, so that nobody may have been asked for the address by ARP yet."""
        beside, held = selecting.beside, grant.held(reply, selecting.ask.sent, self.settings.timing, self._dice)
        asked = beside is not None and beside.lease.binding.address == reply.address
        probes = [] if asked else self._first_probe(self._check(reply.address, reply.server), reply.address)
        taken = beside.taken if beside and asked else None
        return [*probes, *self._enter(Cause.ACK, held, "bound", taken, now)]

    def _disown_offer(self, offer: Offer) -> list[Effect]:
        """The server that offered an address refuses it: whatever it granted before is over."""
        if self.wish == offer.address:
            self.wish = 0
        refused = (offer.address, offer.server)
        return self._remember(
            tuple(each for each in self.remembered if (each.binding.address, each.binding.server) != refused)
        )

    def _network_met(self, attached: Attached, here: Remembered, now: Now) -> list[Effect]:
        """A remembered gateway answers a host that slept: of the network that it was on, or of another one."""
        binding = attached.held.binding
        moved: list[Effect] = [] if here.binding == binding else [Deconfigure(binding, "moved")]
        return [*moved, *self._network_known(attached, here, now)]

    def _refused_reboot(self, lease: Binding, server: int, now: Now) -> list[Effect]:
        self._refused = (*self._refused, lease)
        self.wish = 0
        another = memory.by_server(self._candidates(now), server)
        match self.state:
            case Rebooting() | Selecting() | Attached() if another:
                # The server that refuses is here, so this may be the network where it granted something else.
                self._go(Cause.NAK, InitReboot(another, now.mono))
            case Selecting() | Requesting() as allocating:
                self.state = replace(allocating, beside=None)
            case _:
                self._go(Cause.NAK, self._init_after_failure(now))
        return []

    def _without_ipv4(self, wait_s: int, server: int, now: Now) -> list[Effect]:
        # RFC 8925 s3.2
        held = self._held()
        self._go(Cause.V6ONLY, V6Only(now.mono + wait_s))
        text = f"{ip_text(server)} says that this network needs no IPv4; asking again in {wait_s} s"
        return [*([Deconfigure(held.binding, "ipv6-only")] if held else []), Note("ipv6-only", text)]

    def _arp_while_rebooting(self, rebooting: Rebooting, heard: arp.Arp, now: Now) -> list[Effect]:
        if self._quickly_found(rebooting.lease, heard):
            self.state = replace(rebooting, taken=heard)
            return []
        here = self._network_heard(heard, now)
        return self._network_known(rebooting, here, now) if here else []

    def _network_known(self, asking: Rebooting | Attached, here: Remembered, now: Now) -> list[Effect]:
        """RFC 4436 s2.1: this is the network of that lease."""
        asked = asking.lease.binding if isinstance(asking, Rebooting) else asking.held.binding
        another, check = here.binding != asked, self.settings.check_again
        if not another and (isinstance(asking, Attached) or check is Check.FULL):
            # In use already; or not to be used before its check, but silence is no obstacle any more.
            self.state = replace(asking, known=True, test_at=inf)
            return []
        if check is Check.FULL:
            self._go(Cause.KNOWN, InitReboot(here, now.mono))
            return []
        if isinstance(asking, Rebooting) and asking.taken and here.binding.address == asked.address:
            return []
        held = grant.remembered(here.binding, now, self.settings.timing, self._dice)
        watch = conflict.watch(self.settings.conflict, now.mono, check)
        ask = self._first(now) if another else asking.ask
        give_up_at = now.mono + self.settings.reboot_timeout
        self._go(Cause.KNOWN, Attached(held, watch, ask, give_up_at, known=True))
        text = f"the gateway of {ip_text(here.binding.address)} is here; using it while servers are asked"
        # RFC 5227 s2.1: no address is used before anybody was asked; for the other one it has happened.
        questions = [*self._ask(), *self._first_probe(check, here.binding.address)] if another else []
        return [*questions, *self._configure(here.binding, "network"), Note("network-known", text)]

    def _quickly_found(self, lease: Remembered, heard: arp.Arp) -> bool:
        return conflict.in_use(heard, lease.binding.address, self.settings.mac)
