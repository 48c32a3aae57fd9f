"""What a program does to its files is read off its system calls, by whatever call and thread it does it."""

import sys
from pathlib import Path

import pytest

from crash.disk import Create, Disk, Rename, Sync, Truncate, Unlink, Write, everything, nothing
from crash.strace import Recording, read, record

PROGRAM = """
import os, sys, threading
folder, said = sys.argv[1:]
os.chdir(folder)
lines = os.open(said, os.O_WRONLY | os.O_CREAT)

def relative():
    a = os.open(f"{folder}/a", os.O_RDWR | os.O_CREAT)
    os.write(a, b"one")
    os.write(a, b"two")
    os.lseek(a, 1, 0)
    os.writev(a, [b"N", b"E"])
    os.pwrite(a, b"!", 5)
    os.fsync(a)
    os.write(lines, b"a is safe")
    b = os.open(f"{folder}/b", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(b, b"first")
    os.close(b)
    b = os.open(f"{folder}/b", os.O_WRONLY | os.O_APPEND)
    os.write(b, b"second")
    os.ftruncate(b, 8)

thread = threading.Thread(target=relative)
thread.start()
thread.join()
os.rename(f"{folder}/b", f"{folder}/c")
os.close(os.open(f"{folder}/d", os.O_WRONLY | os.O_CREAT | os.O_DSYNC))
d = os.open(f"{folder}/d", os.O_WRONLY | os.O_TRUNC | os.O_DSYNC)
os.write(d, b"synced")
os.unlink(f"{folder}/a")
top = os.open(folder, os.O_RDONLY)
os.fsync(top)
"""


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    folder = tmp_path / "folder"
    folder.mkdir()
    return record([sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "said")], folder, tmp_path / "strace")


def test_the_files_are_those_that_the_program_left(recording: Recording, tmp_path: Path) -> None:
    now = Disk()
    for op in recording.ops:
        now.do(op)
    there = {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()}
    assert there == {"c": b"firstsec", "d": b"synced"}
    assert now.left(everything()) == there
    assert now.left(nothing()) == {"c": b"", "d": b"synced"}


def test_every_call_is_seen(recording: Recording, tmp_path: Path) -> None:
    kinds = [type(op) for op in recording.ops]
    assert kinds == [
        *(Create, Write, Write, Write, Write, Sync, Create, Write, Write, Truncate),
        *(Rename, Create, Truncate, Write, Sync, Unlink, Sync),
    ]
    assert [line.octets for line in recording.said if line.path == str(tmp_path / "said")] == [b"a is safe"]
    assert all(op.begun <= op.ended for op in recording.ops)


HEAD = """
import mmap, os, sys
folder = sys.argv[1]
a = os.open(f"{folder}/a", os.O_RDWR | os.O_CREAT)
os.write(a, b"one")
"""


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("os.link(f'{folder}/a', f'{folder}/b')", "not understood: link"),
        ("mmap.mmap(a, 3)", "written through memory"),
        ("os.rename(f'{folder}/a', folder + '.a')", "out of the folder"),
    ],
)
def test_what_is_not_understood_is_no_success(tmp_path: Path, program: str, complaint: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(AssertionError, match=complaint):
        record([sys.executable, "-c", HEAD + program, str(folder)], folder, tmp_path / "strace")


def test_the_record_of_a_killed_program_ends_anywhere(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    text = "".join(f"\\x{octet:02x}" for octet in f"{folder}/a".encode())
    log = tmp_path / "strace"
    log.write_text(
        f'7 1.5 openat(AT_FDCWD, "{text}", O_RDWR|O_CREAT, 0644) = 3<{text}>\n'
        f'7 1.6 pwrite64(3<{text}>, "\\x61", 1, 0 <unfinished ...>\n'
        f'8 1.7 pwrite64(3<{text}>, "\\x62", 1, 1 <unfinished ...>\n'
        f"7 1.8 <... pwrite64 resumed>) = 1\n"
        f"7 1.9 fdatasync(3<{text}> <unfinished ...>\n"
        "7 2.0 pwr"
    )
    recording = read(log, folder)
    assert recording.ops == [Create(0, 0, "a"), Write(1, 3, "a", 0, b"a"), Write(2, 6, "a", 1, b"b")]
    assert recording.at == [1.5, 1.6, 1.7, 1.8, 1.9, 2.0]
