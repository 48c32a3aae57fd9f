"""What every store must do (model.lease.Leases). A new store is one more row in STORES."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from relet.model.lease import Change, Committed, Lease, Leases, LeaseState
from relet.store import open_store
from support.leases import NET, client, grant, lease

STORES: dict[str, Callable[[Path], str]] = {
    "memory": lambda _: "memory:",
    "sqlite": lambda folder: f"sqlite:{folder / 'leases.db'}",
}

ALL_TAKEN = Committed(frozenset())


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Leases]:
    opened = open_store(STORES[request.param](tmp_path))
    yield opened
    opened.close()


def look(store: Leases, address: int) -> Lease | None:
    return store.view([], [NET + address]).lease(NET + address)


def held(store: Leases, who: int) -> list[int]:
    return [each.address - NET for each in store.view([client(who)], []).leases(client(who))]


def test_a_new_store_knows_nothing(store: Leases) -> None:
    assert look(store, 1) is None
    assert held(store, 1) == []
    assert list(store.all()) == []
    assert list(store.history()) == []
    assert store.fold() == 0


def test_what_was_committed_is_seen_whole(store: Leases) -> None:
    assert store.commit([grant(1)], 5.5) == ALL_TAKEN
    assert look(store, 1) == lease(1)
    assert store.view([client(1)], []).leases(client(1)) == (lease(1),)
    assert list(store.all()) == [lease(1)]
    (entry,) = store.history()
    assert (entry.number, entry.at, entry.lease) == (1, 5.5, lease(1))


def test_an_empty_batch_changes_nothing(store: Leases) -> None:
    assert store.commit([], 1.0) == ALL_TAKEN
    assert list(store.history()) == []


@pytest.mark.parametrize("state", LeaseState)
def test_every_state_is_kept(store: Leases, state: LeaseState) -> None:
    store.commit([Change(None, lease(1, state=state))], 1.0)
    found = look(store, 1)
    assert found is not None
    assert found.state is state
    assert store.history()[0].lease.state is state


def test_a_change_whose_before_does_not_hold_is_refused_and_the_rest_is_done(store: Leases) -> None:
    store.commit([grant(1, who=1)], 1.0)
    result = store.commit([grant(1, who=2), grant(2, who=3), grant(3, who=4, before=lease(3, who=5))], 2.0)
    assert result.refused == {0, 2}
    assert look(store, 1) == lease(1, who=1)
    assert look(store, 2) == lease(2, who=3)
    assert look(store, 3) is None
    assert [entry.lease for entry in store.history()] == [lease(2, who=3), lease(1)]


def test_before_is_compared_in_every_field(store: Leases) -> None:
    store.commit([grant(1, starts=1000)], 1.0)
    assert store.commit([grant(1, starts=3000, before=lease(1, starts=1001))], 2.0).refused == {0}
    assert store.commit([grant(1, starts=3000, before=lease(1, starts=1000))], 2.0) == ALL_TAKEN
    assert look(store, 1) == lease(1, starts=3000)


def test_before_of_another_address_is_refused(store: Leases) -> None:
    store.commit([grant(1)], 1.0)
    assert store.commit([grant(2, before=lease(1))], 2.0).refused == {0}


def test_an_earlier_change_of_the_batch_counts_as_done(store: Leases) -> None:
    first, second = lease(1, starts=1), lease(1, starts=2)
    assert store.commit([Change(None, first), Change(first, second)], 1.0) == ALL_TAKEN
    assert look(store, 1) == second
    assert [entry.lease for entry in store.history()] == [second, first]


def test_a_refused_change_does_not_count_as_done(store: Leases) -> None:
    other, wanted, later = lease(1, who=9), lease(1, starts=1), lease(1, starts=2)
    assert store.commit([Change(other, wanted), Change(wanted, later)], 1.0).refused == {0, 1}
    assert look(store, 1) is None


def test_one_address_is_not_granted_twice_in_one_batch(store: Leases) -> None:
    assert store.commit([grant(1, who=1), grant(1, who=2), grant(1, who=1)], 1.0).refused == {1, 2}
    assert look(store, 1) == lease(1, who=1)
    assert held(store, 2) == []


def test_a_change_to_the_same_lease_is_kept_in_the_history(store: Leases) -> None:
    store.commit([grant(1)], 1.0)
    assert store.commit([Change(lease(1), lease(1))] * 2, 2.0) == ALL_TAKEN
    assert [entry.at for entry in store.history()] == [2.0, 2.0, 1.0]


def test_an_address_belongs_to_its_last_client(store: Leases) -> None:
    store.commit([grant(3, who=1), grant(1, who=1), grant(2, who=1)], 1.0)
    assert held(store, 1) == [1, 2, 3]
    store.commit([grant(2, who=2, before=lease(2, who=1))], 2.0)
    assert (held(store, 1), held(store, 2)) == ([1, 3], [2])
    store.commit([grant(3, who=2, before=lease(3, who=1))], 3.0)
    assert (held(store, 1), held(store, 2)) == ([1], [2, 3])
    store.commit([grant(1, who=2, before=lease(1, who=1))], 4.0)
    assert (held(store, 1), held(store, 2)) == ([], [1, 2, 3])


def test_all_comes_by_address(store: Leases) -> None:
    store.commit([grant(address) for address in (7, 3, 9, 1)], 1.0)
    assert [each.address - NET for each in store.all()] == [1, 3, 7, 9]


def test_a_walk_goes_by_address_while_the_store_goes_on(store: Leases) -> None:
    store.commit([grant(address) for address in (700, 3, 90)], 1.0)
    walk = store.walk()
    assert next(walk) == lease(3)
    store.commit([grant(3, who=2, before=lease(3)), grant(700, who=2, before=lease(700)), grant(5000)], 2.0)
    rest = [each for each in walk if each.address != NET + 5000]  # it may be left out
    assert rest == [lease(90), lease(700, who=2)]


def test_who_ordered_a_change_and_what_is_kept(store: Leases) -> None:
    kept = msgspec.structs.replace(lease(1), kept=True)
    store.commit([Change(None, kept, "ada"), grant(2)], 1.0)
    assert look(store, 1) == kept
    assert [(entry.lease.address - NET, entry.who) for entry in store.history()] == [(2, ""), (1, "ada")]


def test_history_is_newest_first_and_limited(store: Leases) -> None:
    for number in range(1, 6):
        store.commit([grant(number, who=number)], float(number))
    assert [entry.number for entry in store.history()] == [5, 4, 3, 2, 1]
    assert [entry.number for entry in store.history(limit=2)] == [5, 4]
    assert list(store.history(limit=0)) == []


@pytest.mark.parametrize("folded", [0, 2, 1000])
def test_history_of_a_client_an_address_or_both(store: Leases, folded: int) -> None:
    first, second, third = lease(1, who=1), lease(1, who=2), lease(1, who=1, starts=9)
    store.commit([Change(None, first), Change(first, second), Change(second, third), grant(2, who=1)], 1.0)
    store.fold(folded)
    assert [entry.number for entry in store.history(client=client(1))] == [4, 3, 1]
    assert [entry.number for entry in store.history(address=NET + 1)] == [3, 2, 1]
    assert [entry.number for entry in store.history(client=client(1), address=NET + 1)] == [3, 1]
    assert [entry.number for entry in store.history(client=client(1), limit=2)] == [4, 3]
    assert [entry.number for entry in store.history(address=NET + 1, limit=1)] == [3]
    assert list(store.history(client=client(7))) == []
    assert list(store.history(address=NET)) == []


def test_folding_comes_to_an_end_and_changes_no_answer(store: Leases) -> None:
    store.commit([grant(number, who=number) for number in range(10)], 1.0)
    leases, history = list(store.all()), list(store.history())
    for _ in range(11):
        done = store.fold(1)
        assert list(store.all()) == leases
        assert list(store.history()) == history
    assert done == 0


def test_what_was_opened_whole_tells_each_lease_once(store: Leases) -> None:
    assert list(store.loading()) == []
    store.commit([grant(number) for number in range(2500)], 1.0)
    steps = list(store.loading())
    assert len(steps) > 1
    assert all(step.kept for step in steps)
    assert sorted(each.address for step in steps for each in step.leases) == [NET + number for number in range(2500)]
    assert len(list(store.all())) == 2500


def test_close_may_be_said_twice(store: Leases) -> None:
    store.close()
    store.close()
