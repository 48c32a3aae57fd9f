"""What every part of the client stands on: what it remembers and counts, the way from state to state, how an address
comes into use, and how it is given up.

`machine.py` says which rules hold.
"""

from math import inf
from typing import Literal

from msgspec.structs import replace

from relet.client import conflict, grant, memory, requests, transaction
from relet.client.arrows import ARROWS, Arrow, Cause
from relet.client.conflict import Check
from relet.client.dice import Dice, draw_xid
from relet.client.redate import redated
from relet.client.settings import ClientSettings
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Held,
    Init,
    InitReboot,
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
from relet.model.effects import (
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Gateway,
    Note,
    Remember,
    Remembered,
    SendArp,
)
from relet.wire import arp
from relet.wire.address import hex_text, ip_text

ConfigureCause = Literal["bound", "reboot", "renew", "rebind", "network", "remembered"]
NETWORK_TESTS = 3
NETWORK_TEST_WAIT_S = 0.2
NETWORK_TEST_PAUSE_S = 1.0
"""How often, and how far apart, remembered gateways are asked whether they are here, and how long at least between the
beginnings of that (RFC 4436 s2.1, s4)."""

EntryCause = Literal["bound", "reboot", "remembered"]


class Core:
    """See `machine.Client`."""

    def __init__(self, settings: ClientSettings, dice: Dice, remembered: memory.Leases = ()) -> None:
        self.settings = settings
        self.state: State = Stopped()
        # RFC 7844 s3.3: an anonymous client goes back to nothing.
        self.remembered = () if settings.anonymous else remembered
        self.dropped: dict[str, int] = {}
        self.conflicts = 0
        self.failures = 0
        self.wish = self.remembered[0].binding.address if self.remembered else 0
        self._refused: tuple[Binding, ...] = ()
        self._recalled = tuple(each.binding for each in self.remembered)
        self._tested_at = -inf
        self._dice = dice

    @property
    def lease(self) -> Binding | None:
        """The lease in use, or the one that is, or would be, asked for by INIT-REBOOT; None if there is none."""
        match self.state:
            case (
                Bound(held=held) | Renewing(held=held) | Rebinding(held=held) | Attached(held=held) | Probing(held=held)
            ):
                return held.binding
            case Rebooting(lease=lease) | InitReboot(lease=lease):
                return lease.binding
            case Selecting(beside=Rebooting(lease=lease)) | Requesting(beside=Rebooting(lease=lease)):
                return lease.binding
        return next((each.binding for each in self.remembered if each.binding not in self._refused), None)

    def deadline(self) -> float | None:
        """Monotonic time at which a `Wake` is wanted; None: none is."""
        at = self.state.deadline()
        return None if at == inf else at

    def _go(self, cause: Cause, target: State) -> None:
        """The only way into another state."""
        if Arrow(type(self.state), cause, type(target)) not in ARROWS:
            raise RuntimeError(f"no arrow from {self.state!r} by {cause!r} to {target!r}")
        self.state = target

    def _ask(self) -> list[Effect]:
        return [requests.question(self.settings, self.state, self.wish)]

    def _first(self, now: Now) -> Transaction:
        return transaction.first(now, self.settings.timing, self._dice)

    def _copy(self, ask: Transaction, now: Now) -> Transaction:
        return transaction.copy(ask, now, self.settings.timing, self._dice)

    def _candidates(self, now: Now) -> memory.Leases:
        """The leases that INIT-REBOOT may ask for here."""
        return tuple(each for each in memory.valid(self.remembered, now.wall) if each.binding not in self._refused)

    def _check(self, address: int, server: int) -> Check:
        """How an address on offer is checked: it is no new one if this server granted it before."""
        known = any(
            (each.binding.address, each.binding.server) == (address, server) and each.binding not in self._refused
            for each in self.remembered
        )
        return self.settings.check_again if known else self.settings.check_new

    def _first_probe(self, check: Check, address: int) -> list[Effect]:
        """A quick check begins beside the DHCPREQUEST: whoever has the address answers as soon as the server does."""
        return [SendArp(arp.probe(self.settings.mac, address))] if check is Check.QUICK else []

    def _network_tests(self, now: Now) -> list[Effect]:
        """RFC 4436 s2.1: on which of the remembered networks are we? Its gateway answers a unicast ARP request.

        s2.3: not for link-local addresses.
        """
        self._tested_at = now.mono
        return [
            SendArp(arp.question(self.settings.mac, each.binding.address, each.gateway.address), each.gateway.mac)
            for each in self._candidates(now)
            if each.gateway and grant.valid(each.binding, now.wall) and not grant.link_local(each.binding.address)
        ]

    def _tested_again(self, sent: int, tests: list[Effect], now: Now) -> float:
        """When remembered gateways are asked once more, after so many times."""
        return now.mono + NETWORK_TEST_WAIT_S if tests and sent < NETWORK_TESTS else inf

    def _network_heard(self, heard: arp.Arp, now: Now) -> Remembered | None:
        """The remembered lease whose gateway has just answered us.

        None if a newer one may be of the same network, its gateway being unknown yet: then this one may have been replaced,
        and a server has to say which counts.
        """
        candidates = self._candidates(now)
        here = memory.by_gateway(candidates, Gateway(heard.spa, heard.sha))
        if here is None or heard.op != arp.REPLY or heard.tha != self.settings.mac:
            return None
        if any(memory.replaces(here, newer) for newer in candidates[: candidates.index(here)]):
            return None
        return here if grant.valid(here.binding, now.wall) else None

    def _enter(self, cause: Cause, held: Held, why: EntryCause, taken: arp.Arp | None, now: Now) -> list[Effect]:
        """The lease is ours: use the address, after its check or beside it. taken: who else has it."""
        binding = held.binding
        check = self._check(binding.address, binding.server) if why == "bound" else self.settings.check_again
        if check is Check.FULL:
            # RFC 5227 s2.1.1: after a random wait.
            self._go(
                cause, Probing(held, why, 0, now.mono + conflict.probe_wait(0, self.settings.conflict, self._dice))
            )
            return []
        if check is Check.QUICK and taken:
            return self._decline(held.binding, taken, self._disown(held.binding), now)
        return self._use(cause, held, why, check, now)

    def _use(self, cause: Cause, held: Held, why: EntryCause, check: Check, now: Now) -> list[Effect]:
        self.failures = 0
        if check is not Check.QUICK:
            self.conflicts = 0
        self._go(cause, Bound(held, conflict.watch(self.settings.conflict, now.mono, check)))
        return self._configure(held.binding, why)

    def _configure(self, binding: Binding, cause: ConfigureCause, *, extended: bool = False) -> list[Effect]:
        """extended: the lease is the one that was in use, so its network's gateway is still the same. One that was confirmed
        or granted may belong to a network that only looks like the remembered one."""
        self.wish = binding.address
        others = self.remembered
        if extended and others and others[0].binding.address == binding.address:
            lease, others = replace(others[0], binding=binding), others[1:]
        else:
            lease = self._entry(binding)
        return [*self._remember(memory.remember(others, lease)), Configure(binding, cause)]

    def _remember(self, leases: memory.Leases) -> list[Effect]:
        if self.settings.anonymous or leases == self.remembered:
            return []
        self.remembered = leases
        return [Remember(leases)]

    def _clock_set(self, by: float, now: Now) -> list[Effect]:
        """What this run has won is dated by the old clock; what it was told to remember is dated by an earlier run's, and if
        it is in use without an answer, it was judged by the wrong time."""

        def date(binding: Binding) -> Binding:
            won = binding not in self._recalled
            return replace(binding, requested_at=binding.requested_at + by) if won else binding

        self.state = redated(self.state, by, date)
        match self.state:
            case (
                Bound(held=held) | Renewing(held=held) | Rebinding(held=held) | Attached(held=held) | Probing(held=held)
            ) if held.binding in self._recalled:
                self.state = replace(self.state, held=self._judged_again(held, now))
        self._refused = tuple(map(date, self._refused))
        return self._remember(tuple(replace(each, binding=date(each.binding)) for each in self.remembered))

    def _judged_again(self, held: Held, now: Now) -> Held:
        """The same lease by the clock as it is now; over, if this clock does not allow it."""
        if grant.valid(held.binding, now.wall):
            return grant.remembered(held.binding, now, self.settings.timing, self._dice)
        return replace(held, expires_at=now.mono)

    def _entry(self, binding: Binding) -> Remembered:
        """A lease as it is remembered."""
        return next((each for each in self.remembered if each.binding == binding), Remembered(binding))

    def _forget(self, binding: Binding) -> list[Effect]:
        return self._remember(memory.forget(self.remembered, self._entry(binding)))

    def _disown(self, binding: Binding) -> list[Effect]:
        """An address that is not on the interface cannot be ours."""
        if self.wish == binding.address:
            self.wish = 0
        return self._forget(binding)

    def _give_up(self, binding: Binding, cause: Literal["nak", "conflict"]) -> list[Effect]:
        """The address on the interface is ours no longer."""
        self.wish = 0
        return [Deconfigure(binding, cause), *self._forget(binding)]

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

    def _init_after_failure(self, now: Now) -> Init:
        self.failures += 1
        return Init(now.mono + restart_wait(self.failures, self.settings.timing, self._dice))

    def _held(self) -> Held | None:
        return self.state.held if isinstance(self.state, Bound | Renewing | Rebinding | Attached) else None
