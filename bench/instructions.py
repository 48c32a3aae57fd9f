"""How many instructions a request costs on the server's road: a figure that does not depend on the machine's mood.

    python bench/instructions.py             measure and print
    python bench/instructions.py --check     fail if a kind of request costs over 20 % more than recorded
    python bench/instructions.py --record    record what is measured now, in bench/instructions.json

Requests go through the engine (bench/counted.py) under `valgrind --tool=callgrind`, which counts what is executed; the
kernel's share is not in it, nor start-up and warm-up. Builds of one Python differ: counts are compared after scaling by
what a fixed piece of Python costs under each, the yardstick. Between minor versions of Python nothing is compared.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kept
from counted import COUNTED, MARK, REQUESTS, STORES, YARDSTICK

HERE = Path(__file__).parent
RECORD = HERE / "instructions.json"
MARGIN = 0.20
"""A kind may cost this much more than recorded before it is a regression."""
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"

Figures = Mapping[str, float]
"""Instructions per request by 'STORE KIND', and those of the yardstick."""


def counts(store: str, folder: Path) -> list[int]:
    """What callgrind counted of each of COUNTED. Ends the program if the work failed."""
    out = folder / store
    command = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={out}"]
    ran = subprocess.run(
        [*command, sys.executable, HERE / "counted.py", store],
        env=os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"the work under callgrind failed ({ran.returncode}):\n{ran.stderr[-2000:]}")
    # part n holds what came before the nth mark: the even ones are those between a pair of marks
    return [total(out.with_name(f"{store}.{2 * place}")) for place in range(1, len(COUNTED) + 1)]


def total(part: Path) -> int:
    """Instructions of one part of callgrind's output."""
    (found,) = re.findall(r"^summary: (\d+)$", part.read_text(encoding="utf-8"), re.MULTILINE)
    return int(found)


def measure() -> Figures:
    """Count, with each store."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda store: counts(store, Path(folder)), STORES))
    figures: dict[str, float] = {}
    for store, row in zip(STORES, found, strict=True):
        each = dict(zip(COUNTED, row, strict=True))
        figures[YARDSTICK] = each.pop(YARDSTICK)
        figures |= {f"{store} {kind}": round(count / REQUESTS) for kind, count in each.items()}
    return figures


def regressions(measured: Figures, recorded: Figures) -> list[str]:
    """What costs more than it may, in words."""
    scale = measured[YARDSTICK] / recorded[YARDSTICK]
    told = []
    for what, before in recorded.items():
        if what == YARDSTICK:
            continue
        if what not in measured:
            told.append(f"{what} is recorded and was not measured")
        elif measured[what] > before * scale * (1 + MARGIN):
            more = measured[what] / (before * scale) - 1
            told.append(f"{what} costs {measured[what]:.0f} instructions, {more:.0%} more than recorded")
    return told + [f"{what} has no record" for what in measured if what not in recorded]


def recorded(file: Path) -> dict[str, Figures]:
    """Figures by minor version of Python."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def check(measured: Figures, known: Mapping[str, Figures]) -> int:
    """Exit code: 1 for a regression. What there is to say is said."""
    if MINOR not in known:
        sys.stdout.write(f"nothing is recorded for Python {MINOR}, so nothing is compared\n")
        return 0
    told = regressions(measured, known[MINOR])
    for line in told:
        sys.stderr.write(line + "\n")
    if told:
        sys.stderr.write("if it has to be so: python bench/instructions.py --record\n")
    return 1 if told else 0


def main() -> int:
    """Measure, and do what is asked with the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--record", action="store_true")
    kept.json_option(arguments)
    given = arguments.parse_args()
    if shutil.which("valgrind") is None:
        ci = os.environ.get("CI") == "true"
        sys.stderr.write("instructions are not counted: there is no valgrind (Debian's package has that name)\n")
        return 1 if ci else 0 if given.check else 3
    measured = measure()
    for what, cost in measured.items():
        sys.stdout.write(f"{what:20} {cost:9.0f}\n")
    kept.keep(given.json, "instructions", measured)
    if given.record:
        RECORD.write_text(json.dumps(recorded(RECORD) | {MINOR: measured}, indent=1) + "\n", encoding="utf-8")
    return check(measured, recorded(RECORD)) if given.check else 0


if __name__ == "__main__":
    sys.exit(main())
