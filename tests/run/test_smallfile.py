"""Small files: whole at every moment, for their owner alone, and nothing that was planted in their place does harm."""

import os
from pathlib import Path

import pytest

from relet.run import smallfile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "file"


def test_what_is_written_is_read_and_nobody_else_may(path: Path) -> None:
    smallfile.write(path, b"one")
    smallfile.write(path, b"two")
    assert smallfile.read(path, 3) == b"two"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_folder_that_is_there_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    smallfile.write(path, b"one")
    assert path.parent.stat().st_mode & 0o777 == 0o755


def test_what_is_too_long_or_no_file_is_not_read(path: Path) -> None:
    smallfile.write(path, b"four")
    with pytest.raises(ValueError, match="more than 3 octets"):
        smallfile.read(path, 3)
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="no regular file"):
        smallfile.read(pipe, 3)
    with pytest.raises(FileNotFoundError):
        smallfile.read(path.with_name("none"), 3)


def test_links_are_followed_only_if_wanted(path: Path) -> None:
    smallfile.write(path, b"one")
    link = path.with_name("link")
    link.symlink_to(path)
    assert smallfile.read(link, 3, follow=True) == b"one"
    with pytest.raises(OSError, match="symbolic links"):
        smallfile.read(link, 3)


@pytest.mark.parametrize("hard", [False, True], ids=["symbolic", "hard"])
def test_a_link_planted_beside_it_is_not_written_through(path: Path, tmp_path: Path, hard: bool) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.parent.mkdir()
    beside = path.with_name(".file.new")
    if hard:
        beside.hardlink_to(victim)
    else:
        beside.symlink_to(victim)
    smallfile.write(path, b"one")
    assert (victim.read_text(), smallfile.read(path, 3)) == ("precious", b"one")
    assert not path.is_symlink()


def test_a_write_that_fails_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smallfile.write(path, b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        smallfile.write(path, b"two")
    monkeypatch.undo()
    assert smallfile.read(path, 3) == b"one"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_octets_are_synced_before_they_take_the_place_and_the_folder_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smallfile.write(path, b"one")
    synced: list[tuple[str, bytes]] = []

    def sync(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    smallfile.write(path, b"two")
    assert synced == [(str(path.with_name(".file.new")), b"one"), (str(path.parent), b"two")]


def test_what_is_removed_is_gone_and_may_have_been(path: Path) -> None:
    smallfile.remove(path)
    smallfile.write(path, b"one")
    smallfile.remove(path)
    smallfile.remove(path)
    assert not path.exists()


def test_what_is_set_aside_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smallfile.write(path, b"one")
    assert smallfile.set_aside(path) == f"it is kept as {path}.bad"
    assert (path.exists(), path.with_name("file.bad").read_bytes()) == (False, b"one")

    def read_only(_path: Path, _target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", read_only)
    assert smallfile.set_aside(path) == "it cannot be moved aside: Read-only file system"


def test_files_are_found_by_pattern(path: Path) -> None:
    assert smallfile.like(path.parent, "*", 9) == []
    for name in ("b.lease", "a.lease", "a.lease6"):
        smallfile.write(path.with_name(name), b"")
    assert [each.name for each in smallfile.like(path.parent, "*.lease", 9)] == ["a.lease", "b.lease"]
    assert [each.name for each in smallfile.like(path.parent, "*", 1)] == ["a.lease"]
    assert smallfile.like(path, "*", 9) == []
