"""One client on an interface: two would take each other's addresses away.

The claim is the client's port of TCP on that interface, which DHCP does not use: bound, and never listened on. It is known
in the network namespace and nowhere else, as the interface is; the kernel drops it with the process, however that ends; and
only who may use privileged ports can hold it. Servers claim nothing.
"""

import socket

from relet.model.effects import CLIENT_PORT
from relet.net.link import LinkError


def claim(interface: str) -> socket.socket:
    """An interface that no other client of this program may use until this is closed. Raises LinkError if one does
    (EADDRINUSE)."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        held.bind(("0.0.0.0", CLIENT_PORT))
    except OSError as error:
        held.close()
        raise LinkError(f"cannot claim {interface}: {error.strerror}", error.errno or 0) from error
    return held
