"""The server in the real world: sockets, store and engine, driven by the loop.

A batch is what one socket holds or, when more comes than can be served, the best of what waits (intake.py); it is handled
and sent as a whole. Between batches leases are ended that are over, and questions at the control socket are answered. What
to decide is the engine's alone.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import structlog

from relet.errors import ReletError
from relet.model.clock import Now
from relet.model.effects import Send
from relet.model.events import Arrival
from relet.model.lease import Leases
from relet.model.network import Settings
from relet.net.clock import now
from relet.run.asked import answer
from relet.run.control import Control
from relet.run.ears import Ear, Ears
from relet.run.figures import Figures, Timed
from relet.run.intake import Intake
from relet.run.journal import Journal
from relet.run.loop import Loop
from relet.run.metrics import exposition
from relet.run.notify import Notify
from relet.run.probes import Prober
from relet.run.reload import Reload, Reloaded
from relet.run.scrape import Scrape
from relet.server.engine import Engine

TEND_EVERY_S = 1.0
"""Seconds between rounds of housekeeping while requests come in, or when there was nothing left to do."""
TEND_AGAIN_S = 0.02
"""Seconds between rounds while nobody asks for anything and there is more to do."""
EXPIRE_STEP = 1000
"""Leases and offers that are over worked off at once: some milliseconds."""

LAST_ROUNDS = 128
"""So often each socket is read once more at the end: as much as a receive buffer holds, and an end to it under any load."""


class Server:
    """A running server. Raises LinkError and StoreError while it is built, nothing afterwards.

    verbose: log every verdict. group: number of the group that may ask at the control socket besides its owner. file: the
    configuration file that the settings are from, if there is one. notify: whom to tell that the server is ready and alive.
    """

    def __init__(
        self,
        settings: Settings,
        store: Leases,
        verbose: bool = False,
        group: int | None = None,
        file: Path | None = None,
        notify: Notify | None = None,
    ) -> None:
        self._notify = notify or Notify({}, 0)
        self._log = structlog.get_logger("relet.serve")
        self._settings = settings
        self._store = store
        self._tend_at = 0.0
        self._heard_at = 0.0
        self.figures = Figures()
        self.started = now().wall
        self.loop = Loop(self._deadline, self._wake)
        self._prober = Prober(self.loop, self._answered)
        self._control: Control | None = None
        self._scrape: Scrape | None = None
        self._ears = Ears(self.loop, self._ready, self._moved)
        timed = Timed(store, self.figures.commit, lambda: now().mono)
        self.engine = Engine(settings.networks, timed, leasequery=settings.leasequery)
        self.intake = Intake(self.engine, settings.backlog)
        self.reloading = Reload(self.engine, settings, file, self._ears.want)
        try:
            self._ears.want(settings)
            if settings.control:
                path = Path(settings.control)
                self._control = Control(path, lambda question: answer(self, question), self.loop, group)
            if settings.metrics is not None:
                self._scrape = Scrape(settings.metrics, lambda: exposition(self), self.loop)
        except (ReletError, OSError):
            self.close()
            raise
        self._journal = Journal(self.engine, verbose)

    def run(self) -> None:
        """Serve until the loop is stopped."""
        self._journal.started(self._settings)
        self._notify.ready(self._state())
        self.loop.run()
        self._notify.stopping()
        self._finish()
        self._log.info("stopped", **self.summary())

    def close(self) -> None:
        """Give back every socket. The store stays open: it is its owner's."""
        if self._control is not None:
            self._control.close()
        if self._scrape is not None:
            self._scrape.close()
        self._prober.close()
        self._ears.close()
        self._notify.close()
        self.loop.close()

    def reload(self, dry: bool = False) -> Reloaded:
        """Begin to read the configuration file again; `reloading.said` tells what came of it."""
        moment = now()
        self._notify.reloading(moment.mono)
        said = self.reloading.begin(dry, moment)
        self._reloaded()
        return said

    def summary(self) -> dict[str, int]:
        """Verdicts by answer, and datagrams dropped."""
        answers: Counter[str] = Counter()
        for (_, given, _), count in self.engine.counts.items():
            answers[given.lower()] += count
        return {**answers, "dropped": self.drops().total()}

    def drops(self) -> Counter[str]:
        """Everything that was thrown away, by name."""
        return +(Counter(self.engine.drops) + self._ears.drops() + self.intake.backlog.dropped)

    def _reloaded(self) -> None:
        if not self.reloading.busy:
            self._notify.ready(self._state())

    def _state(self) -> str:
        """A line for whoever looks after services."""
        if self.engine.store_error:
            return f"the store fails: {self.engine.store_error}"
        return f"serves (networks {len(self.reloading.settings.networks)}, addresses {len(self._ears.own)})"

    def _moved(self) -> None:
        self.engine.own = self._ears.own

    def _finish(self) -> None:
        """Answer what had been received when the end was asked for."""
        for _ in range(LAST_ROUNDS):
            heard = [self._heard(ear) for ear in self._ears.open()]
            if not any(heard) and not self.intake.backlog:
                return
            self._next()
        while self.intake.backlog:
            self._next()

    def _ready(self, ear: Ear) -> None:
        self._heard(ear)

    def _heard(self, ear: Ear) -> bool:
        """Answer what a socket holds, or let it wait. Was anything answered?"""
        moment = now()
        return self._handle(self.intake.hear(ear, moment.mono), moment)

    def _next(self) -> None:
        """Answer the next of those who wait."""
        moment = now()
        if self._handle(self.intake.next(moment.mono), moment):
            self.figures.wait.observe(self.intake.backlog.longest_s)

    def _handle(self, arrivals: list[Arrival], moment: Now) -> bool:
        """Answer a batch. Was there anything?"""
        if not arrivals:
            return False
        self._heard_at = moment.mono
        self.figures.batch.observe(len(arrivals))
        self._say(self.engine.handle(arrivals, moment))
        self.figures.answer.observe(now().mono - moment.mono)
        self._journal.follow(moment.mono)
        return True

    def _say(self, sends: Iterable[Send]) -> None:
        lost = self._ears.send(sends)
        if lost:
            self.engine.drops["no-way-out"] += lost
        self._prober.send(self.engine.probes())

    def _answered(self, address: int, hardware: bytes) -> None:
        moment = now()
        self._say(self.engine.answered(address, hardware, moment))
        self._journal.follow(moment.mono)

    def _deadline(self) -> float:
        if self.reloading.busy or self.intake.backlog:
            return 0.0
        waiting = self.engine.deadline()
        return self._tend_at if waiting is None else min(self._tend_at, waiting)

    def _wake(self) -> None:
        if self.intake.backlog:
            self._next()
        moment = now()
        waiting = self.engine.deadline()
        if waiting is not None and waiting <= moment.mono:
            self._say(self.engine.wake(moment))
            self._journal.follow(moment.mono)
        if self.reloading.busy:
            self.reloading.step()
            self._reloaded()
        elif self._tend_at <= moment.mono:
            self._tend()
        self._notify.alive(self._state(), moment.mono)

    def _tend(self) -> None:
        """A round of housekeeping; the next one soon if there is more. The store folds beside the road."""
        failed = ""
        try:
            self._store.tend()
        except ReletError as error:
            failed = str(error)
        self._journal.folded(failed)
        expired = self.engine.expire(now(), EXPIRE_STEP)
        drops = self.drops()
        self._journal.pools(now().mono)
        self._journal.links(drops)
        self._journal.waiting(len(self.intake.backlog), now().mono)
        mono = now().mono
        self._journal.dropped(drops, mono)
        idle = mono - self._heard_at > TEND_EVERY_S
        more = idle and expired >= EXPIRE_STEP
        self._tend_at = mono + (TEND_AGAIN_S if more else TEND_EVERY_S)
