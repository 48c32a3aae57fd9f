"""Where problems are gathered, so that the operator hears of all of them at once and each with its line."""

from collections.abc import Iterable
from difflib import get_close_matches

from relet.config.lines import Lines, Path
from relet.errors import ConfigError, Problem


class Report:
    """The problems of one file."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self._problems: list[Problem] = []

    def add(self, path: Path, where: str, what: str, instead: str = "") -> None:
        """One more problem, at a path of the file."""
        self._problems.append(Problem(self._file, self._lines.line(path), where, what, instead))

    def refused(self, path: Path, where: str, setting: str, error: ValueError) -> None:
        """One more problem, as a parser words it: 'what; what to write instead'."""
        what, _, instead = str(error).partition("; ")
        self.add(path, where, f"{setting}: {what}", instead)

    def __len__(self) -> int:
        return len(self._problems)

    def place(self, path: Path) -> str:
        """'line 12' of a path, for a problem that has two ends."""
        return f"line {self._lines.line(path)}"

    def fail(self) -> None:
        """Raises ConfigError if there was any problem."""
        if self._problems:
            raise ConfigError(sorted(dict.fromkeys(self._problems), key=lambda problem: problem.line))


def suggestion(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """'did you mean ...?' for a word that resembles a known one."""
    near = get_close_matches(word.lower().replace("_", "-"), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else otherwise
