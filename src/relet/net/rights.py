"""Whom a server or client becomes once its sockets are open, and the little of root that it keeps (capabilities(7)).

A server's sockets of interfaces that come later need CAP_NET_RAW (packet sockets) and CAP_NET_BIND_SERVICE (port 67); a
client keeps nothing. All else is given up for good: user, groups, capabilities, the bounding and the ambient set, and the
gain of any by running a program.
"""

import ctypes
import errno
import grp
import os
import pwd
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from relet.errors import MachineError

UMASK = 0o027
"""Files are for the server's user, and for its group to read."""

CAP_SETGID, CAP_SETUID, CAP_SETPCAP = 6, 7, 8  # linux/capability.h, as the next
CAP_NET_BIND_SERVICE = 10
CAP_NET_RAW = 13
KEPT = 1 << CAP_NET_BIND_SERVICE | 1 << CAP_NET_RAW
"""The capabilities that a server keeps, as far as it has them."""

NONE = 0
"""Those that a client keeps."""

UNPRIVILEGED = ("relet", "nobody")
"""Users that a client may become if it is told of none."""

OVERFLOW = 65534
"""User and group that the kernel takes for those that it cannot name (user_namespaces(7)): nobody, also without a name."""

_BECOMING = 1 << CAP_SETGID | 1 << CAP_SETUID
_UID_MAP = Path("/proc/self/uid_map")
_EVERYBODY = ["0", "0", "4294967295"]

_CAPABILITIES_MAX = 64
_VERSION_3 = 0x20080522
_HEADER = struct.Struct("@Ii")  # version, pid
_SETS = struct.Struct("@6I")  # effective, permitted, inheritable: the low words, then the high ones

# linux/prctl.h
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4


class RightsError(MachineError):
    """There is no such user or group, or this process cannot become it."""


class Identity(msgspec.Struct, frozen=True):
    """A user with its groups. user: '' if it stays the one that it is."""

    user: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def identity(user: str, group: str) -> Identity:
    """Who these names are; '' means as it is now, and for the group of a named user its own. Raises RightsError."""
    uid, gid, groups = os.geteuid(), os.getegid(), tuple(os.getgroups())
    if user:
        try:
            known = pwd.getpwnam(user)
        except KeyError:
            raise RightsError(f"there is no user {user!r}; make it, or name another") from None
        uid, gid = known.pw_uid, known.pw_gid
    if group:
        try:
            gid = grp.getgrnam(group).gr_gid
        except KeyError:
            raise RightsError(f"there is no group {group!r}; make it, or name another") from None
    if user:
        groups = tuple(os.getgrouplist(user, gid))
    if os.geteuid() and (uid != os.geteuid() or gid not in (os.getegid(), *os.getgroups())):
        wanted = f"user {user!r}" if uid != os.geteuid() else f"group {group!r}"
        raise RightsError(f"only root can become {wanted}; start as root, or as that one with its capabilities")
    return Identity(user, uid, gid, groups)


def somebody_else(user: str) -> Identity | None:
    """Whom a client becomes: that user with its own group alone; '' for the first of UNPRIVILEGED, else OVERFLOW.

    None if it stays what it is: it is to be root, is not root or not the machine's (user_namespaces(7)), or cannot become
    anybody. Raises RightsError if a user is named that it cannot become.
    """
    able = os.geteuid() == 0 and _permitted(_libc()) & _BECOMING == _BECOMING and _whole_machine()
    if not user and not able:
        return None
    for name in (user,) if user else UNPRIVILEGED:
        with suppress(KeyError):
            known = pwd.getpwnam(name)
            if known.pw_uid == os.geteuid():
                return None
            if not able:
                raise RightsError(f"only root can become user {user!r}; start as root, or name no user")
            return Identity(name, known.pw_uid, known.pw_gid, (known.pw_gid,))
    if not user:
        return Identity(UNPRIVILEGED[-1], OVERFLOW, OVERFLOW, (OVERFLOW,))  # an initramfs may have no names
    raise RightsError(f"there is no user {user!r}; make it, or name another")


@contextmanager
def acting_as(who: Identity) -> Iterator[None]:
    """Files that are made within belong to this user, and what it may not touch cannot be touched. Root comes back."""
    groups, gid = os.getgroups(), os.getegid()
    # Who stays what it is asks for nothing: in a user namespace, root may not even set the groups that it has.
    if os.geteuid() or (who.uid, who.gid, set(who.groups)) == (0, gid, set(groups)):
        yield
        return
    try:
        os.setgroups(who.groups)
        os.setegid(who.gid)
        os.seteuid(who.uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def give_up(who: Identity, keep: int = KEPT) -> None:
    """Become this user for good and keep no more than these capabilities. Root that names no user stays root. Raises
    RightsError."""
    if not who.uid and not who.user:
        return
    libc = _libc()
    try:
        if not os.geteuid():
            _prctl(libc, _PR_SET_KEEPCAPS, 1)
            bounds = range(_CAPABILITIES_MAX) if _permitted(libc) & 1 << CAP_SETPCAP else ()
            for number in bounds:
                if _prctl(libc, _PR_CAPBSET_READ, number, absent=0):
                    _prctl(libc, _PR_CAPBSET_DROP, number)
            os.setgroups(who.groups)
            os.setresgid(who.gid, who.gid, who.gid)
            os.setresuid(who.uid, who.uid, who.uid)
        _prctl(libc, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        kept = _permitted(libc) & keep
        _capset(libc, kept, kept)
        _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    except OSError as error:
        raise RightsError(f"cannot become user {who.user or who.uid}: {error.strerror}") from error


def _whole_machine() -> bool:
    """Are the users here those of the machine? In a user namespace most of them are nobody."""
    try:
        return _UID_MAP.read_text().split() == _EVERYBODY
    except OSError:  # the kernel has no user namespaces
        return True


def _prctl(libc: ctypes.CDLL, option: int, argument: int, absent: int | None = None) -> int:
    """Raises OSError; with `absent`, gives that where the kernel knows no such number."""
    result = libc.prctl(option, *(ctypes.c_ulong(value) for value in (argument, 0, 0, 0)))
    if result < 0:
        code = ctypes.get_errno()
        if absent is not None and code == errno.EINVAL:
            return absent
        raise OSError(code, os.strerror(code))
    return int(result)


def _permitted(libc: ctypes.CDLL) -> int:
    """The permitted capabilities of this process, one bit each."""
    sets = ctypes.create_string_buffer(_SETS.size)
    _checked(libc.capget(_HEADER.pack(_VERSION_3, 0), sets))
    _, low, _, _, high, _ = _SETS.unpack(sets.raw)
    return int(low | high << 32)


def _capset(libc: ctypes.CDLL, effective: int, permitted: int) -> None:
    low = 0xFFFFFFFF
    octets = _SETS.pack(effective & low, permitted & low, 0, effective >> 32, permitted >> 32, 0)
    _checked(libc.capset(_HEADER.pack(_VERSION_3, 0), octets))


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
