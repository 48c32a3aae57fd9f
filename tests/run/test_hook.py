"""The operator's program: what it is run with."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.run.hook import Hooks
from relet.run.loop import Loop
from relet.run.programs import Programs
from relet.run.variables import REASONS, environment


class Rig:
    """A hook that writes down what it sees, and the loop that it runs beside."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.loop = Loop(lambda: None, lambda: None)
        self.programs = Programs(self.loop, self.told)
        self.written = folder / "written"
        program = folder / "hook"
        program.write_text(f'#!/bin/sh\necho "$*" > {self.written}\nenv >> {self.written}\n')
        program.chmod(0o755)
        self.hooks = Hooks((str(program), "an argument"), self.programs)

    def told(self, kind: str, text: str) -> None:
        self.said.append(f"{kind}: {text}")
        self.loop.stop()

    def heard(self, reason: str) -> tuple[str, dict[str, str]]:
        """Arguments and environment of a run."""
        self.hooks.run(reason, environment(reason, "eth0"))
        self.loop.run()
        arguments, *variables = self.written.read_text().splitlines()
        return arguments, dict(line.split("=", 1) for line in variables)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.programs.close()
    rig.loop.close()


@pytest.mark.parametrize("reason", REASONS)
def test_it_has_one_more_argument_by_which_udhcpc_scripts_go(rig: Rig, reason: str) -> None:
    arguments, variables = rig.heard(reason)
    assert arguments == f"an argument {REASONS[reason][1]}"
    assert (variables["RELET_REASON"], variables["RELET_INTERFACE"]) == (reason, "eth0")
    assert rig.said == [f"hook: hook for {reason} ended with exit code 0"]


def test_of_our_own_environment_it_has_nothing_that_looks_like_a_value(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = ("RELET_OPTION_FROM_EARLIER", "new_ip_address", "old_routers", "dns", "router", "ip", "hostname")
    for name in stale:
        monkeypatch.setenv(name, "stale")
    monkeypatch.setenv("KEPT", "as it is")
    _, variables = rig.heard("stop")
    assert not variables.keys() & set(stale)
    assert variables["KEPT"] == "as it is"
    assert variables["PATH"] == os.environ["PATH"]


def test_it_has_a_path_even_if_we_have_none(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert "/usr/sbin" in rig.heard("stop")[1]["PATH"].split(":")


def test_without_a_program_nothing_runs(rig: Rig) -> None:
    Hooks((), rig.programs).run("bound", {})
    assert rig.programs.idle()
