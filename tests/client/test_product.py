"""The whole product of states and events: what each pair does, in one table, and none may be missing."""

from collections.abc import Callable
from typing import get_args

import pytest

from relet.client.accept import Drop
from relet.client.states import State
from relet.model.effects import Effect
from relet.model.events import ArpSeen, Arrival, Command, Event, LinkChanged, Wake
from relet.wire import arp
from relet.wire.options import MessageType
from support.client_rig import ADDRESS, CLIENT_ID, MAC, OTHER_ADDRESS, OTHER_MAC, OTHER_SERVER, Rig, names, reach

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
}

ALL = "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff Bound Renewing Rebinding"
DEAF = "Stopped LinkDown Init InitReboot Probing Backoff Bound"
NOT_AWAITED = {DEAF: ". drop:not-awaited"}


def dropped(selecting: str, others: str | None = None) -> dict[str, str]:
    """No state takes it; SELECTING may have another ground than the states that await an ACK."""
    return NOT_AWAITED | {
        "Selecting": f". drop:{selecting}",
        "Requesting Rebooting Renewing Rebinding": f". drop:{others or selecting}",
    }


# Event -> states -> 'next-state effects drop:reason'; '.' is the same state. The dice show 0.5, so no start is delayed
# by more than half a second; what follows from a deadline of zero comes in the same breath.
TABLE: dict[str, dict[str, str]] = {
    "wake too early": {ALL: "."},
    "deadline": {
        "Stopped LinkDown": ".",
        "Init": "Selecting DISCOVER",
        "Selecting": ". DISCOVER",
        "Requesting": ". REQUEST",
        "InitReboot": "Rebooting REQUEST",
        "Rebooting": ". REQUEST",
        "Probing": ". probe",
        "Backoff": "Selecting DISCOVER",
        "Bound": "Renewing REQUEST",
        "Renewing Rebinding": ". REQUEST",
    },
    "ten days late": {
        "Stopped LinkDown": ".",
        "Init": "Selecting DISCOVER",
        "Selecting": ". DISCOVER",
        "Requesting": ". REQUEST",
        "InitReboot": "Rebooting REQUEST",
        "Rebooting": "Selecting note:reboot-silence DISCOVER",
        "Probing": "Selecting note:expired DISCOVER",
        "Backoff": "Selecting DISCOVER",
        "Bound Renewing Rebinding": "Selecting deconfigure:expire note:expired DISCOVER",
    },
    "OFFER": NOT_AWAITED
    | {
        "Selecting": "Requesting REQUEST",
        "Requesting Rebooting Renewing Rebinding": ". drop:other-kind",
    },
    "ACK": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting Rebooting": "Probing",
        "Renewing": "Bound configure:renew",
        "Rebinding": "Bound configure:rebind",
    },
    "NAK": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting": "Selecting note:nak DISCOVER",
        "Rebooting": "Selecting forget:nak note:nak DISCOVER",
        "Renewing Rebinding": "Selecting deconfigure:nak note:nak DISCOVER",
    },
    "FORCERENEW": dropped("other-kind"),
    "BOOTP reply": dropped("other-kind"),
    "ACK ten days late": {
        "Stopped LinkDown": ". drop:not-awaited",
        "Init": "Selecting DISCOVER drop:other-xid",
        "Selecting": ". DISCOVER drop:other-kind",
        "Requesting": ". REQUEST drop:lease-over",
        "InitReboot": "Rebooting REQUEST drop:other-xid",
        "Rebooting": "Selecting note:reboot-silence DISCOVER drop:other-xid",
        "Probing": "Selecting note:expired DISCOVER drop:other-xid",
        "Backoff": "Selecting DISCOVER drop:other-xid",
        "Bound Renewing Rebinding": "Selecting deconfigure:expire note:expired DISCOVER drop:other-xid",
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
        "Renewing": "Bound configure:renew",
        "Rebinding": "Bound configure:rebind",
    },
    "NAK by other server": NOT_AWAITED
    | {
        "Selecting": ". drop:other-kind",
        "Requesting": ". drop:other-server",
        "Rebooting": "Selecting forget:nak note:nak DISCOVER",
        "Renewing Rebinding": "Selecting deconfigure:nak note:nak DISCOVER",
    },
    "ACK for other address": dropped("other-kind", "other-address"),
    "ACK for no address": dropped("other-kind", "bad-address"),
    "ACK without lease time": dropped("other-kind", "no-lease-time"),
    "ACK for a second": dropped("other-kind", "short-lease-time"),
    "own request come back": dropped("not-a-reply"),
    "garbage": dropped("malformed-truncated-message"),
    "ARP by other host for the address": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Backoff": ".",
        "Probing": "Backoff DECLINE note:conflict",
        "Bound Renewing Rebinding": ". announce note:defended",
    },
    "probe by other host for the address": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Backoff": ".",
        "Probing": "Backoff DECLINE note:conflict",
        "Bound Renewing Rebinding": ".",
    },
    "own ARP come back": {ALL: "."},
    "ARP about something else": {ALL: "."},
    "link down": {
        "Stopped LinkDown": ".",
        "Init Selecting Requesting InitReboot Rebooting Probing Backoff": "LinkDown",
        "Bound Renewing Rebinding": "LinkDown deconfigure:link-down:keep",
    },
    "link up": {
        "LinkDown": "Rebooting REQUEST",
        "Stopped Init Selecting Requesting InitReboot Rebooting Probing Backoff Bound Renewing Rebinding": ".",
    },
    "START": {
        "Stopped": "Rebooting REQUEST",
        "LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff Bound Renewing Rebinding": ".",
    },
    "RENEW": {
        "Stopped LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff": ". note:nothing-to-renew",
        "Bound": "Renewing REQUEST",
        "Renewing Rebinding": ". REQUEST",
    },
    "RELEASE": {
        "Stopped": ". forget:release note:not-released finished",
        "LinkDown InitReboot Rebooting": "Stopped forget:release note:not-released finished",
        "Init Selecting Requesting Backoff": "Stopped finished",
        "Probing": "Stopped note:not-released finished",
        "Bound Renewing Rebinding": "Stopped RELEASE deconfigure:release finished",
    },
    "STOP": {
        "Stopped": ". finished",
        "LinkDown Init Selecting Requesting InitReboot Rebooting Probing Backoff": "Stopped finished",
        "Bound Renewing Rebinding": "Stopped deconfigure:stop:keep finished",
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
