"""What a client does to its machine, and needs rights for: address, routes, name servers, lease file, hook, sockets.

The client decides and this is the hand that does it, on one interface. It may be in the same process, or in one of its own
(servant.py) that the client's process asks (remote.py); whoever holds it sees no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

import msgspec

from relet.client.memory import Leases
from relet.model.effects import Note
from relet.net import clock, netlink
from relet.net.client_sockets import Sockets, open_sockets
from relet.net.link import LinkError, LinkInfo
from relet.run.configure import Interface
from relet.run.hook import Hooks
from relet.run.leaseformat import Identity
from relet.run.loop import Sources
from relet.run.memory import Memory
from relet.run.orders import Orders
from relet.run.plan import Plan
from relet.run.programs import Programs
from relet.run.resolver import Resolver

Tell = Callable[[str, str], None]
"""Gets kind and text of what happened to a program."""


class Held(msgspec.Struct, frozen=True):
    """An interface in hand: as it is, who its client is, what is remembered, what the operator should hear; sockets."""

    link: LinkInfo
    identity: Identity
    leases: Leases
    notes: Sequence[Note]
    sockets: Sockets


class Hand(Protocol):
    """One interface's. The notes that are given tell what went wrong beside the thing itself."""

    def attach(self) -> Held:
        """Take the interface as it is now. Raises LinkError, also if there is none; MachineError if there is no identity."""

    def prepare(self, left: Sequence[Plan]) -> tuple[list[int], Sequence[Note]]:
        """Switch it on; take away what an earlier run left of these plans: which addresses were there. Raises LinkError."""

    def put(self, plan: Plan) -> Sequence[Note]:
        """Make the machine as the plan says, if it is to be configured. Raises LinkError if the address cannot be set."""

    def take(self, plan: Plan, link_lost: bool) -> Sequence[Note]:
        """Make it as it was before. Raises LinkError."""

    def remember(self, leases: Leases) -> None:
        """Have these in the lease file, safe on disk when this returns. Raises OSError; what is there then stays."""

    def run_hook(self, reason: str, environment: Mapping[str, str]) -> None:
        """Run the operator's program beside everything else."""

    def hurry(self) -> None:
        """The client ends: put back what a lost link left as it was, and leave little time to programs."""

    def idle(self) -> bool:
        """Does no program run or wait?"""

    def deadline(self) -> float:
        """Monotonic time at which to `wake`; infinity for never."""

    def wake(self, mono: float) -> None:
        """The deadline has come, or another one's."""

    def close(self) -> None:
        """Kill what still runs. Idempotent."""


class LocalHand:
    """A hand of this process. tell: hears of programs."""

    def __init__(self, loop: Sources, name: str, orders: Orders, tell: Tell) -> None:
        self._name, self._orders = name, orders
        self._programs = Programs(loop, tell)
        self._hooks, self._resolver = Hooks(orders.hook, self._programs), Resolver(self._programs)
        self._link: LinkInfo | None = None
        self._interface: Interface | None = None
        self._memory: Memory | None = None

    def attach(self) -> Held:
        link, recall = netlink.link(self._name), self._orders.recall
        mtu_file = recall.lease_file and recall.lease_file.with_name(f"{recall.lease_file.name}.mtu")
        self._link, self._interface = link, Interface(link, mtu_file, self._orders.metric)
        with ExitStack() as stack:
            sockets = open_sockets(self._name)
            for each in sockets:
                stack.callback(each.close)
            self._memory = memory = Memory(link, recall, clock.now().wall)
            stack.pop_all()
        return Held(link, memory.identity, memory.leases, memory.notes, sockets)

    def prepare(self, left: Sequence[Plan]) -> tuple[list[int], Sequence[Note]]:
        if not self._orders.configure:
            return [], ()
        interface, link = self._attached()
        netlink.switch_on(link.index)
        found = [plan.address for plan in left if interface.withdraw(plan)]
        interface.withdraw()
        return found, self._resolver.withdraw(self._name) if self._orders.resolver else ()

    def put(self, plan: Plan) -> Sequence[Note]:
        interface, _ = self._attached()
        if not self._orders.configure:
            return interface.objections(plan)
        notes = interface.apply(plan, clock.now().wall)
        return [*notes, *self._resolver.apply(self._name, interface.metric, plan)] if self._orders.resolver else notes

    def take(self, plan: Plan, link_lost: bool) -> Sequence[Note]:
        if not self._orders.configure:
            return ()
        interface, _ = self._attached()
        try:
            interface.withdraw(plan, link_lost=link_lost)
        finally:
            notes = self._resolver.withdraw(self._name) if self._orders.resolver else []
        return notes

    def remember(self, leases: Leases) -> None:
        if self._memory:
            self._memory.remember(leases)

    def run_hook(self, reason: str, environment: Mapping[str, str]) -> None:
        self._hooks.run(reason, environment)

    def hurry(self) -> None:
        if self._orders.configure and self._interface:
            self._interface.put_back()
        self._programs.hurry()

    def idle(self) -> bool:
        return self._programs.idle()

    def deadline(self) -> float:
        return self._programs.deadline()

    def wake(self, mono: float) -> None:
        self._programs.wake(mono)

    def close(self) -> None:
        self._programs.close()

    def _attached(self) -> tuple[Interface, LinkInfo]:
        if self._interface is None or self._link is None:
            raise LinkError(f"the client has not taken {self._name}")
        return self._interface, self._link
