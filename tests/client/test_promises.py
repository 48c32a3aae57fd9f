"""The rules on top of `machine.py`, held against any sequence of events that chance comes up with."""

from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relet.client.conflict import Check
from relet.client.memory import MAX_NETWORKS
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    Stopped,
    V6Only,
)
from relet.model.effects import (
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Finished,
    Gateway,
    Note,
    Remember,
    Remembered,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake, Woken
from relet.wire import arp, message
from relet.wire.codes import INFINITE
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    AWAY,
    AWAY_HERE,
    HERE,
    KNOWN,
    MAC,
    OTHER_ADDRESS,
    OTHER_MAC,
    OTHER_SERVER,
    REMEMBERED,
    ROUTED,
    SERVER,
    SETTINGS,
    START,
    Dice,
    Rig,
    Traced,
    reach,
)

TWIN = Remembered(replace(KNOWN.binding, requested_at=START.wall - 60), Gateway(SERVER, bytes.fromhex("525400000033")))
"""A lease of another home, where everything has the same numbers but the gateway's hardware address."""

IN_USE = Attached | Bound | Renewing | Rebinding
HOLDING = IN_USE | Probing
TWIN_HERE = replace(HERE, sha=bytes.fromhex("525400000033"))


@dataclass(frozen=True)
class Answer:
    """A server's answer to the last message, or to one further back; right, or wrong in some respect."""

    kind: MessageType
    address: int
    lease_time: int
    server: int
    carried: dict[int, bytes]
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
    st.sampled_from([ADDRESS, ADDRESS, ADDRESS, OTHER_ADDRESS, AWAY.binding.address, 0]),
    st.sampled_from([0, 5, 60, 3600, INFINITE]),
    st.sampled_from([SERVER, SERVER, SERVER, OTHER_SERVER, AWAY.binding.server]),
    st.sampled_from([{}, ROUTED, ROUTED, {80: b""}, ROUTED | {80: b""}, {108: bytes(4)}]),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.sampled_from([True] * 9 + [False]),
    st.sampled_from([True] * 9 + [False]),
)
GOOD = st.builds(
    Answer,
    st.sampled_from([MessageType.OFFER, MessageType.ACK, MessageType.ACK, MessageType.NAK]),
    st.just(ADDRESS),
    st.just(3600),
    st.just(SERVER),
    st.sampled_from([{}, ROUTED]),
    st.just(0),
    st.just(True),
    st.just(True),
)
"""Answers as they are in life."""

PASSES = st.builds(Pass, st.sampled_from([0.0, 0.0, 0.0, 1.0, 30.0, 1800.0, 90000.0]))
OTHERS: st.SearchStrategy[Event] = st.one_of(
    st.just(Wake()),
    st.sampled_from(list(Command)),
    st.just(Woken()),
    st.sampled_from([ClockSet(1e9), ClockSet(-3600.0)]),
    st.builds(LinkChanged, st.booleans()),
    st.builds(Arrival, st.binary(max_size=400)),
)
INTRUDER = arp.announcement(OTHER_MAC, ADDRESS)
ARPS = st.builds(
    ArpSeen,
    st.sampled_from(
        [HERE, AWAY_HERE, TWIN_HERE, INTRUDER, INTRUDER, arp.probe(OTHER_MAC, ADDRESS), arp.announcement(MAC, ADDRESS)]
    ),
)
STEPS = st.lists(st.one_of(GOOD, GOOD, ANSWERS, ANSWERS, PASSES, PASSES, ARPS, OTHERS), max_size=60)


class Watcher:
    """Holds a client to its promises, event by event.

    before: what was remembered when the event came. heard: the ARP packet that it was. taken: addresses that the client
    asks servers for, and that another host has said are its own since it began to. probed: addresses that have been asked
    about since the link came up, or since they were last in use.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.acked: set[tuple[int, int]] = set()
        self.on_interface: Binding | None = None
        self.written = rig.client.remembered
        self.before = rig.client.remembered
        self.state_before = rig.state
        self.lease_before = rig.client.lease
        self.heard: arp.Arp | None = None
        self.on_answer = False
        self.carried: dict[int, bytes] = {}
        self.taken: set[int] = set()
        self.probed: set[int] = set()

    def step(self, step: Answer | Pass | Event) -> None:
        rig = self.rig
        self.before, self.state_before, self.lease_before = rig.client.remembered, rig.state, rig.client.lease
        self.heard = step.arp if isinstance(step, ArpSeen) else None
        self.on_answer = isinstance(step, Answer)
        self.do(step)
        if self.heard and self.heard.sha != MAC:
            self.taken |= {self.heard.spa or self.heard.tpa} & asked_for(self.state_before)
        self.taken &= asked_for(rig.state) if rebooting(rig.state) in (None, rebooting(self.state_before)) else set()

    def do(self, step: Answer | Pass | Event) -> None:
        rig = self.rig
        match step:
            case Answer():
                self.watch(rig.feed(self.answer(step)))
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
                if event == LinkChanged(up=False):
                    self.probed.clear()
                self.watch(rig.feed(event))

    def answer(self, answer: Answer) -> Arrival:
        reply = self.rig.reply(answer.kind, answer.address)
        carried = reply.options | {54: answer.server.to_bytes(4)}
        if answer.kind is not MessageType.NAK:
            carried |= {51: answer.lease_time.to_bytes(4)} | answer.carried
        self.carried = carried
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
            case Send(payload=payload):
                self.judge_message(message.decode(payload))
            case SendArp(arp=sent):
                self.probed |= {sent.tpa} if not sent.spa else set()
            case Note(kind="not-released"):
                assert self.lease_before is not None
                self.judge_forgotten(self.lease_before)
            case Configure(binding=binding, cause="remembered"):
                assert self.rig.client.settings.use_remembered or self.rig.client.settings.check_again is Check.FULL
                assert binding.expires() > self.rig.now.wall
                self.put(binding)
            case Configure(binding=binding, cause="network"):
                # The gateway of that very lease has just answered, to us.
                assert self.heard
                assert (self.heard.op, self.heard.tha) == (arp.REPLY, MAC)
                assert Remembered(binding, Gateway(self.heard.spa, self.heard.sha)) in self.before
                assert binding.expires() > self.rig.now.wall
                self.put(binding)
            case Configure(binding=binding, cause=cause):
                assert (binding.address, binding.lease_time) in self.acked
                granted_before = [(each.binding.address, each.binding.server) for each in self.before]
                new = (binding.address, binding.server) not in granted_before
                if cause == "bound" and new and self.rig.client.settings.check_new is Check.FULL:
                    assert isinstance(self.state_before, Probing)
                self.put(binding)
            case Deconfigure(binding=binding, cause=cause):
                assert self.on_interface == binding
                self.on_interface = None
                self.probed.discard(binding.address)
                elsewhere = isinstance(self.state_before, Attached) and not self.state_before.known
                if cause in ("release", "conflict", "expire") or (cause == "nak" and not elsewhere):
                    self.judge_forgotten(binding)
            case Remember(leases=leases):
                self.written = leases
                assert len(leases) <= MAX_NETWORKS
            case Finished():
                assert isinstance(self.rig.state, Stopped)
            case _:
                pass

    def put(self, binding: Binding) -> None:
        settings = self.rig.client.settings
        if self.on_interface is None and Check.OFF not in (settings.check_new, settings.check_again):
            assert binding.address in self.probed
            assert binding.address not in self.taken
        assert self.on_interface is None or self.on_interface.address == binding.address
        self.on_interface = binding

    def judge_message(self, said: message.Message) -> None:
        """Nothing is asked while IPv4 is not wanted; and what is declined is not remembered."""
        assert not isinstance(self.rig.state, V6Only)
        if said.kind == MessageType.DECLINE:
            self.judge_forgotten(self.declined(said))

    def declined(self, said: message.Message) -> Binding:
        """What was granted just now, or else what was held, or asked for until the client helped itself to it."""
        address, server = said.ip(50) or 0, said.ip(54) or 0
        if self.on_answer and not isinstance(self.state_before, HOLDING):
            return Binding(address, server, 0.0, 0, 0, 0, self.carried)
        assert self.lease_before is not None
        assert (self.lease_before.address, self.lease_before.server) == (address, server)
        return self.lease_before

    def judge_forgotten(self, gone: Binding) -> None:
        """Given up for good: no lease of that address on that network is remembered any longer, as far as can be told."""
        gateway = next((each.gateway for each in self.before if each.binding == gone), None)
        for each in self.rig.client.remembered:
            if each.binding.address == gone.address and each.binding.prefix() == gone.prefix():
                assert each.binding != gone
                assert each.gateway != gateway or not gateway
                assert each.binding.server != gone.server or (each.gateway and gateway)

    def judge_state(self) -> None:
        state, now = self.rig.state, self.rig.now
        leased = isinstance(state, IN_USE)
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


def rebooting(state: State) -> Remembered | None:
    """The lease that is asked for by INIT-REBOOT."""
    match state:
        case (
            Rebooting(lease=lease)
            | Selecting(beside=Rebooting(lease=lease))
            | Requesting(beside=Rebooting(lease=lease))
        ):
            return lease
        case _:
            return None


def asked_for(state: State) -> set[int]:
    """The addresses that a quick check asks about while servers are asked for them."""
    match state:
        case Rebooting(lease=lease) | Selecting(beside=Rebooting(lease=lease)):
            return {lease.binding.address}
        case Requesting(offer=offer, beside=beside):
            return {offer.address} | ({beside.lease.binding.address} if beside else set())
        case _:
            return set()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([REMEMBERED, KNOWN, TWIN, AWAY]), max_size=4, unique_by=id),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(list(Check)),
    st.sampled_from(list(Check)),
    st.sampled_from([1.0, float("inf")]),
    st.floats(0, 1, exclude_max=True),
    STEPS,
)
def test_no_sequence_of_events_breaks_a_promise(
    remembered: list[Remembered],
    permitting: bool,
    rapid: bool,
    able: bool,
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
    chosen = replace(chosen, rapid_commit=rapid, ipv6_only=able)
    rig = Rig(None, chosen, dice)
    rig.client = Traced(chosen, dice, tuple(remembered))
    watcher = Watcher(rig)
    watcher.step(Command.START)
    for step in steps:
        watcher.step(step)


def said(kind: MessageType, address: int = ADDRESS, server: int = SERVER, back: int = 0, rapid: bool = False) -> Answer:
    """An answer to the last message, or to one further back, as it is in life."""
    return Answer(kind, address, 3600, server, {80: b""} if rapid else {}, back, True, True)


OFFER, ACK, NAK = said(MessageType.OFFER), said(MessageType.ACK), said(MessageType.NAK)
RAPID = said(MessageType.ACK, rapid=True)
ELSEWHERE = [said(MessageType.OFFER, server=OTHER_SERVER), said(MessageType.ACK, server=OTHER_SERVER)]
INTRUDED, DEADLINE = ArpSeen(INTRUDER), Pass(0.0)
STORIES: dict[str, list[Answer | Pass | Event]] = {
    "given back before its gateway was heard": [ACK, Command.RELEASE],
    "given back after its gateway was heard": [ACK, DEADLINE, DEADLINE, DEADLINE, ArpSeen(HERE), Command.RELEASE],
    "given back while nobody has answered": [Command.RELEASE],
    "a conflict in the first moments of use": [ACK, INTRUDED],
    "a conflict before the confirmation": [INTRUDED, ACK],
    "a conflict before the offer": [Pass(1.0), INTRUDED, OFFER, ACK],
    "a conflict before the rapid grant": [Pass(1.0), INTRUDED, RAPID],
    "a conflict before the gateway is heard": [INTRUDED, ArpSeen(HERE), ArpSeen(TWIN_HERE)],
    "a conflict after the gateway was heard": [ArpSeen(HERE), INTRUDED],
    "a conflict before a late confirmation": [
        Pass(1.0),
        said(MessageType.OFFER, OTHER_ADDRESS),
        INTRUDED,
        said(MessageType.ACK, back=2),
    ],
    "the same address from another server": [Pass(1.0), *ELSEWHERE],
    "refused while renewing": [ACK, Pass(1800.0), NAK],
    "refused after its gateway was heard": [ArpSeen(HERE), NAK],
    "refused where the host woke up": [ACK, Pass(30.0), Woken(), NAK],
    "run out": [ACK, Pass(90000.0)],
}
"""What a review found broken once, and what lies beside it."""


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("again", [Check.QUICK, Check.FULL])
@pytest.mark.parametrize("permitting", [False, True])
@pytest.mark.parametrize("remembered", [[REMEMBERED], [KNOWN], [KNOWN, TWIN], [REMEMBERED, KNOWN], [AWAY, KNOWN]])
def test_the_promises_hold_in_these_stories(
    remembered: list[Remembered], permitting: bool, again: Check, story: str
) -> None:
    rig = Rig(None, replace(SETTINGS, use_remembered=permitting, check_again=again, rapid_commit=True))
    rig.client = Traced(rig.client.settings, Dice(), tuple(remembered))
    watcher = Watcher(rig)
    for step in (Command.START, *STORIES[story]):
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
