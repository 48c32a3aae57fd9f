"""A place in octets that are being read: never past the end, and consumed exactly.

Every kind of value reads through one of these, so a length that lies cannot reach beyond its own option. Knows nothing
of what is read.
"""

from relet.errors import WireError


class Cursor:
    """Reads `octets` from front to back. All methods raise WireError, its offset counted from the first octet."""

    __slots__ = ("at", "base", "octets")

    def __init__(self, octets: bytes, base: int = 0) -> None:
        """base: offset of the first octet within the whole that errors count from."""
        self.octets = octets
        self.base = base
        self.at = 0

    def left(self) -> int:
        """How many octets are unread."""
        return len(self.octets) - self.at

    def take(self, size: int) -> bytes:
        """The next `size` octets."""
        stop = self.at + size
        if stop > len(self.octets):
            raise self.error("truncated-value", f"{size} octets are called for, {self.left()} are left")
        taken = self.octets[self.at : stop]
        self.at = stop
        return taken

    def uint(self, size: int) -> int:
        """The next `size` octets as an unsigned number."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """All that is unread."""
        return self.take(self.left())

    def part(self, size: int) -> "Cursor":
        """A cursor over the next `size` octets, which count as read."""
        base = self.base + self.at
        return Cursor(self.take(size), base)

    def finish(self) -> None:
        """Refuse octets that nobody has read."""
        if self.left():
            raise self.error("trailing-octets", f"{self.left()} octets are left over")

    def error(self, reason: str, detail: str) -> WireError:
        """The error of this place."""
        return WireError(reason, self.base + self.at, detail)
