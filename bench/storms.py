"""A power failure, server by server: the same fleet gets its leases and comes back all at once, with real clients' timing.

    python bench/storms.py [--servers relet,kea,dnsmasq] [--clients 200000] [--limit 300] [--out FOLDER] [--json FILE]

Each server has the stand to itself. A fleet of `relet storm` gets its leases, 64 clients at a time; the server is not
started anew; then all clients reboot at one moment, some of them with an address of another network or of another client,
and send again after 4, 8, 16, .. seconds. FOLDER keeps SERVER.json, SERVER.svg and SERVER.txt of each, and storm.svg and
storm.txt of all of them; with --json, the picture is kept beside the figures. relet is told that it is alone, as Kea and
dnsmasq are (`authoritative`).

dnsmasq goes through all its leases for each request: 5,000 clients take it a minute, and 200,000 would take it days.
Needs root, gcc, and the servers; exit code 3 for want of them.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import kept
import msgspec
import setups
from stand import RELAY, SERVER, Stand, lacking

from relet.lab.storm.report import Report

PROGRAMS = {"relet": "ip", "kea": "kea-dhcp4", "dnsmasq": "dnsmasq"}
SHARES = ("--foreign", "2%", "--taken", "1%")
SEED = "1"


def relet(folder: Path, interface: str) -> list[str]:
    """The plain network; a rebooting client without a record is refused, as the others do."""
    return setups.relet(folder, interface, network='unknown-reboot = "nak"')


def kea(folder: Path, interface: str) -> list[str]:
    """memfile, two threads."""
    return setups.kea(folder, interface)


def dnsmasq(folder: Path, interface: str) -> list[str]:
    """As little work as it can have: no pings, no log line for each message."""
    lines = (
        "port=0",
        f"interface={interface}",
        "bind-interfaces",
        "no-ping",
        "dhcp-authoritative",
        f"dhcp-range={setups.FIRST},{setups.LAST},255.192.0.0,86400",
        f"dhcp-option=3,{SERVER}",
        f"dhcp-option=6,{SERVER}",
        "domain=example.org",
        "dhcp-lease-max=2000000",
        f"dhcp-leasefile={folder}/dnsmasq.leases",
        f"log-facility={folder}/dnsmasq.log",
        "quiet-dhcp",
        "user=root",
        f"pid-file={folder}/dnsmasq.pid",
    )
    (folder / "dnsmasq.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["dnsmasq", "-k", "-C", str(folder / "dnsmasq.conf")]


SERVERS: Mapping[str, Callable[[Path, str], list[str]]] = {"relet": relet, "kea": kea, "dnsmasq": dnsmasq}


def storm(stand: Stand, name: str, given: argparse.Namespace) -> Report:
    """One server: its fleet's leases, then the storm."""
    out: Path = given.out
    with tempfile.TemporaryDirectory(prefix=f"storm-{name}-") as there:
        folder = Path(there)
        server = stand.start(name, SERVERS[name](folder, stand.interface), folder)
        fleet = folder / "fleet.json"
        crowd = ("--server", SERVER, "--limit", str(given.limit), "--processes", str(given.processes), "--name", name)
        told = stand.relet(
            "storm", "allocate", *crowd, "--relay", RELAY, "--clients", str(given.clients), "--seed", SEED,
            "--window", "64", "--save", fleet,
        )  # fmt: skip
        told += stand.relet(
            "storm", "reboot", *crowd, "--fleet", fleet, *SHARES,
            "--json", out / f"{name}.json", "--picture", out / f"{name}.svg",
        )  # fmt: skip
        stand.stop(server)
    (out / f"{name}.txt").write_text(told, encoding="utf-8")
    sys.stdout.write(told + "\n")
    sys.stdout.flush()
    return msgspec.json.decode((out / f"{name}.json").read_bytes(), type=Report)


def figures(report: Report) -> dict[str, object]:
    """Those that the page of the bench shows."""
    return {
        "clients": report.setup.clients,
        "with a lease": report.bound,
        **{f"{share[1:]} % after, s": at if at is not None else "never" for share, at in report.moments.items()},
        "requests sent": sum(report.sent.values()),
        "of them again": report.sent_again,
        "latency p50, s": report.latency.p50,
        "latency p99, s": report.latency.p99,
        "wrong answers": sum(each.count for each in report.wrong.values()),
    }


def main() -> int:
    """Measure the servers in turn, and put them side by side."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--servers", default="relet,kea", help="of relet, kea, dnsmasq")
    arguments.add_argument("--clients", type=int, default=200_000)
    arguments.add_argument("--limit", type=float, default=300, help="seconds for each of the two works of a server")
    arguments.add_argument("--processes", type=int, default=1, help="of the fleet")
    arguments.add_argument("--out", type=Path, default=Path("storms"), metavar="FOLDER")
    kept.json_option(arguments)
    given = arguments.parse_args()
    names = given.servers.split(",")
    if unknown := [name for name in names if name not in SERVERS]:
        arguments.error(f"no such server: {', '.join(unknown)}")
    if missing := lacking(*(PROGRAMS[name] for name in names)):
        sys.stderr.write(f"storms: not measured for want of {missing}\n")
        return 3
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="storms-") as folder, Stand(Path(folder), None) as stand:
        reports = {name: storm(stand, name, given) for name in names}
        files = [given.out / f"{name}.json" for name in names]
        told = stand.relet("storm", "compare", *files, "--picture", given.out / "storm.svg")
    (given.out / "storm.txt").write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    kept.keep(given.json, "storms", {name: figures(report) for name, report in reports.items()})
    if given.json is not None:
        shutil.copy(given.out / "storm.svg", given.json.with_suffix(".svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
