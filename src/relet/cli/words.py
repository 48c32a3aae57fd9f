"""What commands say to people in single lines: made harmless, because some of it came from the network."""

import sys


def printable(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def complain(text: str) -> None:
    """Print to standard error what went wrong with one of several things."""
    print(f"relet: {printable(text)}", file=sys.stderr)
