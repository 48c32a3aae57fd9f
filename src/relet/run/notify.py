"""What systemd is told of a service of Type=notify: ready, alive, stopping, and a line of state (sd_notify(3)).

It is told by datagrams to the socket that NOTIFY_SOCKET names, which is found once, while we still may. It is never waited
for: what cannot be sent is not sent. Without that variable nothing is told.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress


class Notify:
    """environment: with NOTIFY_SOCKET, and WATCHDOG_USEC and WATCHDOG_PID if signs of life are wanted. pid: our own."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if path else None
        if self._socket:
            with suppress(OSError):
                self._socket.connect("\0" + path[1:] if path.startswith("@") else path)
        self._said = ""
        self._beat_at = 0.0
        self._beat_every_s = 0.0
        usec = environment.get("WATCHDOG_USEC", "")
        if usec.isdecimal() and environment.get("WATCHDOG_PID", str(pid)) == str(pid):
            self._beat_every_s = int(usec) / 1e6 / 2  # sd_watchdog_enabled(3): at half the time

    def ready(self, state: str) -> None:
        """The service is up. state: a line for `systemctl status`."""
        self._said = state
        self._send("READY=1", f"STATUS={state}")

    def alive(self, state: str, mono: float) -> None:
        """To be called each time that the loop gets round, at this monotonic time: a sign of life when one is due, and the
        state if it is another than before."""
        if state != self._said:
            self._said = state
            self._send(f"STATUS={state}")
        if self._beat_every_s and mono >= self._beat_at:
            self._beat_at = mono + self._beat_every_s
            self._send("WATCHDOG=1")

    def reloading(self, mono: float) -> None:
        """The configuration is read again, from this monotonic time on; `ready` says that this has come to its end."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(mono * 1e6)}")

    def stopping(self) -> None:
        """The service ends."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, *lines: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.send("\n".join(line.replace("\n", " ") for line in lines).encode())
