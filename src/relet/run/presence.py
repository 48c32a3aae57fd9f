"""One interface for as long as the process lives: a client runs on it while it is there, and anew when it has come again.

An interface is the one that it was as long as its index and its hardware address are the same. Another one of that name is
another host to every server: its client begins with what is remembered for that hardware address, and with nothing of what
the one before knew. An interface that fails ends its own client and no other.
"""

import errno
import os
import socket
from collections.abc import Callable
from math import inf
from pathlib import Path

from relet.client.settings import ClientSettings
from relet.errors import MachineError
from relet.model.effects import Binding
from relet.model.events import Command, LinkChanged, Woken
from relet.net import clock
from relet.net.link import LinkError, LinkInfo
from relet.net.monitor import Notice, Taken
from relet.run.acquire import Acquire
from relet.run.control import ControlError
from relet.run.desk import Desk
from relet.run.hand import Hand, Tell
from relet.run.loop import Loop, Sources
from relet.run.orders import ENVIRONMENT, GOOD, NO, Orders
from relet.run.report import Result
from relet.run.told import Told
from relet.run.variables import environment
from relet.wire.address import hex_text

FAILED = "failed"
"""The event of an interface whose client cannot go on."""

TIMEOUT = "timeout"
"""The event of one that has no address in time."""


class Presence:
    """The client of one interface, if it is there.

    settings: the client's, for the interface as it is then; raises LinkError if no client can be there. hand: makes what
    does things to the interface, by its name, the orders, and who is to hear of programs. tell: gets all that happens.
    ended: called when `over` may have become true. finished: nothing more comes of it but its hooks. outcome: how it ended.
    """

    def __init__(
        self,
        name: str,
        settings: Callable[[LinkInfo], ClientSettings],
        orders: Orders,
        loop: Sources,
        hand: Callable[[str, Orders, Tell], Hand],
        tell: Callable[[Told], None],
        ended: Callable[[], None],
    ) -> None:
        self.name, self.outcome, self.finished = name, GOOD, False
        self._settings, self._orders, self._loop, self._everybody, self._ended = settings, orders, loop, tell, ended
        self._desk = Desk(name, self.command)
        self._hand = hand(name, orders, self._program_told)
        self._client: Acquire | None = None
        self._give_up_at = clock.now().mono + orders.timeout
        self._obtained = False

    def start(self, link: LinkInfo | None) -> None:
        """Begin, or wait for the interface. Who wants one thing done and names no time does not wait."""
        orders = self._orders
        if link is None and (orders.once or orders.release) and orders.timeout == inf:
            self.fail(_absent(self.name))
        elif link is None:
            self._say(
                "no-interface", f"waiting for interface {self.name}, which is not there{_advice(_absent(self.name))}"
            )
        else:
            self._attach()

    def receive_callers(self, folder: Path, loop: Loop) -> None:
        """Make the control socket in a folder, while we still may. Without one the client does all else."""
        try:
            self._desk.open(folder, loop)
        except (ControlError, OSError) as error:
            self._say("no-control", f"`relet status {self.name}` will not find this client: {error}")

    def result(self) -> Result:
        """How it ended, or where it is."""
        return self._desk.result(self.outcome)

    def noticed(self, notice: Notice | Taken) -> None:
        """What the kernel says of the interface."""
        if isinstance(notice, Notice):
            self._heard(notice.link)
        elif self._client:
            self._client.taken(notice.route)

    def _heard(self, link: LinkInfo | None) -> None:
        """It is like this now; None: there is none."""
        was = self._client.link if self._client else None
        if was and self._client and link and (link.index, link.mac) == (was.index, was.mac):
            self._client.on([LinkChanged(link.up)])
            return
        if was:
            self._detach(_lost(was, link))
        if link and not self.finished:
            self._attach()

    def woken(self) -> None:
        """The machine has slept: who knows whether the address is still ours, or the network the same?"""
        if self._client:
            self._say("woken", "the machine has slept")
            self._client.on([Woken()])

    def clock_set(self) -> None:
        """Somebody may have set the wall clock: what is remembered has dates."""
        if self._client:
            self._client.on(())

    def deadline(self) -> float:
        """Monotonic time at which to `wake`; infinity for never."""
        client = self._client.deadline() if self._client else inf
        return min(client, self._hand.deadline(), self._times_up_at())

    def wake(self, mono: float) -> None:
        """The deadline has come, or another interface's."""
        self._hand.wake(mono)
        if self._times_up_at() <= mono:
            why = "no address" if self._client else f"there is no interface {self.name}, and so no address"
            self._say(TIMEOUT, f"{why} after {self._orders.timeout:g} s")
            self._hand.run_hook("fail", environment("fail", self.name))
            self._end(NO)
        elif self._client and self._client.deadline() <= mono:
            self._client.wake(mono)

    @property
    def binding(self) -> Binding | None:
        """The lease whose address is in use."""
        return self._client.binding if self._client else None

    def command(self, command: Command) -> None:
        """What the operator asks of the client: RENEW, RELEASE."""
        if self._client:
            self._client.command(command)
        elif command is Command.RELEASE:
            self._say("not-released", f"there is no interface {self.name} from which to release its lease")
            self._end(NO)

    def interrupted(self) -> None:
        """The operator wants it to end."""
        self._end(NO if self._orders.once or self._orders.release else GOOD)

    def fail(self, error: MachineError) -> None:
        """The client cannot go on."""
        self._say(FAILED, f"{error}{_advice(error)}")
        if self._client:
            self._client.close()
            self._client = None
        self._finish(ENVIRONMENT)

    @property
    def over(self) -> bool:
        """Has it ended, and have its hooks?"""
        return self.finished and self._hand.idle()

    def close(self) -> None:
        """Give the sockets back, kill what still runs. Idempotent."""
        if self._client:
            self._client.close()
        self._desk.close()
        self._hand.close()

    def _attach(self) -> None:
        try:
            held = self._hand.attach()
            try:
                settings = self._settings(held.link)
            except LinkError:
                for each in held.sockets:
                    each.close()
                raise
            self._client = Acquire(
                held, settings, self._orders, self._loop, self._hand, self._desk, self._tell, self._client_ended
            )
            self._client.start(held.link.up)
        except MachineError as error:
            if _code(error) != errno.ENODEV:
                self.fail(error)
                return
            # It went while we were at it, and the kernel will say so.
            if self._client:
                self._detach(str(error))

    def _detach(self, why: str) -> None:
        """The client's interface is no more."""
        client = self._client
        if client is None:
            return
        self._say("interface-lost", why)
        client.on([LinkChanged(False)])
        client.close()
        self._obtained = self._obtained or client.obtained
        self._client = None
        self._desk.attend(None)

    def _times_up_at(self) -> float:
        obtained = self._obtained or (self._client is not None and self._client.obtained)
        return inf if obtained or self.finished else self._give_up_at

    def _client_ended(self) -> None:
        if self._client:
            self._finish(self._client.outcome)

    def _end(self, outcome: int) -> None:
        if self._client and not self.finished:
            self._client.end(outcome)
        else:
            self._finish(outcome)

    def _finish(self, outcome: int) -> None:
        if not self.finished:
            self.finished, self.outcome = True, outcome
        self._ended()

    def _tell(self, told: Told) -> None:
        self._desk.told(told)
        self._everybody(told)

    def _program_told(self, kind: str, text: str) -> None:
        self._say(kind, text)
        self._ended()

    def _say(self, event: str, text: str) -> None:
        self._tell(Told(event=event, text=text, at=clock.now().wall, interface=self.name))


def _absent(name: str) -> LinkError:
    return LinkError(f"cannot look at interface {name}: {os.strerror(errno.ENODEV)}", errno.ENODEV)


def _lost(was: LinkInfo, link: LinkInfo | None) -> str:
    """Why this is no longer the interface that it was."""
    if link is None:
        return f"interface {was.name} is gone"
    if link.index != was.index:
        return f"interface {was.name} is gone, and another one has its name"
    return f"the hardware address of {was.name} has changed to {hex_text(link.mac)}"


def _code(error: MachineError) -> int:
    """The errno, 0 if it is nothing that the kernel said of an interface."""
    return error.code if isinstance(error, LinkError) else 0


def _advice(error: MachineError) -> str:
    """What to do about it, where we know."""
    if _code(error) == errno.ENODEV:
        return f"; the interfaces are {', '.join(name for _, name in socket.if_nameindex())}"
    if _code(error) == errno.EADDRINUSE:
        return "; another client runs on this interface, end it first"
    return ""
