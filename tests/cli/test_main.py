"""How every command begins and ends: exit codes, errors in words, and only what is called is loaded."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relet import __version__
from relet.cli import main as cli
from relet.errors import ConfigError, Problem, ReletError, StoreError, WireError
from support import commands

TIMEOUT_S = 60


def relet(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the program as a user would."""
    command = [sys.executable, "-m", "relet", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False)


def test_version() -> None:
    ended = relet("--version")
    assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (0, f"relet {__version__}\n", b"")


def test_help_names_every_command() -> None:
    ended = relet("--help")
    assert ended.returncode == 0
    for command in cli.COMMANDS:
        assert f"  {command.name} " in ended.stdout.decode()


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("--nonsense",), ("decode", "--nonsense")])
def test_wrong_use_is_2(arguments: tuple[str, ...]) -> None:
    ended = relet(*arguments)
    assert ended.returncode == 2
    assert b"Usage: relet" in ended.stdout + ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("decode", "--help")])
def test_only_what_is_called_is_loaded(arguments: tuple[str, ...]) -> None:
    """No command pulls in another one's libraries."""
    program = (
        "import sys\n"
        "from relet.cli.main import main\n"
        f"sys.argv = ['relet', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sorted(sys.modules))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=TIMEOUT_S, check=False, text=True
    )
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "relet.cli.main" in loaded
    heavy = {"pyroute2", "sqlite3", "asyncio", "structlog", "relet.server", "relet.client", "relet.net", "relet.store"}
    if "decode" not in arguments:
        heavy |= {"pydantic", "rich.console", "typer", "msgspec", "argparse", "relet.wire"}
    assert not loaded & heavy


SLOW_TO_LOAD = {
    "typer", "click", "rich", "structlog", "pydantic", "pyroute2", "asyncio", "logging", "dataclasses", "inspect", "ast",
    "typing_extensions", "subprocess", "threading", "tempfile", "random", "shutil", "json", "traceback",
    "relet.server", "relet.config", "relet.store", "relet.lab",
}  # fmt: skip
"""What a client must have no need of: loading it would take a good part of the time to the first message, or more."""


def test_a_client_loads_nothing_that_is_slow() -> None:
    program = (
        "import gc, sys\n"
        "from relet.cli.main import run\n"
        "try:\n"
        "    run(['client', '--help'])\n"
        "finally:\n"
        "    print(gc.isenabled(), gc.get_freeze_count() > 10000)\n"
        "    print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False, text=True)
    assert ended.returncode == 0
    *_, garbage, modules = ended.stdout.splitlines()
    assert garbage == "True True"  # is looked for, but not in what was loaded
    loaded = set(modules.split())
    assert {"relet.client.machine", "relet.run.acquire"} <= loaded
    assert loaded & SLOW_TO_LOAD == set()


def test_what_was_left_out_for_speed_is_there_for_others() -> None:
    program = "import relet.cli.lean, msgspec, typing_extensions, sys\nsys.exit(not typing_extensions.Required)"
    assert subprocess.run([sys.executable, "-c", program], timeout=TIMEOUT_S, check=False).returncode == 0


def test_a_library_that_is_there_already_stays_as_it_is() -> None:
    program = (
        "import typing_extensions as before, sys, relet.cli.lean\nsys.exit(sys.modules[before.__name__] is not before)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=TIMEOUT_S, check=False).returncode == 0


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError([Problem("a.toml", 3, "store", "is odd", "write 'x'")]), 1, "a.toml:3: store: is odd; write 'x'"),
        (WireError("bad-op", 7, "found 9"), 1, "relet: bad-op at offset 7: found 9"),
        (ReletError("anything else"), 1, "relet: anything else"),
        (StoreError("disk full"), 3, "relet: disk full"),
        (FileNotFoundError(2, "No such file", "leases.db"), 3, "relet: leases.db: No such file"),
        (PermissionError("no raw sockets"), 3, "relet: no raw sockets"),
    ],
)
def test_errors_end_in_words(
    error: Exception, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "_load", lambda _: fail)
    monkeypatch.setattr(sys, "argv", ["relet", "serve"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"{told}\n"


def test_an_interrupt_while_the_program_is_loaded_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    ended = subprocess.run(
        [sys.executable, "-m", "relet", "check", "a.toml"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


@pytest.mark.parametrize("loaded", [False, True])
def test_an_interrupt_is_130(loaded: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Both while the command's module is loaded and while the command runs."""

    def command() -> None:
        raise KeyboardInterrupt

    def load(_: str) -> Callable[[], None]:
        if not loaded:
            raise KeyboardInterrupt
        return command

    monkeypatch.setattr(cli, "_load", load)
    monkeypatch.setattr(sys, "argv", ["relet", "serve"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_our_own_bugs_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(cli, "_load", lambda _: fail)
    monkeypatch.setattr(sys, "argv", ["relet", "serve"])
    with pytest.raises(KeyError):
        cli.main()


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
@pytest.mark.parametrize("help_option", ["--help", "-h"])
def test_every_command_exists(command: cli.Command, help_option: str) -> None:
    ended = commands.relet(command.name, help_option)
    assert (ended.code, ended.err) == (0, "")
    assert f"relet {command.name} [OPTIONS]" in ended.out


@pytest.mark.parametrize("called", ["nonsense", "--nonsense", "Client", "relet.cli.client"])
def test_what_does_not_exist_is_named(called: str) -> None:
    ended = commands.relet(called)
    assert (ended.code, ended.out) == (2, "")
    assert f"{called!r}; 'relet --help' tells what there is" in ended.err
