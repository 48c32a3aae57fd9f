"""`relet client IFACE...`: obtain an address, or go on with the one remembered, and keep it until told to stop.

Reads the command line, prints what happens, and turns errors into exit codes. What clients do is in run/clients.py.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path

import msgspec

from relet.cli.log import log_to_stderr
from relet.cli.words import complain, printable
from relet.client.conflict import ConflictTiming
from relet.client.settings import ClientSettings
from relet.client.timing import Timing
from relet.errors import MachineError
from relet.net.link import LinkError, LinkInfo
from relet.run.acquire import ENVIRONMENT, Orders
from relet.run.clients import MAX_INTERFACES, Clients
from relet.run.leasefile import default_path
from relet.run.presence import FAILED
from relet.run.told import Told
from relet.wire.address import parse_hex

CHECKS = {
    "full": (ConflictTiming(), Timing()),
    "quick": (
        ConflictTiming(
            probe_wait=0.1, probe_num=2, probe_min=0.1, probe_max=0.2, announce_wait=0.3, announce_interval=0.2
        ),
        Timing(start_delay=0.1),
    ),
    "none": (ConflictTiming(probe_num=0, announce_interval=0.2), Timing(start_delay=0.0)),
}
"""How carefully an address is checked before it is used (RFC 5227): with the waits of the RFCs, or a laboratory's, where
nobody else is on the wire."""

SHORTEST_S = 0.1
"""The least that can be asked for as a time to wait."""

ABOUT = """\
Obtain an address for each IFACE and keep it; at the next start, ask for the same one.

SIGTERM stops, takes the address away and keeps the lease remembered; SIGUSR1 renews now; SIGUSR2 gives the lease
back and stops. Exit codes: 0 good, 1 no address, 2 wrong use, 3 the machine does not allow it."""


def client(arguments: Sequence[str]) -> int:
    """Run one client with what is written behind `relet client`. Its exit code; SystemExit with 2 for wrong use."""
    log_to_stderr("human")
    reader = parser()
    said = reader.parse_args(arguments)
    names = tuple(dict.fromkeys(said.iface))
    if said.lease_file and len(names) > 1:
        reader.error("--lease-file is one file for one interface; leave it out, or start a client for each interface")
    if len(names) > MAX_INTERFACES:
        reader.error(f"one client serves {MAX_INTERFACES} interfaces at most; start several")
    try:
        settings = _settings(said)
    except ValueError as error:
        reader.error(str(error))
    orders = {name: _orders(name, said) for name in names}
    try:
        return Clients(orders, partial(_on, settings), _print_json if said.as_json else _print_line).run()
    except MachineError as error:
        _complain(str(error))
        return ENVIRONMENT


def parser() -> argparse.ArgumentParser:
    """The options of the command. What is wrong ends the program with code 2 and a line that says what to write."""
    reader = argparse.ArgumentParser(
        prog="relet client",
        usage="relet client [OPTIONS] IFACE...",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = reader.add_argument
    add("iface", nargs="+", metavar="IFACE", help="a network interface that needs an address")
    add("--lease-file", type=Path, metavar="FILE", help="where the lease is remembered (/var/lib/relet/IFACE.lease)")
    add("--hostname", default="", metavar="NAME", help="name to tell the server (option 12)")
    add("--client-id", type=_octets, metavar="HEX", help="client identifier (option 61), such as 01:52:54:00:12:34:56")
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
    add(
        "--probe",
        choices=CHECKS,
        default="full",
        metavar="|".join(CHECKS),
        help="check whether the address is free: as RFC 5227 says (full), or for laboratories",
    )
    add("--release", action="store_true", help="have the remembered lease confirmed, give it back, and end")
    add("--json", action="store_true", dest="as_json", help="one line of JSON for each event")
    return reader


def _octets(text: str) -> bytes:
    try:
        return parse_hex(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write octets such as 01:52:54:00:12:34:56") from None


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
    path = str(Path(text).absolute())
    if not shutil.which(path):
        raise argparse.ArgumentTypeError(
            f"{text} is no program that can be run; write the path of one that is executable"
        )
    return path


def _orders(name: str, said: argparse.Namespace) -> Orders:
    return Orders(
        lease_file=(said.lease_file or default_path(name)).absolute(),
        hook=(said.hook,) if said.hook else (),
        configure=not said.no_configure,
        once=said.once,
        release=said.release,
        timeout=said.timeout,
    )


def _settings(said: argparse.Namespace) -> ClientSettings:
    """What is the same on every interface. Raises ValueError for what does not go together."""
    conflict, timing = CHECKS[said.probe]
    return ClientSettings(
        mac=bytes(6),
        hostname=said.hostname,
        client_id=said.client_id,
        reboot_timeout=said.reboot_timeout,
        use_remembered=said.use_remembered,
        timing=timing,
        conflict=conflict,
    )


def _on(settings: ClientSettings, link: LinkInfo) -> ClientSettings:
    """The settings of a client on this interface. Raises LinkError if it cannot have one."""
    if len(link.mac) != 6 or not any(link.mac):
        raise LinkError(f"{link.name} is not an Ethernet interface")
    return msgspec.structs.replace(settings, mac=link.mac, interface=link.name)


def _print_line(told: Told) -> None:
    if told.event == FAILED:
        _complain(told.text)
    else:
        _print(printable(f"{told.interface}: {told.text}"))


def _print_json(told: Told) -> None:
    if told.event == FAILED:
        _complain(told.text)
    # A server's words are in some of the texts, and names of files, which need not be UTF-8.
    _print(msgspec.json.encode(msgspec.structs.replace(told, text=printable(told.text))).decode())


def _print(line: str) -> None:
    # Whoever read our output may be gone, or the disk full; the lease goes on. Past Python's buffer, which would try
    # again when the program ends, and fail. Without a standard output there is no stream, and 1 is another's number.
    if sys.stdout:
        with suppress(OSError):
            os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _complain(text: str) -> None:
    with suppress(OSError):
        complain(text)
