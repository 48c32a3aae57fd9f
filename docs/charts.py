"""Bars as SVG: readable on light and on dark pages, without scripts or fonts. What they show is said in words as well.

`levels` draws one bar for each row against a line that all should reach; `stacks` draws bars of parts, with a legend;
`times` draws groups of durations on a logarithmic scale.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import inf, log10
from typing import NamedTuple

WIDTH, MARGIN, BAR, STEP = 860, 24, 20, 34
LABEL = 330
"""Where bars begin: to the left of it stands what they are of."""
LONGEST = 3.0
"""A bar of `levels` is drawn for at most so many times what is wanted."""
FONT = "Inter, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
LIGHT = {
    "ink": "#1b2430",
    "soft": "#55606e",
    "plate": "#ffffff",
    "edge": "#d5dbe3",
    "good": "#177a37",
    "bad": "#c3222f",
}
DARK = {"ink": "#e8edf3", "soft": "#9aa7b5", "plate": "#10161e", "edge": "#2b3542", "good": "#4cc870", "bad": "#ff7f79"}
TONES_LIGHT = (
    "#0b62c4",
    "#d97706",
    "#177a37",
    "#7a3fc4",
    "#c3222f",
    "#0e7c86",
    "#8a5a00",
    "#94418f",
    "#5b6b7d",
    "#b6bfca",
)
TONES_DARK = (
    "#63aeff",
    "#f5a742",
    "#4cc870",
    "#c19cff",
    "#ff7f79",
    "#4fd0db",
    "#d9b25f",
    "#e58fe0",
    "#9fb0c3",
    "#5a6675",
)


class Level(NamedTuple):
    """A row of `levels`. share: of what is wanted, 1 is enough; None: not measured. told: the figure, in words."""

    label: str
    share: float | None
    told: str


class Time(NamedTuple):
    """A bar of `times`. ms: milliseconds, infinite for what never came. ours: one of those that the picture is about."""

    label: str
    ms: float
    told: str
    ours: bool


def levels(title: str, rows: Sequence[Level]) -> str:
    """One bar for each row; bars that reach the line are good."""
    room = WIDTH - LABEL - MARGIN - 120
    line = LABEL + room / LONGEST
    top, bottom = 58, 58 + STEP * len(rows)
    parts = [_text(line, top - 10, "target", "soft", "middle")]
    for place, row in enumerate(rows):
        y = top + STEP * place
        parts.append(_text(LABEL - 10, y + 15, row.label, "ink", "end"))
        if row.share is None:
            parts.append(_text(LABEL + 6, y + 15, row.told, "soft"))
            continue
        long = max(2.0, room * min(row.share, LONGEST) / LONGEST)
        parts.append(_bar(LABEL, y, long, "good" if row.share >= 1 else "bad"))
        parts.append(_text(max(LABEL + long, line) + 8, y + 15, row.told, "ink"))
    parts.append(f'<path class="line" d="M{line:.1f} {top - 4}V{bottom}"/>')
    said = "; ".join(f"{row.label}: {row.told}" for row in rows)
    return _document(title, said, bottom + MARGIN, parts)


def stacks(title: str, rows: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """One bar for each row, made of its parts; each row over the whole width, its sum at its end."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    tone = {name: f"t{place % len(TONES_LIGHT)}" for place, name in enumerate(names)}
    begin, room = 190, WIDTH - 190 - 110
    top, parts = 46, []
    for place, (label, row) in enumerate(rows.items()):
        y, x, whole = top + STEP * place, float(begin), sum(row.values())
        parts.append(_text(begin - 10, y + 15, label, "ink", "end"))
        for name, size in row.items():
            long = room * size / whole if whole else 0
            parts.append(f"<g><title>{escape(f'{name}: {size:.2f} {unit}')}</title>{_bar(x, y, long, tone[name])}</g>")
            if long > 34:
                parts.append(_text(x + long / 2, y + 15, f"{size:.1f}", "on", "middle"))
            x += long
        parts.append(_text(x + 8, y + 15, f"{whole:.1f} {unit}", "ink"))
    y = top + STEP * len(rows) + 16
    columns = 4
    for place, name in enumerate(names):
        x = MARGIN + place % columns * (WIDTH - 2 * MARGIN) / columns
        parts.append(
            f'<rect class="{tone[name]}" x="{x:.1f}" y="{y + place // columns * 24}" width="13" height="13" rx="2"/>'
        )
        parts.append(_text(x + 20, y + 11 + place // columns * 24, name, "soft"))
    height = y + (len(names) - 1) // columns * 24 + 24 + MARGIN
    said = "; ".join(
        f"{label}: " + ", ".join(f"{name} {size:.2f}" for name, size in row.items()) for label, row in rows.items()
    )
    return _document(title, said, height, parts)


def times(title: str, groups: Mapping[str, Sequence[Time]]) -> str:
    """A group of bars for each heading; the longer a bar, the longer it took. Each power of ten has a line."""
    begin, room = 220, WIDTH - 220 - 130
    finite = [bar.ms for bars in groups.values() for bar in bars if 0 < bar.ms < inf]
    first = int(log10(min(finite, default=1.0)))
    last = max(first + 1, -int(-log10(max(finite, default=10.0)) // 1))
    ticks = {10**power: begin + room * (power - first) / (last - first) for power in range(first, last + 1)}
    parts, y = [], 52.0
    for heading, bars in groups.items():
        parts.append(_text(MARGIN, y + 14, heading, "ink"))
        y += 24
        for bar in bars:
            long = 0.0 if bar.ms == inf else max(2.0, room * (log10(bar.ms) - first) / (last - first))
            parts.append(_text(begin - 10, y + 12, bar.label, "ink" if bar.ours else "soft", "end"))
            parts.append(_bar(begin, int(y), long, "t0" if bar.ours else "t9", BAR - 6))
            parts.append(_text(begin + long + 8, y + 12, bar.told, "ink"))
            y += BAR
        y += 12
    for value, x in ticks.items():
        parts.insert(0, f'<path class="edge" d="M{x:.1f} 46V{y:.0f}"/>')
        parts.append(_text(x, y + 16, f"{value} ms" if value < 1000 else f"{value // 1000} s", "soft", "middle"))
    said = "; ".join(
        f"{heading}: {', '.join(f'{each.label} {each.told}' for each in bars)}" for heading, bars in groups.items()
    )
    return _document(title, said, y + 20 + MARGIN / 2, parts)


def _bar(x: float, y: float, long: float, tone: str, high: int = BAR) -> str:
    return f'<rect class="{tone}" x="{x:.1f}" y="{y}" width="{long:.1f}" height="{high}" rx="2"/>'


def _text(x: float, y: float, text: str, tone: str, anchor: str = "start") -> str:
    return f'<text class="{tone}" x="{x:.1f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(title: str, said: str, height: float, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title told">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="told">{escape(said)}</desc>',
            f"<style>\n{_style(LIGHT, TONES_LIGHT)}\n.on {{ fill: #ffffff; }}\n"
            f"@media (prefers-color-scheme: dark) {{\n{_style(DARK, TONES_DARK)}\n.on {{ fill: #10161e; }}\n}}\n</style>",
            f'<rect class="plate" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>',
            f'<text class="ink head" x="{MARGIN}" y="28">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def _style(colours: Mapping[str, str], tones: Sequence[str]) -> str:
    rows = [f".{name} {{ fill: {colour}; }}" for name, colour in colours.items()]
    rows += [f".t{place} {{ fill: {colour}; }}" for place, colour in enumerate(tones)]
    rows += [
        f".plate {{ stroke: {colours['edge']}; }}",
        f".line {{ stroke: {colours['ink']}; stroke-dasharray: 5 4; }}",
        f".edge {{ stroke: {colours['edge']}; }}",
    ]
    return "\n".join([f"text {{ font: 13px {FONT}; }}", ".head { font-weight: 600; font-size: 15px; }", *rows])
