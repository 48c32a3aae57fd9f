"""The books of a pool against a plain count of all its leases, at random: what is leased, in quarantine and free."""

from random import Random

import pytest
from msgspec.structs import replace

from relet.model.lease import FOREVER, Lease, LeaseState
from relet.model.network import Network, Pool, Subnet
from relet.model.ranges import Ranges
from relet.server.allocate import FreeAddresses
from relet.server.ends import SLOT_BITS, Ends
from relet.server.fresh import BLOCK_BITS, Fresh
from relet.wire.address import parse_ip
from support.leases import lease

NET = parse_ip("10.0.0.0")
SIZE = 40
SLOT_S = 1 << SLOT_BITS
NETWORK = Network("n", (Subnet(NET, 8, (Pool(Ranges.of([(NET + 1, NET + SIZE)])),)),))


def test_an_end_stands_in_its_slot_until_that_begins_and_is_due_to_the_second() -> None:
    ends = Ends()
    for address, end in ((1, 5 * SLOT_S + 7), (2, 5 * SLOT_S + 6), (3, 9 * SLOT_S), (4, FOREVER)):
        ends.add(address, end)
    assert list(ends.begun(4 * SLOT_S - 1, 10)) == []
    assert sorted(address for _, address in ends.begun(4 * SLOT_S, 10)) == [1, 2]  # the next one to begin
    ends.add(1, 5 * SLOT_S + 7)
    ends.add(2, 5 * SLOT_S + 6)
    assert ends.due(5 * SLOT_S + 5) is None
    assert [ends.due(5 * SLOT_S + 7) for _ in range(3)] == [(5, 2), (5, 1), None]
    assert len(ends) == 2
    assert list(ends.begun(1000 * SLOT_S, 10)) == [(9, 3)]


@pytest.mark.parametrize("end", [6 * SLOT_S + 10, 20 * SLOT_S])
def test_a_sooner_end_needs_no_entry_of_its_own_in_a_slot_that_has_not_begun(end: int) -> None:
    ends = Ends()
    assert not ends.misses(end, end)
    assert not ends.misses(end, end - 1 if end % SLOT_S else end + 1)
    assert ends.misses(end, 5 * SLOT_S)
    ends.add(1, end)
    assert list(ends.begun(end, 1))
    assert ends.misses(end, end - 1)


def test_fresh_addresses_come_in_order_over_ranges_and_blocks() -> None:
    edge = 5 << BLOCK_BITS
    ranges = Ranges.of([(edge - 3, edge + 2), (edge + 5, edge + 6), (9 << BLOCK_BITS, (9 << BLOCK_BITS) + 1)])
    fresh = Fresh(ranges, (edge - 3, edge + 1, edge + 5))
    assert fresh.take() == edge - 2
    assert (fresh.touch(edge - 1), fresh.touch(edge - 1), fresh.touch(edge - 2)) == (True, False, False)
    rest = [edge, edge + 2, edge + 6, 9 << BLOCK_BITS, (9 << BLOCK_BITS) + 1]
    assert [fresh.take() for _ in range(7)] == [*rest, 0, 0]
    assert Fresh(Ranges()).take() == 0


def test_what_is_behind_the_cursor_is_forgotten() -> None:
    fresh = Fresh(Ranges.of([(NET, NET + (50 << BLOCK_BITS) - 1)]))
    for address in range(NET, NET + (50 << BLOCK_BITS)):
        fresh.touch(address)
    assert len(fresh._touched) == 50
    assert fresh.take() == 0
    assert not fresh._touched


class Books:
    """A pool, and the leases that it has been told of."""

    def __init__(self, known: dict[int, Lease], seed: int) -> None:
        self.known = known
        self.random = Random(seed)
        self.free = FreeAddresses(NETWORK)
        self.free.load(known.values())
        ((_, self.pool),) = self.free.pools()

    def change(self, wall: int) -> None:
        """Something happens to an address, as it does on the road: nobody's lease is ended by somebody else."""
        address = NET + self.random.randint(1, SIZE)
        before = self.known.get(address)
        if before is None or self.random.random() < 0.2:
            address = self.free.choose(self.known.get, lambda each: self.is_free(each, wall), wall) or address
            before = self.known.get(address)
        last = wall + self.random.choice((1, 60, SLOT_S, 20 * SLOT_S, FOREVER - wall))
        state = self.random.choice((LeaseState.BOUND, LeaseState.BOUND, LeaseState.RELEASED, LeaseState.DECLINED))
        kept = state is LeaseState.RELEASED and self.random.random() < 0.2
        after = replace(lease(address - NET), state=state, starts=wall, kept=kept)
        after = replace(after, expires=wall if state is LeaseState.RELEASED else self.random.randint(wall + 1, last))
        self.free.note(before, after)
        self.known[address] = after

    def is_free(self, address: int, wall: int) -> bool:
        held = self.known.get(address)
        return held is None or (not held.kept and (held.expires <= wall or held.state is LeaseState.RELEASED))

    def counts(self, wall: int) -> tuple[int, int, int]:
        """(leased, in quarantine, free), counted one by one."""
        held = [each for each in self.known.values() if each.expires > wall]
        used = sum(each.state is LeaseState.BOUND for each in held)
        declined = sum(each.state is LeaseState.DECLINED for each in held)
        free = sum(self.is_free(NET + number, wall) for number in range(1, SIZE + 1))
        return used, declined, free


@pytest.mark.parametrize("seed", range(30))
def test_the_books_agree_with_a_count_of_all_leases(seed: int) -> None:
    random = Random(seed)
    wall = 1_000_000
    books = Books({}, seed)
    for number in range(400):
        wall += random.choice((0, 0, 1, 30, SLOT_S, 5 * SLOT_S))
        books.change(wall)
        if number % 100 == 50:  # a restart
            books = Books(books.known, number + seed)
        while books.free.expire(books.known.get, wall, 7):
            pass
        assert (books.pool.used, books.pool.declined, books.pool.free()) == books.counts(wall)


@pytest.mark.parametrize("seed", range(10))
def test_every_free_address_is_found_and_no_other(seed: int) -> None:
    wall = 1_000_000
    books = Books({}, seed)
    for _ in range(200):
        wall += books.random.choice((1, 300))
        books.change(wall)
    free = {NET + number for number in range(1, SIZE + 1) if books.is_free(NET + number, wall)}
    found = set()
    while address := books.free.choose(books.known.get, lambda each: books.is_free(each, wall), wall):
        after = replace(lease(address - NET), starts=wall, expires=wall + 10)
        books.free.note(books.known.get(address), after)
        books.known[address] = after
        found.add(address)
    assert found == free
