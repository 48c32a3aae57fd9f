"""The whole product of states and events: what each pair does, in one table, and none may be missing."""

from collections.abc import Callable
from typing import get_args

import pytest

from relet.client.accept import Drop
from relet.client.states import State
from relet.model.effects import Effect
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake, Woken
from relet.wire import arp
from relet.wire.options import MessageType
from support.client_rig import (
    ADDRESS,
    CLIENT_ID,
    HERE,
    MAC,
    OTHER_ADDRESS,
    OTHER_MAC,
    OTHER_SERVER,
    V6ONLY_WAIT,
    Rig,
    names,
    reach,
)

DAYS = 10 * 86400.0
OFFER, ACK, NAK = MessageType.OFFER, MessageType.ACK, MessageType.NAK


def _without(rig: Rig, code: int) -> dict[int, bytes]:
    return {known: octets for known, octets in rig.reply(ACK).options.items() if known != code}


def _with(rig: Rig, kind: MessageType, code: int, octets: bytes) -> dict[int, bytes]:
    return rig.reply(kind).options | {code: octets}


def _due(rig: Rig) -> list[Effect]:
    return rig.feed(Wake()) if rig.client.deadline() is None else rig.wake()


EVENTS: dict[str, Callable[[Rig], list[Effect]]] = {
    "wake too early": lambda rig: rig.feed(Wake()),
    "deadline": _due,
    "ten days late": lambda rig: rig.later(DAYS).feed(Wake()),
    "OFFER": lambda rig: rig.answer(OFFER),
    "ACK": lambda rig: rig.answer(ACK),
    "NAK": lambda rig: rig.answer(NAK),
    "FORCERENEW": lambda rig: rig.answer(MessageType.FORCERENEW),
    "BOOTP reply": lambda rig: rig.answer(ACK, options=_without(rig, 53)),
    "ACK ten days late": lambda rig: rig.later(DAYS).answer(ACK),
    "ACK with other xid": lambda rig: rig.answer(ACK, xid=rig.reply(ACK).xid ^ 1),
    "ACK with other chaddr": lambda rig: rig.answer(ACK, chaddr=OTHER_MAC),
    "ACK with other client identifier": lambda rig: rig.answer(ACK, options=_with(rig, ACK, 61, CLIENT_ID + b"x")),
    "ACK by no server": lambda rig: rig.answer(ACK, options=_without(rig, 54)),
    "ACK by other server": lambda rig: rig.answer(ACK, options=_with(rig, ACK, 54, OTHER_SERVER.to_bytes(4))),
    "NAK by other server": lambda rig: rig.answer(NAK, options=_with(rig, NAK, 54, OTHER_SERVER.to_bytes(4))),
    "ACK for other address": lambda rig: rig.answer(ACK, OTHER_ADDRESS),
    "ACK for no address": lambda rig: rig.answer(ACK, 0),
    "ACK without lease time": lambda rig: rig.answer(ACK, options=_without(rig, 51)),
    "ACK for a second": lambda rig: rig.answer(ACK, options=_with(rig, ACK, 51, (1).to_bytes(4))),
    "own request come back": lambda rig: rig.answer(ACK, op=1),
    "garbage": lambda rig: rig.feed(Arrival(b"\x02" * 80)),
    "OFFER of IPv6 only": lambda rig: rig.able().answer(OFFER, options=_with(rig, OFFER, 108, V6ONLY_WAIT.to_bytes(4))),
    "ACK of IPv6 only": lambda rig: rig.able().answer(ACK, options=_with(rig, ACK, 108, V6ONLY_WAIT.to_bytes(4))),
    "the gateway answers": lambda rig: rig.hear(HERE),
    "woken": lambda rig: rig.feed(Woken()),
    "wall clock set": lambda rig: rig.set_clock(1e9),
    "ARP by other host for the address": lambda rig: rig.hear(arp.announcement(OTHER_MAC, ADDRESS)),
    "probe by other host for the address": lambda rig: rig.hear(arp.probe(OTHER_MAC, ADDRESS)),
    "own ARP come back": lambda rig: rig.hear(arp.announcement(MAC, ADDRESS)),
    "ARP about something else": lambda rig: rig.hear(arp.announcement(OTHER_MAC, OTHER_ADDRESS + 1)),
    "link down": lambda rig: rig.feed(LinkChanged(up=False)),
    "link up": lambda rig: rig.feed(LinkChanged(up=True)),
    "START": lambda rig: rig.feed(Command.START),
    "RENEW": lambda rig: rig.feed(Command.RENEW),
    "RELEASE": lambda rig: rig.feed(Command.RELEASE),
    "STOP": lambda rig: rig.feed(Command.STOP),
}

COVERED: dict[type[Event], str] = {
    Wake: "deadline",
    Arrival: "ACK",
    ArpSeen: "ARP by other host for the address",
    LinkChanged: "link up",
    Command: "START",
    Woken: "woken",
    ClockSet: "wall clock set",
}

ALL = (
    "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Attached Probing Backoff V6Only Bound Renewing"
    " Rebinding"
)
DEAF = "Stopped LinkDown Init InitReboot Probing Backoff V6Only Bound"
NOT_AWAITED = {DEAF: ". drop:not-awaited"}


def dropped(selecting: str, others: str | None = None) -> dict[str, str]:
    """No state takes it; SELECTING may have another ground than the states that await an ACK."""
    return NOT_AWAITED | {
        "Selecting": f". drop:{selecting}",
        "Requesting Rebooting Attached Renewing Rebinding": f". drop:{others or selecting}",
    }


# Event -> states -> 'next-state effects drop:reason'; '.' is the same state. The dice show 0.5, so no start is delayed
# by more than half a second; what follows from a deadline of zero comes in the same breath.
TABLE: dict[str, dict[str, str]] = {
    "wake too early": {ALL: "."},
    "deadline": {
        "Stopped LinkDown": ".",
        "Init Backoff V6Only": "Selecting DISCOVER",
        "Selecting": ". DISCOVER",
        "Requesting Rebooting Attached Renewing Rebinding": ". REQUEST",
        "InitReboot": "Rebooting REQUEST",
        "Probing": ". probe",
        "Bound": "Renewing REQUEST",
    },
    "ten days late": {
        "Stopped LinkDown": ".",
        "Init Backoff V6Only": "Selecting DISCOVER",
        "Selecting": ". DISCOVER",
        "Requesting": ". REQUEST",
        "InitReboot": "Rebooting REQUEST",
        "Rebooting": "Selecting note:reboot-silence DISCOVER",
        "Attached Bound Renewing Rebinding": "Selecting deconfigure:expire remember:0 note:expired DISCOVER",
        "Probing": "Selecting note:expired DISCOVER",
    },
    "OFFER": NOT_AWAITED
    | {
        "Selecting": "Requesting REQUEST",
        "Requesting Rebooting Attached Renewing Rebinding": ". drop:other-kind",
    },
    "ACK": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting Rebooting": "Probing",
        "Attached": "Bound remember:1 configure:reboot",
        "Renewing": "Bound remember:1 configure:renew",
        "Rebinding": "Bound remember:1 configure:rebind",
    },
    "NAK": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting Rebooting": "Selecting note:nak DISCOVER",
        "Attached Renewing Rebinding": "Selecting deconfigure:nak remember:0 note:nak DISCOVER",
    },
    "FORCERENEW": dropped("other-kind"),
    "BOOTP reply": dropped("other-kind"),
    "ACK ten days late": {
        "Stopped LinkDown": ". drop:not-awaited",
        "Init Backoff V6Only": "Selecting DISCOVER drop:other-xid",
        "Selecting": ". DISCOVER drop:other-kind",
        "Requesting": ". REQUEST drop:lease-over",
        "InitReboot": "Rebooting REQUEST drop:other-xid",
        "Rebooting": "Selecting note:reboot-silence DISCOVER drop:other-xid",
        "Attached Bound Renewing Rebinding": "Selecting deconfigure:expire remember:0 note:expired DISCOVER drop:other-xid",
        "Probing": "Selecting note:expired DISCOVER drop:other-xid",
    },
    "ACK with other xid": dropped("other-xid"),
    "ACK with other chaddr": dropped("other-hardware"),
    "ACK with other client identifier": dropped("other-client-id"),
    "ACK by no server": dropped("other-kind", "no-server-identifier"),
    "ACK by other server": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting": ". drop:other-server",
        "Rebooting": "Probing",
        "Attached": "Bound remember:1 configure:reboot",
        "Renewing": "Bound remember:1 configure:renew",
        "Rebinding": "Bound remember:1 configure:rebind",
    },
    "NAK by other server": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting Renewing": ". drop:other-server",
        "Rebooting": "Selecting note:nak DISCOVER",
        "Attached Rebinding": "Selecting deconfigure:nak remember:0 note:nak DISCOVER",
    },
    "ACK for other address": dropped("other-kind", "other-address"),
    "ACK for no address": dropped("other-kind", "bad-address"),
    "ACK without lease time": dropped("other-kind", "no-lease-time"),
    "ACK for a second": dropped("other-kind", "short-lease-time"),
    "own request come back": dropped("not-a-reply"),
    "garbage": dropped("malformed-truncated-message"),
    "OFFER of IPv6 only": NOT_AWAITED
    | {
        "Selecting": "V6Only note:ipv6-only",
        "Requesting Rebooting Attached Renewing Rebinding": ". drop:other-kind",
    },
    "ACK of IPv6 only": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting": "Probing",
        "Rebooting": "V6Only note:ipv6-only",
        "Attached": "V6Only deconfigure:ipv6-only note:ipv6-only",
        "Renewing": "Bound remember:1 configure:renew",
        "Rebinding": "Bound remember:1 configure:rebind",
    },
    "the gateway answers": {ALL: "."},
    "woken": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Attached Probing Backoff V6Only": ".",
        "Bound Renewing Rebinding": "Attached REQUEST probe",
    },
    "wall clock set": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": ".",
        "Bound Renewing Rebinding": ". remember:1",
        # Its lease was remembered, and is over by the new clock.
        "Attached": "Selecting deconfigure:expire remember:0 note:expired DISCOVER",
    },
    "ARP by other host for the address": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Backoff V6Only": ".",
        "Attached Bound Renewing Rebinding": ". announce note:defended",
        "Probing": "Backoff DECLINE note:conflict",
    },
    "probe by other host for the address": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Backoff V6Only": ".",
        "Attached Bound Renewing Rebinding": ".",
        "Probing": "Backoff DECLINE note:conflict",
    },
    "own ARP come back": {ALL: "."},
    "ARP about something else": {ALL: "."},
    "link down": {
        "Stopped LinkDown": ".",
        "Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": "LinkDown",
        "Attached Bound Renewing Rebinding": "LinkDown deconfigure:link-down",
    },
    "link up": {
        "Stopped Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": ".",
        "Attached Bound Renewing Rebinding": ".",
        "LinkDown": "Rebooting REQUEST",
    },
    "START": {
        "Stopped": "Rebooting REQUEST",
        "LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": ".",
        "Attached Bound Renewing Rebinding": ".",
    },
    "RENEW": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": ". note:nothing-to-renew",
        "Attached Renewing Rebinding": ". REQUEST",
        "Bound": "Renewing REQUEST",
    },
    "RELEASE": {
        "Stopped": ". remember:0 note:not-released finished",
        "LinkDown InitReboot Rebooting": "Stopped remember:0 note:not-released finished",
        "Init Selecting Requesting Backoff V6Only": "Stopped finished",
        "Attached Bound Renewing Rebinding": "Stopped remember:0 RELEASE deconfigure:release finished",
        "Probing": "Stopped note:not-released finished",
    },
    "STOP": {
        "Stopped": ". finished",
        "LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff V6Only": "Stopped finished",
        "Attached Bound Renewing Rebinding": "Stopped deconfigure:stop finished",
    },
}

STATES: dict[str, type[State]] = {kind.__name__: kind for kind in get_args(State)}
PAIRS = [(state, event) for event in TABLE for row in TABLE[event] for state in row.split()]


def test_no_pair_is_missing_and_none_stands_twice() -> None:
    assert sorted(PAIRS) == sorted((state, event) for state in STATES for event in EVENTS)


def test_every_kind_of_event_command_and_drop_is_in_the_table() -> None:
    assert set(COVERED) == set(get_args(Event))
    assert set(COVERED.values()) <= set(EVENTS)
    assert {command.name for command in Command} <= set(EVENTS)
    said = {word.removeprefix("drop:") for row in TABLE.values() for cell in row.values() for word in cell.split()[1:]}
    assert set(Drop) <= said


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_pair(state: str, event: str) -> None:
    cell = next(cell for row, cell in TABLE[event].items() if state in row.split())
    rig = reach(STATES[state])
    assert type(rig.state) is STATES[state]
    dropped_before = sum(rig.client.dropped.values())
    effects = names(EVENTS[event](rig))
    drops = [f"drop:{name}" for name in rig.client.dropped][dropped_before:]
    now_in = type(rig.state).__name__
    assert " ".join(["." if now_in == state else now_in, *effects, *drops]) == cell
