"""The values that `relet storm` takes on its command line: shares, durations, addresses, models of clients, the mix."""

import re

import typer

from relet.lab.storm.models import MODELS
from relet.wire.address import parse_ip, parse_prefix

MOST_RELAYS = 256
MOST_S = 86_400.0
UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def share(text: str) -> float:
    """'5%' or '0.05'."""
    number, percent, rest = text.partition("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = -1.0
    if rest or not 0 <= value <= 1:
        raise typer.BadParameter(f"{text!r} is not a share such as 5% or 0.05")
    return value


def seconds(text: str) -> float:
    """'30s', '500ms', '2m', '1h', or a number of seconds."""
    written = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    value = float(written[1]) * UNITS[written[2]] if written else 0.0
    if not 0 < value <= MOST_S:
        raise typer.BadParameter(f"{text!r} is not a time of up to a day, such as 30s, 500ms or 2m")
    return value


def server(text: str) -> str:
    """The address of one host."""
    try:
        address = parse_ip(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if address >> 28 >= 14 or address >> 24 == 0:
        raise typer.BadParameter(f"{text} is not the address of one server")
    return text


def relays(text: str) -> tuple[str, ...]:
    """'10.64.0.2,10.64.0.3', each once."""
    each = tuple(server(part.strip()) for part in text.split(","))
    if len(set(each)) < len(each) or len(each) > MOST_RELAYS:
        raise typer.BadParameter(f"{text!r} should name at most {MOST_RELAYS} relays, each once")
    return each


def prefix(text: str) -> tuple[int, int]:
    """'198.18.0.0/15', with room for hosts."""
    try:
        address, width = parse_prefix(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not 1 <= width <= 30:
        raise typer.BadParameter(f"{text} has no room for a network of clients")
    return address, width


def models(text: str) -> dict[str, int]:
    """'windows=40,ipxe=5': models of clients and their shares, which are of their sum."""
    return _shares(text, tuple(MODELS))


def mix(text: str) -> dict[str, int]:
    """'allocate=10,reboot=60,renew=30', shares of their sum."""
    return _shares(text, ("allocate", "reboot", "renew"))


def _shares(text: str, known: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in known or name in found or not re.fullmatch(r"[0-9]{1,6}", number or "1"):
            raise typer.BadParameter(f"{part!r} is not one of {', '.join(known)} with its share, such as {known[0]}=40")
        found[name] = int(number or 1)
    if not sum(found.values()):
        raise typer.BadParameter(f"all shares of {text!r} are zero")
    return found
