"""A running server reads its configuration file again: everything that is wrong is told and nothing changes, or the whole of
it takes effect between two batches.

The new networks are built in steps of some milliseconds while the old ones serve. What comes in waits in its socket for no
longer than a step.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from relet.config.diff import changes, fixed
from relet.config.load import load
from relet.errors import ConfigError, MachineError
from relet.model.clock import Now
from relet.model.network import Settings
from relet.server.engine import Engine
from relet.server.moving import Move, told
from relet.server.rebuild import Rebuild

MAX_LOGGED = 50
"""Lines of one reload in the log; of more, only the number."""

REFUSED, PREPARING, COMPARED, APPLIED = "refused", "preparing", "compared", "applied"


class Reloaded(msgspec.Struct, frozen=True):
    """What came of a reload. state: refused, preparing, compared (a dry run) or applied.

    problems: why it was refused. changes: what becomes different. moving: how many clients have to move; moves: those told
    one by one.
    """

    state: str
    problems: list[str] = []
    changes: list[str] = []
    moving: int = 0
    moves: list[Move] = []


class Reload:
    """file: the configuration file, None if the server was started without one. want: has other sockets opened and raises
    MachineError if they cannot be.

    settings: those in effect. said: of the last reload. refused: was the last one refused? Dry runs do not count.
    """

    def __init__(self, engine: Engine, settings: Settings, file: Path | None, want: Callable[[Settings], None]) -> None:
        self.settings = settings
        self.said = Reloaded(REFUSED, ["there has been no reload since the server started"])
        self.refused = False
        self._engine = engine
        self._file = file
        self._want = want
        self._coming: Settings | None = None
        self._rebuild: Rebuild | None = None
        self._dry = False
        self._log = structlog.get_logger("relet.serve")

    @property
    def busy(self) -> bool:
        """Are there steps to do?"""
        return self._rebuild is not None

    def begin(self, dry: bool, now: Now) -> Reloaded:
        """Read and compare; the rest comes by steps. A reload that is not finished gives way. dry: only tell."""
        self._forget()
        self._dry = dry
        try:
            self._coming = self._read()
            said = changes(self.settings, self._coming)
            self._rebuild = self._engine.prepare(self._coming.networks, now, self._coming.leasequery)
        except ConfigError as error:
            return self._refuse([str(problem) for problem in error.problems])
        except MachineError as error:
            return self._refuse([str(error)])
        self.said = Reloaded(PREPARING, changes=said)
        return self.said

    def step(self) -> None:
        """Some milliseconds of work; the last one applies what was prepared."""
        if self._rebuild is None or self._coming is None:
            return
        try:
            if self._rebuild.step():
                return
            self._finish(self._rebuild, self._coming)
        except Exception as error:  # a bug of ours: the old configuration stays
            self._refuse([f"bug; please report: {error!r}"])
            raise

    def _finish(self, rebuild: Rebuild, coming: Settings) -> None:
        if not self._dry and not self._open(coming):
            return
        moves = [told(each) for each in rebuild.movers]
        self.said = Reloaded(COMPARED if self._dry else APPLIED, [], self.said.changes, rebuild.moving, moves)
        if not self._dry:
            self._engine.reconfigure(rebuild)
            self.settings = coming
            self.refused = False
            self._tell()
        self._forget()

    def _read(self) -> Settings:
        if self._file is None:
            raise MachineError("this server was started without a configuration file, so there is nothing to reload")
        coming = load(self._file)
        names = fixed(self.settings, coming)
        if names:
            raise MachineError(f"{', '.join(names)} cannot change while the server runs; restart it")
        return coming

    def _open(self, coming: Settings) -> bool:
        """The sockets that are wanted from now on; those of before if some of them cannot be had."""
        try:
            self._want(coming)
        except MachineError as error:
            try:
                self._want(self.settings)
            except MachineError as again:
                self._log.error("socket lost", error=str(again))
            self._refuse([str(error)])
            return False
        return True

    def _refuse(self, problems: list[str]) -> Reloaded:
        self._forget()
        self.said = Reloaded(REFUSED, problems)
        if not self._dry:
            self.refused = True
            for problem in problems[:MAX_LOGGED]:
                self._log.error("not reloaded", problem=problem)
        return self.said

    def _forget(self) -> None:
        if self._rebuild is not None:
            self._engine.reconfigure(None)
        self._rebuild = self._coming = None

    def _tell(self) -> None:
        for change in self.said.changes[:MAX_LOGGED]:
            self._log.info("changed", what=change)
        self._log.info("reloaded", changes=len(self.said.changes), clients_to_move=self.said.moving)
