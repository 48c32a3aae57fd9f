"""`relet client IFACE`: obtain an address, or go on with the one remembered, and keep it until told to stop.

Reads the command line, prints what happens, and turns errors into exit codes. What a client does is in run/acquire.py.
"""

import errno
import os
import shutil
import socket
import sys
from contextlib import suppress
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from relet.cli.log import log_to_stderr
from relet.cli.output import complain, printable
from relet.client.conflict import ConflictTiming
from relet.client.settings import ClientSettings
from relet.client.timing import Timing
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.run.acquire import ENVIRONMENT, Acquire, Orders
from relet.run.leasefile import default_path
from relet.run.told import Told
from relet.wire.address import parse_hex


class Probe(StrEnum):
    """How carefully an address is checked before it is used (RFC 5227)."""

    FULL = "full"
    QUICK = "quick"
    NONE = "none"


CHECKS = {
    Probe.FULL: (ConflictTiming(), Timing()),
    Probe.QUICK: (
        ConflictTiming(
            probe_wait=0.1, probe_num=2, probe_min=0.1, probe_max=0.2, announce_wait=0.3, announce_interval=0.2
        ),
        Timing(start_delay=0.1),
    ),
    Probe.NONE: (ConflictTiming(probe_num=0, announce_interval=0.2), Timing(start_delay=0.0)),
}
"""Waits of each: those of the RFCs, or a laboratory's, where nobody else is on the wire."""


def client(
    iface: Annotated[str, typer.Argument(metavar="IFACE", help="The network interface that needs an address.")],
    lease_file: Annotated[
        Path | None, typer.Option(help="Where the lease is remembered. [default: /var/lib/relet/IFACE.lease]")
    ] = None,
    hostname: Annotated[str, typer.Option(help="Name to tell the server (option 12).")] = "",
    client_id: Annotated[
        str | None, typer.Option(metavar="HEX", help="Client identifier (option 61), such as 01:52:54:00:12:34:56.")
    ] = None,
    hook: Annotated[
        Path | None,
        typer.Option(metavar="PROGRAM", help="Run at each change of the lease; values in RELET_* variables."),
    ] = None,
    reboot_timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long to ask for the remembered address.")
    ] = 10.0,
    use_remembered: Annotated[
        bool,
        typer.Option("--use-remembered", help="If nobody answers, use the remembered address while its lease lasts."),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End when bound; the kernel takes the address away at the end of the lease.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="End with code 1 if there is no address by then.")
    ] = None,
    no_configure: Annotated[
        bool, typer.Option("--no-configure", help="Do everything but touch the interface.")
    ] = False,
    probe: Annotated[
        Probe, typer.Option(help="Check whether the address is free: as RFC 5227 says, or for laboratories.")
    ] = Probe.FULL,
    release: Annotated[
        bool, typer.Option("--release", help="Have the remembered lease confirmed, give it back, and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each event.")] = False,
) -> None:
    """Obtain an address for IFACE and keep it; at the next start, ask for the same one.

    SIGTERM stops, takes the address away and keeps the lease remembered; SIGUSR1 renews now; SIGUSR2 gives the lease
    back and stops. Exit codes: 0 good, 1 no address, 2 wrong use, 3 the machine does not allow it.
    """
    log_to_stderr("human")
    if hook and not shutil.which(hook.absolute()):
        raise typer.BadParameter(f"{hook} is no program that can be run", param_hint="--hook")
    try:
        link = netlink.link(iface)
        settings = _settings(link, hostname, client_id, reboot_timeout, use_remembered, probe)
        orders = Orders(
            lease_file=(lease_file or default_path(iface)).absolute(),
            hook=(str(hook.absolute()),) if hook else (),
            configure=not no_configure,
            once=once,
            release=release,
            timeout=inf if timeout is None else timeout,
        )
        raise typer.Exit(Acquire(link, settings, orders, _print_json if as_json else _print_line).run())
    except (LinkError, OSError) as error:
        with suppress(OSError):
            complain(f"{error}{_advice(error)}")
        raise typer.Exit(ENVIRONMENT) from None


def _settings(
    link: LinkInfo, hostname: str, client_id: str | None, reboot_timeout: float, use_remembered: bool, probe: Probe
) -> ClientSettings:
    conflict, timing = CHECKS[probe]
    if len(link.mac) != 6 or not any(link.mac):
        raise LinkError(f"{link.name} is not an Ethernet interface")
    try:
        return ClientSettings(
            mac=link.mac,
            interface=link.name,
            hostname=hostname,
            client_id=None if client_id is None else parse_hex(client_id),
            reboot_timeout=reboot_timeout,
            use_remembered=use_remembered,
            timing=timing,
            conflict=conflict,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _print_line(told: Told) -> None:
    _print(printable(f"{told.interface}: {told.text}"))


def _print_json(told: Told) -> None:
    # A server's words are in some of the texts, and names of files, which need not be UTF-8.
    _print(msgspec.json.encode(msgspec.structs.replace(told, text=printable(told.text))).decode())


def _print(line: str) -> None:
    # Whoever read our output may be gone, or the disk full; the lease goes on. Past Python's buffer, which would try
    # again when the program ends, and fail. Without a standard output there is no stream, and 1 is another's number.
    if sys.stdout:
        with suppress(OSError):
            os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _advice(error: LinkError | OSError) -> str:
    """What to do about it, where we know."""
    code = error.code if isinstance(error, LinkError) else error.errno
    if code == errno.ENODEV:
        return f"; the interfaces are {', '.join(name for _, name in socket.if_nameindex())}"
    if code == errno.EADDRINUSE:
        return "; another client runs on this interface, end it first"
    return ""
