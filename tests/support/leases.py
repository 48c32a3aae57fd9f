"""Leases and changes to try stores with."""

from relet.model.ident import ClientKey, client_key
from relet.model.lease import Change, Lease, Leases, LeaseState, beside

NET = 0x0A000000


def client(number: int) -> ClientKey:
    """The key of the numbered client."""
    return client_key(None, 1, number.to_bytes(6, "big"))


def lease(address: int, who: int = 1, starts: int = 1000, state: LeaseState = LeaseState.BOUND) -> Lease:
    """A lease with every field filled in; addresses are counted from 10.0.0.0."""
    return Lease(
        address=NET + address,
        client=client(who),
        network="office",
        state=state,
        starts=starts,
        expires=starts + 3600,
        beside=beside(client(who), b"\x01" + who.to_bytes(6, "big")),
        hostname=f"höst-{who}",
        relay=b"\x01\x02\x00\xff",
        reason="granted",
    )


def grant(address: int, who: int = 1, starts: int = 1000, before: Lease | None = None) -> Change:
    """A change to a bound lease."""
    return Change(before, lease(address, who, starts))


def fill(store: Leases) -> None:
    """Twelve entries on six addresses: grants, a release and another holder."""
    first = [lease(number, who=number) for number in range(6)]
    store.commit([Change(None, each) for each in first], 1.5)
    second = [lease(number, who=number, starts=2000, state=LeaseState.RELEASED) for number in range(6)]
    store.commit([Change(*pair) for pair in zip(first[:3], second[:3], strict=True)], 2.5)
    store.commit([grant(number, who=9, starts=3000, before=second[number]) for number in range(3)], 3.5)
