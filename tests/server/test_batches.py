"""A batch that takes its time to become safe: nothing is said before, the next one is only read, and what fails late fails
like a store that fails at once."""

from collections.abc import Sequence

from relet.errors import StoreError
from relet.model.lease import Change, Commit, Committed
from relet.store.memory import MemoryStore
from relet.wire.message import decode
from support.table import MAC, OTHER_MAC, Table, arrive, discover, ip, kind_of, reboot, selecting


class Slow:
    """A commit that is done when it is asked for its result. error: what it fails with then, '' for nothing."""

    def __init__(self, store: MemoryStore, changes: Sequence[Change], wall: float, error: str) -> None:
        self.store, self.changes, self.wall, self.error = store, changes, wall, error

    def done(self) -> bool:
        return not self.changes

    def result(self) -> Committed:
        if self.error and self.changes:
            raise StoreError(self.error)
        return self.store.commit(self.changes, self.wall)


class SlowStore(MemoryStore):
    """It syncs beside the road."""

    error = ""

    def submit(self, changes: Sequence[Change], wall: float) -> Commit:
        return Slow(self, changes, wall, self.error)


def test_a_grant_is_neither_on_record_nor_said_before_it_is_safe() -> None:
    table = Table(store=SlowStore())
    offer = table.say(discover())
    assert offer is not None
    requests = table.engine.requests([arrive(selecting(offer.yiaddr))], table.now)
    batch = table.engine.begin(requests, table.now)
    assert not batch.done()
    assert table.on(offer.yiaddr) is None
    assert table.engine.recorded == 1  # of the offer
    (send,) = table.engine.finish(batch)
    assert kind_of(decode(send.payload)) == "ACK"
    assert table.on(offer.yiaddr) is not None
    assert table.verdict() == ("ACK", "granted")


def test_the_next_batch_may_be_read_meanwhile() -> None:
    table = Table(store=SlowStore())
    table.lease(ip(100))
    table.later(5)
    first = table.engine.begin(table.engine.requests([arrive(reboot(ip(100)))], table.now), table.now)
    broken = arrive(reboot(ip(100)), payload=b"\1")
    requests = table.engine.requests([arrive(reboot(ip(101), mac=OTHER_MAC)), broken], table.now)
    assert (len(requests), table.engine.drops["truncated-message"]) == (1, 1)
    assert [kind_of(decode(send.payload)) for send in table.engine.finish(first)] == ["ACK"]
    assert table.engine.finish(table.engine.begin(requests, table.now)) == []
    assert table.verdict() == ("SILENT", "no-record")


def test_what_cannot_be_made_safe_is_not_granted_and_what_is_known_is_confirmed() -> None:
    store = SlowStore()
    table = Table(store=store)
    lease = table.lease(ip(100), seconds=700)
    offer = table.say(discover(mac=OTHER_MAC))
    assert offer is not None
    table.later(5)
    store.error = "the disk is gone"
    asked = [arrive(reboot(ip(100))), arrive(selecting(offer.yiaddr, mac=OTHER_MAC))]
    (send,) = table.engine.finish(table.engine.begin(table.engine.requests(asked, table.now), table.now))
    reply = decode(send.payload)
    assert (reply.chaddr, kind_of(reply), reply.uint(51)) == (MAC, "ACK", 695)
    assert table.engine.store_error == "the disk is gone"
    assert table.on(ip(100)) == lease
    assert table.on(offer.yiaddr) is None
    store.error = ""
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.engine.store_error == ""
