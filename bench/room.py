"""A machine of its own for one boot of a client: network, processes, host name, /run, /etc and leases are private.

    far()                                       # this process moves into a network of its own: server and gateway live here
    room = Room(folder, mac="02:00:00:00:00:10", gateway="02:00:00:00:00:01")
    with room.inside():
        notices = socket.socket(...)            # in the client's network
    exec_at = room.start(argv, log)             # monotonic seconds, read by the client's own process right before exec
    room.close()                                # whatever runs in it is killed by the kernel

The room's end of the cable is eth0, up, without an address; the other is s0 in this process's network. /etc is the
machine's own with a layer above it that the room may write to; of /var/lib only `folder`/lib is there, on the disk.
Nothing of the machine is changed. Needs root, and a process that forks nothing else meanwhile.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

INTERFACE, FAR = "eth0", "s0"
STATE = ("dhcp", "dhcpcd", "relet")
"""Folders of /var/lib in which clients keep leases."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = "/usr/sbin"
"""dhclient-script calls ping from here; a machine without one gets busybox's."""
SETTLE_S = 0.15
"""The kernel is given so long to tell everybody that the cable is plugged in."""
UP_S = 5.0

_LIBC = ctypes.CDLL(None, use_errno=True)
# sched.h, sys/mount.h, sys/prctl.h
_NEWNS, _NEWUTS, _NEWIPC, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
_MS_REC, _MS_PRIVATE, _MS_BIND = 0x4000, 1 << 18, 0x1000
_PR_SET_PDEATHSIG = 1


def far() -> None:
    """Move this process into a network of its own, with loopback up."""
    _call(_LIBC.unshare(_NEWNET))
    _ip("link", "set", "lo", "up")


class Room:
    """See the head of this file. folder: becomes the room's own, with lib/ in it if a client has been here before."""

    def __init__(self, folder: Path, mac: str, gateway: str) -> None:
        self._folder = folder
        for name in STATE:
            (folder / "lib" / name).mkdir(parents=True, exist_ok=True)
        self._ours, theirs = socket.socketpair()
        self._keeper = os.fork()
        if self._keeper == 0:
            self._ours.close()
            _keep(theirs, folder)  # never returns
        theirs.close()
        if self._ours.recv(1) != b"r":
            raise RuntimeError("the room cannot be made")
        self._net = os.open(f"/proc/{self._keeper}/ns/net", os.O_RDONLY)
        _ip("link", "add", FAR, "address", gateway, "type", "veth",
            "peer", "name", INTERFACE, "address", mac, "netns", str(self._keeper))  # fmt: skip
        _ip("link", "set", FAR, "up")
        with self.inside():
            _ip("link", "set", "lo", "up")
            _ip("link", "set", INTERFACE, "up")
            self._await_up()

    def start(self, argv: Sequence[str], log: Path) -> float:
        """Run a program in the room; monotonic seconds of the moment right before it is executed."""
        self._ours.sendall("\0".join((str(log), *argv)).encode() + b"\n")
        with self._ours.dup() as reading, reading.makefile("r") as lines:
            return int(lines.readline()) / 1e9

    def ended(self) -> int | None:
        """The program's exit code, or less than zero for a signal; None while it runs."""
        try:
            said = self._ours.recv(64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        return int(said)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets and processes that are made here belong to the room's network."""
        before = os.open("/proc/self/ns/net", os.O_RDONLY)
        _call(_LIBC.setns(self._net, _NEWNET))
        try:
            yield
        finally:
            _call(_LIBC.setns(before, _NEWNET))
            os.close(before)

    def addresses(self) -> list[str]:
        """IPv4 addresses on its interface, such as 10.77.0.5/16."""
        with self.inside():
            rows = _ip("-4", "-oneline", "address", "show", "dev", INTERFACE).splitlines()
        return [row.split()[3] for row in rows]

    def close(self) -> None:
        """Kill all that runs in it."""
        os.kill(self._keeper, signal.SIGKILL)
        os.waitpid(self._keeper, 0)
        self._ours.close()
        os.close(self._net)

    def _await_up(self) -> None:
        until = time.monotonic() + UP_S
        while "state UP" not in _ip("-oneline", "link", "show", "dev", INTERFACE):
            if time.monotonic() > until:
                raise RuntimeError("the cable has no carrier")
            time.sleep(0.005)
        time.sleep(SETTLE_S)


def _keep(talk: socket.socket, folder: Path) -> None:
    """The room's keeper, and below it the room's process 1, which starts the client. They end with whoever made them."""
    try:
        _die_with(os.getppid())
        _call(_LIBC.unshare(_NEWNET | _NEWNS | _NEWUTS | _NEWIPC | _NEWPID))
        first = os.fork()
        if first == 0:
            _die_with(0)
            _furnish(folder)
            _serve(talk)
        os.waitpid(first, 0)
    except BaseException as error:
        sys.stderr.write(f"room: {error!r}\n")
    finally:
        os._exit(1)


def _furnish(folder: Path) -> None:
    """Private mounts. Processes see each other by the room's numbers, so /proc is its own too."""
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
    _mount("proc", "/proc", "proc")
    _mount("sysfs", "/sys", "sysfs")
    _mount("tmpfs", "/run", "tmpfs")
    _layer("/etc")
    if shutil.which("ping") is None:
        _layer(TOOLS)
        (Path(TOOLS) / "ping").symlink_to("/bin/busybox")
    for name in ("lock", "dhcpcd", "systemd", "sendsigs.omit.d"):
        (Path("/run") / name).mkdir()
    kept = os.open(folder / "lib", os.O_RDONLY)
    _mount("tmpfs", "/var/lib", "tmpfs")
    for name in STATE:
        (Path("/var/lib") / name).mkdir()
        _mount(f"/proc/self/fd/{kept}/{name}", f"/var/lib/{name}", "", _MS_BIND)
    os.close(kept)


def _layer(folder: str) -> None:
    """What is written there from now on stays in the room."""
    parts = [Path("/run/layers") / Path(folder).name / name for name in ("upper", "work")]
    for part in parts:
        part.mkdir(parents=True)
    _mount("overlay", folder, "overlay", data=f"lowerdir={folder},upperdir={parts[0]},workdir={parts[1]}")


def _serve(talk: socket.socket) -> None:
    """Process 1: start what is asked for, tell how it ended, stay."""
    talk.sendall(b"r")
    log, *argv = talk.recv(65536).decode().rstrip("\n").split("\0")
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    client = os.fork()
    if client == 0:
        nothing = os.open("/dev/null", os.O_RDONLY)
        for number, descriptor in enumerate((nothing, output, output)):
            os.dup2(descriptor, number)
        os.set_inheritable(talk.fileno(), False)
        talk.sendall(f"{time.monotonic_ns()}\n".encode())
        os.execve(argv[0], argv, _environment())
    while True:
        ended, status = os.wait()
        if ended == client:
            talk.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            while True:  # its children may live on; the kernel kills them with us
                signal.pause()


def _environment() -> dict[str, str]:
    """What a program finds at boot; relet may have to be told where it lies."""
    return {"PATH": PATH} | {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}


def copied(source: Path, target: Path) -> None:
    """Leases that a client left in a room, for another room: with their times, which dhcpcd counts from."""
    shutil.copytree(source / "lib", target / "lib", dirs_exist_ok=True, symlinks=True)


def _die_with(parent: int) -> None:
    _call(_LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(1)


def _mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    _call(_LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()))


def _call(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
