"""The road of a lease through the machine behind the client: plan, what a hook is told, the process that has the rights and
checks both once more, resolv.conf, lease file and back.

What a server said wrong must be gone by then, whatever it was: names are names, addresses are those of hosts, nothing has a
control character, and what stands under a name that other programs' scripts know means nothing to a shell. What is good and
what is plain is said here once more, by itself.
"""

import re
from collections import Counter

import msgspec

from relet.client.memory import Leases
from relet.model.effects import Binding
from relet.run.errands import MAX_OCTETS, Keep, Put, RunHook, check
from relet.run.leaseformat import Content, Identity, decode, encode
from relet.run.plan import MAX_ROUTES, MAX_SEARCH, MAX_SERVERS, Plan, plan
from relet.run.resolvfile import Said, content
from relet.run.variables import LEASED, MAX_VALUE, REASONS, environment
from relet.wire.address import ip_text
from support.client_rig import CLIENT_ID, MAC

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
NAMES = re.compile(rf"(?:{NAME.pattern}(?: {NAME.pattern})*)?")
QUAD = r"(?:\d{1,3}\.){3}\d{1,3}"
RESOLV_CONF = re.compile(rf"(?:search {NAME.pattern}(?: {NAME.pattern})*\n)?(?:nameserver {QUAD}\n)*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HARMLESS = re.compile(r"[A-Za-z0-9 ._:/,@%+=-]*")
"""What a value may be that scripts of others are given: no character of these means anything to a shell."""

OWN = "RELET_"
OF_NAMES = (
    "RELET_OPTION_HOST_NAME", "RELET_OPTION_DOMAIN_NAME", "RELET_OPTION_DOMAIN_SEARCH", "new_host_name", "new_domain_name",
    "new_domain_search", "hostname", "domain", "search",
)  # fmt: skip
"""Variables that hold names."""

LARGEST_ENVIRONMENT = 1 << 20
"""Octets; execve(2) takes at least twice as much."""

IDENTITY = Identity(MAC, CLIENT_ID)


def travel(reason: str, binding: Binding, before: Binding | None, outcomes: Counter[str]) -> None:
    """Go the whole road with a lease. outcomes: counts what was met on it. Raises AssertionError for whatever is wrong."""
    wanted = plan(binding)
    _check_plan(binding, wanted)
    _ask(Put("eth0", wanted))
    ends = sorted(REASONS.keys() - LEASED)
    for why, earlier in ((reason, before), (ends[len(wanted.refused) % len(ends)], None)):
        variables = environment(why, "eth0", binding, earlier)
        _check_variables(variables)
        _ask(RunHook("eth0", why, variables))
    text = content((Said("eth0", "file", 1000, tuple(map(ip_text, wanted.nameservers)), wanted.search),))
    _must(RESOLV_CONF.fullmatch(text), text)
    outcomes["road of a lease"] += 1
    outcomes["road with a refusal"] += bool(wanted.refused)
    for name in ("routes", "nameservers", "search", "hostname", "mtu", "captive_portal"):
        outcomes[f"road with {name}"] += bool(getattr(wanted, name))


def remember(leases: Leases) -> None:
    """Have the leases written down, and read them again."""
    _ask(Keep("eth0", leases))
    kept = Content().replacing(IDENTITY, leases)
    _must(decode(encode(kept)) == (kept, []), kept)
    _must(kept.of(IDENTITY) == leases, leases)


def _ask(errand: Put | RunHook | Keep) -> None:
    """What the client asks of the process with the rights fits into a message, and is not refused."""
    octets = msgspec.msgpack.encode(errand)
    _must(len(octets) <= MAX_OCTETS, len(octets))
    read = msgspec.msgpack.decode(octets, type=type(errand))
    _must(read == errand, errand)
    check(read)


def _check_plan(binding: Binding, wanted: Plan) -> None:
    _must(wanted.address == binding.address, wanted)
    _must(8 <= wanted.width <= 32, wanted.width)
    _must(len(wanted.routes) <= MAX_ROUTES and len(wanted.nameservers) <= MAX_SERVERS, wanted)
    _must(len(wanted.search) <= MAX_SEARCH, wanted.search)
    for name in (*wanted.search, wanted.domain, wanted.hostname):
        _must(NAMES.fullmatch(name) and len(name) <= 253, name)
    for address in (*wanted.nameservers, *wanted.routers, *wanted.ntp):
        _must(_is_host(address), ip_text(address))
    for route in wanted.routes:
        _must(0 <= route.width <= 32 and route.prefix >> 24 != 127, route)
        _must(route.width == 32 or not route.prefix << route.width & 0xFFFFFFFF, route)
        _must((route.router == 0 or _is_host(route.router)) and route.router != wanted.address, route)
    _must(wanted.mtu == 0 or 68 <= wanted.mtu <= 65535, wanted.mtu)
    _must(wanted.captive_portal.isascii() and " " not in wanted.captive_portal, wanted.captive_portal)
    _must(all(note.text.isprintable() for note in wanted.refused), wanted.refused)


def _is_host(address: int) -> bool:
    return 0 < address >> 24 < 224 and address >> 24 != 127


def _check_variables(variables: dict[str, str]) -> None:
    size = 0
    for name, value in variables.items():
        _must(VARIABLE.fullmatch(name), name)
        _must(value.isprintable() and len(value) <= MAX_VALUE, (name, value))
        _must(name.startswith(OWN) or HARMLESS.fullmatch(value), (name, value))
        size += len(name) + len(value.encode()) + 2
    for name in OF_NAMES:
        _must(NAMES.fullmatch(variables.get(name, "")), (name, variables.get(name)))
    _must(size <= LARGEST_ENVIRONMENT, size)


def _must(good: object, what: object) -> None:
    if not good:
        raise AssertionError(repr(what))
