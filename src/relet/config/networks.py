"""From the [[network]] tables to networks: defaults, and options handed down from server to network to subnet."""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from relet.config.admit import admit
from relet.config.checks import read_pools
from relet.config.draft import Draft, PlacedReservation, PlacedSubnet
from relet.config.lines import Path
from relet.config.options import of_prefix, read_options, routers_of
from relet.config.report import Report
from relet.config.schema import NetworkTable, ReservationTable, SubnetTable
from relet.model.network import SHORTEST_LEASE_S, Network, Parameters, Pool, Reservation, Subnet

Raw = Mapping[str, object]
By = Literal["mac", "client-id", "circuit-id", "remote-id"]


def read_network(raw: Raw, path: Path, inherited: Mapping[int, bytes], report: Report) -> Draft | None:
    """One network, checked as far as it stands alone. None: nothing can be said about it; why is in the report."""
    name = raw.get("name")
    where = f'network "{name}"' if isinstance(name, str) and name else f"network {_ordinal(path)}"
    if "name" not in raw:
        report.add(path, where, "'name' is missing", 'write name = "office"')
    before = len(report)
    table = admit(NetworkTable, raw, path, where, report)
    if table is None:
        return None
    if len(report) == before or "lease_time" in table.model_fields_set:
        _check_times(table, path, where, report)
    options = {**inherited, **options_of(raw, path, where, report)}
    parameters = Parameters(
        options=options,
        lease_time=table.lease_time,
        min_lease_time=_shortest(table),
        max_lease_time=_longest(table),
        renew_at=table.renew_at,
        rebind_at=table.rebind_at,
    )
    placed_subnets = (
        _subnet(each, (*path, "subnet", position), where, parameters, report)
        for position, each in enumerate(table.subnet)
    )
    subnets = tuple(each for each in placed_subnets if each)
    if not table.subnet and "subnet" not in raw:
        report.add(path, where, "has no subnet", 'write [[network.subnet]] and prefix = "192.168.1.0/24" below it')
    placed_reservations = (
        _reservation(each, (*path, "reservation", position), where, report)
        for position, each in enumerate(table.reservation)
    )
    reservations = tuple(each for each in placed_reservations if each)
    network = Network(
        name=table.name,
        subnets=tuple(each.subnet for each in subnets),
        interfaces=tuple(table.interfaces),
        relays=tuple(table.relays),
        reservations=tuple(each.reservation for each in reservations),
        parameters=parameters,
        offer_time=table.offer_time,
        decline_time=table.decline_time,
        foreign_address=table.foreign_address,
        unknown_reboot=table.unknown_reboot,
        unknown_reboot_after=table.unknown_reboot_after,
        cache_threshold=table.cache_threshold,
        match_client_id=table.match_client_id,
    )
    return Draft(path, where, network, subnets, reservations, len(subnets) == len(table.subnet))


def options_of(raw: Raw, path: Path, where: str, report: Report) -> dict[int, bytes]:
    """The options of any table; none if 'options' is not a table, which is told elsewhere."""
    options = raw.get("options")
    return read_options(options, path, where, report) if isinstance(options, dict) else {}


def _subnet(raw: Raw, path: Path, network: str, inherited: Parameters, report: Report) -> PlacedSubnet | None:
    where = f"{network}, subnet {raw.get('prefix', _ordinal(path))}"
    table = admit(SubnetTable, raw, path, where, report)
    own = options_of(raw, path, where, report)
    if table is None:
        return None
    prefix, width = table.prefix
    options = {**of_prefix(prefix, width), **inherited.options, **own}
    parameters = replace(inherited, options=options)
    addresses = read_pools(table.pools, table.prefix, routers_of(options), path, where, report)
    pools = (Pool(addresses, parameters=parameters),) if addresses else ()
    return PlacedSubnet(path, where, Subnet(prefix, width, pools, parameters))


def _reservation(raw: Raw, path: Path, network: str, report: Report) -> PlacedReservation | None:
    where = f"{network}, reservation {raw.get('address', _ordinal(path))}"
    table = admit(ReservationTable, raw, path, where, report)
    options = options_of(raw, path, where, report)
    ways: tuple[By, ...] = ("mac", "client-id", "circuit-id", "remote-id")
    named = [by for by in ways if by in raw]
    if len(named) != 1:
        what = f"names its client by {' and '.join(named)}" if named else "names no client"
        report.add(path, where, what, f"write one of {', '.join(ways)}")
    if table is None or len(named) != 1:
        return None
    keys = {
        "mac": table.mac,
        "client-id": table.client_id,
        "circuit-id": table.circuit_id,
        "remote-id": table.remote_id,
    }
    key = keys[named[0]]
    if key is None:
        return None
    reservation = Reservation(named[0], key, table.address, table.hostname, parameters=Parameters(options=options))
    return PlacedReservation(path, where, reservation)


def _shortest(table: NetworkTable) -> int:
    return min(SHORTEST_LEASE_S, table.lease_time) if table.min_lease_time is None else table.min_lease_time


def _longest(table: NetworkTable) -> int:
    return table.lease_time if table.max_lease_time is None else table.max_lease_time


def _check_times(table: NetworkTable, path: Path, where: str, report: Report) -> None:
    if _shortest(table) > table.lease_time:
        report.add((*path, "min-lease-time"), where, "min-lease-time is longer than lease-time", "shorten it")
    if _longest(table) < table.lease_time:
        report.add((*path, "max-lease-time"), where, "max-lease-time is shorter than lease-time", "lengthen it")
    # RFC 2131 s4.4.5: T1 before T2 before the end of the lease.
    if table.renew_at >= table.rebind_at:
        here = (*path, "renew-at" if "renew_at" in table.model_fields_set else "rebind-at")
        what = f"renew-at {table.renew_at} is not before rebind-at {table.rebind_at}"
        report.add(here, where, what, "write renew-at = 0.5 and rebind-at = 0.875, or leave both out")


def _ordinal(path: Path) -> str:
    """'2' of the second of an array of tables."""
    return str(int(path[-1]) + 1)
