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

HEARD = ("heard", "ignored")


def show_exchange(console: Console, report: Report) -> None:
    """Print the last exchange of a client, if it had one."""
    exchange = report.exchange
    if exchange is None:
        return
    columns = _columns(report, exchange)
    client = columns[""]
    ladder = Ladder([TerminalLadder(console)])
    ladder.begin("", f"Last exchange, begun {when(exchange.began)}", tuple(dict.fromkeys(columns.values())))
    if exchange.omitted:
        ladder.add(Aside(0.0, client.name, f"{exchange.omitted} earlier moments are no longer known"))
    for moment in exchange.moments:
        ladder.add(_event(moment, client.name, columns))


def _columns(report: Report, exchange: Exchange) -> dict[str, Host]:
    """The client's, under no address, and those of whoever was heard, by address, in the order in which they were."""
    peers = tuple(dict.fromkeys(moment.peer for moment in exchange.moments if moment.what in HEARD))
    servers = {moment.peer for moment in exchange.moments if moment.what in HEARD and moment.label.startswith("DHCP")}
    # An interface may be called 'server'.
    columns = {"": Host(f"{printable(report.interface)} · {Role.CLIENT}", Role.CLIENT, report.mac)}
    for number, peer in enumerate(peers):
        if len(peers) < MAX_HOSTS or number < MAX_HOSTS - 2:
            role = Role.SERVER if peer in servers else Role.HOST
            same = sum(host.role is role for host in columns.values())
            columns[peer] = Host(f"{role} {same + 1}" if same else str(role), role, peer)
        else:
            columns[peer] = Host(OTHERS, Role.HOST)
    return columns


def _event(moment: Moment, client: str, columns: dict[str, Host]) -> Event:
    match moment.what:
        case "state":
            return State(moment.at, client, moment.label, moment.text)
        case "note":
            return Aside(moment.at, client, moment.text)
        case "sent" if not moment.peer:
            return Packet(moment.at, client, moment.label, EVERYBODY, moment.text)
        case "sent" if moment.peer not in columns:
            # to one of whom nothing was heard: is there anybody?
            return Packet(moment.at, client, moment.label, EVERYBODY, moment.text, f"to {moment.peer}", lost=True)
        case "sent":
            return Packet(moment.at, client, moment.label, columns[moment.peer].name, moment.text)
        case "heard":
            return Packet(moment.at, columns[moment.peer].name, moment.label, client, moment.text)
        case "ignored":
            return Packet(
                moment.at, columns[moment.peer].name, moment.label, client, moment.text, "ignored", Tone.PLAIN
            )
