"""What keeps a million leases in memory small, and out of the cyclic collector's way."""

import gc

import pytest
from msgspec.structs import replace

from relet.model.ident import client_key
from relet.model.lease import beside
from relet.store.index import Index
from support.leases import client, lease

MAC = b"\2\0\0\0\0\1"


@pytest.mark.parametrize(
    ("client_id", "kept"),
    [(None, None), (b"\1" + MAC, None), (b"\1" + MAC + b"x", b"\1" + MAC), (b"\xff\0\1\2", b"\1" + MAC)],
)
def test_hardware_that_the_key_says_is_not_kept_twice(client_id: bytes | None, kept: bytes | None) -> None:
    key = client_key(client_id, 1, MAC)
    assert beside(key, b"\1" + MAC) == kept
    assert replace(lease(1), client=key, beside=kept).hardware == b"\1" + MAC


def test_hardware_that_is_not_known_stays_unknown() -> None:
    assert beside(client(1), b"") == b""


def test_the_collector_looks_into_nothing() -> None:
    index = Index()
    index.put([lease(number, who=number % 5) for number in range(20)])
    assert [each.address for each in index.leases(client(3))] == [lease(number).address for number in (3, 8, 13, 18)]
    pages = index._pages
    assert not any(gc.is_tracked(each) for each in (pages, *pages.values(), *index._addresses, lease(1)))
    index.put([lease(number, who=9) for number in range(3, 19, 5)])
    assert index.leases(client(3)) == ()
    assert len(index.leases(client(9))) == 4
