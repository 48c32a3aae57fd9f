"""What every reader of a table needs at hand."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from relet.config.catalogue import Catalogue
from relet.config.lines import Path
from relet.config.report import Report


class Names:
    """Names of classes, where they are used."""

    def __init__(self) -> None:
        self._places: list[tuple[str, Path, str]] = []

    def used(self, names: Iterable[str], path: Path, where: str) -> None:
        """A list of names that stands at `path`."""
        for position, name in enumerate(names):
            self._places.append((name, (*path, position), where))

    def __iter__(self) -> Iterator[tuple[str, Path, str]]:
        """(name, path, where) of each."""
        return iter(self._places)


def check_both(allow: Sequence[str], deny: Sequence[str], path: Path, where: str, report: Report) -> None:
    """A class that is let in and kept out is kept out, which nobody can want to say."""
    for position, name in enumerate(deny):
        if name in allow:
            what = f"class '{name}' is under allow and under deny"
            report.add((*path, "deny", position), where, what, "leave it out of one")


class Reading(NamedTuple):
    """report: where problems go. catalogue: the options there are. names: where classes are noted that a table names."""

    report: Report
    catalogue: Catalogue
    names: Names
