"""Power failures under a real server: no DHCPACK has left it that a power failure could still undo.

    python tests/crash/promises.py --states 2000 --seconds 4

A server serves a fleet under strace and is killed. What it sent and what it wrote stand in one order then. Of every moment
in between, the files are made as a power failure would have left them (power.py); the history of the store that opens on
them must have a grant of each lease that had been acknowledged by then, for as long as was promised. Needs root, for
namespaces.
"""

import argparse
import sys
from bisect import bisect_left
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from crash.fleet import Fleet
from crash.kill import CLIENTS
from crash.ledger import Ledger
from crash.power import failures, put, workplace
from crash.story import MOST_ENTRIES
from crash.strace import Recording, Said, read, traced
from crash.victim import Victim, load
from crash.wires import RELAY, SERVER, Wires
from relet.errors import StoreError, WireError
from relet.model.ident import ClientKey, client_key
from relet.model.lease import Lease, LeaseState
from relet.store import open_store
from relet.wire.frame import decode_datagram
from relet.wire.message import BOOTREPLY, decode
from relet.wire.options import CLIENT_IDENTIFIER, LEASE_TIME, MessageType
from support.lab import Lab

STATES, SECONDS = 2000, 3.0
BETWEEN_S = 2
"""At most so long ago was the moment that a DHCPACK counts from when it leaves."""


class Acknowledged(NamedTuple):
    """A DHCPACK that left the server. begun: line of the recording. until: end of the lease, wall time."""

    begun: int
    client: ClientKey
    address: int
    until: float


class Summary(NamedTuple):
    """acknowledged: DHCPACKs. found: states by what came of them. bad: some of those that were not 'whole', in words."""

    acknowledged: int
    states: int
    found: Counter[str]
    bad: list[str]

    def __str__(self) -> str:
        found = ", ".join(f"{times} {what}" for what, times in sorted(self.found.items()))
        return f"{self.acknowledged} DHCPACKs left the server; {self.states} states of the files: {found}"


def recorded(folder: Path, seed: int, seconds: float, sync: str = "") -> Recording:
    """What a server with a store in a folder does and says, for some seconds under load, until it is killed."""
    log = folder / "strace"
    with Lab() as lab, closing(Wires(lab)) as wires:
        victim = Victim(wires.server, folder, sync, lambda argv: traced(argv, log))
        victim.start()
        victim.ready()
        load(wires, Fleet(Random(seed), Ledger(), CLIENTS, RELAY, SERVER), seconds)
        victim.check()
        victim.kill()
    return read(log, folder / "store")


def acknowledged(said: list[Said]) -> list[Acknowledged]:
    """The DHCPACKs among what was sent, as datagrams or in frames."""
    found = []
    for each in said:
        if each.path:
            continue
        try:
            payload = (
                each.octets if each.octets[:1] == bytes((BOOTREPLY,)) else decode_datagram(each.octets, False).payload
            )
            reply = decode(payload)
        except WireError:
            continue
        if reply.kind == MessageType.ACK:
            client = client_key(reply.options.get(CLIENT_IDENTIFIER.code), reply.htype, reply.chaddr)
            until = each.at - BETWEEN_S + (reply.uint(LEASE_TIME.code) or 0)
            found.append(Acknowledged(each.begun, client, reply.yiaddr, until))
    return found


def examine(recording: Recording, folder: Path, dice: Random, states: int) -> Summary:
    """Let the power fail at any moment of a recording that was made in a folder."""
    acks = acknowledged(recording.said)
    begun = [each.begun for each in acks]
    found: Counter[str] = Counter()
    bad: list[str] = []
    for failure in failures(recording.ops, dice, states):
        put(failure.files, folder / "left")
        outcome = _outcome(folder / "left", acks[: bisect_left(begun, failure.before)])
        found[outcome] += 1
        if outcome != "whole":
            bad.append(f"before line {failure.before}, {failure.luck}: {outcome}")
    return Summary(len(acks), found.total(), found, bad)


def _outcome(folder: Path, acks: list[Acknowledged]) -> str:
    """'whole', 'lost' if a grant that was acknowledged is not there, 'half' if leases and history disagree, 'unreadable', or
    'bug'."""
    try:
        with closing(open_store(f"sqlite:{folder / 'leases.db'}", sync="os")) as store:
            entries, leases = store.history(limit=MOST_ENTRIES)[::-1], [*store.all()]
    except StoreError:
        return "unreadable"
    except Exception:
        return "bug"
    newest: dict[int, Lease] = {entry.lease.address: entry.lease for entry in entries}
    if leases != [lease for _, lease in sorted(newest.items())]:
        return "half"
    ends: dict[tuple[ClientKey, int], int] = {}
    for entry in entries:
        lease = entry.lease
        if lease.state is LeaseState.BOUND:
            key = lease.client, lease.address
            ends[key] = max(ends.get(key, 0), lease.expires)
    return "whole" if all(ends.get((ack.client, ack.address), 0) >= ack.until for ack in acks) else "lost"


def main() -> int:
    """The program."""
    asked = argparse.ArgumentParser(description="let the power fail at any moment under a serving server")
    asked.add_argument("--states", type=int, default=STATES, help="of the files to try (%(default)s)")
    asked.add_argument("--seconds", type=float, default=SECONDS, help="of load (%(default)s)")
    asked.add_argument("--seed", type=int, default=1, help="of the dice (%(default)s)")
    asked.add_argument("--sync", default="", choices=("batch", "interval", "os"), help="durability level of the server")
    told = asked.parse_args()
    with workplace() as folder:
        recording = recorded(folder, told.seed, told.seconds, told.sync)
        summary = examine(recording, folder, Random(told.seed), told.states)
    sys.stdout.write(f"seed {told.seed}, sync {told.sync or 'as the server has it'}: {summary}\n")
    for line in summary.bad[:20]:
        sys.stdout.write(f"{line}\n")
    return 1 if summary.bad else 0


if __name__ == "__main__":
    sys.exit(main())
