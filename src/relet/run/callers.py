"""Whoever connects to a listening socket: each is heard to the end of one question, answered, and hung up on.

The control sockets and the metrics' port are made of this. Nothing here can hold the program up: callers and sizes are
bounded, an answer is written as fast as it is read and no faster, and who asks or reads too slowly makes room for others.
"""

import socket
from collections.abc import Callable
from contextlib import suppress

import msgspec

from relet.run.loop import Loop

SEND_AT_ONCE = 65_536
"""Octets that are written in one step."""


class Manners(msgspec.Struct, frozen=True):
    """What is borne. most: callers at once. longest: octets of a question. ends: one of these is at its end."""

    most: int
    longest: int
    ends: tuple[bytes, ...]


class Caller:
    """One connection: what was heard of it, and what is still to be said."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.heard = bytearray()
        self.left = memoryview(b"")


Answerer = Callable[[Caller, bytes], bytes | None]
"""Gets the octets of a question and gives those of the answer, or None if `Callers.say` will say it later."""


class Callers:
    """listener: bound; it is closed with this. Raises OSError if it cannot listen."""

    def __init__(self, listener: socket.socket, manners: Manners, answer: Answerer, loop: Loop) -> None:
        self._listener = listener
        self._manners = manners
        self._answer = answer
        self._loop = loop
        self._callers: dict[Caller, bool] = {}  # oldest first; does the loop look at it?
        listener.listen(manners.most)
        loop.register(listener.fileno(), self._accept)

    def say(self, caller: Caller, octets: bytes) -> None:
        """Answer a caller and hang up when it has read that. One that is gone already is none to answer."""
        if caller in self._callers:
            caller.left = memoryview(octets)
            self._loop.register_to_write(caller.connection.fileno(), lambda: self._write(caller))
            self._callers[caller] = True
            self._write(caller)

    def close(self) -> None:
        """Hang up on all, and listen no more."""
        for caller in tuple(self._callers):
            self._hang_up(caller)
        self._loop.unregister(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            if len(self._callers) >= self._manners.most:
                self._hang_up(next(iter(self._callers)))
            caller = Caller(connection)
            self._loop.register(connection.fileno(), lambda: self._read(caller))
            self._callers[caller] = True

    def _read(self, caller: Caller) -> None:
        try:
            octets = caller.connection.recv(self._manners.longest)
        except OSError:
            octets = b""
        caller.heard += octets
        if not octets or len(caller.heard) > self._manners.longest:
            self._hang_up(caller)
        elif any(end in caller.heard for end in self._manners.ends):
            self._asked(caller)

    def _asked(self, caller: Caller) -> None:
        """The question is whole: nothing more is read of this caller, for it shall not ask while it is answered."""
        self._loop.unregister(caller.connection.fileno())
        self._callers[caller] = False
        try:
            said = self._answer(caller, bytes(caller.heard))
        except BaseException:
            self._hang_up(caller)
            raise
        if said is not None:
            self.say(caller, said)

    def _write(self, caller: Caller) -> None:
        """As much as the caller takes now; the loop calls again when it takes more."""
        try:
            sent = caller.connection.send(caller.left[:SEND_AT_ONCE])
        except BlockingIOError:
            return
        except OSError:
            self._hang_up(caller)
            return
        caller.left = caller.left[sent:]
        if not caller.left:
            self._hang_up(caller)

    def _hang_up(self, caller: Caller) -> None:
        if self._callers.pop(caller):
            self._loop.unregister(caller.connection.fileno())
        caller.connection.close()
