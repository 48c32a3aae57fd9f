"""The hand that is another process: asks it over a socket, and hears from it. See servant.py for the other end.

The channel is one socket of whole messages in order. An errand waits for its answer; what happened to programs meanwhile
comes before it and is told at once. If the other process is gone, so are our rights, and the client cannot go on.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf

import msgspec

from relet.client.memory import Leases
from relet.errors import MachineError
from relet.model.effects import Note
from relet.net.client_sockets import Sockets
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
    Refused,
    Reply,
    RunHook,
    Take,
    raised,
)
from relet.run.hand import Held, Tell
from relet.run.plan import Plan

ANSWER_S = 30.0
"""So long an answer is waited for: a disk may be slow, but a client that never comes back is worse than one that ends."""


class HandLostError(MachineError):
    """The process with the rights is gone, or does not answer."""


class Channel:
    """To the process with the rights, which ends when this is closed. pid: its number. hear: called with every notice."""

    def __init__(self, ours: socket.socket, pid: int) -> None:
        self.pid = pid
        self.hear: Callable[[Notice], object] = bool
        self._socket = ours
        self._socket.settimeout(ANSWER_S)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Reply | Notice)

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def ask(self, errand: Errand | LetGo | Farewell) -> None:
        """Send an errand, whose answer is to be taken next. Raises HandLostError."""
        try:
            self._socket.send(self._encoder.encode(errand))
        except OSError as error:
            raise HandLostError(f"the process with the rights cannot be asked: {error}") from error

    def answer(self) -> tuple[Reply, list[int]]:
        """The answer to what was asked first, and descriptors that came with it. Raises HandLostError."""
        while True:
            message, descriptors = self._take(0)
            if isinstance(message, Reply):
                return message, descriptors
            self.hear(message)

    def receive(self) -> None:
        """Hear what the process has to say by itself. Raises HandLostError."""
        try:
            message, _ = self._take(socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if isinstance(message, Notice):
            self.hear(message)

    def let_go(self) -> None:
        """Have the other process let go of the terminal. Raises HandLostError."""
        self.ask(LetGo())
        self.answer()

    def close(self) -> None:
        """Have the other process clear up and end, and wait for that. Idempotent."""
        if self._socket.fileno() >= 0:
            with suppress(HandLostError):
                self.ask(Farewell())
                self.answer()
            self._socket.close()
            os.waitpid(self.pid, 0)

    def _take(self, flags: int) -> tuple[Reply | Notice, list[int]]:
        try:
            octets, descriptors, _, _ = socket.recv_fds(
                self._socket, MAX_OCTETS, len(Sockets.__struct_fields__), flags | socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            raise
        except ConnectionResetError:
            octets, descriptors = b"", []  # it was ended in the midst of something
        except OSError as error:
            raise HandLostError(f"the process with the rights does not answer: {error}") from error
        if not octets:
            raise HandLostError("the process with the rights is gone")
        return self._decoder.decode(octets), descriptors


class RemoteHand:
    """A hand at the other end of a channel. tell: hears of programs."""

    def __init__(self, name: str, channel: Channel, tell: Tell) -> None:
        self._name, self._channel, self._tell = name, channel, tell
        self._idle = True

    def attach(self) -> Held:
        answer, descriptors = self._do(Attach(self._name))
        assert isinstance(answer, Attached)
        sockets = Sockets(*(socket.socket(fileno=each) for each in descriptors))
        for each in sockets:
            each.setblocking(False)
        return Held(answer.link, answer.identity, answer.leases, answer.notes, sockets)

    def prepare(self, left: Sequence[Plan]) -> tuple[list[int], Sequence[Note]]:
        answer, _ = self._do(Prepare(self._name, tuple(left)))
        assert isinstance(answer, Prepared)
        return list(answer.found), answer.notes

    def put(self, plan: Plan) -> Sequence[Note]:
        return self._done(Put(self._name, plan))

    def take(self, plan: Plan, link_lost: bool) -> Sequence[Note]:
        return self._done(Take(self._name, plan, link_lost))

    def remember(self, leases: Leases) -> None:
        self._done(Keep(self._name, leases))

    def run_hook(self, reason: str, environment: Mapping[str, str]) -> None:
        self._done(RunHook(self._name, reason, dict(environment)))

    def hurry(self) -> None:
        self._done(Hurry(self._name))

    def idle(self) -> bool:
        return self._idle

    def deadline(self) -> float:
        return inf

    def wake(self, mono: float) -> None:
        pass

    def close(self) -> None:
        pass

    def heard(self, notice: Notice) -> None:
        """The other process tells of one of our programs."""
        self._idle = notice.idle
        if notice.kind:
            self._tell(notice.kind, notice.text)

    def _done(self, errand: Errand) -> Sequence[Note]:
        answer, _ = self._do(errand)
        assert isinstance(answer, Done)
        return answer.notes

    def _do(self, errand: Errand) -> tuple[Answer, list[int]]:
        """Raises what the hand has raised, or HandLostError."""
        self._channel.ask(errand)
        reply, descriptors = self._channel.answer()
        self._idle = reply.idle
        if isinstance(reply.answer, Refused):
            raise raised(reply.answer)
        return reply.answer, descriptors
