"""What is served where: the configuration as the server knows it, checked and with all inheritance done."""

from typing import Literal

import msgspec

from relet.model.ranges import Ranges
from relet.wire.address import BROADCAST, mask


class Subnet(msgspec.Struct, frozen=True):
    """One prefix of a network. `options`: code -> octets, those of server and network included (the nearest wins)."""

    prefix: int
    width: int
    pools: Ranges = Ranges()
    options: dict[int, bytes] = {}

    def has_host(self, address: int) -> bool:
        """May a host of this subnet have the address? Not its first and last, unless it is a point-to-point link (RFC
        3021)."""
        last = self.prefix | ~mask(self.width) & BROADCAST
        return self.prefix <= address <= last and (self.width >= 31 or address not in (self.prefix, last))


class Reservation(msgspec.Struct, frozen=True):
    """An address kept for one client. `key` is compared with what `by` names, as octets.

    by: 'mac' (chaddr), 'client-id' (option 61), 'circuit-id' or 'remote-id' (option 82).
    """

    by: Literal["mac", "client-id", "circuit-id", "remote-id"]
    key: bytes
    address: int
    hostname: str = ""
    options: dict[int, bytes] = {}


class Network(msgspec.Struct, frozen=True):
    """One broadcast domain. Times are in seconds.

    relays: giaddrs served besides those inside the subnets.
    lease_time: granted when the client does not ask; what it asks for is held between minimum and maximum.
    renew_at, rebind_at: T1 and T2 as shares of the lease time (RFC 2131 s4.4.5).
    foreign_address, unknown_reboot, unknown_reboot_after: rows 2 and 9 of the reallocation table.
    cache_threshold: a lease with more than this share left is confirmed with its remaining time and nothing is written.
    """

    name: str
    subnets: tuple[Subnet, ...]
    interfaces: tuple[str, ...] = ()
    relays: tuple[int, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    lease_time: int = 8 * 3600
    min_lease_time: int = 60
    max_lease_time: int = 8 * 3600
    renew_at: float = 0.5
    rebind_at: float = 0.875
    offer_time: int = 60
    decline_time: int = 24 * 3600
    foreign_address: Literal["nak", "silent"] = "nak"
    unknown_reboot: Literal["silent", "nak", "adopt"] = "silent"
    unknown_reboot_after: int | None = None
    cache_threshold: float | None = None
    match_client_id: bool = True

    def subnet_of(self, address: int) -> Subnet | None:
        """The subnet that an address lies in, None if in none of them."""
        for subnet in self.subnets:
            if address & mask(subnet.width) == subnet.prefix:
                return subnet
        return None


class Settings(msgspec.Struct, frozen=True):
    """A whole configuration file.

    store:   'sqlite:PATH' (absolute by now) or 'memory:'.
    control: path of the control socket, '' for none.
    listen:  addresses on which relays and renewals are heard besides those of the interfaces served.
    """

    networks: tuple[Network, ...]
    store: str = "memory:"
    control: str = ""
    listen: tuple[int, ...] = ()
