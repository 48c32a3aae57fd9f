"""One client on an interface: two would take each other's addresses away.

The claim is an abstract Unix socket (unix(7)): its name is known in the network namespace and nowhere else, as the
interface's is, and the kernel drops it with the process, however that ends. Servers claim nothing.
"""

import socket

from relet.net.link import LinkError


class Claim:
    """An interface that no other client of this program may use meanwhile. Raises LinkError if one does (EADDRINUSE)."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(f"\0relet-client-{interface}")
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot claim {interface}: {error.strerror}", error.errno or 0) from error

    def close(self) -> None:
        """Let others have it. Idempotent."""
        self._socket.close()
