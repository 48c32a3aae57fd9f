"""A client's story: it is brought into one of its states, and hears good and mutated replies while time goes by.

Whatever comes, `handle` does not raise, and a datagram either takes the client on or is counted under a name. What it sends
can be read, and it never asks to be woken at once for ever.
"""

from collections import Counter
from random import Random
from typing import get_args

from fuzz.mutate import mutate
from fuzz.wire import some_message
from relet.client.machine import Client
from relet.client.states import State
from relet.model.effects import Configure, Effect, Send
from relet.model.events import ArpSeen, Arrival, Command, LinkChanged, Wake
from relet.wire import arp
from relet.wire.message import BOOTREQUEST, decode, encode
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, OTHER_ADDRESS, OTHER_MAC, SERVER, Rig, reach

MOST_EVENTS = 40
MOST_WAKES = 8
"""Times in a row that a client may want to be woken at this very moment."""
STATES: tuple[type[State], ...] = get_args(State)
COMMANDS: tuple[Command, ...] = (*Command,)
PAUSES = (0, 0, 0, 0.01, 1, 5, 60, 2000)


class ClientStory:
    """batch: the datagram that the client has at present. outcomes: by state, what became of datagrams."""

    def __init__(self, dice: Random) -> None:
        self.batch: list[bytes] = []
        self.outcomes: Counter[str] = Counter()
        self._dice = dice
        self._rig = reach(dice.choice(STATES))

    def play(self) -> int:
        """Play it to its end; how many datagrams there were."""
        dice, rig, played = self._dice, self._rig, 0
        for _ in range(dice.randrange(1, MOST_EVENTS)):
            self._settle(rig.later(dice.choice(PAUSES)))
            if dice.random() < 0.85:
                self.batch = [self._reply()]
                self._hear(rig.client, self.batch[0])
                played += 1
            else:
                _check(rig.feed(self._other_event()))
        return played

    def _hear(self, client: Client, payload: bytes) -> None:
        before, dropped = client.state, sum(client.dropped.values())
        effects = self._rig.feed(Arrival(payload))
        _check(effects)
        counted, taken = sum(client.dropped.values()) - dropped, client.state is not before
        if counted + taken != 1 or (counted and effects):
            raise AssertionError(f"{before}: counted {counted} times, now {client.state}, {effects}")
        self.outcomes[f"{type(before).__name__} {'takes' if taken else 'drops'}"] += 1

    def _settle(self, rig: Rig) -> None:
        """Meet what is due by now, so that what follows is the datagram's doing."""
        for _ in range(MOST_WAKES):
            _check(rig.feed(Wake()))
            deadline = rig.client.deadline()
            if deadline is None or deadline > rig.now.mono:
                return
        raise AssertionError(f"{rig.client.state} is never content")

    def _reply(self) -> bytes:
        dice = self._dice
        if dice.random() < 0.1:
            return mutate(dice, some_message(dice))
        kind = dice.choices((MessageType.OFFER, MessageType.ACK, MessageType.NAK), (3, 4, 1))[0]
        reply = self._rig.reply(kind, dice.choice((ADDRESS, ADDRESS, OTHER_ADDRESS, 0)))
        if kind is not MessageType.NAK:
            times = {
                code: dice.choice((0, 3, 4, 5, 600, 0xFFFFFFFF)).to_bytes(4) for code in dice.sample((51, 58, 59), 2)
            }
            reply.options.update(times)
        payload = encode(reply)
        return mutate(dice, payload) if dice.random() < 0.7 else payload

    def _other_event(self) -> ArpSeen | LinkChanged | Command:
        dice = self._dice
        match dice.randrange(4):
            case 0:
                return ArpSeen(arp.announcement(OTHER_MAC, dice.choice((ADDRESS, OTHER_ADDRESS, SERVER, 0))))
            case 1:
                return LinkChanged(dice.random() < 0.7)
            case 2:
                return Command.START
            case _:
                return dice.choice(COMMANDS)


def _check(effects: list[Effect]) -> None:
    for effect in effects:
        if isinstance(effect, Send) and decode(effect.payload).op != BOOTREQUEST:
            raise AssertionError(f"{effect} is no request")
        if isinstance(effect, Configure) and not 0 < effect.binding.address >> 24 < 224:
            raise AssertionError(f"{effect} has an address that no host can have")
