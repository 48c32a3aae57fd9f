"""Where Prometheus asks: GET /metrics on a port of its own, answered from the loop without waiting for anybody.

Nothing here can hold the server up: connections and sizes are bounded, the text is made once a second at most however many
ask, and a peer that asks or reads too slowly makes room for the next one.
"""

import socket
from collections.abc import Callable
from contextlib import suppress

from relet.errors import MachineError
from relet.net.clock import now
from relet.run.loop import Loop
from relet.wire.address import ip_text

MAX_REQUEST = 8192
"""Octets of one request, its head included."""
MAX_CONNECTIONS = 8
"""Peers at once; the oldest makes room for the next."""
FRESH_S = 1.0
"""Seconds for which a text is given again instead of a new one."""
SEND_AT_ONCE = 65_536
"""Octets that are written in one step."""
_HEAD = "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
_KIND = "text/plain; version=0.0.4; charset=utf-8"


class Scrape:
    """The server's end. text: makes what is told. Raises MachineError if the port cannot be had."""

    def __init__(self, place: tuple[int, int], text: Callable[[], bytes], loop: Loop) -> None:
        self._text = text
        self._loop = loop
        self._made = b""
        self._made_at = -FRESH_S
        self._open: dict[socket.socket, bytearray] = {}  # what was heard
        self._left: dict[socket.socket, memoryview] = {}  # what is still to be said
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        address, port = place
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((ip_text(address), port))
            self._listener.listen(MAX_CONNECTIONS)
        except OSError as error:
            self._listener.close()
            where = f"{ip_text(address)}:{port}"
            raise MachineError(f"cannot answer metrics at {where}: {error.strerror or error}") from error
        self.port: int = self._listener.getsockname()[1]
        loop.register(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Hang up and give the port back."""
        for connection in (*self._open, self._listener):
            self._hang_up(connection)

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            if len(self._open) >= MAX_CONNECTIONS:
                self._hang_up(next(iter(self._open)))
            self._open[connection] = bytearray()
            self._loop.register(connection.fileno(), lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        heard = self._open[connection]
        try:
            octets = connection.recv(MAX_REQUEST)
        except OSError:
            octets = b""
        heard += octets
        if not octets or len(heard) > MAX_REQUEST:
            self._hang_up(connection)
        elif b"\r\n\r\n" in heard or b"\n\n" in heard:
            said = memoryview(self._answer(bytes(heard).split(b"\n", 1)[0]))
            self._loop.unregister(connection.fileno())
            self._loop.register_to_write(connection.fileno(), lambda: self._write(connection))
            self._left[connection] = said
            self._write(connection)

    def _write(self, connection: socket.socket) -> None:
        """As much as the peer takes now; the loop calls again when it takes more."""
        try:
            sent = connection.send(self._left[connection][:SEND_AT_ONCE])
        except BlockingIOError:
            return
        except OSError:
            self._hang_up(connection)
            return
        self._left[connection] = self._left[connection][sent:]
        if not self._left[connection]:
            self._hang_up(connection)

    def _answer(self, line: bytes) -> bytes:
        match line.split():
            case [b"GET", path, *_] if path.partition(b"?")[0] == b"/metrics":
                return _reply("200 OK", self._fresh(), _KIND)
            case [b"GET", *_]:
                return _reply("404 Not Found", b"only /metrics is here\n")
            case _:
                return _reply("405 Method Not Allowed", b"only GET is known\n")

    def _fresh(self) -> bytes:
        mono = now().mono
        if mono - self._made_at >= FRESH_S:
            self._made = self._text()
            self._made_at = mono
        return self._made

    def _hang_up(self, connection: socket.socket) -> None:
        self._open.pop(connection, None)
        self._left.pop(connection, None)
        self._loop.unregister(connection.fileno())
        connection.close()


def _reply(status: str, body: bytes, kind: str = "text/plain") -> bytes:
    return _HEAD.format(status=status, kind=kind, length=len(body)).encode() + body
