"""A client's last exchange as a ladder: what it recorded (run/recorder.py), as events of lab/ladder.py, on the terminal."""

from rich.console import Console

from relet.cli.output import when
from relet.cli.words import printable
from relet.lab.ladder import EVERYBODY, MAX_HOSTS, Aside, Event, Host, Ladder, Packet, Role, State, Tone
from relet.lab.terminal import TerminalLadder
from relet.run.recorder import Exchange, Moment
from relet.run.report import Report

OTHERS = "others"
"""The column of all for whom there is none left."""


def show_exchange(console: Console, report: Report) -> None:
    """Print the last exchange of a client, if it had one."""
    exchange = report.exchange
    if exchange is None:
        return
    client = printable(report.interface)
    columns = _columns(client, report.mac, exchange)
    ladder = Ladder([TerminalLadder(console)])
    ladder.begin("", f"Last exchange, begun {when(exchange.began)}", tuple(columns.values()))
    if exchange.omitted:
        ladder.add(Aside(0.0, client, f"{exchange.omitted} earlier moments are no longer known"))
    for moment in exchange.moments:
        ladder.add(_event(moment, client, columns))


def _columns(client: str, mac: str, exchange: Exchange) -> dict[str, Host]:
    """The client, then whoever it spoke with, by address, in the order in which they appear."""
    servers = dict.fromkeys(moment.peer for moment in exchange.moments if moment.label.startswith("DHCP"))
    columns = {client: Host(client, Role.CLIENT, mac)}
    for moment in exchange.moments:
        peer = moment.peer
        if peer and peer not in columns and len(columns) < MAX_HOSTS:
            role = Role.SERVER if peer in servers else Role.HOST
            number = 1 + sum(host.role is role for host in columns.values())
            columns[peer] = Host(f"{role} {number}" if number > 1 else str(role), role, peer)
    if len(columns) == MAX_HOSTS and len({moment.peer for moment in exchange.moments if moment.peer}) >= MAX_HOSTS:
        del columns[tuple(columns)[-1]]
        columns[OTHERS] = Host(OTHERS, Role.HOST)
    return columns


def _event(moment: Moment, client: str, columns: dict[str, Host]) -> Event:
    column = columns.get(moment.peer) or columns.get(OTHERS)
    peer = column.name if column and moment.peer else EVERYBODY
    match moment.what:
        case "state":
            return State(moment.at, client, moment.label, moment.text)
        case "note":
            return Aside(moment.at, client, moment.text)
        case "sent":
            return Packet(moment.at, client, moment.label, peer, moment.text)
        case "heard":
            return Packet(moment.at, peer, moment.label, client, moment.text)
        case "ignored":
            return Packet(moment.at, peer, moment.label, client, moment.text, "ignored", Tone.PLAIN)
