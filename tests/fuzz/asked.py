"""A client's story: it is brought into one of its states, and hears good and mutated replies while time goes by.

Whatever comes, `handle` does not raise, and a datagram either takes the client on or is counted under a name. What it sends
can be read, and it never asks to be woken at once for ever. It takes no address but one that a DHCPACK gave, to a question
of its own and to its hardware address, or one that it remembers; and with each it goes the whole road (road.py).
"""

from collections import Counter
from contextlib import suppress
from random import Random
from typing import get_args

from msgspec.structs import replace

from fuzz import road
from fuzz.mutate import mutate
from fuzz.said import WORDS
from fuzz.wire import some_message
from relet.client.conflict import Check
from relet.client.machine import Client
from relet.client.states import Attached, Bound, LinkDown, Probing, Rebinding, Renewing, State, Stopped
from relet.errors import WireError
from relet.model.effects import Binding, Configure, Deconfigure, Effect, Remember, Send
from relet.model.events import ArpSeen, Arrival, Command, LinkChanged, Wake, Woken
from relet.wire import arp
from relet.wire.message import BOOTREQUEST, decode, encode
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    AWAY,
    CAREFUL,
    HERE,
    KNOWN,
    MAC,
    OTHER_ADDRESS,
    OTHER_MAC,
    REMEMBERED,
    SERVER,
    SETTINGS,
    START,
    Rig,
    Traced,
    reach,
)

MOST_EVENTS = 40
MOST_WAKES = 8
"""Times in a row that a client may want to be woken at this very moment."""

MOST_EFFECTS = 40
"""What one event may lead to."""

HEADER = 240
"""Octets before the options."""

LARGEST = 4000
STATES: tuple[type[State], ...] = get_args(State)
COMMANDS: tuple[Command, ...] = (*Command,)
PAUSES = (0, 0, 0, 0.01, 0.3, 1, 5, 60, 2000)

CLOCKS = (1e6, START.wall, START.wall + 3600, 3e9)
"""What a wall clock may be set to, as at a boot without a battery."""

SETTINGS_OF_STORIES = (
    CAREFUL,
    SETTINGS,
    replace(SETTINGS, check_new=Check.QUICK, use_remembered=True),
    replace(SETTINGS, check_new=Check.OFF, check_again=Check.OFF, rapid_commit=True),
    replace(CAREFUL, check_again=Check.QUICK, use_remembered=True),
    replace(SETTINGS, timing=replace(SETTINGS.timing, offer_window=2.0), rapid_commit=True, ipv6_only=True),
    replace(SETTINGS, anonymous=True),
)
OFFERED = (ADDRESS, ADDRESS, OTHER_ADDRESS, AWAY.binding.address, 0, SERVER, 0x7F000001, 0xE0000001)
MEMORIES = ((), (REMEMBERED,), (KNOWN,), (KNOWN, AWAY), (AWAY, KNOWN))
PACKETS = (
    *(arp.announcement(OTHER_MAC, address) for address in (ADDRESS, OTHER_ADDRESS, SERVER, 0)),
    arp.probe(OTHER_MAC, ADDRESS),
    HERE,
    HERE,
    arp.Arp(arp.REPLY, bytes.fromhex("525400000022"), AWAY.binding.server, MAC, AWAY.binding.address),
)
ASKING = MessageType.OFFER, MessageType.ACK, MessageType.NAK


class ClientStory:
    """batch: the datagram that the client has at present. outcomes: what became of datagrams, by state, and what was met."""

    def __init__(self, dice: Random) -> None:
        self.batch: list[bytes] = []
        self.outcomes: Counter[str] = Counter()
        self._dice = dice
        self._acked: list[tuple[int, dict[int, bytes]]] = []
        self._configured: Binding | None = None
        self._rig = reach(dice.choice(STATES)) if dice.random() < 0.5 else self._started()
        self._remembered = {each.binding.address for each in self._rig.client.remembered}
        state = self._rig.state
        if isinstance(state, Probing | Bound | Renewing | Rebinding | Attached):
            self._acked.append((state.held.binding.address, state.held.binding.options))
            self._configured = None if isinstance(state, Probing) else state.held.binding

    def play(self) -> int:
        """Play it to its end; how many datagrams there were."""
        dice, rig, played = self._dice, self._rig, 0
        for _ in range(dice.randrange(1, MOST_EVENTS)):
            self._settle(rig.later(dice.choice(PAUSES)))
            if dice.random() < (0.5 if isinstance(rig.state, Stopped | LinkDown) else 0.85):
                self.batch = [self._reply()]
                self._hear(rig.client, self.batch[0])
                played += 1
            elif dice.random() < 0.1:
                self._check(rig.set_clock(dice.choice(CLOCKS) - rig.now.wall))
            else:
                self._check(rig.feed(self._other_event()))
        return played

    def _started(self) -> Rig:
        """A client of any settings and memories that has been started."""
        dice = self._dice
        rig = Rig(None, dice.choice(SETTINGS_OF_STORIES))
        rig.client = Traced(rig.client.settings, dice.random, dice.choice(MEMORIES))
        rig.feed(Command.START)
        return rig

    def _hear(self, client: Client, payload: bytes) -> None:
        before, dropped = client.state, sum(client.dropped.values())
        self._judge(payload)
        effects = self._rig.feed(Arrival(payload))
        self._check(effects)
        counted, taken = sum(client.dropped.values()) - dropped, client.state is not before
        if counted + taken != 1 or (counted and effects):
            raise AssertionError(f"{before}: counted {counted} times, now {client.state}, {effects}")
        self.outcomes[f"{type(before).__name__} {'takes' if taken else 'drops'}"] += 1

    def _judge(self, payload: bytes) -> None:
        """Is it a DHCPACK to a question of this client and to its hardware address? Told by its octets."""
        xids = {send.payload[4:8] for send in self._rig.sends}
        to_us = payload[:1] == b"\2" and payload[2:3] == b"\6" and payload[28:34] == MAC and payload[4:8] in xids
        if to_us and b"\x35\x01\x05" in payload:
            with suppress(WireError):
                self._acked.append((int.from_bytes(payload[16:20]), decode(payload).options))

    def _settle(self, rig: Rig) -> None:
        """Meet what is due by now, so that what follows is the datagram's doing."""
        for _ in range(MOST_WAKES):
            self._check(rig.feed(Wake()))
            deadline = rig.client.deadline()
            if deadline is None or deadline > rig.now.mono:
                return
        raise AssertionError(f"{rig.client.state} is never content")

    def _reply(self) -> bytes:
        """An answer to the last question, or to one of the two before."""
        dice, rig = self._dice, self._rig
        if dice.random() < 0.1:
            return mutate(dice, some_message(dice))
        if rig.sends:
            rig.sent = decode(dice.choice(rig.sends[-3:]).payload)
        asked = rig.sent
        first = asked is not None and asked.kind == MessageType.DISCOVER
        kind = dice.choices(ASKING, (7, 2, 1) if first else (1, 8, 1))[0]
        wanted = (asked.ip(50) or asked.ciaddr) if asked else 0
        reply = rig.reply(kind, wanted if dice.random() < 0.6 else dice.choice(OFFERED))
        if kind is not MessageType.NAK:
            if dice.random() < 0.5:
                codes = dice.sample((51, 58, 59), 2)
                reply.options.update({code: dice.choice((0, 3, 4, 5, 600, 0xFFFFFFFF)).to_bytes(4) for code in codes})
            codes = dice.sample(sorted(WORDS), dice.randrange(9))
            reply.options.update({code: dice.choice(WORDS[code]) for code in codes})
            if dice.random() < 0.1:
                reply.options[80] = b""
        payload = encode(reply, LARGEST)
        chance = dice.random()
        if chance < 0.4:
            return mutate(dice, payload)
        # It stays an answer to us, and says whatever it may.
        return payload[:HEADER] + mutate(dice, payload[HEADER:]) if chance < 0.8 else payload

    def _other_event(self) -> ArpSeen | LinkChanged | Woken | Command:
        dice = self._dice
        if isinstance(self._rig.state, Stopped | LinkDown) and dice.random() < 0.8:
            return Command.START if isinstance(self._rig.state, Stopped) else LinkChanged(up=True)
        match dice.randrange(5):
            case 0 | 1:
                return ArpSeen(dice.choice(PACKETS))
            case 2:
                return LinkChanged(dice.random() < 0.7)
            case 3:
                return Woken() if dice.random() < 0.5 else Command.START
            case _:
                return dice.choice(COMMANDS)

    def _check(self, effects: list[Effect]) -> None:
        if len(effects) > MOST_EFFECTS:
            raise AssertionError(f"{len(effects)} effects of one event")
        for effect in effects:
            match effect:
                case Send(payload=payload) if decode(payload).op != BOOTREQUEST:
                    raise AssertionError(f"{effect} is no request")
                case Configure(binding=binding):
                    self._check_address(effect)
                    road.travel(effect.cause, binding, self._configured, self.outcomes)
                    self._configured = binding
                case Deconfigure(binding=binding):
                    if self._configured is None or self._configured.address != binding.address:
                        raise AssertionError(f"{effect} takes away what is not there: {self._configured}")
                    self._configured = None
                case Remember(leases=leases):
                    road.remember(leases)
                    self._remembered |= {each.binding.address for each in leases}
        in_use = isinstance(self._rig.state, Bound | Renewing | Rebinding | Attached)
        if in_use != (self._configured is not None):
            raise AssertionError(f"{self._rig.state} and {self._configured} on the interface")

    def _check_address(self, effect: Configure) -> None:
        address, options = effect.binding.address, effect.binding.options
        if not 0 < address >> 24 < 224 or address >> 24 == 127:
            raise AssertionError(f"{effect} has an address that no host can have")
        known = effect.cause in {"remembered", "network"} and address in self._remembered
        if not known and (address, options) not in self._acked:
            raise AssertionError(f"nobody gave the address of {effect}")
        self.outcomes[f"configures {effect.cause}"] += 1
