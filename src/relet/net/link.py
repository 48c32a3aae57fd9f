"""What the kernel says of an interface, and the one error of everything that is asked of it.

Plain values: nothing here talks to the kernel (netlink.py does).
"""

import errno

import msgspec

from relet.errors import MachineError

_ADVICE = "; run it as root, or with the capabilities NET_RAW and NET_BIND_SERVICE, a client with NET_ADMIN too"


class LinkError(MachineError):
    """The kernel refused something about an interface. The text says what was tried, why it failed, and which rights
    would help.

    code: the errno, 0 if there is none.
    """

    def __init__(self, what: str, code: int = 0) -> None:
        super().__init__(what + (_ADVICE if code in (errno.EPERM, errno.EACCES) else ""))
        self.code = code


class LinkInfo(msgspec.Struct, frozen=True):
    """An interface as it is now.

    mac: hardware address, b'' if it has none. mtu: octets. up: switched on and able to carry packets (IFF_UP and
    IFF_RUNNING). addresses: (address, prefix width) pairs, primary first.
    """

    name: str
    index: int
    mac: bytes
    mtu: int
    up: bool
    addresses: tuple[tuple[int, int], ...] = ()


def carries(flags: int) -> bool:
    """Do interface flags (linux/if.h) say that packets can pass: IFF_UP and IFF_RUNNING?"""
    return flags & 0x41 == 0x41


class Route(msgspec.Struct, frozen=True):
    """A destination prefix and its router; router 0: the destination is on the link itself."""

    prefix: int
    width: int
    router: int = 0
