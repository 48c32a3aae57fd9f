"""A fleet in virtual time: against the real engine, and against servers that are wrong on purpose."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from relet.lab.storm import wrong
from relet.lab.storm.cast import Share, Wanted, cast
from relet.lab.storm.curves import Curve
from relet.lab.storm.fleet import ATTEMPTS, Fleet, Manner, part_of, salt
from relet.lab.storm.models import MODELS, USUAL
from relet.wire.message import Message, decode
from relet.wire.options import CLIENT_IDENTIFIER, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType
from support.storms import FIRST, LEASE_S, RELAY, WALL, Relet, Server, answer, new, scripted, storm, with_leases

OFFER, ACK, NAK = int(MessageType.OFFER), int(MessageType.ACK), int(MessageType.NAK)


def test_all_get_an_address_of_their_own() -> None:
    got = storm(replace(new(500), models=dict(USUAL)), Relet(), Wanted(allocate=1))
    report = got.report
    assert (report.good, report.bound, report.wrong) == (True, 500, {})
    assert report.sent == {"DISCOVER": 500, "SELECTING": 500}
    assert report.answers == {"OFFER": 500, "ACK": 500}
    assert len(set(got.memory.addresses)) == 500
    assert all(address >= FIRST for address in got.memory.addresses)
    assert {round(until - WALL - LEASE_S) for until in got.memory.expires} == {0}


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gets_a_lease_and_has_it_confirmed(model: str) -> None:
    server = Relet()
    memory = with_leases(20, server, models=model)
    again = storm(memory, server, Wanted(reboot=1)).report
    assert (again.good, again.kept) == (True, 20)
    assert again.sent == ({"INIT-REBOOT": 20} if MODELS[model].remembers else {"DISCOVER": 20, "SELECTING": 20})


@pytest.mark.parametrize(("wanted", "sent"), [(Wanted(reboot=1), "INIT-REBOOT"), (Wanted(renew=1), "RENEWING")])
def test_remembered_leases_are_confirmed(wanted: Wanted, sent: str) -> None:
    server = Relet()
    memory = with_leases(300, server)
    report = storm(memory, server, wanted).report
    assert (report.good, report.kept, report.sent) == (True, 300, {sent: 300})
    assert report.remembered["valid"].ack == 300


def test_mixed_is_some_of_each() -> None:
    server = Relet()
    memory = with_leases(1000, server)
    sent = storm(memory, server, Wanted(allocate=1, reboot=6, renew=3)).report.sent
    assert sum(sent.values()) == 1000 + sent["DISCOVER"]
    assert abs(sent["INIT-REBOOT"] - 600) < 80
    assert abs(sent["RENEWING"] - 300) < 70
    assert abs(sent["DISCOVER"] - 100) < 50


def test_shares_are_met_as_they_should_be() -> None:
    server = Relet()
    memory = with_leases(1000, server)
    got = storm(memory, server, Wanted(reboot=1, foreign=0.05, taken=0.02, expired=0.03))
    met = got.report.remembered
    assert got.report.good
    assert {name: (each.clients, each.ack, each.nak, each.silence) for name, each in met.items()} == {
        "valid": (900, 900, 0, 0),
        "foreign": (50, 0, 50, 0),
        "taken": (20, 0, 20, 0),
        "expired": (30, 0, 0, 30),  # strangers, about whom relet does not know and therefore keeps silent
    }
    assert got.report.kept == 970


def test_a_stranger_is_no_client_of_the_fleet_and_its_lease_is_not_remembered() -> None:
    server = Relet()
    memory = with_leases(100, server)
    got = storm(memory, server, Wanted(reboot=1, expired=0.1))
    strangers = [client for client, share in enumerate(got.cast.shares) if share == Share.EXPIRED]
    assert len(strangers) == 10
    assert not {got.cast.asked[client] for client in strangers} & set(memory.addresses)
    assert list(got.memory.addresses) == list(memory.addresses)


def test_leases_that_are_over_by_the_file_are_expired_whatever_is_wanted() -> None:
    memory = with_leases(50, Relet())
    memory = replace(memory, expires=type(memory.expires)("I", [int(WALL) - 1] * 10 + [int(WALL) + 1000] * 40))
    shares = Counter(cast(memory, Wanted(reboot=1, expired=0.3), WALL, 1).shares)
    assert shares == {Share.EXPIRED: 15, Share.VALID: 35}


def test_the_same_seed_is_the_same_storm() -> None:
    first, second = (
        storm(with_leases(200, server), server, Wanted(reboot=1, foreign=0.1)) for server in (Relet(), Relet())
    )
    assert first.report == second.report
    other = with_leases(200, server := Relet(), seed=2)
    assert storm(other, server, Wanted(reboot=1, foreign=0.1)).cast.asked != first.cast.asked


@pytest.mark.parametrize("processes", [2, 3])
def test_a_fleet_in_parts_is_the_same_fleet(processes: int) -> None:
    """Each part hears all answers, as on a link, and passes over those of the others."""
    server = Relet()
    got = storm(new(300), server, Wanted(allocate=1), processes=processes)
    assert (got.report.good, got.report.bound) == (True, 300)
    again = storm(got.memory, server, Wanted(reboot=1), processes=processes).report
    assert (again.good, again.kept, again.sent) == (True, 300, {"INIT-REBOOT": 300})


def test_the_kernel_and_the_fleet_agree_whose_an_answer_is() -> None:
    actors = cast(new(40), Wanted(allocate=1), WALL, 1)
    for first in range(3):
        fleet = Fleet(actors, Manner(), 7, WALL, (RELAY,), first, 3)
        (payloads,) = fleet.speak(0.0, 100)
        assert payloads
        assert {part_of(decode(octets).xid, salt(7), 3) for octets in payloads} == {first}


def bare(rule: Callable[[Message], bytes | None]) -> Server:
    """Answers DISCOVER with an address of the client's own, and requests by the rule."""

    def both(request: Message) -> bytes | None:
        return answer(request, OFFER, own(request)) if request.kind == MessageType.DISCOVER else rule(request)

    return scripted(both)


def own(request: Message) -> int:
    return FIRST + int.from_bytes(request.chaddr[2:]) % 1000


def asked(request: Message) -> int:
    return request.ip(REQUESTED_ADDRESS.code) or request.ciaddr


GOOD = bare(lambda request: answer(request, ACK, asked(request)))
REFUSING = bare(
    lambda request: answer(request, ACK if SERVER_IDENTIFIER.code in request.options else NAK, asked(request))
)
"""Grants what it offered itself, and nothing else."""

WRONG_SERVERS: list[tuple[str, Wanted, Server]] = [
    (wrong.TWO_CLIENTS, Wanted(allocate=1), scripted(lambda r: answer(r, OFFER if r.kind == 1 else ACK, FIRST))),
    (wrong.OTHER_ADDRESS, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r) ^ 0x8000))),
    (wrong.OTHER_ADDRESS, Wanted(renew=1), bare(lambda r: answer(r, ACK, asked(r) ^ 0x8000))),
    (wrong.FOREIGN, Wanted(reboot=1, foreign=1.0), GOOD),
    (wrong.TAKEN, Wanted(reboot=1, taken=0.5), GOOD),
    (wrong.NAK_WITHOUT_RIGHT, Wanted(reboot=1), REFUSING),
    (wrong.NAK_WITHOUT_RIGHT, Wanted(renew=1), REFUSING),
    (wrong.NOBODY, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), xid=r.xid ^ 0x55555555))),
    (wrong.OTHER_HARDWARE, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), chaddr=r.chaddr[::-1]))),
    (wrong.NO_RELAY_INFORMATION, Wanted(reboot=1), bare(lambda r: answer(replace(r, options={}), ACK, asked(r)))),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r))[:200])),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), op=1))),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, 0))),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), options={53: b"\5", 51: bytes(4)}))),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), options={53: b"\5", 54: b"\1\2\3\4"}))),
    (wrong.MALFORMED, Wanted(reboot=1), bare(lambda r: answer(r, ACK, asked(r), options={54: b"\1\2\3\4"}))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "server"), WRONG_SERVERS, ids=[name for name, *_ in WRONG_SERVERS])
def test_wrong_answers_are_told_by_name(name: str, wanted: Wanted, server: Server) -> None:
    memory = with_leases(40, GOOD, circuits=4)
    report = storm(memory, server, wanted, limit_s=5.0).report
    assert set(report.wrong) == {name} | ({wrong.TWO_CLIENTS} if name == wrong.TAKEN else set())
    assert report.wrong[name].count >= 19
    assert 0 < len(report.wrong[name].examples) <= wrong.MOST_EXAMPLES
    assert not report.good


def test_every_wrong_answer_has_its_test() -> None:
    assert {name for name, *_ in WRONG_SERVERS} == set(wrong.WRONG)


def test_a_lease_that_is_over_may_be_granted_to_another() -> None:
    """One address for all, but each lease is over when the next client asks."""
    memory = new(5)

    def rule(request: Message) -> bytes:
        kind = OFFER if request.kind == 1 else ACK
        options = {53: bytes((kind,)), 54: b"\1\2\3\4", 51: (1).to_bytes(4)}
        return answer(request, kind, FIRST, options=options)

    manner = Manner(window=1)
    slow = scripted(rule)
    quick = storm(memory, slow, Wanted(allocate=1), manner).report
    assert quick.wrong[wrong.TWO_CLIENTS].count == 4
    late = storm(memory, _later(slow, 3.0), Wanted(allocate=1), Manner(window=1, patience_s=4.0)).report
    assert late.good


def _later(server: Server, wait_s: float) -> Server:
    """Answers only what is asked again, so that some seconds lie between two clients."""

    def late(payloads: Sequence[bytes], now: float) -> list[bytes]:
        return server([octets for octets in payloads if decode(octets).secs >= wait_s], now)

    return late


def test_an_answer_that_came_twice_is_surplus_and_one_that_contradicts_is_wrong() -> None:
    memory = with_leases(10, GOOD)
    twice = storm(memory, lambda payloads, now: GOOD(payloads, now) * 2, Wanted(reboot=1)).report
    assert (twice.good, twice.bound) == (True, 10)

    def contradicting(payloads: Sequence[bytes], now: float) -> list[bytes]:
        return GOOD(payloads, now) + [answer(decode(octets), NAK, 0) for octets in payloads]

    report = storm(memory, contradicting, Wanted(reboot=1)).report
    assert report.wrong[wrong.NAK_WITHOUT_RIGHT].count == 10


def test_a_nak_is_judged_only_if_its_server_granted_the_lease() -> None:
    memory = with_leases(10, GOOD)
    other = replace(memory, servers=type(memory.servers)("I", [9] * 10))
    assert storm(memory, REFUSING, Wanted(reboot=1)).report.wrong[wrong.NAK_WITHOUT_RIGHT].count == 10
    assert storm(other, REFUSING, Wanted(reboot=1)).report.good


def test_a_lease_that_was_refused_is_not_remembered_and_one_that_met_silence_is() -> None:
    memory = with_leases(10, GOOD)

    def refusing(request: Message) -> bytes | None:
        return answer(request, NAK, 0) if request.kind == MessageType.REQUEST else None

    assert not any(storm(memory, scripted(refusing), Wanted(reboot=1), limit_s=5.0).memory.addresses)
    assert storm(memory, scripted(lambda _: None), Wanted(reboot=1), limit_s=20.0).memory == memory
    assert storm(memory, scripted(refusing), Wanted(reboot=1, foreign=1.0), limit_s=5.0).memory == memory


def test_a_fleet_is_behind_when_its_requests_are() -> None:
    fleet = Fleet(cast(new(10), Wanted(allocate=1), WALL, 1), Manner(Curve.STEADY, 1.0), 1, WALL, (RELAY,))
    for now in (1.0, 5.0):
        fleet.speak(now, 5)
    assert fleet.tally.behind_s == pytest.approx(5.0 - 0.55)


def test_if_all_remember_anothers_address_it_is_each_others() -> None:
    memory = with_leases(20, GOOD)
    actors = cast(memory, Wanted(reboot=1, taken=1.0), WALL, 1)
    assert set(actors.shares) == {Share.TAKEN}
    assert sorted(actors.asked) == sorted(memory.addresses)
    assert all(one != other for one, other in zip(actors.asked, memory.addresses, strict=True))


def test_who_is_refused_without_end_gives_up() -> None:
    report = storm(new(3), bare(lambda r: answer(r, NAK, 0)), Wanted(allocate=1)).report
    assert (report.failed, report.bound, report.good, report.end) == (3, 0, False, "done")


def sendings(manner: Manner, wanted: Wanted, clients: int, seconds: float) -> dict[bytes, list[tuple[float, str]]]:
    """When each client sends what, if nobody ever answers."""
    memory = with_leases(clients, GOOD)
    sent: dict[bytes, list[tuple[float, str]]] = {}

    def silence(payloads: Sequence[bytes], now: float) -> list[bytes]:
        for octets in payloads:
            message = decode(octets)
            named = "REQUEST" if message.kind == MessageType.REQUEST else "DISCOVER"
            sent.setdefault(message.chaddr, []).append((now, named))
        return []

    storm(memory, silence, wanted, manner, limit_s=seconds)
    return sent


def test_retransmissions_are_those_of_the_rfc() -> None:
    """RFC 2131 s4.1: 4, 8, 16, 32, 64 s, then 64 again, give or take a second."""
    sent = sendings(Manner(), Wanted(allocate=1), 200, 280.0)
    assert len(sent) == 200
    first = []
    for times in sent.values():
        waits = [later - earlier for (earlier, _), (later, _) in pairwise(times)]
        assert len(waits) >= 6
        for wait, meant in zip(waits, (4, 8, 16, 32, 64, 64, 64), strict=False):
            assert meant - 1 <= wait <= meant + 1.05
        first.append(waits[0])
    assert min(first) < 3.2
    assert max(first) > 4.8
    assert abs(sum(first) / len(first) - 4) < 0.2


def test_a_rebooting_client_gives_up_its_old_address_in_time() -> None:
    sent = sendings(Manner(), Wanted(reboot=1), 100, 60.0)
    for times in sent.values():
        kinds = [kind for _, kind in times]
        assert kinds[:2] == ["REQUEST", "REQUEST"]
        assert set(kinds[2:]) == {"DISCOVER"}
        assert 10.0 <= times[2][0] - times[0][0] <= 10.05


def test_each_attempt_has_a_transaction_of_its_own_and_answers_to_an_old_one_are_late() -> None:
    memory = with_leases(20, GOOD)
    held: list[bytes] = []

    def slow(payloads: Sequence[bytes], now: float) -> list[bytes]:
        """Keeps back what is asked first, and gives it out as soon as the clients ask something else."""
        kinds = {decode(octets).kind for octets in payloads}
        if kinds == {int(MessageType.REQUEST)} and now < 9:
            held.extend(payloads)
            return []
        return GOOD([*held, *payloads], now) if now < 12 else GOOD(payloads, now)

    report = storm(memory, slow, Wanted(reboot=1)).report
    assert report.good
    assert report.late >= 20
    assert ATTEMPTS > 4


def test_a_window_holds_the_others_back() -> None:
    actors = cast(new(100), Wanted(allocate=1), WALL, 1)
    fleet = Fleet(actors, Manner(window=10), 1, WALL, (RELAY,))
    (payloads,) = fleet.speak(0.0, 1000)
    assert len(payloads) == 10
    assert fleet.deadline(0.0) is not None
    fleet.hear(GOOD(payloads, 0.0), 0.1)
    fleet.hear(GOOD(fleet.speak(0.1, 1000)[0], 0.1), 0.2)
    assert len(fleet.speak(0.2, 1000)[0]) == 10


def test_a_window_is_of_all_processes_together() -> None:
    actors = cast(new(100), Wanted(allocate=1), WALL, 1)
    fleets = [Fleet(actors, Manner(window=11), 1, WALL, (RELAY,), first, 3) for first in range(3)]
    assert [len(fleet.speak(0.0, 1000)[0]) for fleet in fleets] == [4, 4, 3]


def test_on_a_link_each_answer_is_counted_once_and_those_to_strangers_are_not() -> None:
    """Each process hears all answers."""
    server = Relet()
    stranger = answer(Message(op=1, xid=7, chaddr=b"\x52\x54\0\0\0\1"), ACK, FIRST)
    nobody = answer(Message(op=1, xid=7, chaddr=b"\2\1\0\0\0\1"), ACK, FIRST)

    def link(payloads: Sequence[bytes], now: float) -> list[bytes]:
        return [*server(payloads, now), *([stranger, stranger[:240], nobody, nobody[:240]] if now == 0 else [])]

    report = storm(new(20), link, Wanted(allocate=1), Manner(alone=False), processes=3).report
    assert report.answers == {"OFFER": 20, "ACK": 21}
    assert sum(report.timeline.answers) == 20 + 20 + 2
    assert {name: each.count for name, each in report.wrong.items()} == {wrong.NOBODY: 1, wrong.MALFORMED: 1}


def test_secs_tell_how_long_a_client_waits() -> None:
    """RFC 2131 s2, table 1."""
    actors = cast(new(5), Wanted(allocate=1), WALL, 1)
    fleet = Fleet(actors, Manner(), 1, WALL, (RELAY,))
    assert {decode(octets).secs for octets in fleet.speak(1.0, 10)[0]} == {0}
    assert {decode(octets).secs for octets in fleet.speak(6.5, 10)[0]} == {5}


def test_circuits_come_from_the_relay_and_answers_bring_them_back() -> None:
    server = Relet()
    memory = with_leases(64, server, circuits=8)
    seen = Counter[bytes]()

    def watching(payloads: Sequence[bytes], now: float) -> list[bytes]:
        seen.update(decode(octets).options[82] for octets in payloads)
        return server(payloads, now)

    assert storm(memory, watching, Wanted(reboot=1)).report.good
    assert len(seen) == 8
    assert set(seen.values()) == {8}


def test_a_client_is_the_same_in_every_message() -> None:
    """RFC 2131 s2: who sends a client identifier once sends that same one in every later message."""
    seen: dict[bytes, set[bytes]] = {}
    server = Relet()

    def watching(payloads: Sequence[bytes], now: float) -> list[bytes]:
        for octets in payloads:
            message = decode(octets)
            seen.setdefault(message.chaddr, set()).add(message.options.get(CLIENT_IDENTIFIER.code, b""))
        return server(payloads, now)

    memory = storm(replace(new(60), models=dict.fromkeys(MODELS, 1)), watching, Wanted(allocate=1)).memory
    assert storm(memory, watching, Wanted(reboot=1)).report.good
    assert len(seen) == 60
    assert all(len(identifiers) == 1 for identifiers in seen.values())
