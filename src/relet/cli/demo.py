"""`relet demo`: the play of lab/scenes.py, on a stage of its own, with a ladder that grows as frames pass."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from relet.lab import svg
from relet.lab.ladder import Ladder
from relet.lab.namespaces import NamespaceStage
from relet.lab.pcap import PcapWriter
from relet.lab.scenes import Outcome, Play
from relet.lab.stage import CLIENT_MAC, Stage
from relet.lab.terminal import TerminalLadder
from relet.lab.virtual import VirtualStage
from relet.run.control import ask
from relet.server.told import Told
from relet.wire.address import hex_text

ENVIRONMENT = 3
ON_STAGE = "RELET_DEMO_STAGE"
"""Environment variable that says: this process is in namespaces of its own already."""
PRIVATE = Path("/run")
"""Where namespaces get their names and the play keeps its files; covered by a tmpfs that nobody outside sees."""


def demo(
    simulated: Annotated[
        bool, typer.Option("--simulated", help="No network at all: the same cores under virtual time.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for demo.pcap and demo.svg.")] = Path(),
) -> None:
    """Watch a host reallocate its lease: confirmed, refused, unanswered, in conflict."""
    console = Console(highlight=False)
    if simulated:
        raise typer.Exit(_play(VirtualStage(), console, out))
    if os.environ.get(ON_STAGE) != "1":
        raise typer.Exit(_in_namespaces())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(PRIVATE)], check=True)
    raise typer.Exit(_play(NamespaceStage(PRIVATE, _ask), console, out))


def _play(stage: Stage, console: Console, out: Path) -> int:
    began = time.monotonic()
    ladder = Ladder([TerminalLadder(console)])
    out.mkdir(parents=True, exist_ok=True)
    try:
        with (out / "demo.pcap").open("wb") as tape:
            outcomes = Play(stage, ladder, PcapWriter(tape)).perform()
    finally:
        stage.close()
    (out / "demo.svg").write_text(svg.render(ladder.scenes(), "How a host reallocates its lease"))
    _sum_up(console, outcomes, out, time.monotonic() - began)
    return 0 if all(outcome.seen for outcome in outcomes) else 1


def _sum_up(console: Console, outcomes: Sequence[Outcome], out: Path, seconds: float) -> None:
    console.print("\nWhat was seen", style="bold")
    for outcome in outcomes:
        sign, style = ("yes", "green") if outcome.seen else ("NO ", "bold red")
        console.print(f"  {sign}  {outcome.claim}", style=style, markup=False, soft_wrap=True)
    files = f"\n{out / 'demo.pcap'} has the frames, {out / 'demo.svg'} the ladders. {seconds:.1f} s."
    console.print(files, markup=False, soft_wrap=True)


def _in_namespaces() -> int:
    """Become this command in network and mount namespaces of its own; without root, in a user namespace too.

    The process stays the same, so who ends it ends the demonstration, and the namespaces go with it. Returns only if it
    cannot be done, with the exit code.
    """
    unshare = shutil.which("unshare")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    space = [unshare or "unshare", *user, "--net", "--mount"]
    tried = subprocess.run([*space, "true"], capture_output=True, text=True, check=False) if unshare else None
    if tried is not None and tried.returncode == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it can wait until Python has started again
        os.execve(space[0], [*space, sys.executable, "-m", "relet", *sys.argv[1:]], {**os.environ, ON_STAGE: "1"})
    why = tried.stderr.strip() if tried is not None else "the program `unshare` (util-linux) is missing"
    print(
        "The demonstration builds a network of its own and needs root for that, or a kernel that lets users make user"
        f" namespaces (sysctl kernel.unprivileged_userns_clone=1).\n  {why}\n"
        "Run it with sudo, or try `relet demo --simulated`, which needs nothing.",
        file=sys.stderr,
    )
    return ENVIRONMENT


def _ask(control: Path, limit: int) -> Sequence[Told]:
    question = {"do": "why", "client": hex_text(CLIENT_MAC), "limit": limit}
    return msgspec.convert(ask(control, question), list[Told])
