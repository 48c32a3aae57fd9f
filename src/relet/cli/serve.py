"""`relet serve`: the server in the foreground, until SIGTERM or SIGINT."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from relet.cli.log import LogFormat, log_to_stderr
from relet.config.load import load, quick
from relet.model.network import Settings
from relet.net import netlink, rights
from relet.net.link import LinkError
from relet.run.notify import Notify
from relet.run.serve import Server
from relet.store import open_store


def serve(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The configuration file.")] = None,
    interface: Annotated[str | None, typer.Option(help="For a first try without a file: serve this interface,")] = None,
    pool: Annotated[str | None, typer.Option(help="and hand out these addresses, as FIRST-LAST.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every verdict with its reason.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Log for people or as JSON lines; auto: for people on a terminal only.")
    ] = "auto",
) -> None:
    """Answer DHCP clients and relays."""
    log_to_stderr(log_format)
    settings = _settings(config, interface, pool)
    who = rights.identity(settings.user, settings.group)
    os.umask(rights.UMASK)
    with rights.acting_as(who):
        store = open_store(settings.store, load=False, sync=settings.sync)
    try:
        group = who.gid if settings.user or settings.group else None
        file = config.absolute() if config is not None else None
        server = Server(settings, store, verbose, group, file, Notify(os.environ, os.getpid()))
        try:
            rights.give_up(who)
            for number in (signal.SIGTERM, signal.SIGINT):
                server.loop.on_signal(number, server.loop.stop)
            server.loop.on_signal(signal.SIGHUP, server.reload)
            server.run()
        finally:
            server.close()
    finally:
        store.close()


def _settings(config: Path | None, interface: str | None, pool: str | None) -> Settings:
    if config is not None and interface is None and pool is None:
        return load(config)
    if config is None and interface is not None and pool is not None:
        addresses = netlink.link(interface).addresses
        if not addresses:
            raise LinkError(f"{interface} has no IPv4 address; give it one of the pool's network first")
        return quick(interface, pool, *addresses[0])
    raise typer.BadParameter("give either --config FILE, or both --interface NAME and --pool FIRST-LAST")
