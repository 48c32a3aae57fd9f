"""The play's stage without a kernel: the production cores of server and client under virtual time (lab/ether.py).

What passes between them are the same octets that would pass on a wire, and the whole play takes a fraction of a second.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from relet.client.settings import ClientSettings
from relet.config.load import parse
from relet.lab.ether import Ether, Frame, Host
from relet.lab.hosts import ClientHost, Neighbour, ServerHost
from relet.lab.stage import CLIENT, CLIENT_MAC, OFFICE, SERVERS, STRANGER, STRANGER_MAC, WORKSHOP, Seen
from relet.server.told import Told, told
from relet.store.memory import MemoryStore
from relet.wire.address import hex_text

TICK = 0.05
"""Seconds between looks when nothing happens."""


class VirtualStage:
    """See `lab.stage.Stage`. The seed decides every delay and every transaction's number."""

    def __init__(self, seed: int = 1) -> None:
        self._ether = Ether(seed)
        self._ether.watchers.append(self._saw)
        self._passed: deque[Seen] = deque()
        settings = ClientSettings(mac=CLIENT_MAC, interface="eth0", hostname=CLIENT)
        dice = self._ether.random.random
        self._client = ClientHost(CLIENT, CLIENT_MAC, OFFICE, settings, dice, self._ether.resolve)
        self._stranger = Neighbour(STRANGER, STRANGER_MAC, WORKSHOP)
        self._servers = {
            cast.name: ServerHost(cast.name, cast.mac, cast.network, cast.address, MemoryStore(), self._ether.resolve)
            for cast in SERVERS.values()
        }
        hosts: tuple[Host, ...] = (self._client, self._stranger, *self._servers.values())
        for host in hosts:
            self._ether.add(host)

    def start(self, server: str) -> None:
        settings = parse(SERVERS[server].configuration("eth0"), server, Path("/"))
        self._servers[server].start(settings.networks)

    def stop(self, server: str) -> None:
        self._servers[server].stop()

    def boot(self, reboot_timeout: float) -> None:
        self._client.settings = replace(self._client.settings, reboot_timeout=reboot_timeout)
        self._ether.send(self._client, self._client.boot(self._ether.now))

    def crash(self) -> None:
        self._client.crash()

    def plug(self, network: str) -> None:
        self._client.network = network

    def squat(self, address: int) -> None:
        self._stranger.held = {address}

    def watch(self, seconds: float) -> Iterator[Seen | None]:
        end = self._ether.now.mono + seconds
        while True:
            while self._passed:
                yield self._passed.popleft()
            if self._ether.now.mono >= end:
                return
            self._ether.step(min(end, self._ether.now.mono + TICK))
            if not self._passed:
                yield None

    def verdicts(self, server: str, limit: int) -> Sequence[Told]:
        engine = self._servers[server].engine
        return told(engine.records, hex_text(CLIENT_MAC), limit) if engine is not None else []

    def wall(self) -> float:
        return self._ether.now.wall

    def close(self) -> None:
        """Nothing to do: there is nothing outside of this object."""

    def _saw(self, frame: Frame, _lost: bool) -> None:
        self._passed.append(Seen(frame.at, frame.source, frame.octets))
