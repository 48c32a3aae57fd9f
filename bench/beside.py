"""relet beside Kea and a bare echo, over sockets: whatever of the table of targets is a ratio of servers or a time.

    python bench/beside.py --compare FILE [--only versus,paced] [--quick] [--json FOLDER]

    versus    Kea and relet by turns: allocation, reboot, renewal; windows of 64 and 1000
    apart     the same with a second between the loads
    cached    reboot with `cache-threshold` beside an echo in Python
    sync      reboot with each level of durability
    features  Kea and relet with option 82, classes, 30 % reservations, real clients' parameter lists; relet's metrics read
    paced     latency of relet at half of its maximum rate, while history is folded, leases expire, and it is reloaded
    million   start, reboot and memory with 1,000,000 leases in random order, beside 10,000; Kea and relet

FILE is compare.py of the side-by-side bench, whose load generator and echo are used. Needs root, gcc and Kea; what is
missing is said, and then nothing is measured. --quick tests this script in two minutes; its figures say nothing. With
--json, each part that ran leaves FOLDER/PART.json.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import kept
from lasting import million, paced
from rounds import Bench, Sizes, Table, said
from stand import Stand, lacking
from turns import apart, cached, features, sync, versus

PARTS: Mapping[str, Callable[[Bench], Table]] = {
    "versus": versus,
    "apart": apart,
    "cached": cached,
    "sync": sync,
    "features": features,
    "paced": paced,
    "million": million,
}


def main() -> int:
    """Run the parts that are asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--compare", type=Path, metavar="FILE", help="compare.py of the side-by-side bench")
    arguments.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    arguments.add_argument("--quick", action="store_true", help="test this script")
    arguments.add_argument("--json", type=Path, metavar="FOLDER", help="keep the figures of each part there")
    given = arguments.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        arguments.error(f"there is no part {', '.join(sorted(unknown))}")
    if given.quick and given.json and given.json.resolve() == kept.RESULTS.resolve():
        arguments.error("figures of a quick run say nothing; they are not kept for the page")
    missing = lacking("kea-dhcp4")
    if given.compare is None or not given.compare.exists():
        missing += ", " * bool(missing) + "side-by-side bench (--compare FILE)"
    if missing:
        sys.stderr.write(f"nothing is measured beside other servers: there is no {missing}\n")
        return 3
    compare = given.compare.resolve()
    with tempfile.TemporaryDirectory(dir=".") as name, Stand(Path(name).resolve(), compare) as stand:
        bench = Bench(stand, Path(name).resolve(), compare, Sizes(given.quick))
        for part in chosen:
            began = time.monotonic()
            figures = PARTS[part](bench)
            said(f"{part}, {time.monotonic() - began:.0f} s", figures)
            kept.keep(given.json and given.json / f"{part}.json", part, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
