"""The log: for people or for programs, whatever the network says, and whoever does not read it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from relet.cli import log
from relet.cli.log import MAX_LINE, MAX_VALUE, Lines, LogFormat, log_to_stderr

EVIL = "\x1b[2J\nforged line\u202e\x00"


@pytest.fixture(autouse=True)
def _structlog_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logged(form: LogFormat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **values: object) -> str:
    """What one warning with these values is on a descriptor that is no terminal."""
    with (tmp_path / "log").open("w+b") as file:
        monkeypatch.setattr(log, "STDERR", file.fileno())
        log_to_stderr(form)
        structlog.get_logger("relet.test").warning("address in use", **values)
        file.seek(0)
        return file.read().decode()


def test_programs_get_one_object_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = logged("auto", monkeypatch, tmp_path, address="192.168.1.5", hostname=EVIL)
    assert line.count("\n") == 1
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "message": "address in use",
        "level": "warning",
        "address": "192.168.1.5",
        "hostname": "\\x1b[2J\\nforged line\\u202e\\x00",
    }


def test_people_get_a_line_that_moves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = logged("human", monkeypatch, tmp_path, hostname=EVIL, address="192.168.1.5")
    assert line.count("\n") == 1
    assert line[:-1].isprintable()
    assert "[warning" in line
    assert "address=192.168.1.5" in line


def test_an_exception_is_told_to_programs_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    try:
        raise KeyError("a bug")
    except KeyError as error:
        said = json.loads(logged("json", monkeypatch, tmp_path, exc_info=error))
    assert said["exception"].endswith("KeyError: 'a bug'")


def test_long_values_are_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = json.loads(logged("json", monkeypatch, tmp_path, payload="a" * 9000 + "z"))
    assert len(said["payload"]) < MAX_VALUE + 10
    assert said["payload"].endswith("z")


@pytest.mark.parametrize(
    ("level", "prefix"), [("critical", "<2>"), ("error", "<3>"), ("warning", "<4>"), ("info", "<6>"), ("debug", "<7>")]
)
def test_the_journal_reads_the_level(level: str, prefix: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as file:
        getattr(Lines(file.fileno(), journal=True), level)("one\ntwo")
        file.seek(0)
        assert file.read().decode() == f"{prefix}one\n{prefix}two\n"


def test_the_journal_is_recognised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        status = os.fstat(file.fileno())
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
        assert not log.in_journal(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert log.in_journal(file.fileno())


def test_a_pipe_that_nobody_reads_costs_lines_and_no_time() -> None:
    reader, writer = os.pipe()
    lines = Lines(writer)
    for _ in range(1000):  # a pipe holds 16 lines of this length
        lines.info("x" * (MAX_LINE + 10))
    lost = lines.lost
    assert lost > 900
    heard = os.read(reader, 1 << 20)
    lines.info("here again")
    assert lines.lost == 0
    assert os.read(reader, 1 << 20).decode() == f"{lost} lines of the log were lost\nhere again\n"
    assert len(heard) == (1000 - lost) * MAX_LINE
    os.close(reader)
    os.close(writer)


def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    lines = Lines(writer)
    lines.error("nobody hears")
    assert lines.lost == 1
    os.close(writer)


def test_a_full_disk_is_no_error() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        lines = Lines(full.fileno())
        lines.error("no room")
        assert lines.lost == 1


def test_a_descriptor_that_is_closed_is_no_error(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        lines = Lines(file.fileno())
    lines.error("gone")
    assert lines.lost == 1
