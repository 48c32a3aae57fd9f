"""Where a client can be killed: each call that it makes of the kernel, told by strace, from its first packet socket on.

points = record(log, folder)                    # of a run under traced(log)
argv = at(dice.choice(points))                  # runs a program that is killed right before that call
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from support.lab import need

CALLS = (
    "openat,write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,mkdir,"
    "mkdirat,chmod,fchmod,fchmodat,ftruncate,close,socket,bind,connect,listen,sendto,sendmsg,sendmmsg,recvfrom,recvmsg,"
    "recvmmsg,epoll_wait,epoll_ctl,ioctl,clone,clone3,vfork,fork,execve,wait4,pipe2,socketpair,setuid,setresuid,prctl,kill"
)
"""Calls that change something, or wait."""

_MODULES = re.compile(r"\.pyc?\b|/lib/python|/src/relet|\.so\b")
_LINE = re.compile(r"(\d+) +(\w+)\(")


class Point(NamedTuple):
    """The nth such call of a process. writes: it is about a file of the folder in question."""

    call: str
    number: int
    writes: bool = False


def traced(log: Path) -> list[str]:
    """Runs a program whose calls are written down."""
    return [need("strace"), "-f", "-qq", "-y", f"-o{log}", f"-etrace={CALLS}"]


def at(point: Point) -> list[str]:
    """Runs a program of which a process is killed (SIGKILL) right before this call."""
    inject = f"-einject={point.call}:signal=KILL:when={point.number}"
    return [need("strace"), "-f", "-qq", "-o/dev/null", f"-etrace={point.call}", inject]


def record(log: Path, folder: Path) -> list[Point]:
    """The calls of a run, in order, from the first packet socket of any of its processes on; but for its looks for modules
    of Python, of which there are many."""
    counts: Counter[tuple[str, str]] = Counter()
    points: list[Point] = []
    known, begun = CALLS.split(","), False
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        process, call = found[1], found[2]
        counts[process, call] += 1
        begun = begun or "AF_PACKET" in line
        if begun and call in known and not _MODULES.search(line):
            points.append(Point(call, counts[process, call], call != "execve" and str(folder) in line))
    return points
