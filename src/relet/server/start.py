"""The start: the server answers while it still reads its leases, but nothing that a lease yet to be read could change.

A half-read table is not certain knowledge. What it says of a lease is the truth, but a lease that it does not know may still
come. So whoever holds a lease that has been read may go on with it, may give it back, and gets its parameters; everybody
else is met with silence and asks again some seconds later. Nothing is allocated, and nobody is refused.
"""

from relet.errors import StoreError
from relet.model import reasons as why
from relet.model.lease import Lease, Leases
from relet.server.classify import Kind, Request
from relet.server.rows import SILENT, Row
from relet.server.situation import Situation
from relet.server.verdict import Verdict

_OF_A_LEASE = frozenset({Kind.INIT_REBOOT, Kind.RENEWING, Kind.REBINDING, Kind.SELECTING, Kind.INFORM, Kind.RELEASE})
"""Kinds of request whose tables come to a lease on the address that they name, and look for no other one."""
_STAND = frozenset({why.CONFIRMED, why.RENEWED, why.REBOUND, why.INFORMED, why.RELEASED, why.OTHER_SERVER})
"""What follows from the lease on the address, and from what is in the configuration or kept by the operator."""


STARTING = "the server still reads its leases; try again in a moment"
"""To an operator who wants something meanwhile."""


class Start:
    """`step` gives the leases of a step, None at the end."""

    def __init__(self, store: Leases) -> None:
        self._steps = store.loading()
        self._kept = self._broken = False

    def step(self) -> list[Lease] | None:
        """Some milliseconds of reading. Raises StoreError; whatever else goes wrong, reading is not at its end then."""
        if self._broken:
            raise StoreError("the leases could not be read to the end")
        self._broken = True
        loaded = next(self._steps, None)
        self._broken = False
        if loaded is None:
            return None
        self._kept = loaded.kept
        return loaded.leases

    def open_to(self, request: Request) -> bool:
        """May the tables be asked about it? Before it is known which addresses the operator keeps for whom, nobody can be
        told anything: another one may be kept for this client."""
        return self._kept and request.kind in _OF_A_LEASE


def stands(s: Situation, row: Row) -> bool:
    """Would this row decide as well if every lease were known? What hangs on another one ends in a refusal or in silence
    here, because an address without a lease counts as free."""
    return s.lease is not None and row.reason in _STAND


def still_loading(request: Request) -> Verdict:
    """Silence for now."""
    return Verdict(request, SILENT, why.STILL_LOADING, request.address)
