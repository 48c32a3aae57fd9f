"""What a configuration serves, in words and as JSON: of a few networks everything, of many a line each."""

from collections.abc import Iterator, Sequence

from relet.model.network import DEFAULT_LEASE_S, Network, Pool, Settings
from relet.wire.address import ip_text
from relet.wire.codes import INFINITE

MOST_RANGES = 4
"""Of one pool, in one line."""


def overview(settings: Settings, networks: Sequence[Network], *, in_detail: bool) -> Iterator[str]:
    """What a server with these settings would do, some of its networks in a line each or in detail."""
    yield f"store {settings.store}"
    if settings.listen:
        yield f"listens on {', '.join(map(ip_text, settings.listen))}"
    if len(settings.networks) > 1 or len(settings.files) > 1:
        yield _sum(settings)
    for network in networks:
        yield from _in_detail(network) if in_detail else [_in_short(network)]
    if not in_detail:
        yield "`--network NAME` tells one of them in detail"


def described(settings: Settings, networks: Sequence[Network]) -> dict[str, object]:
    """The same for programs. Times are in seconds."""
    return {
        "files": list(settings.files),
        "store": settings.store,
        "control": settings.control,
        "listen": [ip_text(address) for address in settings.listen],
        "classes": [row.name for row in settings.networks[0].classes] if settings.networks else [],
        "networks": [
            {
                "name": network.name,
                "interfaces": list(network.interfaces),
                "relays": [ip_text(relay) for relay in network.relays],
                "addresses": _size(network),
                "reservations": len(network.reservations),
                "lease-time": _lease(network.parameters.lease_time),
                "unknown-reboot": network.unknown_reboot,
                "unknown-reboot-after": network.unknown_reboot_after,
                "foreign-address": network.foreign_address,
                "subnets": [
                    {
                        "prefix": subnet.text,
                        "pools": [
                            {
                                "ranges": [
                                    f"{ip_text(first)}-{ip_text(last)}" for first, last in pool.addresses.pairs()
                                ],
                                "addresses": len(pool.addresses),
                                "allow": list(pool.allow),
                                "deny": list(pool.deny),
                                "lease-time": _lease(pool.parameters.lease_time),
                            }
                            for pool in subnet.pools
                        ],
                    }
                    for subnet in network.subnets
                ],
            }
            for network in networks
        ],
    }


def _sum(settings: Settings) -> str:
    networks = settings.networks
    everywhere = len(networks[0].everywhere) if networks else 0
    parts = [
        _count(len(networks), "network"),
        _count(sum(len(each.subnets) for each in networks), "subnet"),
        f"{_count(sum(map(_size, networks)), 'address', 'es')} in pools",
        _count(sum(len(each.reservations) for each in networks) + everywhere, "reservation"),
        _count(len(networks[0].classes) if networks else 0, "class", "es"),
    ]
    return f"{', '.join(parts)}, from {_count(len(settings.files), 'file')}"


def _in_short(network: Network) -> str:
    prefixes = ", ".join(subnet.text for subnet in network.subnets[:MOST_RANGES]) + ", ..." * (
        len(network.subnets) > MOST_RANGES
    )
    return (
        f"network {network.name}: {prefixes}; {_count(_size(network), 'address', 'es')},"
        f" {_count(len(network.reservations), 'reservation')}; {_heard(network)}"
    )


def _in_detail(network: Network) -> Iterator[str]:
    yield f"network {network.name}: heard on {_heard(network)}"
    yield from _admitted("  ", network.allow, network.deny)
    for subnet in network.subnets:
        if len(subnet.pools) == 1 and not (subnet.pools[0].allow or subnet.pools[0].deny):
            yield f"  subnet {subnet.text}: {_pool(subnet.pools[0])}"
            continue
        yield f"  subnet {subnet.text}: {_count(len(subnet.pools), 'pool') if subnet.pools else 'no pool'}"
        for pool in subnet.pools:
            yield f"    {_pool(pool)}"
            yield from _admitted("      ", pool.allow, pool.deny)
    if network.reservations:
        yield f"  {_count(len(network.reservations), 'reservation')}"
    yield f"  leases for {_duration(_lease(network.parameters.lease_time))}"
    after = f", NAK after {network.unknown_reboot_after} s" if network.unknown_reboot_after is not None else ""
    yield f"  a rebooting client without a record: {network.unknown_reboot}{after}"
    yield f"  one with an address of another network: {network.foreign_address}"


def _heard(network: Network) -> str:
    heard = [*network.interfaces, *(f"relay {ip_text(relay)}" for relay in network.relays)]
    return ", ".join(heard) or "relays inside its subnets"


def _admitted(margin: str, allow: Sequence[str], deny: Sequence[str]) -> Iterator[str]:
    if allow:
        yield f"{margin}only for {', '.join(allow)}"
    if deny:
        yield f"{margin}not for {', '.join(deny)}"


def _pool(pool: Pool) -> str:
    pairs = list(pool.addresses.pairs())
    ranges = [ip_text(a) if a == b else f"{ip_text(a)}-{ip_text(b)}" for a, b in pairs[:MOST_RANGES]]
    more = ", ..." * (len(pairs) > MOST_RANGES)
    return f"{', '.join(ranges)}{more} ({_count(len(pool.addresses), 'address', 'es')})"


def _size(network: Network) -> int:
    return sum(len(pool.addresses) for subnet in network.subnets for pool in subnet.pools)


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{plural if number != 1 else ''}"


def _lease(configured: int | None) -> int:
    return DEFAULT_LEASE_S if configured is None else configured


def _duration(seconds: int) -> str:
    if seconds == INFINITE:
        return "ever"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
