"""The page on performance and its pictures: the words of performance.template with the kept results filled in.

In the template, `{{block}}` is one of BLOCKS, and `{{versus.64.reboot.ratio:.2f}}` a figure in Python's format; what was not
measured is told to be so. Below a line `== reasons`, `NAME: words` says why the target of that name was missed.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import charts
from targets import MISSED, NOT_MEASURED, RESULTS, Results, figure, judged, read

TEMPLATE = Path(__file__).with_name("performance.template")
KINDS = {"dora": "allocation", "reboot": "reboot", "renew": "renewal"}
HALVES = {"discover": "DISCOVER", "select": "SELECTING", "reboot": "reboot, 64", "reboot 1000": "reboot, 1000"}
MODEST = 0.05
"""Microseconds below which a stage is not worth a row."""
_FILLED = re.compile(r"\{\{([^}:]+)(?::([^}]+))?\}\}")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; a line that says so if there is nothing in it."""
    if not rows:
        return f"*{NOT_MEASURED.capitalize()}.*"
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def targets(results: Results) -> str:
    """Each target with what was measured."""
    rows = [[each.target.work, each.target.wanted, each.told(), f"**{each.verdict}**"] for each in judged(results)]
    return table(["work", "target", "measured", ""], rows)


def missed(results: Results) -> str:
    """Each missed target with its reason."""
    reasons = _reasons(TEMPLATE.read_text(encoding="utf-8"))
    found = [each for each in judged(results) if each.verdict == MISSED]
    if not found:
        return "No target that was measured was missed."
    told = "*the reason is not known.*"
    return "\n".join(
        f"- **{each.target.work}** ({each.told()}): {reasons.get(each.target.name, told)}" for each in found
    )


def _reasons(text: str) -> dict[str, str]:
    rows = text.partition("\n== reasons\n")[2].strip().splitlines()
    return {name.strip(): words.strip() for name, _, words in (row.partition(":") for row in rows if row.strip())}


def _pair(name: str, row: Mapping[str, Any], one: str, other: str) -> list[str]:
    """A comparison of two servers as a row."""
    spread = f" ({min(row['ratios']):.2f} to {max(row['ratios']):.2f})" if len(row["ratios"]) > 1 else ""
    per_second = [f"{row[f'{server} per_second']:,.0f}" for server in (one, other)]
    latency = [f"{row[f'{server} p99_ms']:.1f}" for server in (one, other)]
    return [name, *per_second, f"{row['ratio']:.2f}{spread}", *latency]


def versus(results: Results) -> str:
    """Kea and relet, by window and kind."""
    found = figure(results, ["versus"]) or {}
    rows = [
        _pair(f"{KINDS[kind]}, {window}", row, "kea", "relet")
        for window, kinds in found.items()
        for kind, row in kinds.items()
    ]
    return table(
        ["load, outstanding", "Kea /s", "relet /s", "ratio (least to most)", "Kea p99 ms", "relet p99 ms"], rows
    )


def features(results: Results) -> str:
    """The same with everything on."""
    found = figure(results, ["features"]) or {}
    rows = [_pair(HALVES[kind], row, "kea", "relet") for kind, row in found.items()]
    return table(
        ["load, outstanding", "Kea /s", "relet /s", "ratio (least to most)", "Kea p99 ms", "relet p99 ms"], rows
    )


def cached(results: Results) -> str:
    """The echo and relet."""
    found = figure(results, ["cached"])
    rows = [_pair("reboot, 64", found, "echo", "relet")] if found else []
    return table(
        ["load, outstanding", "echo /s", "relet /s", "ratio (least to most)", "echo p99 ms", "relet p99 ms"], rows
    )


def million(results: Results) -> str:
    """Few and many leases, both servers."""
    found = figure(results, ["million"])
    said = (
        ("per_second few", "reboots a second, few leases", "{:,.0f}"),
        ("per_second many", "reboots a second, many leases", "{:,.0f}"),
        ("cost many/few", "cost of one, many to few", "{:.2f}"),
        ("octets per lease", "octets of memory for a lease", "{:.0f}"),
        ("first answer s", "start to the first answer, s", "{:.2f}"),
        ("all answered s", "start until all of 100 clients are answered, s", "{:.2f}"),
    )
    rows = (
        [
            [words, *(shown.format(found[f"{server} {name}"]) for server in ("kea", "relet"))]
            for name, words, shown in said
        ]
        if found
        else []
    )
    return table(["", "Kea", "relet"], rows)


def stages(results: Results) -> str:
    """Microseconds of each stage, by window."""
    found = figure(results, ["stages"]) or {}
    names = list(dict.fromkeys(name for row in found.values() for name in row["stages"]))
    rows = [[name, *(f"{row['stages'][name]:.2f}" for row in found.values())] for name in names]
    rows = [row for row in rows if any(float(cell) >= MODEST for cell in row[1:])]
    rows += [["**all**", *(f"{sum(row['stages'].values()):.2f}" for row in found.values())]] if found else []
    for name, key in (
        ("without stopwatches", "us"),
        ("with stopwatches", "us with stopwatches"),
        ("requests in a batch", "requests at once"),
    ):
        if found:
            rows.append([name, *(f"{row[key]:.2f}" for row in found.values())])
    return table(["stage", *(f"{window} outstanding" for window in found)], rows)


def instructions(results: Results) -> str:
    """Instructions of each kind, by store."""
    found = figure(results, ["instructions"]) or {}
    kinds = list(dict.fromkeys(name.partition(" ")[2] for name in found if " " in name))
    rows = [[kind, *(f"{found[f'{store} {kind}']:,.0f}" for store in ("memory", "sqlite"))] for kind in kinds]
    return table(["request", "store in memory", "store on disk"], rows)


def _picture(name: str, words: str) -> str:
    """A picture among the results, if there is one."""
    return f"\n\n![{words}](../bench/results/{name})" if (RESULTS / name).exists() else ""


def columns(name: str) -> Callable[[Results], str]:
    """A result whose figures stand in columns: of each server, of each size; and its picture if one was kept."""

    def block(results: Results) -> str:
        found = figure(results, [name]) or {}
        rows = list(dict.fromkeys(row for column in found.values() for row in column))
        cells = [[row, *(_told(column.get(row, "")) for column in found.values())] for row in rows]
        picture = f"../bench/results/{name}.svg"
        there = bool(found) and (TEMPLATE.parent / picture).exists()
        return table(["", *found], cells) + (f"\n\n![{name}]({picture})" if there else "")

    return block


def plain(name: str) -> Callable[[Results], str]:
    """A result as it is: a row for each figure."""

    def block(results: Results) -> str:
        return table(["", ""], [[what, value] for what, value in _flat(figure(results, [name]) or {})])

    return block


def _flat(figures: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    rows = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{before}{name}, ")
        else:
            rows.append((before + name, _told(value)))
    return rows


def _told(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def machine(results: Results) -> str:
    """What the figures were measured on, and which of them if it was not the same for all."""
    by_machine: dict[str, list[str]] = {}
    for name, result in results.items():
        facts = result["machine"]
        words = "{cpu}, {cores} cores; Linux {kernel}; Python {python}; SQLite {sqlite}".format(**facts)
        by_machine.setdefault(words, []).append(name)
    if len(by_machine) < 2:
        return "".join(by_machine) or NOT_MEASURED
    return "\n".join(f"- {words}: {', '.join(names)}" for words, names in by_machine.items())


BLOCKS: Mapping[str, Callable[[Results], str]] = {
    "targets": targets,
    "missed": missed,
    "versus": versus,
    "features": features,
    "cached": cached,
    "million": million,
    "stages": stages,
    "instructions": instructions,
    "storms": lambda results: (
        columns("storms")(results) + _picture("storms/storm.svg", "How many are bound, over time")
    ),
    "store": columns("store"),
    "sync": columns("sync"),
    "machine": machine,
    **{f"{name} figures": plain(name) for name in ("road", "paced", "scale", "sockets")},
}


def page(results: Results | None = None) -> str:
    """The page, less the line that says that it is made."""
    known = read() if results is None else results
    words = TEMPLATE.read_text(encoding="utf-8").partition("\n== reasons\n")[0]
    return _FILLED.sub(lambda found: _fill(known, found[1].strip(), found[2]), words).rstrip() + "\n"


def _fill(results: Results, name: str, shown: str | None) -> str:
    if name in BLOCKS:
        return BLOCKS[name](results)
    value = figure(results, name.split("."))
    return NOT_MEASURED if value is None else format(value, shown or "")


def picture_of_targets(results: Results | None = None) -> str:
    """A bar for each target."""
    rows = [
        charts.Level(each.target.work.replace("`", ""), each.share, each.told())
        for each in judged(read() if results is None else results)
    ]
    return charts.levels("Measured, beside what was to be reached", rows)


def picture_of_stages(results: Results | None = None) -> str:
    """A bar for each window, of groups of stages."""
    found = figure(read() if results is None else results, ["stages"]) or {}
    rows: dict[str, dict[str, float]] = {}
    for window, row in found.items():
        groups = rows.setdefault(f"{window} outstanding", {})
        for stage, cost in row["stages"].items():
            group = stage.partition(":")[0]
            groups[group] = groups.get(group, 0.0) + max(0.0, cost)
    return charts.stacks("Where the time of a reboot goes", rows, "us")
