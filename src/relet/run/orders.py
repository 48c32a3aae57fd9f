"""What the operator wants of the client on an interface, beyond the settings of the protocol; and how it ended."""

from math import inf

import msgspec

from relet.run.memory import Recall

GOOD, NO, ENVIRONMENT = 0, 1, 3
"""How a client ended; exit codes of the command."""


class Orders(msgspec.Struct, frozen=True):
    """recall: what is remembered, and where. hook: program and arguments, () for none.
    configure: touch the interface; False leaves it as it is and does everything else. resolver: and the name servers.
    metric: of routes, None to take one by the interface's index.
    speak: for an address that perhaps nobody puts on the interface: answer ARP for it, and send from it.
    once: end when bound and announced. Address and lease file stay, and the kernel drops the address at the lease's end.
    release: have the remembered lease confirmed, give it back, and end.
    timeout: seconds after which to end if there is no address yet.
    """

    recall: Recall
    hook: tuple[str, ...] = ()
    configure: bool = True
    resolver: bool = True
    metric: int | None = None
    speak: bool = False
    once: bool = False
    release: bool = False
    timeout: float = inf
