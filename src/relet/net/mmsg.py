"""Many messages in one system call: recvmmsg(2) and sendmmsg(2), which the socket module does not have.

For any datagram or packet socket, whoever uses it: an address is so many octets here (struct sockaddr_in 16, struct
sockaddr_ll 20), and nothing is known of what a message says. The structures that the kernel reads are made once for each
socket. All lengths, addresses and control messages of a batch are read and written at once (struct.iter_unpack,
memoryviews with a stride), so a message costs no call of its own: a slice on its way in, a share of one join on its way out.
"""

import ctypes
import mmap
import socket
import struct
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from errno import EAGAIN, EINTR, ENOSYS
from itertools import accumulate
from os import strerror

from relet.net.link import LinkError
from relet.net.sockets import BATCH, failure

_HEADER = struct.Struct("@PIPNPNi0PI0P")
"""linux/socket.h struct mmsghdr: address, its length, vectors, their number, control, its length, flags; length of the
message. A zero of a type aligns what follows, as C does."""
_CONTROL_LENGTH_AT = struct.calcsize("@PIPNP")
_LENGTH_AT = struct.calcsize("@PIPNPNi0P")
_VECTOR = struct.Struct("@PN")
"""struct iovec: where, how much."""
_LONG = struct.calcsize("@L")
"""As long as a pointer and a size_t on every Linux."""
_CACHE_LINE = 64


class Inbox:
    """Takes messages out of a socket that does not block. Raises LinkError if the system cannot take many at once.

    longest: octets of the longest message wanted. name, control: octets of an address and of the control messages.

    After `take`, message n begins at octets[n * stride], its address at names[n * name] and what the kernel says beside
    it at controls[n * control]; until the next `take`.
    """

    def __init__(self, sock: socket.socket, longest: int, name: int, control: int = 0, count: int = BATCH) -> None:
        self._socket = sock
        self._recvmmsg = _call("recvmmsg", ctypes.c_void_p)
        self._count = count
        # An odd number of cache lines: else the first lines of all messages would share a few places in the cache.
        self.stride = (longest // _CACHE_LINE + 1 | 1) * _CACHE_LINE
        # A slice of a mmap is bytes at once, and pages that no message has needed take no memory.
        self.octets = mmap.mmap(-1, count * self.stride)
        self.starts = range(0, count * self.stride, self.stride)
        self.names = bytearray(count * name)
        self.controls = bytearray(count * control)
        at, names, controls = _address(self.octets), _address(self.names), _address(self.controls)
        self._vectors = bytearray(b"".join(_VECTOR.pack(at + start, longest + 1) for start in self.starts))
        vectors = _address(self._vectors)
        fresh = b"".join(
            _HEADER.pack(names + n * name, name, vectors + n * _VECTOR.size, 1, controls + n * control, control, 0, 0)
            for n in range(count)
        )
        self._fresh, self._headers, self._used = memoryview(fresh), bytearray(fresh), 0
        self._at = _address(self._headers)
        self._lengths = memoryview(self._headers).cast("I")[_LENGTH_AT // 4 :: _HEADER.size // 4]

    def take(self) -> list[int]:
        """The lengths of the messages that the socket holds, `count` at most; longest + 1 stands for all that is longer.

        Raises OSError; that there is nothing is no error.
        """
        # The kernel has written there how long addresses and control messages were, and would take that for the room.
        self._headers[: self._used] = self._fresh[: self._used]
        taken = self._recvmmsg(self._socket.fileno(), self._at, self._count, 0, None)
        if taken < 0:
            code = ctypes.get_errno()
            if code in (EAGAIN, EINTR):
                return []
            raise OSError(code, strerror(code))
        self._used = taken * _HEADER.size
        return self._lengths[:taken].tolist()


class Outbox:
    """Gives messages to a socket that does not block. Raises LinkError if the system cannot take many at once.

    name, control: octets of an address and of the control messages, 0 if the socket needs none. Before a batch is given,
    `names`, `controls` and `control_lengths` are to be filled: what belongs to message n begins at names[n * name] and
    controls[n * control], and control_lengths[n] is 0 for nothing. count: how many can be given at once.
    """

    def __init__(self, sock: socket.socket, name: int = 0, control: int = 0, count: int = BATCH) -> None:
        self._socket = sock
        self._sendmmsg = _call("sendmmsg")
        self.count = count
        self.names = bytearray(count * name)
        self.controls = bytearray(count * control)
        vectors = bytearray(count * _VECTOR.size)
        self._vectors = memoryview(vectors).cast("L")
        names, controls, at = _address(self.names), _address(self.controls), _address(vectors)
        self._octets = ctypes.c_char_p.from_buffer(start := bytearray(_VECTOR.size // 2))
        self._start = memoryview(start).cast("L")
        self._headers = bytearray(
            b"".join(
                _HEADER.pack(
                    names + n * name if name else 0, name, at + n * _VECTOR.size, 1, controls + n * control, 0, 0, 0
                )
                for n in range(count)
            )
        )
        self._at = _address(self._headers)
        self.control_lengths = memoryview(self._headers).cast("L")[_CONTROL_LENGTH_AT // _LONG :: _HEADER.size // _LONG]

    def give(self, messages: Sequence[bytes], drops: Counter[str]) -> int:
        """How many of the messages, `count` at most, the kernel took, in their order.

        Whatever it refuses is counted in `drops` by the name of the failure, and the next one is tried.
        """
        refused = self.put(b"".join(messages), array("L", map(len, messages)))
        for _, code in refused:
            drops[failure(OSError(code, ""))] += 1
        return len(messages) - len(refused)

    def put(self, octets: bytes, lengths: "array[int]") -> list[tuple[int, int]]:
        """Give messages that stand in `octets` one behind the other; which of them the kernel refused, and the errno."""
        number = len(lengths)
        refused = []
        self._octets.value = octets  # where they stand is to be read in _start
        self._vectors[0 : 2 * number : 2] = array("L", accumulate(lengths, initial=self._start[0]))[:number]
        self._vectors[1 : 2 * number : 2] = lengths
        at = 0
        while at < number:
            given = self._sendmmsg(self._socket.fileno(), self._at + at * _HEADER.size, number - at, 0)
            if given > 0:
                at += given
                continue
            # It stops at the first that it refuses, and says why when nothing stands before that one.
            code = ctypes.get_errno()
            if code != EINTR:
                refused.append((at, code))
                at += 1
        return refused


def _address(memory: bytearray | mmap.mmap) -> int:
    """Where it stands; it must outlive the use, and a bytearray must keep its size. 0 for nothing."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)) if len(memory) else 0


def _call(name: str, *more: type[ctypes.c_void_p]) -> Callable[..., int]:
    """The C library's function, which the system has too. Raises LinkError."""
    try:
        # PyDLL: the interpreter's lock is kept. The call never waits, and to get the lock back would mean to.
        function = getattr(ctypes.PyDLL(None, use_errno=True), name)
    except AttributeError:
        raise LinkError(f"the C library has no {name}(2)") from None
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, *more]
    function.restype = ctypes.c_int
    call: Callable[..., int] = function
    # Asked with no socket, so that none loses an error that waits in it.
    if call(-1, None, 0, 0, *(None for _ in more)) < 0 and ctypes.get_errno() == ENOSYS:
        raise LinkError(f"the system has no {name}(2)", ENOSYS)
    return call
