"""Where everything of a drawn ladder stands: scenes to labels and shapes with coordinates, in pixels.

Between two lanes lies a gap. Every text belongs to one gap and is wrapped to its width, and every gap remembers how far
down it is filled (its floor); nothing is placed above a floor. So no text can overlap another one or an arrow, whatever
it says. How a label or a shape looks is the business of `lab.svg`.
"""

from collections.abc import Iterable

import msgspec

from relet.lab.ladder import HOLDING, Aside, Event, Host, Packet, Role, Scene, Silence, State, Tone, room, time_text
from relet.lab.typeset import Style, advance, fit, wrap

WIDTH = 880.0
"""As wide as a README is shown; height follows from what there is to tell."""

PAD = 26.0
TIME_END = 78.0  # times stand left of this, states between here and the first lane
FIRST_LANE = 222.0
LAST_LANE = 762.0
PITCH = 390.0  # lanes are never further apart
INSET = 13.0  # between a lane and the text beside it
STEP = 24.0  # between two moments
HEADER = 48.0
SCENE_GAP = 18.0
ROOM = 150.0  # a gap narrower than this is not chosen for a sentence if there is another

TITLE = Style("title", 18, 25, bold=True)
SENTENCE = Style("sentence", 13.5, 20)
NAME = Style("name", 14, 18, bold=True)
SUBTITLE = Style("subtitle", 11.5, 16, mono=True)
TIME = Style("time", 11, 14, mono=True)
KIND = Style("kind", 13, 16, bold=True)
DETAIL = Style("detail", 11.5, 16, mono=True)
REASON = Style("reason", 12, 16)
STATE = Style("state", 11, 14, bold=True)


class Box(msgspec.Struct, frozen=True):
    """A rectangle: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Do they share more than an edge?"""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


class Label(msgspec.Struct, frozen=True):
    """A line of text. x: where its `anchor` ('start', 'middle', 'end') lies; y: its baseline; tone: its colour."""

    text: str
    style: Style
    x: float
    y: float
    anchor: str = "start"
    tone: str = ""

    def box(self) -> Box:
        """What it covers at most."""
        width = advance(self.text, self.style)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(left, self.y - self.style.size * 0.8, left + width, self.y + self.style.size * 0.25)


class Stroke(msgspec.Struct, frozen=True):
    """A line in the look of a CSS class, ending in an arrow head if `head`."""

    look: str
    x1: float
    y1: float
    x2: float
    y2: float
    head: bool = False


class Mark(msgspec.Struct, frozen=True):
    """A small sign centred on a point: 'ring' (kept silent), 'cross' (lost), 'dot' (something happened here)."""

    sign: str
    look: str
    x: float
    y: float


class Plate(msgspec.Struct, frozen=True):
    """A filled rectangle with round corners in the look of a CSS class."""

    look: str
    box: Box
    radius: float


Shape = Stroke | Mark | Plate


class Drawing(msgspec.Struct, frozen=True):
    """Shapes in the order in which they are painted, then labels."""

    height: float
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]


def lay_out(scenes: Iterable[Scene]) -> Drawing:
    """All scenes below each other, each on a plate of its own."""
    shapes: list[Shape] = []
    labels: list[Label] = []
    top = 0.0
    for number, scene in enumerate(scenes, 1):
        sheet = _Sheet(scene, number, top)
        for event in scene.events:
            sheet.place(event)
        bottom = sheet.finish()
        shapes += [Plate("card", Box(0.5, top + 0.5, WIDTH - 0.5, bottom), 12), *sheet.lanes, *sheet.shapes]
        labels += sheet.labels
        top = bottom + SCENE_GAP
    return Drawing(max(top - SCENE_GAP, 0.0) + 0.5, tuple(shapes), tuple(labels))


class _Sheet:
    """One scene while it is laid out."""

    def __init__(self, scene: Scene, number: int, top: float) -> None:
        self.scene = scene
        self.shapes: list[Shape] = []
        self.labels: list[Label] = []
        self.lanes: list[Shape] = []
        between = max(len(scene.hosts) - 1, 1)
        self._pitch = min(PITCH, (LAST_LANE - FIRST_LANE) / between)
        self._lanes = [FIRST_LANE + lane * self._pitch for lane in range(len(scene.hosts))]
        y = self._lines(wrap(f"{number} \N{MIDDLE DOT} {scene.title}", TITLE, WIDTH - 2 * PAD), TITLE, PAD, top + 22)
        y = self._lines(wrap(scene.sentence, SENTENCE, WIDTH - 2 * PAD), SENTENCE, PAD, y) + 14
        for host, x in zip(scene.hosts, self._lanes, strict=True):
            self._header(host, x, y)
        self._start = y + HEADER
        self._floors = [self._start + 12] * (len(self._lanes) + 1)
        self._y = self._start
        self._before: Event | None = None
        self._held: dict[int, float] = {}

    def place(self, event: Event) -> None:
        """Put one event below everything that happened before it."""
        match event:
            case Packet():
                self._packet(event)
            case Silence():
                self._silence(event)
            case State():
                self._state(event)
            case Aside():
                self._aside(event)
        if self._before is None or time_text(self._before.at) != time_text(event.at):
            self.labels.append(Label(time_text(event.at), TIME, TIME_END - 8, self._y + 4, "end"))
        self._before = event

    def finish(self) -> float:
        """Draw the lanes down to the end. Returns the bottom of the scene."""
        end = max(*self._floors, self._y) + 14
        self.lanes += [Stroke("lane", x, self._start, x, end) for x in self._lanes]
        for lane in tuple(self._held):
            self._let_go(lane, end)
        return end + 16

    def _packet(self, packet: Packet) -> None:
        tone = packet.colour()
        source = self.scene.lane(packet.source)
        side = self.scene.heading(packet)
        gap = source + (side > 0)
        reached = self.scene.reached(packet)
        left, right = min((source, *reached)), max((source, *reached))
        crossed = {gap, *range(left + 1, right + 1)}
        y = max(self._y + STEP, *(self._floors[g] + 9 for g in crossed), self._floors[gap] + KIND.leading + 5)
        # The state that is entered by sending stands behind the arrow, and needs its room there.
        y = max(y, self._floors[source] + 12) if side > 0 else y
        self._arrows(packet, source, side, y)
        start, end = self._span(gap) if reached else self._stub(source, side)
        middle = (start + end) / 2
        self.labels.append(Label(fit(packet.label, KIND, end - start), KIND, middle, y - 7, "middle", tone))
        for g in crossed:
            self._floors[g] = y + 9
        below = self._lines(wrap(packet.detail, DETAIL, end - start), DETAIL, middle, y + 4, "middle")
        below = self._lines(wrap(packet.reason, REASON, end - start), REASON, middle, below, "middle", tone)
        self._floors[gap] = max(below + 7, y + 9)
        self._y = y

    def _arrows(self, packet: Packet, source: int, side: int, y: float) -> None:
        """From the source to the outermost lane on each side, with a head at every lane that hears it."""
        look, x = packet.colour(), self._lanes[source]
        reached = self.scene.reached(packet)
        if not reached:
            stop = self._stub(source, side)[side > 0]
            self.shapes.append(Stroke(f"{look} lost", x, y, stop, y))
            if packet.lost:
                self.shapes.append(Mark("cross", Tone.NO, stop + 9 * side, y))
        for lane in reached:
            towards = 1 if lane > source else -1
            near = x if abs(lane - source) == 1 or lane - towards not in reached else self._lanes[lane - towards]
            self.shapes.append(Stroke(look, near, y, self._lanes[lane] - 2 * towards, y, head=True))
        self.shapes.append(Mark("dot", look, x, y))

    def _stub(self, source: int, side: int) -> tuple[float, float]:
        """Left and right end of an arrow that reaches nobody: most of the gap beside its source."""
        start, end = self._span(source + (side > 0))
        most = 0.8 * (end - start)
        return (start, start + most) if side > 0 else (end - most, end)

    def _silence(self, silence: Silence) -> None:
        lane = self.scene.lane(silence.host)
        gap = self._quiet_gap(lane)
        start, end = self._span(gap)
        y = max(self._y + STEP, self._floors[gap] + 14)
        self.shapes.append(Mark("ring", "silent", self._lanes[lane], y))
        x, anchor = (start + 2, "start") if gap > lane else (end - 2, "end")
        lines = wrap(silence.reason, REASON, end - start - 2)
        below = self._lines(["keeps silent"], KIND, x, y - 8, anchor, "silent")
        below = self._lines(lines, REASON, x, below, anchor, "silent")
        for beside in (lane, lane + 1):
            self._floors[beside] = max(self._floors[beside], y + 10)
        self._floors[gap] = below + 3
        self._y = y

    def _quiet_gap(self, lane: int) -> int:
        """Where a sentence about a host stands: beside its lane, where there is room, the sooner the better."""
        beside = [gap for gap in (lane + 1, lane) if gap > 0]
        roomy = [gap for gap in beside if room(self._span(gap)) >= ROOM]
        return min(roomy, key=self._floors.__getitem__) if roomy else max(beside, key=lambda gap: room(self._span(gap)))

    def _state(self, state: State) -> None:
        lane = self.scene.lane(state.host)
        start, end = self._span(lane)
        text = fit(state.state, STATE, end - start - 18)
        width = advance(text, STATE) + 18
        y = max(self._moment(state), self._floors[lane] + 12)
        look = "held" if state.state in HOLDING else "plate"
        self.shapes.append(Stroke(f"{look} tie", end, y, self._lanes[lane], y))
        self.shapes.append(Plate(look, Box(end - width, y - 10, end, y + 10), 10))
        self.shapes.append(Mark("dot", look, self._lanes[lane], y))
        self.labels.append(Label(text, STATE, end - width / 2, y + 4, "middle", look))
        below = self._lines(wrap(state.detail, DETAIL, end - start), DETAIL, end, y + 12, "end")
        self._floors[lane] = below + 2 if state.detail else below
        self._y = y
        if state.state in HOLDING:
            self._held.setdefault(lane, y)
        else:
            self._let_go(lane, y)

    def _aside(self, aside: Aside) -> None:
        lane = self.scene.lane(aside.host)
        start, end = self._span(lane)
        y = max(self._y + STEP, self._floors[lane] + 11)
        self.shapes.append(Mark("dot", "plate", self._lanes[lane], y))
        self._floors[lane] = self._lines(wrap(aside.text, REASON, end - start), REASON, end, y - 8, "end", "aside") + 3
        self._y = y

    def _moment(self, state: State) -> float:
        """A state entered by sending stands beside the arrow that was sent."""
        before = self._before
        beside = isinstance(before, Packet) and before.source == state.host and before.at == state.at
        return self._y + (0 if beside else STEP)

    def _let_go(self, lane: int, y: float) -> None:
        """The client no longer has its address: its lane was thick from where it got it to here."""
        since = self._held.pop(lane, None)
        if since is not None:
            self.lanes.append(Stroke("bound", self._lanes[lane], since, self._lanes[lane], y))

    def _header(self, host: Host, x: float, y: float) -> None:
        room = min(self._pitch - 14, 2 * (WIDTH - PAD - LAST_LANE))
        look = "client" if host.role is Role.CLIENT else "host"
        name = host.name if host.role in host.name.lower() else f"{host.name} \N{MIDDLE DOT} {host.role}"
        name = fit(name, NAME, room - 16)
        subtitle = fit(host.subtitle, SUBTITLE, room - 16)
        half = max(advance(name, NAME), advance(subtitle, SUBTITLE), 90) / 2 + 8
        self.shapes.append(Plate(look, Box(x - half, y, x + half, y + HEADER), 8))
        self.labels.append(Label(name, NAME, x, y + (20 if subtitle else 29), "middle", look))
        if subtitle:
            self.labels.append(Label(subtitle, SUBTITLE, x, y + 37, "middle", look))

    def _lines(
        self, lines: list[str], style: Style, x: float, top: float, anchor: str = "start", tone: str = ""
    ) -> float:
        """Put lines of text below `top`. Returns where they end."""
        for line in lines:
            top += style.leading
            self.labels.append(Label(line, style, x, top - style.size * 0.27, anchor, tone))
        return top

    def _span(self, gap: int) -> tuple[float, float]:
        """Left and right end of the text in a gap."""
        start = self._lanes[gap - 1] + INSET if gap else TIME_END
        end = self._lanes[gap] - INSET if gap < len(self._lanes) else min(WIDTH - PAD, start + PITCH)
        return start, end
