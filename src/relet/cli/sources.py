"""Where a command finds the leases: the store that a configuration file names, or one named directly."""

from pathlib import Path
from typing import Annotated

import typer

from relet.config.load import load
from relet.store import SqliteReader, open_reader

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="The server's configuration file.")]
StoreName = Annotated[str | None, typer.Option("--store", help="The store itself: 'sqlite:PATH'.", metavar="URL")]


def reader(config: Path | None, store: str | None) -> SqliteReader:
    """The store's reader. Raises typer.BadParameter unless exactly one is given, ConfigError, StoreError, OSError."""
    if store is not None and config is None:
        return open_reader(store)
    if config is not None and store is None:
        return open_reader(load(config).store)
    raise typer.BadParameter("say whose leases: either --config FILE or --store URL")
