"""The process that keeps root's rights for a client that has given them up: it does its errands and nothing else.

It is divided off before the client has any socket, hears nothing of the network, and knows from its start which interfaces,
files and program it is there for. What it is asked for may be the wish of whoever has taken over the client: see errands.py
for what is refused. It ends when the client does, however that ends, and leaves things as they are then.
"""

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import assert_never

import msgspec

from relet.model.effects import Note
from relet.net import clock
from relet.run.background import let_go
from relet.run.errands import (
    MAX_OCTETS,
    Answer,
    Attach,
    Attached,
    Done,
    Errand,
    Farewell,
    Hurry,
    Keep,
    LetGo,
    Notice,
    Prepare,
    Prepared,
    Put,
    Reply,
    RunHook,
    Take,
    check,
    presentable,
    refused,
)
from relet.run.hand import LocalHand
from relet.run.loop import Loop
from relet.run.orders import Orders
from relet.run.remote import Channel

SEND_S = 30.0
"""A client that does not read for so long is no client any more."""

PROCESS_NAME = b"relet-hand"
"""What ps shows, at most 15 octets."""

LEFT_TO_THE_CLIENT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that reach the whole group or service. The client obeys them and needs its hand for that."""


def divide(orders: Mapping[str, Orders], clear: Callable[[], None], errors: int | None) -> Channel:
    """Divide the process. Here: the channel to the other one, which does errands for these interfaces. Raises OSError.

    clear, errors: see Hands.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return Channel(ours, pid)
    try:
        ours.close()
        Servant(theirs, orders, clear, errors).run()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)  # the caller's stack is not ours to unwind


class Servant:
    """Does the errands that come through a socket, until that is closed at the other end."""

    def __init__(
        self, channel: socket.socket, orders: Mapping[str, Orders], clear: Callable[[], None], errors: int | None
    ) -> None:
        self._clear, self._errors = clear, errors
        self._socket = channel
        self._socket.settimeout(SEND_S)
        self._loop = Loop(self._deadline, self._wake)
        self._hands = {
            name: LocalHand(self._loop, name, each, partial(self._notice, name)) for name, each in orders.items()
        }
        self._told_idle = dict.fromkeys(orders, True)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Errand | LetGo | Farewell)

    def run(self) -> None:
        """Until the client is gone."""
        with suppress(OSError):
            Path("/proc/self/comm").write_bytes(PROCESS_NAME)
        for number in LEFT_TO_THE_CLIENT:
            # Not SIG_IGN, which the programs that we run would inherit.
            signal.signal(number, _left_to_the_client)
        self._loop.register(self._socket, self._asked)
        self._loop.run()
        for hand in self._hands.values():
            hand.close()

    def _asked(self) -> None:
        try:
            octets, _, flags, _ = self._socket.recvmsg(MAX_OCTETS)
        except OSError:
            octets, flags = b"", 0
        if not octets or self._hung_up():
            self._loop.stop()
            return
        answer, name, descriptors = self._answer(octets, flags)
        idle = True
        if name in self._hands:
            idle = self._told_idle[name] = self._hands[name].idle()
        self._send(Reply(answer, idle), descriptors)
        for each in descriptors:
            os.close(each)

    def _hung_up(self) -> bool:
        """Is the client gone? What it asked for last is not done beside the next client, which may be there already."""
        poll = select.poll()
        poll.register(self._socket, 0)
        return bool(poll.poll(0))

    def _answer(self, octets: bytes, flags: int) -> tuple[Answer, str, list[int]]:
        """The answer, the interface that it is about, '' for none, and what goes with it."""
        name = ""
        try:
            if flags & socket.MSG_TRUNC:
                raise ValueError("too long")
            errand = self._decoder.decode(octets)
            match errand:
                case LetGo():
                    let_go(self._errors)
                    return Done(), name, []
                case Farewell():
                    self._clear()
                    self._loop.stop()
                    return Done(), name, []
            if errand.interface not in self._hands:
                raise ValueError(f"the client has nothing to do with {errand.interface}")
            check(errand)
            name = errand.interface
            answer, descriptors = self._do(self._hands[name], errand)
            return answer, name, descriptors
        except (msgspec.DecodeError, ValueError) as error:
            return refused(ValueError(f"refused: {error}")), name, []
        except Exception as error:
            return refused(error), name, []

    def _do(self, hand: LocalHand, errand: Errand) -> tuple[Answer, list[int]]:
        notes: Sequence[Note] = ()
        match errand:
            case Attach():
                held = hand.attach()
                answer = Attached(held.link, held.identity, held.leases, _presentable(held.notes))
                return answer, [each.detach() for each in held.sockets]
            case Prepare(left=left):
                found, notes = hand.prepare(left)
                return Prepared(tuple(found), _presentable(notes)), []
            case Put(plan=plan):
                notes = hand.put(plan)
            case Take(plan=plan, link_lost=link_lost):
                notes = hand.take(plan, link_lost)
            case Keep(leases=leases):
                hand.remember(leases)
            case RunHook(reason=reason, environment=environment):
                hand.run_hook(reason, environment)
            case Hurry():
                hand.hurry()
            case _:
                assert_never(errand)
        return Done(_presentable(notes)), []

    def _notice(self, name: str, kind: str, text: str) -> None:
        idle = self._told_idle[name] = self._hands[name].idle()
        self._send(Notice(name, kind, presentable(text), idle))

    def _deadline(self) -> float | None:
        for name, hand in self._hands.items():
            if hand.idle() and not self._told_idle[name]:
                self._notice(name, "", "")
        soonest = min(hand.deadline() for hand in self._hands.values())
        return None if soonest == inf else soonest

    def _wake(self) -> None:
        mono = clock.now().mono
        for hand in self._hands.values():
            hand.wake(mono)

    def _send(self, message: Reply | Notice, descriptors: Sequence[int] = ()) -> None:
        try:
            socket.send_fds(self._socket, [self._encoder.encode(message)], descriptors)
        except OSError:
            self._loop.stop()


def _presentable(notes: Sequence[Note]) -> tuple[Note, ...]:
    return tuple(Note(note.kind, presentable(note.text)) for note in notes)


def _left_to_the_client(_number: int, _frame: object) -> None:
    """Nothing."""
