"""The picture: well-formed, escaped, and nothing in it overlaps, whatever the texts say."""

from collections.abc import Sequence
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from relet.lab.ladder import Ladder, Packet, Scene, Silence, State
from relet.lab.layout import WIDTH, Box, Drawing, Mark, Plate, Stroke, lay_out
from relet.lab.svg import render
from relet.lab.typeset import Style, advance, fit, wrap
from support import ladders

SVG = "{http://www.w3.org/2000/svg}"
STORIES = {"demo": ladders.demo().scenes(), "hostile": ladders.hostile().scenes()}
PLAIN = Style("plain", 12, 16)


@pytest.fixture(params=STORIES)
def scenes(request: pytest.FixtureRequest) -> Sequence[Scene]:
    return STORIES[request.param]


@pytest.fixture
def drawing(scenes: Sequence[Scene]) -> Drawing:
    return lay_out(scenes)


def test_labels_never_overlap(drawing: Drawing) -> None:
    boxes = [(label.box(), label.text) for label in drawing.labels]
    assert [(a[1], b[1]) for a, b in combinations(boxes, 2) if a[0].overlaps(b[0])] == []


def test_no_line_runs_through_a_label(drawing: Drawing) -> None:
    lines = [
        Box(min(s.x1, s.x2), min(s.y1, s.y2) - 1, max(s.x1, s.x2), max(s.y1, s.y2) + 1)
        for s in drawing.shapes
        if isinstance(s, Stroke)
    ]
    struck = [label.text for label in drawing.labels for line in lines if label.box().overlaps(line)]
    assert struck == []


def test_marks_and_pills_keep_clear_of_labels_and_of_each_other(drawing: Drawing) -> None:
    rings = [
        Box(m.x - 7, m.y - 7, m.x + 7, m.y + 7) for m in drawing.shapes if isinstance(m, Mark) and m.sign == "ring"
    ]
    pills = [p.box for p in drawing.shapes if isinstance(p, Plate) and p.look in {"plate", "held"}]
    for first, second in combinations(rings + pills, 2):
        assert not first.overlaps(second)
    for label in drawing.labels:
        if label.style.name != "state":
            assert not any(label.box().overlaps(sign) for sign in rings + pills)


def test_everything_stays_on_its_plate(drawing: Drawing) -> None:
    cards = [shape.box for shape in drawing.shapes if isinstance(shape, Plate) and shape.look == "card"]
    assert max(card.bottom for card in cards) <= drawing.height
    for label in drawing.labels:
        box = label.box()
        assert box.left >= 0
        assert box.right <= WIDTH
        assert any(card.top <= box.top and box.bottom <= card.bottom for card in cards)


def test_the_picture_says_everything(scenes: Sequence[Scene], drawing: Drawing) -> None:
    """Sentences are wrapped, never cut: without blanks, all of them are found in the labels."""
    shown = "".join("".join(label.text for label in drawing.labels).split())
    for scene in scenes:
        texts = [scene.sentence]
        for event in scene.events:
            texts += [event.reason] if isinstance(event, Packet | Silence) else []
            texts += [event.detail] if isinstance(event, Packet | State) else []
        for text in texts:
            assert "".join(text.split()) in shown


def test_it_is_well_formed_and_escaped(scenes: Sequence[Scene]) -> None:
    root = ET.fromstring(render(scenes, title='<a> & "b"'))
    assert root.findtext(f"{SVG}title") == '<a> & "b"'
    drawn = [element.text for element in root.iter(f"{SVG}text")]
    assert drawn == [label.text for label in lay_out(scenes).labels]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "style", "path", "rect", "circle", "text",
    }  # fmt: skip


def test_it_is_readable_on_light_and_dark(scenes: Sequence[Scene]) -> None:
    style = ET.fromstring(render(scenes)).findtext(f"{SVG}style") or ""
    light, marker, dark = style.partition("@media (prefers-color-scheme: dark)")
    assert marker
    rules = [line.split("{")[0].strip() for line in dark.splitlines() if line.strip().startswith((".", "rect", "text"))]
    assert rules
    assert all(f"{rule} {{" in light for rule in rules)


def test_the_times_go_downwards() -> None:
    for scene in ladders.demo().scenes():
        arrows = [s.y1 for s in lay_out([scene]).shapes if isinstance(s, Stroke) and ("tie" in s.look or s.head)]
        assert arrows == sorted(arrows)


def test_the_lane_is_thick_while_the_client_has_its_address() -> None:
    ladder = Ladder()
    ladder.begin("title", "sentence", (ladders.CLIENT,))
    for at, state in enumerate(("INIT", "BOUND", "RENEWING", "INIT", "BOUND")):
        ladder.add(State(at, "laptop", state))
    shapes = lay_out(ladder.scenes()).shapes
    pills = [s.box for s in shapes if isinstance(s, Plate) and s.look in {"plate", "held"}]
    middles = [(pill.top + pill.bottom) / 2 for pill in pills]
    held = [(s.y1, s.y2) for s in shapes if isinstance(s, Stroke) and s.look == "bound"]
    assert held[0] == (middles[1], middles[3])
    assert held[1][0] == middles[4]
    assert len(held) == 2


def test_no_scenes_no_trouble() -> None:
    assert ET.fromstring(render([])).tag == f"{SVG}svg"


@pytest.mark.parametrize(
    "text", ["", "short", "several words that must go on more than one line", "w" * 80, "\u6f22" * 30]
)
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    lines = wrap(text, PLAIN, 90)
    assert all(advance(line, PLAIN) <= 90 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_line_narrower_than_a_letter_still_ends() -> None:
    assert wrap("abc", PLAIN, 1) == ["a", "b", "c"]


def test_fit_cuts_with_an_ellipsis() -> None:
    assert fit("short", PLAIN, 100) == "short"
    cut = fit("a text that is too long", PLAIN, 60)
    assert cut.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert advance(cut, PLAIN) <= 60
