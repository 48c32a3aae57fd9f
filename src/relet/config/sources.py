"""The files of a configuration: the one that is named, those that it includes, and where everything stands in them.

They are read into one document, as if the tables of included files stood at the end of the file that includes them. A
path of that document leads back to file and line. Lines are looked for only when there is a problem to tell.
"""

import re
import tomllib
from functools import cached_property
from pathlib import Path as FilePath

from relet.config.lines import Lines, Path
from relet.config.report import suggestion
from relet.errors import ConfigError, Problem

SHARED = ("network", "class", "reservation", "option")
"""Tables that an included file may have."""
MOST_FILES = 4096
MOST_DEPTH = 16
"""Files that include files."""

_SETTING = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
_TABLE_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_KEY_TWICE = re.compile(r"Duplicate inline table key '(.*)'")
_QUOTED = re.compile(r"'([^']*)'")
_LONG_NUMBER = re.compile(r"[0-9_]{1000,}")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Source:
    """One file. base: where relative names in it begin."""

    def __init__(self, name: str, text: str, base: FilePath) -> None:
        self.name = name
        self.base = base
        self._text = text
        self.raw: dict[str, object] = tomllib.loads(text) if text else {}

    @cached_property
    def lines(self) -> Lines:
        """On which line each key stands."""
        return Lines.of(self._text)

    def problem(self, path: Path, what: str, instead: str = "") -> Problem:
        """A problem at a path of this file."""
        return Problem(self.name, self.lines.line(path), "", what, instead)


class Sources:
    """All files and their document. Raises ConfigError for what cannot be read or is no TOML."""

    def __init__(self, text: str, file: str, base: FilePath) -> None:
        self.problems: list[Problem] = []
        self.files: list[Source] = []
        self._origins: dict[str, list[tuple[Source, int]]] = {}
        self._read(text, file, base, (str((base / FilePath(file).name).resolve()),))
        main = self.files[0]
        self.raw: dict[str, object] = {key: value for key, value in main.raw.items() if key != "include"}
        for key in SHARED:
            if not isinstance(self.raw.get(key, []), list):
                continue  # told when the table is looked into
            pieces = [(source, each) for source in self.files if isinstance(each := source.raw.get(key), list)]
            if pieces:
                self.raw[key] = [table for _, tables in pieces for table in tables]
                self._origins[key] = [(source, at) for source, tables in pieces for at in range(len(tables))]

    def place(self, path: Path) -> tuple[int, str, int]:
        """(position of the file, its name, line) of a path of the document; line 0 if there is none."""
        source, inner = self.files[0], path
        if len(path) > 1 and path[0] in self._origins and isinstance(path[1], int):
            source, position = self._origins[str(path[0])][path[1]]
            inner = (path[0], position, *path[2:])
        return self.files.index(source), source.name, source.lines.line(inner)

    def _read(self, text: str, name: str, base: FilePath, inside: tuple[str, ...]) -> None:
        """A file and what it includes. inside: the files that it is included by, itself the last, in full."""
        try:
            source = Source(name, text, base)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([*self.problems, _syntax(error, text, name)]) from error
        except (ValueError, RecursionError) as error:
            raise ConfigError([*self.problems, _too_much(error, text, name)]) from error
        self.files.append(source)
        if len(inside) > 1:
            self._only_shared(source)
        configured = source.raw.get("include", [])
        if not isinstance(configured, list) or not all(isinstance(each, str) and each for each in configured):
            instead = 'write include = ["networks/*.toml"]'
            self.problems.append(source.problem(("include",), "include: is not a list of file names", instead))
            return
        for position, pattern in enumerate(configured):
            path = ("include", position)
            try:
                matches = _matches(base, pattern)
            except ValueError as error:
                what, _, instead = str(error).partition("; ")
                self.problems.append(source.problem(path, f"include: {what}", instead))
                continue
            for found in matches:
                self._include(source, path, found, inside)

    def _include(self, source: Source, path: Path, found: FilePath, inside: tuple[str, ...]) -> None:
        full = str(found.resolve())
        known = {str((each.base / FilePath(each.name).name).resolve()) for each in self.files}
        if full in inside:
            what, instead = f"include: {found} includes itself", "keep included files in a directory of their own"
        elif full in known:
            what, instead = f"include: {found} is included twice", "leave one out"
        elif len(self.files) >= MOST_FILES or len(inside) >= MOST_DEPTH:
            what, instead = f"include: {found} is one file too many", f"at most {MOST_FILES}, {MOST_DEPTH} deep"
        else:
            try:
                text = read(found)
            except ConfigError as error:
                (problem,) = error.problems
                where = source.problem(path, f"include: {found} {problem.what}", problem.instead)
                self.problems.append(problem if problem.line else where)
                return
            self._read(text, str(found), found.parent, (*inside, full))
            return
        self.problems.append(source.problem(path, what, instead))

    def _only_shared(self, source: Source) -> None:
        """An included file has what may be shared, and nothing that there is once."""
        for key, value in source.raw.items():
            if key == "server":
                what, instead = "[server] stands in an included file", f"move it to {self.files[0].name}"
                self.problems.append(source.problem((key,), what, instead))
            elif key not in SHARED and key != "include":
                known = ["include", *SHARED]
                instead = suggestion(key, known, f"known here: {', '.join(known)}")
                self.problems.append(source.problem((key,), f"unknown setting '{key}'", instead))
            elif key != "include" and not isinstance(value, list):
                instead = f"write its heading with two brackets, as in [[{key}]]"
                self.problems.append(source.problem((key,), f"{key}: is not an array of tables", instead))


def read(path: FilePath) -> str:
    """The text of a file, without the byte order mark that some editors write. Raises ConfigError."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "", "is not UTF-8 text", "save it as UTF-8")]) from error


def _matches(base: FilePath, pattern: str) -> list[FilePath]:
    """Files that an entry of `include` means: the one that it names, or all that fit a pattern. Raises ValueError."""
    if not pattern.isprintable():
        raise ValueError(f"{pattern!r} has control characters; write the name of a file")
    if not any(sign in pattern for sign in "*?["):
        return [base / pattern]
    named = FilePath(pattern)
    start, rest = (FilePath(named.anchor), str(named.relative_to(named.anchor))) if named.anchor else (base, pattern)
    try:
        return sorted(start.glob(rest))
    except (ValueError, re.error) as error:
        raise ValueError(f"{pattern!r} is no pattern of file names; write one such as 'networks/*.toml'") from error


def _syntax(error: tomllib.TOMLDecodeError, text: str, file: str) -> Problem:
    """The problem that tomllib found; it can go no further than the first."""
    message = str(error)
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
    twice = _twice(what, text, line)
    if twice:
        return Problem(file, line, "", f"{twice} is there twice", "leave one out")
    instead = "texts, addresses and durations stand in quotation marks" if what == "Invalid value" else ""
    return Problem(file, line, "", f"is not TOML: {what[:1].lower()}{what[1:]}", instead)


def _twice(what: str, text: str, line: int) -> str:
    """The setting or table that is there a second time at a line, if that is what tomllib says; else ''."""
    if what == "Cannot overwrite a value":
        written = text.splitlines()[line - 1]
        found = _SETTING.match(written)
        return f"'{found[1]}'" if found else ""
    if found := _TABLE_TWICE.fullmatch(what):
        return f"[{'.'.join(re.findall(_QUOTED, found[1]))}]"
    found = _KEY_TWICE.fullmatch(what)
    return f"'{found[1]}'" if found else ""


def _too_much(error: ValueError | RecursionError, text: str, file: str) -> Problem:
    """What is TOML, and more than tomllib can read: a number of thousands of digits, or brackets inside each other."""
    if isinstance(error, RecursionError):
        lines = [line.count("[") + line.count("{") for line in text.splitlines()]
        line = lines.index(max(lines)) + 1
        return Problem(file, line, "", "has too many brackets inside each other", "write one pair where one is meant")
    found = _LONG_NUMBER.search(text)
    line = text.count("\n", 0, found.start()) + 1 if found else 0
    return Problem(file, line, "", "has a number of too many digits", "write a smaller number")
