"""The choice of a free address costs the same however large, full or crowded the pools. Work is counted, not time."""

from msgspec.structs import replace

from relet.model.lease import Lease, LeaseState
from relet.model.network import Network, Pool, Reservation, Subnet
from relet.model.ranges import Ranges
from relet.server.allocate import MAX_GOES, MAX_SHORTER, MAX_TRIES, FreeAddresses
from relet.wire.address import parse_ip
from support.leases import lease

NET = parse_ip("10.0.0.0")
LAST = parse_ip("10.255.255.255")
HUGE = Subnet(NET, 8, (Pool(Ranges.of([(NET + 1, LAST - 1)])),))


class Looked:
    """Counts the questions asked about addresses."""

    def __init__(self, leases: dict[int, Lease] | None = None, free: bool = True) -> None:
        self.leases = leases or {}
        self.asked = 0
        self._free = free

    def lease(self, address: int) -> Lease | None:
        self.asked += 1
        return self.leases.get(address)

    def free(self, _: int) -> bool:
        self.asked += 1
        return self._free


def test_sixteen_million_addresses_are_not_walked_through() -> None:
    free = FreeAddresses(Network("n", (HUGE,)))
    looked = Looked()
    assert [free.choose(looked.lease, looked.free, 0) for _ in range(3)] == [NET + 1, NET + 2, NET + 3]
    assert looked.asked == 3


def test_a_start_with_a_full_front_goes_to_the_first_gap_at_once() -> None:
    held = {NET + number: lease(number) for number in range(1, 20_001)}
    kept = tuple(Reservation("mac", number.to_bytes(6), NET + number) for number in range(20_001, 30_001))
    free = FreeAddresses(Network("n", (HUGE,), reservations=kept[:5000], everywhere=kept[5000:]))
    free.load(held.values())
    looked = Looked(held)
    assert free.choose(looked.lease, looked.free, 0) == NET + 30_001
    assert looked.asked == 1


def test_when_all_is_on_offer_to_others_no_request_looks_at_more_than_the_bound() -> None:
    free = FreeAddresses(Network("n", (HUGE,)))
    looked = Looked(free=False)
    for number in range(1, 50):
        assert free.choose(looked.lease, looked.free, 0) == 0
        assert looked.asked <= number * 3 * MAX_TRIES * MAX_GOES


def test_addresses_leased_since_the_start_are_passed_without_a_look() -> None:
    free = FreeAddresses(Network("n", (HUGE,)))
    held = {NET + number: lease(number) for number in (*range(1, 20_001), 20_002, 30_000)}
    for each in held.values():
        free.note(None, each)
    looked = Looked(held)
    assert [free.choose(looked.lease, looked.free, 0) for _ in range(3)] == [NET + 20_001, NET + 20_003, NET + 20_004]
    assert looked.asked == 3


def test_renewed_leases_at_the_front_of_the_heap_are_put_right_in_bounded_steps() -> None:
    pool = Pool(Ranges.of([(NET + 1, NET + 1000)]))
    old = [lease(number) for number in range(1, 1001)]
    free = FreeAddresses(Network("n", (replace(HUGE, pools=(pool,)),)))
    free.load(old)
    wall = old[0].expires + 1
    looked = Looked({each.address: replace(each, expires=wall + 50) for each in old[:-1]})
    looked.leases[old[-1].address] = old[-1]
    found = 0
    for number in range(1, 1000 // MAX_TRIES + 2):
        found = found or free.choose(looked.lease, looked.free, wall)
        assert looked.asked <= number * 3 * MAX_TRIES * MAX_GOES
    assert found == old[-1].address


def test_a_search_that_ends_at_its_bound_says_so_and_the_next_one_goes_on() -> None:
    size = 2 * MAX_TRIES * MAX_GOES
    free = FreeAddresses(Network("n", (replace(HUGE, pools=(Pool(Ranges.of([(NET + 1, NET + size)])),)),)))
    looked = Looked()
    taken = set(range(NET + 1, NET + size))  # on offer to others, all but the last

    def choose() -> int:
        return free.choose(looked.lease, lambda address: address not in taken, 0)

    assert (choose(), free.unfinished) == (0, True)
    while not (found := choose()):
        assert free.unfinished
    assert found == NET + size
    taken.add(found)
    answers = {(choose(), free.unfinished) for _ in range(4)}
    assert answers == {(0, True)}  # it has not looked at all of them in one request, and says no more than it knows


def test_the_counts_of_a_pool_follow_commits_and_time() -> None:
    pool = Pool(Ranges.of([(NET + 1, NET + 10)]))
    row = Reservation("mac", bytes(6), NET + 10)
    free = FreeAddresses(Network("n", (replace(HUGE, pools=(pool,)),), reservations=(row,)))
    ((_, counted),) = free.pools()
    known = {each.address: each for each in (lease(1), lease(2), lease(3, state=LeaseState.RELEASED))}
    free.load(known.values())

    def commit(after: Lease) -> None:
        free.note(known.get(after.address), after)
        known[after.address] = after

    def counts(wall: int) -> tuple[int, int, int]:
        assert free.expire(known.get, wall, 100) < 100
        return counted.used, counted.declined, counted.free()

    start = lease(1).expires
    assert counts(start - 1) == (2, 0, 7)
    commit(replace(lease(2), state=LeaseState.DECLINED))
    assert counts(start - 1) == (1, 1, 7)
    commit(lease(3))
    commit(lease(4))
    assert counts(start - 1) == (3, 1, 5)
    commit(replace(lease(4), expires=start + 100))  # a renewal
    commit(replace(lease(3), state=LeaseState.RELEASED, expires=start - 1))
    assert counts(start - 1) == (2, 1, 6)
    assert counts(start) == (1, 0, 8)
    commit(replace(lease(1), expires=start + 50))
    commit(lease(10))  # reserved: counted with the reservations
    assert counts(start) == (2, 0, 7)
    assert counts(start + 100) == (0, 0, 9)


def test_expiry_is_worked_off_in_bounded_steps_and_the_pools_take_turns() -> None:
    pools = tuple(Pool(Ranges.of([(NET + at, NET + at + 99)])) for at in (100, 200, 300))
    free = FreeAddresses(Network("n", (replace(HUGE, pools=pools),)))
    old = {each.address: each for each in (lease(number) for number in range(100, 400))}
    free.load(old.values())
    wall = lease(1).expires
    sorted_in = [free.expire(old.get, wall - 1, 64) for _ in range(6)]
    assert sorted_in == [64, 64, 64, 64, 44, 0]
    used = []
    while free.expire(old.get, wall, 64):
        used.append(sum(pool.used for _, pool in free.pools()))
    assert used == [236, 172, 108, 44, 0]


def test_an_end_that_moves_forward_is_met_and_does_not_fill_the_memory() -> None:
    free = FreeAddresses(Network("n", (replace(HUGE, pools=(Pool(Ranges.of([(NET + 1, NET + 1)])),)),)))
    ((_, pool),) = free.pools()
    known: dict[int, Lease] = {}
    wall = 0
    for _ in range(10 * MAX_SHORTER):
        long, short = replace(lease(1), expires=10**6), replace(lease(1), expires=wall + 1)
        for after in (long, replace(short, state=LeaseState.DECLINED)):
            free.note(known.get(after.address), after)
            known[after.address] = after
        wall += 2
        free.expire(known.get, wall, 100)
    assert len(pool._ends) <= MAX_SHORTER + 1
    free.expire(known.get, 10**6, 100)
    assert (pool.used, pool.declined, pool.free()) == (0, 0, 1)
    assert not len(pool._ends)
    assert not pool._shorter


def test_pools_in_the_files_order_guarded_ones_passed_over_and_one_subnet_alone() -> None:
    guarded = Pool(Ranges.of([(NET + 1, NET + 9)]), allow=("phones",))
    everybody = Pool(Ranges.of([(NET + 20, NET + 29)]))
    second = Subnet(parse_ip("10.1.0.0"), 16, (Pool(Ranges.of([(parse_ip("10.1.0.5"), parse_ip("10.1.0.6"))])),))
    first = replace(HUGE, width=16, pools=(guarded, everybody))
    free = FreeAddresses(Network("n", (first, second)))
    looked = Looked()
    assert free.choose(looked.lease, looked.free, 0) == NET + 20
    assert free.choose(looked.lease, looked.free, 0, ("phones",)) == NET + 1
    assert free.choose(looked.lease, looked.free, 0, (), second) == parse_ip("10.1.0.5")
