"""An exchange between any hosts as a ladder diagram in plain text: for the report of a test that failed."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from math import inf

import msgspec
from rich.console import Console

from relet.lab.ether import Frame
from relet.lab.ladder import EVERYBODY, MAX_HOSTS, Event, Host, Ladder, Packet, Role, Silence
from relet.lab.terminal import WIDEST, TerminalLadder
from relet.lab.words import words
from relet.server.told import Told

MAX_TOLD = 60
"""Events that are shown, the last; what was before them is counted."""

NEAR_S = 0.5
"""Most that lies between a real server's verdict and its reply."""


class Entry(msgspec.Struct, frozen=True):
    """A frame that was sent, and whether nobody heard it."""

    frame: Frame
    lost: bool


def packets(
    entries: Iterable[Entry], names: Mapping[bytes, str], verdicts: Mapping[str, Sequence[Told]], began: float
) -> list[Event]:
    """What was sent. names: hosts by hardware address. verdicts: what each server says of itself. began: wall time."""
    told: list[Event] = []
    for entry in entries:
        frame, said = entry.frame, words(entry.frame.octets)
        if said is None:
            continue
        target = names.get(frame.octets[:6], EVERYBODY)
        reason = _reason(frame, said.label, verdicts.get(frame.source, ()))
        packet = Packet(frame.at - began, frame.source, said.label, target, said.detail, reason, lost=entry.lost)
        told.append(packet)
    return told


def silences(verdicts: Mapping[str, Sequence[Told]], began: float) -> list[Event]:
    """What servers heard and did not answer, and why."""
    return [
        Silence(told.at - began, server, f"because {told.text}")
        for server, each in verdicts.items()
        for told in each
        if told.answer == "SILENT"
    ]


def render(title: str, hosts: Sequence[Host], events: Iterable[Event]) -> str:
    """The ladder as text, of MAX_HOSTS hosts and the last MAX_TOLD events among them; '' if there are none."""
    if not hosts:
        return ""
    happened = sorted(events, key=_order)
    shown = _chosen(hosts, happened)
    names = {host.name for host in shown} | {EVERYBODY}
    among = [event for event in happened if _hosts_of(event) <= names]
    if not among:
        return ""
    left_out = [f"{len(hosts) - len(shown)} more hosts"] if len(hosts) > len(shown) else []
    left_out += [f"{len(among) - MAX_TOLD} earlier events"] if len(among) > MAX_TOLD else []
    out = StringIO()
    ladder = Ladder([TerminalLadder(Console(file=out, width=WIDEST, color_system=None, legacy_windows=False))])
    ladder.begin(title, f"Not shown: {', '.join(left_out)}." if left_out else "", shown)
    for event in among[-MAX_TOLD:]:
        ladder.add(event)
    return out.getvalue().strip("\n")


def _chosen(hosts: Sequence[Host], events: Sequence[Event]) -> list[Host]:
    """The hosts that did something last, a server among them if there is one, in their order."""
    last = {event.source if isinstance(event, Packet) else event.host: event.at for event in events}
    latest = sorted(hosts, key=lambda host: last.get(host.name, -inf), reverse=True)
    server = next((host for host in latest if host.role is Role.SERVER), latest[0])
    chosen = {host.name for host in [server, *(host for host in latest if host is not server)][:MAX_HOSTS]}
    return [host for host in hosts if host.name in chosen]


def _reason(frame: Frame, label: str, verdicts: Sequence[Told]) -> str:
    """Why a server gave this answer: the verdict of the kind that is nearest in time."""
    given = [told for told in verdicts if label == f"DHCP{told.answer}" and abs(told.at - frame.at) < NEAR_S]
    return f"because {min(given, key=lambda told: abs(told.at - frame.at)).text}" if given else ""


def _hosts_of(event: Event) -> set[str]:
    return {event.source, event.target} if isinstance(event, Packet) else {event.host}


def _order(event: Event) -> tuple[float, int]:
    """At one moment: first what was heard, then what came of it."""
    return event.at, 0 if isinstance(event, Packet) else 1 if isinstance(event, Silence) else 2
