"""What is served where: the configuration as the server knows it, checked and with all inheritance done."""

from collections.abc import Collection
from typing import Literal

import msgspec

from relet.model.expression import Expression
from relet.model.lease import Sync
from relet.model.ranges import Ranges
from relet.wire.address import BROADCAST, ip_text, mask

DEFAULT_LEASE_S = 8 * 3600
SHORTEST_LEASE_S = 60
"""Default of min-lease-time, unless the lease itself is shorter."""


class Parameters(msgspec.Struct, frozen=True):
    """The configuration parameters of a client (RFC 2131 s1.4) as one level has them: server, network, subnet, pool, class
    or reservation. None: this level says nothing.

    options: code -> octets. force: codes that are sent whether or not the client asks for them.
    next_server, server_name, boot_file: siaddr, sname and file.
    lease_time: granted when the client does not ask; what it asks for is held between minimum and maximum. In seconds.
    renew_at, rebind_at: T1 and T2 as shares of the lease time (RFC 2131 s4.4.5).
    host_defaults: does a client that asks for a parameter of the Host Requirements get its default (RFC 2131 s4.3.1)?
    """

    options: dict[int, bytes] = {}
    force: frozenset[int] = frozenset()
    next_server: int | None = None
    server_name: bytes | None = None
    boot_file: bytes | None = None
    lease_time: int | None = None
    min_lease_time: int | None = None
    max_lease_time: int | None = None
    renew_at: float | None = None
    rebind_at: float | None = None
    host_defaults: bool | None = None

    def over(self, wider: "Parameters") -> "Parameters":
        """These laid over those of a wider level: the nearest wins."""
        if self == NOTHING:
            return wider
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        known = {name: value for name, value in said.items() if value is not None}
        known["options"] = {**wider.options, **self.options}
        known["force"] = wider.force | self.force
        return msgspec.structs.replace(wider, **known)


NOTHING = Parameters()
"""A level that says nothing."""


BUILT_IN_CLASSES = {
    "known": "clients with a reservation",
    "unknown": "clients without one",
    "random-mac": "clients whose hardware address is locally administered, as randomised ones are",
    "bootp": "clients that speak BOOTP, without DHCP",
}
"""Classes that need no row in the file."""


class ClientClass(msgspec.Struct, frozen=True):
    """Clients that have something in common. A client may be in several; of those, the first in the file wins.

    test: who belongs to it; None: only those whom a reservation puts into it. refuse: these clients are not served.
    """

    name: str
    test: Expression | None = None
    parameters: Parameters = NOTHING
    refuse: bool = False


class Pool(msgspec.Struct, frozen=True):
    """Addresses for clients without a reservation, all on equal terms.

    allow: classes that may have one, () for everybody. deny: classes that may not. parameters: those of server, network
    and subnet included.
    """

    addresses: Ranges
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    parameters: Parameters = NOTHING

    def admits(self, classes: Collection[str]) -> bool:
        """May a client of these classes have an address of it?"""
        return (not self.allow and not self.deny) or admits(classes, self.allow, self.deny)


def admits(classes: Collection[str], allow: Collection[str], deny: Collection[str]) -> bool:
    """Is a client of these classes let in? Whom both name is kept out."""
    if not allow and not deny:
        return True
    return (not allow or any(name in classes for name in allow)) and not any(name in classes for name in deny)


class Subnet(msgspec.Struct, frozen=True):
    """One prefix of a network. parameters: those of server and network included."""

    prefix: int
    width: int
    pools: tuple[Pool, ...] = ()
    parameters: Parameters = NOTHING

    @property
    def text(self) -> str:
        """'192.168.1.0/24'."""
        return f"{ip_text(self.prefix)}/{self.width}"

    def pool_of(self, address: int) -> Pool | None:
        """The pool that has an address, None if none does."""
        for pool in self.pools:
            if address in pool.addresses:
                return pool
        return None

    def has_host(self, address: int) -> bool:
        """May a host of this subnet have the address? Not its first and last, unless it is a point-to-point link (RFC
        3021)."""
        last = self.prefix | ~mask(self.width) & BROADCAST
        return self.prefix <= address <= last and (self.width >= 31 or address not in (self.prefix, last))


class Reservation(msgspec.Struct, frozen=True):
    """What is kept for one client: an address, a name, parameters. `key` is compared with what `by` names, as octets.

    by: 'mac' (chaddr), 'client-id' (option 61), 'circuit-id', 'remote-id' or 'subscriber-id' (option 82), 'hostname'
    (option 12 or 81, in lower case), or 'option-N'. Where several fit, the first of this order wins.
    address: 0 if none is kept. hostname: '' for none. classes: those that the client is in besides.
    """

    by: str
    key: bytes
    address: int = 0
    hostname: str = ""
    classes: tuple[str, ...] = ()
    parameters: Parameters = NOTHING


class Network(msgspec.Struct, frozen=True):
    """One broadcast domain: its subnets, clients, and what is done with them. Times are in seconds.

    relays: giaddrs served besides those inside the subnets.
    reservations: of this network. everywhere: those of the whole file; an address outside of the subnets is not kept here.
    classes: all of the file, in its order. allow, deny: classes that are served here, and that are not.
    parameters: those of the server included.
    offer_time: how long an offer is held. decline_time: quarantine of an address found in use.
    foreign_address, unknown_reboot, unknown_reboot_after: rows 2 and 9 of the reallocation table.
    cache_threshold: a lease with more than this share left is confirmed with its remaining time and nothing is written.
    match_client_id: know clients by option 61.
    offer_time_left: a client that starts anew and asks for no time gets what is left of its lease (RFC 2131 s4.3.1).
    rapid_commit: RFC 4039. auto_configure: RFC 2563, None says nothing about it.
    bootp: who gets an address by BOOTP: nobody, those with a reservation, or everybody.
    probe: how an address is probed before it is offered. probe_wait: how long an answer is waited for.
    hostnames: whose word a client's name is: the client's (a reservation's before it), only a reservation's, nobody's, or
    the server's, which makes one by hostname_pattern where there is none. '{address}' stands for the address with hyphens.
    subnet_selection: may clients choose a subnet of it by option 118 (RFC 3011)? Off, as s6 there demands: whoever asks
    could empty any pool.
    trust_relay_information: option 82 of hosts on the link itself counts, because a switch adds it (RFC 3046 s2.1).
    limit_per_circuit: leases and offers per circuit of a relay at most. limit_without_circuit: of all clients together
    that come without one, on the network's own link or through a relay that adds no option 82.
    client_rate, circuit_rate: requests a second, of a client (by hardware address) and of a circuit, that are answered.
    Those by which a client keeps its lease, or gives it back, are no part of client_rate.
    moving_time: what a client that has to move to another address is still granted when it renews.
    nearly_full: share of a pool in use from which on it is nearly full.
    """

    name: str
    subnets: tuple[Subnet, ...]
    interfaces: tuple[str, ...] = ()
    relays: tuple[int, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    everywhere: tuple[Reservation, ...] = ()
    classes: tuple[ClientClass, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    parameters: Parameters = NOTHING
    offer_time: int = 60
    decline_time: int = 24 * 3600
    foreign_address: Literal["nak", "silent"] = "nak"
    unknown_reboot: Literal["silent", "nak", "adopt"] = "silent"
    unknown_reboot_after: int | None = None
    cache_threshold: float | None = None
    match_client_id: bool = True
    rapid_commit: bool = False
    offer_time_left: bool = False
    auto_configure: bool | None = None
    bootp: Literal["refuse", "reserved", "dynamic"] = "reserved"
    probe: Literal["off", "arp", "ping", "both"] = "off"
    probe_wait: float = 0.5
    hostnames: Literal["client", "reserved", "none", "generate"] = "client"
    hostname_pattern: str = "dhcp-{address}"
    subnet_selection: bool = False
    trust_relay_information: bool = False
    limit_per_circuit: int | None = None
    limit_without_circuit: int | None = None
    client_rate: float | None = None
    circuit_rate: float | None = None
    moving_time: int = 60
    nearly_full: float = 0.9

    def subnet_of(self, address: int) -> Subnet | None:
        """The subnet that an address lies in, None if in none of them."""
        for subnet in self.subnets:
            if address & mask(subnet.width) == subnet.prefix:
                return subnet
        return None


class Settings(msgspec.Struct, frozen=True):
    """A whole configuration file.

    store:   'sqlite:PATH' (absolute by now) or 'memory:'. sync: what its commits survive.
    control: path of the control socket, '' for none.
    listen:  addresses on which relays and renewals are heard besides those of the interfaces served.
    leasequery: relays (giaddr) that may ask about leases (RFC 4388).
    user, group: whom the server becomes once its sockets are open, '' for nobody else.
    metrics: (address, port) on which Prometheus is answered, None for nowhere.
    receive_buffer: octets that wait at each socket, by the kernel's reckoning.
    backlog: requests that may wait in memory at most, when more come than can be served.
    merge_replies: replies of one length to one relay pass the kernel as one.
    files: the configuration files that this was read from.
    """

    networks: tuple[Network, ...]
    store: str = "memory:"
    sync: Sync = "batch"
    control: str = ""
    listen: tuple[int, ...] = ()
    leasequery: tuple[int, ...] = ()
    user: str = ""
    group: str = ""
    metrics: tuple[int, int] | None = None
    receive_buffer: int = 64 << 20
    backlog: int = 200_000
    merge_replies: bool = False
    files: tuple[str, ...] = ()
