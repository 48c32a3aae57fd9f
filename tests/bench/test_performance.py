"""The page on performance follows from the kept results: what was not measured is not met, what was missed is there."""

import re
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
MACHINE = {"cpu": "A CPU", "cores": 2, "kernel": "6.1", "python": "3.11.7", "sqlite": "3.40"}


@pytest.fixture
def docs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return import_module


def results(**figures: object) -> dict[str, dict[str, object]]:
    return {name: {"name": name, "figures": each, "machine": MACHINE} for name, each in figures.items()}


def compared(ratio: float) -> dict[str, object]:
    row: dict[str, object] = {"ratio": ratio, "ratios": [ratio, ratio + 1]}
    return row | {
        f"{server} {name}": 10.0 for server in ("kea", "relet") for name in ("per_second", "p50_ms", "p99_ms")
    }


def storm(ours: object, theirs: object, clients: int = 200_000) -> dict[str, dict[str, object]]:
    """When all were bound."""
    rest = {"clients": clients, "with a lease": clients}
    return {"relet": rest | {"100 % after, s": ours}, "kea": rest | {"100 % after, s": theirs}}


def verdicts(page: str) -> dict[str, str]:
    """Of the table of targets: the work, and what is said of it."""
    section = page.partition("## Targets")[2].partition("![")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")][
        2:
    ]
    return {work: f"{measured} {verdict.strip('*')}" for work, _, measured, verdict in rows}


def test_without_results_every_target_is_told_to_be_unmeasured(docs: Any) -> None:
    said = verdicts(docs("performance").page({}))
    assert len(said) == len(docs("targets").TARGETS) >= 13
    assert set(said.values()) == {"not measured not measured"}


@pytest.mark.parametrize(
    ("figures", "work", "said"),
    [
        ({"versus": {"64": {"reboot": compared(2.5)}}}, "reboot, 64 outstanding", "2.50 x met"),
        ({"versus": {"64": {"reboot": compared(2.49)}}}, "reboot, 64 outstanding", "2.49 x missed"),
        ({"versus": {"64": {"dora": compared(0.0)}}}, "allocation (four messages)", "0.00 x missed"),
        (
            {"million": {"many": 1_000_000, "relet octets per lease": 300}},
            "memory for a lease, of 1,000,000",
            "300 octets met",
        ),
        (
            {"million": {"many": 1_000_000, "relet octets per lease": 301}},
            "memory for a lease, of 1,000,000",
            "301 octets missed",
        ),
        ({"storms": storm(3.0, 4.0)}, "storm of 200,000: time until all are bound", "0.75 x met"),
        ({"storms": storm(4.1, 4.0)}, "storm of 200,000: time until all are bound", "1.02 x missed"),
        ({"storms": storm(4.1, "never")}, "storm of 200,000: time until all are bound", "0.00 x met"),
        ({"storms": storm("never", "never")}, "storm of 200,000: time until all are bound", "never missed"),
        (
            {"storms": {"relet": {"clients": 300_000, "with a lease": 250_000}}},
            "storm of 200,000: clients bound at its end",
            "83.33% missed",
        ),
        ({"paced": {"p99_ms": 5.1}}, "p99 at half of the maximum rate", "5.10 ms missed"),
        ({"paced": {"p99_ms": 0.0}}, "p99 at half of the maximum rate", "0.00 ms met"),
    ],
)
def test_met_and_missed_follow_from_the_figures(docs: Any, figures: Any, work: str, said: str) -> None:
    found = docs("targets").judged(results(**figures))
    (judged,) = [each for each in found if each.target.work == work]
    assert f"{judged.told()} {judged.verdict}" == said
    assert (judged.share >= 1) == said.endswith(" met")


def test_what_was_measured_with_less_than_the_target_says_does_not_count(docs: Any) -> None:
    small = {"many": 20_000, "relet octets per lease": 1, "relet cost many/few": 1.0, "relet first answer s": 0.1}
    found = docs("targets").judged(results(million=small, storms=storm(1.0, 2.0, 1_000)))
    assert {each.verdict for each in found} == {"not measured"}


def test_a_missed_target_stands_on_the_page_with_its_reason(docs: Any, monkeypatch: Any, tmp_path: Path) -> None:
    performance = docs("performance")
    template = tmp_path / "template"
    template.write_text("## Targets\n{{targets}}\n![\n{{missed}}\n== reasons\nrenew: the sun was too hot\n")
    monkeypatch.setattr(performance, "TEMPLATE", template)
    page = performance.page(
        results(versus={"64": {"renew": compared(1.5), "dora": compared(1.9), "reboot": compared(9)}})
    )
    assert verdicts(page)["renewal"] == "1.50 x missed"
    assert "- **renewal** (1.50 x): the sun was too hot" in page
    assert "- **allocation (four messages)** (1.90 x): *the reason is not known.*" in page
    assert "**reboot" not in page.split("![")[1]
    assert "== reasons" not in page


def test_every_block_and_figure_of_the_template_can_be_filled(docs: Any) -> None:
    performance = docs("performance")
    everything = {
        "versus": {window: {kind: compared(2) for kind in performance.KINDS} for window in ("64", "1000")},
        "apart": {"64": {kind: compared(2) for kind in performance.KINDS}},
        "features": {kind: compared(2) for kind in performance.HALVES},
        "cached": {"ratio": 1.0, "ratios": [1.0]}
        | {f"{server} {name}": 1.0 for server in ("echo", "relet") for name in ("per_second", "p50_ms", "p99_ms")},
        "paced": {"rate": 4711.0, "p99_ms": 1.0},
        "million": {"many": 1_000_000}
        | {
            f"{server} {name}": 1.0
            for server in ("kea", "relet")
            for name in (
                "per_second few",
                "per_second many",
                "cost many/few",
                "octets per lease",
                "first answer s",
                "all answered s",
            )
        },
        "stages": {
            window: {
                "us": 3.0,
                "us with stopwatches": 4.0,
                "requests at once": 5.0,
                "stages": {"sync": 2.0, "a: b": 1.0},
            }
            for window in ("64", "1000")
        },
        "instructions": {f"{store} DISCOVER": 1000.0 for store in ("memory", "sqlite")} | {"yardstick": 1.0},
        "store": {size: {"fold, us a change": 1.5} for size in ("10 leases", "20 leases")},
        "sync": {level: {"64 outstanding": 1.5} for level in ("batch", "interval", "os")},
        "storms": {
            server: {"clients": 200_000, "with a lease": 10, "100 % after, s": 8.15} for server in ("relet", "kea")
        },
        **{name: {"a figure": 8.15} for name in ("road", "scale", "sockets")},
    }
    page = performance.page(results(**everything))
    assert "{{" not in page
    assert "not measured" not in page.lower().split("## repeating it")[0].replace(
        "no target that was measured was missed", ""
    )
    assert "4,711" in page
    assert "8.15" in page
    assert "A CPU, 2 cores" in page


@pytest.mark.parametrize("picture", ["picture_of_targets", "picture_of_stages"])
def test_pictures_say_in_words_what_they_show(docs: Any, picture: str) -> None:
    performance = docs("performance")
    stages = {"64": {"stages": {"sync": 2.0, "read: decode": 1.25, "read: place": 0.5}}}
    drawn = getattr(performance, picture)(results(stages=stages, paced={"p99_ms": 12.0}))
    root = ET.fromstring(drawn)
    told = root.findtext("{http://www.w3.org/2000/svg}desc") or ""
    expected = {"picture_of_targets": "12.00 ms", "picture_of_stages": "64 outstanding: sync 2.00, read 1.75"}[picture]
    assert expected in told
    assert "prefers-color-scheme: dark" in drawn


def test_a_bar_reaches_the_line_only_if_the_target_is_met(docs: Any) -> None:
    charts = docs("charts")
    rows = [charts.Level("a", 0.5, "half"), charts.Level("b", 1.0, "whole"), charts.Level("c", 99.0, "far")]
    drawn = charts.levels("t", rows)
    bars = [
        (tone, float(x) + float(long))
        for tone, x, long in re.findall(r'<rect class="(good|bad)" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    ]
    (line,) = re.findall(r'class="line" d="M([\d.]+) ', drawn)
    assert [tone for tone, _ in bars] == ["bad", "good", "good"]
    assert bars[0][1] < float(line) - 10
    assert bars[1][1] == pytest.approx(float(line), abs=0.2)
    assert bars[2][1] <= charts.WIDTH


def test_what_the_bench_keeps_is_what_the_page_reads(
    docs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    kept = import_module("kept")
    kept.keep(tmp_path / "paced.json", "paced", {"p99_ms": 2.0})
    kept.keep(None, "nothing", {})
    read = docs("targets").read(tmp_path)
    assert set(read) == {"paced"}
    assert docs("targets").figure(read, ["paced", "p99_ms"]) == 2.0
    assert set(read["paced"]["machine"]) == set(MACHINE)


def test_the_stages_that_are_timed_are_functions_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    staged = import_module("staged")
    for stage, place in staged.STAGES:
        assert callable(staged.found(place)[2]), stage
    with pytest.raises(AttributeError):
        staged.found("relet.server.engine:Engine.no_such")


def test_time_belongs_to_the_innermost_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    staged = import_module("staged")
    clock = iter([0, 10, 25, 100])  # outer begins, inner begins, inner ends, outer ends
    monkeypatch.setattr(staged, "perf_counter_ns", lambda: next(clock))
    watch = staged.Watch()
    inner = watch.timed("inner", lambda: None)
    watch.timed("outer", inner)()
    assert watch.lap() == {"inner": [1, 15, 0], "outer": [1, 85, 1]}
    assert watch.lap() == {"inner": [0, 0, 0], "outer": [0, 0, 0]}


def test_what_a_stopwatch_costs_is_more_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    staged, stages = import_module("staged"), import_module("stages")
    inside, outside = staged.overhead()
    assert 0 < inside < 100_000
    assert 0 < outside < 100_000
    taken_off = stages.shares({"a": [2, 10_000, 0], "b": [1, 10_000, 2], "c": [1, 5, 0]}, (1_000.0, 2_000.0), 1.0)
    assert taken_off == {"a": 8.0, "b": 5.0, "c": 0.0}
