"""Metrics: what Prometheus reads is what was counted, and no peer of the port holds the server up.

The oracles are Prometheus's own: its Python library reads the text, and promtool judges names and units.
"""

import re
import socket
import subprocess
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relet import __version__
from relet.errors import MachineError, StoreError
from relet.model.lease import Change, Committed
from relet.model.network import Settings
from relet.net.clock import now
from relet.run import scrape
from relet.run.figures import Figures, Histogram, Timed
from relet.run.intake import Intake
from relet.run.loop import Loop
from relet.run.metrics import METRICS, Seen, exposition
from relet.run.reload import Reload
from relet.run.scrape import FRESH_S, MAX_CONNECTIONS, MAX_REQUEST, Scrape
from relet.store.memory import MemoryStore
from support.lab import need
from support.networks import subnet
from support.table import OTHER_MAC, Table, arrive, decline, discover, ip, reboot, selecting

ROOT = Path(__file__).parents[2]
LOOPBACK = 0x7F000001
PATIENCE_S = 10
HUGE = 64 << 20
"""Octets that no socket buffer holds."""


class Rig:
    """A server as metrics see it: an engine on the table, with what the world around it counts."""

    def __init__(self) -> None:
        self.table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(109))),))
        self.engine = self.table.engine
        self.loop = Loop(lambda: None, lambda: None)
        self.figures = Figures()
        self.reloading = Reload(self.engine, Settings((self.table.network,)), None, lambda _: None)
        self.started = 1_700_000_000.5
        self.intake = Intake(self.engine, 100)
        self.dropped = Counter({"truncated-message": 3, 'odd "name"\\\n': 1})

    def drops(self) -> Counter[str]:
        return self.dropped

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Everything that Prometheus's library reads out of the text."""
        families = text_string_to_metric_families(exposition(self).decode())
        found = [sample for family in families for sample in family.samples]
        return {(sample.name, tuple(sample.labels.items())): sample.value for sample in found}


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    with closing(rig.loop):
        yield rig


def test_what_was_counted_is_told(rig: Rig) -> None:
    rig.table.handle(arrive(discover()), arrive(reboot(ip(100))))
    rig.table.say(reboot(ip(100)))
    samples = rig.samples()
    reboots = (("request", "INIT-REBOOT"), ("answer", "SILENT"), ("reason", "no-record"))
    offers = (("request", "DISCOVER"), ("answer", "OFFER"), ("reason", "offered-new"))
    assert samples["relet_verdicts_total", reboots] == 2
    assert samples["relet_verdicts_total", offers] == 1
    assert samples["relet_dropped_datagrams_total", (("reason", "truncated-message"),)] == 3
    assert samples["relet_dropped_datagrams_total", (("reason", 'odd "name"\\\n'),)] == 1
    assert samples["relet_start_time_seconds", ()] == rig.started
    assert [labels[0] for name, labels in samples if name == "relet_build_info"] == [("version", __version__)]


def test_pools_are_told_with_where_they_are(rig: Rig) -> None:
    table = rig.table
    for last, message in ((100, selecting(ip(100))), (101, selecting(ip(101), mac=OTHER_MAC))):
        assert table.say(message) is not None, last
    table.say(decline(ip(100)))
    table.say(discover(mac=bytes((2, 0, 0, 0, 0, 9))))
    pool = (("network", "office"), ("subnet", "192.168.1.0/24"), ("pool", "192.168.1.100-192.168.1.109"))
    samples = rig.samples()
    counts = {
        name: samples[f"relet_pool_{name}", pool]
        for name in ("size", "used", "offered", "declined", "reserved", "free")
    }
    assert counts == {"size": 10, "used": 1, "offered": 1, "declined": 1, "reserved": 0, "free": 7}


def test_a_failing_store_and_bugs_show(rig: Rig) -> None:
    assert (rig.samples()["relet_store_up", ()], rig.samples()["relet_bugs_total", ()]) == (1, 0)
    rig.engine.store_error = "disk full"
    rig.engine.drops["bug"] = 2
    assert (rig.samples()["relet_store_up", ()], rig.samples()["relet_bugs_total", ()]) == (0, 2)


def test_a_refused_reload_shows_and_a_dry_run_does_not(rig: Rig) -> None:
    told = []
    for dry in (True, False):
        rig.reloading.begin(dry, rig.table.now)  # there is no file to read
        told.append(rig.samples()["relet_last_reload_success", ()])
    assert told == [1, 0]


def test_histograms_count_what_lies_below_each_bound(rig: Rig) -> None:
    for size in (1, 2, 2, 3, 2000):
        rig.figures.batch.observe(size)
    samples = rig.samples()
    below = {
        dict(labels)["le"]: value for (name, labels), value in samples.items() if name == "relet_batch_datagrams_bucket"
    }
    assert (below["1.0"], below["2.0"], below["4.0"], below["1024.0"], below["+Inf"]) == (1, 3, 4, 4, 5)
    assert samples["relet_batch_datagrams_sum", ()] == 2008
    assert samples["relet_batch_datagrams_count", ()] == 5


def test_promtool_is_content(rig: Rig) -> None:
    rig.table.handle(arrive(discover()), arrive(reboot(ip(100))))
    command = [need("promtool"), "check", "metrics"]
    ended = subprocess.run(command, input=exposition(rig), capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_the_alerts_of_the_manual_are_good_and_about_metrics_that_are_there(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"^    groups:\n(?:    .*\n)+", text, re.MULTILINE)
    file = tmp_path / "alerts.yml"
    file.write_text(textwrap.dedent(rules), encoding="utf-8")
    command = [need("promtool"), "check", "rules", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, "3 rules found" in ended.stdout) == (0, True), ended.stdout + ended.stderr
    assert set(re.findall(r"relet_[a-z_]+", rules)) <= {metric.name for metric in METRICS}


def test_every_metric_has_its_labels(rig: Rig) -> None:
    rig.table.say(discover())
    for metric in METRICS:
        read = list(metric.read(Seen(rig, rig.engine.usage())))
        assert read, metric.name
        assert {tuple(name for name, _ in labels) for labels, _ in read} == {metric.labels}


def test_commits_are_timed_and_empty_ones_are_not() -> None:
    class Broken(MemoryStore):
        def commit(self, changes: object, wall: float) -> Committed:  # noqa: ARG002
            raise StoreError("disk full")

    moments = iter((1.0, 1.25, 2.0, 4.0))
    seconds = Histogram((1.0,))
    table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(109))),))
    change = Change(None, table.lease(ip(101)))
    timed = Timed(MemoryStore(), seconds, lambda: next(moments))
    timed.commit((), 0)
    timed.commit((change,), 0)
    assert [lease.address for lease in timed.all()] == [ip(101)]
    with pytest.raises(StoreError):
        Timed(Broken(), seconds, lambda: next(moments)).commit((change,), 0)
    assert (seconds.counts, seconds.total) == ([1, 1], 2.25)


class Port:
    """A port for metrics, and a loop that runs in a thread."""

    def __init__(self, text: bytes) -> None:
        self.made = 0
        self._text = text
        self.loop = Loop(lambda: now().mono + 0.02, lambda: None)
        self.scrape = Scrape((LOOPBACK, 0), self.text, self.loop)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def text(self) -> bytes:
        self.made += 1
        return self._text

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.scrape.port), timeout=PATIENCE_S)

    def get(self, request: bytes = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") -> tuple[bytes, bytes]:
        """(head, body) of the answer."""
        with self.connect() as peer:
            peer.sendall(request)
            heard = b""
            while octets := peer.recv(1 << 20):
                heard += octets
        head, _, body = heard.partition(b"\r\n\r\n")
        return head, body

    def close(self) -> None:
        self.loop.stop()
        self._thread.join()
        self.scrape.close()
        self.loop.close()
        assert self.loop.faults == 0


@pytest.fixture
def port() -> Iterator[Port]:
    with closing(Port(b"relet_store_up 1\n")) as port:
        yield port


def test_get_metrics_is_answered(port: Port) -> None:
    head, body = port.get()
    assert body == b"relet_store_up 1\n"
    assert head.splitlines() == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain; version=0.0.4; charset=utf-8",
        b"Content-Length: 17",
        b"Connection: close",
    ]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics?name=x HTTP/1.1", b"200"),
        (b"GET / HTTP/1.1", b"404"),
        (b"GET /metrics/../../etc/passwd HTTP/1.1", b"404"),
        (b"POST /metrics HTTP/1.1", b"405"),
        (b"garbage", b"405"),
        (b"", b"405"),
    ],
)
def test_only_that_is(port: Port, request_line: bytes, status: bytes) -> None:
    head, _ = port.get(request_line + b"\r\n\r\n")
    assert head.split()[1] == status


def test_many_scrapers_cost_one_text_a_moment(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "FRESH_S", 3600.0)
    assert [port.get()[1] for _ in range(20)] == [b"relet_store_up 1\n"] * 20
    assert port.made == 1
    assert FRESH_S >= 1


def test_who_asks_too_slowly_makes_room(port: Port) -> None:
    slow = [port.connect() for _ in range(2 * MAX_CONNECTIONS)]
    for peer in slow:
        peer.sendall(b"GET /metr")
    assert port.get()[1] == b"relet_store_up 1\n"
    for peer in slow:
        peer.close()


def test_a_request_without_an_end_is_hung_up_on(port: Port) -> None:
    with port.connect() as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n")
        peer.sendall(b"x" * MAX_REQUEST)
        with suppress(ConnectionResetError):
            assert peer.recv(1) == b""
    assert port.get()[1] == b"relet_store_up 1\n"


def test_who_does_not_read_holds_nobody_up() -> None:
    with closing(Port(b"x" * HUGE)) as port:
        slow = [port.connect() for _ in range(2 * MAX_CONNECTIONS)]
        for peer in slow:
            peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert port.get(b"GET / HTTP/1.1\r\n\r\n")[0].startswith(b"HTTP/1.1 404")
        for peer in slow:
            peer.close()


def test_a_long_text_arrives_whole() -> None:
    with closing(Port(b"0123456789abcdef" * (HUGE >> 8))) as port:
        head, body = port.get()
        assert len(body) == HUGE >> 4
        assert body == b"0123456789abcdef" * (HUGE >> 8)
        assert b"200 OK" in head


def test_a_port_that_is_taken_is_told(port: Port) -> None:
    with closing(Loop(lambda: None, lambda: None)) as loop, pytest.raises(MachineError, match=r"at 127\.0\.0\.1:\d+: "):
        Scrape((LOOPBACK, port.scrape.port), port.text, loop)
