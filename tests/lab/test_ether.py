"""Links under virtual time: who hears what and when, what hooks do to frames, and hosts that behave as a kernel's would."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from msgspec.structs import replace

from relet.client.settings import ClientSettings
from relet.client.states import Bound, Selecting
from relet.config.load import quick
from relet.lab.ether import DELAY, MAX_COPIES, NOBODY, Ether, Frame
from relet.lab.hosts import ClientHost, Neighbour, ServerHost, heard_in
from relet.lab.words import words
from relet.model.clock import Now
from relet.model.events import Command
from relet.store.memory import MemoryStore
from relet.wire import arp
from relet.wire.address import BROADCAST_MAC, parse_ip

SERVER = parse_ip("192.168.1.1")
FIRST = parse_ip("192.168.1.100")


class Ear:
    """A host that notes when it hears what, and wakes once at a given time."""

    def __init__(self, name: str, last: int, network: str = "link", at: float | None = None) -> None:
        self.name, self.mac, self.network = name, bytes((2, 0, 0, 0, 0, last)), network
        self.heard: list[tuple[float, bytes]] = []
        self.at = at

    def addresses(self) -> Iterable[int]:
        return ()

    def hear(self, frame: bytes, now: Now) -> list[bytes]:
        self.heard.append((now.mono, frame))
        return []

    def deadline(self) -> float | None:
        return self.at

    def wake(self, now: Now) -> list[bytes]:
        self.at = None
        return [frame_to(BROADCAST_MAC, b"woken at %.1f" % now.mono)]


def frame_to(mac: bytes, text: bytes) -> bytes:
    return mac + bytes(6) + b"\x88\xb5" + text


def ears(*others: Ear) -> tuple[Ether, Ear, list[Ear]]:
    """An ether, a speaker, and those who may hear it."""
    ether, speaker = Ether(), Ear("speaker", 1)
    ether.add(speaker)
    for ear in others:
        ether.add(ear)
    return ether, speaker, list(others)


def office(seed: int = 1, clients: int = 1) -> tuple[Ether, ServerHost, list[ClientHost]]:
    """A server and clients on a link, all switched on."""
    ether = Ether(seed)
    server = ServerHost("server", b"\2\0\0\0\1\1", "link", SERVER, MemoryStore(), ether.resolve)
    server.start(quick("eth0", "192.168.1.100-192.168.1.109", SERVER, 24).networks)
    ether.add(server)
    hosts = []
    for number in range(clients):
        mac = bytes((2, 0, 0, 0, 2, number))
        settings = ClientSettings(mac=mac, interface="eth0")
        client = ClientHost(f"client-{number}", mac, "link", settings, ether.random.random, ether.resolve)
        ether.add(client)
        ether.send(client, client.boot(ether.now))
        hosts.append(client)
    return ether, server, hosts


def labels(ether: Ether) -> list[str]:
    """What is sent from now on, in words."""
    said: list[str] = []
    ether.watchers.append(lambda frame, _: said.append(f"{frame.source} {getattr(words(frame.octets), 'label', '?')}"))
    return said


def test_a_frame_is_heard_by_whom_it_is_for_on_its_network() -> None:
    ether, speaker, (near, other, far) = ears(Ear("near", 2), Ear("other", 3), Ear("far", 4, "elsewhere"))
    everybody, one = frame_to(BROADCAST_MAC, b"all"), frame_to(near.mac, b"you")
    ether.send(speaker, [everybody, one])
    ether.run(1)
    at = 1000 + DELAY
    assert near.heard == [(at, everybody), (at, one)]
    assert other.heard == [(at, everybody)]
    assert (far.heard, speaker.heard) == ([], [])


def test_watchers_are_told_what_nobody_hears() -> None:
    ether, speaker, _ = ears(Ear("near", 2))
    lost: list[bool] = []
    ether.watchers.append(lambda _, nobody: lost.append(nobody))
    ether.send(speaker, [frame_to(BROADCAST_MAC, b""), frame_to(NOBODY, b"")])
    assert lost == [False, True]


def test_two_hosts_of_one_name_or_hardware_address_are_refused() -> None:
    ether, speaker, _ = ears()
    for name, last in ((speaker.name, 9), ("another", 1)):
        with pytest.raises(ValueError, match="another host's name, or its hardware address"):
            ether.add(Ear(name, last))


@pytest.mark.parametrize(
    ("hook", "times"),
    [
        (lambda _: (), []),
        (lambda _: None, [DELAY]),
        (lambda frame: [frame, frame.later(2.0)], [DELAY, 2.0 + DELAY]),
        (lambda frame: [replace(frame, delay=5.0)], [5.0]),
        (lambda frame: [frame] * 100, [DELAY] * MAX_COPIES),
        (lambda frame: [replace(frame, delay=-1.0)], [0.0]),
    ],
    ids=["lost", "looked at", "doubled", "late", "no more than the bound", "never before it was sent"],
)
def test_hooks_say_what_becomes_of_a_frame(hook: object, times: list[float]) -> None:
    ether, speaker, (near,) = ears(Ear("near", 2))
    assert callable(hook)
    ether.hooks.append(hook)
    ether.send(speaker, [frame_to(near.mac, b"")])
    ether.run(10)
    assert [at - 1000 for at, _ in near.heard] == pytest.approx(times)


def test_a_hook_may_put_another_frame_in_its_place() -> None:
    ether, speaker, (near,) = ears(Ear("near", 2))
    ether.hooks.append(lambda frame: [replace(frame, octets=frame.octets + b" indeed")])
    ether.send(speaker, [frame_to(near.mac, b"yes")])
    ether.run(1)
    assert near.heard[0][1].endswith(b"yes indeed")


def test_time_goes_to_what_is_due_and_no_further_than_asked() -> None:
    ether, _, (sleeper,) = ears(Ear("sleeper", 2, at=1007.5))
    ether.run(5)
    assert (ether.now.mono, sleeper.at) == (1005.0, 1007.5)
    assert ether.run(60, lambda: sleeper.at is None)
    assert ether.now == Now(1_700_000_007.5, 1007.5)
    assert not ether.run(60, lambda: False)
    assert ether.now.mono == 1067.5


def test_a_host_that_never_comes_to_rest_is_found_out() -> None:
    class Restless(Ear):
        def wake(self, now: Now) -> list[bytes]:
            self.at = now.mono
            return []

    ether, _, _ = ears(Restless("restless", 2, at=1003.0))
    with pytest.raises(RuntimeError, match="time stands still: restless never come to rest"):
        ether.run(5)
    assert ether.now.mono == 1003.0


def test_a_frame_says_what_it_is_and_carries_another_message() -> None:
    ether, _, (client,) = office()
    frames: list[Frame] = []
    ether.watchers.append(lambda frame, _: frames.append(frame))
    assert ether.run(60, lambda: client.binding is not None)
    offer = next(frame for frame in frames if frame.label == "DHCPOFFER")
    assert offer.message is not None
    changed = offer.carrying(replace(offer.message, xid=1))
    assert changed.message == replace(offer.message, xid=1)
    assert (changed.source, changed.at, changed.octets[:34]) == (offer.source, offer.at, offer.octets[:34])
    probe = next(frame for frame in frames if frame.label == "ARP probe")
    assert probe.message is None
    with pytest.raises(ValueError, match="the frame of client-0 carries no datagram"):
        probe.carrying(offer.message)
    assert Frame(0.0, "a", "link", b"").label == ""


def test_what_happens_at_the_very_end_happens_still() -> None:
    ether, speaker, (near,) = ears(Ear("near", 2))
    ether.send(speaker, [frame_to(near.mac, b"1"), frame_to(near.mac, b"2")])
    ether.run(DELAY)
    assert len(near.heard) == 2


def test_a_host_without_power_hears_nothing_that_was_under_way() -> None:
    ether, _, (client,) = office()
    ether.run(60, lambda: isinstance(getattr(client.machine, "state", None), Selecting))
    client.crash()
    ether.run(60)
    assert (client.machine, client.binding, client.remembered) == (None, None, ())


def test_clients_get_different_addresses_and_a_seed_tells_all() -> None:
    stories = []
    for seed in (3, 3, 4):
        ether, _, clients = office(seed, clients=3)
        said = labels(ether)
        times: list[float] = []
        ether.watchers.append(lambda frame, _, times=times: times.append(frame.at))  # type: ignore[misc]
        assert ether.run(60, lambda clients=clients: all(client.binding for client in clients))  # type: ignore[misc]
        assert {client.binding.address for client in clients if client.binding} == {FIRST, FIRST + 1, FIRST + 2}
        assert all(earlier <= later for earlier, later in pairwise(times))
        stories.append((said, times))
    assert stories[0] == stories[1] != stories[2]


def test_a_client_answers_arp_for_the_address_that_it_has() -> None:
    ether, _, (client,) = office()
    assert ether.run(60, lambda: client.binding is not None)
    assert ether.resolve("link", FIRST) == client.mac
    probe = arp.encode_arp(arp.probe(b"\2\0\0\0\0\1", FIRST))
    assert [heard_in(frame) for frame in client.hear(probe, ether.now)] == [
        arp.Arp(arp.REPLY, client.mac, FIRST, b"\2\0\0\0\0\1", 0)
    ]
    client.crash()
    assert client.hear(probe, ether.now) == []


def test_a_client_renews_by_unicast_and_starts_anew_when_its_server_is_gone_for_good() -> None:
    ether, server, (client,) = office()
    assert ether.run(60, lambda: client.binding is not None)
    said = labels(ether)
    ether.run(0.6 * 8 * 3600)
    assert said[-2:] == ["client-0 DHCPREQUEST", "server DHCPACK"]
    server.stop()
    assert ether.run(9 * 3600, lambda: client.binding is None)
    assert server.verdicts()[-1].reason == "renewed"


def test_a_neighbour_that_has_the_address_keeps_the_client_from_it() -> None:
    ether, _, (client,) = office()
    squatter = Neighbour("squatter", b"\2\0\0\0\3\1", "link", {FIRST})
    ether.add(squatter)
    said = labels(ether)
    assert ether.run(120, lambda: client.binding is not None)
    assert client.binding is not None
    assert client.binding.address == FIRST + 1
    assert {"squatter ARP reply", "client-0 DHCPDECLINE"} <= set(said)


def test_a_server_probes_before_it_offers() -> None:
    ether, server, _ = office(clients=0)
    networks = quick("eth0", "192.168.1.100-192.168.1.109", SERVER, 24).networks
    server.start(tuple(replace(network, probe="arp") for network in networks))
    ether.add(Neighbour("squatter", b"\2\0\0\0\3\1", "link", {FIRST}))
    settings = ClientSettings(mac=b"\2\0\0\0\2\1")
    client = ClientHost("client", settings.mac, "link", settings, ether.random.random, ether.resolve)
    ether.add(client)
    ether.send(client, client.boot(ether.now))
    said = labels(ether)
    assert ether.run(60, lambda: client.binding is not None)
    assert "server ARP request" in said
    assert client.binding is not None
    assert client.binding.address == FIRST + 1
    assert "client DHCPDECLINE" not in said


def test_a_client_that_is_told_to_stop_keeps_what_it_remembers() -> None:
    ether, _, (client,) = office()
    assert ether.run(60, lambda: client.machine is not None and isinstance(client.machine.state, Bound))
    ether.send(client, client.happen(Command.STOP, ether.now))
    assert client.binding is None
    assert client.remembered[0].binding.address == FIRST
    assert [type(state).__name__ for _, state in client.states][-2:] == ["Bound", "Stopped"]


def test_words_for_what_is_not_dhcp() -> None:
    assert words(b"") is None
    assert words(frame_to(BROADCAST_MAC, b"")) is None
    assert words(arp.encode_arp(arp.announcement(b"\2\0\0\0\0\1", FIRST))) is not None
