"""An interface's MTU by the lease: set, and put back to what it was.

What it was stands in a file until it is put back, so that a client that was killed does not leave its MTU behind for
good. Only an MTU that is still ours is put back: what somebody else has set since stays.
"""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from relet.model.effects import Note
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.run import smallfile

IPV6_LEAST = 1280
"""RFC 8200 s5: with less, the kernel takes IPv6 with all its addresses off the interface, which no lease may do."""

REFUSED = "bad-mtu"
"""The kind of all notes."""

MAX_OCTETS = 1024
"""Of the file."""

Mtus = Annotated[int, msgspec.Meta(ge=1, le=0x7FFFFFFF)]
"""What the kernel takes for a number of octets."""


class _Changed(msgspec.Struct, frozen=True):
    """index: of the interface; another one may have got its name since."""

    index: int
    before: Mtus
    ours: Mtus


class Mtu:
    """One interface's MTU. file: where is remembered what it was, None: by this object alone."""

    def __init__(self, link: LinkInfo, file: Path | None) -> None:
        self._link = link
        self._file = file
        self._changed = _read(file, link.index) if file else None

    def apply(self, mtu: int) -> list[Note]:
        """Set it; 0 puts back what was there. Gives what went wrong."""
        try:
            if mtu == 0:
                self._put_back()
            else:
                self._set(mtu)
        except LinkError as error:
            return [Note(REFUSED, str(error))]
        except OSError as error:
            return [Note(REFUSED, f"the MTU stays as it is, since what it was cannot be remembered: {error}")]
        return []

    def objections(self, mtu: int) -> list[Note]:
        """Why it should not be set by anybody."""
        try:
            if mtu:
                self._check(mtu)
        except LinkError as error:
            return [Note(REFUSED, str(error))]
        return []

    def _check(self, mtu: int) -> None:
        if mtu < IPV6_LEAST and netlink.has_ipv6(self._link.index):
            raise LinkError(f"cannot set an MTU of {mtu}: IPv6 on {self._link.name} needs {IPV6_LEAST}")

    def _set(self, mtu: int) -> None:
        self._check(mtu)
        now, changed = netlink.link(self._link.name).mtu, self._changed
        if now == mtu:
            return
        before = changed.before if changed and changed.ours == now else now
        self._changed = _Changed(self._link.index, before, mtu)
        if self._file:
            smallfile.write(self._file, msgspec.json.encode(self._changed))
        netlink.set_mtu(self._link.index, mtu)

    def _put_back(self) -> None:
        changed, self._changed = self._changed, None
        if changed is None:
            return
        with suppress(LinkError):  # the interface may be gone
            if netlink.link(self._link.name).mtu == changed.ours:
                netlink.set_mtu(self._link.index, changed.before)
        if self._file:
            self._file.unlink(missing_ok=True)


def _read(file: Path, index: int) -> _Changed | None:
    try:
        changed = msgspec.json.decode(smallfile.read(file, MAX_OCTETS), type=_Changed)
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return changed if changed.index == index else None
