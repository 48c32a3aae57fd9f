"""The ladder as a picture: one SVG file for all scenes, readable on light and on dark pages, without scripts or fonts.

The colours live in one style sheet; a reader whose system is set to dark gets the dark ones. Every scene lies on a plate
of its own, so the picture does not depend on the page around it. All text is escaped.
"""

from collections.abc import Iterable
from html import escape

from relet.lab.ladder import Scene
from relet.lab.layout import (
    DETAIL,
    KIND,
    NAME,
    REASON,
    SENTENCE,
    STATE,
    SUBTITLE,
    TIME,
    TITLE,
    WIDTH,
    Label,
    Mark,
    Plate,
    Shape,
    Stroke,
    lay_out,
)
from relet.lab.typeset import Style

_SANS = "Inter, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_LIGHT = {
    "card": "#ffffff",
    "edge": "#d5dbe3",
    "lane": "#b6bfca",
    "ink": "#1b2430",
    "soft": "#55606e",
    "ask": "#0b62c4",
    "offer": "#7a3fc4",
    "yes": "#177a37",
    "no": "#c3222f",
    "arp": "#8a5a00",
    "plain": "#55606e",
    "chip": "#eef1f5",
    "client": "#1b2d45",
    "on-client": "#ffffff",
    "on-held": "#ffffff",
}
_DARK = {
    "card": "#10161e",
    "edge": "#2b3542",
    "lane": "#485463",
    "ink": "#e8edf3",
    "soft": "#9aa7b5",
    "ask": "#63aeff",
    "offer": "#c19cff",
    "yes": "#4cc870",
    "no": "#ff7f79",
    "arp": "#e0ac45",
    "plain": "#9aa7b5",
    "chip": "#222c38",
    "client": "#cfe0f5",
    "on-client": "#0d1a2a",
    "on-held": "#06220f",
}
_TONES = ("ask", "offer", "yes", "no", "arp", "plain")


def render(scenes: Iterable[Scene], title: str = "DHCP ladder diagram") -> str:
    """The SVG document. title: what a screen reader says of the picture."""
    scenes = tuple(scenes)
    drawing = lay_out(scenes)
    size = f'width="{WIDTH:g}" height="{drawing.height:.0f}" viewBox="0 0 {WIDTH:g} {drawing.height:.0f}"'
    told = "; ".join(f"{scene.title}: {scene.sentence}" for scene in scenes)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title told">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="told">{escape(told)}</desc>',
            f"<style>\n{_style_sheet()}\n</style>",
            *map(_shape, drawing.shapes),
            *map(_label, drawing.labels),
            "</svg>\n",
        ]
    )


def _label(label: Label) -> str:
    classes = f"{label.style.name} {label.tone}".strip()
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    return f'<text class="{classes}" x="{label.x:.1f}" y="{label.y:.1f}"{anchor}>{escape(label.text)}</text>'


def _shape(shape: Shape) -> str:
    match shape:
        case Stroke(look, x1, y1, x2, y2, head):
            line = f'<path class="stroke {look}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'
            return line + (_head(look, x2, y2, 1 if x2 > x1 else -1) if head else "")
        case Plate(look, box, radius):
            size = f'width="{box.right - box.left:.1f}" height="{box.bottom - box.top:.1f}"'
            return f'<rect class="{look}" x="{box.left:.1f}" y="{box.top:.1f}" {size} rx="{radius:g}"/>'
        case Mark("ring", look, x, y):
            return f'<circle class="ring {look}" cx="{x:.1f}" cy="{y:.1f}" r="6.5"/>'
        case Mark("cross", look, x, y):
            arms = f"M{x - 5:.1f} {y - 5:.1f}l10 10M{x - 5:.1f} {y + 5:.1f}l10 -10"
            return f'<path class="stroke cross {look}" d="{arms}"/>'
        case Mark(_, look, x, y):
            return f'<circle class="dot {look}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _head(look: str, x: float, y: float, side: int) -> str:
    """An arrow head whose tip is at x."""
    return f'<path class="dot {look}" d="M{x:.1f} {y:.1f}l{-10 * side} -5.5v11z"/>'


def _style_sheet() -> str:
    faces = "\n".join(
        f".{style.name} {{ font: {_font(style)}; }}"
        for style in (TITLE, SENTENCE, NAME, SUBTITLE, TIME, KIND, DETAIL, REASON, STATE)
    )
    fixed = """.stroke { stroke-width: 2; fill: none; }
.lane { stroke-width: 1.5; }
.bound { stroke-width: 5; stroke-linecap: round; }
.tie { stroke-width: 1.5; }
.lost { stroke-dasharray: 6 5; }
.cross { stroke-width: 2.5; stroke-linecap: round; }
.ring { stroke-width: 2.5; }
.aside { font-style: italic; }"""
    dark = _colours(_DARK).replace("\n", "\n  ")
    return f"{faces}\n{fixed}\n{_colours(_LIGHT)}\n@media (prefers-color-scheme: dark) {{\n  {dark}\n}}"


def _font(style: Style) -> str:
    return f"{600 if style.bold else 400} {style.size:g}px {_MONO if style.mono else _SANS}"


def _colours(palette: dict[str, str]) -> str:
    """The rules that differ between light and dark, in one order for both."""
    rules = [
        f".card {{ fill: {palette['card']}; stroke: {palette['edge']}; }}",
        f".title {{ fill: {palette['ink']}; }}",
        f".sentence, .time, .detail, .aside, text.silent {{ fill: {palette['soft']}; }}",
        f".lane {{ stroke: {palette['lane']}; }}",
        f".bound, .held.tie {{ stroke: {palette['yes']}; }}",
        f".plate.tie {{ stroke: {palette['lane']}; }}",
        f"rect.client {{ fill: {palette['client']}; }}",
        f"text.client {{ fill: {palette['on-client']}; }}",
        f"rect.host {{ fill: {palette['chip']}; stroke: {palette['edge']}; }}",
        f".name.host {{ fill: {palette['ink']}; }}",
        f".subtitle.host {{ fill: {palette['soft']}; }}",
        f"rect.plate {{ fill: {palette['chip']}; stroke: {palette['lane']}; }}",
        f".dot.plate {{ fill: {palette['soft']}; }}",
        f"text.plate {{ fill: {palette['ink']}; }}",
        f"rect.held, .dot.held {{ fill: {palette['yes']}; }}",
        f"text.held {{ fill: {palette['on-held']}; }}",
        f".ring {{ fill: {palette['card']}; stroke: {palette['soft']}; }}",
    ]
    for tone in _TONES:
        rules.append(f".stroke.{tone} {{ stroke: {palette[tone]}; }}")
        rules.append(f"text.{tone}, .dot.{tone} {{ fill: {palette[tone]}; }}")
    return "\n".join(rules)
