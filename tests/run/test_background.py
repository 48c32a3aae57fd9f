"""A process that divides: whoever called it is let go at the right moment, with the right code, and holds nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lab import until

PATIENCE_S = 20

PROGRAM = """
import os, signal, sys, time
from relet.run.background import Background
background = Background()
if background.in_front:
    sys.exit(background.outcome())
{behind}
"""

STAYS = """
print("here", flush=True)
background.detach(0)
print("nowhere", flush=True)
with open(sys.argv[1] + ".new", "w") as file:
    links = [os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)]
    print(os.getpid(), os.getsid(0), os.getcwd(), *links, file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
signal.pause()
"""


def run(behind: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(behind=behind), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def left() -> Iterator[list[int]]:
    """Processes that stay behind."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_the_caller_is_let_go_and_what_stays_holds_nothing_of_it(tmp_path: Path, left: list[int]) -> None:
    told = tmp_path / "told"
    called = run(STAYS, told)
    # To its end: a process that still held the pipe would keep us here.
    assert called.communicate(timeout=PATIENCE_S)[0] == "here\n"
    assert called.returncode == 0
    until(told.exists)
    pid, session, folder, *links = told.read_text().split()
    left.append(int(pid))
    assert session == pid != str(called.pid)
    assert (folder, links) == ("/", ["/dev/null"] * 3)


@pytest.mark.parametrize(
    ("behind", "code"),
    [
        ("background.detach(1)", 1),
        ("sys.exit(3)", 3),
        ("sys.exit(0)", 1),  # an end without an address is no success
        ("os.kill(os.getpid(), signal.SIGKILL)", 1),
        ("raise ValueError('a bug')", 1),
    ],
)
def test_the_exit_code(behind: str, code: int) -> None:
    called = run(behind)
    called.communicate(timeout=PATIENCE_S)
    assert called.returncode == code


def test_a_caller_that_does_not_wait_any_more_is_no_harm(tmp_path: Path, left: list[int]) -> None:
    told = tmp_path / "told"
    waits = "front = os.getppid()\nprint('ready', flush=True)\nwhile os.getppid() == front: time.sleep(0.01)\n"
    called = run(waits + STAYS, told)
    assert called.stdout is not None
    assert called.stdout.readline() == "ready\n"
    called.kill()
    assert called.communicate(timeout=PATIENCE_S)[0] == "here\n"
    until(told.exists)
    left.append(int(told.read_text().split()[0]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_interrupts_the_wait_interrupts_the_client(number: int) -> None:
    behind = "\n".join(
        (
            f"signal.signal({int(number)}, lambda *_: (print('interrupted', flush=True), sys.exit(7)))",
            "print('ready', flush=True)",
            "signal.pause()",
        )
    )
    called = run(behind)
    assert called.stdout is not None
    assert called.stdout.readline() == "ready\n"
    until(lambda: _catches(called.pid, number))
    called.send_signal(number)
    assert called.communicate(timeout=PATIENCE_S)[0] == "interrupted\n"
    assert called.returncode == 7


def _catches(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    handlers = int(caught.split()[1], 16)
    return bool(handlers >> (signal.SIGHUP - 1) & 1 and handlers >> (number - 1) & 1)


def test_errors_may_lead_to_a_file(tmp_path: Path, left: list[int]) -> None:
    log, told = tmp_path / "log", tmp_path / "told"
    behind = STAYS.replace(
        "background.detach(0)", "background.detach(0, os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT))"
    )
    called = run(behind, told, log)
    assert called.communicate(timeout=PATIENCE_S)[0] == "here\n"
    until(told.exists)
    left.append(int(told.read_text().split()[0]))
    assert log.read_text() == "nowhere\n"
