"""What a store knows, with the changes that this batch has planned but not committed yet laid over it.

Two copies of a request in one batch are decided one after the other; the second must see what the first decided.
"""

from collections.abc import Sequence

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease, View


class Overlay:
    """A view with planned changes on top (a `model.lease.View`)."""

    def __init__(self, base: View) -> None:
        self._base = base
        self._known = base.lease
        self._planned: dict[int, Lease] = {}
        self._clients: set[ClientKey] = set()

    def plan(self, changes: Sequence[Change]) -> None:
        """Lay changes over the view."""
        for change in changes:
            before, after = change.before, change.after
            self._planned[after.address] = after
            self._clients.add(after.client)
            if before is not None and before.client != after.client:
                self._clients.add(before.client)

    def lease(self, address: int) -> Lease | None:
        """See `View.lease`."""
        return self._planned.get(address) or self._known(address)

    def leases(self, client: ClientKey) -> Sequence[Lease]:
        """See `View.leases`."""
        known = self._base.leases(client)
        if client not in self._clients:
            return known
        kept = [lease for lease in known if lease.address not in self._planned]
        return kept + [lease for lease in self._planned.values() if lease.client == client]
