"""The rules on top of `machine.py`, held against any sequence of events that chance comes up with."""

from dataclasses import dataclass
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relet.client.conflict import Check
from relet.client.memory import MAX_NETWORKS
from relet.client.states import Attached, Backoff, Bound, LinkDown, Rebinding, Renewing, State, Stopped
from relet.model.effects import Binding, Configure, Deconfigure, Effect, Finished, Remember, Remembered
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake, Woken
from relet.wire import arp, message
from relet.wire.codes import INFINITE
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, HERE, KNOWN, MAC, OTHER_ADDRESS, OTHER_MAC, REMEMBERED, SETTINGS, Rig, reach


@dataclass(frozen=True)
class Answer:
    """A server's answer to the last message, or to one further back; right, or wrong in some respect."""

    kind: MessageType
    address: int
    lease_time: int
    back: int
    right_xid: bool
    right_hardware: bool


@dataclass(frozen=True)
class Pass:
    """Time that passes; 0: until the deadline."""

    seconds: float


ANSWERS = st.builds(
    Answer,
    st.sampled_from([MessageType.OFFER, MessageType.ACK, MessageType.ACK, MessageType.NAK]),
    st.sampled_from([ADDRESS, ADDRESS, ADDRESS, OTHER_ADDRESS, 0]),
    st.sampled_from([0, 5, 60, 3600, INFINITE]),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.sampled_from([True] * 9 + [False]),
    st.sampled_from([True] * 9 + [False]),
)
PASSES = st.builds(Pass, st.sampled_from([0.0, 0.0, 0.0, 1.0, 30.0, 1800.0, 90000.0]))
OTHERS: st.SearchStrategy[Event] = st.one_of(
    st.just(Wake()),
    st.sampled_from(list(Command)),
    st.just(Woken()),
    st.sampled_from([ClockSet(1e9), ClockSet(-3600.0)]),
    st.just(ArpSeen(HERE)),
    st.builds(LinkChanged, st.booleans()),
    st.builds(ArpSeen, st.sampled_from([arp.announcement(OTHER_MAC, ADDRESS), arp.probe(OTHER_MAC, ADDRESS)])),
    st.just(ArpSeen(arp.announcement(MAC, ADDRESS))),
    st.builds(Arrival, st.binary(max_size=400)),
)
STEPS = st.lists(st.one_of(ANSWERS, ANSWERS, ANSWERS, PASSES, PASSES, PASSES, OTHERS), max_size=60)


class Watcher:
    """Holds a client to its promises, event by event."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.acked: set[tuple[int, int]] = set()
        self.on_interface: Binding | None = None
        self.written = rig.client.remembered
        self.gateway_heard = False

    def step(self, step: Answer | Pass | Event) -> None:
        rig = self.rig
        match step:
            case Answer():
                self.watch(rig.feed(self.heard(step)))
            case Pass(seconds=0.0):
                deadline = rig.client.deadline()
                self.watch(rig.later(max(0.0, (deadline or 0.0) - rig.now.mono)).feed(Wake()))
            case Pass(seconds=seconds):
                self.watch(rig.later(seconds).feed(Wake()))
            case ClockSet(by=by):
                effects = rig.set_clock(by)
                if self.on_interface:
                    # The same lease has another date, and may be over by it.
                    ended = [effect.binding for effect in effects if isinstance(effect, Deconfigure)]
                    dated = ended[0] if ended else rig.client.lease
                    assert dated is not None
                    assert dated.address == self.on_interface.address
                    self.on_interface = dated
                self.watch(effects)
            case event:
                self.gateway_heard = event == ArpSeen(HERE)
                self.watch(rig.feed(event))
                self.gateway_heard = False

    def heard(self, answer: Answer) -> Arrival:
        reply = self.rig.reply(answer.kind, answer.address)
        carried = reply.options | ({51: answer.lease_time.to_bytes(4)} if answer.kind is not MessageType.NAK else {})
        reply = replace(
            reply,
            options=carried,
            xid=self.asked(answer.back) ^ (0 if answer.right_xid else 1),
            chaddr=MAC if answer.right_hardware else OTHER_MAC,
        )
        if answer.kind is MessageType.ACK and answer.right_xid and answer.right_hardware:
            self.acked.add((answer.address, answer.lease_time))
        return Arrival(message.encode(reply))

    def asked(self, back: int) -> int:
        """The transaction of a message that was sent so far back; some number if there is none."""
        sends = self.rig.sends[-1 - back :]
        return message.decode(sends[0].payload).xid if sends else 1

    def watch(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.judge(effect)
        self.judge_state()

    def judge(self, effect: Effect) -> None:
        match effect:
            case Configure(binding=binding, cause="remembered"):
                assert self.rig.client.settings.use_remembered or self.rig.client.settings.check_again is Check.FULL
                assert binding.expires() > self.rig.now.wall
                self.put(binding)
            case Configure(binding=binding, cause="network"):
                assert self.gateway_heard
                assert binding == KNOWN.binding
                assert binding.expires() > self.rig.now.wall
                self.put(binding)
            case Configure(binding=binding):
                assert (binding.address, binding.lease_time) in self.acked
                self.put(binding)
            case Deconfigure(binding=binding):
                assert self.on_interface == binding
                self.on_interface = None
            case Remember(leases=leases):
                self.written = leases
                assert len(leases) <= MAX_NETWORKS
            case Finished():
                assert isinstance(self.rig.state, Stopped)
            case _:
                pass

    def put(self, binding: Binding) -> None:
        assert self.on_interface is None or self.on_interface.address == binding.address
        self.on_interface = binding

    def judge_state(self) -> None:
        state, now = self.rig.state, self.rig.now
        leased = isinstance(state, Attached | Bound | Renewing | Rebinding)
        assert self.written == self.rig.client.remembered
        assert leased == (self.on_interface is not None)
        if self.on_interface is not None:
            # Both clocks run alike here, so the lease's end by wall time is its end.
            assert now.wall < self.on_interface.expires() + 1e-3
            assert self.rig.client.remembered[0].binding == self.on_interface == self.rig.client.lease
        deadline = self.rig.client.deadline()
        if deadline is None:
            assert isinstance(state, Stopped | LinkDown) or (
                isinstance(state, Bound) and state.held.binding.lease_time == INFINITE
            )
        else:
            assert deadline > now.mono


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([None, REMEMBERED, KNOWN]),
    st.booleans(),
    st.sampled_from(list(Check)),
    st.sampled_from(list(Check)),
    st.sampled_from([1.0, float("inf")]),
    st.floats(0, 1, exclude_max=True),
    STEPS,
)
def test_no_sequence_of_events_breaks_a_promise(
    remembered: Remembered | None,
    permitting: bool,
    new: Check,
    again: Check,
    hedge_after: float,
    shown: float,
    steps: list[Answer | Pass | Event],
) -> None:
    throws = iter(range(10**9))

    def dice() -> float:
        return (shown + next(throws) * 0.618034) % 1.0

    timing = replace(SETTINGS.timing, hedge_after=hedge_after)
    chosen = replace(SETTINGS, use_remembered=permitting, check_new=new, check_again=again, timing=timing)
    watcher = Watcher(Rig(remembered, chosen, dice))
    watcher.step(Command.START)
    for step in steps:
        watcher.step(step)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(get_args(State)), st.binary(max_size=600))
def test_octets_that_are_no_message_change_nothing_but_a_counter(kind: type[State], octets: bytes) -> None:
    rig = reach(kind)
    before, dropped = rig.state, sum(rig.client.dropped.values())
    assert rig.feed(Arrival(octets)) == []
    assert rig.state == before
    assert sum(rig.client.dropped.values()) == dropped + 1


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(get_args(State)), st.sampled_from(list(MessageType)), st.data())
def test_mutated_replies_raise_nothing(kind: type[State], said: MessageType, data: st.DataObject) -> None:
    rig = reach(kind)
    octets = bytearray(message.encode(rig.reply(said)))
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    rig.feed(Arrival(bytes(octets[: data.draw(st.integers(0, len(octets)))])))
    assert rig.client.deadline() is None or (rig.client.deadline() or 0) > rig.now.mono


def test_the_names_of_drops_are_bounded() -> None:
    rig = reach(Backoff)
    for number in range(50):
        rig.feed(Arrival(bytes((number,)) * number))
    assert set(rig.client.dropped) == {"not-awaited"}
