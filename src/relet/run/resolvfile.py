"""resolv.conf where nobody else looks after it: written whole, and put back as it was.

The file is replaced by renaming, so that nobody ever reads half of one, and keeps its mode, and its owner if
we may set it. A link is followed,
and what it leads to is replaced: where the file lies is for the operator to say, not for a lease. A file that is mounted in
its place, as in containers and `ip netns exec`, cannot be renamed over and is written in place.

What was there is kept beside it under BEFORE until it is put back, so that a client that was killed costs nothing: a file
that begins with HEADER is ours, and what is beside it was there before. A file that does not is somebody's, and stays.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE

import msgspec

BEFORE = ".relet-before"
"""Behind the file's name: what was there before us."""

HEADER = b"# Made by relet for the leases that it has. What was here before is beside it, and comes back in the end.\n"

MODE = 0o644
"""Of a file where there was none."""

MAX_OCTETS = 1 << 20
"""Of a resolv.conf that is kept; nobody has one of that size."""


class Said(msgspec.Struct, frozen=True):
    """What was said for one interface. manager: to whom. metric: less comes first. expires: wall time, None for never."""

    interface: str
    manager: str
    metric: int
    nameservers: tuple[str, ...]
    search: tuple[str, ...] = ()
    expires: float | None = None


def content(all_said: Sequence[Said]) -> str:
    """The lines of resolv.conf(5) for all interfaces: servers and names of the least metric first, each once."""
    ordered = sorted(all_said, key=lambda said: (said.metric, said.interface))
    search = dict.fromkeys(name for said in ordered for name in said.search)
    servers = dict.fromkeys(server for said in ordered for server in said.nameservers)
    lines = [f"search {' '.join(search)}"] if search else []
    return "".join(f"{line}\n" for line in (*lines, *(f"nameserver {server}" for server in servers)))


class ResolvFile:
    """The file at that path, or where a link at that path leads to. All functions raise OSError."""

    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, lines: str) -> None:
        """Put these lines there, and keep what was there if it is not ours."""
        path, kept = self._paths()
        wanted, present = HEADER + lines.encode(), _read(path)
        if present is None:
            kept.unlink(missing_ok=True)
        elif not present.startswith(HEADER):
            _replace(kept, present, path.stat())
        if present != wanted:
            _replace(path, wanted, None if present is None else path.stat())

    def put_back(self) -> None:
        """Put back what was there, unless somebody else has written the file since."""
        path, kept = self._paths()
        present, before = _read(path), _read(kept)
        if present is not None and present.startswith(HEADER):
            if before is None:
                path.unlink(missing_ok=True)
            else:
                _replace(path, before, kept.stat())
        kept.unlink(missing_ok=True)
        for each in (path, kept):
            _beside(each).unlink(missing_ok=True)

    def _paths(self) -> tuple[Path, Path]:
        """The file, and what is kept beside it. Not by Path.resolve, to which a link to itself is no OSError."""
        real = os.path.realpath(self._path)
        return Path(real), Path(real + BEFORE)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_OCTETS)
    except FileNotFoundError:
        return None


def _beside(path: Path) -> Path:
    """Where a new file is written before it takes the old one's place; only a client that was killed leaves one."""
    return path.with_name(path.name + ".relet-new")


def _replace(path: Path, octets: bytes, like: os.stat_result | None) -> None:
    """At once, with mode and owner of `like`."""
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, octets)
        if like:
            with suppress(PermissionError):  # without CAP_CHOWN it is ours
                os.fchown(descriptor, like.st_uid, like.st_gid)
        os.fchmod(descriptor, S_IMODE(like.st_mode) if like else MODE)
        os.fsync(descriptor)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno != errno.EBUSY:
            raise
        _write_in_place(path, octets)
    finally:
        os.close(descriptor)


def _write_in_place(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, octets, 0)
        os.ftruncate(descriptor, len(octets))
    finally:
        os.close(descriptor)
