"""Who asks a client to extend or release its lease hears how that ended, whatever came of it."""

from collections.abc import Callable

import pytest

from relet.client.states import Bound, Selecting
from relet.model.effects import Configure, Deconfigure, Effect
from relet.model.events import Command, Event
from relet.run.control import Later
from relet.run.desk import MAX_WAITING, Desk
from relet.run.report import NO_INTERFACE, Result
from relet.run.told import configured, deconfigured
from relet.wire.options import MessageType
from support.client_rig import Rig, reach


class Asked:
    """A desk of a client on the bench, and who asked there. server_told: can a DHCPRELEASE be sent?"""

    def __init__(self, rig: Rig, server_told: bool = True) -> None:
        self.rig, self._server_told = rig, server_told
        self.answers: list[object] = []
        self.desk = Desk("eth0", self.feed)
        self.desk.attend(rig.client)

    def ask(self, what: str) -> None:
        later = self.desk.answer({"do": what})
        assert isinstance(later, Later)
        later.to(self.answers.append)

    def feed(self, event: Event) -> None:
        """As run/acquire.py would."""
        self.tell(lambda: self.rig.feed(event))

    def tell(self, act: Callable[[], list[Effect]]) -> None:
        for effect in act():
            if isinstance(effect, Configure):
                self.desk.told(configured(effect, "eth0", self.rig.now.wall))
            elif isinstance(effect, Deconfigure):
                told = effect.cause != "release" or self._server_told
                self.desk.told(deconfigured(effect, "eth0", self.rig.now.wall, told))

    @property
    def answer(self) -> Result:
        (answer,) = self.answers
        assert isinstance(answer, Result)
        return answer


def test_a_renewal_ends_with_the_extension() -> None:
    asked = Asked(reach(Bound))
    asked.ask("renew")
    assert asked.answers == []
    asked.rig.later(1)
    asked.tell(lambda: asked.rig.answer(MessageType.ACK))
    assert (asked.answer.outcome, asked.answer.cause) == ("bound", "renew")
    assert asked.answer.lease is not None
    assert asked.answer.lease.address == "192.168.1.100"
    assert asked.answer.lease.granted == asked.rig.now.wall - 1


def test_a_renewal_that_is_refused_ends_too() -> None:
    asked = Asked(reach(Bound))
    asked.ask("renew")
    asked.tell(lambda: asked.rig.answer(MessageType.NAK))
    assert (asked.answer.outcome, asked.answer.cause, asked.answer.lease) == ("none", "nak", None)
    assert asked.answer.text == "192.168.1.100 taken away: the server says no"


def test_a_renewal_ends_with_the_client() -> None:
    asked = Asked(reach(Bound))
    asked.ask("renew")
    asked.feed(Command.STOP)
    assert (asked.answer.outcome, asked.answer.cause) == ("none", "stop")


@pytest.mark.parametrize(("server_told", "outcome"), [(True, "released"), (False, "none")])
def test_a_release_is_good_if_the_server_was_told(server_told: bool, outcome: str) -> None:
    asked = Asked(reach(Bound), server_told)
    asked.ask("release")
    assert (asked.answer.outcome, asked.answer.cause, asked.answer.lease) == (outcome, "release", None)
    assert asked.answer.text.endswith("released" if server_told else "its server could not be told")


def test_all_who_wait_hear_it_once_but_for_those_that_are_too_many() -> None:
    asked = Asked(reach(Bound))
    for _ in range(MAX_WAITING + 2):
        asked.ask("renew")
    for _ in range(2):
        asked.tell(lambda: asked.rig.answer(MessageType.ACK))
        asked.rig.later(1).feed(Command.RENEW)
    assert len(asked.answers) == MAX_WAITING


@pytest.mark.parametrize(("what", "word"), [("renew", "extend"), ("release", "release")])
def test_without_a_lease_it_is_said_at_once_and_the_client_hears_nothing(what: str, word: str) -> None:
    asked = Asked(reach(Selecting))
    with pytest.raises(ValueError, match=f"there is no lease to {word}; the client is SELECTING"):
        asked.desk.answer({"do": what})
    assert isinstance(asked.rig.state, Selecting)


def test_without_an_interface_there_is_still_an_answer() -> None:
    asked = Asked(reach(Bound))
    asked.desk.attend(None)
    report = asked.desk.report()
    assert (report.state, report.mac, report.lease, report.remembered) == (NO_INTERFACE, "", None, ())
    with pytest.raises(ValueError, match="the client is NO-INTERFACE"):
        asked.desk.answer({"do": "renew"})


@pytest.mark.parametrize("question", [{}, {"do": "stop"}, {"do": ["renew"]}, {"do": 1, "who": "root"}])
def test_what_nobody_can_do_is_said(question: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="there are 'status', 'renew' and 'release'"):
        Asked(reach(Bound)).desk.answer(question)
