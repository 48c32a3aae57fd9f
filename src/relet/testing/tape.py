"""What passed on a link, for a test to look at; the same for links in memory and real ones."""

from collections import deque

from relet.lab.ether import Frame
from relet.lab.story import Entry
from relet.wire.message import Message

MAX_FRAMES = 10_000
"""Frames that a link remembers, the newest."""


class Tape:
    """Frames in the order in which they were sent, the newest MAX_FRAMES; also those that nobody heard."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=MAX_FRAMES)

    def saw(self, frame: Frame, lost: bool) -> None:
        """A frame was sent."""
        self.entries.append(Entry(frame, lost))

    @property
    def frames(self) -> list[Frame]:
        """The frames, oldest first."""
        return [entry.frame for entry in self.entries]

    @property
    def sent(self) -> list[tuple[str, str]]:
        """(host, label) of every DHCP message and ARP packet: ('client-1', 'DHCPDISCOVER'), ('client-1', 'ARP probe')."""
        return [(frame.source, label) for frame in self.frames if (label := frame.label)]

    def messages(self, label: str = "", source: str = "") -> list[Message]:
        """The DHCP messages of this label ('DHCPREQUEST') and host; '' for any."""
        frames = [frame for frame in self.frames if source in ("", frame.source) and label in ("", frame.label)]
        return [message for frame in frames if (message := frame.message)]
