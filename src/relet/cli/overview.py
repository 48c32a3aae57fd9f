"""What `relet status` shows without a subject: the clients that run on this machine, and its server."""

from pathlib import Path

import msgspec

from relet.cli.client_status import headline, left
from relet.cli.clients import ask_client
from relet.cli.output import show_json, show_table
from relet.cli.words import complain, printable
from relet.run.control import CLIENTS, SERVER_SOCKET, ControlError, NobodyError, ask
from relet.run.report import Report
from relet.server.told import Status

COLUMNS = ("interface", "state", "address", "server", "lease ends")


class Overview(msgspec.Struct, frozen=True):
    """Clients by interface; the server, None if none answers where the packaged one does."""

    clients: list[Report]
    server: Status | None


def show_overview(sockets: Path | None, as_json: bool) -> bool:
    """Ask whoever is here, and print it. Does anybody run, and is there no trouble?"""
    troubles: list[str] = []
    clients = _clients(sockets or CLIENTS, troubles)
    server = _server(troubles)
    if as_json:
        show_json(Overview(clients, server))
    else:
        if clients:
            show_table(COLUMNS, [_row(report) for report in clients])
        if server:
            print(f"\n{_words(server)}" if clients else _words(server))
    for trouble in troubles:
        complain(trouble)
    if not clients and not server and not troubles:
        complain("no client and no server answers here; a server with another socket is asked by --config or --control")
    return not troubles and bool(clients or server) and all(report.lease for report in clients)


def _clients(folder: Path, troubles: list[str]) -> list[Report]:
    reports = []
    for path in sorted(folder.glob("*.sock")):
        try:
            reports.append(ask_client(path.stem, folder, "status", Report))
        except NobodyError:
            continue  # left by a client that was killed
        except ControlError as error:
            troubles.append(str(error))
    return reports


def _server(troubles: list[str]) -> Status | None:
    try:
        return msgspec.convert(ask(SERVER_SOCKET, {"do": "status"}), Status)
    except NobodyError:
        return None
    except ControlError as error:
        troubles.append(str(error))
        return None


def _row(report: Report) -> tuple[str, ...]:
    lease = report.lease
    return (
        report.interface,
        report.state,
        headline(report) or "-",
        lease.server if lease else "-",
        left(report, lease.expires) if lease else "-",
    )


def _words(server: Status) -> str:
    answers = sum(row.count for row in server.verdicts)
    used, size = sum(row.used for row in server.pools), sum(row.size for row in server.pools)
    trouble = f"; the store fails: {server.store_error}" if server.store_error else ""
    words = f"A server runs here: {answers} verdicts so far, {used} of {size} addresses used{trouble}"
    return printable(f"{words}. More: relet status --control {SERVER_SOCKET}")
