"""The server in the real world: on a cable in namespaces, among garbage, with a store that fails, and as a command."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import repeat
from pathlib import Path

import pytest
import structlog
from msgspec.structs import replace

from relet.config.load import parse
from relet.errors import StoreError
from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.model.ident import client_key
from relet.model.lease import Change, Committed, Lease, Leases, LeaseState, Loaded
from relet.net import netlink
from relet.net.clock import now
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.net.sockets import BATCH
from relet.run import serve as serving
from relet.run.control import ControlError, ask
from relet.run.serve import Server
from relet.server.told import status as counted
from relet.store.memory import MemoryStore
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text
from relet.wire.frame import ETHERTYPE_ARP, Datagram, encode_datagram
from relet.wire.message import Message, decode, encode
from relet.wire.options import MessageType
from support.lab import RELET, Lab, Process, need
from support.serving import Serve, office
from support.table import SERVER, discover, ip, kind_of, reboot, request, selecting

pytestmark = pytest.mark.namespaces

PATIENCE_S = 20
RELAY = ip(254)


class Town:
    """A server's namespace and a host's, joined by a cable. The host has a client's ear and a relay's UDP socket."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.server, self.host = lab.namespace("server"), lab.namespace("host")
        lab.cable(self.server, "s0", self.host, "c0")
        lab.address(self.server, "s0", "192.168.1.1/24")
        lab.address(self.host, "c0", "192.168.1.254/24")
        with lab.inside(self.host):
            self.client: DhcpFrames = dhcp_frames("c0", CLIENT_PORT)
            self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.relay.bind((ip_text(RELAY), SERVER_PORT))
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.raw.bind(("c0", 0))
        self.mac = self.client.frames.mac

    def close(self) -> None:
        for each in (self.client, self.relay, self.raw):
            each.close()

    def broadcast(self, message: Message) -> None:
        """A client's request on the link."""
        ours = replace(message, chaddr=self.mac)
        assert self.client.send([Send(encode(ours), BROADCAST, SERVER_PORT, 0, "c0", BROADCAST_MAC)]) == 1

    def relayed(self, message: Message) -> None:
        """A request through the relay."""
        self.routed(encode(replace(message, giaddr=RELAY, chaddr=self.mac)))

    def routed(self, payload: bytes) -> None:
        """Any datagram to the server's address and port."""
        self.relay.sendto(payload, (ip_text(SERVER), SERVER_PORT))

    def frame(self, payload: bytes, mac: bytes = BROADCAST_MAC, to: int = BROADCAST, sport: int = CLIENT_PORT) -> bytes:
        return encode_datagram(Datagram(self.mac, mac, ip(77), to, sport, SERVER_PORT, payload))


class Running:
    """A server in this process. Its loop runs while replies are waited for, and no longer."""

    def __init__(
        self, town: Town, store: Leases | None = None, verbose: bool = False, configuration: str | None = None
    ) -> None:
        self.town = town
        text = configuration or office()
        settings = replace(parse(text, "relet.toml", town.lab.folder), store="memory:", control="")
        with town.lab.inside(town.server):
            self.server = Server(settings, store or MemoryStore(), verbose)
        self._heard: list[Message] = []
        self._wanted = 0
        self.server.loop.register(town.client, lambda: self._take([each.payload for each in town.client.receive()]))
        self.server.loop.register(town.relay, lambda: self._take([town.relay.recv(4096)]))
        self.server.loop.on_signal(signal.SIGALRM, self.server.loop.stop)

    def replies(self, number: int = 1) -> list[Message]:
        """The next replies, by relay or on the link."""
        self._wanted = number
        signal.alarm(PATIENCE_S)
        self.server.loop.run()
        signal.alarm(0)
        assert len(self._heard) == number
        heard, self._heard = self._heard, []
        return heard

    def _take(self, payloads: Sequence[bytes]) -> None:
        self._heard += map(decode, payloads)
        if len(self._heard) >= self._wanted:
            self.server.loop.stop()

    def close(self) -> None:
        assert self.server.loop.faults == 0
        assert not self.server.engine.bugs
        self.server.close()


@pytest.fixture
def town() -> Iterator[Town]:
    with Lab() as lab:
        town = Town(lab)
        yield town
        town.close()


Start = Callable[..., Running]


@pytest.fixture
def start(town: Town) -> Iterator[Start]:
    """Servers in this process, and that none of them met a bug."""
    with ExitStack() as opened:

        def started(store: Leases | None = None, verbose: bool = False, configuration: str | None = None) -> Running:
            return opened.enter_context(closing(Running(town, store, verbose, configuration)))

        yield started


@pytest.fixture
def running(start: Start) -> Running:
    return start()


class MoodyStore(MemoryStore):
    """A store that says no while `full`."""

    full = False

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        if self.full and changes:
            raise StoreError("the disk is full")
        return super().commit(changes, wall)

    def tend(self) -> None:
        if self.full:
            raise StoreError("the disk is full")


def test_broadcast_and_relayed_requests_are_answered(town: Town, running: Running) -> None:
    town.broadcast(discover())
    (offer,) = running.replies()
    assert (kind_of(offer), offer.ip(54)) == ("OFFER", SERVER)
    town.broadcast(selecting(offer.yiaddr))
    assert [kind_of(reply) for reply in running.replies()] == ["ACK"]
    town.relayed(reboot(offer.yiaddr))
    (confirmed,) = running.replies()
    assert (kind_of(confirmed), confirmed.yiaddr, confirmed.giaddr) == ("ACK", offer.yiaddr, RELAY)
    assert running.server.summary() == {"offer": 1, "ack": 2, "dropped": 0}


def test_garbage_is_counted_and_the_server_goes_on(town: Town, running: Running) -> None:
    with town.lab.inside(town.server):
        to_us = netlink.link("s0").mac
    good = town.frame(encode(discover()))
    frames = {
        "ip-checksum": good[:24] + b"\xde\xad" + good[26:],
        "udp-checksum": good[:-1] + bytes((good[-1] ^ 1,)),
        "bad-udp-length": good[:38] + b"\xff\xff" + good[40:],
        "truncated-message": town.frame(b""),
        "no-cookie": town.frame(b"\1" + bytes(235) + b"cookies?"),
        "truncated-option": town.frame(encode(discover())[:240] + b"\x35"),
        "bad-op": town.frame(b"\7" + encode(discover())[1:]),
        "not-a-request": town.frame(encode(replace(discover(), op=2))),
        "unserved-type": town.frame(encode(request(99))),
    }
    for frame in frames.values():
        town.raw.send(frame)
    ignored = [  # what the filter does not let through, or what the kernel takes for itself
        BROADCAST_MAC + town.mac + ETHERTYPE_ARP.to_bytes(2) + b"garbage" * 9,
        BROADCAST_MAC + town.mac + ETHERTYPE_ARP.to_bytes(2),
        BROADCAST_MAC + town.mac + b"\x08\x00" + b"\xff" * 20,
        good[:30],
        good[:14],
        good[:20] + b"\x20\x00" + good[22:],
    ]
    for frame in ignored:
        town.raw.send(frame)
    for number in range(100):
        town.raw.send(town.frame(bytes((number,)) * number))
    town.raw.send(town.frame(b"", to_us, SERVER, sport=0))
    town.raw.send(town.frame(encode(request(MessageType.DISCOVER, giaddr=ip(253))), to_us, SERVER, sport=0))
    for payload in (b"", b"\0", bytes(240), bytes(4096), bytes(4097), bytes(60_000), b"\1" * 1472):
        town.routed(payload)
    town.broadcast(discover())
    town.relayed(discover())
    assert [kind_of(reply) for reply in running.replies(2)] == ["OFFER", "OFFER"]
    drops = running.server.drops()
    assert drops.keys() >= {*frames, "too-long"}
    assert drops["truncated-message"] >= 100
    assert drops["too-long"] == 2
    assert running.server.engine.counts.total() == 3  # the one from port 0 named a relay, and was answered there


def test_a_verdict_is_logged_once_and_garbage_logs_none(town: Town, start: Start) -> None:
    with structlog.testing.capture_logs() as log:
        running = start(verbose=True)
        town.broadcast(discover())
        (offer,) = running.replies()
        town.routed(b"garbage")
        town.raw.send(town.frame(b"garbage"))
        town.relayed(selecting(offer.yiaddr))
        running.replies()
        town.raw.send(town.frame(b"garbage"))
        town.relayed(reboot(ip(119)))
        running.replies()
    said = [(line["event"], line["request"], line["reason"]) for line in log if "request" in line]
    assert said == [
        ("OFFER", "DISCOVER", "offered-new"),
        ("ACK", "SELECTING", "granted"),
        ("NAK", "INIT-REBOOT", "other-address"),
    ]


def test_a_store_that_fails_means_confirming_and_silence_until_it_works_again(town: Town, start: Start) -> None:
    store = MoodyStore()
    with structlog.testing.capture_logs() as log:
        running = start(store)
        town.relayed(discover())
        (offer,) = running.replies()
        store.full = True
        town.relayed(selecting(offer.yiaddr))
        town.relayed(request(MessageType.INFORM, ciaddr=ip(254)))
        (informed,) = running.replies()
        assert informed.yiaddr == 0
        reasons = [(record.kind, record.reason) for record in running.server.engine.records]
        assert reasons[-2:] == [("SELECTING", "store-unavailable"), ("INFORM", "informed")]
        store.full = False
        town.relayed(selecting(offer.yiaddr))
        assert [kind_of(reply) for reply in running.replies()] == ["ACK"]
        store.full = True
        town.relayed(request(MessageType.REQUEST, {50: offer.yiaddr.to_bytes(4), 12: b"renamed"}))
        (confirmed,) = running.replies()
        assert 0 < (confirmed.uint(51) or 0) <= 3600
        assert running.server.engine.records[-1].reason == "store-confirmed"
    events = [(line["log_level"], line["event"], line.get("error")) for line in log]
    assert ("error", "store failed; confirming what is known, silent otherwise", "the disk is full") in events
    assert ("info", "store works again", None) in events


def test_housekeeping_that_fails_is_logged_and_tried_again(town: Town, start: Start) -> None:
    store = MoodyStore()
    store.full = True
    with structlog.testing.capture_logs() as log:
        running = start(store)
        town.relayed(discover())
        running.replies()
    assert [line["error"] for line in log if line["event"] == "the store's upkeep met an error"] == ["the disk is full"]


def test_upkeep_that_meets_a_bug_rests_before_it_is_tried_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the loop would turn without a rest, and end the server after so many faults in a row."""
    settings = replace(parse(office(), "relet.toml", town.lab.folder), store="memory:", control="")
    with town.lab.inside(town.server), closing(Server(settings, MemoryStore())) as server:

        def bug(*_: object) -> int:
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(server._store, "tend", bug)
        monkeypatch.setattr(server.engine, "expire", bug)
        for _ in range(2):  # an expiry, then a round of housekeeping
            assert server._deadline() <= now().mono
            with pytest.raises(ZeroDivisionError):
                server._wake()
        assert server._deadline() > now().mono


def test_a_bug_is_told_in_the_log(town: Town) -> None:
    settings = replace(parse(office(), "relet.toml", town.lab.folder), store="memory:", control="")
    with town.lab.inside(town.server), closing(Server(settings, MemoryStore())) as server:

        def bug() -> None:
            server.loop.stop()
            raise ZeroDivisionError("a bug")

        one, other = socket.socketpair()
        server.loop.register(one, bug)
        other.send(b"x")
        with one, other, structlog.testing.capture_logs() as log:
            server.loop.run()
    (line,) = [line for line in log if line["event"] == "callback failed"]
    assert (line["error"], line["faults"]) == ("ZeroDivisionError('a bug')", 1)
    assert isinstance(line["exc_info"], ZeroDivisionError)


def test_a_link_that_goes_and_comes_costs_nothing(town: Town, running: Running) -> None:
    town.lab.ip(town.server, "link", "set", "s0", "down")
    town.lab.ip(town.server, "link", "set", "s0", "up")
    town.broadcast(discover())
    assert [kind_of(reply) for reply in running.replies()] == ["OFFER"]
    assert running.server.drops() == {"link-down": 1}


def test_nothing_is_left_open_if_the_last_thing_cannot_be_opened(town: Town) -> None:
    settings = replace(parse(office(), "relet.toml", town.lab.folder), control=str(town.lab.folder / "none" / "x"))
    with town.lab.inside(town.server):
        for _ in range(2):  # the second time would find port 67 taken
            with pytest.raises(ControlError, match=r"cannot make the control socket .*/none/x: No such file"):
                Server(settings, MemoryStore())


# The command


def serve(town: Town, *arguments: str | Path) -> Process:
    return town.lab.relet(town.server, "serve", *arguments)


def test_why_and_status_are_answered(town: Town) -> None:
    server = Serve(town.lab, town.server, office())
    town.relayed(discover())
    server.verdict("DISCOVER")
    town.routed(b"garbage")
    town.relayed(reboot(ip(250)))
    server.verdict("INIT-REBOOT")
    status = ask(server.control, {"do": "status"})
    assert status == {
        "verdicts": [
            {"request": "DISCOVER", "answer": "OFFER", "reason": "offered-new", "count": 1},
            {"request": "INIT-REBOOT", "answer": "SILENT", "reason": "not-ours", "count": 1},
        ],
        "drops": {"truncated-message": 1},
        "store_error": "",
        "pools": [
            {
                "network": "office",
                "subnet": "192.168.1.0/24",
                "pool": "192.168.1.100-192.168.1.119",
                "size": 20,
                "used": 0,
                "declined": 0,
                "offered": 1,
                "free": 19,
                "reserved": 0,
                "allow": [],
                "deny": [],
            }
        ],
        "probes_skipped": 0,
        "waiting": 0,
        "starting": None,
    }
    table = town.lab.relet(town.host, "status", "--control", server.control)
    table.line("SIZE  USED  OFFERED  DECLINED  RESERVED  FREE")
    table.line("office   192.168.1.0/24  192.168.1.100-192.168.1.119  20    0     1        0         0         19")
    assert table.wait() == 0
    why = town.lab.relet(town.host, "why", town.mac.hex(":"), "--control", server.control)
    why.line("INIT-REBOOT for 192.168.1.250 -> SILENT", "(not-ours")
    why.line("DISCOVER for 192.168.1.100 -> OFFER", "(offered-new, for 3600 s)")
    assert why.wait() == 0
    unheard = town.lab.relet(town.host, "why", "52:54:00:00:00:99", "--control", server.control)
    unheard.line("has not heard 52:54:00:00:00:99")
    assert unheard.wait() == 1
    for question in ({}, {"do": "dance"}, {"do": "why"}, {"do": "why", "client": 5, "limit": 1}):
        with pytest.raises(ControlError, match="knows the questions 'why', 'status'"):
            ask(server.control, question)
    with pytest.raises(ControlError, match="'nobody' is no"):
        ask(server.control, {"do": "why", "client": "nobody", "limit": 5})
    assert ask(server.control, {"do": "why", "client": town.mac.hex(), "limit": -1}) != []


def test_metrics_are_answered_beside_the_clients(town: Town) -> None:
    server = Serve(town.lab, town.server, office().replace("[server]", '[server]\nmetrics = "127.0.0.1:9547"'))
    town.lab.ip(town.server, "link", "set", "lo", "up")
    town.relayed(discover())
    server.verdict("DISCOVER")
    with town.lab.inside(town.server), socket.create_connection(("127.0.0.1", 9547), PATIENCE_S) as scraper:
        scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: server\r\n\r\n")
        heard = b"".join(iter(lambda: scraper.recv(65_536), b""))
    head, _, text = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    for line in (
        b'relet_verdicts_total{request="DISCOVER",answer="OFFER",reason="offered-new"} 1',
        b"relet_batch_datagrams_count 1",
        b"relet_answer_duration_seconds_count 1",
        b'relet_pool_offered{network="office",subnet="192.168.1.0/24",pool="192.168.1.100-192.168.1.119"} 1',
    ):
        assert line in text.splitlines()
    command = [need("promtool"), "check", "metrics"]
    ended = subprocess.run(command, input=text, capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_and_the_socket_goes(town: Town, number: int) -> None:
    server = Serve(town.lab, town.server, office())
    town.relayed(discover())
    server.verdict("DISCOVER")
    server.process.signal(number)
    server.process.line("stopped", "offer=1", "dropped=0")
    assert server.process.wait() == 0
    assert not server.control.exists()
    server.start()
    assert ask(server.control, {"do": "status"})


def test_what_was_received_is_answered_before_the_end(town: Town) -> None:
    server = Serve(town.lab, town.server, office(), verbose=False)
    waiting = 2 * BATCH + 1  # more than the turn takes in which the signal is heard
    server.process.signal(signal.SIGSTOP)
    for _ in range(waiting):
        town.relayed(discover())
    server.process.signal(signal.SIGTERM)
    server.process.signal(signal.SIGCONT)
    server.process.line("stopped", f"offer={waiting}", "dropped=0")
    assert server.process.wait() == 0


def test_the_log_goes_to_standard_error(town: Town) -> None:
    config = town.lab.folder / "relet.toml"
    config.write_text(office())
    command = [need("ip"), "netns", "exec", town.server, *RELET, "serve", "--config", str(config), "--verbose"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server,
        ExitStack() as stack,
    ):
        stack.callback(server.kill)  # a failure would wait for its end for ever
        assert server.stderr is not None
        assert server.stdout is not None
        assert "listening" in server.stderr.readline()
        assert ":67" in server.stderr.readline()
        assert "relet serves" in server.stderr.readline()
        town.relayed(discover())
        assert "DISCOVER" in server.stderr.readline()
        server.terminate()
        assert server.stdout.read() == ""
        assert "stopped" in server.stderr.read()
    assert server.returncode == 0


def test_a_first_try_without_a_file(town: Town) -> None:
    server = serve(town, "--interface", "s0", "--pool", "192.168.1.100-192.168.1.101")
    server.line("listening", "192.168.1.1:67")
    town.relay.settimeout(PATIENCE_S)
    for message, kind in ((discover(), "OFFER"), (selecting(ip(100)), "ACK")):
        town.relayed(message)
        reply = decode(town.relay.recv(4096))
        assert (kind_of(reply), reply.yiaddr, reply.options[1]) == (kind, ip(100), bytes((255, 255, 255, 0)))


def configured(text: str) -> Callable[[Town], list[str | Path]]:
    """Arguments with this configuration."""

    def arguments(town: Town) -> list[str | Path]:
        config = town.lab.folder / "relet.toml"
        config.write_text(text)
        return ["--config", config]

    return arguments


def quick(interface: str) -> Callable[[Town], list[str | Path]]:
    return lambda _: ["--interface", interface, "--pool", "192.168.1.100-192.168.1.101"]


def port_taken(town: Town) -> list[str | Path]:
    other = Serve(town.lab, town.server, office(), "other")
    assert other.control.exists()
    return configured(office())(town)


def store_taken(town: Town) -> list[str | Path]:
    server = Serve(town.lab, town.server, office(), "other")
    return ["--config", server.config]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (quick("s9"), ("relet: cannot look at interface s9: No such device",)),
        (quick("bare"), ("relet: bare has no IPv4 address; give it one of the pool's network first",)),
        (port_taken, ("relet: cannot bind 192.168.1.1:67: Address already in use",)),
        (
            store_taken,
            (
                "relet: ",
                "leases.db is in use by another server (process ",
            ),
        ),
        (configured(office().replace("sqlite:", "sqlite:none/")), ("relet: ", "none does not exist")),
        (
            configured(office().replace("[server]", '[server]\ncontrol = "none/x"')),
            ("relet: ", "/none/x: No such file"),
        ),
    ],
    ids=["quick-no-interface", "quick-no-address", "port", "store", "folder", "control"],
)
def test_what_the_machine_lacks_is_said_and_is_3(
    town: Town, arguments: Callable[[Town], list[str | Path]], says: tuple[str, ...]
) -> None:
    town.lab.ip(town.server, "link", "add", "bare", "type", "veth", "peer", "name", "other")
    server = serve(town, *arguments(town))
    server.line(*says)
    assert server.wait() == 3
    assert "Traceback" not in "\n".join(server.lines)


@pytest.mark.parametrize(
    "arguments", [(), ("--interface", "s0"), ("--config", "x", "--pool", "192.168.1.5-192.168.1.6")]
)
def test_wrong_use_is_2(town: Town, arguments: tuple[str, ...]) -> None:
    server = serve(town, *arguments)
    assert server.wait() == 2
    server.line("give either --config FILE, or both --interface NAME and --pool")


def test_listening_elsewhere_too_keeps_the_interfaces_own_address(town: Town, start: Start) -> None:
    """The server identifier must be reachable (RFC 2131 s4.1): it is the interface's address."""
    town.lab.address(town.server, "s0", "10.9.9.9/24")
    running = start(configuration=office().replace("[server]", '[server]\nlisten = ["10.9.9.9"]'))
    town.relayed(discover())
    (offer,) = running.replies()
    assert offer.ip(54) == SERVER


class Slow(MemoryStore):
    """A store that reads its second lease when it is told to, and fails if it is told that."""

    def __init__(self, known: Lease, unknown: Lease) -> None:
        super().__init__()
        self._index.complete = False
        self.goes_on = self.fails = False
        self._known, self._unknown = known, unknown

    def loading(self) -> Iterator[Loaded]:
        yield Loaded(self._index.add([self._known]), True)
        for waiting in repeat(Loaded([], True)):
            if self.fails:
                raise StoreError("the disk is gone")
            if self.goes_on:
                break
            yield waiting
        yield Loaded(self._index.add([self._unknown]), True)
        self._index.complete = True


def held(town: Town, address: int) -> Lease:
    """A lease of the town's client."""
    wall = int(now().wall)
    client = client_key(None, 1, town.mac)
    return Lease(address, client, "office", LeaseState.BOUND, wall, wall + 60, None, reason="granted")


def test_what_is_known_is_confirmed_while_the_rest_is_read(
    town: Town, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "READ_FIRST_S", -1)
    store = Slow(held(town, ip(100)), held(town, ip(101)))
    with structlog.testing.capture_logs() as log:
        running = start(store)
        running.server._wake()
        town.relayed(reboot(ip(101)))
        town.relayed(reboot(ip(100)))
        (confirmed,) = running.replies()
        assert (kind_of(confirmed), confirmed.yiaddr) == ("ACK", ip(100))
        told = counted(running.server.engine, running.server.drops())
        assert told.starting == 1
        assert {(row.answer, row.reason) for row in told.verdicts} == {
            ("SILENT", "still-loading"),
            ("ACK", "confirmed"),
        }
        assert running.server._state() == "reads its leases (0 so far) and confirms those"
        store.goes_on = True
        while running.server.engine.starting is not None:
            running.server._wake()
        town.relayed(reboot(ip(101)))
        (later,) = running.replies()
    assert (kind_of(later), later.yiaddr) == ("ACK", ip(101))
    assert counted(running.server.engine, running.server.drops()).starting is None
    assert [line["leases"] for line in log if line["event"] == "all leases are known"] == [2]


def test_a_reload_waits_until_all_leases_are_known(town: Town, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "READ_FIRST_S", -1)
    running = start(Slow(held(town, ip(100)), held(town, ip(101))))
    running.server.reloading._file = town.lab.folder / "relet.toml"
    (town.lab.folder / "relet.toml").write_text(office().replace('"sqlite:leases.db"', '"memory:"\ncontrol = ""'))
    said = running.server.reload()
    assert said.problems == ["the server still reads its leases; try again in a moment"]


def test_a_server_that_cannot_read_its_leases_ends(town: Town, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "READ_FIRST_S", -1)
    store = Slow(held(town, ip(100)), held(town, ip(101)))
    running = start(store)
    store.fails = True
    with pytest.raises(StoreError, match="the disk is gone"):
        running.server.run()
