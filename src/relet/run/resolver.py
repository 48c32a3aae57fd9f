"""The name servers and search names of a lease, told to whatever looks after resolv.conf on this machine.

Who that is, is seen at each change: systemd-resolved, if resolv.conf is a link to its file (by `resolvectl`); else a
program `resolvconf`, openresolv's or Debian's, if there is one; else we are (resolvfile.py). Both programs keep what we say
apart from what others say, and forget it when told to. They run beside the loop (programs.py), without a shell.

In a network namespace that `ip netns` made, a resolv.conf that is not mounted there, as `ip netns exec` does with
/etc/netns/NAME/resolv.conf, is the whole machine's, and is left alone.

What was said for an interface stands in a file until it is taken back, so that a client that was killed is cleared up after
by the next one, and clients of several interfaces know of each other.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from relet.model.effects import Note
from relet.net.clock import now
from relet.run import smallfile
from relet.run.plan import Plan
from relet.run.programs import Job, Programs
from relet.run.resolvfile import ResolvFile, Said, content
from relet.wire.address import ip_text

TIMEOUT_S = 10.0
"""For resolvconf and resolvectl."""

SEARCHED = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin")
"""Where these programs may stand. The PATH of whoever started us is not asked."""

RESOLVED = ("/run/systemd/resolve", "/usr/lib/systemd/resolv.conf")
"""Folder and file of systemd-resolved: resolv.conf is a link into one of them where it is in charge."""

STATE = Path("/run/relet-client/resolver")
"""Where is remembered what was said. It need not survive a boot: who starts finds in resolv.conf and beside it what was ours
and what was there before."""

LOCK_POLLS = 50
LOCK_POLL_S = 0.01
"""So long another client's change of resolv.conf is waited for; it takes as long as to write a small file."""

MAX_SAID = 64
"""Interfaces of which a resolv.conf is made."""

MAX_OCTETS = 1 << 16
"""Of what was said for one: 16 addresses and 32 names are less than 10 KiB."""


class Places(msgspec.Struct, frozen=True):
    """Where things are on this machine. state: folder in which is remembered what was said. network: our network namespace.
    networks: those that ip-netns(8) made.
    """

    resolv_conf: str = "/etc/resolv.conf"
    state: Path = STATE
    searched: tuple[str, ...] = SEARCHED
    resolved: tuple[str, ...] = RESOLVED
    network: Path = Path("/proc/self/ns/net")
    networks: Path = Path("/run/netns")


class Resolver:
    """The name servers of this machine, as far as we say what they are. programs: what runs others."""

    def __init__(self, programs: Programs, places: Places | None = None) -> None:
        self._programs = programs
        self._places = places or Places()
        self._file = ResolvFile(self._places.resolv_conf)
        self._done: dict[str, Said] = {}
        self._left_alone = False

    def apply(self, interface: str, metric: int, wanted: Plan) -> list[Note]:
        """Say what the lease of that interface has. Gives what went wrong at once.

        What this object has said already is not said again: who has changed resolv.conf since has the last word.
        """
        if not wanted.nameservers:
            # Search names alone would leave resolv.conf without a name server, which means this very machine.
            return self.withdraw(interface)
        if not self._ours_to_say():
            told, self._left_alone = self._left_alone, True
            text = f"{self._places.resolv_conf} is left alone: this network namespace has none of its own"
            return [] if told else [Note("no-resolver", text)]
        servers = tuple(map(ip_text, wanted.nameservers))
        said = Said(interface, self._manager(), metric, servers, wanted.search, wanted.expires)
        before = self._remembered(interface)
        try:
            self._remember(said)
        except OSError as error:
            return [
                Note("bad-resolver", f"name servers are left as they are, as no file can say what they were: {error}")
            ]
        problems = self._take_back(before) if before and before.manager != said.manager else []
        if self._done.get(interface) == msgspec.structs.replace(said, expires=None):
            return problems
        self._done[interface] = msgspec.structs.replace(said, expires=None)
        return problems + self._say(said)

    def withdraw(self, interface: str) -> list[Note]:
        """Take back what was said for that interface, by us or an earlier run. Gives what went wrong at once."""
        before = self._remembered(interface)
        self._done.pop(interface, None)
        problems = self._take_back(before) if before else []
        if before and not problems:
            # Last, so that who is killed before that is cleared up after.
            with suppress(OSError):
                self._path(interface).unlink()
        return problems

    def _say(self, said: Said) -> list[Note]:
        match said.manager:
            case "resolved":
                names = said.search or ("",)  # '' takes the names away that are there
                return self._run(said, ("dns", said.interface, *said.nameservers), ("domain", said.interface, *names))
            case "resolvconf":
                return self._run(said, ("-a", f"{said.interface}.relet"), given=content([said]))
            case _:
                return self._rewrite()

    def _take_back(self, said: Said) -> list[Note]:
        match said.manager:
            case "resolved":
                return self._run(said, ("revert", said.interface))
            case "resolvconf":
                return self._run(said, ("-d", f"{said.interface}.relet"))
            case _:
                return self._rewrite(without=said.interface)

    def _rewrite(self, without: str = "") -> list[Note]:
        """Make resolv.conf of what was said for all interfaces but one, by all clients of this machine."""
        wall = now().wall
        try:
            with self._locked():
                others = (said for said in self._all() if said.interface != without)
                live = [said for said in others if said.expires is None or said.expires > wall]
                if live:
                    self._file.write(content(live))
                else:
                    self._file.put_back()
        except OSError as error:
            return [Note("bad-resolver", f"{self._places.resolv_conf} cannot be written: {error}")]
        return []

    def _run(self, said: Said, *arguments: tuple[str, ...], given: str = "") -> list[Note]:
        name = "resolvectl" if said.manager == "resolved" else "resolvconf"
        program = self._program(name)
        if program is None:
            return [Note("bad-resolver", f"{name} is no longer there")]
        # openresolv takes the metric from there; Debian's goes by the names of interfaces.
        environment = {"PATH": ":".join(self._places.searched), "IF_METRIC": str(said.metric)}
        commands = tuple((program, *each) for each in arguments)
        place = f"resolver of {said.interface}"
        self._programs.run(Job("resolver", name, commands, environment, TIMEOUT_S, given.encode(), place, quiet=True))
        return []

    def _manager(self) -> str:
        real = os.path.realpath(self._places.resolv_conf)
        if any(f"{real}/".startswith(f"{each}/") for each in self._places.resolved) and self._program("resolvectl"):
            return "resolved"
        program = self._program("resolvconf")
        # systemd has a resolvconf too; where resolved is not in charge, it would tell it in vain.
        if program and not os.path.realpath(program).endswith("/resolvectl"):
            return "resolvconf"
        return "file"

    def _ours_to_say(self) -> bool:
        """Do those who read resolv.conf here speak on this network?"""
        if not self._in_named_network():
            return True
        mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
        real = Path(os.path.realpath(self._places.resolv_conf))
        return any(str(each) in mounts for each in (real, *real.parents[:-1]))

    def _in_named_network(self) -> bool:
        """Are we in a network namespace that ip-netns(8) made?"""
        try:
            ours = self._places.network.stat().st_ino
            return any(each.stat().st_ino == ours for each in self._places.networks.iterdir())
        except OSError:
            return False

    def _program(self, name: str) -> str | None:
        paths = (f"{folder}/{name}" for folder in self._places.searched)
        return next((path for path in paths if os.access(path, os.X_OK) and Path(path).is_file()), None)

    def _path(self, interface: str) -> Path:
        return self._places.state / f"{interface}.resolver"

    def _remember(self, said: Said) -> None:
        smallfile.write(self._path(said.interface), msgspec.json.encode(said))

    def _remembered(self, interface: str) -> Said | None:
        return _decoded(self._path(interface))

    def _all(self) -> list[Said]:
        paths = smallfile.like(self._places.state, "*.resolver", MAX_SAID)
        return [said for said in map(_decoded, paths) if said and said.manager == "file"]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two clients do not write at the same time. Raises OSError if it takes too long."""
        descriptor = os.open(self._places.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for left in reversed(range(LOCK_POLLS)):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not left:
                        raise
                    time.sleep(LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _decoded(path: Path) -> Said | None:
    try:
        return msgspec.json.decode(smallfile.read(path, MAX_OCTETS), type=Said)
    except (OSError, ValueError, msgspec.DecodeError):
        return None
