"""A file's data made safe on disk beside the road: begun now, waited for later.

Linux does that without a thread (io_submit(2) with IOCB_CMD_FDSYNC, since 4.18) and says by an eventfd that it is done. A
thread of ours could say so only once it has got the interpreter back from the road. The C library has no name for these
calls, so they go by number; on a machine whose numbers are not known here, or where the kernel refuses, data are synced at
once by fdatasync(2), which is the same but for the waiting.
"""

import ctypes
import os
from contextlib import suppress
from platform import machine
from struct import Struct

_CALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
"""Machine -> numbers of io_setup, io_destroy, io_getevents, io_submit (asm/unistd.h)."""
_FDSYNC = 3
_TELL = 1
_IOCB = Struct("=QIIHhIQQqQII")
"""linux/aio_abi.h struct iocb: data, key, flags, opcode, priority, descriptor, buffer, octets, offset, reserved, flags,
eventfd."""
_EVENT = Struct("=QQqq")
"""struct io_event: data, where the iocb was, result (an errno, negative), 0."""


class Flush:
    """Syncs one file at a time. fileno: becomes readable when what was begun is done; give it back by `close`."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._context = ctypes.c_ulong(0)
        self._setup, self._destroy, self._getevents, self._submit = _CALLS.get(machine(), (0, 0, 0, 0))
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        self._iocb = ctypes.create_string_buffer(_IOCB.size)
        self._pointer = ctypes.pointer(ctypes.c_void_p(ctypes.addressof(self._iocb)))
        self._told = ctypes.create_string_buffer(_EVENT.size)
        self._works = bool(self._submit) and self._call(self._setup, 1, ctypes.byref(self._context)) == 0
        self._begun = False

    def fileno(self) -> int:
        """For the loop."""
        return self._event

    def begin(self, descriptor: int) -> None:
        """Begin to sync a file's data. Raises OSError if that was done at once and failed."""
        if self._works:
            _IOCB.pack_into(self._iocb, 0, 0, 0, 0, _FDSYNC, 0, descriptor, 0, 0, 0, 0, _TELL, self._event)
            self._begun = self._call(self._submit, self._context, ctypes.c_long(1), self._pointer) == 1
        if not self._begun:
            os.fdatasync(descriptor)

    def done(self) -> bool:
        """Would `wait` return at once?"""
        return not self._begun or self._ask(0)

    def wait(self) -> None:
        """Wait until what was begun is done. Raises OSError if it failed."""
        while self._begun:
            self._ask(1)
        *_, result, _ = _EVENT.unpack(self._told.raw)
        self._told = ctypes.create_string_buffer(_EVENT.size)
        if result < 0:
            raise OSError(-result, os.strerror(-result))

    def _ask(self, least: int) -> bool:
        """Take the result if it is there, or wait for it."""
        got = self._call(self._getevents, self._context, ctypes.c_long(least), ctypes.c_long(1), self._told, None)
        if got == 1:
            self._begun = False
            with suppress(BlockingIOError):
                os.eventfd_read(self._event)
        return not self._begun

    def close(self) -> None:
        """Give back what the system lent; the kernel ends what was begun. Idempotent."""
        if self._event >= 0:
            if self._works:
                self._call(self._destroy, self._context)
            os.close(self._event)
            self._event, self._works, self._begun = -1, False, False
