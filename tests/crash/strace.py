"""What a program and its threads asked of the kernel for the files of one folder, and what they sent, as strace saw it.

    recording = record(argv, folder, log)

Calls stand in the order in which they began. Whoever changes files by a call that is not understood here fails: a change
that is not seen would make the check worthless. So does a folder that was not empty at the beginning.
"""

import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from crash.disk import Create, Op, Rename, Sync, Truncate, Unlink, Write
from support.lab import need

FILES = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,ftruncate,truncate,fallocate,fsync,fdatasync,sync,syncfs,"
    "sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mmap,sendfile,copy_file_range,"
    "splice,io_uring_setup,io_submit,dup,dup2,dup3"
)
"""Calls that change files or make that possible."""
SENDS = ("sendto", "sendmsg", "sendmmsg")
LONGEST = 1 << 24
"""Octets of the longest string that strace writes down."""

_LINE = re.compile(r"(\d+) +([\d.]+) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_UNFINISHED = " <unfinished ...>"
_DESCRIPTOR = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_NUMBER = re.compile(r", (-?\d+)")


class Call(NamedTuple):
    """A call that succeeded. begun, ended: lines of the record; at: wall time in seconds at which it began."""

    name: str
    arguments: str
    result: int
    begun: int
    ended: int
    at: float


class Said(NamedTuple):
    """Octets that left the program, or were written to a file outside of the folder. path: that file's, '' of a datagram."""

    begun: int
    at: float
    path: str
    octets: bytes


class Recording(NamedTuple):
    """ops: what was done to the folder. said: what was told to others. at: wall time of each line of the record."""

    ops: list[Op]
    said: list[Said]
    at: list[float]


def traced(argv: list[str], log: Path, kill: str = "") -> list[str]:
    """The command that runs a command and writes its calls down. kill: 'CALL:N' for kill -9 right before its Nth such
    call."""
    options = ["-f", "-y", "-ttt", "-xx", f"-s{LONGEST}", f"-o{log}", f"-etrace={FILES},{','.join(SENDS)}"]
    if kill:
        call, _, number = kill.partition(":")
        options.append(f"-einject={call}:signal=KILL:when={number}")
    return [need("strace"), *options, *argv]


def record(
    argv: list[str], folder: Path, log: Path, environment: dict[str, str] | None = None, kill: str = ""
) -> Recording:
    """Run a program to its good end, or until it is killed."""
    ended = subprocess.run(traced(argv, log, kill), check=False, env=environment, timeout=120).returncode
    if ended != 0 and not (kill and ended == -signal.SIGKILL):
        raise AssertionError(f"{argv} ended with {ended}")
    return read(log, folder)


def joined(recordings: Iterable[Recording]) -> Recording:
    """What one program did after the other, on the same folder."""
    whole = Recording([], [], [])
    for each in recordings:
        line = len(whole.at)
        whole.ops.extend(op._replace(begun=op.begun + line, ended=op.ended + line) for op in each.ops)
        whole.said.extend(said._replace(begun=said.begun + line) for said in each.said)
        whole.at.extend((*each.at, each.at[-1]))  # what was under way at the end stands behind it
    return whole


def read(log: Path, folder: Path) -> Recording:
    """What the record of a program, which may still run or have been killed, says about a folder."""
    with log.open(encoding="ascii") as lines:
        calls, at = _calls(lines)
    reader = _Reader(str(folder.resolve()))
    for call in calls:
        reader.take(call)
    return Recording(reader.ops, reader.said, at)


def _calls(lines: Iterable[str]) -> tuple[list[Call], list[float]]:
    """Calls that succeeded, by when they began, and the time of each line."""
    calls: list[Call] = []
    times: list[float] = []
    unfinished: dict[str, tuple[int, float, str]] = {}
    for number, line in enumerate(lines):
        read = _LINE.match(line)
        if read is None:
            break  # the last line of a program that was killed
        thread, at, text = read[1], float(read[2]), read[3]
        times.append(at)
        begun = number
        if text.endswith(_UNFINISHED):
            unfinished[thread] = number, at, text.removesuffix(_UNFINISHED)
            continue
        if (resumed := _RESUMED.match(text)) is not None:
            begun, at, head = unfinished.pop(thread)
            text = head + resumed[2]
        call = _CALL.match(text)
        if call is not None and call[3] != "?" and (result := int(call[3], 0)) >= 0:
            calls.append(Call(call[1], call[2], result, begun, number, at))
    # what was under way at the end may have been done or not
    for begun, at, text in unfinished.values():
        name, _, arguments = text.partition("(")
        if name not in ("fsync", "fdatasync"):
            calls.append(Call(name, arguments, -1, begun, len(times), at))
    return sorted(calls, key=lambda call: call.begun), times


class _Opened(NamedTuple):
    path: str
    append: bool
    synced: bool  # O_SYNC, O_DSYNC: each write is synced before it returns


class _Reader:
    """Makes ops of calls. Threads share their descriptors, and programs do not fork here."""

    def __init__(self, folder: str) -> None:
        self.ops: list[Op] = []
        self.said: list[Said] = []
        self._folder = folder
        self._opened: dict[int, _Opened] = {}
        self._position: dict[int, int] = {}
        self._takers: dict[str, Callable[[Call], None]] = {
            "openat": self._open,
            "open": self._open,
            "write": self._write,
            "pwrite64": self._write,
            "writev": self._write,
            "pwritev": self._write,
            "lseek": self._seek,
            "ftruncate": self._truncate,
            "fsync": self._sync,
            "fdatasync": self._sync,
            "rename": self._rename,
            "renameat": self._rename,
            "renameat2": self._rename,
            "unlink": self._unlink,
            "unlinkat": self._unlink,
            "mmap": self._map,
            **dict.fromkeys(SENDS, self._send),
        }

    def take(self, call: Call) -> None:
        """The next call."""
        taker = self._takers.get(call.name)
        if taker is not None:
            taker(call)
        elif any(self._name(path) is not None for path in _paths(call.arguments)) or call.name in (
            "sync",
            "io_uring_setup",
        ):
            raise AssertionError(f"not understood: {call.name}({call.arguments[:200]})")

    def _name(self, path: str) -> str | None:
        """The file's name in the folder, '' for the folder itself, None if it is elsewhere."""
        if path == self._folder:
            return ""
        return path[len(self._folder) + 1 :] if path.startswith(self._folder + "/") else None

    def _descriptor(self, call: Call) -> tuple[int, str | None]:
        """(descriptor, name of its file in the folder, None if it is not there or there no longer)."""
        found = _DESCRIPTOR.match(call.arguments)
        if found is None:
            return -1, None
        return int(found[1]), None if found[3] else self._name(_octets(found[2]).decode())

    def _open(self, call: Call) -> None:
        path = next(_texts(call.arguments)).decode()
        name = self._name(path)
        if name is None or call.result < 0:
            return
        flags = call.arguments
        self._opened[call.result] = _Opened(path, "O_APPEND" in flags, "O_SYNC" in flags or "O_DSYNC" in flags)
        self._position[call.result] = 0
        if "O_CREAT" in flags:
            self.ops.append(Create(call.begun, call.ended, name))
        if "O_TRUNC" in flags:
            self.ops.append(Truncate(call.begun, call.ended, name, 0))

    def _write(self, call: Call) -> None:
        descriptor, name = self._descriptor(call)
        octets = b"".join(_texts(call.arguments))
        if call.result >= 0:
            octets = octets[: call.result]
        if name is None:
            if "(deleted)" not in call.arguments[:300]:
                path = next(_paths(call.arguments), "")
                self.said.append(Said(call.begun, call.at, path, octets))
            return
        opened = self._opened[descriptor]
        if call.name.startswith("p"):
            at = int(_NUMBER.findall(call.arguments)[-1])
        else:
            at = -1 if opened.append else self._position[descriptor]
            self._position[descriptor] += len(octets)
        self.ops.append(Write(call.begun, call.ended, name, at, octets))
        if opened.synced and call.result >= 0:
            self.ops.append(Sync(call.ended, call.ended, name, own=True))

    def _seek(self, call: Call) -> None:
        descriptor, name = self._descriptor(call)
        if name is not None:
            self._position[descriptor] = call.result

    def _truncate(self, call: Call) -> None:
        _, name = self._descriptor(call)
        if name is not None:
            self.ops.append(Truncate(call.begun, call.ended, name, int(_NUMBER.findall(call.arguments)[-1])))

    def _sync(self, call: Call) -> None:
        _, name = self._descriptor(call)
        if name is not None:
            self.ops.append(Sync(call.begun, call.ended, name))

    def _rename(self, call: Call) -> None:
        before, after = (self._name(octets.decode()) for octets in _texts(call.arguments))
        if before is None and after is None:
            return
        if before is None or after is None:
            raise AssertionError("a file was moved into or out of the folder")
        self.ops.append(Rename(call.begun, call.ended, before, after))

    def _unlink(self, call: Call) -> None:
        name = self._name(next(_texts(call.arguments)).decode())
        if name:
            self.ops.append(Unlink(call.begun, call.ended, name))

    def _map(self, call: Call) -> None:
        """SQLite shares the index of its log among processes; it is made anew when nobody has it open."""
        found = _DESCRIPTOR.search(call.arguments)
        name = self._name(_octets(found[2]).decode()) if found is not None else None
        shared = "MAP_SHARED" in call.arguments and "PROT_WRITE" in call.arguments
        if name is not None and shared and not name.endswith("-shm"):
            raise AssertionError(f"{name} is written through memory, which nobody can see")

    def _send(self, call: Call) -> None:
        for octets in _texts(call.arguments):
            self.said.append(Said(call.begun, call.at, "", octets))


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _texts(arguments: str) -> Iterator[bytes]:
    for text, more in _TEXT.findall(arguments):
        if more:
            raise AssertionError("strace has cut a string off")
        yield _octets(text)


def _paths(arguments: str) -> Iterator[str]:
    """Files that a call names by descriptor or by text."""
    for _, path, _ in _DESCRIPTOR.findall(arguments):
        yield _octets(path).decode(errors="replace")
    for text, _ in _TEXT.findall(arguments[:1000]):
        yield _octets(text).decode(errors="replace")
