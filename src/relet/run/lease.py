"""`relet.lease`: a lease as an asyncio context, kept for as long as the program is inside.

A shell around the same client as the command's (run/presence.py): asyncio's loop waits for the same sockets in place of
run/loop.py, and nothing of the client is here.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from math import inf
from pathlib import Path

from msgspec.structs import replace

from relet.client.settings import ClientSettings
from relet.errors import MachineError
from relet.model.events import Command
from relet.net import clock
from relet.net.link import LinkError, LinkInfo
from relet.net.monitor import LinkMonitor
from relet.net.timer import Alarm, ClockWatch
from relet.run.acquire import CANNOT_CONFIGURE
from relet.run.hand import LocalHand
from relet.run.loop import Callback, Readable
from relet.run.memory import Recall
from relet.run.orders import Orders
from relet.run.presence import FAILED, TIMEOUT, Presence
from relet.run.terms import Terms, terms
from relet.run.told import Told

MAX_EVENTS = 1024
"""Events that wait for whoever iterates; of more, the oldest are lost."""


class LeaseError(MachineError):
    """There is no lease, and none will come: the machine does not allow it, or the client has ended. The text says why."""


class LeaseTimeoutError(LeaseError, TimeoutError):
    """Nobody gave an address in time."""


class Lease:
    """An address of one interface, renewed in the background; `lease` makes it.

    `address` and what else a lease says may change whenever the program awaits something. `terms` is all of it at one
    moment, None while there is no address: its lease was lost, or the link is down. To iterate gives what happens, as
    `Told`, from the start on, and ends when the client does. name: of the interface.
    """

    def __init__(self, name: str, settings: ClientSettings, orders: Orders) -> None:
        self.name = name
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._events: deque[Told] = deque(maxlen=MAX_EVENTS)
        self._happened = asyncio.Event()
        self._why: LeaseError | None = None
        self._broken = False
        with ExitStack() as stack:
            self._alarm = Alarm()
            stack.callback(self._alarm.close)
            self._monitor = LinkMonitor([name])
            stack.callback(self._monitor.close)
            self._presence = Presence(
                name, self._on_link, orders, self, partial(LocalHand, self), self._tell, self._happened.set
            )
            stack.callback(self._presence.close)
            self._clock, self._naps = ClockWatch(), clock.Naps()
            stack.callback(self._clock.close)
            sources: tuple[tuple[Readable, Callback], ...] = (
                (self._alarm, self._rung), (self._monitor, self._heard), (self._clock, self._clock_set),
            )  # fmt: skip
            for source, ready in sources:
                self.register(source, ready)
                stack.callback(self.unregister, source)
            self._opened = stack.pop_all()

    @property
    def terms(self) -> Terms | None:
        """All that the lease says now; None while there is no address."""
        binding = self._presence.binding
        return None if binding is None else terms(binding)

    @property
    def address(self) -> IPv4Address:
        """Our address. LeaseError while there is none, as with all of the following."""
        return self._held().address

    @property
    def interface(self) -> IPv4Interface:
        """Address and width together."""
        return self._held().interface

    @property
    def prefix(self) -> IPv4Network:
        """The subnet that it lies in."""
        return self._held().prefix

    @property
    def routers(self) -> tuple[IPv4Address, ...]:
        """Routers, in order of preference."""
        return self._held().routers

    @property
    def dns(self) -> tuple[IPv4Address, ...]:
        """Name servers, in order of preference."""
        return self._held().dns

    @property
    def server(self) -> IPv4Address:
        """The server that granted or renewed it last."""
        return self._held().server

    @property
    def expires(self) -> float:
        """When it ends unless it is renewed: seconds since 1970, infinity for never."""
        return self._held().expires

    @property
    def options(self) -> dict[int, bytes]:
        """The options as they came: code -> octets."""
        return self._held().options

    async def obtained(self) -> None:
        """Wait until there is an address. LeaseError if there will be none."""
        while self._presence.binding is None:
            self._raise_if_ended()
            await self._next()

    async def changed(self) -> Terms | None:
        """Wait until the lease says something else than now: it was renewed, or lost, or there is another.

        What it says then. LeaseError if the client ends.
        """
        before = self._presence.binding
        while self._presence.binding == before:
            self._raise_if_ended()
            await self._next()
        return self.terms

    def renew(self) -> None:
        """Ask for an extension now; `changed` tells when it has come."""
        self._do(partial(self._presence.command, Command.RENEW))

    async def __aiter__(self) -> AsyncIterator[Told]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended():
                return
            await self._next()

    def start(self) -> None:
        """Begin to ask for an address."""
        self._do(partial(self._presence.start, self._monitor.links[self.name]))

    async def close(self, release: bool) -> None:
        """Stop, and give everything back, also if that is cancelled meanwhile. release: the lease too."""
        try:
            if not self._ended():
                self._do(partial(self._presence.command, Command.RELEASE) if release else self._presence.interrupted)
            while not self._presence.over and not self._broken:
                await self._next()
        finally:
            self._opened.close()
            self._happened.set()

    # In place of run.loop.Loop ----------------------------------------------------------------------------------------

    def register(self, source: Readable | int, ready: Callback) -> None:
        """See `run.loop.Sources`."""
        self._loop.add_reader(source, self._do, ready)

    def unregister(self, source: Readable | int) -> None:
        """See `run.loop.Sources`."""
        self._loop.remove_reader(source)

    def _do(self, callback: Callback) -> None:
        """Have the client do something, and be woken when it next wants to be."""
        try:
            callback()
        except MachineError as error:
            self._break(LeaseError(str(error)))
        except Exception as error:  # a bug of ours: it costs the lease, not the program its loop
            self._loop.call_exception_handler({"message": f"the client of {self.name}", "exception": error})
            self._break(LeaseError(f"relet has a bug: {error!r}"))
        deadline = self._presence.deadline()
        if deadline < inf:
            self._alarm.by(deadline)

    def _rung(self) -> None:
        self._alarm.take()
        mono = clock.now().mono
        if self._presence.deadline() <= mono:
            self._presence.wake(mono)

    def _clock_set(self) -> None:
        self._heard()
        if self._clock.take():
            self._presence.clock_set()
            if self._naps.taken():
                self._presence.woken()

    def _heard(self) -> None:
        for notice in self._monitor.receive():
            self._presence.noticed(notice)

    # What happens ------------------------------------------------------------------------------------------------------

    def _on_link(self, link: LinkInfo) -> ClientSettings:
        if len(link.mac) != 6 or not any(link.mac):
            raise LinkError(f"{link.name} is not an Ethernet interface")
        return replace(self._settings, mac=link.mac, interface=link.name)

    def _tell(self, told: Told) -> None:
        self._events.append(told)
        if told.event == TIMEOUT:
            self._why = LeaseTimeoutError(told.text)
        elif told.event in (FAILED, CANNOT_CONFIGURE):
            self._why = LeaseError(told.text)
        self._happened.set()

    def _break(self, why: LeaseError) -> None:
        self._broken, self._why = True, why
        self._happened.set()

    async def _next(self) -> None:
        """Wait until something happens."""
        self._happened.clear()
        await self._happened.wait()

    def _ended(self) -> bool:
        return self._presence.finished or self._broken

    def _raise_if_ended(self) -> None:
        if self._ended():
            raise self._why or LeaseError(f"the client of {self.name} has ended")

    def _held(self) -> Terms:
        held = self.terms
        if held is None:
            raise LeaseError(f"{self.name} has no address now")
        return held


@asynccontextmanager
async def lease(
    interface: str,
    *,
    timeout: float | None = 30.0,
    configure: bool = False,
    resolver: bool = False,
    release: bool = True,
    lease_file: Path | None = None,
    settings: ClientSettings | None = None,
) -> AsyncIterator[Lease]:
    """A lease for an interface, for as long as the program is inside: `async with relet.lease("eth0") as lease: ...`.

    timeout: seconds to wait for an address, None for ever. configure: put address, routes and MTU on the interface, and take
    them away at the end (name servers are left to the program); else nothing of the machine is touched, and the client
    answers ARP for the address itself. release: give the lease back at the end; else it stays remembered in `lease_file`, if
    there is one, and is asked for the next time (INIT-REBOOT). settings: what the client tells of itself, and its waits;
    hardware address and interface are filled in.

    Raises LeaseTimeoutError if nobody gives an address in time, LeaseError if it cannot be: it needs root, or the
    capabilities NET_RAW and NET_BIND_SERVICE, and NET_ADMIN to configure. ValueError for a time that is none.
    """
    if timeout is not None and timeout <= 0:
        raise ValueError(f"timeout {timeout:g} is no time to wait; give seconds, or None to wait for ever")
    wanted = settings or ClientSettings(mac=bytes(6))
    orders = Orders(
        recall=Recall(
            lease_file=None if lease_file is None else lease_file.absolute(),
            who=wanted.client_id or "none",
            anonymous=wanted.anonymous,
            take_over=False,
        ),
        configure=configure,
        resolver=resolver,
        speak=not configure,
        timeout=inf if timeout is None else timeout,
    )
    try:
        held = Lease(interface, wanted, orders)
    except MachineError as error:
        raise LeaseError(str(error)) from error
    obtained = False
    try:
        held.start()
        await held.obtained()
        obtained = True
        yield held
    finally:
        await held.close(release and obtained)
