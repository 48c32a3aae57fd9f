"""A server's configuration from what a test says of it: a file of TOML, as an operator would write it."""

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import msgspec
from msgspec.structs import replace

from relet.model.ident import parse_key
from relet.model.lease import Lease, LeaseState, beside
from relet.wire.address import parse_ip

INTERFACE = "eth0"
"""What every host of a link calls its interface."""

Setting = str | int | float | bool | Sequence[Any] | Mapping[str, Any]
"""A value of a configuration file."""


class ServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a test says of a server, in the words of the configuration file (docs/settings.md).

    address: the server's own. prefix: of its subnet, None for the /24 around it. pools: 'FIRST-LAST' each, or a prefix.
    lease_time: such as '1h', or seconds. options: by name. reservations: hardware address -> address.
    leases: address -> client ('52:54:00:12:34:56', or 'id ' and a client identifier) that has it when the server starts.
    network: further settings of the network, such as {'unknown-reboot': 'nak'}; top: further tables of the file.
    """

    address: str = "192.168.1.1"
    prefix: str | None = None
    pools: Sequence[str] = ("192.168.1.100-192.168.1.199",)
    lease_time: str | int = "1h"
    options: Mapping[str, Setting] = {}
    reservations: Mapping[str, str] = {}
    leases: Mapping[str, str] = {}
    network: Mapping[str, Setting] = {}
    top: Mapping[str, Setting] = {}

    def subnet(self) -> IPv4Network:
        """The subnet that the server stands in. Raises ValueError."""
        return IPv4Network(self.prefix or f"{self.address}/24", strict=self.prefix is not None)

    def toml(self, name: str) -> str:
        """The configuration file. name: of the network."""
        network: dict[str, Setting] = {
            "name": name,
            "interfaces": [INTERFACE],
            "lease-time": self.lease_time,
            "options": self.options,
            "reservation": [{"mac": mac, "address": address} for mac, address in self.reservations.items()],
            "subnet": [{"prefix": str(self.subnet()), "pools": list(self.pools)}],
            **self.network,
        }
        tables: dict[str, Setting] = {"server": {"store": "sqlite:leases.db"}, **self.top, "network": [network]}
        return "".join(f"{key} = {_value(value)}\n" for key, value in tables.items())

    def standing(self, name: str, wall: float, seconds: int) -> list[Lease]:
        """The leases that are there from the start, granted at `wall` for so long. Raises ValueError."""
        return [
            Lease(
                address=parse_ip(address),
                client=key,
                network=name,
                state=LeaseState.BOUND,
                starts=int(wall),
                expires=int(wall) + seconds,
                beside=beside(key, hardware),
                reason="granted",
            )
            for address, client in self.leases.items()
            for key, hardware in [parse_key(client)]
        ]


def planned(
    plan: ServerPlan | None,
    pool: str = "",
    options: Mapping[str, Setting] | None = None,
    leases: Mapping[str, str] | None = None,
    address: str = "",
    lease_time: str | int = "",
) -> ServerPlan:
    """The plan (None: the usual one) with what is said beside it."""
    said = {
        "pools": (pool,) if pool else None,
        "options": options,
        "leases": leases,
        "address": address or None,
        "lease_time": lease_time or None,
    }
    return replace(plan or ServerPlan(), **{name: value for name, value in said.items() if value is not None})


def _value(value: Any) -> str:
    """A value as TOML: its numbers and arrays are JSON's, and its texts nearly."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_text(str(key))} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, IPv4Address | IPv4Network):
        return _text(str(value))
    if isinstance(value, str):
        return _text(value)
    return "[" + ", ".join(map(_value, value)) + "]" if isinstance(value, Sequence) else json.dumps(value)


def _text(text: str) -> str:
    # TOML knows no surrogates, and no DEL as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
