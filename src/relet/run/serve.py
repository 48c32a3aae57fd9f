"""The server in the real world: sockets, store and engine, driven by the loop.

A batch is what one socket holds or, when more comes than can be served, the best of what waits (intake.py); it is handled
and sent as a whole. Between batches leases are ended that are over, and questions at the control socket are answered. What
to decide is the engine's alone.
"""

import gc
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
"""Seconds between rounds of housekeeping, and between steps of expiry if there was nothing left to do."""
EXPIRE_STEP = 500
"""Leases and offers that are over worked off at once: a millisecond at most."""
EXPIRE_AGAIN_S = 0.02
"""Seconds until the next such step while there is more to do: 25,000 a second beside the road."""

READ_FIRST_S = 0.5
"""Seconds of a start in which leases are read before anybody is heard: a server with some 100,000 leases knows them all by
then, and never has to be silent."""
STATE_EVERY = 100_000
"""Leases after which it is told how far the start has come."""
LAST_ROUNDS = 128
"""So often each socket is read once more at the end: as much as a receive buffer holds, and an end to it under any load."""


class Server:
    """A running server. Raises LinkError and StoreError while it is built.

    It serves from its first moment on, and takes in the store's leases between batches (server/start.py).

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
        self._tend_at = self._expire_at = 0.0
        self._unread: ReletError | None = None
        self.figures = Figures()
        self.started = now().wall
        self.loop = Loop(self._deadline, self._wake, self._failed)
        self._prober = Prober(self.loop, self._answered)
        self._control: Control | None = None
        self._scrape: Scrape | None = None
        self._ears = Ears(self.loop, self._ready, self._moved)
        timed = Timed(store, self.figures.commit, lambda: now().mono)
        self.engine = Engine(settings.networks, timed, leasequery=settings.leasequery, load=False)
        self.intake = Intake(self.engine, settings.backlog)
        self._journal = Journal(self.engine, verbose)
        self.reloading = Reload(self.engine, settings, file, self._ears.want)
        try:
            until = now().mono + READ_FIRST_S
            while self.engine.starting is not None and now().mono < until:
                self._start()
            self._ears.want(settings)
            if settings.control:
                path = Path(settings.control)
                self._control = Control(path, lambda question: answer(self, question), self.loop, group)
            if settings.metrics is not None:
                self._scrape = Scrape(settings.metrics, lambda: exposition(self), self.loop)
        except (ReletError, OSError):
            self.close()
            raise

    def run(self) -> None:
        """Serve until the loop is stopped. Raises StoreError if the leases cannot be read."""
        self._journal.started(self._settings)
        self._notify.ready(self._state())
        self.loop.run()
        if self._unread is not None:
            raise self._unread
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

    def _failed(self, error: Exception, faults: int) -> None:
        self._log.error("callback failed", error=repr(error), faults=faults, exc_info=error)

    def _reloaded(self) -> None:
        if not self.reloading.busy:
            self._notify.ready(self._state())

    def _state(self) -> str:
        """A line for whoever looks after services."""
        if self.engine.store_error:
            return f"the store fails: {self.engine.store_error}"
        if self.engine.starting is not None:
            read = self.engine.read // STATE_EVERY * STATE_EVERY
            return f"reads its leases ({read} so far) and confirms those"
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
        if self.reloading.busy or self.intake.backlog or self.engine.starting is not None:
            return 0.0
        waiting = self.engine.deadline()
        upkeep = min(self._tend_at, self._expire_at)
        return upkeep if waiting is None else min(upkeep, waiting)

    def _wake(self) -> None:
        if self.intake.backlog:
            self._next()
        moment = now()
        waiting = self.engine.deadline()
        if waiting is not None and waiting <= moment.mono:
            self._say(self.engine.wake(moment))
            self._journal.follow(moment.mono)
        if self.engine.starting is not None:
            self._read_on()
        elif self.reloading.busy:
            self.reloading.step()
            self._reloaded()
        if self.engine.starting is None and self._expire_at <= moment.mono:
            self._expire(moment)
        if self._tend_at <= moment.mono:
            self._tend(moment)
        self._notify.alive(self._state(), moment.mono)

    def _start(self) -> None:
        """A step of the start. Raises StoreError."""
        if not self.engine.start():
            # what is there now stays: the cyclic collector, which stops the road, need not look through it again
            gc.collect()
            gc.freeze()

    def _read_on(self) -> None:
        """A step of a start that goes on while requests are served."""
        try:
            self._start()
        except ReletError as error:  # a server that cannot read its leases could only ever be silent
            self._unread = error
            self.loop.stop()
        if self.engine.starting is None:
            self._journal.read(self.engine.read, now().wall - self.started)

    def _expire(self, moment: Now) -> None:
        """A step of expiry; the next one soon if there is more."""
        self._expire_at = moment.mono + TEND_EVERY_S  # also if it fails: it shall not be tried without a rest
        if self.engine.expire(moment, EXPIRE_STEP) >= EXPIRE_STEP:
            self._expire_at = now().mono + EXPIRE_AGAIN_S

    def _tend(self, moment: Now) -> None:
        """A round of housekeeping. The store folds beside the road."""
        self._tend_at = moment.mono + TEND_EVERY_S
        failed = ""
        try:
            self._store.tend()
        except ReletError as error:
            failed = str(error)
        self._journal.folded(failed)
        drops = self.drops()
        mono = now().mono
        self._journal.pools(mono)
        self._journal.links(drops)
        self._journal.waiting(len(self.intake.backlog), mono)
        self._journal.dropped(drops, mono)
