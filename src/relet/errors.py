"""The errors of relet; the type says whose fault it is.

WireError: the peer's (bad bytes). ConfigError: the operator's (all problems at once). MachineError: the machine's, with
StoreError for the store's.
A request that is refused is not an error but a verdict with a reason. A bug of our own is whatever else Python raises.
"""

from collections.abc import Sequence


class ReletError(Exception):
    """Base of every error that relet raises on purpose."""


class WireError(ReletError):
    """Bytes that are not what they claim to be.

    reason: a kebab-case name out of a small fixed set; drops are counted under it.
    offset: of the first octet at fault, counted from the start of the input.
    detail: what was found there, for people.
    """

    def __init__(self, reason: str, offset: int, detail: str = "") -> None:
        super().__init__(reason, offset, detail)
        self.reason = reason
        self.offset = offset
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason} at offset {self.offset}" + (f": {self.detail}" if self.detail else "")


class Problem:
    """One thing wrong in the operator's input: where it stands, what it is, and what to write instead.

    Two are the same if they read the same.
    """

    def __init__(self, file: str, line: int, where: str, what: str, instead: str = "") -> None:
        self.file = file
        self.line = line
        self.where = where
        self.what = what
        self.instead = instead

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        where = f"{self.where}: " if self.where else ""
        return place + where + self.what + (f"; {self.instead}" if self.instead else "")


class ConfigError(ReletError):
    """The configuration cannot be used. `problems` lists everything found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class MachineError(ReletError):
    """This machine does not allow or does not have what is needed; the base of what stores, links and sockets raise."""


class StoreError(MachineError):
    """The store cannot be reached or cannot write; nothing of the batch was committed."""
