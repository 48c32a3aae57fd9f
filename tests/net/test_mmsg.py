"""Many messages in one system call, on a pair of sockets that need no network: bounds, order, and what is refused."""

import errno
import socket
from array import array
from collections import Counter
from collections.abc import Iterator

import pytest

from relet.net.mmsg import Inbox, Outbox

LONGEST, COUNT = 100, 8

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with one, other:
        yield one, other


def taken(inbox: Inbox) -> list[bytes]:
    lengths = inbox.take()
    return [inbox.octets[start : start + length] for start, length in zip(inbox.starts, lengths, strict=False)]


def test_messages_keep_their_bounds_and_their_order(pair: Pair) -> None:
    inbox, outbox = Inbox(pair[1], LONGEST, name=0, count=COUNT), Outbox(pair[0], count=COUNT)
    drops = Counter[str]()
    for batch in ([b"one"], [b"", b"three" * 20, b"", b"x"], [b"%d" % n for n in range(COUNT)], []):
        assert outbox.give(batch, drops) == len(batch)
        assert taken(inbox) == batch
    assert inbox.take() == []
    assert not drops


def test_one_that_is_longer_than_wanted_is_known(pair: Pair) -> None:
    inbox = Inbox(pair[1], LONGEST, name=0, count=COUNT)
    for length in (LONGEST, LONGEST + 1, 10 * LONGEST, 0):
        pair[0].send(bytes(length))
    assert inbox.take() == [LONGEST, LONGEST + 1, LONGEST + 1, 0]


def test_a_batch_has_a_bound(pair: Pair) -> None:
    inbox = Inbox(pair[1], LONGEST, name=0, count=3)
    for n in range(5):
        pair[0].send(b"%d" % n)
    assert [taken(inbox), taken(inbox), taken(inbox)] == [[b"0", b"1", b"2"], [b"3", b"4"], []]


def test_what_finds_the_queue_full_is_named_and_the_rest_arrives(pair: Pair) -> None:
    inbox, outbox, drops = Inbox(pair[1], LONGEST, name=0), Outbox(pair[0]), Counter[str]()
    messages = [b"%d" % n for n in range(250)]
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    given = outbox.give(messages, drops)
    arrived = taken(inbox)
    assert arrived == messages[:given]
    assert drops["queue-full"] == 250 - given
    assert given == 250 or drops["queue-full"] > 0
    assert outbox.give([b"again"], drops) == 1
    assert taken(inbox) == [b"again"]


def test_which_were_refused_and_why(pair: Pair) -> None:
    outbox = Outbox(pair[0], count=COUNT)
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)  # the kernel leaves it some thousand octets
    lengths = array("L", [3, 200_000, 4, 200_000])
    assert outbox.put(bytes(sum(lengths)), lengths) == [(1, errno.EMSGSIZE), (3, errno.EMSGSIZE)]
    assert [len(pair[1].recv(100)) for _ in range(2)] == [3, 4]
    pair[1].close()
    assert outbox.put(b"ab", array("L", [1, 1])) == [(0, errno.ECONNREFUSED), (1, errno.ENOTCONN)]


def test_an_error_that_is_not_the_absence_of_messages_is_raised(pair: Pair) -> None:
    inbox = Inbox(pair[1], LONGEST, name=0)
    pair[1].close()
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        inbox.take()
    assert caught.value.errno == errno.EBADF
