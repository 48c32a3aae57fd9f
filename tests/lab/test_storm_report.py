"""The figures of a storm, its JSON against the schema, its words, and the files that a fleet remembers itself by."""

import json
from array import array
from pathlib import Path

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from relet.lab.storm.cast import Wanted, cast
from relet.lab.storm.memory import FleetFileError, load, save
from relet.lab.storm.report import Report, report
from relet.lab.storm.tally import SLOT_S, Part, Tally, bucket, middle, quantile
from relet.lab.storm.words import lines, seconds_text, side_by_side, told_apart
from relet.lab.storm.wrong import WRONG
from support.storms import SETUP, WALL, Relet, new, storm, with_leases

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "storm.schema.json").read_text(encoding="utf-8"))


def part_of(
    bound: list[float], addresses: list[int], expires: "array[int]", tally: Tally, first: int = 0, stride: int = 1
) -> Part:
    """What one process tells of clients that began at once, and gave nothing up."""
    count = len(bound)
    began, left, servers = array("d", [0.0] * count), array("d", [-1.0] * count), array("I", bytes(4 * count))
    return Part(
        first, stride, tally, began, array("d", bound), array("I", addresses), expires, servers, left, bytes(count)
    )


def of(bound: list[float], addresses: list[int], tally: Tally | None = None) -> Report:
    """A report of clients that began at once; -1: never bound."""
    memory = new(len(bound))
    tally = tally or Tally()
    for at in bound:
        if at >= 0:
            tally.bound_at[int(at / SLOT_S)] += 1
    expires = array("I", [int(WALL) + 1000] * len(bound))
    part = part_of(bound, addresses, expires, tally)
    return report(SETUP(memory), cast(memory, Wanted(allocate=1), WALL, 1), [part], "done", WALL, 60.0)


def test_moments_are_those_at_which_that_share_of_all_was_bound() -> None:
    made = of([n / 100 for n in range(1, 101)], list(range(1, 101)))
    assert made.moments == {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p100": 1.0}
    assert (made.bound, made.seconds, made.rate, made.good) == (100, 1.0, 100.0, True)
    assert (made.wait.p50, made.wait.p99, made.wait.max) == (0.5, 0.99, 1.0)


def test_a_share_that_was_never_bound_has_no_moment() -> None:
    made = of([0.1] * 95 + [-1.0] * 5, [*range(1, 96), *[0] * 5])
    assert made.moments == {"p50": 0.1, "p90": 0.1, "p99": None, "p100": None}
    assert (made.bound, made.seconds, made.good) == (95, 60.0, False)


@pytest.mark.parametrize(
    ("bound", "addresses", "wrong"),
    [
        ([0.1, 0.2, 0.3], [1, 2, 3], 0),
        ([0.1, 0.2, 0.3], [1, 2, 1], 1),
        ([0.1, 0.2, 0.3], [1, 1, 1], 2),
        ([-1, -1, 1], [0, 0, 1], 0),
    ],
)
def test_two_clients_with_one_address_are_found(bound: list[float], addresses: list[int], wrong: int) -> None:
    made = of(bound, addresses)
    assert sum(each.count for each in made.wrong.values()) == wrong


def test_two_clients_with_one_address_are_found_across_processes() -> None:
    memory = new(4)
    until = array("I", [int(WALL) + 1000] * 2)
    parts = [part_of([0.1, 0.2], [7, 8 + first], until, Tally(), first, 2) for first in (0, 1)]
    made = report(SETUP(memory), cast(memory, Wanted(allocate=1), WALL, 1), parts, "done", WALL, 1.0)
    assert made.wrong["two-clients-one-address"].examples == ("clients 0 and 1 both have 0.0.0.7",)


@pytest.mark.parametrize(
    ("left", "bound", "address", "lasts", "wrong"),
    [
        (-1.0, -1.0, 0, 1000, 1),  # it never gave its address up
        (0.7, -1.0, 0, 1000, 1),  # only afterwards
        (0.2, -1.0, 0, 1000, 0),
        (-1.0, 0.2, 8, 1000, 0),  # it had moved before
        (0.3, 0.9, 8, 1000, 0),
        (-1.0, 0.9, 7, 1000, 1),  # once for both
        (-1.0, -1.0, 0, 0, 0),  # its lease is over
    ],
)
def test_an_address_that_another_has_from_an_earlier_storm_is_not_free(
    left: float, bound: float, address: int, lasts: int, wrong: int
) -> None:
    expires = array("I", [int(WALL) + lasts, 0])
    memory = replace(new(2), addresses=array("I", [7, 0]), expires=expires)
    until = array("I", [int(WALL) + 2000] * 2)
    part = part_of([bound, 0.5], [address, 7], until, Tally())
    part.left[0] = left
    made = report(SETUP(memory), cast(memory, Wanted(reboot=1), WALL, 1), [part], "done", WALL, 1.0)
    assert sum(each.count for each in made.wrong.values()) == wrong


def test_clients_that_had_not_asked_are_not_met_by_silence() -> None:
    memory = replace(new(3), addresses=array("I", [7, 8, 9]), expires=array("I", [int(WALL) + 1000] * 3))
    part = part_of([-1.0] * 3, [0] * 3, array("I", [0] * 3), Tally())
    part.began[2] = -1.0
    made = report(SETUP(memory), cast(memory, Wanted(reboot=1), WALL, 1), [part], "limit", WALL, 1.0)
    assert (made.remembered["valid"].silence, made.remembered["valid"].not_begun) == (2, 1)


@pytest.mark.parametrize("seconds", [2e-6, 5e-5, 0.001, 0.25, 4.0, 64.0])
def test_a_bucket_is_five_per_cent_wide(seconds: float) -> None:
    assert middle(bucket(seconds)) == pytest.approx(seconds, rel=0.026)


def test_quantiles_of_a_histogram() -> None:
    rows = [(bucket(ms / 1000), 1) for ms in range(1, 1001)]
    for share in (0.5, 0.9, 0.99):
        assert quantile(sorted(rows), share) == pytest.approx(share, rel=0.06)
    assert quantile([], 0.5) is None


def test_tallies_add_up() -> None:
    one, other = Tally(), Tally()
    one.blame("malformed", "a")
    one.took(0.5, 0.1)
    other.blame("malformed", "b")
    other.took(0.5, 0.3)
    other.again, other.sent["DISCOVER"] = 3, 5
    one.busy, other.busy = 0.9, 0.2
    one.add(other)
    assert (one.wrong["malformed"], one.examples["malformed"], one.again) == (2, ["a", "b"], 3)
    assert one.busy == 0.9
    assert (one.slowest_s, sum(one.latencies.values()), one.sent["DISCOVER"]) == (0.3, 2, 5)


@pytest.fixture(scope="module")
def made() -> Report:
    server = Relet()
    memory = with_leases(400, server)
    return storm(memory, server, Wanted(reboot=1, foreign=0.05, expired=0.02)).report


def test_figures_of_a_report_agree_with_each_other(made: Report) -> None:
    line = made.timeline
    assert line.bound[-1] == made.bound == made.setup.clients
    assert sum(line.sent) == sum(made.sent.values())
    assert sum(line.answers) == sum(made.answers.values())
    assert sum(line.begun) == made.setup.clients
    assert made.answers["ACK"] == made.bound
    assert sum(number for _, number in made.latency.histogram) == made.latency.count == sum(made.answers.values())
    assert len({len(row) for row in (line.begun, line.sent, line.answers, line.bound, line.p50, line.p99)}) == 1
    assert len(line.bound) * line.step_s >= made.seconds
    assert sum(each.clients for each in made.remembered.values()) == 400


def test_json_is_as_the_schema_says_and_comes_back(made: Report) -> None:
    octets = msgspec.json.encode(made)
    jsonschema.validate(json.loads(octets), SCHEMA)
    assert msgspec.json.decode(octets, type=Report) == made


def test_the_schema_refuses_what_is_no_report(made: Report) -> None:
    for spoiled in ({"format": "other"}, {"version": 2}, {"bound": "many"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(msgspec.json.encode(made)) | spoiled, SCHEMA)


def test_the_words_have_the_figures(made: Report) -> None:
    text = "\n".join(line.text for line in lines(made))
    for figure in (
        "400 of 400",
        "foreign",
        "expired",
        "no wrong answers",
        seconds_text(made.latency.p99),
        "INIT-REBOOT",
    ):
        assert figure in text
    assert all(len(line.text) <= 120 for line in lines(made))


def test_wrong_answers_are_explained() -> None:
    for name, sentence in WRONG.items():
        tally = Tally()
        tally.blame(name, "client 7 saw it")
        text = "\n".join(line.text for line in lines(of([0.1], [1], tally)))
        assert f"1 x {name}: {sentence}" in text
        assert "client 7 saw it" in text


def test_what_the_measuring_side_did_badly_is_told(made: Report) -> None:
    bad = replace(made, busy=0.95, behind_s=1.0, overruns=7, unsent={"no-buffer": 9})
    text, fine = ("\n".join(line.text for line in lines(each)) for each in (bad, made))
    for told in ("may have been the limit", "1.00 s behind the curve", "7 answers were lost", "9 no-buffer"):
        assert told in text
        assert told not in fine


def test_side_by_side_has_a_column_for_each(made: Report) -> None:
    other = replace(made, setup=replace(made.setup, name="other"), bound=399, moments=made.moments | {"p100": None})
    text = "\n".join(line.text for line in side_by_side([made, other]))
    assert "relet" in text
    assert "other" in text
    assert "399 of 400" in text
    assert "never" in text


def test_storms_that_are_not_the_same_are_told_apart(made: Report) -> None:
    other = replace(made, setup=replace(made.setup, seed=7, work="allocate"))
    text = "\n".join(line.text for line in side_by_side(told_apart([made, other])))
    for told in ("2 storms that differ in work, seed", "relet (1)", "relet (2)", "allocate", "reboot"):
        assert told in text
    assert [each.setup.name for each in told_apart([made])] == ["relet"]


def test_one_client_is_one() -> None:
    assert lines(of([0.1], [1]))[0].text == "relet: 1 client reboots, all at once"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"models": {}}, "models"),
        ({"models": {"macintosh": 1}}, "models"),
        ({"models": {"windows": 0}}, "models"),
        ({"tribe": 256}, "tribe"),
        ({"circuits": -1}, "circuits"),
        ({"relays": ["somewhere"]}, "relays"),
    ],
)
def test_a_fleet_file_is_not_believed(said: dict[str, object], name: str, tmp_path: Path) -> None:
    save(new(3), tmp_path / "fleet.json")
    octets = json.loads((tmp_path / "fleet.json").read_bytes()) | said
    (tmp_path / "fleet.json").write_text(json.dumps(octets))
    with pytest.raises(FleetFileError, match=name):
        load(tmp_path / "fleet.json")


def test_a_fleet_file_without_servers_is_read(tmp_path: Path) -> None:
    memory = with_leases(3, Relet())
    save(memory, tmp_path / "fleet.json")
    octets = json.loads((tmp_path / "fleet.json").read_bytes())
    del octets["servers"]
    (tmp_path / "fleet.json").write_text(json.dumps(octets))
    assert load(tmp_path / "fleet.json") == replace(memory, servers=array("I", [0] * 3))


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "never"), (1.234, "1.23 s"), (0.0456, "45.6 ms"), (0.00012, "120 us"), (0.0, "0 us")]
)
def test_times_are_told_in_their_unit(seconds: float | None, text: str) -> None:
    assert seconds_text(seconds) == text


def test_a_fleet_comes_back_from_its_file(tmp_path: Path) -> None:
    memory = with_leases(30, Relet(), circuits=3)
    save(memory, tmp_path / "fleet.json")
    assert load(tmp_path / "fleet.json") == memory


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '{"format": "relet-fleet", "version": 2}',
        '{"format":"relet-fleet","version":1,"clients":2,"tribe":1,"models":{},"seed":1,"circuits":0,"relays":[],"addresses":"AAAAAA==","expires":"AAAAAA=="}',
        '{"format":"relet-fleet","version":1,"clients":1,"tribe":1,"models":{},"seed":1,"circuits":0,"relays":[],"addresses":"AAAA","expires":"AAAAAA=="}',
    ],
)
def test_what_is_no_fleet_is_told_so(text: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    file.write_text(text)
    with pytest.raises(FleetFileError, match=r"fleet\.json"):
        load(file)
    with pytest.raises(FleetFileError, match="cannot read"):
        load(tmp_path / "absent")
