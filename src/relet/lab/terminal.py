"""The ladder on a terminal, growing event by event.

Each event becomes a few rows of characters: the time, the lanes of the hosts, and an arrow or a mark with its words in the
gap beside it. Rows are printed as the event happens and never rewritten, so the same text can be piped into a file.
Colours are rich's business: there are none when the console is not a terminal.
"""

from itertools import groupby
from operator import itemgetter
from textwrap import TextWrapper

from rich.console import Console
from rich.text import Text

from relet.lab.ladder import HOLDING, Aside, Event, Packet, Role, Scene, Silence, State, Tone, room, time_text

NARROWEST = 72
WIDEST = 100
TIME_WIDTH = 9  # '12345.6 s'
FIRST_LANE = 12
LAST_MARGIN = 10  # half of a header such as '02:00:00:00:00:01' must fit
PITCH = 42  # lanes are never further apart
ROOM = 20  # a gap narrower than this is not chosen for a sentence

COLOURS = {
    Tone.ASK: "blue",
    Tone.OFFER: "magenta",
    Tone.YES: "green",
    Tone.NO: "red",
    Tone.ARP: "yellow",
    Tone.PLAIN: "default",
}
PLAIN_SIGNS = str.maketrans("─╌│┃├┤┼►◄○◆✗·…", "--||||+><o*x.~")
"""For terminals that know ASCII only."""


class _Row:
    """One line of cells, each a character and its style."""

    def __init__(self, width: int) -> None:
        self._cells = [(" ", "")] * width

    def put(self, column: int, text: str, style: str = "") -> None:
        """Write over what is there; what would fall off the edges is cut."""
        for at, character in enumerate(text, column):
            if 0 <= at < len(self._cells):
                self._cells[at] = (character, style)

    def text(self, ascii_only: bool) -> Text:
        """The line without its trailing blanks."""
        line = Text(no_wrap=True)
        for style, cells in groupby(self._cells, key=itemgetter(1)):
            run = "".join(character for character, _ in cells)
            line.append(run.translate(PLAIN_SIGNS) if ascii_only else run, style)
        line.rstrip()
        return line


class TerminalLadder:
    """A watcher (`lab.ladder.Watcher`) that prints to a rich console what it is told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = max(NARROWEST, min(WIDEST, console.width))
        self._scene = Scene("", "", ())
        self._number = 0
        self._lanes: list[int] = []
        self._held: set[int] = set()
        self._time = ""

    def scene(self, scene: Scene) -> None:
        """Print title, sentence and the names of the columns. A scene without a title is no part of a story: no number."""
        between = max(len(scene.hosts) - 1, 1)
        pitch = min(PITCH, (self._width - FIRST_LANE - LAST_MARGIN) // between)
        self._scene, self._held, self._time = scene, set(), ""
        self._lanes = [FIRST_LANE + lane * pitch for lane in range(len(scene.hosts))]
        if scene.title:
            self._number += 1
            self._say("")
            for line in _wrap(f"{self._number} · {scene.title}", self._width):
                self._say(line, "bold")
        for line in _wrap(scene.sentence, self._width):
            self._say(line, "dim")
        self._say("")
        room = min(pitch, 2 * LAST_MARGIN) - 1
        names, subtitles = _Row(self._width), _Row(self._width)
        for host, column in zip(scene.hosts, self._lanes, strict=True):
            name = host.name if host.role in host.name.lower() else f"{host.name} · {host.role}"
            for row, words, style in ((names, name, "bold"), (subtitles, host.subtitle, "dim")):
                shown = _fit(words, room)
                row.put(column - len(shown) // 2, shown, f"{style} cyan" if host.role is Role.CLIENT else style)
        self._print(names)
        self._print(subtitles)
        self._print(self._blank())

    def event(self, event: Event) -> None:
        """Print the rows of one event."""
        match event:
            case Packet():
                self._packet(event)
            case Silence():
                self._silence(event)
            case State():
                self._state(event)
            case Aside():
                self._beside(event, "·", event.text, "italic dim")

    def _packet(self, packet: Packet) -> None:
        row = self._blank(packet)
        style = COLOURS[packet.colour()]
        source = self._scene.lane(packet.source)
        side = self._scene.heading(packet)
        gap = source + (side > 0)
        start, end = self._span(gap)
        reached = self._scene.reached(packet)
        if not reached:
            self._stub(row, packet, start, end)
        for lane in sorted(reached, key=lambda lane: -abs(lane - source)):
            self._arrow(row, source, lane, style)
        at = self._lanes[source]
        both = any(lane < source for lane in reached) and any(lane > source for lane in reached)
        row.put(at, "┼" if both else "├" if side > 0 else "┤", style)
        label = f" {_fit(packet.label, end - start - 4)} "
        row.put((start + end + 1 - len(label)) // 2, label, f"bold {style}")
        self._print(row)
        width = end - start - 2
        self._below(_wrap(packet.detail, width), gap, "dim")
        self._below(_wrap(packet.reason, width), gap, style)

    def _arrow(self, row: _Row, source: int, lane: int, style: str) -> None:
        """A line from the source's lane to a lane that hears it, its head beside that lane."""
        near, far = self._lanes[source], self._lanes[lane]
        left, right = min(near, far), max(near, far)
        for column in range(left + 1, right):
            if column not in self._lanes:
                row.put(column, "─", style)
        row.put(far - 1 if far > near else far + 1, "►" if far > near else "◄", style)

    def _stub(self, row: _Row, packet: Packet, start: int, end: int) -> None:
        """A broken line that ends before it reaches anybody."""
        row.put(start, "╌" * (end - start), COLOURS[packet.colour()])
        if packet.lost:
            right = self._scene.heading(packet) > 0
            row.put(end - 1 if right else start, "✗", f"bold {COLOURS[Tone.NO]}")

    def _silence(self, silence: Silence) -> None:
        lane = self._scene.lane(silence.host)
        roomy = [gap for gap in (lane + 1, lane) if room(self._span(gap)) >= ROOM and gap > 0]
        gap = roomy[0] if roomy else max(lane, 1)
        start, end = self._span(gap)
        for number, line in enumerate(_wrap(f"keeps silent: {silence.reason}", end - start - 2)):
            row = self._blank(None if number else silence)
            if not number:
                row.put(self._lanes[lane], "○", "bold")
            row.put(start + 1 if gap > lane else end - 1 - len(line), line, "dim")
            self._print(row)

    def _state(self, state: State) -> None:
        lane = self._scene.lane(state.host)
        if state.state in HOLDING:
            self._held.add(lane)
        else:
            self._held.discard(lane)
        style = "bold green" if state.state in HOLDING else "bold"
        self._beside(state, "◆", f"{state.state}  {state.detail}".rstrip(), style)

    def _beside(self, event: State | Aside, sign: str, words: str, style: str) -> None:
        """A sign on the host's lane and words to the right of it."""
        lane = self._scene.lane(event.host)
        start, end = self._span(lane + 1)
        if end - start < ROOM and lane:
            start, end = self._span(lane)
        for number, line in enumerate(_wrap(words, max(end - start - 2, 1))):
            row = self._blank(None if number else event)
            if not number:
                row.put(self._lanes[lane], sign, style)
            row.put(start + 1, line, style)
            self._print(row)

    def _below(self, lines: list[str], gap: int, style: str) -> None:
        start, end = self._span(gap)
        for line in lines:
            row = self._blank()
            row.put((start + end + 1 - len(line)) // 2, line, style)
            self._print(row)

    def _blank(self, event: Event | None = None) -> _Row:
        """A row with the lanes, and with the event's time if it is a new one."""
        row = _Row(self._width)
        for lane, column in enumerate(self._lanes):
            row.put(column, *(("┃", "bold green") if lane in self._held else ("│", "dim")))
        shown = time_text(event.at) if event else self._time
        if shown != self._time:
            row.put(TIME_WIDTH - len(shown), shown, "dim")
            self._time = shown
        return row

    def _span(self, gap: int) -> tuple[int, int]:
        """First column of a gap and the one after its last."""
        start = self._lanes[gap - 1] + 1 if gap else TIME_WIDTH
        end = self._lanes[gap] if gap < len(self._lanes) else min(self._width, start + PITCH)
        return start, end

    def _print(self, row: _Row) -> None:
        self._console.print(row.text(self._console.options.ascii_only), soft_wrap=True, highlight=False)

    def _say(self, line: str, style: str = "") -> None:
        row = _Row(self._width)
        row.put(0, line, style)
        self._print(row)


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters; names such as 'no-record' stay whole."""
    return TextWrapper(width, break_on_hyphens=False).wrap(text)
