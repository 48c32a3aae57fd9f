"""Runs the operator's program when the lease changes, with the values in its environment.

What a server sent is never part of a command line, and no shell reads it: it stands in variables named RELET_*, without
control characters and cut at a bound. The program runs beside the loop, one at a time and in order; one that takes too
long is killed with all that it started.
"""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf
from typing import NamedTuple

import msgspec

from relet.model.effects import Binding
from relet.net.clock import now
from relet.run.loop import Sources
from relet.run.plan import plan
from relet.wire import options
from relet.wire.address import BROADCAST, ip_text, mask

TIMEOUT_S = 60.0
"""A hook that runs longer is killed."""

FAREWELL_S = 5.0
"""What is left to a run once the client ends: whoever stops it, perhaps the whole machine, waits for it."""

MAX_WAITING = 16
"""Runs that wait for the one before; of more, the oldest are left out, since the newest says how things are."""

MAX_VALUE = 4096
"""Characters of one variable."""

_PREFIX = "RELET_"


class _Run(NamedTuple):
    reason: str
    environment: dict[str, str]


class Hooks:
    """The program, and its runs.

    argv: the program and its arguments as the operator wrote them. told: gets one line about each run that ended.
    timeout: seconds that one run may take.
    """

    def __init__(
        self, argv: tuple[str, ...], loop: Sources, told: Callable[[str], None], timeout: float = TIMEOUT_S
    ) -> None:
        self._argv = argv
        self._loop = loop
        self._told = told
        self._timeout = timeout
        self._waiting: deque[_Run] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = -1
        self._reason = ""
        self._kill_at = inf

    def run(self, reason: str, environment: Mapping[str, str]) -> None:
        """Start the program, or let it wait for the one that runs."""
        if not self._argv:
            return
        self._waiting.append(_Run(reason, dict(environment)))
        self._leave_out(MAX_WAITING, "too many are waiting")
        self._next()

    def hurry(self) -> None:
        """The client ends: only the newest run that waits is still done, and FAREWELL_S is left to each."""
        self._timeout = min(self._timeout, FAREWELL_S)
        self._leave_out(1, "the client ends")
        if self._process:
            self._kill_at = min(self._kill_at, now().mono + self._timeout)

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
            self._told(f"hook for {self._reason} took longer than {self._timeout:g} s and is killed")
            self._kill(self._process)

    def close(self) -> None:
        """Kill what still runs. Idempotent."""
        self._waiting.clear()
        if self._process:
            self._kill(self._process)
            self._process.wait()
            self._forget()

    def _leave_out(self, most: int, why: str) -> None:
        while len(self._waiting) > most:
            self._told(f"hook for {self._waiting.popleft().reason} left out: {why}")

    def _next(self) -> None:
        while self._process is None and self._waiting:
            run = self._waiting.popleft()
            try:
                self._start(run)
            except OSError as error:
                self._told(f"hook for {run.reason} cannot be run: {error}")

    def _start(self, run: _Run) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
        process = subprocess.Popen(
            self._argv,
            env=ours | run.environment,
            stdin=subprocess.DEVNULL,
            stdout=2,  # our own output may be JSON for a program to read
            start_new_session=True,
        )
        self._process, self._reason = process, run.reason
        self._kill_at = now().mono + self._timeout
        self._watch = os.pidfd_open(process.pid)
        self._loop.register(self._watch, self._ended)

    def _ended(self) -> None:
        process = self._process
        if process is None or process.poll() is None:
            return
        self._forget()
        self._told(f"hook for {self._reason} ended with {_verdict(process.returncode)}")
        self._next()

    def _forget(self) -> None:
        self._loop.unregister(self._watch)
        os.close(self._watch)
        self._process, self._kill_at = None, inf

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        # It leads a session of its own, so this is it and what it started, and nobody else.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def environment(reason: str, interface: str, binding: Binding) -> dict[str, str]:
    """The variables of one run: RELET_REASON, RELET_INTERFACE, RELET_ADDRESS, RELET_PREFIX (width), RELET_NETMASK,
    RELET_BROADCAST, RELET_ROUTERS (of option 3), RELET_SERVER, RELET_LEASE_TIME (seconds), RELET_EXPIRES (seconds since
    1970, or 'never'), RELET_NEXT_SERVER, RELET_BOOT_FILE, and RELET_OPTION_<NAME> for every option of the lease."""
    wanted = plan(binding)
    netmask = mask(wanted.width)
    expires = binding.expires()
    variables = {
        "REASON": reason,
        "INTERFACE": interface,
        "ADDRESS": ip_text(binding.address),
        "PREFIX": str(wanted.width),
        "NETMASK": ip_text(netmask),
        "BROADCAST": ip_text(binding.address | ~netmask & BROADCAST),
        "ROUTERS": _value(options.ROUTERS, binding.options.get(options.ROUTERS.code, b"")),
        "SERVER": ip_text(binding.server),
        "LEASE_TIME": str(binding.lease_time),
        "EXPIRES": "never" if expires == inf else str(int(expires)),
        "NEXT_SERVER": ip_text(binding.siaddr),
        "BOOT_FILE": binding.file.decode(errors="replace"),
    }
    for code, octets in binding.options.items():
        option = options.option(code)
        variables["OPTION_" + _name(option.name)] = _value(option, octets)
    return {_PREFIX + name: _harmless(value) for name, value in variables.items()}


def _name(option_name: str) -> str:
    return "".join(char.upper() if char.isalnum() else "_" for char in option_name.removeprefix("option-"))


def _value(option: options.Option, octets: bytes) -> str:
    """As a script can use it: words with spaces between them; what is more than words, as JSON."""
    plain = option.plain(octets) if octets else ""
    items = plain if isinstance(plain, list) else [plain]
    return " ".join(item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in items)


def _harmless(value: str) -> str:
    return "".join(char for char in value[:MAX_VALUE] if char.isprintable())


def _verdict(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"
