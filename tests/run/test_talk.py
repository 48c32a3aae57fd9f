"""A running client is asked: what it answers, how renewals and releases end, and that nobody who asks can hold it up."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import jsonschema
import msgspec
import pytest

from relet.run.control import MAX_CONNECTIONS, MAX_REQUEST
from relet.run.report import Granted, Report, Result, Via
from support.lab import until
from support.talking import Host, host

pytestmark = pytest.mark.namespaces

DOCS = Path(__file__).parents[2] / "docs"
RESULT = json.loads((DOCS / "client-result.schema.json").read_text(encoding="utf-8"))
REPORT = json.loads((DOCS / "client-status.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def served() -> Iterator[Host]:
    with host() as here:
        yield here


@pytest.fixture
def unserved() -> Iterator[Host]:
    with host(served=False) as here:
        yield here


def the_lease(answer: dict[str, object]) -> dict[str, object]:
    lease = answer["lease"]
    assert isinstance(lease, dict)
    return lease


def test_status_tells_state_lease_and_exchange(served: Host) -> None:
    served.bound()
    code, answer = served.asked("status", "c0")
    jsonschema.validate(answer, REPORT)
    report = msgspec.convert(answer, Report)
    assert (code, report.interface, report.state) == (0, "c0", "BOUND")
    lease = report.lease
    assert lease is not None
    assert (lease.address, lease.prefix, lease.server, lease.domain) == (
        "192.168.1.100", 24, "192.168.1.1", "example.org",
    )  # fmt: skip
    assert [(route.to, route.router) for route in lease.routes] == [("0.0.0.0/0", "192.168.1.1")]
    assert lease.lease_time == 3600
    assert lease.t1 is not None
    assert lease.t2 is not None
    assert lease.expires is not None
    assert [lease.t1 - lease.granted, lease.t2 - lease.granted, lease.expires - lease.granted] == [1800, 3150, 3600]
    assert lease.granted <= report.at < lease.t1
    assert [known.address for known in report.remembered] == ["192.168.1.100"]
    assert report.exchange is not None
    labels = [moment.label for moment in report.exchange.moments]
    for label in ("DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK", "BOUND"):
        assert label in labels


def test_status_shows_it_to_people(served: Host) -> None:
    served.bound()
    ended = served.relet("status", "c0")
    assert ended.code == 0
    first = ended.out.splitlines()[0]
    assert first.startswith("c0  BOUND  192.168.1.100/24  for ")
    rows = {line[2:16].strip(): line[16:].strip() for line in ended.out.splitlines() if line.startswith("  ")}
    assert rows["server"] == "192.168.1.1"
    assert rows["route"] == "default via 192.168.1.1"
    assert rows["renews (T1)"].split(", in ")[1].startswith("29 min")
    assert rows["ends"].split(", in ")[1].startswith("59 min")
    assert "Last exchange, begun " in ended.out
    for word in ("c0 · client", "DHCPDISCOVER", "DHCPACK", "192.168.1.100 for 3600 s", "BOUND  192.168.1.100"):
        assert word in ended.out


def test_a_renewal_is_waited_for_and_told(served: Host) -> None:
    served.bound()
    _, before = served.asked("status", "c0")
    code, answer = served.asked("renew", "c0")
    jsonschema.validate(answer, RESULT)
    assert (code, answer["outcome"], answer["cause"]) == (0, "bound", "renew")
    later, earlier = the_lease(answer)["expires"], the_lease(before)["expires"]
    assert isinstance(later, float)
    assert isinstance(earlier, float)
    assert later > earlier
    ended = served.relet("renew", "c0")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("c0: bound to 192.168.1.100/24 by 192.168.1.1 for 1 h (renewed)")


def test_a_renewal_that_nobody_answers_ends_the_command_and_not_the_client(served: Host) -> None:
    served.bound()
    assert served.serve is not None
    served.serve.kill()
    ended = served.relet("renew", "c0", "--timeout", "0.2")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "relet: c0: no server has answered after 0.2 s; the client goes on asking\n"
    code, answer = served.asked("status", "c0")
    assert (code, answer["state"]) == (0, "RENEWING")


def test_a_release_ends_the_client_and_its_address(served: Host) -> None:
    client = served.bound()
    code, answer = served.asked("release", "c0")
    assert (code, answer["outcome"], answer["lease"]) == (0, "released", None)
    assert client.wait() == 0
    assert served.lab.addresses(served.name, "c0") == []
    assert not (served.sockets / "c0.sock").exists()
    assert served.serve is not None
    served.serve.verdict("RELEASE")
    ended = served.relet("release", "c0")
    assert ended.code == 3
    assert "is `relet client c0` running?" in ended.err


def test_without_a_lease_there_is_nothing_to_extend_or_release(unserved: Host) -> None:
    unserved.asking()
    for what, word in (("renew", "extend"), ("release", "release")):
        ended = unserved.relet(what, "c0")
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == f"relet: c0: there is no lease to {word}; the client is SELECTING\n"
    code, answer = unserved.asked("status", "c0")
    assert (code, answer["state"], answer["lease"]) == (1, "SELECTING", None)


def test_without_a_subject_all_that_runs_here_is_shown(served: Host) -> None:
    served.bound()
    ended = served.relet("status")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].split() == ["INTERFACE", "STATE", "ADDRESS", "SERVER", "LEASE", "ENDS"]
    assert lines[1].split()[:5] == ["c0", "BOUND", "192.168.1.100/24", "192.168.1.1", "in"]
    code, answer = served.asked("status")
    assert code == 0
    assert isinstance(answer["clients"], list)
    assert [client["interface"] for client in answer["clients"]] == ["c0"]


def test_one_subject_at_a_time(served: Host) -> None:
    ended = served.relet("status", "c0", "--config", "relet.toml")
    assert ended.code == 2
    assert "either IFACE" in ended.err


def test_a_client_that_was_killed_is_not_shown_and_its_socket_is_taken_over(served: Host) -> None:
    served.bound().kill()
    assert (served.sockets / "c0.sock").is_socket()
    ended = served.relet("status")
    assert ended.code == 1
    assert "no client and no server answers here" in ended.err
    served.bound()
    assert served.asked("status", "c0")[0] == 0


def test_without_a_socket_the_client_does_all_else(served: Host) -> None:
    served.sockets.write_text("not a folder")
    client = served.start()
    assert "`relet status c0` will not find this client" in client.line("not find this client")
    until(lambda: served.lab.addresses(served.name, "c0") == ["192.168.1.100/24"])


def test_who_asks_strangely_holds_nobody_up(served: Host) -> None:
    client = served.bound()
    path = str(served.sockets / "c0.sock")
    assert Path(path).stat().st_mode & 0o777 == 0o600
    with ExitStack() as stack:
        for octets in (b"", b"\n", b"[1]\n", b'{"do":"x"}\n', b'{"do":', b"x" * MAX_REQUEST * 2, b'{"do":"status"}\n'):
            for _ in range(MAX_CONNECTIONS):
                peer = stack.enter_context(socket.socket(socket.AF_UNIX))
                peer.connect(path)
                try:
                    peer.sendall(octets)
                except (BrokenPipeError, ConnectionResetError):
                    assert len(octets) > MAX_REQUEST  # nobody listens to the end of that
        assert served.asked("renew", "c0")[0] == 0
    assert served.asked("status", "c0")[1]["state"] == "BOUND"
    client.signal(signal.SIGTERM)
    assert client.wait() == 0


def test_once_gives_one_object_as_the_schema_says(served: Host) -> None:
    script = f"exec {' '.join(map(_quoted, served.command('--once', '--json')))} 2>/dev/null"
    client = served.lab.start(served.name, "sh", "-c", script)
    assert client.wait() == 0
    result = json.loads(client.line("{"))
    jsonschema.validate(result, RESULT)
    assert (result["interface"], result["outcome"], result["cause"]) == ("c0", "bound", "bound")
    assert (result["lease"]["address"], result["lease"]["dns"]) == ("192.168.1.100", [])
    assert 0 < result["seconds"] < time.monotonic()
    assert client.popen.stdout is not None
    assert client.popen.stdout.read() == ""


def test_once_without_a_server_says_so_in_its_object(unserved: Host) -> None:
    client = unserved.start("--once", "--json", "--timeout", "0.3")
    result = json.loads(client.line('"outcome"'))
    jsonschema.validate(result, RESULT)
    assert client.wait() == 1
    assert (result["outcome"], result["text"], result["lease"]) == ("none", "no address after 0.3 s", None)
    assert result["seconds"] >= 0.3


def test_the_schema_refuses_what_is_no_result() -> None:
    for wrong in ({}, {"interface": "c0", "outcome": "bound"}, {"outcome": "perhaps"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, RESULT)


def test_the_manual_has_every_field_of_a_result() -> None:
    manual = (DOCS / "manual.md").read_text(encoding="utf-8")
    rows = manual.partition("### Scripts and the background")[2].partition("\n### ")[0].splitlines()
    named = {word for row in rows if row.startswith("| `") for word in re.findall("`([a-z0-9-]+)`", row.split("|")[1])}
    assert named == {field for kind in (Result, Granted) for field in kind.__struct_encode_fields__}
    assert [f"`{field}`" in manual for field in Via.__struct_encode_fields__] == [True, True]


def test_in_the_background_the_command_comes_back_with_the_address(served: Host) -> None:
    log = served.lab.folder / "client.log"
    called = served.start("--background", "--pid-file", served.pid_file, "--log", log)
    assert called.wait() == 0
    # Nobody holds the command's output any more.
    assert called.popen.stdout is not None
    assert "bound to 192.168.1.100/24" in called.popen.stdout.read()
    assert served.lab.addresses(served.name, "c0") == ["192.168.1.100/24"]
    _, answer = served.asked("status", "c0")
    pid = int(served.pid_file.read_text())
    assert pid == answer["pid"] != called.pid
    assert os.getsid(pid) != os.getsid(0)
    assert served.asked("renew", "c0")[0] == 0
    until(lambda: "(renewed)" in log.read_text())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not served.pid_file.exists())
    assert "taken away: stopping" in log.read_text()


def test_in_the_background_without_an_address_the_command_fails_and_nothing_stays(unserved: Host) -> None:
    called = unserved.start("--background", "--timeout", "0.3", "--pid-file", unserved.pid_file)
    called.line("no address after 0.3 s")
    assert called.wait() == 1
    assert not unserved.pid_file.exists()


def test_the_command_need_not_wait_for_ever_though_the_client_does(unserved: Host) -> None:
    called = unserved.start("--background", "--wait", "0.3", "--pid-file", unserved.pid_file)
    called.line("relet: there is no address yet; the client goes on asking in the background")
    assert called.wait() == 1
    _, answer = unserved.asked("status", "c0")
    assert (answer["state"], answer["pid"]) == ("SELECTING", int(unserved.pid_file.read_text()))


def test_background_is_not_for_a_client_that_ends_by_itself(unserved: Host) -> None:
    for other in ("--once", "--release", "--foreground"):
        called = unserved.start("--background", other)
        assert called.wait() == 2


def test_a_second_client_leaves_the_first_ones_process_id(served: Host) -> None:
    first = served.bound("--pid-file", served.pid_file)
    assert int(served.pid_file.read_text()) == first.pid
    assert served.start("--pid-file", served.pid_file).wait() == 3
    assert int(served.pid_file.read_text()) == first.pid
    first.signal(signal.SIGTERM)
    assert first.wait() == 0


def test_systemd_hears_of_the_first_address_and_of_the_end(served: Host) -> None:
    address = served.lab.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(30)
        client = served.lab.start(served.name, "env", f"NOTIFY_SOCKET={address}", *served.command())
        heard = ""
        while "READY=1" not in heard:
            heard = supervisor.recv(4096).decode()
            assert heard.startswith(("STATUS=c0: ", "READY=1\nSTATUS=c0: bound to 192.168.1.100/24"))
        client.signal(signal.SIGTERM)
        assert client.wait() == 0
        assert supervisor.recv(4096).decode().endswith("stopping; the lease stays remembered")
        assert supervisor.recv(4096).decode() == "STOPPING=1"


def test_systemd_does_not_wait_longer_than_it_is_told_to(unserved: Host) -> None:
    address = unserved.lab.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(30)
        unserved.lab.start(unserved.name, "env", f"NOTIFY_SOCKET={address}", *unserved.command("--wait", "0.3"))
        assert supervisor.recv(4096).decode() == "STATUS=c0: looking for a server"
        assert supervisor.recv(4096).decode() == "READY=1\nSTATUS=c0: looking for a server"
    assert unserved.asked("status", "c0")[1]["state"] == "SELECTING"


def _quoted(word: str | Path) -> str:
    return "'" + str(word).replace("'", "'\\''") + "'"
