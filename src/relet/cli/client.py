"""`relet client IFACE...`: obtain an address, or go on with the one remembered, and keep it until told to stop.

Reads the command line, prints what happens, and turns errors into exit codes. What clients do is in run/clients.py.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path

import msgspec

from relet.cli import presenting
from relet.cli.telling import STDERR, STDOUT, Telling, print_results
from relet.cli.words import complain
from relet.client.conflict import Check
from relet.client.settings import ClientSettings
from relet.client.timing import Timing
from relet.errors import MachineError
from relet.net import rights
from relet.net.link import LinkError, LinkInfo
from relet.run.background import Background
from relet.run.clients import MAX_INTERFACES, Clients
from relet.run.control import CLIENTS
from relet.run.identity import Who, said_identity
from relet.run.leasefile import default_path
from relet.run.memory import Recall
from relet.run.notify import Notify
from relet.run.orders import ENVIRONMENT, Orders
from relet.run.sinks import LogFile, SystemLog
from relet.run.starter import Starter

SYSTEM_LOG = "syslog"
"""In place of a file's name."""

MAX_METRIC = 1 << 31
"""The kernel takes twice as much; there are further interfaces to come."""

SHORTEST_S = 0.1
"""The least that can be asked for as a time to wait."""

HELP_WIDTH = 100
"""Columns of the help."""

ABOUT = """\
Obtain an address for each IFACE and keep it; at the next start, ask for the same one.

SIGTERM stops, takes the address away and keeps the lease remembered; SIGUSR1 renews now; SIGUSR2 gives the lease
back and stops. Exit codes: 0 good, 1 no address, 2 wrong use, 3 the machine does not allow it."""


def client(arguments: Sequence[str]) -> int:
    """Run one client with what is written behind `relet client`. Its exit code; SystemExit with 2 for wrong use."""
    reader = parser()
    said = reader.parse_args(arguments)
    names = tuple(dict.fromkeys(said.iface))
    if said.lease_file and len(names) > 1:
        reader.error("--lease-file is one file for one interface; leave it out, or start a client for each interface")
    if said.take_from and len(names) > 1:
        reader.error("--import is one file for one interface; start a client for each interface")
    if said.anonymous and said.client_id not in (None, "mac"):
        reader.error("--anonymous is known by its hardware address alone (RFC 7844 s3.5); leave out --client-id")
    if len(names) > MAX_INTERFACES:
        reader.error(f"one client serves {MAX_INTERFACES} interfaces at most; start several")
    try:
        settings = _settings(said)
    except ValueError as error:
        reader.error(str(error))
    if said.background and (said.once or said.release):
        reader.error("--background is for a client that goes on; --once and --release end by themselves")
    orders = {name: _orders(name, said) for name in names}
    try:
        background = Background() if said.background else None
        if background and background.in_front:
            return _wait(background)
        return _run(said, orders, settings, background)
    except (MachineError, OSError) as error:
        with suppress(OSError):
            complain(str(error))
        return ENVIRONMENT


def _wait(background: Background) -> int:
    """Be the one in front."""
    outcome = background.outcome()
    if background.goes_on and outcome:
        complain("there is no address yet; the client goes on asking in the background")
    return outcome


def _run(
    said: argparse.Namespace, orders: dict[str, Orders], settings: ClientSettings, background: Background | None
) -> int:
    """Be the client. Raises MachineError."""
    log = said.log or (SYSTEM_LOG if background else None)
    sink = None if log is None else SystemLog() if log == SYSTEM_LOG else LogFile(Path(log), timed=not said.as_json)
    errors = sink.fileno() if sink else None
    result = said.once and said.as_json
    starter = Starter(Notify(os.environ, os.getpid()), background, said.wait, errors)
    telling = Telling(starter, said.as_json, STDERR if result else STDOUT, sink)
    who = rights.somebody_else(said.user)
    clients = Clients(orders, partial(_on, settings), telling.tell, starter, who, said.sockets, said.pid_file, errors)
    outcome = clients.run()
    if result:
        print_results(clients.results())
    return outcome


def parser() -> argparse.ArgumentParser:
    """The options of the command. What is wrong ends the program with code 2 and a line that says what to write."""
    reader = argparse.ArgumentParser(
        prog="relet client",
        usage="relet client [OPTIONS] IFACE...",
        description=ABOUT,
        # With a width it need not ask the terminal for each option, by a module that loads five others.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=HELP_WIDTH),
        allow_abbrev=False,
    )
    add = reader.add_argument
    add("iface", nargs="+", metavar="IFACE", help="a network interface that needs an address")
    add("--lease-file", type=Path, metavar="FILE", help="where the lease is remembered (/var/lib/relet/IFACE.lease)")
    add(
        "--client-id",
        type=_identity,
        metavar="mac|duid|none|HEX",
        help="client identifier (option 61): of the hardware address, of the host's DUID, or such as 01:52:54:00:12:34:56",
    )
    add(
        "--import",
        type=Path,
        metavar="FILE",
        dest="take_from",
        help="take over a lease file of dhclient, dhcpcd or networkd",
    )
    add("--no-import", action="store_true", help="do not look for leases of other clients when there is no lease file")
    presenting.add_to(reader)
    add("--hook", type=_program, metavar="PROGRAM", help="run at each change of the lease; values in RELET_* variables")
    add(
        "--reboot-timeout",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long to ask for the remembered address (10)",
    )
    add(
        "--use-remembered",
        action="store_true",
        help="if nobody answers, use the remembered address while its lease lasts",
    )
    add("--once", action="store_true", help="end when bound; the kernel takes the address away at the end of the lease")
    add(
        "--timeout",
        type=_seconds,
        default=inf,
        metavar="SECONDS",
        help="end with code 1 if there is no address by then",
    )
    add("--no-configure", action="store_true", help="do everything but touch the interface")
    add("--no-resolver", action="store_true", help="leave resolv.conf alone")
    add(
        "--metric",
        type=_metric,
        metavar="N",
        help="metric of routes; one more for each further interface (1000 and the interface's index)",
    )
    add(
        "--conflict",
        choices=[str(check) for check in Check],
        metavar="|".join(Check),
        help="how to find out whether another host has the address: as RFC 5227 says (full; so by default for a new one), in"
        " the first moments of its use (quick; by default for one that is remembered), or not before use (off)",
    )
    mode = reader.add_mutually_exclusive_group()
    mode.add_argument("--foreground", action="store_true", help="stay in front until the end (this is the default)")
    mode.add_argument(
        "--background", action="store_true", help="come back when there is an address; the client goes on without you"
    )
    add(
        "--wait",
        type=_seconds,
        default=inf,
        metavar="SECONDS",
        help="let systemd, or whoever called --background, wait no longer; the client goes on asking",
    )
    add("--log", metavar="FILE|syslog", help="write there what happens (syslog with --background)")
    add("--pid-file", type=_path, metavar="FILE", help="write the process id there while the client runs")
    add("--sockets", type=_path, default=CLIENTS, metavar="FOLDER", help=f"where it can be asked ({CLIENTS})")
    add("--user", default="", metavar="NAME", help="whom to become once the sockets are open (relet, else nobody)")
    add("--release", action="store_true", help="have the remembered lease confirmed, give it back, and end")
    add("--json", action="store_true", dest="as_json", help="one line of JSON for each event")
    return reader


def _path(text: str) -> Path:
    return Path(text).absolute()


def _identity(text: str) -> Who:
    try:
        return said_identity(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _metric(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= MAX_METRIC:
        raise argparse.ArgumentTypeError(f"{text!r} is no metric; write a number from 1 to {MAX_METRIC}, such as 100")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not SHORTEST_S <= seconds < inf:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time to wait; write seconds, {SHORTEST_S:g} or more, such as 30"
        )
    return seconds


def _program(text: str) -> str:
    """Its absolute path."""
    path = Path(text).absolute()
    if path.is_dir() or not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(
            f"{text} is no program that can be run; write the path of one that is executable"
        )
    return str(path)


def _orders(name: str, said: argparse.Namespace) -> Orders:
    return Orders(
        recall=Recall(
            lease_file=(said.lease_file or default_path(name)).absolute(),
            who=said.client_id,
            anonymous=said.anonymous,
            take_over=not said.no_import,
            take_from=said.take_from,
        ),
        hook=(said.hook,) if said.hook else (),
        configure=not said.no_configure,
        resolver=not said.no_resolver,
        metric=None if said.metric is None else said.metric + said.iface.index(name),
        once=said.once,
        release=said.release,
        timeout=said.timeout,
    )


def _settings(said: argparse.Namespace) -> ClientSettings:
    """What is the same on every interface. Raises ValueError for what does not go together."""
    settings = ClientSettings(
        mac=bytes(6),
        reboot_timeout=said.reboot_timeout,
        use_remembered=said.use_remembered,
        check_new=Check(said.conflict or Check.FULL),
        check_again=Check(said.conflict or Check.QUICK),
        # Whoever wants to give a lease back does not want another one.
        timing=Timing(hedge_after=inf if said.release else Timing().hedge_after),
    )
    return presenting.presented(said, settings)


def _on(settings: ClientSettings, link: LinkInfo) -> ClientSettings:
    """The settings of a client on this interface. Raises LinkError if it cannot have one."""
    if len(link.mac) != 6 or not any(link.mac):
        raise LinkError(f"{link.name} is not an Ethernet interface")
    return msgspec.structs.replace(settings, mac=link.mac, interface=link.name)
