"""Runs other programs beside the loop: one at a time, in order, without a shell, and none for longer than it may take.

These are the operator's hook and the programs that keep resolv.conf. What is given to them is decided elsewhere. A job is
one or several commands, of which the next is run when the one before has ended; one that takes too long is killed with
all that it started, and the rest of its job is left out.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf

import msgspec

from relet.net.clock import now
from relet.run.loop import Sources

FAREWELL_S = 5.0
"""What is left to a job once the client ends: whoever stops it, perhaps the whole machine, waits for it."""

MAX_WAITING = 16
"""Jobs that wait for the one before; of more, the oldest are left out, since the newest says how things are."""

MAX_INPUT = 65536
"""Octets of a program's standard input: they lie in memory before it starts."""


class Job(msgspec.Struct, frozen=True):
    """What is to be run.

    kind: the event under which is told how it ended. what: name of the job, for people. commands: absolute program and
    arguments of each. timeout: seconds for the whole job. environment: all of it. given: the first command's standard input.
    place: where the job sets how something is, such as 'resolver of eth0': it takes the place of one that waits to set the
    same, and is done even when the client ends; '' for a job that only tells of something. quiet: nothing is told of a good
    end.
    """

    kind: str
    what: str
    commands: tuple[tuple[str, ...], ...]
    environment: Mapping[str, str]
    timeout: float
    given: bytes = b""
    place: str = ""
    quiet: bool = False


_NONE = Job("", "", (), {}, inf)


class Programs:
    """The jobs, of which at most one runs. told: gets kind and one line about each that ended."""

    def __init__(self, loop: Sources, told: Callable[[str, str], None]) -> None:
        self._loop = loop
        self._told = told
        self._waiting: deque[Job] = deque()
        self._job = _NONE
        self._commands: deque[tuple[str, ...]] = deque()
        self._process: int | None = None
        self._watch = -1
        self._longest = inf
        self._kill_at = inf

    def run(self, job: Job) -> None:
        """Start the job, or let it wait for the one that runs."""
        if job.place:
            self._waiting = deque(each for each in self._waiting if each.place != job.place)
        self._waiting.append(job)
        self._leave_out(MAX_WAITING, "too many are waiting")
        self._next()

    def hurry(self) -> None:
        """The client ends: of the jobs that only tell of something, the newest is still done, and FAREWELL_S is left to
        each of all."""
        self._longest = FAREWELL_S
        self._leave_out(1, "the client ends")
        if self._process:
            self._kill_at = min(self._kill_at, now().mono + FAREWELL_S)

    def idle(self) -> bool:
        """Is nothing running or waiting?"""
        return self._process is None and not self._waiting

    def deadline(self) -> float:
        """Monotonic time at which the running program will be killed; infinity if none runs."""
        return self._kill_at

    def wake(self, mono: float) -> None:
        """Kill the program if its time is up."""
        if self._process and self._kill_at <= mono:
            self._kill_at = inf
            self._commands.clear()
            self._told(self._job.kind, f"{self._job.what} took longer than {self._time(self._job):g} s and is killed")
            self._kill(self._process)

    def close(self) -> None:
        """Kill what still runs. Idempotent."""
        self._waiting.clear()
        self._commands.clear()
        if self._process:
            self._kill(self._process)
            _exit_code(self._process, 0)
            self._forget()

    def _time(self, job: Job) -> float:
        return min(job.timeout, self._longest)

    def _leave_out(self, most: int, why: str) -> None:
        telling = [job for job in self._waiting if not job.place]
        for job in telling[: max(0, len(telling) - most)]:
            self._waiting.remove(job)
            self._told(job.kind, f"{job.what} left out: {why}")

    def _next(self) -> None:
        while self._process is None and (self._commands or self._waiting):
            given = b""
            if not self._commands:
                job = self._job = self._waiting.popleft()
                self._commands.extend(job.commands)
                self._kill_at = now().mono + self._time(job)
                given = job.given
            self._start(self._commands.popleft(), given)

    def _start(self, command: tuple[str, ...], given: bytes) -> None:
        try:
            process = _spawn(command, self._job.environment, given)
        except OSError as error:
            self._commands.clear()
            self._kill_at = inf
            self._told(self._job.kind, f"{self._job.what} cannot be run: {error}")
            return
        self._process = process
        self._watch = os.pidfd_open(process)
        self._loop.register(self._watch, self._ended)

    def _ended(self) -> None:
        code = None if self._process is None else _exit_code(self._process, os.WNOHANG)
        if code is None:
            return
        if code:
            self._commands.clear()
        self._forget()
        if code or not (self._job.quiet or self._commands):
            self._told(self._job.kind, f"{self._job.what} ended with {_verdict(code)}")
        self._next()

    def _forget(self) -> None:
        self._loop.unregister(self._watch)
        os.close(self._watch)
        self._process = None
        if not self._commands:
            self._kill_at = inf

    def _kill(self, process: int) -> None:
        # It leads a session of its own, so this is it and what it started, and nobody else.
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


def _spawn(command: tuple[str, ...], environment: Mapping[str, str], given: bytes) -> int:
    """Start the program, in a session of its own, with `given` to read. Its process id. Raises OSError.

    Without the subprocess module, which takes longer to load than a lease is waited for.
    """
    source = os.memfd_create("given")
    try:
        os.pwrite(source, given[:MAX_INPUT], 0)
        return os.posix_spawn(
            command[0],
            command,
            environment,
            # Its output goes where our errors go: our own output may be JSON for a program to read.
            file_actions=[(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
            setsid=True,
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # which Python ignores
        )
    finally:
        os.close(source)


def _exit_code(process: int, how: int) -> int | None:
    """How a child ended, negative for a signal; None if it runs still. how: of waitpid(2)."""
    try:
        ended, status = os.waitpid(process, how)
    except ChildProcessError:  # somebody else has asked, as a host program of ours may
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


def _verdict(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"
