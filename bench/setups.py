"""The same network for relet and for Kea, as each of them writes it: plain, or with everything that a real one has.

The plain one is that of the side-by-side bench: one subnet, three options, leases for a day. With `features`: classes, more
options, every third client or so reserved (`fleet.reserved`), option 82 in all requests, and for relet its metrics.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from fleet import Client
from stand import RELET, SERVER

from relet.wire.address import hex_text, ip_text

Options = dict[str, str | list[str]]

FIRST, LAST = "10.65.0.0", "10.90.255.255"
METRICS_PORT = 9547
OPTIONS: Options = {"domain-name": "example.org", "domain-name-servers": [SERVER]}
MORE: Options = {
    "ntp-servers": [SERVER, "10.64.0.3"],
    "domain-search": ["example.org", "lab.example.org"],
    "log-servers": ["10.64.0.4"],
}
CLASSES: tuple[tuple[str, str, str, Options], ...] = (
    (
        "windows",
        'vendor-class starts-with "MSFT"',
        "substring(option[60].hex,0,4) == 'MSFT'",
        {"log-servers": ["10.64.0.5"]},
    ),
    ("android", 'vendor-class starts-with "android"', "substring(option[60].hex,0,7) == 'android'", {}),
    (
        "phones",
        'vendor-class like "*IP Phone*"',
        "substring(option[60].hex,14,8) == 'IP Phone'",
        {"tftp-server-name": "tftp"},
    ),
    ("north", 'circuit-id like "eth1/*"', "substring(relay4[1].hex,0,5) == 'eth1/'", {"ntp-servers": ["10.64.0.6"]}),
)
"""Name, test for relet, test for Kea, options."""


def relet(
    folder: Path,
    interface: str,
    *,
    server: str = "",
    network: str = "",
    classes: str = "",
    reservations: Sequence[Client] = (),
) -> list[str]:
    """Write relet's configuration; the command that starts it. The texts are further settings."""
    more = OPTIONS | (MORE if reservations else {})
    kept = "".join(
        f'[[network.reservation]]\nmac = "{hex_text(each.mac)}"\naddress = "{ip_text(each.address)}"\n'
        for each in reservations
    )
    text = f"""[server]
store = "sqlite:leases.db"
{server}
{classes}
[[network]]
name = "bench"
interfaces = ["{interface}"]
lease-time = "24h"
options = {_toml(more)}
{network}
[[network.subnet]]
prefix = "10.64.0.0/10"
pools = ["{FIRST}-{LAST}"]
options = {{ routers = ["{SERVER}"] }}
{kept}"""
    (folder / "relet.toml").write_text(text, encoding="utf-8")
    return [*RELET, "serve", "--config", str(folder / "relet.toml")]


def featured() -> str:
    """The classes, as relet writes them."""
    rows = [
        f"[[class]]\nname = \"{name}\"\ntest = '{test}'\noptions = {_toml(options)}\n"
        for name, test, _, options in CLASSES
    ]
    return "".join(rows)


def kea(folder: Path, interface: str, *, reservations: Sequence[Client] = ()) -> list[str]:
    """Write Kea's configuration; the command that starts it. Memfile, two threads; with reservations, the classes too."""
    subnet = {
        "id": 1,
        "subnet": "10.64.0.0/10",
        "pools": [{"pool": f"{FIRST} - {LAST}"}],
        "option-data": _kea(OPTIONS | {"routers": [SERVER]} | (MORE if reservations else {})),
        "reservations": [
            {"hw-address": hex_text(each.mac), "ip-address": ip_text(each.address)} for each in reservations
        ],
    }
    classes = [{"name": name, "test": test, "option-data": _kea(options)} for name, _, test, options in CLASSES]
    server: dict[str, object] = {
        "interfaces-config": {"interfaces": [f"{interface}/{SERVER}"], "dhcp-socket-type": "udp"},
        "control-socket": {"socket-type": "unix", "socket-name": str(folder / "kea.sock")},
        "lease-database": {
            "type": "memfile",
            "persist": True,
            "name": str(folder / "leases.csv"),
            "lfc-interval": 3600,
        },
        "valid-lifetime": 86400,
        "authoritative": True,
        "multi-threading": {"enable-multi-threading": True, "thread-pool-size": 2, "packet-queue-size": 128},
        "subnet4": [subnet],
        "loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": str(folder / "kea.log")}]}],
    }
    if reservations:
        server["client-classes"] = classes
    (folder / "kea.json").write_text(json.dumps({"Dhcp4": server}), encoding="utf-8")
    return ["kea-dhcp4", "-c", str(folder / "kea.json")]


def _toml(options: Options) -> str:
    return (
        "{ " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items()) + " }" if options else "{}"
    )


def _kea(options: Options) -> list[dict[str, str]]:
    return [
        {"name": name, "data": value if isinstance(value, str) else ", ".join(value)} for name, value in options.items()
    ]
