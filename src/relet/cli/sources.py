"""Where a command finds the leases and the running server: what a configuration file names, or named directly."""

from pathlib import Path
from typing import Annotated

import typer

from relet.config.load import load
from relet.store import SqliteReader, open_reader

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="The server's configuration file.")]
StoreName = Annotated[str | None, typer.Option("--store", help="The store itself: 'sqlite:PATH'.", metavar="URL")]

ControlSocket = Annotated[Path | None, typer.Option("--control", help="The server's control socket itself.")]


def control_socket(config: Path | None, control: Path | None) -> Path:
    """Where a running server is asked. Raises typer.BadParameter unless exactly one is given, ConfigError, OSError."""
    if (config is None) == (control is None):
        raise typer.BadParameter("say which server: either --config FILE or --control SOCKET")
    path = control if config is None else load(config).control
    if not path:
        raise typer.BadParameter(f'{config} has no control socket; write [server] control = "relet.sock"')
    return Path(path)


def reader(config: Path | None, store: str | None) -> SqliteReader:
    """The store's reader. Raises typer.BadParameter unless exactly one is given, ConfigError, StoreError, OSError."""
    if store is not None and config is None:
        return open_reader(store)
    if config is not None and store is None:
        return open_reader(load(config).store)
    raise typer.BadParameter("say whose leases: either --config FILE or --store URL")
