"""The picture of storms: well-formed, with the figures in it, nothing outside of it, whatever the names are."""

import re
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from relet.lab.storm.axis import Axis, count_label, round_up, seconds_label
from relet.lab.storm.cast import Wanted
from relet.lab.storm.picture import MOST_RUNS, WIDTH, render
from relet.lab.storm.report import Report, Wrong
from relet.lab.storm.series import bound, rates
from relet.lab.storm.words import seconds_text
from relet.lab.storm.wrong import WRONG
from support.storms import Relet, storm, with_leases

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def made() -> Report:
    server = Relet()
    return storm(with_leases(300, server), server, Wanted(reboot=1, foreign=0.05, expired=0.02)).report


def named(report: Report, name: str) -> Report:
    return replace(report, setup=replace(report.setup, name=name))


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_it_is_xml_with_the_figures(made: Report) -> None:
    told = texts(render([made]))
    assert {"relet", "300", seconds_text(made.moments["p100"]), seconds_text(made.latency.p99), "none"} <= set(told)
    assert "300 clients reboot, all at once" in told
    root = ET.fromstring(render([made]))
    assert "300 of 300 bound" in (root.findtext(f"{SVG}desc") or "")


def test_every_run_has_its_line_and_its_row(made: Report) -> None:
    svg = render([named(made, name) for name in ("relet", "Kea", "dnsmasq")])
    assert {"relet", "Kea", "dnsmasq"} <= set(texts(svg))
    for run in range(3):
        # the key, clients bound, answers, distribution, over time
        assert len(re.findall(rf'<path class="line run{run}"', svg)) >= 5


def test_names_are_escaped_and_cut(made: Report) -> None:
    svg = render([named(made, '<b>&"x"' + "m" * 80)])
    assert "<b>" not in svg
    assert any(text.endswith("\N{HORIZONTAL ELLIPSIS}") for text in texts(svg))


def test_everything_lies_within(made: Report) -> None:
    svg = render([named(made, name) for name in ("a", "b", "c", "d", "e", "f")])
    height = float(re.findall(r'height="([\d.]+)"', svg)[0])
    for path in re.findall(r' d="([^"]+)"', svg):
        for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= height
    assert "nan" not in svg
    assert "inf" not in svg


def test_what_went_wrong_is_red(made: Report) -> None:
    bad = replace(made, bound=290, moments=made.moments | {"p100": None}, wrong={"malformed": Wrong(3, ())})
    svg = render([bad])
    assert re.search(r'<text class="bad"[^>]*>3</text>', svg)
    assert re.search(r'<text class="bad"[^>]*>never</text>', svg)
    assert "relet: 96.7 % after" in svg
    assert f"3 x malformed: {WRONG['malformed']}" in texts(svg)


def test_it_is_for_light_and_dark_pages_and_needs_nothing_else(made: Report) -> None:
    svg = render([made])
    assert "prefers-color-scheme: dark" in svg
    assert not re.search(r"<script|href=|@import|url\(", svg)


@pytest.mark.parametrize("number", [0, MOST_RUNS + 1])
def test_there_is_room_for_some(made: Report, number: int) -> None:
    with pytest.raises(ValueError, match="room"):
        render([made] * number)


def test_a_storm_in_which_nothing_happened_has_a_picture() -> None:
    nothing = storm(with_leases(5, Relet()), lambda _payloads, _now: [], Wanted(reboot=1), limit_s=1.0).report
    assert "0.0 %" in " ".join(texts(render([nothing])))


def test_the_line_of_the_bound_ends_where_all_are(made: Report) -> None:
    points = bound(made)
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (made.seconds, 100.0)
    assert [share for _, share in points] == sorted(share for _, share in points)


def test_rates_keep_the_number_of_what_they_average() -> None:
    counts = [100, 300, 0, 0, 200, 400]
    wide = rates(counts, 0.1, Axis(0.0, 0.6, 0.0, 18.0))[1:]
    assert [rate for _, rate in wide] == pytest.approx([2000, 0, 3000])
    assert [at for at, _ in wide] == pytest.approx([0.1, 0.3, 0.5])


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 100, 0, 100), [0, 20, 40, 60, 80, 100]),
        (Axis(0, 0.7, 0, 100), [0, 0.2, 0.4, 0.6]),
        (Axis(0.01, 10, 0, 100, True), [0.01, 0.1, 1, 10]),
        (Axis(1, 5, 0, 100, True), [1, 2, 5]),
    ],
)
def test_marks_are_round(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks(5) == pytest.approx(ticks)
    for value in ticks:
        assert axis.value(axis.at(value)) == pytest.approx(value)


def test_labels() -> None:
    assert [seconds_label(at) for at in (0, 0.00005, 0.005, 0.5, 2, 10)] == [
        "0",
        "50 us",
        "5 ms",
        "500 ms",
        "2 s",
        "10 s",
    ]
    assert seconds_label(0.5, 3.0) == "0.5 s"
    assert [count_label(number) for number in (0, 0.2, 1.0, 57.33, 20000.0)] == ["0", "0.2", "1", "57.3", "20,000"]
    assert [round_up(value) for value in (0, 0.7, 7, 31, 130)] == [1, 0.8, 8, 40, 150]
