"""The control socket: a running server or client answers questions of the commands on the same machine.

One JSON object a line in, one a line out, over a Unix socket for root, the program's user and one group. The file's mode
says so, and who connected is looked at again, for modes are easily changed. Callers are borne with as run/callers.py says.
"""

import errno
import os
import pwd
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from struct import calcsize, pack, unpack

import msgspec

from relet.errors import MachineError
from relet.run.callers import Caller, Callers, Manners
from relet.run.loop import Loop

MAX_REQUEST = 65_536
"""Octets of one question."""
MAX_CONNECTIONS = 16
ANSWER_TIMEOUT = 5
"""Seconds that a command waits for an answer, unless it says otherwise."""

_SO_PEERGROUPS = 59  # asm-generic/socket.h
_GROUPS_MAX = 256
"""Of a peer in more groups than an option of a socket can tell, none is known."""

Question = Mapping[str, object]
Answerer = Callable[[Question], object]
"""Gives `Later` if it does not know yet; a ValueError is told to whoever asked."""


class Subject(msgspec.Struct, frozen=True):
    """Whose socket it is, in the words of errors. advice: what to look at if nobody answers."""

    noun: str
    advice: str


SERVER = Subject("server", "is `relet serve` running with this configuration?")


SERVER_SOCKET = Path("/run/relet/relet.sock")
"""Where the server of packaging/relet.service is asked."""

CLIENTS = Path("/run/relet-client")
"""Where clients are asked. A folder of their own, as systemd removes the server's when the server ends."""


def client_socket(folder: Path, interface: str) -> Path:
    """The control socket of the client on an interface."""
    return folder / f"{interface}.sock"


def client_at(interface: str) -> Subject:
    """The client on an interface, in the words of errors."""
    return Subject("client", f"is `relet client {interface}` running?")


class ControlError(MachineError):
    """The socket cannot be made, or nobody could be asked; the text says what to do."""


class NobodyError(ControlError):
    """There is nobody to be asked."""


class RefusedError(ControlError):
    """Whoever was asked gave an error for an answer; the text is that error."""


class NoAnswerYetError(ControlError):
    """Somebody was asked, and had not answered when the time was up."""


class Later:
    """An answer that is not known yet; who asked waits until it is given. One that has gone meanwhile hears nothing."""

    def __init__(self) -> None:
        self._said: list[object] = []
        self._tell: Callable[[object], None] | None = None

    def give(self, said: object) -> None:
        """This is the answer."""
        if self._tell:
            self._tell(said)
        else:
            self._said.append(said)

    def to(self, tell: Callable[[object], None]) -> None:
        """This is who wants to know."""
        self._tell = tell
        for said in self._said:
            tell(said)


class Control:
    """The running program's end. `answer` gets each question and gives what goes back as JSON. Raises ControlError.

    group: number of the group that may ask as well.
    """

    def __init__(
        self, path: Path, answer: Answerer, loop: Loop, group: int | None = None, subject: Subject = SERVER
    ) -> None:
        self._group = group
        self._path = path
        self._answer = answer
        self._subject = subject
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if path.is_socket():
                if not _deserted(path):
                    raise ControlError(
                        f"another {subject.noun} answers at {path}; give this one a control socket of its own"
                    )
                path.unlink()  # left by one that was killed
            listener.bind(str(path))
            self._inode = path.stat().st_ino
            if group is None:
                path.chmod(0o600)
            else:
                os.chown(path, -1, group)
                path.chmod(0o660)
            self._callers = Callers(listener, Manners(MAX_CONNECTIONS, MAX_REQUEST, (b"\n",)), self._asked, loop)
        except ControlError:
            listener.close()
            raise
        except OSError as error:
            listener.close()
            raise ControlError(f"cannot make the control socket {path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Hang up and remove the socket's file."""
        self._callers.close()
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _asked(self, caller: Caller, octets: bytes) -> bytes | None:
        answer = self._answer if self._may_ask(caller.connection) else self._refuse
        said = _said(answer, octets.split(b"\n", 1)[0], _peer(caller.connection))
        if isinstance(said, Later):
            said.to(partial(self._give, caller))
            return None
        return _line(said)

    def _give(self, caller: Caller, said: object) -> None:
        self._callers.say(caller, _line(said))

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

    def _refuse(self, _question: Question) -> object:
        raise ValueError(f"only root, the {self._subject.noun}'s user and its group may ask")


def _peer(connection: socket.socket) -> str:
    """The login name of whoever asks, as the kernel knows it (unix(7), SO_PEERCRED)."""
    _, uid, _ = unpack("@iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, calcsize("@iII")))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _said(answer: Answerer, line: bytes, who: str) -> object:
    try:
        return answer(msgspec.json.decode(line, type=dict[str, object]) | {"who": who})
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return {"error": str(error)}


def _line(said: object) -> bytes:
    return msgspec.json.encode(said) + b"\n"


def remove_deserted(path: Path) -> None:
    """Remove a socket that nobody has any more, if it is one, and if we may."""
    with suppress(OSError):
        if path.is_socket() and _deserted(path):
            path.unlink()


def _deserted(path: Path) -> bool:
    """Is it certain that nobody has this socket any more? One that is busy, or of another kind, is somebody's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
        return connection.connect_ex(str(path)) == errno.ECONNREFUSED


_KINDS = {errno.ENOENT: NobodyError, errno.ECONNREFUSED: NobodyError, errno.EAGAIN: NoAnswerYetError}


def ask(path: Path, question: Question, subject: Subject = SERVER, patience: float = ANSWER_TIMEOUT) -> object:
    """The command's end: the answer to a question. Raises ControlError, of one of its kinds; patience: seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        # in the kernel, because a socket that Python times would not wait for room among those not accepted yet
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, way, pack("@ll", int(patience), int(patience % 1 * 1e6)))
        try:
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(question) + b"\n")
            heard = bytearray()
            while chunk := connection.recv(MAX_REQUEST):
                heard += chunk
        except OSError as error:
            kind = _KINDS.get(error.errno or 0, ControlError)
            raise kind(f"no {subject.noun} answers at {path} ({error.strerror or error}); {subject.advice}") from None
    try:
        said = msgspec.json.decode(bytes(heard))
    except msgspec.DecodeError:
        raise ControlError(f"the {subject.noun} at {path} gave no complete answer") from None
    if isinstance(said, dict) and "error" in said:
        raise RefusedError(str(said["error"]))
    return said
