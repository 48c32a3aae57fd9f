"""Servers by turns, round after round, so that a drifting machine hits all alike: rates, and their ratio round by round."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import fleet
import setups
from rounds import PAUSE_S, Bench, Round, Table, compared, said, whole
from stand import RELET, SERVER, Figures, Meanwhile, Request, given, scrape

from relet.run.control import ask
from relet.wire.address import parse_ip

DISCOVER, REQUEST = bytes((1,)), bytes((3,))
WINDOWS = (64, 1000)
MODES = ("dora", "reboot", "renew")
LEVELS = ("batch", "interval", "os")


def versus(bench: Bench) -> Table:
    """Rates by window and kind of load, as the side-by-side bench itself measures them."""
    figures: Table = {}
    for window, turns in zip(WINDOWS, (bench.sizes.rounds, bench.sizes.costly_rounds), strict=True):
        told = bench.folder(f"versus{window}") / "told.json"
        words = ["--servers", "kea,relet", "--clients", bench.sizes.clients, "--window", window, "--repeat", turns]
        subprocess.run(
            [sys.executable, bench.compare, *map(str, words), "--json", told],
            check=True,
            stdout=sys.stderr,
            env=os.environ | {"RELET_CMD": shlex.join(RELET)},
        )
        done = json.loads(told.read_text(encoding="utf-8"))
        for row in done["relet"]:
            for mode in MODES:
                whole("relet", row[mode], bench.sizes.clients)
        rounds: list[Round] = [{name: done[name][turn] for name in done} for turn in range(turns)]
        figures[str(window)] = {mode: compared(rounds, mode) for mode in MODES}
    return figures


def apart(bench: Bench) -> Table:
    """The same with a second between the loads, so that every lease has to be written anew."""
    sizes = bench.sizes
    rounds: dict[int, list[Round]] = {window: [] for window in WINDOWS}
    for turn in range(sizes.rounds):
        for window in WINDOWS[: 2 if turn < sizes.costly_rounds else 1]:
            row: Round = {}
            for name, command in (("kea", setups.kea), ("relet", setups.relet)):
                with bench.server(name, command):
                    row[name] = {}
                    for mode in MODES:
                        load = bench.stand.dhcpload(mode, sizes.clients, bench.state(name), window)
                        whole(name, load, sizes.clients)
                        row[name][mode] = load
                        time.sleep(PAUSE_S)
            rounds[window].append(row)
            said(f"window {window}", {mode: compared([row], mode)["ratio"] for mode in row["kea"]})
    return {str(window): {mode: compared(done, mode) for mode in MODES} for window, done in rounds.items()}


def cached(bench: Bench) -> Table:
    """What share of a Python echo's rate relet has if it need not write."""
    sizes, stand = bench.sizes, bench.stand
    rounds: list[Round] = []
    state = bench.state("cached")
    echo = [sys.executable, str(bench.compare.with_name("echo.py"))]
    for _ in range(sizes.rounds):
        with bench.server("relet", lambda folder, link: setups.relet(folder, link, network="cache-threshold = 0.5")):
            whole("relet", stand.dhcpload("dora", sizes.clients, state), sizes.clients)
            time.sleep(PAUSE_S)
            confirmed = stand.dhcpload("reboot", sizes.clients, state)
            whole("relet", confirmed, sizes.clients)
        running = stand.start("echo", echo, bench.folder("echo"), ready=False)
        time.sleep(0.5)
        echoed = stand.dhcpload("reboot", sizes.clients, state)
        stand.stop(running)
        whole("echo", echoed, sizes.clients)
        rounds.append({"echo": {"reboot": echoed}, "relet": {"reboot": confirmed}})
    return compared(rounds, "reboot", "echo")


def sync(bench: Bench) -> Table:
    """Reboots a second with each level of durability, by turns; the median of all rounds."""
    rates: dict[str, dict[str, list[float]]] = {level: {} for level in LEVELS}
    for _ in range(bench.sizes.costly_rounds):
        for level, row in rates.items():
            with bench.server("relet", partial(setups.relet, server=f'sync = "{level}"')):
                state = bench.state("sync")
                whole("relet", bench.stand.dhcpload("dora", bench.sizes.clients, state), bench.sizes.clients)
                for window in WINDOWS:
                    time.sleep(PAUSE_S)
                    load = bench.stand.dhcpload("reboot", bench.sizes.clients, state, window)
                    whole("relet", load, bench.sizes.clients)
                    row.setdefault(f"{window} outstanding", []).append(load["per_second"])
    return {level: {window: statistics.median(found) for window, found in row.items()} for level, row in rates.items()}


def features(bench: Bench) -> Table:
    """As `versus`, with everything on that a real network has."""
    sizes = bench.sizes
    kept_for = fleet.reserved(sizes.clients)
    metrics = f'metrics = "127.0.0.1:{setups.METRICS_PORT}"'

    def relet(folder: Path, link: str) -> list[str]:
        return setups.relet(folder, link, server=metrics, classes=setups.featured(), reservations=kept_for)

    rounds: list[Round] = []
    for _ in range(sizes.costly_rounds):
        row: Round = {}
        for name in ("kea", "relet"):
            command = relet if name == "relet" else lambda folder, link: setups.kea(folder, link, reservations=kept_for)
            with bench.server(name, command) as server:
                read = (
                    Meanwhile(1.0, lambda: scrape(setups.METRICS_PORT), bench.stand.inside) if name == "relet" else None
                )
                row[name] = real_life(bench, name, kept_for, read)
                if name == "relet":
                    told = ask(server.folder / "relet.sock", {"do": "why", "client": fleet.mac(0).hex(":"), "limit": 9})
                    if not isinstance(told, list) or not told:
                        sys.exit(f"relet why knows nothing of a client that was answered: {told}")
        rounds.append(row)
    return {mode: compared(rounds, mode) for mode in ("discover", "select", "reboot", "reboot 1000")}


def real_life(bench: Bench, name: str, kept_for: list[fleet.Client], meanwhile: Meanwhile | None) -> dict[str, Figures]:
    """Allocation in its two halves, then reboot, of clients as they are."""
    stand, clients = bench.stand, range(bench.sizes.clients)
    named = {each.mac: each.address for each in kept_for}
    server = parse_ip(SERVER).to_bytes(4)
    offers = stand.prepare(Request(fleet.real(n, {53: DISCOVER}), named.get(fleet.mac(n), 0)) for n in clients)
    found: dict[str, Figures] = {}
    if meanwhile is not None:
        meanwhile.__enter__()
    found["discover"] = stand.prepared(offers, kind=2)
    addresses = given(offers)
    asked = [address.to_bytes(4) for address in addresses]
    selects = stand.prepare(
        Request(fleet.real(n, {53: REQUEST, 50: asked[n], 54: server}), addresses[n]) for n in clients
    )
    found["select"] = stand.prepared(selects)
    reboots = stand.prepare(Request(fleet.real(n, {53: REQUEST, 50: asked[n]}), addresses[n]) for n in clients)
    for mode, window in (("reboot", 64), ("reboot 1000", 1000)):
        time.sleep(PAUSE_S)
        found[mode] = stand.prepared(reboots, window)
    if meanwhile is not None:
        meanwhile.__exit__()
        if not meanwhile.done:
            sys.exit("the metrics were never read")
    for mode, load in found.items():
        whole(name if mode == "reboot 1000" else mode, load, len(clients))
    return found
