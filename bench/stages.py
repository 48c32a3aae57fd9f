"""Where each microsecond goes: an INIT-REBOOT request on its way through the running server, by stage.

    python bench/stages.py [--clients 20000] [--json FILE]

A server with leases on disk is asked by prepared requests with 1, 64 and 1000 of them outstanding, once as it is and once
with a stopwatch at each stage (bench/staged.py). What the stopwatches cost is taken off; what is outside of all stages is
the loop, the kernel's waking up, and waiting for requests. Needs root and gcc, and no other server.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

import kept
import setups
import stored
from lasting import reboots
from rounds import PAUSE_S, whole
from staged import STAGES
from stand import RELET, Figures, Stand, lacking

WINDOWS = (1, 64, 1000)
ONCE_A_BATCH = "reply"
LEFT_OVER = "loop, waiting"

Laps = dict[str, list[int]]


def loads(stand: Stand, command: list[str], folder: Path, requests: dict[int, Path], lap: bool) -> dict[int, Figures]:
    """The figures of each window's load. lap: have the stopwatches begin anew before and after each."""
    server = stand.start("relet", command, folder)
    found = {}
    for window, path in requests.items():
        time.sleep(PAUSE_S)
        if lap:
            server.process.send_signal(signal.SIGUSR1)
            time.sleep(0.1)
        found[window] = stand.prepared(path, window)
        if lap:
            server.process.send_signal(signal.SIGUSR1)
            time.sleep(0.1)
        whole(f"window {window}", found[window], int(found[window]["requests"]))
    stand.stop(server)
    return found


def shares(lap: Laps, overhead_ns: tuple[float, float], requests: float) -> dict[str, float]:
    """Microseconds per request of each stage, without what the stopwatches cost."""
    inside, outside = overhead_ns
    return {
        stage: max(0.0, ns - calls * inside - inner * outside) / requests / 1000
        for stage, (calls, ns, inner) in lap.items()
    }


def measure(stand: Stand, folder: Path, clients: int) -> dict[str, object]:
    """The figures by window."""
    addresses = stored.addresses(clients)
    stored.relet(folder, addresses)
    asked = {window: clients if window > 1 else clients // 10 for window in WINDOWS}
    requests = {window: stand.prepare(reboots(list(range(count)), addresses)) for window, count in asked.items()}
    command = setups.relet(folder, stand.interface)
    plain = loads(stand, command, folder, requests, lap=False)
    watched = [sys.executable, str(Path(__file__).with_name("staged.py")), str(folder / "laps"), *command[len(RELET) :]]
    disturbed = loads(stand, watched, folder, requests, lap=True)
    said = json.loads((folder / "laps").read_text(encoding="utf-8"))
    figures: dict[str, object] = {}
    for place, window in enumerate(WINDOWS):
        lap = said["laps"][2 * place + 1]
        stages = shares(lap, said["overhead_ns"], asked[window])
        watched_us = 1e6 / disturbed[window]["per_second"]
        inside_us = sum(ns for _, ns, _ in lap.values()) / asked[window] / 1000
        figures[str(window)] = {
            "us": 1e6 / plain[window]["per_second"],
            "us with stopwatches": watched_us,
            "requests at once": asked[window] / max(1, lap[ONCE_A_BATCH][0]),
            "stages": {stage: stages[stage] for stage, _ in STAGES} | {LEFT_OVER: watched_us - inside_us},
        }
    return figures


def main() -> int:
    """Measure and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clients", type=int, default=20_000)
    kept.json_option(arguments)
    given = arguments.parse_args()
    if missing := lacking():
        sys.stderr.write(f"the stages are not measured: there is no {missing}\n")
        return 3
    with tempfile.TemporaryDirectory(dir=".") as name, Stand(Path(name).resolve(), None) as stand:
        figures = measure(stand, Path(name).resolve(), given.clients)
    kept.keep(given.json, "stages", figures)
    for window, row in figures.items():
        sys.stdout.write(f"{window} outstanding: {row}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
