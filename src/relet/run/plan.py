"""What a lease means for the machine: address, routes, MTU, name servers and names, every value of them checked.

`plan` is pure: it asks nobody, and touches nothing. Whatever a server sent that cannot be meant is left out of the plan
and stands in `refused`, under a name and in words. Nobody else looks at these options' octets (hook.py shows the others).
"""

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any

import msgspec

from relet.errors import WireError
from relet.model.effects import Binding, Note
from relet.net.link import Route
from relet.run.values import is_host_name, is_neighbour, is_web_uri, shown
from relet.wire import options
from relet.wire.address import BROADCAST, class_width, ip_text, mask
from relet.wire.option import Option

MAX_ROUTES = 64
"""Routes taken from one lease; a server that sends more does not mean well. Of the other lists:"""

MAX_SERVERS = 16
MAX_SEARCH = 32
MAX_REFUSED = 16

MIN_WIDTH = 8
"""No link has a network larger than that; a mask that says so is not believed."""

MIN_MTU = 68
"""RFC 2132 s5.1. What the link can carry bounds it from above."""

UNRESTRICTED = "urn:ietf:params:capport:unrestricted"
"""In place of a URI: there is no captive portal here (RFC 8910 s2)."""


class Plan(msgspec.Struct, frozen=True):
    """What a machine gets by a lease. Only plain values, so that it can be handed to another process.

    width: of the prefix. routes: in the order in which they are set. routers: of option 3, in order of preference. mtu: 0
    where the lease says nothing. domain: 'example.org'. search: the names that resolvers try. hostname: '' for none.
    captive_portal: a URI, or UNRESTRICTED. expires: wall time, None for never. refused: what was left out.
    """

    address: int
    width: int
    routes: tuple[Route, ...] = ()
    routers: tuple[int, ...] = ()
    mtu: int = 0
    nameservers: tuple[int, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    hostname: str = ""
    ntp: tuple[int, ...] = ()
    captive_portal: str = ""
    expires: float | None = None
    refused: tuple[Note, ...] = ()

    def netmask(self) -> int:
        """The width as an address."""
        return mask(self.width)

    def broadcast(self) -> int:
        """The network's broadcast address; 0 where it has none (RFC 3021)."""
        return self.address | ~mask(self.width) & BROADCAST if self.width < 31 else 0


def plan(binding: Binding) -> Plan:
    """What a lease means for the machine. Options that are malformed count as absent, and are told."""
    lease = _Lease(binding)
    routers = lease.hosts(options.ROUTERS, "bad-router")
    domains = lease.domains()
    return Plan(
        address=binding.address,
        width=lease.width,
        routes=lease.routes(routers),
        routers=routers,
        mtu=lease.mtu(),
        nameservers=lease.hosts(options.DOMAIN_NAME_SERVERS, "bad-name-server"),
        domain=domains[0] if domains else "",
        search=lease.search() or domains,
        hostname=lease.hostname(),
        ntp=lease.hosts(options.NTP_SERVERS, "bad-ntp-server"),
        captive_portal=lease.captive_portal(),
        expires=None if binding.expires() == inf else binding.expires(),
        refused=tuple(dict.fromkeys(lease.refused))[:MAX_REFUSED],
    )


def without_mtu(binding: Binding) -> Binding:
    """A lease of which the interface could not have the MTU, as others may be told of it."""
    left = {code: octets for code, octets in binding.options.items() if code != options.INTERFACE_MTU.code}
    return msgspec.structs.replace(binding, options=left)


class _Lease:
    """A binding as it is read: what it says, and what was refused so far."""

    def __init__(self, binding: Binding) -> None:
        self._own = binding.address
        self._options = binding.options
        self.refused: list[Note] = []
        self.width = self._width()

    def hosts(self, option: Option, kind: str) -> tuple[int, ...]:
        """The addresses of a list that a host can have. A router is never ourselves; a name server may be."""
        own = self._own if option is options.ROUTERS else 0
        good = []
        for address in self._decoded(option):
            if address != own and is_neighbour(address, self._own, self.width):
                good.append(address)
            else:
                self._refuse(kind, f"{ip_text(address)} ({option.name}) is nobody else's address")
        return self._bounded(good, MAX_SERVERS, option)

    def routes(self, routers: tuple[int, ...]) -> tuple[Route, ...]:
        """RFC 3442: a client that gets classless routes ignores routers and static routes, whatever those routes are.

        Routes on the link come first: a router of another may be reached through them. Only the first router is used (RFC
        2132 s3.5: in order of preference); Linux would not notice that it is gone.
        """
        option = next((each for each in _CLASSLESS if self._decoded(each)), None)
        if option:
            found = sorted((Route(*each) for each in self._decoded(option)), key=lambda route: route.router != 0)
        else:
            option = options.STATIC_ROUTES
            found = [_static(*pair) for pair in self._decoded(option)]
            # RFC 2132 s5.8: the default route is none of the static ones.
            found = [route for route in found if route.width and route.router]
            found += [Route(0, 0, router) for router in routers[:1]]
        good: dict[tuple[int, int], Route] = {}
        for route in filter(self._possible, found):
            known = good.setdefault((route.prefix, route.width), route)
            if known != route:
                self._refuse("bad-route", f"a second route to {ip_text(route.prefix)}/{route.width}")
        return self._bounded(good.values(), MAX_ROUTES, option)

    def mtu(self) -> int:
        mtu: int = next(iter(self._decoded(options.INTERFACE_MTU)), 0)
        if 0 < mtu < MIN_MTU:
            self._refuse("bad-mtu", f"an MTU of {mtu} is less than {MIN_MTU}")
            return 0
        return mtu

    def domains(self) -> tuple[str, ...]:
        """Option 15 is one name (RFC 2132 s3.17); many servers send several with blanks between, for resolvers to try."""
        words = [word for text in self._decoded(options.DOMAIN_NAME) for word in text.split(" ") if word]
        names = tuple(self._names(words, options.DOMAIN_NAME, "bad-domain"))
        # With a word that is none, it is no list of names.
        return self._bounded(names if len(names) == len(words) else (), MAX_SEARCH, options.DOMAIN_NAME)

    def search(self) -> tuple[str, ...]:
        """RFC 3397."""
        names = self._names(self._decoded(options.DOMAIN_SEARCH), options.DOMAIN_SEARCH, "bad-domain")
        return self._bounded(names, MAX_SEARCH, options.DOMAIN_SEARCH)

    def hostname(self) -> str:
        return next(self._names(self._decoded(options.HOST_NAME), options.HOST_NAME, "bad-host-name"), "")

    def captive_portal(self) -> str:
        """RFC 8910 s5: what is no URI is not shown."""
        for uri in self._decoded(options.V4_CAPTIVE_PORTAL):
            if uri == UNRESTRICTED or is_web_uri(uri):
                return str(uri)
            self._refuse("bad-captive-portal", f"{shown(uri)} is no URI of a captive portal")
        return ""

    def _width(self) -> int:
        netmask: int | None = next(iter(self._decoded(options.SUBNET_MASK)), None)
        width = class_width(self._own)
        if netmask is not None:
            believed = netmask.bit_count()
            if believed >= MIN_WIDTH and netmask == mask(believed):
                return believed
            self._refuse("bad-mask", f"{ip_text(netmask)} is no mask of a network; /{width} is taken in its place")
        # RFC 2131 is silent on a lease without a mask; RFC 950 s2.1: then the class of the address says it.
        return width

    def _possible(self, route: Route) -> bool:
        """Can a packet for that destination go that way? On the link, or to a router that is somebody else."""
        good = route.prefix >> 24 != 127 and (
            route.router == 0 or (route.router != self._own and is_neighbour(route.router, self._own, self.width))
        )
        if not good:
            where = f"{ip_text(route.prefix)}/{route.width} via {ip_text(route.router)}"
            self._refuse("bad-route", f"a route to {where} leads nowhere")
        return good

    def _names(self, names: Iterable[str], option: Option, kind: str) -> Iterator[str]:
        for name in names:
            if is_host_name(name):
                yield name.removesuffix(".")
            else:
                self._refuse(kind, f"{shown(name)} ({option.name}) is no name as RFC 1123 has them")

    def _bounded(self, values: Iterable[Any], most: int, option: Option) -> tuple[Any, ...]:
        """Each value once, and so many at most."""
        once = tuple(dict.fromkeys(values))
        if len(once) > most:
            self._refuse("too-many", f"{option.name} has {len(once)} values, {most} of them are taken")
        return once[:most]

    def _decoded(self, option: Option) -> tuple[Any, ...]:
        """The values of a list, the one value of another option, nothing where it is absent or malformed."""
        octets = self._options.get(option.code)
        if not octets:
            return ()
        try:
            value = option.decode(octets)
        except WireError as error:
            self._refuse("malformed-option", f"{option.name} cannot be read: {error}")
            return ()
        return value if isinstance(value, tuple) else (value,)

    def _refuse(self, kind: str, text: str) -> None:
        self.refused.append(Note(kind, text))


_CLASSLESS = (options.CLASSLESS_ROUTES, options.MS_CLASSLESS_ROUTES)
"""Option 121, and what Windows servers send in its place under a code of their own."""


def _static(destination: int, router: int) -> Route:
    """RFC 2132 s5.8 has destinations without a width: the class says it, if that leaves no bits behind."""
    width = class_width(destination)
    return Route(destination, 32 if destination & ~mask(width) & BROADCAST else width if destination else 0, router)
