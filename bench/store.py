"""What a store of many leases costs: on disk, in memory, to open, to commit to and to fold, beside a small one.

    python bench/store.py [--leases 10000000] [--beside 10000] [--renewals 100000] [--folder DIR] [--json FILE]

Each store is filled and folded by one process and measured by another, so that memory is that of the leases alone. The
renewals come in random order, in batches of 64, synced each; then they are folded. Figures are of this machine, now: times
are processor time (and the wall's in brackets), the last column is the large store's in parts of the small one's.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kept
from msgspec.structs import replace

from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.store.sqlite import SqliteStore
from relet.wire.address import parse_ip

FIRST = parse_ip("10.0.0.0")
BATCH = 64
FILLED = 1000
"""Leases in a batch while a store is filled."""
FOLDED = 20_000
"""Changes in a step of the fold: as many as the thread folds at most."""
DAY_S = 86400
NOW = 1_800_000_000


def lease(number: int) -> Lease:
    """A lease as a campus has it: a name, a relay with a circuit, and times that many share."""
    circuit = b"eth%d/%d" % (number % 48, number // 48 % 400)
    return Lease(
        address=FIRST + number,
        client=client_key(None, 1, (0x020000000000 + number * 7919).to_bytes(6)),
        network="campus",
        state=LeaseState.BOUND,
        starts=NOW + number // 1000,
        expires=NOW + number // 1000 + DAY_S,
        beside=None,
        hostname=f"host-{number}",
        relay=bytes((1, len(circuit))) + circuit,
        reason="granted",
    )


def fill(path: Path, leases: int) -> None:
    """Make the store, with everything folded."""
    store = SqliteStore(path, sync="os")
    for start in range(0, leases, FILLED):
        store.commit([Change(None, lease(number)) for number in range(start, min(start + FILLED, leases))], NOW)
        if start % FOLDED == 0:
            store.fold(FOLDED)
    while store.fold(FOLDED):
        pass
    store.close()


Figures = dict[str, tuple[float, float]]
"""Name -> (processor time, wall time) or (value, 0)."""


def measure(path: Path, leases: int, renewals: int) -> Figures:
    """What it costs, per lease, change or step."""
    figures: Figures = {}

    @contextmanager
    def timed(name: str, unit_s: float, count: int) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        figures[name] = ((time.process_time() - cpu) / count / unit_s, (time.perf_counter() - wall) / count / unit_s)

    figures["on disk, octets a lease"] = (
        sum(file.stat().st_size for file in path.parent.glob("leases.db*")) / leases,
        0,
    )
    before = resident()
    with timed("open, ms", 1e-3, 1):
        store = SqliteStore(path, load=False)
    longest, began = 0.0, time.process_time()
    with timed("load, us a lease", 1e-6, leases):
        for _ in store.loading():
            now = time.process_time()
            longest, began = max(longest, now - began), now
    figures["load, longest step, ms"] = (longest * 1e3, 0)
    figures["in memory, octets a lease"] = ((resident() - before) / leases, 0)
    view = store.view((), ())
    dice = random.Random(leases)
    chosen = [dice.randrange(leases) for _ in range(renewals)]
    for start in range(0, renewals, BATCH):
        known = {FIRST + number: view.lease(FIRST + number) for number in chosen[start : start + BATCH]}
        changes = [Change(held, replace(held, starts=NOW + DAY_S)) for held in known.values() if held is not None]
        with timed(f"commit {start}", 1e-6, BATCH):
            store.commit(changes, NOW)
    commits = [figures.pop(f"commit {start}") for start in range(0, renewals, BATCH)]
    figures["commit, us a change"] = (
        sum(c for c, _ in commits) / len(commits),
        sum(w for _, w in commits) / len(commits),
    )
    folded = 0
    with timed("fold", 1e-6, 1):
        while done := store.fold(FOLDED):
            folded += done
    cpu, wall = figures.pop("fold")
    figures["fold, us a change"] = (cpu / folded, wall / folded)
    store.close()
    return figures


def resident() -> int:
    """Octets of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def of_size(folder: Path, leases: int, renewals: int) -> Figures:
    """Fill a store in one process, measure it in another."""
    found: Figures = {}
    for step in ("fill", "measure"):
        arguments = [sys.executable, __file__, step, str(folder), str(leases), str(renewals)]
        found = json.loads(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout or "{}")
    return found


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--leases", type=int, default=1_000_000)
    asked.add_argument("--beside", type=int, default=10_000)
    asked.add_argument("--renewals", type=int, default=100_000)
    asked.add_argument("--folder", type=Path, default=Path())
    kept.json_option(asked)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = {}
        for leases in (given.beside, given.leases):
            place = Path(folder).resolve() / str(leases)
            place.mkdir()
            found[leases] = of_size(place, leases, given.renewals)
    small, large = found[given.beside], found[given.leases]
    sys.stdout.write(f"{'':28}{given.beside:>22,}{given.leases:>22,}\n")
    for name, (value, wall) in large.items():
        other, other_wall = small[name]
        cells = [f"{v:.2f} ({w:.2f})" if w else f"{v:.2f}" for v, w in ((other, other_wall), (value, wall))]
        sys.stdout.write(f"{name:28}{cells[0]:>22}{cells[1]:>22}{value / other:8.2f} x\n")
    kept.keep(
        given.json,
        "store",
        {f"{leases:,} leases": {name: value for name, (value, _) in row.items()} for leases, row in found.items()},
    )


def child(step: str, folder: str, leases: str, renewals: str) -> None:
    """One step in a process of its own."""
    path = Path(folder) / "leases.db"
    if step == "fill":
        fill(path, int(leases))
    else:
        sys.stdout.write(json.dumps(measure(path, int(leases), int(renewals))))


if __name__ == "__main__":
    if sys.argv[1:2] in (["fill"], ["measure"]):
        child(*sys.argv[1:5])
    else:
        main()
