"""A file of a few octets that must always be whole: read with a bound, written beside its place, synced and renamed.

Whoever reads finds the old octets or the new ones. What is to be read may have been planted: only regular files are, so
that no pipe keeps the program waiting.
"""

import os
import stat
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path


def read(path: Path, most: int, *, follow: bool = False) -> bytes:
    """The octets of a file that has at most so many. follow: through a symbolic link too.

    Raises FileNotFoundError; OSError for what cannot be read, ValueError for what is no such file or too long.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        octets = file.read(most + 1)
    if len(octets) > most:
        raise ValueError(f"it has more than {most} octets")
    return octets


def written_at(path: Path) -> float:
    """Wall time at which a file was last written to. Raises OSError."""
    return path.stat().st_mtime


def like(folder: Path, pattern: str, most: int) -> list[Path]:
    """Files of a folder whose names are like a pattern, in order, at most so many; none if there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, pattern))[:most]
    except OSError:
        return []


def write(path: Path, octets: bytes) -> None:
    """Put the octets in the file's place, safe on disk when this returns; nobody but its owner may read it.

    Makes the folder if there is none, for its owner alone. Raises OSError; what was there before then stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # of a program that was killed
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync(path.parent)


def remove(path: Path) -> None:
    """There is no such file any more. Raises OSError."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        _sync(path.parent)


def set_aside(path: Path) -> str:
    """Rename a file that cannot be used to '.bad'; what became of it, in words."""
    aside = path.with_name(path.name + ".bad")
    try:
        path.replace(aside)
    except OSError as error:
        return f"it cannot be moved aside: {error.strerror}"
    return f"it is kept as {aside}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
