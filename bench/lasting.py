"""relet while other work goes on, and servers with a million leases: latency, start, rate and memory."""

import random
import signal
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import fleet
import setups
import stored
from rounds import PAUSE_S, Bench, Command, Table, said, whole
from stand import Figures, Meanwhile, Request, Running, resident

from relet.run.control import ask

LASTING = 65_536
"""Clients with leases for a day; those after them (whose hardware addresses begin with 02:00:00:01) have brief ones."""
START_ASKED = 100
"""Clients that ask a server while it starts, each every 50 ms."""
START_LIMIT_S = 120
INIT_REBOOT = bytes((3,))


def paced(bench: Bench) -> Table:
    """Latency at half of the maximum rate, while all housekeeping goes on. Ends the program if it did not."""
    sizes, stand, state = bench.sizes, bench.stand, bench.state("paced")
    brief = f'[[class]]\nname = "brief"\ntest = "mac starts-with 02:00:00:01"\nlease-time = "{sizes.brief_s}s"\n'
    with bench.server("relet", lambda folder, link: setups.relet(folder, link, classes=brief)) as server:
        whole("dora", stand.dhcpload("dora", LASTING + sizes.brief, state), LASTING + sizes.brief)
        before = housekeeping(server)
        time.sleep(PAUSE_S)
        most = [stand.dhcpload("reboot", sizes.lasting, state, window) for window in (64, 1000)]
        for _ in range(sizes.history // sizes.lasting):  # so much that it is folded although nobody is quiet
            stand.dhcpload("reboot", sizes.lasting, state, 1000)
        rate = max(load["per_second"] for load in most)
        loads = []
        seen = []

        def again() -> None:
            seen.append(housekeeping(server))
            reload(server)

        with Meanwhile(sizes.reload_every_s, again):
            for _ in range(sizes.paced_loads):
                time.sleep(PAUSE_S)
                loads.append(stand.dhcpload("reboot", sizes.lasting, state, rate=rate / 2))
        after = housekeeping(server)
    # a reload counts what has ended as used, until it is worked off
    after["expired"] = max(each["expired"] for each in (*seen, after))
    for load in most + loads:
        whole("reboot", load, sizes.lasting)
    done = {what: after[what] - before[what] for what in after}
    if min(done.values()) <= 0:
        sys.exit(f"while the load was on, not all of this was done: {done}")
    figures = {name: max(load[name] for load in loads) for name in ("p50_ms", "p99_ms", "max_ms", "resent")}
    return {"rate": rate / 2, "p99_ms of each load": [load["p99_ms"] for load in loads]} | figures | done


def housekeeping(server: Running) -> dict[str, int]:
    """How often it has reloaded, how many leases have expired, how much history was folded, since its start."""
    told = ask(server.folder / "relet.sock", {"do": "status"})
    if not isinstance(told, dict):
        sys.exit(f"no status: {told}")
    with closing(sqlite3.connect(f"file:{server.folder / 'leases.db'}?mode=ro", uri=True)) as connection:
        (folded,) = connection.execute("SELECT folded_to FROM watermark").fetchone()
    reloads = sum("reloaded" in line for line in server.log.read_text(encoding="utf-8").splitlines())
    return {"reloads": reloads, "expired": -sum(pool["used"] for pool in told["pools"]), "folded": folded}


def reload(server: Running) -> None:
    """Change an option in its configuration and have it read again."""
    file = server.folder / "relet.toml"
    text = file.read_text(encoding="utf-8")
    one, other = '"example.org"', '"example.net"'
    file.write_text(text.replace(one, other) if one in text else text.replace(other, one), encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)


def million(bench: Bench) -> Table:
    """Start, reboot and memory with many leases, beside few; Kea and relet by turns."""
    figures: Table = {"few": bench.sizes.few, "many": bench.sizes.many}
    filled: dict[str, tuple[Command, Callable[[Path, list[int]], None]]] = {
        "kea": (setups.kea, stored.kea),
        "relet": (setups.relet, stored.relet),
    }
    for name, (command, fill) in filled.items():
        few, _, small = held(bench, name, command, fill, bench.sizes.few)
        many, starts, large = held(bench, name, command, fill, bench.sizes.many)
        figures |= {
            f"{name} per_second few": statistics.median(few),
            f"{name} per_second many": statistics.median(many),
            f"{name} cost many/few": statistics.median(few) / statistics.median(many),
            f"{name} octets per lease": (large - small) / (bench.sizes.many - bench.sizes.few),
            f"{name} first answer s": statistics.median(start["first_s"] for start in starts),
            f"{name} all answered s": statistics.median(start["seconds"] for start in starts),
        }
        said(name, {what: figure for what, figure in figures.items() if what.startswith(name)})
    return figures


def held(
    bench: Bench, name: str, command: Command, fill: Callable[[Path, list[int]], None], count: int
) -> tuple[list[float], list[Figures], int]:
    """With so many leases: the rate of each load, the figures of each start, resident octets after the loads."""
    stand, sizes = bench.stand, bench.sizes
    folder = bench.folder(name)
    addresses = stored.addresses(count)
    fill(folder, addresses)
    words = command(folder, stand.interface)
    order = random.Random(1)
    asking = stand.prepare(reboots(order.sample(range(count), START_ASKED), addresses))
    starts = []
    for turn in range(sizes.starts):
        server = stand.start(name, words, folder, ready=False)
        starts.append(stand.prepared(asking, START_ASKED, limit=START_LIMIT_S, patience=0.05))
        whole(f"{name} at its start", starts[-1], START_ASKED)
        if turn + 1 < sizes.starts:
            stand.stop(server)
    rates = []
    for _ in range(sizes.loads):
        requests = stand.prepare(reboots(order.sample(range(count), min(count, sizes.at_once)), addresses))
        time.sleep(PAUSE_S)
        load = stand.prepared(requests)
        whole(f"{name} with {count} leases", load, min(count, sizes.at_once))
        rates.append(load["per_second"])
    octets = resident(server)
    stand.stop(server)
    bench.forget(folder)
    return rates, starts, octets


def reboots(clients: list[int], addresses: list[int]) -> list[Request]:
    """What these clients ask when they boot."""
    return [Request(fleet.plain(n, {53: INIT_REBOOT, 50: addresses[n].to_bytes(4)}), addresses[n]) for n in clients]
