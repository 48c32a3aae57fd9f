"""`relet storm`: a fleet of clients against a DHCP server, and what came of it as text, JSON and a picture.

Reads the command line, says what it is about to do, shows how far it is, and turns the outcome into an exit code. What a
fleet does is in lab/storm.
"""

import os
import random
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from relet.cli import storm_values as values
from relet.cli.output import moment
from relet.cli.storm_live import Plainly, Progress
from relet.cli.words import complain
from relet.lab.storm.cast import Wanted, cast
from relet.lab.storm.crew import MOST_PROCESSES, Crew, Plan
from relet.lab.storm.curves import Curve
from relet.lab.storm.fleet import Manner
from relet.lab.storm.memory import MOST_CLIENTS, Memory, fresh, load, save
from relet.lab.storm.models import USUAL
from relet.lab.storm.picture import MOST_RUNS, render
from relet.lab.storm.report import Report, Setup, remembering, report
from relet.lab.storm.words import Line, announcement, lines, side_by_side, told_apart
from relet.net.clock import now


class Work(StrEnum):
    """What the fleet does, or what is done with its reports."""

    ALLOCATE = "allocate"
    REBOOT = "reboot"
    RENEW = "renew"
    MIXED = "mixed"
    COMPARE = "compare"


LOOKS = {"title": "bold", "good": "green", "bad": "bold red", "soft": "dim", "bar": "cyan", "": ""}
MIX = {"allocate": 10, "reboot": 60, "renew": 30}
OVER = "30s"
HIGHEST_SEED = 1 << 32


def storm(
    context: typer.Context,
    work: Annotated[
        Work,
        typer.Argument(
            metavar="WORK",
            help="allocate, reboot, renew, mixed: what the fleet does; 'compare' puts reports side by side.",
        ),
    ],
    reports: Annotated[
        list[Path] | None, typer.Argument(metavar="[REPORT]...", help="For compare: files that --json wrote.")
    ] = None,
    server: Annotated[str, typer.Option(metavar="ADDRESS", help="The server, reached through relays.")] = "",
    relay: Annotated[
        str, typer.Option(metavar="A,B,..", help="Addresses of ours to relay from. [default: the fleet file's]")
    ] = "",
    interface: Annotated[
        str, typer.Option(metavar="LINK", help="Instead of a server: the link on which all clients stand.")
    ] = "",
    clients: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST_CLIENTS, help="How many, if there is no --fleet.")
    ] = None,
    fleet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A fleet with its leases, as --save wrote it.")
    ] = None,
    save_to: Annotated[
        Path | None, typer.Option("--save", metavar="FLEET", help="Write the fleet with the leases that it got.")
    ] = None,
    curve: Annotated[
        Curve | None, typer.Option(help="How the clients come. [default: at-once; steady with --rate]")
    ] = None,
    over: Annotated[str, typer.Option(metavar="TIME", help="How long the curve lasts. [default: 30s]")] = "",
    rate: Annotated[
        float | None, typer.Option(metavar="N", min=0.001, help="Clients a second, instead of --over.")
    ] = None,
    window: Annotated[
        int, typer.Option(metavar="N", min=0, help="Closed loop: so many clients are on their way at a time.")
    ] = 0,
    mix: Annotated[
        str, typer.Option(metavar="SHARES", help="For mixed: shares of each. [default: allocate=10,reboot=60,renew=30]")
    ] = "",
    foreign: Annotated[
        str, typer.Option(metavar="SHARE", help="Rebooting clients that remember another network's address.")
    ] = "0%",
    foreign_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="That network; it must be none of the server's.")
    ] = "198.18.0.0/15",
    taken: Annotated[
        str, typer.Option(metavar="SHARE", help="Rebooting clients that remember another client's address.")
    ] = "0%",
    expired: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="Clients that reboot, of all that reboot or renew, whose lease the server has no record of.",
        ),
    ] = "0%",
    models: Annotated[
        str,
        typer.Option(metavar="SHARES", help="Kinds of clients. [default: windows=40,android=25,dhclient=20,dhcpcd=15]"),
    ] = "",
    circuits: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=1 << 24, help="Relays add option 82 with one of so many circuit ids each."
        ),
    ] = 0,
    broadcast: Annotated[
        bool, typer.Option("--broadcast", help="Ask for broadcast answers, as hosts that hear no unicast yet.")
    ] = False,
    patience: Annotated[
        str, typer.Option(metavar="TIME", help="Before a request is sent again for the first time.")
    ] = "4s",
    reboot_timeout: Annotated[
        str, typer.Option(metavar="TIME", help="Before a rebooting client starts from DISCOVER.")
    ] = "10s",
    limit: Annotated[str, typer.Option(metavar="TIME", help="The storm ends after that, whatever happens.")] = "120s",
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_PROCESSES, help="Processes that share the fleet.")
    ] = 1,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=HIGHEST_SEED, help="Of all dice. [default: the fleet file's]")
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="What the report is called, such as the server's name.")
    ] = "",
    json_to: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as a picture (SVG).")] = None,
) -> None:
    """A fleet of clients against any DHCP server: who is bound when, and which answers were wrong.

    It talks to the server that --server names, or on the link that --interface names, and to nobody else. Exit code 0: all
    clients are bound and no answer was wrong; 1: not so.
    """
    if work is Work.COMPARE:
        _check_only_comparing(context)
        raise typer.Exit(_compare(reports or [], picture))
    if reports:
        raise typer.BadParameter(f"{work} takes no files; they go with compare")
    memory = _fleet(fleet, clients, models, seed, circuits, relay)
    manner = Manner(
        curve=curve or (Curve.STEADY if rate else Curve.AT_ONCE),
        over_s=memory.clients / rate if rate else values.seconds(over or OVER),
        window=window,
        patience_s=values.seconds(patience),
        reboot_timeout_s=values.seconds(reboot_timeout),
        broadcast=broadcast,
        alone=not interface,
    )
    _check(work, memory, server, relay, interface, manner, processes, bool(over), rate)
    wanted = _wanted(work, mix, expired, foreign, taken, foreign_prefix)
    plan = Plan(
        manner,
        memory.seed if seed is None else seed,
        values.seconds(limit),
        values.server(server) if server else "",
        () if interface else memory.relays,
        interface,
        processes,
    )
    setup = _setup(work, name, memory, plan)
    raise typer.Exit(_run(Order(setup, plan, memory, wanted, fleet is not None, save_to, json_to, picture)))


class Order(msgspec.Struct, frozen=True):
    """A storm as it was asked for, and where its outcome goes."""

    setup: Setup
    plan: Plan
    memory: Memory
    wanted: Wanted
    remembered: bool
    save_to: Path | None
    json_to: Path | None
    picture: Path | None


def _run(order: Order) -> int:
    """The storm itself; its exit code."""
    memory, plan = order.memory, order.plan
    for file in (order.save_to, order.json_to, order.picture):
        _check_place(file)
    actors = cast(memory, order.wanted, now().wall, plan.seed)
    crew = Crew(plan, actors)
    there = actors.shares_text()
    complain(announcement(order.setup, f" ({there})" if there else ""))
    show = Progress(memory.clients, plan.limit_s) if sys.stderr.isatty() else Plainly(memory.clients)
    with show as watch:
        outcome = crew.perform(watch)
    made = report(order.setup, actors, outcome.parts, outcome.end, outcome.wall, outcome.elapsed_s)
    _show(lines(made))
    if order.save_to is not None:
        save(remembering(actors, outcome.parts), order.save_to)
    if order.json_to is not None:
        order.json_to.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    if order.picture is not None:
        order.picture.write_text(render([made]), encoding="utf-8")
    return 0 if made.good else 1


def _check_place(file: Path | None) -> None:
    """Before there is something to lose: can this file be written? Raises typer.BadParameter."""
    if file is None:
        return
    if not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent} for {file.name}")
    if file.is_dir():
        raise typer.BadParameter(f"{file} is a folder; write the name of a file in it")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise typer.BadParameter(f"{file} must not be written by this user")


def _fleet(file: Path | None, clients: int | None, models: str, seed: int | None, circuits: int, relay: str) -> Memory:
    """The fleet of the file, or a new one."""
    relays = values.relays(relay) if relay else ()
    if file is None:
        if clients is None:
            raise typer.BadParameter("write --clients N for a new fleet, or --fleet FILE for one that has leases")
        shares = values.models(models) if models else USUAL
        return fresh(
            clients, shares, random.SystemRandom().randrange(HIGHEST_SEED) if seed is None else seed, circuits, relays
        )
    if clients is not None or models or circuits:
        raise typer.BadParameter(
            "--fleet says by itself how many clients there are, of which models, on which circuits"
        )
    memory = load(file)
    if relays and memory.relays and len(relays) != len(memory.relays):
        raise typer.BadParameter(f"the fleet got its leases through {len(memory.relays)} relays; name as many")
    return msgspec.structs.replace(memory, relays=relays or memory.relays)


def _check(
    work: Work,
    memory: Memory,
    server: str,
    relay: str,
    interface: str,
    manner: Manner,
    processes: int,
    over: bool,
    rate: float | None,
) -> None:
    """Raises typer.BadParameter for what does not go together."""
    if bool(server) == bool(interface):
        raise typer.BadParameter(
            "say whom it is against: --server ADDRESS (with --relay), or --interface LINK; it talks to nobody else"
        )
    if server and not memory.relays:
        raise typer.BadParameter(
            "--server needs --relay: one or more addresses of this machine that the server has a network for"
        )
    if server in memory.relays:
        raise typer.BadParameter(f"{server} is one of the relays; a server at its port 67 would be this fleet itself")
    if interface and relay:
        raise typer.BadParameter("on a link there are no relays; leave out --relay, or write --server")
    if interface and memory.circuits:
        raise typer.BadParameter("circuits are those of relays; a fleet that has some cannot stand on a link")
    if interface and work in (Work.RENEW, Work.MIXED):
        raise typer.BadParameter("on a link, renewals need an address on each client; let them come through --relay")
    if work in (Work.REBOOT, Work.RENEW, Work.MIXED) and not memory.leases:
        raise typer.BadParameter(
            f"{work} needs clients with leases: first 'relet storm allocate --save FLEET', then --fleet FLEET"
        )
    if over and rate:
        raise typer.BadParameter("--over and --rate say the same thing; write one of them")
    if manner.window and (over or rate or manner.curve is not Curve.AT_ONCE):
        raise typer.BadParameter(
            "with --window a client begins when another is done; leave out --curve, --over and --rate"
        )
    if 0 < manner.window < processes:
        raise typer.BadParameter("--window is of all processes together; it must be at least --processes")
    if manner.curve is Curve.AT_ONCE and (over or rate):
        raise typer.BadParameter("--over and --rate need another curve than at-once")


def _wanted(work: Work, mix: str, expired: str, foreign: str, taken: str, prefix: str) -> Wanted:
    """Who begins with what."""
    if mix and work is not Work.MIXED:
        raise typer.BadParameter("--mix goes with mixed")
    shares = (values.mix(mix) if mix else MIX) if work is Work.MIXED else {work.value: 1}
    odd = {"expired": values.share(expired), "foreign": values.share(foreign), "taken": values.share(taken)}
    if any(odd.values()) and not shares.get("reboot"):
        raise typer.BadParameter("--expired, --foreign and --taken are of clients that reboot")
    if sum(odd.values()) > 1:
        raise typer.BadParameter("--expired, --foreign and --taken are more than all together")
    return Wanted(**shares, **odd, prefix=values.prefix(prefix))


def _setup(work: Work, name: str, memory: Memory, plan: Plan) -> Setup:
    manner = plan.manner
    return Setup(
        name=name or plan.server or plan.interface,
        work=work,
        clients=memory.clients,
        server=plan.server,
        relays=plan.relays,
        interface=plan.interface,
        curve=manner.curve,
        over_s=manner.over_s if manner.curve is not Curve.AT_ONCE else 0.0,
        window=manner.window,
        seed=plan.seed,
        processes=plan.processes,
        limit_s=plan.limit_s,
        patience_s=manner.patience_s,
        reboot_timeout_s=manner.reboot_timeout_s,
        circuits=memory.circuits,
        models=memory.models,
        started=moment(now().wall) or "",
    )


def _check_only_comparing(context: typer.Context) -> None:
    """Raises typer.BadParameter for an option that is about clients."""
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in ("work", "reports", "picture"):
            raise typer.BadParameter(f"compare takes reports and --picture; leave out {parameter.opts[0]}")


def _compare(files: Sequence[Path], picture: Path | None) -> int:
    """Several reports side by side; 1 if one of them is not good."""
    if not files:
        raise typer.BadParameter("compare takes the reports that --json wrote")
    if picture is not None and len(files) > MOST_RUNS:
        raise typer.BadParameter(f"a picture has room for {MOST_RUNS} reports")
    _check_place(picture)
    made = told_apart([_read(file) for file in files])
    if picture is not None:
        picture.write_text(render(made), encoding="utf-8")
    _show(side_by_side(made))
    return 0 if all(each.good for each in made) else 1


def _read(file: Path) -> Report:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{file} is no report of relet storm: {error}") from None


def _show(told: Sequence[Line]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in told:
        console.print(Text(line.text, LOOKS[line.look]))
