"""How wide text will be: an upper bound without a font, so that a drawing made here overlaps nowhere.

The fonts of the reader are not known. The widths are those of DejaVu Sans, the widest of the faces that the drawing
names; in every other one the text is a little shorter than its box.
"""

from unicodedata import east_asian_width

import msgspec

_SLIM = frozenset("iljI.,:;'|!()[]/ ftr-")
_BROAD = frozenset("mwMWOQG@%+<=>~#&\N{EM DASH}\N{HORIZONTAL ELLIPSIS}\N{REPLACEMENT CHARACTER}")


class Style(msgspec.Struct, frozen=True):
    """A CSS class with the measures that the layout needs. size, leading (from baseline to baseline): pixels."""

    name: str
    size: float
    leading: float
    bold: bool = False
    mono: bool = False


def advance(text: str, style: Style) -> float:
    """Width of a line in pixels, rather too much than too little."""
    return sum(_em(character, style.mono) for character in text) * style.size * (1.1 if style.bold else 1.0)


def _em(character: str, mono: bool) -> float:
    """Width of a character in units of the type size."""
    if east_asian_width(character) in "WF":
        return 1.0
    if mono:
        return 0.61
    if character in _SLIM:
        return 0.42
    if character in _BROAD or character > "\N{LATIN SMALL LETTER Z WITH CARON}":
        return 1.0
    return 0.7 if character.isupper() else 0.63


def fit(text: str, style: Style, width: float) -> str:
    """The text, cut with an ellipsis to what fits."""
    if advance(text, style) <= width:
        return text
    ellipsis = "\N{HORIZONTAL ELLIPSIS}"
    while text and advance(text + ellipsis, style) > width:
        text = text[:-1]
    return text.rstrip() + ellipsis


def wrap(text: str, style: Style, width: float) -> list[str]:
    """The text in lines that fit; a word wider than a line is broken. No lines for no text."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if advance(joined, style) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, style, width)
        lines += whole
    return [*lines, line] if line else lines


def _pieces(word: str, style: Style, width: float) -> list[str]:
    """A word cut into pieces that fit, at least one character each."""
    pieces = [""]
    for character in word:
        if pieces[-1] and advance(pieces[-1] + character, style) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
