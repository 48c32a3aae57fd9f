"""What operators met with after they had changed the configuration; each on its own."""

import pytest
from msgspec.structs import replace

from support.networks import saying
from support.table import OFFICE, Table, ip, kind_of, reboot, renewing, selecting

WEEK = 7 * 24 * 3600


@pytest.mark.parametrize("threshold", [None, 0.5])
@pytest.mark.parametrize("before", [WEEK, 0xFFFFFFFF])
def test_a_shorter_lease_time_counts_from_the_next_renewal_on(threshold: float | None, before: int) -> None:
    """The end that was promised stays on record, because the ACK may get lost."""
    long = replace(saying(OFFICE, lease_time=before), cache_threshold=threshold)
    table = Table(long)
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"
    promised = table.on(ip(100))
    assert promised is not None
    short = Table(saying(long, lease_time=600), store=table.store)
    for message in (renewing(ip(100)), reboot(ip(100))):
        short.later(95)
        reply = short.say(message)
        assert reply is not None
        assert (kind_of(reply), reply.uint(51)) == ("ACK", 600)
        held = short.on(ip(100))
        assert held is not None
        assert held.expires == promised.expires
