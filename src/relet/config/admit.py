"""From a raw table to a checked one, with every fault told in the operator's words rather than the library's.

A setting that is wrong is told and then left out, so that the rest of the file is checked as well.
"""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from relet.config.lines import Path
from relet.config.report import Report, suggestion
from relet.config.schema import Settings

T = TypeVar("T", bound=Settings)

_EXAMPLES = {
    "prefix": 'prefix = "192.168.1.0/24"',
    "name": 'name = "phones"',
    "code": "code = 224",
    "type": 'type = "text"',
}
"""What to write for a setting that must be there."""


def admit(kind: type[T], table: Mapping[str, object], path: Path, where: str, report: Report) -> T | None:
    """The table with what is wrong in it left out and reported; None if something is missing that must be there."""
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        report.add((*path, *detail["loc"]), where, *_words(kind, detail))
    wrong = {detail["loc"][0] for detail in details}
    try:
        return kind.model_validate({name: value for name, value in table.items() if name not in wrong})
    except ValidationError:
        return None


def _words(kind: type[Settings], detail: ErrorDetails) -> tuple[str, str]:
    """(what is wrong, what to write instead)"""
    setting = str(detail["loc"][0])
    known = sorted(str(field.alias) for field in kind.model_fields.values())
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown setting '{setting}'", suggestion(setting, known, f"known here: {', '.join(known)}")
        case "missing":
            return f"'{setting}' is missing", f"write {_EXAMPLES[setting]}"
        case "literal_error":
            return f"{setting}: {found!r} is not known here", f"write {detail['ctx']['expected']}"
        case "list_type":
            return f"{setting}: {found!r} is not a list", 'write it in brackets, as in ["..."]'
        case "bool_type":
            return f"{setting}: {found!r} is not a truth value", "write true or false, without quotation marks"
        case _:
            what, _, instead = detail["msg"].removeprefix("Value error, ").partition("; ")
            return f"{setting}: {what}", instead
