"""The control socket: a running server answers questions of the commands on the same machine.

One JSON object a line in, one a line out, over a Unix socket for root, the server's user and one group. The file's mode
says so, and who connected is looked at again, for modes are easily changed. Nothing here can hold the server up: sizes and
connections are bounded, a peer that does not read loses its answer, and one that does not ask makes room for others.
"""

import errno
import os
import pwd
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from struct import calcsize, pack, unpack

import msgspec

from relet.errors import MachineError
from relet.run.loop import Loop

MAX_REQUEST = 65_536
"""Octets of one question."""
MAX_CONNECTIONS = 16
SEND_BUFFER = 1 << 20
"""Octets of an answer that may wait for the peer; the system may allow less (net.core.wmem_max)."""
ANSWER_TIMEOUT = 5
"""Seconds that a command waits for the server."""

_SO_PEERGROUPS = 59  # asm-generic/socket.h
_GROUPS_MAX = 256
"""Of a peer in more groups than an option of a socket can tell, none is known."""

Question = Mapping[str, object]
Answerer = Callable[[Question], object]


class ControlError(MachineError):
    """The socket cannot be made, or no server could be asked; the text says what to do."""


class Control:
    """The server's end. `answer` gets each question and gives what goes back as JSON. Raises ControlError.

    group: number of the group that may ask as well.
    """

    def __init__(self, path: Path, answer: Answerer, loop: Loop, group: int | None = None) -> None:
        self._group = group
        self._path = path
        self._answer = answer
        self._loop = loop
        self._open: dict[socket.socket, bytearray] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if path.is_socket():
                if not _deserted(path):
                    raise ControlError(f"another server answers at {path}; give this one a control socket of its own")
                path.unlink()  # left by a server that was killed
            self._listener.bind(str(path))
            self._inode = path.stat().st_ino
            if group is None:
                path.chmod(0o600)
            else:
                os.chown(path, -1, group)
                path.chmod(0o660)
            self._listener.listen(MAX_CONNECTIONS)
        except ControlError:
            self._listener.close()
            raise
        except OSError as error:
            self._listener.close()
            raise ControlError(f"cannot make the control socket {path}: {error.strerror or error}") from error
        loop.register(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Hang up and remove the socket's file."""
        for connection in (*self._open, self._listener):
            self._hang_up(connection)
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            if len(self._open) >= MAX_CONNECTIONS:
                self._hang_up(next(iter(self._open)))
            self._open[connection] = bytearray()
            self._loop.register(connection.fileno(), lambda: self._read(connection))

    def _may_ask(self, connection: socket.socket) -> bool:
        """unix(7): who the peer was when it connected, told by the kernel."""
        _, user, group = unpack("@3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user in (0, os.geteuid()) or group == self._group:
            return True
        try:
            octets = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _GROUPS_MAX)
        except OSError:
            return False
        return self._group in unpack(f"@{len(octets) // 4}i", octets)

    def _read(self, connection: socket.socket) -> None:
        heard = self._open[connection]
        try:
            octets = connection.recv(MAX_REQUEST)
        except OSError:
            octets = b""
        heard += octets
        if not octets or len(heard) > MAX_REQUEST:
            self._hang_up(connection)
        elif b"\n" in heard:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                answer = self._answer if self._may_ask(connection) else _refuse
                connection.send(_reply(answer, bytes(heard).split(b"\n", 1)[0], _peer(connection)))
            except OSError:
                pass
            finally:
                self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._open.pop(connection, None)
        self._loop.unregister(connection.fileno())
        connection.close()


def _peer(connection: socket.socket) -> str:
    """The login name of whoever asks, as the kernel knows it (unix(7), SO_PEERCRED)."""
    _, uid, _ = unpack("@iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, calcsize("@iII")))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _reply(answer: Answerer, line: bytes, who: str) -> bytes:
    try:
        said = answer(msgspec.json.decode(line, type=dict[str, object]) | {"who": who})
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        said = {"error": str(error)}
    return msgspec.json.encode(said) + b"\n"


def _refuse(_question: Question) -> object:
    raise ValueError("only root, the server's user and its group may ask")


def _deserted(path: Path) -> bool:
    """Is it certain that nobody has this socket any more? One that is busy, or of another kind, is somebody's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
        return connection.connect_ex(str(path)) == errno.ECONNREFUSED


def ask(path: Path, question: Question) -> object:
    """The command's end: the server's answer to a question. Raises ControlError if no server answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        # in the kernel, because a socket that Python times would not wait for room among those not accepted yet
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, way, pack("@ll", ANSWER_TIMEOUT, 0))
        try:
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(question) + b"\n")
            heard = bytearray()
            while chunk := connection.recv(MAX_REQUEST):
                heard += chunk
        except OSError as error:
            raise ControlError(
                f"no server answers at {path} ({error.strerror or error}); is `relet serve` running with this configuration?"
            ) from None
    try:
        said = msgspec.json.decode(bytes(heard))
    except msgspec.DecodeError:
        raise ControlError(f"the server at {path} gave no complete answer") from None
    if isinstance(said, dict) and "error" in said:
        raise ControlError(str(said["error"]))
    return said
