"""What `relet status` shows of a server: what it has answered since it started and thrown away, how full its pools are."""

from pathlib import Path

import msgspec

from relet.cli.output import show_json, show_table
from relet.cli.words import complain
from relet.model.reasons import REASONS
from relet.run.control import ask
from relet.server.told import Status
from relet.server.usage import PoolUsage
from relet.wire import reasons as wire

POOLS = ("network", "subnet", "pool", "size", "used", "offered", "declined", "reserved", "free", "kept")


def show_server(control: Path, as_json: bool) -> bool:
    """Ask the server at a control socket, and print what it says. Does its store work? Raises ControlError."""
    said = msgspec.convert(ask(control, {"do": "status"}), Status)
    if as_json:
        show_json(said)
    else:
        verdicts = [
            (str(row.count), row.request, row.answer, row.reason, _meaning(row.reason)) for row in said.verdicts
        ]
        show_table(("count", "request", "answer", "reason", "because"), verdicts)
        if said.drops:
            print()
            drops = [(str(count), name, wire.REASONS.get(name, "")) for name, count in said.drops.items()]
            show_table(("count", "dropped", "because"), drops)
        if said.pools:
            print()
            show_table(POOLS, [_pool(row) for row in said.pools])
        if said.waiting:
            print(f"\n{said.waiting} requests wait: more come than can be served.")
        if said.probes_skipped:
            print(f"\n{said.probes_skipped} addresses were offered unprobed: too many probes were out.")
        if said.starting is not None:
            print(f"\nThe server has just started and still reads its leases, {said.starting} so far.")
    if said.store_error:
        complain(f"the store fails: {said.store_error}")
    return not said.store_error


def _pool(row: PoolUsage) -> tuple[str, ...]:
    counts = (row.size, row.used, row.offered, row.declined, row.reserved, row.free)
    return (row.network, row.subnet, row.pool, *map(str, counts), row.guard())


def _meaning(reason: str) -> str:
    return REASONS[reason].text.format(address="the address")
