"""Address conflict detection (RFC 5227): what an ARP packet says about our address, and when to probe, announce, defend.

Numbers and judgements only. The machine decides what follows from a conflict; nothing here sends or keeps state.
"""

from math import inf

import msgspec

from relet.client.dice import Dice
from relet.wire.arp import Arp


class ConflictTiming(msgspec.Struct, frozen=True):
    """The constants of RFC 5227 s1.1, in seconds; settable so that a demonstration can be quick.

    probe_num 0 means that an address is used unchecked, announce_num 0 that it is not announced.
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

    def __post_init__(self) -> None:
        if self.probe_min > self.probe_max:
            raise ValueError(f"probe_min {self.probe_min} is more than probe_max {self.probe_max}")


class Watch(msgspec.Struct, frozen=True):
    """What a host that uses an address remembers about it.

    announced: announcements sent. announce_at: when the next is due (monotonic), infinity when all are out.
    conflict_at: when the last conflicting ARP packet was seen (monotonic).
    """

    announced: int = 0
    announce_at: float = inf
    conflict_at: float = -inf


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
    if timing.probe_num == 0:
        return 0.0
    if sent == 0:
        return dice() * timing.probe_wait
    if sent < timing.probe_num:
        return timing.probe_min + dice() * (timing.probe_max - timing.probe_min)
    return timing.announce_wait


def after_announcement(watch: Watch, timing: ConflictTiming, now: float) -> Watch:
    """The watch with one more announcement sent at `now` (s2.3)."""
    announced = watch.announced + 1
    announce_at = now + timing.announce_interval if announced < timing.announce_num else inf
    return Watch(announced, announce_at, watch.conflict_at)


def may_defend(watch: Watch, timing: ConflictTiming, now: float) -> bool:
    """May the address be defended against a conflict seen at `now`, or must it be given up? (s2.4, way b)"""
    return now - watch.conflict_at >= timing.defend_interval
