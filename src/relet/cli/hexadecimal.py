"""Hexadecimal as people paste it: digits with the usual separators, or what xxd, hexdump -C and tcpdump -x print.

A dump is recognised by its offsets, and believed only if they count what stands between them.
"""

import re
from collections.abc import Iterator

MOST_IN_LINE = 16
"""Octets that the programs print in a line; what follows them is the column of characters."""
MOST_IN_DUMP = 262144
"""Octets of one dumped packet; a larger offset is taken for garbage."""

DIGITS = frozenset("0123456789abcdefABCDEFxX:-, \t\r\n")
# Behind an offset stands a colon, or at least two blanks; a wide gap, or the sixteenth octet, ends the octets.
LINE = re.compile(r"\s*(?:0x)?([0-9a-f]{4,8})(?::\s*|\s{2,})((?:(?:[0-9a-f]{2})+(?: {1,2}|\s*$))+)", re.IGNORECASE)
END = re.compile(r"[0-9a-f]{7,8}", re.IGNORECASE)
REPEATED = "*"


def packets(text: str) -> Iterator[bytes]:
    """The packets of a text: of a dump, those that begin at offset 0; of plain digits, those parted by an empty line.

    Raises ValueError for what is neither.
    """
    lines = text.splitlines()
    if any(row and not int(row[1], 16) for row in map(LINE.match, lines)):
        yield from _dumped(lines)
        return
    if not DIGITS.issuperset(text):
        raise ValueError("it looks like text, but is not hexadecimal")
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.strip():
            yield unhex(paragraph)


def unhex(text: str) -> bytes:
    """Octets of hexadecimal: blanks, the usual separators and a 0x before octets are permitted. Raises ValueError."""
    bare = re.sub(r"0x(?=[0-9a-f]{2})", "", text, flags=re.IGNORECASE)
    try:
        return bytes.fromhex(re.sub(r"[:,\s-]", "", re.sub("0x", "0", bare, flags=re.IGNORECASE)))
    except ValueError:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise ValueError(f"{shown!r} is not hexadecimal such as 01 01 06 00") from None


def _dumped(lines: list[str]) -> Iterator[bytes]:
    """The packets of a dump; headings between them are passed over."""
    octets, line, repeating = b"", b"", False
    for number, text in enumerate(lines, 1):
        row = LINE.match(text)
        repeating = repeating or text.strip() == REPEATED
        if not row and not END.fullmatch(text.strip()):
            continue
        at = int(row[1] if row else text, 16)
        if row and not at:
            if octets:
                yield octets
            octets = b""
        if repeating and line and len(octets) < at <= MOST_IN_DUMP:
            octets += (line * (at // len(line)))[: at - len(octets)]
        if len(octets) != at:
            raise ValueError(f"line {number} of the hexadecimal dump is at offset {at}, behind {len(octets)} octets")
        line, repeating = (bytes.fromhex(row[2])[:MOST_IN_LINE] if row else b""), False
        octets += line
    yield octets
