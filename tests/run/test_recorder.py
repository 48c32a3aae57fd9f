"""What a client recorded of its last exchange: each thing that counted, in order, and no more than there is room for."""

from relet.client.states import Bound, Selecting
from relet.model.effects import Effect
from relet.model.events import Arrival, Command, Event, Wake
from relet.run.recorder import MAX_IGNORED, MAX_MOMENTS, Exchange, Moment, Recorder
from relet.wire import arp, message
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, MAC, OTHER_MAC, REMEMBERED, START, Rig


class Recorded(Rig):
    """A client on the bench whose events are recorded."""

    def __init__(self, remembered: bool = False) -> None:
        super().__init__(REMEMBERED if remembered else None)
        self.recorder = Recorder(MAC)

    def feed(self, event: Event) -> list[Effect]:
        before = self.state
        effects = super().feed(event)
        self.recorder.record(event, before, effects, self.state, self.now)
        return effects

    @property
    def exchange(self) -> Exchange:
        exchange = self.recorder.exchange()
        assert exchange is not None
        return exchange

    def dhcp(self) -> list[Moment]:
        """What was said in DHCP, and the states."""
        return [each for each in self.exchange.moments if each.label.startswith("DHCP") or each.what == "state"]


def bound() -> Recorded:
    """A client that has a new lease."""
    rig = Recorded()
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(MessageType.OFFER)
    rig.answer(MessageType.ACK)
    rig.wake_until(Bound)
    return rig


def test_who_said_nothing_has_no_exchange() -> None:
    assert Recorder(MAC).exchange() is None


def test_an_allocation_from_its_first_message_to_its_last() -> None:
    rig = bound()
    said = [(each.what, each.label, each.peer, each.text) for each in rig.dhcp() if each.label != "INIT"]
    assert said == [
        ("sent", "DHCPDISCOVER", "", ""),
        ("state", "SELECTING", "", ""),
        ("heard", "DHCPOFFER", "192.168.1.1", "192.168.1.100 for 3600 s"),
        ("sent", "DHCPREQUEST", "", "requested 192.168.1.100, server 192.168.1.1"),
        ("state", "REQUESTING", "", ""),
        ("heard", "DHCPACK", "192.168.1.1", "192.168.1.100 for 3600 s"),
        ("state", "PROBING", "", "192.168.1.100"),
        ("state", "BOUND", "", "192.168.1.100"),
    ]
    probes = [each for each in rig.exchange.moments if each.label == "ARP probe"]
    assert probes
    assert {(each.what, each.peer, each.text) for each in probes} == {("sent", "", "does anybody have 192.168.1.100?")}
    assert rig.exchange.moments[-2].label == "ARP announcement"


def test_times_count_from_when_it_turned_to_asking() -> None:
    rig = bound()
    assert rig.exchange.began == START.wall
    times = [each.at for each in rig.exchange.moments]
    assert times == sorted(times)
    assert times[-1] == rig.now.mono - START.mono
    assert rig.recorder.since == rig.now.wall


def test_a_renewal_is_an_exchange_of_its_own() -> None:
    rig = bound()
    rig.later(60).feed(Command.RENEW)
    rig.later(0.5).answer(MessageType.ACK)
    assert rig.exchange.began == rig.now.wall - 0.5
    assert [(each.at, each.label, each.peer) for each in rig.dhcp()] == [
        (0.0, "DHCPREQUEST", "192.168.1.1"),
        (0.0, "RENEWING", ""),
        (0.5, "DHCPACK", "192.168.1.1"),
        (0.5, "BOUND", ""),
    ]


def test_a_refusal_and_what_follows_is_one_exchange() -> None:
    rig = Recorded(remembered=True)
    rig.feed(Command.START)
    rig.answer(MessageType.NAK)
    rig.wake_until(Selecting)
    labels = [each.label for each in rig.dhcp()]
    assert labels[:3] == ["DHCPREQUEST", "REBOOTING", "DHCPNAK"]
    assert labels[-2:] == ["DHCPDISCOVER", "SELECTING"]


def test_whoever_has_our_address_is_told_by_its_hardware() -> None:
    rig = Recorded()
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    rig.answer(MessageType.OFFER)
    rig.answer(MessageType.ACK)
    while not any(each.label == "ARP probe" for each in rig.exchange.moments):
        rig.wake()
    rig.hear(arp.Arp(arp.REPLY, OTHER_MAC, ADDRESS, MAC, 0))
    (reply,) = (each for each in rig.exchange.moments if each.what == "heard" and each.label == "ARP reply")
    assert (reply.peer, reply.mac, reply.text) == ("52:54:00:00:00:99",) * 2 + ("192.168.1.100 is mine",)
    assert any(each.label == "DHCPDECLINE" for each in rig.exchange.moments)
    assert any(each.what == "note" for each in rig.exchange.moments)


def test_a_conflict_in_use_belongs_to_the_exchange_that_won_the_address() -> None:
    rig = bound()
    for _ in range(3):  # the first may be defended against
        rig.later(1).hear(arp.announcement(OTHER_MAC, ADDRESS))
    labels = [each.label for each in rig.exchange.moments]
    assert labels.index("DHCPACK") < labels.index("unbound") < labels.index("BACKOFF")
    heard = {each.peer for each in rig.exchange.moments if each.label == "ARP announcement" and each.what == "heard"}
    assert heard == {"52:54:00:00:00:99"}


def test_what_concerns_nobody_here_is_not_kept() -> None:
    rig = bound()
    before = rig.exchange
    rig.hear(arp.announcement(OTHER_MAC, ADDRESS + 1))
    rig.feed(Arrival(message.encode(rig.reply(MessageType.OFFER, chaddr=OTHER_MAC))))
    rig.feed(Arrival(b"no message at all"))
    rig.feed(Wake())
    assert rig.exchange == before


def test_ignored_answers_to_us_are_shown_but_cannot_push_out_what_counted() -> None:
    rig = Recorded()
    rig.feed(Command.START)
    rig.wake_until(Selecting)
    for _ in range(MAX_MOMENTS * 2):
        rig.answer(MessageType.OFFER, xid=7)
    ignored = [each for each in rig.exchange.moments if each.what == "ignored"]
    assert [(each.label, each.peer) for each in ignored] == [("DHCPOFFER", "192.168.1.1")] * MAX_IGNORED
    assert rig.exchange.omitted == 0
    assert "DHCPDISCOVER" in [each.label for each in rig.exchange.moments]


def test_of_a_long_exchange_the_end_is_kept() -> None:
    rig = Recorded()
    rig.feed(Command.START)
    for _ in range(MAX_MOMENTS * 2):
        rig.wake()
    assert len(rig.exchange.moments) == MAX_MOMENTS
    assert rig.exchange.omitted > 0
    assert rig.exchange.moments[-1].at == rig.now.mono - START.mono
