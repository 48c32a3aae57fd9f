"""What can go wrong with frames: hooks of a link (`relet.lab.ether.Hook`) for the faults that tests ask for most.

Each is for frames that `Wanted` tells, and for so many of them; the others pass as they are.
"""

from collections.abc import Callable, Iterable
from random import Random

from msgspec.structs import replace

from relet.errors import WireError
from relet.lab.ether import Frame, Hook, doubled
from relet.lab.words import words
from relet.wire.frame import decode_datagram, encode_datagram
from relet.wire.message import DEFAULT_LIMIT, Message, encode

Wanted = Callable[[Frame], bool]


def wanted(label: str = "", source: str = "", times: int | None = None) -> Wanted:
    """Frames of this label ('DHCPACK', 'ARP probe'; '' for any DHCP or ARP) and host ('' for any), the first `times`."""
    left = times

    def is_wanted(frame: Frame) -> bool:
        nonlocal left
        said = words(frame.octets)
        if said is None or label not in ("", said.label) or source not in ("", frame.source) or left == 0:
            return False
        left = None if left is None else left - 1
        return True

    return is_wanted


def dropping(is_wanted: Wanted) -> Hook:
    """They are lost."""
    return lambda frame: [] if is_wanted(frame) else [frame]


def delaying(is_wanted: Wanted, seconds: float) -> Hook:
    """They are so much longer under way; what was sent after them may overtake them."""
    return lambda frame: [replace(frame, delay=frame.delay + seconds) if is_wanted(frame) else frame]


def duplicating(is_wanted: Wanted, seconds: float) -> Hook:
    """They come once more, so many seconds later."""
    return lambda frame: doubled(frame, seconds) if is_wanted(frame) else [frame]


def losing(share: float, random: Random) -> Hook:
    """This share of all frames is lost, by the link's dice."""
    return lambda frame: [] if random.random() < share else [frame]


def altering(is_wanted: Wanted, change: Callable[[Message], Message | Iterable[Message]]) -> Hook:
    """The DHCP messages in them are changed; several for one come one after the other, none loses it."""

    def alter(frame: Frame) -> list[Frame]:
        message = dhcp(frame)
        if message is None or not is_wanted(frame):
            return [frame]
        changed = change(message)
        return [with_dhcp(frame, each) for each in ([changed] if isinstance(changed, Message) else changed)]

    return alter


def dhcp(frame: Frame) -> Message | None:
    """The DHCP message in a frame, None if there is none that can be read."""
    said = words(frame.octets)
    return None if said is None else said.message


def with_dhcp(frame: Frame, message: Message) -> Frame:
    """The frame with another message in it. Raises ValueError if the frame has no datagram, or the message no room."""
    try:
        datagram = decode_datagram(frame.octets)
    except WireError as error:
        raise ValueError(f"the frame of {frame.source} carries no datagram: {error}") from error
    limit = max(DEFAULT_LIMIT, len(datagram.payload))
    return replace(frame, octets=encode_datagram(replace(datagram, payload=encode(message, limit))))
