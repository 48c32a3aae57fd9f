"""Who has to move, told from leases and networks alone."""

import msgspec
import pytest

from relet.model.ident import client_key
from relet.model.lease import Lease, LeaseState
from relet.model.network import Network, Reservation
from relet.server.identify import Directory
from relet.server.moving import Move, mover, offline, told
from support.networks import subnet
from support.table import MAC, OFFICE, OTHER_MAC, ip, reserved

NOW = 5000
CIRCUIT = bytes((1, 3)) + b"p17"


def lease(last: int = 100, mac: bytes = MAC, **fields: object) -> Lease:
    made = Lease(ip(last), client_key(None, 1, mac), "office", LeaseState.BOUND, 4000, 9000, b"\1" + mac)
    return msgspec.structs.replace(made, **fields)


def asked(found: Lease, *rows: Reservation, others: tuple[Lease, ...] = (), network: Network = OFFICE) -> Move | None:
    changed = msgspec.structs.replace(network, reservations=rows)
    site = Directory((changed,)).sites["office"]
    there = {each.address: each for each in (found, *others)}
    moving = mover(found, site, there.get, NOW)
    return told(moving) if moving is not None else None


def test_nobody_has_to_move_where_nothing_changed() -> None:
    assert asked(lease()) is None
    assert asked(lease(50), reserved(ip(50))) is None
    assert asked(lease(), reserved(ip(50), OTHER_MAC)) is None


def test_a_client_with_another_address_reserved() -> None:
    assert asked(lease(), reserved(ip(50))) == Move(
        "192.168.1.100", "mac 52:54:00:00:00:01", "", "office", "192.168.1.50", False, None, 9000
    )


@pytest.mark.parametrize(
    ("row", "held"),
    [
        (Reservation("client-id", b"\1abc", ip(50)), lease(client=client_key(b"\1abc", 0, b""))),
        (Reservation("circuit-id", b"p17", ip(50)), lease(relay=CIRCUIT)),
    ],
    ids=["client-id", "circuit-id"],
)
def test_what_a_lease_records_names_its_client(row: Reservation, held: Lease) -> None:
    move = asked(held, row)
    assert move is not None
    assert move.to == "192.168.1.50"


@pytest.mark.parametrize("state", [LeaseState.BOUND, LeaseState.DECLINED])
def test_the_reserved_address_is_in_use(state: LeaseState) -> None:
    move = asked(lease(), reserved(ip(50)), others=(lease(50, OTHER_MAC, state=state),))
    assert move is not None
    assert (move.to, move.held) == ("192.168.1.50", True)


def test_a_pool_that_is_gone_and_an_address_given_to_another() -> None:
    for move in (asked(lease(200)), asked(lease(), reserved(ip(100), OTHER_MAC))):
        assert move is not None
        assert (move.to, move.held) == ("any", False)


def test_since_its_first_renewal_after_the_change() -> None:
    move = asked(lease(reason="moving"), reserved(ip(50)))
    assert move is not None
    assert move.since == 4000


def test_an_ended_lease_moves_nobody() -> None:
    assert asked(lease(expires=NOW), reserved(ip(50))) is None
    assert asked(lease(state=LeaseState.RELEASED), reserved(ip(50))) is None


def test_broken_relay_information_on_record_names_nobody() -> None:
    assert asked(lease(relay=b"\1\xff"), Reservation("circuit-id", b"p17", ip(50))) is None


def test_what_cannot_be_told_offline_is_named() -> None:
    guarded = msgspec.structs.replace(
        OFFICE,
        reservations=(Reservation("option-60", b"phone", ip(50)),),
        subnets=tuple(
            msgspec.structs.replace(
                each, pools=tuple(msgspec.structs.replace(pool, allow=("phones",)) for pool in each.pools)
            )
            for each in (subnet("192.168.1.0/24", (ip(100), ip(109))),)
        ),
    )
    assert offline(guarded) == ("reservations by option-60", "pools kept for classes")
    assert offline(msgspec.structs.replace(OFFICE, deny=("unknown",))) == ("classes that are not served",)
    assert offline(OFFICE) == ()
