"""What a new configuration changes, in few words: the operator reads it before it is applied, and the log keeps it.

Pure comparison of two `Settings`. What a wider level says is told there and not again for every pool below it.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from relet.model.network import NOTHING, ClientClass, Network, Parameters, Pool, Reservation, Settings, Subnet
from relet.wire.address import hex_text, ip_text
from relet.wire.options import option

MAX_OF_A_KIND = 20
"""Reservations told one by one for each network; of more, only the number."""

FIXED = ("store", "sync", "control", "user", "group", "metrics", "receive_buffer", "backlog")
"""What cannot change while a server runs."""

_OF_NETWORK = tuple(
    name
    for name in Network.__struct_fields__
    if name not in {"name", "subnets", "reservations", "everywhere", "classes", "parameters"}
)

_ADDRESSES = ("listen", "leasequery", "relays", "next_server")

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def fixed(old: Settings, new: Settings) -> list[str]:
    """Settings that differ although they cannot change while the server runs, as the file calls them."""
    return [name.replace("_", "-") for name in FIXED if getattr(old, name) != getattr(new, name)]


def changes(old: Settings, new: Settings) -> list[str]:
    """What becomes different, a line for each thing; nothing if the two mean the same."""
    lines = [*_values("", old, new, ("listen", "leasequery", "merge_replies"))]
    before, after = {each.name: each for each in old.networks}, {each.name: each for each in new.networks}
    if old.networks and new.networks:
        one, other = old.networks[0], new.networks[0]
        lines += _classes(one.classes, other.classes)
        lines += _reservations("", one.everywhere, other.everywhere)
    for name in before.keys() | after.keys():
        lines += _network(name, before.get(name), after.get(name))
    return sorted(lines)


def _network(name: str, old: Network | None, new: Network | None) -> Iterator[str]:
    where = f"network {name}: "
    if old is None or new is None:
        yield f"{where}{'added' if old is None else 'removed'}"
        return
    if old == new:
        return
    yield from _values(where, old, new, _OF_NETWORK)
    said = set(_parameters(old.parameters, new.parameters))
    yield from (where + line for line in said)
    yield from _reservations(where, old.reservations, new.reservations)
    pairs = _matched(old.subnets, new.subnets, lambda subnet: (subnet.prefix, subnet.width))
    for (prefix, width), (was, is_now) in pairs.items():
        yield from _subnet(f"{where}subnet {ip_text(prefix)}/{width}", was, is_now, said)


def _subnet(where: str, old: Subnet | None, new: Subnet | None, above: set[str]) -> Iterator[str]:
    if old is None or new is None:
        yield f"{where} {'added' if old is None else 'removed'}"
        return
    said = set(_parameters(old.parameters, new.parameters))
    yield from (f"{where}: {line}" for line in said - above)
    pools = _matched(old.pools, new.pools, lambda pool: str(pool.addresses))
    gone = [key for key, (_, is_now) in pools.items() if is_now is None]
    come = [key for key, (was, _) in pools.items() if was is None]
    yield from (f"{where}: pool {key} removed" for key in gone)
    yield from (f"{where}: pool {key} added" for key in come)
    for key, (was, is_now) in pools.items():
        if was is not None and is_now is not None:
            yield from _pool(f"{where}: pool {key}: ", was, is_now, said | above)


def _pool(where: str, old: Pool, new: Pool, above: set[str]) -> Iterator[str]:
    yield from _values(where, old, new, ("allow", "deny"))
    yield from (where + line for line in set(_parameters(old.parameters, new.parameters)) - above)


def _classes(old: Iterable[ClientClass], new: Iterable[ClientClass]) -> Iterator[str]:
    for name, (was, is_now) in _matched(old, new, lambda row: row.name).items():
        if was != is_now:
            yield f"class {name}: {'added' if was is None else 'removed' if is_now is None else 'changed'}"
    if [row.name for row in old] != [row.name for row in new]:
        yield f"classes in the order {', '.join(row.name for row in new) or 'of none'}"


def _reservations(where: str, old: Iterable[Reservation], new: Iterable[Reservation]) -> Iterator[str]:
    before, after = _by_client(old), _by_client(new)
    lines = []
    for client in before.keys() | after.keys():
        was, is_now = before.get(client, []), after.get(client, [])
        if was != is_now:
            lines.append(f"reservation of {_client_text(*client)}: {_kept(was)} -> {_kept(is_now)}")
    lines.sort()
    yield from (where + line for line in lines[:MAX_OF_A_KIND])
    if len(lines) > MAX_OF_A_KIND:
        yield f"{where}reservations: {len(lines) - MAX_OF_A_KIND} changes more"


def _by_client(rows: Iterable[Reservation]) -> dict[tuple[str, bytes], list[Reservation]]:
    found: dict[tuple[str, bytes], list[Reservation]] = {}
    for row in rows:
        found.setdefault((row.by, row.key), []).append(row)
    return found


def _client_text(by: str, key: bytes) -> str:
    readable = by not in ("mac", "client-id") and key.isascii() and key.decode("ascii").isprintable()
    return f"{by} {key.decode('ascii') if readable else hex_text(key)}"


def _kept(rows: Iterable[Reservation]) -> str:
    """What a client has by reservation."""
    return ", ".join(" ".join(filter(None, _words(row))) or "by name only" for row in rows) or "none"


def _words(row: Reservation) -> Iterator[str]:
    yield ip_text(row.address) if row.address else ""
    yield row.hostname
    yield f"classes {'+'.join(row.classes)}" if row.classes else ""
    yield from _parameters(NOTHING, row.parameters)


def _parameters(old: Parameters, new: Parameters) -> Iterator[str]:
    """What differs, by name."""
    for code in old.options.keys() | new.options.keys():
        if old.options.get(code) != new.options.get(code):
            yield f"option {option(code).name}: {_fate(old.options.get(code), new.options.get(code))}"
    if old.force != new.force:
        yield "forced options changed"
    yield from _values(
        "", old, new, tuple(name for name in Parameters.__struct_fields__ if name not in ("options", "force"))
    )


def _fate(old: object, new: object) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _values(where: str, old: object, new: object, names: Iterable[str]) -> Iterator[str]:
    """Fields that differ, with both values."""
    for name in names:
        was, is_now = getattr(old, name), getattr(new, name)
        if was != is_now:
            yield f"{where}{name.replace('_', '-')}: {_value(name, was)} -> {_value(name, is_now)}"


def _value(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value(name, each) for each in value) or "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and name in _ADDRESSES:
        return ip_text(value)
    if isinstance(value, bytes):
        return value.decode("ascii", "backslashreplace")
    return "unset" if value is None else str(value)


def _matched(
    old: Iterable[Item], new: Iterable[Item], key: Callable[[Item], Key]
) -> Mapping[Key, tuple[Item | None, Item | None]]:
    """Things of both by what names them, in the new order, then what is gone."""
    before, after = {key(each): each for each in old}, {key(each): each for each in new}
    return {
        name: (before.get(name), after.get(name)) for name in (*after, *(name for name in before if name not in after))
    }
