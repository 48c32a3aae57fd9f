"""Networks for tests, without a configuration file: subnets with one pool each."""

from msgspec.structs import replace

from relet.model.network import Network, Parameters, Pool, Subnet
from relet.model.ranges import Ranges
from relet.wire.address import parse_ip


def subnet(prefix: str, *spans: tuple[int, int], **said: object) -> Subnet:
    """A subnet such as '192.168.1.0/24' with one pool of these (first, last) pairs. said: see `Parameters`."""
    address, _, width = prefix.partition("/")
    parameters = replace(Parameters(), **said)
    pools = (Pool(Ranges.of(spans), parameters=parameters),) if spans else ()
    return Subnet(parse_ip(address), int(width), pools, parameters)


def saying(network: Network, **said: object) -> Network:
    """The network with other parameters everywhere, whatever its subnets and pools say."""
    if not said:
        return network
    now = replace(Parameters(), **said)

    def nearer(subnet: Subnet) -> Subnet:
        pools = tuple(replace(pool, parameters=now.over(pool.parameters)) for pool in subnet.pools)
        return replace(subnet, pools=pools, parameters=now.over(subnet.parameters))

    return replace(
        network,
        parameters=now.over(network.parameters),
        subnets=tuple(nearer(each) for each in network.subnets),
    )
