"""From the [[class]] tables to classes, and whether every class that is named somewhere is there."""

from collections.abc import Iterator, Mapping, Sequence

from relet.config.admit import admit
from relet.config.draft import PlacedClass
from relet.config.expression import parse_expression
from relet.config.lines import Path
from relet.config.parameters import check_times, read_parameters
from relet.config.reading import Reading
from relet.config.report import Report, suggestion, unheard
from relet.config.schema import ClassTable
from relet.model.expression import All, Any, Expression, InClass, Not
from relet.model.network import BUILT_IN_CLASSES, ClientClass, Parameters


def read_classes(raws: Sequence[Mapping[str, object]], wider: Parameters, reading: Reading) -> tuple[PlacedClass, ...]:
    """All classes of a file. wider: what the server says."""
    read = (_class(raw, ("class", position), wider, reading) for position, raw in enumerate(raws))
    return tuple(each for each in read if each)


def check_names(classes: Sequence[PlacedClass], reading: Reading) -> None:
    """Is every class there that is named, and each there once?"""
    report = reading.report
    first: dict[str, Path] = {}
    for path, where, row in classes:
        if row.name in BUILT_IN_CLASSES:
            what = f"the server itself knows a class '{row.name}': {BUILT_IN_CLASSES[row.name]}"
            report.add((*path, "name"), where, what, "give it another name")
        before = first.setdefault(row.name, path)
        if before is not path:
            what = f"the class is in {report.place(before, path)} already"
            report.add((*path, "name"), where, what, "give it another name, or join the two tests by 'or'")
    _check_tests(classes, report)
    refused = {row.name for _, _, row in classes if row.refuse}
    for name, path, where in reading.names:
        if name in refused and path[-2] == "allow":
            what = f"class '{name}' is refused, so nobody is let in by it"
            report.add(path, where, what, "leave one of the two out")
        if name not in first and name not in BUILT_IN_CLASSES:
            instead = suggestion(name, (*first, *BUILT_IN_CLASSES), f'write [[class]] with name = "{name}"')
            report.add(path, where, f"there is no class '{name}'", instead)


def _check_tests(classes: Sequence[PlacedClass], report: Report) -> None:
    """A test asks for classes that are known by then: built in, without a test of their own, or earlier in the file."""
    order = {row.name: position for position, (_, _, row) in enumerate(classes)}
    for position, (path, where, row) in enumerate(classes):
        here = (*path, "test")
        for name in _named(row.test):
            if name in BUILT_IN_CLASSES:
                continue
            if name not in order:
                instead = suggestion(name, (*order, *BUILT_IN_CLASSES), f'write [[class]] with name = "{name}"')
                report.add(here, where, f"test: there is no class '{name}'", instead)
            elif order[name] >= position and classes[order[name]].row.test is not None:
                what = f"test: class '{name}' does not stand before this one"
                report.add(here, where, what, "a test may ask for classes that stand earlier in the file")


def _class(raw: Mapping[str, object], path: Path, wider: Parameters, reading: Reading) -> PlacedClass | None:
    where = f'class "{raw["name"]}"' if isinstance(raw.get("name"), str) else f"class {int(path[-1]) + 1}"
    report = reading.report
    table = admit(ClassTable, raw, path, where, report)
    named = table is not None
    table = table or admit(ClassTable, {**raw, "name": "unnamed"}, path, where, unheard())
    own = read_parameters(table, raw, path, where, reading)
    if table is None:
        return None
    check_times(own, wider, path, where, report)
    test: Expression | None = None
    if table.test is not None:
        try:
            test = parse_expression(table.test, reading.catalogue.by_name)
        except ValueError as error:
            report.refused((*path, "test"), where, "test", error)
    if not named:
        return None
    return PlacedClass(path, where, ClientClass(table.name, test, own, table.refuse))


def _named(test: Expression | None) -> Iterator[str]:
    """Classes that a test asks for."""
    match test:
        case InClass(name=name):
            yield name
        case All(parts=parts) | Any(parts=parts):
            for each in parts:
                yield from _named(each)
        case Not(part=inner):
            yield from _named(inner)
