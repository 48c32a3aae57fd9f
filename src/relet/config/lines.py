"""On which line each key of a TOML text stands; tomllib reads the values but keeps no places.

Only for a text that tomllib has read without complaint: this follows its structure and checks nothing. A path is made of
keys and of positions in arrays: ("network", 0, "subnet", 1, "prefix").
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Lines:
    """Paths and the lines they begin on."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self._lines = lines

    @classmethod
    def of(cls, text: str) -> "Lines":
        """The lines of a valid TOML text, counted from 1."""
        return cls(_Scanner(text).scan())

    def line(self, path: Path) -> int:
        """Line of a path, or of the nearest thing around it that has one; 0 if there is none."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return line
        return 0


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [position for position, character in enumerate(text) if character == "\n"]
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        """Statement by statement: table headers and keys."""
        table: Path = ()
        self._skip()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self._lines

    def _header(self) -> Path:
        several = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 1 + several
        keys = self._keys()
        self._at += 1 + several
        path = self._inside(keys[:-1])
        last = (*path, keys[-1])
        if several:
            self._lines.setdefault(last, line)
            self._counts[last] = self._counts.get(last, 0) + 1
        path = self._inside(keys)
        self._lines[path] = line
        return path

    def _inside(self, keys: list[str]) -> Path:
        """The path of a header's keys: a name of an array of tables means the newest of them."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._elements(path, "]")
        elif opening == "{":
            self._elements(path, "}")
        elif opening in "\"'":
            self._match(_STRING)
        else:
            self._match(_SCALAR)

    def _elements(self, path: Path, closing: str) -> None:
        """What stands between brackets or braces, and the commas between."""
        self._at += 1
        position = 0
        self._skip()
        while self._text[self._at] != closing:
            if self._text[self._at] == ",":
                self._at += 1
            elif closing == "}":
                self._pair(path)
            else:
                self._lines[(*path, position)] = self._line()
                self._value((*path, position))
                position += 1
            self._skip()
        self._at += 1

    def _keys(self) -> list[str]:
        """The parts of a dotted key."""
        keys: list[str] = []
        self._skip()
        while True:
            if self._text[self._at] in "\"'":
                keys.append(tomllib.loads(f"key = {self._match(_QUOTED)}")["key"])
            else:
                keys.append(self._match(_BARE_KEY))
            dot = _DOT.match(self._text, self._at)
            if dot is None:
                self._skip()
                return keys
            self._at = dot.end()

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None or not found.group():
            raise ValueError(f"line {self._line()} is no TOML")
        self._at = found.end()
        return found.group()

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1
