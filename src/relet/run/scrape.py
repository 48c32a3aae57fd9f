"""Where Prometheus asks: GET /metrics on a port of its own, answered from the loop without waiting for anybody.

Callers are borne with as run/callers.py says, and the text is made once a second at most, however many ask.
"""

import socket
from collections.abc import Callable

from relet.errors import MachineError
from relet.net.clock import now
from relet.run.callers import Caller, Callers, Manners
from relet.run.loop import Loop
from relet.wire.address import ip_text

MAX_REQUEST = 8192
"""Octets of one request, its head included."""
MAX_CONNECTIONS = 8
"""Peers at once; the oldest makes room for the next."""
FRESH_S = 1.0
"""Seconds for which a text is given again instead of a new one."""
_HEAD = "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
_KIND = "text/plain; version=0.0.4; charset=utf-8"


class Scrape:
    """The server's end. text: makes what is told. Raises MachineError if the port cannot be had."""

    def __init__(self, place: tuple[int, int], text: Callable[[], bytes], loop: Loop) -> None:
        self._text = text
        self._made = b""
        self._made_at = -FRESH_S
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        address, port = place
        manners = Manners(MAX_CONNECTIONS, MAX_REQUEST, (b"\r\n\r\n", b"\n\n"))
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ip_text(address), port))
            self._callers = Callers(listener, manners, self._asked, loop)
        except OSError as error:
            listener.close()
            where = f"{ip_text(address)}:{port}"
            raise MachineError(f"cannot answer metrics at {where}: {error.strerror or error}") from error
        self.port: int = listener.getsockname()[1]

    def close(self) -> None:
        """Hang up and give the port back."""
        self._callers.close()

    def _asked(self, _caller: Caller, request: bytes) -> bytes:
        return self._answer(request.split(b"\n", 1)[0])

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


def _reply(status: str, body: bytes, kind: str = "text/plain") -> bytes:
    return _HEAD.format(status=status, kind=kind, length=len(body)).encode() + body
