"""How commands print: tables for people on a terminal, aligned text for pipes, JSON for programs.

Text that came from the network is made harmless before a terminal sees it.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from relet.cli.words import printable
from relet.model.lease import FOREVER


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text under their column names."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _show_rich(columns, cells)
    else:
        print(aligned(columns, cells))


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as plain text: column names in capitals, at least two blanks between columns, none at the end."""
    lines = [[name.upper() for name in columns], *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _show_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def show_json(value: object) -> None:
    """Print a value as indented JSON."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_json_line(value: object) -> None:
    """Print a value as one line of JSON."""
    print(msgspec.json.encode(value).decode())


def when(wall: float) -> str:
    """A wall time for people, in the machine's time zone; 'never' for the end of an infinite lease."""
    if wall >= FOREVER:
        return "never"
    return f"{datetime.fromtimestamp(wall, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def moment(wall: float) -> str | None:
    """A wall time for programs: ISO 8601 in UTC; None for the end of an infinite lease."""
    if wall >= FOREVER:
        return None
    return f"{datetime.fromtimestamp(int(wall), UTC):%Y-%m-%dT%H:%M:%SZ}"
