"""Where problems are gathered, so that the operator hears of all of them at once and each with its line."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from relet.config.lines import Path
from relet.errors import ConfigError, Problem

Place = Callable[[Path], tuple[int, str, int]]
"""(position of the file, its name, line) of a path of the document."""


class Report:
    """The problems of a configuration. place: where a path stands."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._problems: list[tuple[int, Problem]] = []

    def add(self, path: Path, where: str, what: str, instead: str = "") -> None:
        """One more problem, at a path of the document."""
        position, file, line = self._place(path)
        self._problems.append((position, Problem(file, line, where, what, instead)))

    def refused(self, path: Path, where: str, setting: str, error: ValueError) -> None:
        """One more problem, as a parser words it: 'what; what to write instead'."""
        what, _, instead = str(error).partition("; ")
        self.add(path, where, f"{setting}: {what}", instead)

    def __len__(self) -> int:
        return len(self._problems)

    def place(self, path: Path, beside: Path) -> str:
        """'line 12' of a path, for a problem that has two ends; with its file, if that is another one than `beside`'s."""
        (position, file, line), (here, _, _) = self._place(path), self._place(beside)
        return f"line {line}" if position == here else f"{file}:{line}"

    def fail(self, others: Iterable[Problem] = ()) -> None:
        """Raises ConfigError if there was any problem, or any among `others`, which come first."""
        ordered = sorted(dict.fromkeys(self._problems), key=lambda each: (each[0], each[1].line))
        problems = [*others, *(problem for _, problem in ordered)]
        if problems:
            raise ConfigError(problems)


def unheard() -> Report:
    """A report for a table that is read once more, all of whose problems are told already."""
    return Report(lambda _: (0, "", 0))


def suggestion(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """'did you mean ...?' for a word that resembles a known one."""
    near = get_close_matches(word.lower().replace("_", "-"), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else otherwise
