"""The lease file: what is written comes back, what is broken is set aside, and no write can lose what was there."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from relet.model.effects import Binding, Note
from relet.run.leasefile import MAX_OCTETS, Identity, LeaseFile, default_path
from relet.wire.codes import INFINITE

ME = Identity(bytes.fromhex("525400000001"), None)
BINDING = Binding(
    address=0xC0A80105,
    server=0xC0A80101,
    requested_at=1700000000.25,
    lease_time=3600,
    t1=1800,
    t2=3150,
    options={53: b"\x05", 1: b"\xff\xff\xff\0", 12: b"host\xff", 224: b""},
    siaddr=0xC0A80102,
    sname=b"boot\xfe",
    file=b"image",
)


@pytest.fixture
def file(tmp_path: Path) -> LeaseFile:
    return LeaseFile(tmp_path / "folder" / "eth0.lease", ME)


def test_there_is_none_at_first(file: LeaseFile) -> None:
    assert file.read() == (None, None)
    file.remove()


@pytest.mark.parametrize(
    "binding", [BINDING, msgspec.structs.replace(BINDING, lease_time=INFINITE, t1=INFINITE, t2=INFINITE)]
)
def test_what_is_written_comes_back(file: LeaseFile, binding: Binding) -> None:
    file.write(BINDING)
    file.write(binding)
    assert file.read() == (binding, None)
    assert [each.name for each in file.path.parent.iterdir()] == ["eth0.lease"]


def test_what_is_removed_is_gone(file: LeaseFile) -> None:
    file.write(BINDING)
    file.remove()
    assert file.read() == (None, None)


def changed(octets: bytes, **fields: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(octets) | fields)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda octets: octets[:-20],
    "no JSON": lambda _: b"lease { interface eth0; }",
    "no UTF-8": lambda octets: octets.replace(b"relet", b"\xff\xfe"),
    "deep": lambda _: b"[" * 100000,
    "too long": lambda octets: octets + b" " * MAX_OCTETS,
    "another format": lambda octets: changed(octets, format="relet-lease-2"),
    "unknown field": lambda octets: changed(octets, more=1),
    "no address": lambda octets: changed(octets, address="192.168.1.256"),
    "an address of nobody": lambda octets: changed(octets, address="255.255.255.255"),
    "a loopback's address": lambda octets: changed(octets, address="127.0.0.1"),
    "a server of nowhere": lambda octets: changed(octets, server="0.0.0.0"),
    "no hexadecimal": lambda octets: changed(octets, options={"12": "xy"}),
    "impossible option": lambda octets: changed(octets, options={"255": "00"}),
    "T1 after T2": lambda octets: changed(octets, t1=3200),
    "no lease time": lambda octets: changed(octets, lease_time=0),
    "lease time of 33 bits": lambda octets: changed(octets, lease_time=1 << 32),
    "another host's": lambda octets: changed(octets, mac="52:54:00:00:00:02"),
    "another identifier's": lambda octets: changed(octets, client_id="01"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_used_is_kept_aside_and_told_of(file: LeaseFile, how: str) -> None:
    file.write(BINDING)
    octets = BROKEN[how](file.path.read_bytes())
    file.path.write_bytes(octets)
    binding, note = file.read()
    assert binding is None
    assert note is not None
    assert note.kind == "bad-lease-file"
    assert str(file.path) in note.text
    assert file.path.with_name("eth0.lease.bad").read_bytes() == octets
    assert file.read() == (None, None)


def test_a_write_that_fails_leaves_the_old_lease(file: LeaseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(BINDING)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file.write(msgspec.structs.replace(BINDING, address=1))
    monkeypatch.undo()
    assert file.read() == (BINDING, None)
    assert [each.name for each in file.path.parent.iterdir()] == ["eth0.lease"]


def test_what_cannot_be_moved_aside_is_told_of_all_the_same(file: LeaseFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.path.parent.mkdir()
    file.path.write_text("{")

    def read_only(_path: Path, _target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", read_only)
    binding, note = file.read()
    assert binding is None
    assert note is not None
    assert note.text.endswith("it cannot be moved aside: Read-only file system")


def test_what_cannot_be_read_is_told_of_and_no_lease(file: LeaseFile) -> None:
    file.path.mkdir(parents=True)
    binding, note = file.read()
    assert binding is None
    assert note == Note("bad-lease-file", f"{file.path} cannot be read: Is a directory")


def test_octets_are_synced_before_they_take_the_place_and_the_folder_after(
    file: LeaseFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(BINDING)
    synced: list[tuple[str, str]] = []

    def sync(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), file.path.read_text()))

    monkeypatch.setattr(os, "fsync", sync)
    old = file.path.read_text()
    file.write(msgspec.structs.replace(BINDING, address=1))
    new = file.path.read_text()
    assert synced == [(str(file.path.with_name(".eth0.lease.new")), old), (str(file.path.parent), new)]


def test_a_link_planted_in_its_place_is_not_followed(file: LeaseFile, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    file.path.parent.mkdir()
    file.path.with_name(".eth0.lease.new").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        file.write(BINDING)
    assert victim.read_text() == "precious"


def test_the_default_place_bears_the_interfaces_name() -> None:
    assert default_path("eth0") == Path("/var/lib/relet/eth0.lease")
