"""What a client has and where it is, as values for programs: what `relet status IFACE` and `relet client --once` give.

Addresses are text and times are seconds since 1970, for whoever reads this knows neither our integers nor our clocks.
"""

from collections.abc import Callable
from math import inf
from typing import Literal

import msgspec

from relet.client.machine import Client
from relet.client.states import Leased
from relet.model.clock import Now
from relet.model.effects import Binding, Remembered
from relet.run.plan import plan
from relet.run.recorder import Exchange, Recorder
from relet.run.told import state_name
from relet.wire.address import hex_text, ip_text
from relet.wire.codes import INFINITE

Outcome = Literal["bound", "ipv6-only", "released", "none", "failed"]

NO_INTERFACE = "NO-INTERFACE"
"""In place of a state."""


class Via(msgspec.Struct, frozen=True):
    """A route. to: '192.168.2.0/24'. router: its address, None for what is on the link itself."""

    to: str
    router: str | None


class Granted(msgspec.Struct, frozen=True, rename="kebab", kw_only=True):
    """A lease and what came with it, as far as it can be meant.

    granted: when it was asked for, from which it counts. lease_time: seconds, None for ever; then there are no moments
    either. t1: when its server is asked for more, t2: when any server is. mtu: None where the lease says nothing.
    captive_portal: a URI, 'urn:ietf:params:capport:unrestricted' where there is none for certain (RFC 8910), '' where
    nothing is said.
    """

    address: str
    prefix: int
    server: str
    granted: float
    lease_time: int | None
    t1: float | None
    t2: float | None
    expires: float | None
    routes: tuple[Via, ...]
    dns: tuple[str, ...]
    domain: str
    search: tuple[str, ...]
    hostname: str
    ntp: tuple[str, ...]
    mtu: int | None
    captive_portal: str


class Known(msgspec.Struct, frozen=True, rename="kebab"):
    """A remembered lease. gateway: hardware address of its network's router, '' if it was not heard. expires: None for
    never."""

    address: str
    prefix: int
    server: str
    gateway: str
    expires: float | None


class Report(msgspec.Struct, frozen=True, rename="kebab"):
    """A client as it is. at: now. state: as RFC 2131 calls it. since: when it came into it. lease: None without an
    address. dropped: datagrams that were not taken, by name."""

    interface: str
    mac: str
    pid: int
    at: float
    state: str
    since: float
    lease: Granted | None
    remembered: tuple[Known, ...]
    dropped: dict[str, int]
    exchange: Exchange | None


class Result(msgspec.Struct, frozen=True, rename="kebab", kw_only=True):
    """How `relet client --once`, `relet renew` or `relet release` ended.

    outcome: 'bound', 'ipv6-only' (the network needs no IPv4, RFC 8925) and 'released' are good (exit code 0), 'none' is no
    address (1), 'failed' the machine's fault (3).
    cause: how the address was obtained or lost, as hooks are told. text: for people. seconds: that it took.
    """

    interface: str
    outcome: Outcome
    cause: str
    text: str
    seconds: float
    lease: Granted | None


def granted(binding: Binding) -> Granted:
    """What a lease says, checked as `plan` checks it."""
    wanted, asked = plan(binding), binding.requested_at
    ends = binding.lease_time != INFINITE
    return Granted(
        address=ip_text(wanted.address),
        prefix=wanted.width,
        server=ip_text(binding.server),
        granted=asked,
        lease_time=binding.lease_time if ends else None,
        t1=asked + binding.t1 if ends else None,
        t2=asked + binding.t2 if ends else None,
        expires=binding.expires() if ends else None,
        routes=tuple(
            Via(f"{ip_text(route.prefix)}/{route.width}", ip_text(route.router) if route.router else None)
            for route in wanted.routes
        ),
        dns=tuple(map(ip_text, wanted.nameservers)),
        domain=wanted.domain,
        search=wanted.search,
        hostname=wanted.hostname,
        ntp=tuple(map(ip_text, wanted.ntp)),
        mtu=wanted.mtu or None,
        captive_portal=wanted.captive_portal,
    )


def report(client: Client, recorder: Recorder, pid: int, now: Now, good: Callable[[Binding], Binding]) -> Report:
    """A client as it is at `now`. good: gives a lease without what its interface has refused."""
    state = client.state
    return Report(
        interface=client.settings.interface,
        mac=hex_text(client.settings.mac),
        pid=pid,
        at=now.wall,
        state=state_name(state),
        since=recorder.since,
        lease=granted(good(state.held.binding)) if isinstance(state, Leased) else None,
        remembered=tuple(map(_known, client.remembered)),
        dropped=dict(client.dropped),
        exchange=recorder.exchange(),
    )


def absent(interface: str, pid: int, recorder: Recorder, now: Now) -> Report:
    """A client whose interface is not there; what it did when it was is still known."""
    return Report(interface, "", pid, now.wall, NO_INTERFACE, recorder.since, None, (), {}, recorder.exchange())


def _known(remembered: Remembered) -> Known:
    binding, gateway = remembered.binding, remembered.gateway
    return Known(
        address=ip_text(binding.address),
        prefix=binding.prefix()[1],
        server=ip_text(binding.server),
        gateway=hex_text(gateway.mac) if gateway else "",
        expires=None if binding.expires() == inf else binding.expires(),
    )
