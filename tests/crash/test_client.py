"""A short run of the real client under kill -9, and that clients which do it wrong are found out."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from crash.aftermath import BROKEN, Summary, broken
from crash.client import Killer
from crash.host import BEFORE, lease_problem, resolver_problem
from crash.points import Point, record
from support.lab import RELET, Lab, need

pytestmark = pytest.mark.namespaces

KILLS = 8


def run(times: int, seed: int, command: Sequence[str] = RELET) -> Summary:
    need("strace")
    with Lab() as lab, closing(Killer(lab, seed, command)) as killer:
        return killer.run(times)


def test_a_client_that_was_killed_comes_back_and_leaves_nothing() -> None:
    summary = run(KILLS, seed=6)
    assert summary.violations == [], str(summary)
    assert summary.kills.total() == KILLS
    assert len(summary.kills) > 3, "killed at too few kinds of moments"
    assert summary.calls.total() == summary.kills["before a call"] + summary.kills["while writing"] > 0
    assert summary.peaceful >= 1
    assert summary.looks > 100 * KILLS


@pytest.mark.parametrize(("name", "found"), [("in-place", "lease file"), ("leaves-address", "not as before")])
def test_a_client_that_does_it_wrong_is_found_out(name: str, found: str) -> None:
    assert name in BROKEN
    summary = run(2, seed=1, command=broken(name))
    assert found in {violation.kind for violation in summary.violations}
    assert "violations: 0" not in str(summary)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"", "it ends in the middle"),
        (b"nameserver 192.0.2.1", "it ends in the middle"),
        (b"name", "it ends in the middle"),
        (b"domain example.org\n", "no nameserver"),
        (b"nameserver 192.0.2.1\nrver 192.0.2.2\n", "strange lines"),
        (BEFORE.encode(), ""),
        (b"# made\nsearch example.org\nnameserver 192.0.2.1\n", ""),
    ],
)
def test_half_a_resolv_conf_is_noticed(octets: bytes, problem: str) -> None:
    assert resolver_problem(octets).startswith(problem)
    assert bool(resolver_problem(octets)) == bool(problem)


@pytest.mark.parametrize(
    ("octets", "good"),
    [(b"", False), (b'{"format": "relet-', False), (b"[]", False), (b"{}", False), (b'{"format": "relet-1"}\n', True)],
)
def test_half_a_lease_file_is_noticed(octets: bytes, good: bool) -> None:
    assert (lease_problem(octets) == "") == good


def test_a_point_is_counted_in_its_own_process_and_from_the_first_packet_socket_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        'openat(AT_FDCWD, "x") = 3\n'
        '7  openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3\n'
        "7  socket(AF_PACKET, SOCK_RAW, 0) = 4\n"
        '7  openat(AT_FDCWD, "/usr/lib/python3.11/json.pyc", O_RDONLY) = 5\n'
        '7  openat(AT_FDCWD, "/run/a", O_RDONLY) = 5\n'
        "7  fsync(5</run/x/lease>) = 0\n"
        '8  openat(AT_FDCWD, "/run/b", O_RDONLY) = 5\n'
        "7  getpid() = 7\n"
        "7  +++ exited with 0 +++\n"
    )
    points = [Point("socket", 1), Point("openat", 3), Point("fsync", 1, writes=True), Point("openat", 1)]
    assert record(log, Path("/run/x")) == points
