"""A short run of mutated answers to a client in all of its states, and that harm of each kind would be noticed."""

from collections import Counter
from collections.abc import Callable
from typing import get_args

import pytest
from msgspec.structs import replace

from fuzz.datagrams import Finding, fuzz
from relet.client import accept
from relet.client.holding import Holding
from relet.client.states import State
from relet.model.clock import Now
from relet.model.effects import Binding, Effect
from relet.run import errands, leaseformat, plan, resolvfile, variables

RUNS = 12_000


def harm(runs: int = RUNS) -> str:
    """What the first finding says."""
    found = fuzz(runs, seed=1, of="client")
    assert isinstance(found, Finding)
    assert fuzz(1, seed=1, first=found.story, of="client") == found
    return found.trace


def test_no_answer_does_harm() -> None:
    found = fuzz(RUNS, seed=5, of="client")
    assert isinstance(found, Counter), found.trace
    for state in get_args(State):
        assert found[f"{state.__name__} drops"]
    for name in ("Selecting", "Requesting", "Rebooting", "Attached", "Renewing", "Rebinding"):
        assert found[f"{name} takes"]
    for cause in ("bound", "reboot", "renew", "rebind", "remembered", "network"):
        assert found[f"configures {cause}"]
    assert found["road of a lease"] > 100
    for part in ("a refusal", "routes", "nameservers", "search", "hostname", "mtu", "captive_portal"):
        assert found[f"road with {part}"]


BREAK = Callable[[pytest.MonkeyPatch], None]


def _any_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    real = accept._not_for_us
    monkeypatch.setattr(
        accept,
        "_not_for_us",
        lambda reply, wanted, settings: real(replace(reply, chaddr=settings.mac), wanted, settings),
    )


def _any_xid(monkeypatch: pytest.MonkeyPatch) -> None:
    real = accept._not_for_us
    monkeypatch.setattr(
        accept, "_not_for_us", lambda reply, wanted, settings: real(replace(reply, xid=wanted.xid), wanted, settings)
    )


def _any_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accept, "usable", lambda _: True)


def _kept_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def expire(holding: Holding, binding: Binding, now: Now) -> list[Effect]:
        return real(holding, binding, now)[1:]

    real = Holding._expire
    monkeypatch.setattr(Holding, "_expire", expire)


def _no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relet.client.states.LinkDown.deadline", lambda _: 0.0)


def _any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "is_host_name", lambda _: True)


def _any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "printable", lambda text: text)


def _any_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variables, "is_plain", lambda _: True)


def _any_router(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "is_neighbour", lambda *_: True)


def _no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_ROUTES", 1000)


def _a_line_more(monkeypatch: pytest.MonkeyPatch) -> None:
    real = resolvfile.content
    monkeypatch.setattr("fuzz.road.content", lambda all_said: real(all_said) + "options debug\n")


def _less_than_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "MAX_SEARCH", 0)


def _lost_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaseformat, "parse_hex", lambda text: bytes.fromhex(text.replace(":", ""))[:20])


BREAKS: dict[str, tuple[BREAK, str]] = {
    "an answer to another hardware address is taken": (_any_hardware, "nobody gave the address"),
    "an answer to another question is taken": (_any_xid, "nobody gave the address"),
    "an address of no host is taken": (_any_address, "in remember"),
    "an address stays after its lease": (_kept_address, "on the interface"),
    "it is never content": (_no_end, "is never content"),
    "anything is a name": (_any_name, "check_plan"),
    "text moves a terminal": (_any_text, "_check_variables"),
    "scripts are given what a shell runs": (_any_character, "_check_variables"),
    "anything is a router": (_any_router, "_check_plan"),
    "routes have no bound": (_no_bound, "_check_plan"),
    "resolv.conf has another line": (_a_line_more, "options debug"),
    "the process with the rights refuses what is planned": (_less_than_planned, "no domain or host has that name"),
    "the lease file loses octets": (_lost_octets, "remember"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_harm_is_found(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    undo, words = BREAKS[what]
    undo(monkeypatch)
    assert words in harm()
