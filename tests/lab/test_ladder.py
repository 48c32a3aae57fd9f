"""The model: what a scene accepts, who hears a packet, and that nothing unfit to show gets in."""

import pytest

from relet.lab.ladder import (
    MAX_EVENTS,
    MAX_HOSTS,
    MAX_TEXT,
    Aside,
    Event,
    Host,
    Ladder,
    Packet,
    Role,
    Scene,
    Silence,
    State,
    Tone,
    clean,
    time_text,
)
from support import ladders


class Notebook:
    """A watcher that writes down what it was told."""

    def __init__(self) -> None:
        self.scenes: list[str] = []
        self.events: list[Event] = []

    def scene(self, scene: Scene) -> None:
        self.scenes.append(scene.title)

    def event(self, event: Event) -> None:
        self.events.append(event)


def _scene(*events: Event) -> Scene:
    return Scene("title", "sentence", (ladders.CLIENT, ladders.ALPHA, ladders.BETA), events)


def test_watchers_see_what_the_ladder_keeps() -> None:
    notebook = Notebook()
    ladder = ladders.demo(notebook)
    assert notebook.scenes == [scene.title for scene in ladder.scenes()]
    assert notebook.events == [event for scene in ladder.scenes() for event in scene.events]


def test_scenes_can_be_asked_for_while_the_ladder_grows() -> None:
    ladder = Ladder()
    ladder.begin("one", "first", (ladders.CLIENT,))
    ladder.add(State(0.0, "laptop", "INIT"))
    assert [len(scene.events) for scene in ladder.scenes()] == [1]
    ladder.begin("two", "second", (ladders.CLIENT,))
    assert [len(scene.events) for scene in ladder.scenes()] == [1, 0]


@pytest.mark.parametrize(
    ("packet", "reached", "heading"),
    [
        (Packet(0, "laptop", "DHCPREQUEST"), (1, 2), 1),
        (Packet(0, "alpha", "DHCPNAK"), (0, 2), -1),
        (Packet(0, "alpha", "DHCPACK", "laptop"), (0,), -1),
        (Packet(0, "alpha", "sync", "beta"), (2,), 1),
        (Packet(0, "beta", "ARP probe"), (0, 1), -1),
        (Packet(0, "laptop", "DHCPREQUEST", lost=True), (), 1),
        (Packet(0, "alpha", "DHCPACK", "laptop", lost=True), (), -1),
    ],
)
def test_who_hears_a_packet(packet: Packet, reached: tuple[int, ...], heading: int) -> None:
    assert _scene().reached(packet) == reached
    assert _scene().heading(packet) == heading


@pytest.mark.parametrize(
    ("label", "tone"),
    [("DHCPACK", Tone.YES), ("DHCPNAK", Tone.NO), ("ARP probe", Tone.ARP), ("ICMP echo", Tone.PLAIN)],
)
def test_the_label_gives_the_tone(label: str, tone: Tone) -> None:
    assert Packet(0, "a", label).colour() is tone
    assert Packet(0, "a", label, tone=Tone.OFFER).colour() is Tone.OFFER


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (ladders.CLIENT, ladders.CLIENT),
        (Host("", Role.CLIENT),),
        (Host("a\nb", Role.CLIENT),),
        tuple(Host(f"host{n}", Role.HOST) for n in range(MAX_HOSTS + 1)),
    ],
)
def test_unfit_hosts_are_refused(hosts: tuple[Host, ...]) -> None:
    with pytest.raises(ValueError, match="name"):
        Ladder().begin("title", "sentence", hosts)


@pytest.mark.parametrize(
    "event",
    [
        Packet(0, "nobody", "DHCPREQUEST"),
        Packet(0, "laptop", "DHCPREQUEST", "nobody"),
        Packet(0, "laptop", "DHCPREQUEST", "nobody", lost=True),
        Packet(0, "laptop", "DHCPREQUEST", "laptop"),
        Silence(0, "nobody", "reason"),
        State(0, "nobody", "INIT"),
        Aside(0, "nobody", "text"),
    ],
)
def test_unfit_events_are_refused(event: Event) -> None:
    notebook = Notebook()
    ladder = Ladder([notebook])
    with pytest.raises(ValueError, match="no scene has begun"):
        ladder.add(event)
    ladder.begin("title", "sentence", (ladders.CLIENT,))
    with pytest.raises(ValueError, match=r"no host|to itself"):
        ladder.add(event)
    assert not notebook.events


def test_a_scene_is_bounded() -> None:
    ladder = Ladder()
    ladder.begin("title", "sentence", (ladders.CLIENT,))
    for _ in range(MAX_EVENTS + 5):
        ladder.add(Aside(0, "laptop", "again"))
    assert len(ladder.scenes()[0].events) == MAX_EVENTS


def test_every_text_is_made_fit_to_show() -> None:
    for scene in ladders.hostile().scenes():
        texts = [scene.title, scene.sentence, *(host.subtitle for host in scene.hosts)]
        for event in scene.events:
            texts += [value for name in event.__struct_fields__ if isinstance(value := getattr(event, name), str)]
        assert all(text.isprintable() and len(text) <= MAX_TEXT for text in texts)


def test_clean() -> None:
    assert clean("a\tb\n c") == "a b c"
    assert clean("\x1b[31mred") == "\N{REPLACEMENT CHARACTER}[31mred"
    assert clean("x" * 1000) == "x" * (MAX_TEXT - 1) + "\N{HORIZONTAL ELLIPSIS}"


def test_time_text() -> None:
    assert time_text(0.0124) == "0.012 s"
    assert time_text(12.34) == "12.3 s"
