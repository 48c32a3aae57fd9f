"""What a hook is told: a lease as environment variables, under our own names, dhclient-script's and those of udhcpc scripts.

Pure. A value is given only as `plan` checked it; what plan does not look at is numbers and addresses, or text. Text has no
control characters; under the names of others, whose scripts may hand it to a shell, it is given only if no character of it
means anything to one.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from relet.model.effects import Binding
from relet.net.link import Route
from relet.run.plan import Plan, plan
from relet.run.values import is_plain, printable
from relet.wire import options
from relet.wire.address import ip_text, mask
from relet.wire.kinds import Uint

MAX_VALUE = 4096
"""Characters of one variable."""

OURS = "RELET_"

REASONS = MappingProxyType(
    {
        "preinit": ("PREINIT", "deconfig"),
        "bound": ("BOUND", "bound"),
        "reboot": ("REBOOT", "bound"),
        "network": ("REBOOT", "bound"),
        "renew": ("RENEW", "renew"),
        "rebind": ("REBIND", "renew"),
        "remembered": ("TIMEOUT", "bound"),
        "expire": ("EXPIRE", "deconfig"),
        "nak": ("EXPIRE", "deconfig"),
        "conflict": ("EXPIRE", "deconfig"),
        "ipv6-only": ("V6ONLY", "deconfig"),
        "link-down": ("STOP", "deconfig"),
        "moved": ("STOP", "deconfig"),
        "stop": ("STOP", "deconfig"),
        "release": ("RELEASE", "deconfig"),
        "fail": ("FAIL", "leasefail"),
    }
)
"""RELET_REASON -> (reason of dhclient-script, first argument of a udhcpc script)."""

LEASED = frozenset(("bound", "reboot", "network", "renew", "rebind", "remembered"))
"""The reasons with which the address is on the interface; with all others it is not, or no longer."""

UDHCPC = MappingProxyType(
    {
        2: "timezone",
        4: "timesrv",
        5: "namesrv",
        7: "logsrv",
        8: "cookiesrv",
        9: "lprsrv",
        13: "bootsize",
        16: "swapsrv",
        17: "rootpath",
        23: "ipttl",
        40: "nisdomain",
        41: "nissrv",
        44: "wins",
        66: "tftp",
        67: "bootfile",
        209: "pxeconffile",
        252: "wpad",
    }
)
"""Option -> variable of udhcpc scripts, of those that no plan looks at."""

_DHCLIENT = MappingProxyType({"boot_file_name": "bootfile_name"})
"""Names of options that dhclient calls otherwise; in all others only hyphens become underscores."""

_UDHCPC_CHECKED = (
    "interface ip mask subnet broadcast router dns domain search hostname ntpsrv mtu staticroutes routes lease serverid "
    "siaddr sname boot_file"
)
_BARE = frozenset((*_UDHCPC_CHECKED.split(), *UDHCPC.values(), "reason"))


def environment(
    reason: str, interface: str, lease: Binding | None = None, before: Binding | None = None
) -> dict[str, str]:
    """The variables of one run.

    reason: of REASONS. lease: the lease that is on the interface, or that was there until now; None if there was none.
    before: the one that `lease` takes the place of. docs/manual.md has the list.
    """
    variables = {
        OURS + "REASON": reason,
        OURS + "INTERFACE": interface,
        "reason": REASONS[reason][0],
        "interface": interface,
    }
    if lease is not None:
        wanted = plan(lease)
        variables |= _ours(lease, wanted)
        variables |= _dhclient("new_" if reason in LEASED else "old_", lease, wanted)
        if reason in LEASED:
            variables |= _udhcpc(lease, wanted)
    if before is not None and reason in LEASED:
        variables |= _dhclient("old_", before, plan(before))
    return {name: value[:MAX_VALUE] for name, value in variables.items()}


def is_ours(name: str) -> bool:
    """Is it a name that a hook takes for a value of the lease? What the client's own environment has there is not given."""
    return name.startswith((OURS, "new_", "old_")) or name in _BARE


def _ours(lease: Binding, wanted: Plan) -> dict[str, str]:
    variables = {
        "ADDRESS": ip_text(wanted.address),
        "PREFIX": str(wanted.width),
        "NETMASK": ip_text(wanted.netmask()),
        "BROADCAST": _address(wanted.broadcast()),
        "ROUTERS": _addresses(wanted.routers),
        "SERVER": ip_text(lease.server),
        "LEASE_TIME": str(lease.lease_time),
        "EXPIRES": "never" if wanted.expires is None else str(int(wanted.expires)),
        "NEXT_SERVER": ip_text(lease.siaddr),
        "BOOT_FILE": printable(lease.file.decode(errors="replace")),
    }
    checked = _checked(lease, wanted)
    for code, octets in lease.options.items():
        option = options.option(code)
        value = checked[code] if code in checked else printable(_words(option, octets))
        if value or code not in checked:
            variables["OPTION_" + _name(option).upper()] = value
    return {OURS + name: value for name, value in variables.items()}


def _dhclient(prefix: str, lease: Binding, wanted: Plan) -> dict[str, str]:
    """The names of dhclient-script(8)."""
    variables = {
        "ip_address": ip_text(wanted.address),
        "network_number": ip_text(wanted.address & mask(wanted.width)),
        "expiry": "" if wanted.expires is None else str(int(wanted.expires)),
        "next_server": _address(lease.siaddr),
        "server_name": _text(lease.sname),
        "filename": _text(lease.file),
    }
    checked = _checked(lease, wanted)
    for code in checked.keys() | lease.options.keys():
        option = options.option(code)
        name = _name(option)
        variables[_DHCLIENT.get(name, name)] = _foreign(option, lease, checked)
    variables["rfc3442_classless_static_routes"] = " ".join(map(_octets, wanted.routes)) if _classless(lease) else ""
    variables["dhcp_lease_time"] = str(lease.lease_time)
    return {prefix + name: value for name, value in variables.items() if value}


def _udhcpc(lease: Binding, wanted: Plan) -> dict[str, str]:
    """The names of busybox' udhcpc."""
    checked = _checked(lease, wanted)
    variables = {
        "ip": ip_text(wanted.address),
        "mask": str(wanted.width),
        "subnet": checked[1],
        "broadcast": checked[28],
        "router": checked[3],
        "dns": checked[6],
        "domain": checked[15],
        "search": checked[119],
        "hostname": checked[12],
        "ntpsrv": checked[42],
        "mtu": checked[26],
        "lease": str(lease.lease_time),
        "serverid": ip_text(lease.server),
        "siaddr": _address(lease.siaddr),
        "sname": _text(lease.sname),
        "boot_file": _text(lease.file),
    }
    if _classless(lease):
        pairs = (f"{ip_text(each.prefix)}/{each.width} {ip_text(each.router)}" for each in wanted.routes)
        variables["staticroutes"] = " ".join(pairs)
    else:
        variables["routes"] = _static(wanted, "/")
    for code, name in UDHCPC.items():
        variables[name] = _foreign(options.option(code), lease, checked)
    return {name: value for name, value in variables.items() if value}


def _checked(lease: Binding, wanted: Plan) -> dict[int, str]:
    """Code -> text of the options that the plan has looked at; '' for what it refused."""
    static = "" if _classless(lease) else _static(wanted, " ")
    return {
        options.SUBNET_MASK.code: ip_text(wanted.netmask()),
        options.ROUTERS.code: _addresses(wanted.routers),
        options.DOMAIN_NAME_SERVERS.code: _addresses(wanted.nameservers),
        options.HOST_NAME.code: wanted.hostname,
        options.DOMAIN_NAME.code: wanted.domain,
        options.INTERFACE_MTU.code: str(wanted.mtu or ""),
        options.BROADCAST_ADDRESS.code: _address(wanted.broadcast()),
        options.STATIC_ROUTES.code: static,
        options.NTP_SERVERS.code: _addresses(wanted.ntp),
        options.V4_CAPTIVE_PORTAL.code: wanted.captive_portal,
        options.DOMAIN_SEARCH.code: " ".join(wanted.search),
        options.CLASSLESS_ROUTES.code: " ".join(map(_via, wanted.routes)),
        options.MS_CLASSLESS_ROUTES.code: " ".join(map(_via, wanted.routes)),
    }


def _foreign(option: options.Option, lease: Binding, checked: Mapping[int, str]) -> str:
    """An option as scripts of others may see it: '' if it is absent, or has a character with a meaning to a shell."""
    value = checked.get(option.code)
    if value is None:
        value = _words(option, lease.options.get(option.code, b""), numbers=True)
    return value if is_plain(value) else ""


def _classless(lease: Binding) -> bool:
    return not lease.options.keys().isdisjoint((options.CLASSLESS_ROUTES.code, options.MS_CLASSLESS_ROUTES.code))


def _static(wanted: Plan, between: str) -> str:
    """Destinations and routers of option 33, which has no default route."""
    routes = (each for each in wanted.routes if each.width)
    return " ".join(f"{ip_text(each.prefix)}{between}{ip_text(each.router)}" for each in routes)


def _via(route: Route) -> str:
    return f"{ip_text(route.prefix)}/{route.width} via {ip_text(route.router)}"


def _octets(route: Route) -> str:
    """As they stand in option 121, as decimal numbers."""
    return " ".join(map(str, options.CLASSLESS_ROUTES.encode(((route.prefix, route.width, route.router),))))


def _words(option: options.Option, octets: bytes, numbers: bool = False) -> str:
    """As a script can use it: words with spaces between them; what is more than words, as JSON. numbers: not by name."""
    plain = option.plain(octets) if octets else ""
    if numbers and isinstance(option.kind, Uint) and len(octets) == option.kind.least:
        plain = int.from_bytes(octets)
    items = plain if isinstance(plain, list) else [plain]
    return " ".join(item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in items)


def _name(option: options.Option) -> str:
    return "".join(char if char.isalnum() else "_" for char in option.name.removeprefix("option-"))


def _addresses(values: Iterable[int]) -> str:
    return " ".join(map(ip_text, values))


def _address(value: int) -> str:
    return ip_text(value) if value else ""


def _text(octets: bytes) -> str:
    text = octets.decode(errors="replace")
    return text if is_plain(text) else ""
