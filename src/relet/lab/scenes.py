"""The play in five scenes: what a host that has a lease can meet when it boots (RFC 2131 s3.2).

The scenes are written against `Stage`; they wait for what they claim to show and say honestly whether it came.
"""

from collections.abc import Callable
from typing import NamedTuple

from relet.lab.ladder import Aside, Host, Ladder, Role
from relet.lab.observer import Observer
from relet.lab.pcap import PcapWriter
from relet.lab.stage import CLIENT, CLIENT_MAC, SERVERS, STRANGER, WORKSHOP, Seen, Stage
from relet.wire.address import hex_text, ip_text

PATIENCE = 20.0
"""Seconds that a scene may take at most."""
AFTERWARDS = 0.3
"""Seconds watched after a scene's end, for servers to have kept silent."""

LONGEST_CLAIM = 65
"""With its indent it must fit on the narrowest terminal that the ladder is drawn for."""


class Outcome(NamedTuple):
    """What a scene was to show, in at most LONGEST_CLAIM characters, and whether it was seen."""

    claim: str
    seen: bool


class Play:
    """Plays the scenes on a stage, into a ladder and a capture."""

    def __init__(self, stage: Stage, ladder: Ladder, tape: PcapWriter) -> None:
        self._stage = stage
        self._ladder = ladder
        self._tape = tape
        self._observer = Observer(ladder, stage.verdicts)
        self._held = 0

    def perform(self) -> list[Outcome]:
        """All five scenes. Every one begins where the one before left the client, its lease file, and the servers."""
        outcomes = []
        for scene in (self._allocation, self._confirmed, self._moved, self._unanswered, self._taken):
            outcomes.append(scene())
            self._stage.crash()
        return outcomes

    def _allocation(self) -> Outcome:
        self._stage.start("server-1")
        self._stage.start("server-3")  # on the other network; it is not heard here
        self._begin("Allocation from nothing", "A new host has no lease: four messages bring it one.", "server-1")
        self._stage.boot(reboot_timeout=10)
        seen = self._until(lambda o: o.bound != 0)
        return Outcome("a host without a lease was given one in four messages", seen)

    def _confirmed(self) -> Outcome:
        self._stage.start("server-2")
        self._begin(
            "The lease is confirmed",
            "The host lost power and boots again. It asks for its address; the server that knows it says yes, the other"
            " one keeps silent.",
            "server-1",
            "server-2",
        )
        self._aside("power is back")
        self._stage.boot(reboot_timeout=10)
        bound = self._until(lambda o: o.bound != 0)
        sent, silent = self._observer.sent, self._observer.silent
        seen = bound and ("server-1", "DHCPACK") in sent and "server-2" in silent and len(sent) == 2
        return Outcome("a lease was confirmed by one server while the other kept silent", seen)

    def _moved(self) -> Outcome:
        self._stage.plug(WORKSHOP)
        self._begin(
            "The host wakes up on another network",
            "Its old address is wrong here. The server is certain of that and says no; the host starts anew.",
            "server-3",
        )
        self._aside("was carried to the workshop")
        self._stage.boot(reboot_timeout=10)
        bound = self._until(lambda o: o.bound != 0)
        seen = bound and ("server-3", "DHCPNAK") in self._observer.sent
        return Outcome("a host that had moved was told no and got a new address", seen)

    def _unanswered(self) -> Outcome:
        self._stage.stop("server-3")
        self._begin(
            "Nobody answers",
            "The only server is down. The host goes on asking, and looks for any server beside that, without using the"
            " address.",
            "server-3",
            down=True,
        )
        self._aside("power is back; the server is down")
        self._stage.boot(reboot_timeout=5)
        request, discover = (CLIENT, "DHCPREQUEST"), (CLIENT, "DHCPDISCOVER")
        seen = self._until(lambda o: o.sent.count(request) > 1 and discover in o.sent)
        first = self._observer.sent[:1] == [request]
        claim = "a host that nobody answered asked again, and looked for others"
        return Outcome(claim, seen and first and not self._observer.bound)

    def _taken(self) -> Outcome:
        self._stage.start("server-3")
        self._stage.squat(self._held)
        self._begin(
            "Another host holds the address",
            "The server says yes, but the ARP probe is answered: the host declines the address and starts anew.",
            "server-3",
            stranger=True,
        )
        self._aside("power is back")
        self._stage.boot(reboot_timeout=10)
        taken, sent = self._held, self._observer.sent
        bound = self._until(lambda o: o.bound != 0)
        declined = (STRANGER, "ARP reply") in sent and (CLIENT, "DHCPDECLINE") in sent
        return Outcome(
            "a host whose address was in use declined it and got another one",
            bound and declined and self._held != taken,
        )

    def _begin(self, title: str, sentence: str, *servers: str, stranger: bool = False, down: bool = False) -> None:
        hosts = [Host(CLIENT, Role.CLIENT, hex_text(CLIENT_MAC))]
        hosts += [Host(name, Role.SERVER, ip_text(SERVERS[name].address)) for name in servers]
        if stranger:
            hosts.append(Host(STRANGER, Role.HOST, ip_text(self._held)))
        self._ladder.begin(title, sentence, hosts)
        self._observer.begin(self._stage.wall(), servers, down)

    def _aside(self, text: str) -> None:
        self._ladder.add(Aside(self._observer.at(self._stage.wall()), CLIENT, text))

    def _until(self, done: Callable[[Observer], bool]) -> bool:
        """Watch until it is so, and a little longer. False if it did not come to pass."""
        for seen in self._stage.watch(PATIENCE):
            self._look(seen)
            if done(self._observer):
                break
        for seen in self._stage.watch(AFTERWARDS):
            self._look(seen)
        self._observer.ask(self._stage.wall())  # a busy machine's servers may have been late
        self._held = self._observer.bound or self._held
        return done(self._observer)

    def _look(self, seen: Seen | None) -> None:
        if seen is not None:
            self._tape.write(seen.at, seen.frame)
            self._observer.see(seen)
        self._observer.tick(self._stage.wall())
