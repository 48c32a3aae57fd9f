"""What the scripts of the bench have in common: `--json FILE`, and the facts of the machine that a figure is from.

    kept.json_option(parser)
    kept.keep(given.json, "road", {"INIT-REBOOT": 9.5})

A result is one JSON object: its name, its figures, the machine. docs/performance.md is made of those in bench/results/.
"""

import argparse
import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
"""The results that the page shows, one file each, named as the result."""


def machine() -> dict[str, object]:
    """Processor, cores that this process may use, kernel, Python, SQLite."""
    rows = (line.partition(":") for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines())
    return {
        "cpu": next((text.strip() for name, _, text in rows if name.strip() == "model name"), platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def json_option(parser: argparse.ArgumentParser) -> None:
    """The option that every script of the bench has."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there")


def keep(file: Path | None, name: str, figures: Mapping[str, object]) -> None:
    """Write a result; None: nobody wants it kept."""
    if file is not None:
        result = {"name": name, "figures": figures, "machine": machine()}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
