"""Where a client's lines go: a file that is full and a log that nobody reads cost lines and nothing else."""

import os
import re
import socket
from contextlib import closing
from pathlib import Path

import pytest

from relet.errors import MachineError
from relet.run.sinks import MAX_LINE, LogFile, SystemLog


def test_a_file_has_a_line_after_its_time(tmp_path: Path) -> None:
    path = tmp_path / "client.log"
    path.write_text("before\n")
    log = LogFile(path)
    log.write("eth0: looking for a server")
    assert re.fullmatch(r"before\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d eth0: looking for a server\n", path.read_text())
    path.write_text("")  # cut by whoever looks after logs
    log.write("\udcff")
    assert path.read_text().endswith(" ?\n")
    log.close()
    log.close()
    log.write("after its end")


def test_a_new_file_is_not_everybodys(tmp_path: Path) -> None:
    with closing(LogFile(tmp_path / "log", timed=False)) as log:
        log.write('{"event":"bound"}')
    assert (tmp_path / "log").read_text() == '{"event":"bound"}\n'
    assert (tmp_path / "log").stat().st_mode & 0o027 == 0


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot write the log .*nowhere/log: No such file"):
        LogFile(tmp_path / "nowhere" / "log")


def test_a_full_disk_costs_a_line() -> None:
    with closing(LogFile(Path("/dev/full"))) as log:
        log.write("lost")


def test_the_system_log_gets_a_daemons_message(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(SystemLog(path)) as log, closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as reader:
        log.write("nobody is there yet")
        reader.bind(str(path))
        log.write("eth0: " + "x" * MAX_LINE * 2)
        heard = reader.recv(65536).decode()
        pattern = rf"<30>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d relet\[{os.getpid()}\]: eth0: x+"
        assert re.fullmatch(pattern, heard)
        assert len(heard.partition(": ")[2]) == MAX_LINE
        for _ in range(10_000):  # more than a socket holds, and nobody reads
            log.write("y" * 1000)
