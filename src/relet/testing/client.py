"""A client on a virtual link, as a test sees it: relet's own machine, with what it does, has and remembers."""

from typing import get_args

from relet.client.states import State
from relet.lab.ether import Ether
from relet.lab.hosts import ClientHost
from relet.model.effects import Note
from relet.model.events import ClockSet, Command, Event, LinkChanged, Woken
from relet.run.terms import Terms, terms

PATIENCE = 120.0
"""Seconds of virtual time within which a client is to come to the state that a test waits for, if it says nothing else."""


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).removeprefix("-")


STATES = frozenset(_kebab(state.__name__) for state in get_args(State))
"""'init-reboot', 'bound', ...: the states by name."""


class DhcpClient:
    """relet's client on a link. All times are virtual."""

    def __init__(self, ether: Ether, host: ClientHost) -> None:
        self.host = host
        self._ether = ether

    @property
    def name(self) -> str:
        """Its name on the link."""
        return self.host.name

    @property
    def mac(self) -> bytes:
        """Its hardware address."""
        return self.host.mac

    @property
    def state(self) -> str:
        """Its state: 'selecting', 'init-reboot', 'bound', ...; 'off' while it has no power."""
        return "off" if self.host.machine is None else state_name(self.host.machine.state)

    @property
    def states(self) -> list[str]:
        """Every state that it came to, in order."""
        return [state_name(state) for _, state in self.host.states]

    @property
    def lease(self) -> Terms | None:
        """The lease whose address is on its interface."""
        return None if self.host.binding is None else terms(self.host.binding)

    @property
    def remembered(self) -> list[Terms]:
        """What it would ask for after a reboot, newest first."""
        return [terms(each.binding) for each in self.host.remembered]

    @property
    def notes(self) -> list[str]:
        """What it told its operator, as 'kind: text'."""
        return [f"{effect.kind}: {effect.text}" for _, effect in self.host.deeds if isinstance(effect, Note)]

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages it did not take, by reason."""
        return {} if self.host.machine is None else dict(self.host.machine.dropped)

    def wait_for(self, state: str, *others: str, seconds: float = PATIENCE) -> Terms | None:
        """Let time go by until it is in one of these states; its lease then. AssertionError if it does not come to be.

        'init-reboot' and 'init' are passed through at once, unless there is something to wait for.
        """
        states = (state, *others)
        if unknown := set(states) - STATES - {"off"}:
            raise ValueError(f"{sorted(unknown)} are no states; there are {sorted(STATES)}")
        if not self._ether.run(seconds, lambda: self.state in states):
            wanted, was = " or ".join(states), ", ".join(self.states)
            raise AssertionError(f"{self.name} is {self.state} after {seconds:g} s, not {wanted}; it was {was}")
        return self.lease

    def start(self) -> None:
        """Switch it on: it asks for what it remembers (INIT-REBOOT), or starts from INIT."""
        self._ether.send(self.host, self.host.boot(self._ether.now))

    def reboot(self) -> None:
        """Cut its power and switch it on again."""
        self.crash()
        self.start()

    def crash(self) -> None:
        """Cut its power: nothing is tidied up, and its address is gone; what it remembers is not."""
        self.host.crash()

    def stop(self) -> None:
        """Stop it; it goes on remembering its lease."""
        self._happen(Command.STOP)

    def release(self) -> None:
        """Give the lease back and stop."""
        self._happen(Command.RELEASE)

    def renew(self) -> None:
        """Ask for an extension now."""
        self._happen(Command.RENEW)

    def unplug(self) -> None:
        """Pull its cable."""
        self.host.network = ""
        self._happen(LinkChanged(up=False))

    def plug(self, network: str = "link") -> None:
        """Plug it in, where it was or elsewhere."""
        self.host.network = network
        self._happen(LinkChanged(up=True))

    def sleep(self) -> None:
        """Send the machine to sleep: it hears and does nothing until `wake`, while time and its lease go on."""
        self.host.asleep = True

    def wake(self, network: str = "") -> None:
        """Wake the machine, where it was or elsewhere; its link has not gone down as far as it knows. RuntimeError if it is
        not asleep."""
        if not self.host.asleep:
            raise RuntimeError(f"{self.name} is not asleep")
        self.host.asleep = False
        self.host.network = network or self.host.network
        self._happen(Woken())

    def set_clock(self, by: float) -> None:
        """Set its wall clock forward by so many seconds, or back; nobody else's. RuntimeError while it is asleep."""
        if self.host.asleep:
            raise RuntimeError(f"{self.name} is asleep")
        self.host.ahead += by
        self._happen(ClockSet(by))

    def _happen(self, event: Event) -> None:
        self._ether.send(self.host, self.host.happen(event, self._ether.now))

    def __repr__(self) -> str:
        return f"<client {self.name} {self.state}{f' {self.lease.interface}' if self.lease else ''}>"


def state_name(state: State) -> str:
    """'init-reboot' for InitReboot."""
    return _kebab(type(state).__name__)
