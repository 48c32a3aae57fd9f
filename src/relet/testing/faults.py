"""What can go wrong with frames: hooks of a link (`relet.lab.ether.Hook`) for the faults that tests ask for most.

Each is for frames that `Wanted` tells, and for so many of them; the others pass as they are.
"""

from collections.abc import Callable, Iterable
from random import Random

from relet.lab.ether import Frame, Hook
from relet.wire.message import Message
from relet.wire.summary import LABELS

Wanted = Callable[[Frame], bool]


def wanted(label: str = "", source: str = "", times: int | None = None) -> Wanted:
    """Frames of this label ('DHCPACK', 'ARP probe'; '' for any DHCP or ARP) and host ('' for any), the first `times`.

    Raises ValueError for a label that no frame has: a fault that never comes would make a test pass for nothing.
    """
    if label and label not in LABELS:
        raise ValueError(f"no frame is labelled {label!r}; labels are {', '.join(LABELS)}, and '' for all of them")
    left = times

    def is_wanted(frame: Frame) -> bool:
        nonlocal left
        said = frame.label
        if not said or label not in ("", said) or source not in ("", frame.source) or left == 0:
            return False
        left = None if left is None else left - 1
        return True

    return is_wanted


def dropping(is_wanted: Wanted) -> Hook:
    """They are lost."""
    return lambda frame: [] if is_wanted(frame) else [frame]


def delaying(is_wanted: Wanted, seconds: float) -> Hook:
    """They are so much longer under way; what was sent after them may overtake them."""
    return lambda frame: [frame.later(seconds) if is_wanted(frame) else frame]


def duplicating(is_wanted: Wanted, seconds: float) -> Hook:
    """They come once more, so many seconds later."""
    return lambda frame: [frame, frame.later(seconds)] if is_wanted(frame) else [frame]


def losing(share: float, random: Random) -> Hook:
    """This share of all frames is lost, by the link's dice."""
    return lambda frame: [] if random.random() < share else [frame]


def altering(is_wanted: Wanted, change: Callable[[Message], Message | Iterable[Message]]) -> Hook:
    """The DHCP messages in them are changed; several for one come one after the other, none loses it."""

    def alter(frame: Frame) -> list[Frame]:
        message = frame.message
        if message is None or not is_wanted(frame):
            return [frame]
        changed = change(message)
        return [frame.carrying(each) for each in ([changed] if isinstance(changed, Message) else changed)]

    return alter
