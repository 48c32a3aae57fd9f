"""Classless static routes (RFC 3442): a width, the significant octets of the destination, the router."""

from relet.wire.address import ip_text, mask, parse_ip, parse_prefix
from relet.wire.cursor import Cursor
from relet.wire.kinds import Kind, Value

Route = tuple[int, int, int]
"""(destination, width, router); router 0 for a destination on the link itself."""


class Routes(Kind, frozen=True):
    """tuple of routes. Configured as a list of "10.0.0.0/8 via 192.168.1.1"; "0.0.0.0/0" is the default route."""

    def read(self, cursor: Cursor) -> tuple[Route, ...]:
        routes: list[Route] = []
        while cursor.left():
            width = cursor.uint(1)
            if width > 32:
                raise cursor.error("bad-value", f"{width} is no width of a prefix")
            octets = cursor.take(_significant(width))
            # RFC 3442: bits of the destination behind its width are cleared, not refused.
            destination = int.from_bytes(octets.ljust(4, b"\0"), "big") & mask(width)
            routes.append((destination, width, cursor.uint(4)))
        return tuple(routes)

    def write(self, value: Value) -> bytes:
        return b"".join(_route_octets(*route) for route in value)

    def parse(self, configured: object) -> tuple[Route, ...]:
        return tuple(map(_parse_route, configured if isinstance(configured, list | tuple) else [configured]))

    def text(self, value: Value) -> str:
        return ", ".join(_route_text(*route) for route in value)

    def plain(self, value: Value) -> object:
        return [_route_text(*route) for route in value]


def _significant(width: int) -> int:
    """How many octets of a destination are written."""
    return (width + 7) // 8


def _route_octets(destination: int, width: int, router: int) -> bytes:
    if not 0 <= width <= 32 or destination & ~mask(width):
        raise ValueError(f"{ip_text(destination)}/{width} is not a prefix without bits behind its width")
    significant = destination.to_bytes(4, "big")[: _significant(width)]
    return bytes((width,)) + significant + router.to_bytes(4, "big")


def _parse_route(configured: object) -> Route:
    prefix, via, router = str(configured).partition(" via ")
    if not isinstance(configured, str) or not via:
        raise ValueError(f'{configured!r} is not a route such as "10.0.0.0/8 via 192.168.1.1"')
    return *parse_prefix(prefix.strip()), parse_ip(router.strip())


def _route_text(destination: int, width: int, router: int) -> str:
    return f"{ip_text(destination)}/{width} via {ip_text(router)}"


ROUTES = Routes("routes", 5)
