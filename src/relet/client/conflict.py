"""Address conflict detection (RFC 5227): what an ARP packet says about our address, and when to probe, announce, defend.

Numbers and judgements only. The machine decides what follows from a conflict; nothing here sends or keeps state.
"""

from enum import StrEnum
from math import inf

import msgspec
from msgspec.structs import replace

from relet.client.dice import Dice
from relet.wire.arp import Arp

GATEWAY_TRIES = 3
GATEWAY_WAIT_S = 1.0
"""How often, and how far apart, a gateway is asked for the hardware address by which it is known again (RFC 4436)."""


class Check(StrEnum):
    """How an address is checked before its use. Whichever it is, it is announced and watched afterwards."""

    FULL = "full"  # RFC 5227 s2.1: probes and waits, then use
    QUICK = "quick"  # a probe beside the DHCPREQUEST; use with the DHCPACK; more probes in the first moments of use
    OFF = "off"  # no probes


class ConflictTiming(msgspec.Struct, frozen=True):
    """The constants of RFC 5227 s1.1, in seconds; settable so that a demonstration can be quick.

    announce_num 0 means that an address is not announced. quick_num, quick_interval: the probes of a quick check that
    follow the first one, and what lies between them; they are no constants of the RFC.
    """

    probe_wait: float = 1.0
    probe_num: int = 3
    probe_min: float = 1.0
    probe_max: float = 2.0
    announce_wait: float = 2.0
    announce_num: int = 2
    announce_interval: float = 2.0
    max_conflicts: int = 10
    rate_limit_interval: float = 60.0
    defend_interval: float = 10.0
    quick_num: int = 2
    quick_interval: float = 0.1

    def __post_init__(self) -> None:
        if self.probe_min > self.probe_max:
            raise ValueError(f"probe_min {self.probe_min} is more than probe_max {self.probe_max}")


class Watch(msgspec.Struct, frozen=True):
    """What a host that uses an address remembers about it. Times are monotonic, infinity for never.

    probes, probe_at: of a quick check, the probes still to come, and when the next is due, or the end of the check.
    announced, announce_at: announcements sent, and when the next is due.
    conflict_at: when the last conflicting ARP packet was seen.
    asked, ask_at: how often the gateway was asked for its hardware address, and when it is asked again.
    """

    probes: int = 0
    probe_at: float = inf
    announced: int = 0
    announce_at: float = inf
    conflict_at: float = -inf
    asked: int = 0
    ask_at: float = inf

    @property
    def on_trial(self) -> bool:
        """Is a quick check still under way?"""
        return self.probe_at < inf

    @property
    def busy(self) -> bool:
        """Are there probes or announcements to come?"""
        return min(self.probe_at, self.announce_at) < inf

    def deadline(self) -> float:
        """When something is due next."""
        return min(self.probe_at, self.announce_at, self.ask_at)


def in_use(arp: Arp, address: int, mac: bytes) -> bool:
    """Does this packet, heard while we probe for `address`, say that somebody else has it or wants it? (s2.1.1)"""
    if arp.sha == mac:
        return False  # our own probe, echoed by the network
    return arp.spa == address or is_probe_for(arp, address)


def is_probe_for(arp: Arp, address: int) -> bool:
    """Is this a probe (s1.1: sender address zero) for `address`?"""
    return arp.spa == 0 and arp.tpa == address


def conflicting(arp: Arp, address: int, mac: bytes) -> bool:
    """Does another host use `address`, which we are using? A mere probe for it is no conflict: we answer it. (s2.4)"""
    return arp.spa == address and arp.sha != mac


def probe_wait(sent: int, timing: ConflictTiming, dice: Dice) -> float:
    """Seconds to wait after `sent` probes: before the first, between two, or for late answers to the last (s2.1.1)."""
    if sent == 0:
        return dice() * timing.probe_wait
    if sent < timing.probe_num:
        return timing.probe_min + dice() * (timing.probe_max - timing.probe_min)
    return timing.announce_wait


def watch(timing: ConflictTiming, now: float, check: Check) -> Watch:
    """The watch over an address whose use begins at `now`: first what is left of a quick check, then announcements, and
    then the question who the gateway is."""
    first = now + timing.quick_interval if check is Check.QUICK else inf
    probes = timing.quick_num if check is Check.QUICK else 0
    return _then_announced(Watch(probes, first), timing, now)


def after_probe(watch: Watch, timing: ConflictTiming, now: float) -> Watch:
    """The watch with one more probe of a quick check sent at `now`, or with the check over."""
    if watch.probes:
        return replace(watch, probes=watch.probes - 1, probe_at=now + timing.quick_interval)
    return _then_announced(replace(watch, probe_at=inf), timing, now)


def after_announcement(watch: Watch, timing: ConflictTiming, now: float) -> Watch:
    """The watch with one more announcement sent at `now` (s2.3)."""
    announced = watch.announced + 1
    announce_at = now + timing.announce_interval if announced < timing.announce_num else inf
    return replace(watch, announced=announced, announce_at=announce_at)


def after_question(watch: Watch, now: float) -> Watch:
    """The watch with one more question for the gateway's hardware address sent at `now`."""
    asked = watch.asked + 1
    return replace(watch, asked=asked, ask_at=now + GATEWAY_WAIT_S if asked < GATEWAY_TRIES else inf)


def may_defend(watch: Watch, timing: ConflictTiming, now: float) -> bool:
    """May the address be defended against a conflict seen at `now`, or must it be given up? (s2.4, way b)

    Not during a quick check: whoever answers then was there before us.
    """
    return not watch.on_trial and now - watch.conflict_at >= timing.defend_interval


def _then_announced(watch: Watch, timing: ConflictTiming, now: float) -> Watch:
    if watch.on_trial:
        return watch
    return replace(watch, announce_at=now if timing.announce_num else inf, ask_at=now)
