"""The choice of a free address costs the same however large, full or crowded the pools. Work is counted, not time."""

from msgspec.structs import replace

from relet.model.lease import Lease
from relet.model.network import Network, Pool, Reservation, Subnet
from relet.model.ranges import Ranges
from relet.server.allocate import MAX_TRIES, FreeAddresses
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
    assert looked.asked == 6


def test_a_start_with_a_full_front_goes_to_the_first_gap_at_once() -> None:
    held = {NET + number: lease(number) for number in range(1, 20_001)}
    kept = tuple(Reservation("mac", number.to_bytes(6), NET + number) for number in range(20_001, 30_001))
    free = FreeAddresses(Network("n", (HUGE,), reservations=kept[:5000], everywhere=kept[5000:]))
    free.load(held.values())
    looked = Looked(held)
    assert free.choose(looked.lease, looked.free, 0) == NET + 30_001
    assert looked.asked == 2


def test_when_all_is_on_offer_to_others_no_request_looks_at_more_than_the_bound() -> None:
    free = FreeAddresses(Network("n", (HUGE,)))
    looked = Looked(free=False)
    for number in range(1, 50):
        assert free.choose(looked.lease, looked.free, 0) == 0
        assert looked.asked <= number * 3 * MAX_TRIES


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
        assert looked.asked <= number * 3 * MAX_TRIES
    assert found == old[-1].address


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
