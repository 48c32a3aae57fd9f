"""All of the bench, one script after the other, with its results where docs/performance.md is made from.

    python bench/everything.py [--compare FILE] [--only road,stages] [--results FOLDER]

A script that cannot run here says what it lacks; the others run, and results kept before stay as they are. The exit code
is 1 only if a script failed. Some thirty-five minutes on a quiet machine.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import kept

HERE = Path(__file__).parent
LACKING = 3
"""Exit code of a script for want of something."""
SCRIPTS = ("road", "instructions", "stages", "sockets", "scale", "store", "beside", "storms", "boots")
"""Those with --json FILE, and beside.py, which has --json FOLDER."""


def command(name: str, results: Path, compare: Path | None) -> list[str]:
    """How a script is called."""
    if name == "beside":
        return [name, "--json", str(results), *(("--compare", str(compare)) if compare else ())]
    more = ("--out", str(results / "storms")) if name == "storms" else ()
    return [name, "--json", str(results / f"{name}.json"), *more]


def main() -> int:
    """Run them, and say what came of each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--compare", type=Path, metavar="FILE", help="compare.py of the side-by-side bench")
    arguments.add_argument("--only", default=",".join(SCRIPTS), help="scripts, separated by commas")
    arguments.add_argument("--results", type=Path, metavar="FOLDER", default=kept.RESULTS)
    given = arguments.parse_args()
    failed = 0
    for each in given.only.split(","):
        if each not in SCRIPTS:
            arguments.error(f"there is no script {each}")
        sys.stdout.write(f"== {each}\n")
        sys.stdout.flush()
        began = time.monotonic()
        name, *words = command(each, given.results, given.compare)
        code = subprocess.run([sys.executable, HERE / f"{name}.py", *words], check=False).returncode
        done = {0: "done", LACKING: "not run"}.get(code, f"FAILED ({code})")
        failed += code not in (0, LACKING)
        sys.stdout.write(f"== {each}: {done}, {time.monotonic() - began:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
