"""How long a client takes from its start to an address that works: relet beside dhclient, dhcpcd and udhcpc.

    python bench/boots.py [--runs 20] [--rows confirmed,negated] [--clients relet,dhclient] [--json FILE]

    allocation   nothing is remembered
    confirmed    a lease is remembered, and its server is there and acknowledges it
    negated      the machine woke up in another network, whose server refuses the address and gives another one
    silent       the server is there, but has lost what it knew: it does not answer for an address that it cannot judge,
                 and gives one to whoever asks by DHCPDISCOVER
    alone        no server at all; the host that was the gateway is there

Each boot has a machine of its own (room.py) and a dnsmasq of its own that never delays an answer; all programs are as their
users start them, with their distribution's scripts (boot_clients.py). Clock and observer are the same for all (boot.py).
Runs are interleaved: each client once in each row, and so on. While one waits for its own timers, the next may start, though
not sooner than SPACE_S after it. A run that took another way than the row is about is told, and is part of no time; one
without a working address counts as 'never'. Twelve minutes, as root; exit code 3 for want of a peer.
"""

import argparse
import ast
import compileall
import os
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

import kept
from boot import Boot, Order, forked
from boot_clients import CLIENTS, FASTEST, HOME, NETWORKS, PROGRAMS, Client
from boot_rows import ROWS, Row, Run, figures, judge, text
from stand import find

import relet

SPACE_S = 0.8
"""A run starts when the one before has ended, or after so much time."""
MOST = 60
"""Runs under way at a time."""
MAC = "02:00:00:00:00:10"
PRIMES_S = 1.0
"""A client that is to remember its lease lives so long after it has the address."""


class Primed(NamedTuple):
    """A program's remembered lease: folder of the room in which it got it, what the server wrote down, the address."""

    folder: Path
    server: Path
    address: str


def prime(folder: Path, program: str) -> Primed:
    """Let a program get a lease at home."""
    room = folder / f"primed-{program}"
    argv = CLIENTS[FASTEST[program]].argv
    order = Order(room, argv, MAC, HOME, None, NETWORKS[HOME].server(), None, 30.0, PRIMES_S)
    result = folder / f"primed-{program}.result"
    os.waitpid(forked(order, result), 0)
    told = _read(result)
    if told is None or told.usable() is None:
        sys.exit(f"{program} gets no lease to remember; {_last_words(room)}")
    return Primed(room, room / "server", told.text)


def ordered(folder: Path, row: Row, client: Client, primed: Primed) -> Order:
    """What a run has to do."""
    return Order(
        folder,
        client.command(primed.address if row.remembers else ""),
        MAC,
        row.network,
        primed.folder if row.remembers else None,
        NETWORKS[row.network].server() if row.server else (),
        primed.server if row.knows else None,
        row.patience_s,
    )


class Boots:
    """Runs many boots, some of them at a time. folder: theirs; what a good one left there is removed."""

    def __init__(self, folder: Path, primed: Mapping[str, Primed]) -> None:
        self._folder, self._primed = folder, primed
        self._poll = select.poll()
        self._under_way: dict[int, tuple[int, str, str, Path]] = {}  # descriptor of a process -> its number and job
        self._number = 0

    def run(self, jobs: Sequence[tuple[str, str]]) -> Iterator[Run]:
        """Each (row, client), begun in this order; given in the order in which they end."""
        for row, client in jobs:
            newest = self._begin(row, client)
            began = time.monotonic()
            while self._under_way:
                full = len(self._under_way) >= MOST
                left_s = inf if full else began + SPACE_S - time.monotonic()
                if left_s <= 0 or (newest not in self._under_way and not full):
                    break
                yield from self._ended(left_s)
        while self._under_way:
            yield from self._ended(inf)

    def _begin(self, row: str, client: str) -> int:
        room = self._folder / str(self._number)
        self._number += 1
        primed = self._primed[CLIENTS[client].program]
        process = forked(ordered(room, ROWS[row], CLIENTS[client], primed), room.with_suffix(".result"))
        descriptor = os.pidfd_open(process)
        self._poll.register(descriptor, select.POLLIN)
        self._under_way[descriptor] = process, row, client, room
        return descriptor

    def _ended(self, wait_s: float) -> Iterator[Run]:
        """Those that end within so much time."""
        for descriptor, _ in self._poll.poll(None if wait_s == inf else max(0.0, wait_s * 1000)):
            process, row, client, room = self._under_way.pop(descriptor)
            self._poll.unregister(descriptor)
            os.close(descriptor)
            os.waitpid(process, 0)
            told = _read(room.with_suffix(".result"))
            wrong = judge(ROWS[row], CLIENTS[client], self._primed[CLIENTS[client].program].address, told)
            if told is None or wrong:
                sys.stderr.write(f"\n{client}, {row}: {wrong}; {_last_words(room)}\n")
            shutil.rmtree(room, ignore_errors=True)
            yield Run(row, client, told, wrong)


def compiled() -> None:
    """See to it that relet's modules are compiled, as pip does when it installs them."""
    folder = Path(relet.__file__).parent
    if not compileall.compile_dir(folder, quiet=2):
        sys.exit(f"{folder} cannot be compiled")


def _read(result: Path) -> Boot | None:
    return Boot(*ast.literal_eval(result.read_text(encoding="utf-8"))) if result.exists() else None


def _last_words(room: Path) -> str:
    """What there is to read about a boot that went wrong."""
    files = [room.with_suffix(".error"), room / "log", room / "server.log"]
    return "\n".join(file.read_text(errors="replace")[-800:] for file in files if file.exists())


def main() -> int:
    """Run them, and tell."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=20, help="of each client in each row (%(default)s)")
    arguments.add_argument("--rows", default=",".join(ROWS))
    arguments.add_argument("--clients", default=",".join(CLIENTS))
    kept.json_option(arguments)
    given = arguments.parse_args()
    rows, clients = given.rows.split(","), given.clients.split(",")
    for unknown in [*(set(rows) - set(ROWS)), *(set(clients) - set(CLIENTS))]:
        arguments.error(f"there is no {unknown}; rows are {', '.join(ROWS)}; clients are {', '.join(CLIENTS)}")
    programs = sorted({CLIENTS[each].program for each in clients})
    wanted = ["ip", "dnsmasq", *(PROGRAMS[each] for each in programs)]
    if missing := ["root"] * (os.geteuid() != 0) + [each for each in wanted if find(each) is None]:
        sys.stderr.write(f"boots: not measured for want of {', '.join(missing)}\n")
        return 3
    compiled()
    with tempfile.TemporaryDirectory(prefix="boots-") as name:
        folder = Path(name)
        primed = {program: prime(folder, program) for program in programs}
        # Those that wait longest come first, and each client is first in its turn.
        jobs = [
            (row, clients[(place + turn) % len(clients)])
            for turn in range(given.runs)
            for row in sorted(rows, key=lambda each: -ROWS[each].patience_s)
            for place in range(len(clients))
        ]
        runs = []
        for run in Boots(folder, primed).run(jobs):
            runs.append(run)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{len(runs)} of {len(jobs)} boots")
    table = {
        row: {
            client: figures([each for each in runs if (each.row, each.client) == (row, client)]) for client in clients
        }
        for row in rows
    }
    sys.stdout.write(text(table))
    facts = {name: {"checks": CLIENTS[name].checks, "asks": CLIENTS[name].asks} for name in clients}
    kept.keep(
        given.json,
        "boots",
        {
            "clients": facts,
            "rows": {row: {client: each._asdict() for client, each in found.items()} for row, found in table.items()},
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
