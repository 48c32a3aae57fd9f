"""The RFC 2131 client as a machine without a world: events in, effects out, time and dice as arguments.

Whoever has a clock, sockets and an interface can drive it; `run/acquire.py` and `run/lease.py` do, and docs/library.md shows
how. Nothing here reads a clock, draws a random number, or touches a file or socket:

    >>> from relet.client import Client, ClientSettings, Command, Now, Send
    >>> client = Client(ClientSettings(mac=bytes.fromhex("525400123456")), dice=lambda: 0.5)
    >>> [effect] = client.handle(Command.START, Now(wall=1_700_000_000.0, mono=0.0))
    >>> isinstance(effect, Send), type(client.state).__name__
    (True, 'Selecting')
"""

from relet.client.conflict import Check, ConflictTiming
from relet.client.dice import Dice
from relet.client.machine import Client
from relet.client.settings import ClientSettings
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Held,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    Stopped,
    V6Only,
)
from relet.client.timing import Timing
from relet.model.clock import Now
from relet.model.effects import (
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Finished,
    Gateway,
    Note,
    Remember,
    Remembered,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake, Woken

__all__ = [
    "ArpSeen",
    "Arrival",
    "Attached",
    "Backoff",
    "Binding",
    "Bound",
    "Check",
    "Client",
    "ClientSettings",
    "ClockSet",
    "Command",
    "Configure",
    "ConflictTiming",
    "Deconfigure",
    "Dice",
    "Effect",
    "Event",
    "Finished",
    "Gateway",
    "Held",
    "Init",
    "InitReboot",
    "LinkChanged",
    "LinkDown",
    "Note",
    "Now",
    "Probing",
    "Rebinding",
    "Rebooting",
    "Remember",
    "Remembered",
    "Renewing",
    "Requesting",
    "Selecting",
    "Send",
    "SendArp",
    "State",
    "Stopped",
    "Timing",
    "V6Only",
    "Wake",
    "Woken",
]
