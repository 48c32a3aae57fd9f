"""What came of killing a client again and again; and clients that do it wrong, for the counter-proof."""

import sys
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple


class Violation(NamedTuple):
    """Something that must not be. after: so many kills. moment: of the last one."""

    kind: str
    after: int
    moment: str
    text: str

    def __str__(self) -> str:
        return f"after kill {self.after} ({self.moment}): {self.kind}: {self.text}"


class Summary(NamedTuple):
    """What came of a run.

    calls: of the kills before a call. helpers: kills that hit a process beside the first. peaceful: leases given back.
    moved: starts with the old address refused. unanswered: starts that were BOUND to it because no server had a word to say.
    looks: how often the files were read meanwhile.
    """

    kills: Counter[str]
    calls: Counter[str]
    helpers: int
    peaceful: int
    moved: int
    unanswered: int
    looks: int
    violations: list[Violation]
    seconds: float

    def __str__(self) -> str:
        kills = ", ".join(f"{times} {moment}" for moment, times in sorted(self.kills.items()))
        calls = ", ".join(f"{times} {call}" for call, times in self.calls.most_common())
        kinds = ", ".join(f"{times} {kind}" for kind, times in Counter(each.kind for each in self.violations).items())
        return (
            f"{self.kills.total()} kills ({kills}) in {self.seconds:.0f} s\n"
            f"{self.calls.total()} of them right before a call ({calls}); {self.helpers} hit the second process\n"
            f"{self.moved} starts with the address refused, {self.unanswered} bound without an answer,"
            f" {self.peaceful} leases given back in peace, {self.looks} looks at the files\n"
            f"violations: {len(self.violations)} ({kinds or 'none'})"
        )


IN_PLACE = """
import time
from relet.run import leasefile
def replace(self, target):
    octets = self.read_bytes()
    with open(target, "wb", buffering=0) as file:
        file.write(octets[:200])
        time.sleep(0.005)
        file.write(octets[200:])
leasefile.Path.replace = replace
"""
LEAVES_ADDRESS = """
from relet.run import configure
configure.netlink.take_address = lambda *_: False
"""
BROKEN: Mapping[str, str] = {"in-place": IN_PLACE, "leaves-address": LEAVES_ADDRESS}
"""Clients that do it wrong: their lease file is written in place; they leave an old address where it is."""


def broken(name: str) -> tuple[str, ...]:
    """The command of a client that does something wrong."""
    return (sys.executable, "-c", f"{BROKEN[name]}\nfrom relet.cli.main import main\nmain()")
