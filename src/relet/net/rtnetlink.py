"""Questions to the kernel and its answers, as rtnetlink(7) has them in octets; netlink.py knows what they are about.

A program that must have an address as soon as it starts cannot afford to load a library for this. An answer is taken from
the kernel alone and for the request it belongs to; a length that lies ends what is read of it, and nothing is read twice.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from relet.net.link import LinkError

# linux/rtnetlink.h
NEW_LINK, DEL_LINK, GET_LINK = 16, 17, 18
NEW_ADDR, DEL_ADDR, GET_ADDR = 20, 21, 22
NEW_ROUTE, DEL_ROUTE, GET_ROUTE = 24, 25, 26

# linux/netlink.h: what a request wants besides its kind
CREATE_OR_REPLACE = 0x400 | 0x100
CREATE_NEW = 0x400 | 0x200
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_INTERRUPTED = 0x10  # of a dump: something changed meanwhile, so it may not be whole
_CAPPED, _HAS_TEXT = 0x100, 0x200
_ERROR_TEXT = 1  # NLMSGERR_ATTR_MSG
_SOL_NETLINK = 270
_WANTED = (10, 11, 12)  # options: answers without the request, with texts, and of dumps only what was asked for

_HEADER = struct.Struct("@IHHII")  # nlmsghdr: length, kind, flags, sequence, port
_ATTRIBUTE = struct.Struct("@HH")  # rtattr: length, kind
_CODE = struct.Struct("@i")  # nlmsgerr begins with a negative errno; the head of the request follows
_KIND_MASK = 0x3FFF  # the rest says that an attribute is nested, or in which order its octets stand

DATAGRAM_MAX = 1 << 17
"""Octets of the longest answer; the kernel makes them of 32 KiB at most."""

REQUESTS_MAX = 32
"""Requests that are sent at once: the answers to so many fit into a socket."""

DUMPS_MAX = 8
"""How often a list is asked for again because it changed while the kernel told it."""


class Request(msgspec.Struct, frozen=True):
    """Something that the kernel is asked to do. what: for people, if it refuses. body: head and attributes.

    harmless: errno values that mean that it was so already.
    """

    what: str
    kind: int
    body: bytes
    flags: int = 0
    harmless: tuple[int, ...] = ()


class Kernel:
    """A netlink socket, which stays in the network namespace in which it was opened. Raises LinkError."""

    def __init__(self) -> None:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        except OSError as error:
            raise LinkError(f"cannot ask netlink: {error.strerror}", error.errno or 0) from error
        for option in _WANTED:
            try:
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            except OSError:  # an older kernel tells us less, or more
                continue
        self._sequence = 0

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()

    def carry_out(self, requests: Sequence[Request]) -> list[LinkError | bool]:
        """Have all done in this order, also after one was refused; they reach the kernel at once.

        What became of each: True; False if it was so already; or why not. Raises LinkError if the kernel cannot be asked.
        """
        batches = (requests[at : at + REQUESTS_MAX] for at in range(0, len(requests), REQUESTS_MAX))
        return [outcome for batch in batches for outcome in self._carry_out(batch)]

    def ask(self, what: str, kind: int, body: bytes) -> bytes:
        """The one thing that the kernel knows about it. Raises LinkError."""
        with _asking(what):
            self._socket.send(self._message(kind, 0, body))
            while True:
                for answered, flags, answer in self._heard(self._last()):
                    if refusal := _refusal(answered, flags, answer):
                        raise refusal
                    return answer

    def all(self, what: str, kind: int, body: bytes) -> list[bytes]:
        """Everything of a kind that the kernel has, as at one moment. Raises LinkError."""
        for _ in range(DUMPS_MAX):
            with _asking(what):
                self._socket.send(self._message(kind, _DUMP, body))
                found, whole = self._list()
            if whole:
                return found
        raise LinkError(f"{what}: {os.strerror(errno.EAGAIN)}", errno.EAGAIN)

    def _carry_out(self, requests: Sequence[Request]) -> list[LinkError | bool]:
        first = self._sequence + 1
        octets = b"".join(self._message(each.kind, each.flags | _ACK, each.body) for each in requests)
        outcomes: list[LinkError | bool] = []
        with _asking("cannot ask netlink"):
            self._socket.send(octets)
            while len(outcomes) < len(requests):  # answered in the order in which they were asked
                for kind, flags, body in self._heard(range(first, first + len(requests))):
                    outcomes.append(_outcome(requests[len(outcomes)], _refusal(kind, flags, body)))
        return outcomes

    def _list(self) -> tuple[list[bytes], bool]:
        """The rest of a dump; and is it whole?"""
        found: list[bytes] = []
        whole = True
        while True:
            for kind, flags, body in self._heard(self._last()):
                whole = whole and not flags & _INTERRUPTED
                if refusal := _refusal(kind, flags, body):
                    raise refusal
                if kind == _DONE:
                    return found, whole
                found.append(body)

    def _message(self, kind: int, flags: int, body: bytes) -> bytes:
        self._sequence += 1
        return _HEADER.pack(_HEADER.size + len(body), kind, flags | _REQUEST, self._sequence, 0) + body

    def _last(self) -> range:
        """The request that was sent last."""
        return range(self._sequence, self._sequence + 1)

    def _heard(self, wanted: range) -> list[tuple[int, int, bytes]]:
        """Kind, flags and body of what the next datagram answers to these requests. Raises OSError."""
        octets, _, cut, (sender, _) = self._socket.recvmsg(DATAGRAM_MAX)
        if cut & socket.MSG_TRUNC:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        if sender:  # not the kernel
            return []
        return [(kind, flags, body) for kind, flags, sequence, body in messages(octets) if sequence in wanted]


def messages(octets: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, sequence and body of each netlink message in a datagram, up to the first that is none."""
    at = 0
    while at + _HEADER.size <= len(octets):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(octets, at)
        if length < _HEADER.size or at + length > len(octets):
            return
        yield kind, flags, sequence, octets[at + _HEADER.size : at + length]
        at += _padded(length)


def attributes(octets: bytes, at: int = 0) -> dict[int, bytes]:
    """The attributes from there on by kind, up to the first that is none. Of several of one kind, the last."""
    found = {}
    while at + _ATTRIBUTE.size <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, at)
        if length < _ATTRIBUTE.size or at + length > len(octets):
            break
        found[kind & _KIND_MASK] = octets[at + _ATTRIBUTE.size : at + length]
        at += _padded(length)
    return found


def attribute(kind: int, octets: bytes) -> bytes:
    """An attribute as a request has it."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(octets), kind) + octets + bytes(-len(octets) % 4)


def _padded(length: int) -> int:
    return (length + 3) & ~3


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """OSError becomes LinkError."""
    try:
        yield
    except OSError as error:
        raise LinkError(f"{what}: {error.strerror}", error.errno or 0) from error


def _outcome(request: Request, refusal: OSError | None) -> LinkError | bool:
    if refusal is None:
        return True
    code = refusal.errno or 0
    return False if code in request.harmless else LinkError(f"{request.what}: {refusal.strerror}", code)


def _refusal(kind: int, flags: int, body: bytes) -> OSError | None:
    """Why the kernel will not, if that is what a message says: the error in words, and what it says beside it."""
    if kind not in (_ERROR, _DONE) or len(body) < _CODE.size:
        return None
    code = -_CODE.unpack_from(body)[0]
    if not code:
        return None
    text = ""
    if kind == _ERROR and flags & _HAS_TEXT and flags & _CAPPED:
        said = attributes(body, _CODE.size + _HEADER.size).get(_ERROR_TEXT, b"")
        text = said.rstrip(b"\0").decode("ascii", "replace")
    return OSError(code, f"{os.strerror(code)} ({text})" if text else os.strerror(code))
