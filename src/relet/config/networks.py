"""From the [[network]] tables to networks: policies, and parameters handed down from server to network to subnet."""

from collections.abc import Mapping

from msgspec.structs import replace

from relet.config.admit import admit
from relet.config.draft import Draft, PlacedSubnet
from relet.config.lines import Path
from relet.config.options import of_prefix, routers_of
from relet.config.parameters import check_times, read_parameters
from relet.config.pools import Ground, read_pools
from relet.config.reading import Reading, check_both
from relet.config.report import unheard
from relet.config.reservations import read_reservations
from relet.config.schema import NetworkTable, Policy, ServerTable, SubnetTable
from relet.model.network import Network, Parameters, Subnet
from relet.wire.address import BROADCAST

Raw = Mapping[str, object]

_ANY_PREFIX = "192.168.1.0/24"


def read_network(raw: Raw, path: Path, server: ServerTable, inherited: Parameters, reading: Reading) -> Draft | None:
    """One network, checked as far as it stands alone. None: nothing can be said about it; why is in the report.

    server: its policies hold where the network's table is silent. inherited: what the server says of clients.
    """
    report, names = reading.report, reading.names
    name = raw.get("name")
    where = f'network "{name}"' if isinstance(name, str) and name else f"network {_ordinal(path)}"
    if "name" not in raw:
        report.add(path, where, "'name' is missing", 'write name = "office"')
    table = admit(NetworkTable, raw, path, where, report)
    if table is None:
        return None
    own = read_parameters(table, raw, path, where, reading)
    check_times(own, inherited, path, where, report)
    parameters = own.over(inherited)
    check_both(table.allow, table.deny, path, where, report)
    names.used(table.allow, (*path, "allow"), where)
    names.used(table.deny, (*path, "deny"), where)
    placed = (
        _subnet(each, (*path, "subnet", position), where, parameters, reading)
        for position, each in enumerate(table.subnet)
    )
    subnets = tuple(each for each in placed if each)
    if not table.subnet and "subnet" not in raw:
        report.add(path, where, "has no subnet", 'write [[network.subnet]] and prefix = "192.168.1.0/24" below it')
    reservations = read_reservations(table.reservation, path, where, parameters, reading)
    network = Network(
        name=table.name,
        subnets=tuple(each.subnet for each in subnets),
        interfaces=tuple(table.interfaces),
        relays=tuple(table.relays),
        reservations=tuple(each.reservation for each in reservations),
        allow=tuple(table.allow),
        deny=tuple(table.deny),
        parameters=parameters,
        **{
            field: getattr(table if field in table.model_fields_set else server, field) for field in Policy.model_fields
        },
    )
    return Draft(path, where, network, subnets, reservations, len(subnets) == len(table.subnet))


def _subnet(raw: Raw, path: Path, network: str, inherited: Parameters, reading: Reading) -> PlacedSubnet | None:
    report = reading.report
    where = f"{network}, subnet {raw.get('prefix', _ordinal(path))}"
    table = admit(SubnetTable, raw, path, where, report)
    placed = table is not None
    # Without a prefix it is no subnet, but the rest of its table is checked as if it were any.
    table = table or admit(SubnetTable, {**raw, "prefix": _ANY_PREFIX}, path, where, unheard())
    own = read_parameters(table, raw, path, where, reading)
    if table is None:
        return None
    check_times(own, inherited, path, where, report)
    prefix, width = table.prefix
    parameters = own.over(inherited)
    if not placed:
        read_pools(table, Ground(0, BROADCAST, {}), parameters, path, where, reading)
        return None
    parameters = replace(parameters, options={**of_prefix(prefix, width), **parameters.options})
    ground = Ground.of(prefix, width, routers_of(parameters.options))
    pools, whole = read_pools(table, ground, parameters, path, where, reading)
    return PlacedSubnet(path, where, Subnet(prefix, width, pools, parameters), whole)


def _ordinal(path: Path) -> str:
    """'2' of the second of an array of tables."""
    return str(int(path[-1]) + 1)
