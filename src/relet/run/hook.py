"""The operator's program, run when the lease changes, with the values in its environment (variables.py).

What a server sent is never part of a command line, and no shell reads it. The one argument is a word of ours: what udhcpc
would say, by which its scripts know what to do; dhclient-script takes no argument and goes by `reason`.
"""

import os
from collections.abc import Mapping

from relet.run.programs import Job, Programs
from relet.run.variables import REASONS, is_ours

TIMEOUT_S = 60.0
"""A hook that runs longer is killed."""

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of a hook, if we have none ourselves; dhclient-script needs one."""


class Hooks:
    """The program. argv: it and its arguments as the operator wrote them, () for none. programs: what runs it."""

    def __init__(self, argv: tuple[str, ...], programs: Programs) -> None:
        self._argv = argv
        self._programs = programs

    def run(self, reason: str, environment: Mapping[str, str]) -> None:
        """Start it, or let it wait for what runs. environment: what variables.environment made for that reason."""
        if not self._argv:
            return
        own = {name: value for name, value in os.environ.items() if not is_ours(name)}
        command = (*self._argv, REASONS[reason][1])
        variables = {"PATH": SEARCHED, **own, **environment}
        self._programs.run(Job("hook", f"hook for {reason}", (command,), variables, TIMEOUT_S))
