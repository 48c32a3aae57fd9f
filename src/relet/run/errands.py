"""What the client's process asks of the one that has kept root's rights, and what that one answers: values and their bounds.

Whoever hears the network may be made to ask for anything. So nothing in here names a file or a program; an interface is only
a name, which must be one of those that the other was started for; and `check` refuses whatever a client that is in its right
mind never asks, though it passed `plan` and `environment` before.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from relet.client.accept import usable
from relet.client.memory import MAX_NETWORKS
from relet.errors import MachineError
from relet.model.effects import Note, Remembered
from relet.net.link import LinkError, LinkInfo
from relet.run.leaseformat import Identity
from relet.run.plan import MAX_ROUTES, MAX_SEARCH, MAX_SERVERS, MIN_MTU, MIN_WIDTH, Plan
from relet.run.values import is_host_name, is_plain
from relet.run.variables import MAX_VALUE, OURS, REASONS, is_ours
from relet.wire.address import BROADCAST, mask

MAX_OCTETS = 1 << 17
"""Of one message; a hook's variables are the longest."""

MAX_VARIABLES = 1024
MAX_VARIABLE_NAME = 128

MAX_WIDTH = 32
MAX_MTU = 0xFFFF

Name = Annotated[str, Meta(min_length=1, max_length=15)]


class Attach(msgspec.Struct, frozen=True, tag=True):
    """Look at the interface, read what is remembered for it, claim it, and open its sockets."""

    interface: Name


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Switch the interface on, and take away what an earlier run may have left of these plans."""

    interface: Name
    left: Annotated[tuple[Plan, ...], Meta(max_length=MAX_NETWORKS)]


class Put(msgspec.Struct, frozen=True, tag=True):
    """Make the machine as the plan says."""

    interface: Name
    plan: Plan


class Take(msgspec.Struct, frozen=True, tag=True):
    """Make it as it was before."""

    interface: Name
    plan: Plan
    link_lost: bool


class Keep(msgspec.Struct, frozen=True, tag=True):
    """Make these the remembered leases."""

    interface: Name
    leases: Annotated[tuple[Remembered, ...], Meta(max_length=MAX_NETWORKS)]


class RunHook(msgspec.Struct, frozen=True, tag=True):
    """Run the operator's program with these variables."""

    interface: Name
    reason: str
    environment: Annotated[dict[str, str], Meta(max_length=MAX_VARIABLES)]


class Hurry(msgspec.Struct, frozen=True, tag=True):
    """The client ends: leave little time to programs."""

    interface: Name


class LetGo(msgspec.Struct, frozen=True, tag=True):
    """The client goes on in the background: let go of the terminal."""


class Farewell(msgspec.Struct, frozen=True, tag=True):
    """The client has ended as it should: clear up what it may not remove itself. Nothing comes after it."""


Errand = Attach | Prepare | Put | Take | Keep | RunHook | Hurry
"""Of one interface."""


class Attached(msgspec.Struct, frozen=True, tag=True):
    """The interface as it is, who its client is, and what is remembered; the sockets come beside it."""

    link: LinkInfo
    identity: Identity
    leases: tuple[Remembered, ...]
    notes: tuple[Note, ...]


class Prepared(msgspec.Struct, frozen=True, tag=True):
    """found: addresses that an earlier run had left."""

    found: tuple[int, ...]
    notes: tuple[Note, ...]


class Done(msgspec.Struct, frozen=True, tag=True):
    """notes: what went wrong beside it."""

    notes: tuple[Note, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag=True):
    """An error, to be raised where the errand came from."""

    kind: Literal["link", "file", "machine"]
    text: str
    code: int = 0


Answer = Attached | Prepared | Done | Refused


class Reply(msgspec.Struct, frozen=True, tag=True):
    """To an errand. idle: does no program run or wait for that interface?"""

    answer: Answer
    idle: bool


class Notice(msgspec.Struct, frozen=True, tag=True):
    """What happened to a program of that interface, '' if there is nothing to tell but that none is left."""

    interface: str
    kind: str
    text: str
    idle: bool


def check(errand: Errand) -> None:
    """Raises ValueError if no client of ours would ask that."""
    match errand:
        case Prepare(left=left):
            for plan in left:
                check_plan(plan)
        case Put(plan=plan) | Take(plan=plan):
            check_plan(plan)
        case RunHook(reason=reason, environment=environment):
            if reason not in REASONS:
                raise ValueError("no hook runs for that reason")
            for name, value in environment.items():
                _check_variable(name, value)
        case _:
            pass


def check_plan(plan: Plan) -> None:
    """Raises ValueError if `plan` (run/plan.py) never makes it."""
    if not (usable(plan.address) and MIN_WIDTH <= plan.width <= MAX_WIDTH):
        raise ValueError("no host can have that address")
    if len(plan.routes) > MAX_ROUTES or max(len(plan.nameservers), len(plan.routers), len(plan.ntp)) > MAX_SERVERS:
        raise ValueError("too many routes or servers")
    for route in plan.routes:
        if not 0 <= route.width <= MAX_WIDTH or not 0 <= route.prefix <= BROADCAST & mask(route.width):
            raise ValueError("no route leads there")
        if route.prefix & ~mask(route.width) or (route.router and not usable(route.router)):
            raise ValueError("no route leads there")
    if plan.mtu and not MIN_MTU <= plan.mtu <= MAX_MTU:
        raise ValueError("no link has that MTU")
    if not all(map(usable, (*plan.nameservers, *plan.routers, *plan.ntp))):
        raise ValueError("no server can have that address")
    names = (*plan.search, *filter(None, (plan.domain, plan.hostname)))
    if len(plan.search) > MAX_SEARCH or not all(map(is_host_name, names)):
        raise ValueError("no domain or host has that name")


def _check_variable(name: str, value: str) -> None:
    """A program obeys many names, such as PATH or LD_PRELOAD; these are not among ours."""
    if len(name) > MAX_VARIABLE_NAME or not is_ours(name) or not name.replace("_", "a").isalnum():
        raise ValueError("a hook has no variable of that name")
    if len(value) > MAX_VALUE or not value.isprintable() or not (name.startswith(OURS) or is_plain(value)):
        raise ValueError("a variable of a hook has no such value")


def refused(error: Exception) -> Refused:
    """An error as it is handed over."""
    if isinstance(error, LinkError):
        return Refused("link", presentable(str(error)), error.code)
    return Refused("file" if isinstance(error, OSError) else "machine", presentable(str(error) or repr(error)))


def raised(answer: Refused) -> Exception:
    """The error that it was."""
    match answer.kind:
        case "link":
            error = LinkError(answer.text)
            error.code = answer.code
            return error
        case "file":
            return OSError(answer.text)
        case "machine":
            return MachineError(answer.text)


def presentable(text: str) -> str:
    """Text that can be handed over: names of files need not be Unicode."""
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= char <= "\udfff" else char for char in text)
