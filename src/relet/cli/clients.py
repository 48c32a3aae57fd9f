"""Where a command finds the clients that run on this machine, and how it asks one of them."""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from relet.run.control import ANSWER_TIMEOUT, CLIENTS, ask, client_at, client_socket

SocketFolder = Annotated[
    Path | None, typer.Option("--sockets", metavar="FOLDER", help=f"Where clients are asked. [default: {CLIENTS}]")
]

Answer = TypeVar("Answer")


def ask_client(
    iface: str, sockets: Path | None, question: str, answer: type[Answer], patience: float = ANSWER_TIMEOUT
) -> Answer:
    """What the client on an interface answers, within so many seconds. Raises ControlError."""
    said = ask(client_socket(sockets or CLIENTS, iface), {"do": question}, client_at(iface), patience)
    return msgspec.convert(said, answer)
