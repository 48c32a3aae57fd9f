"""Programs beside the loop: in which order they run, what they are given, and how they are ended."""

import os
import signal
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

from relet.net.clock import now
from relet.run.loop import Loop
from relet.run.programs import FAREWELL_S, MAX_WAITING, Job, Programs
from support.lab import until

TIMEOUT_S = 60.0
PATH = {"PATH": os.environ["PATH"]}


class Rig:
    """A program that does what a test says, and the loop that it runs beside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.loop = Loop(lambda: None, lambda: None)
        self.programs = Programs(self.loop, self.told)

    def told(self, kind: str, text: str) -> None:
        self.said.append(f"{kind}: {text}")
        if self.programs.idle():
            self.loop.stop()

    def program(self, *lines: str) -> None:
        path = self.folder / "program"
        path.write_text("\n".join(("#!/bin/sh", f"cd {self.folder}", *lines)))
        path.chmod(0o755)

    def job(self, name: str, *more: str, given: bytes = b"", place: str = "", quiet: bool = False) -> Job:
        """One command with its name as argument, and one more for each of `more`."""
        commands = tuple((str(self.folder / "program"), each) for each in (name, *more))
        return Job("job", name, commands, PATH, TIMEOUT_S, given, place, quiet)

    def written(self) -> list[str]:
        return (self.folder / "written").read_text().splitlines()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.programs.close()
    rig.loop.close()


def test_it_runs_beside_the_loop_and_how_it_ended_is_told(rig: Rig) -> None:
    rig.program("echo $1 > written", "exit 3")
    rig.programs.run(rig.job("one"))
    assert not rig.programs.idle()
    assert rig.programs.deadline() < inf
    rig.loop.run()
    assert rig.written() == ["one"]
    assert rig.said == ["job: one ended with exit code 3"]
    assert rig.programs.deadline() == inf


def test_it_is_given_its_input_and_its_environment_and_nothing_else(rig: Rig) -> None:
    rig.program("cat > written", "env >> written")
    rig.programs.run(rig.job("one", given=b"a line\nanother\n"))
    rig.loop.run()
    written = rig.written()
    assert written[:2] == ["a line", "another"]
    assert {line.partition("=")[0] for line in written[2:]} <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}


def test_it_has_a_session_of_its_own_and_the_signals_of_any_program(rig: Rig) -> None:
    """Python ignores SIGPIPE, and what a process ignores its children ignore as well."""
    rig.program("ps -o sid= -p $$ > written", "echo $$ >> written", "kill -PIPE $$", "echo still here >> written")
    rig.programs.run(rig.job("one"))
    rig.loop.run()
    session, itself = map(int, rig.written())
    assert session == itself
    assert rig.said == [f"job: one ended with signal {signal.SIGPIPE}"]


def test_what_somebody_else_has_waited_for_is_no_fault(rig: Rig) -> None:
    rig.program("true")
    rig.programs.run(rig.job("one"))
    assert rig.programs._process is not None
    os.waitpid(rig.programs._process, 0)
    rig.loop.run()
    assert (rig.said, rig.loop.faults) == (["job: one ended with exit code 0"], 0)


def test_what_it_says_does_not_stand_in_our_output(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    rig.program("echo words")
    rig.programs.run(rig.job("one"))
    rig.loop.run()
    assert capfd.readouterr() == ("", "words\n")


def test_the_commands_of_a_job_follow_each_other_until_one_fails(rig: Rig) -> None:
    rig.program("echo $1 >> written", "cat >> written", "[ $1 != bad ]")
    rig.programs.run(rig.job("one", "two", given=b"input\n"))
    rig.programs.run(rig.job("bad", "never"))
    rig.programs.run(rig.job("last"))
    rig.loop.run()
    assert rig.written() == ["one", "input", "two", "bad", "last"]
    assert rig.said == [
        "job: one ended with exit code 0",
        "job: bad ended with exit code 1",
        "job: last ended with exit code 0",
    ]


def test_a_quiet_job_is_heard_of_only_if_it_fails(rig: Rig) -> None:
    rig.program("[ $1 != bad ]")
    rig.programs.run(rig.job("good", quiet=True))
    rig.programs.run(rig.job("bad", quiet=True))
    rig.loop.run()
    assert rig.said == ["job: bad ended with exit code 1"]


def test_they_run_in_order_and_the_oldest_are_left_out(rig: Rig) -> None:
    rig.program("echo $1 >> written")
    names = [f"r{number}" for number in range(MAX_WAITING + 2)]
    for name in names:
        rig.programs.run(rig.job(name))
    assert rig.said == ["job: r1 left out: too many are waiting"]
    rig.loop.run()
    assert rig.written() == [names[0], *names[2:]]


def test_a_job_takes_the_place_of_one_that_waits_to_set_the_same(rig: Rig) -> None:
    rig.program("echo $1 >> written")
    for name, place in (("running", "a"), ("old", "a"), ("other", "b"), ("new", "a")):
        rig.programs.run(rig.job(name, place=place))
    rig.loop.run()
    assert rig.written() == ["running", "other", "new"]


def test_one_that_takes_too_long_is_killed_with_what_it_started(rig: Rig) -> None:
    rig.program("sleep 1000 & echo $! > child", "mv child written", "wait")
    rig.programs.run(rig.job("long", "never"))
    until((rig.folder / "written").exists)
    rig.programs.wake(rig.programs.deadline() - 1)
    assert rig.said == []
    rig.programs.wake(rig.programs.deadline())
    rig.loop.run()
    assert rig.said == [
        "job: long took longer than 60 s and is killed",
        f"job: long ended with signal {signal.SIGKILL.value}",
    ]
    stat = Path(f"/proc/{rig.written()[0]}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_at_the_end_only_the_newest_is_waited_for_and_not_long(rig: Rig) -> None:
    rig.program("echo $1 >> written", "[ $1 != bound ] || exec sleep 1000")
    for name in ("bound", "renew", "stop"):
        rig.programs.run(rig.job(name))
    assert rig.programs.deadline() > now().mono + TIMEOUT_S - FAREWELL_S
    until((rig.folder / "written").exists)
    rig.programs.hurry()
    assert rig.programs.deadline() <= now().mono + FAREWELL_S
    rig.programs.wake(rig.programs.deadline())
    rig.loop.run()
    assert rig.written() == ["bound", "stop"]
    assert rig.said == [
        "job: renew left out: the client ends",
        "job: bound took longer than 5 s and is killed",
        f"job: bound ended with signal {signal.SIGKILL.value}",
        "job: stop ended with exit code 0",
    ]


def test_what_sets_something_is_done_even_at_the_end(rig: Rig) -> None:
    rig.program("echo $1 >> written")
    for name, place in (("running", ""), ("old", ""), ("set", "a"), ("new", "")):
        rig.programs.run(rig.job(name, place=place))
    rig.programs.hurry()
    rig.loop.run()
    assert rig.written() == ["running", "set", "new"]


def test_at_the_end_with_nothing_running_there_is_nothing_to_wait_for(rig: Rig) -> None:
    rig.programs.hurry()
    assert rig.programs.deadline() == inf
    assert rig.programs.idle()


def test_one_that_cannot_be_run_is_told_of_and_the_next_is_tried(rig: Rig) -> None:
    rig.programs.run(rig.job("one", "two"))
    rig.programs.run(rig.job("three"))
    assert [said.partition(" cannot be run: ")[0] for said in rig.said] == ["job: one", "job: three"]
    assert rig.programs.idle()
    assert rig.programs.deadline() == inf


def test_closing_ends_what_runs(rig: Rig) -> None:
    rig.program("sleep 1000")
    rig.programs.run(rig.job("one"))
    rig.programs.run(rig.job("two"))
    rig.programs.close()
    assert rig.programs.idle()
