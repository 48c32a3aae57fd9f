"""The host's DUID: taken from where there is one, made where there is none, and never changed without need (RFC 4361)."""

from pathlib import Path

import pytest

from relet.errors import MachineError
from relet.run import identity
from relet.run.identity import host_duid, iaid, said_identity

DUID = bytes.fromhex("000100013299d5d506c1ace014ab")
UUID = bytes.fromhex("0123456789abcdef0123456789abcdef")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without other clients and without a UUID of its firmware."""
    monkeypatch.setattr(identity, "OTHERS", (tmp_path / "dhcpcd",))
    monkeypatch.setattr(identity, "FIRMWARE", tmp_path / "product_uuid")
    return tmp_path


def test_a_duid_is_made_once_and_stays(alone: Path) -> None:
    duid, (note,) = host_duid(alone / "duid")
    assert (duid[:2], len(duid), duid[8] >> 4, duid[10] >> 6) == (b"\0\4", 18, 4, 0b10)
    assert note.text == f"this host's DUID is {duid.hex(':')} (made at random), kept in {alone}/duid"
    assert host_duid(alone / "duid") == (duid, [])
    assert host_duid(alone / "duid", DUID) == (duid, [])
    assert host_duid(alone / "another")[0] != duid


def test_an_operator_can_write_it(alone: Path) -> None:
    (alone / "duid").write_text("00:01:00:01:32:99:d5:d5:06:c1:ac:e0:14:ab\n")
    assert host_duid(alone / "duid") == (DUID, [])


def test_one_that_the_host_is_known_by_comes_before_all_others(alone: Path) -> None:
    (alone / "dhcpcd").write_text("00:04:" + UUID.hex(":"))
    assert host_duid(alone / "duid", DUID)[0] == DUID
    assert host_duid(alone / "duid") == (DUID, [])


def test_the_duid_of_a_dhcpv6_client_is_shared(alone: Path) -> None:
    (alone / "dhcpcd").write_text("00:01:00:01:32:99:d5:d5:06:c1:ac:e0:14:ab\n")
    duid, (note,) = host_duid(alone / "duid")
    assert duid == DUID
    assert f"(from {alone}/dhcpcd)" in note.text


@pytest.mark.parametrize("text", ["", "no", "00:04", "ff" * 131])
def test_a_file_of_another_client_that_has_none_is_passed_over(alone: Path, text: str) -> None:
    (alone / "dhcpcd").write_text(text)
    assert host_duid(alone / "duid")[0][:2] == b"\0\4"


def test_the_firmwares_uuid_outlives_the_disk(alone: Path) -> None:
    (alone / "product_uuid").write_text("01234567-89AB-CDEF-0123-456789ABCDEF\n")
    assert host_duid(alone / "duid")[0] == b"\0\4" + UUID
    assert host_duid(alone / "another")[0] == b"\0\4" + UUID


@pytest.mark.parametrize("text", ["03000200-0400-0500-0006-000700080009", "F" * 32, "0" * 32, "Not Settable"])
def test_what_many_boards_have_in_its_place_is_no_uuid(alone: Path, text: str) -> None:
    (alone / "product_uuid").write_text(text)
    duid, (note,) = host_duid(alone / "duid")
    assert "made at random" in note.text
    assert duid != b"\0\4" + UUID


@pytest.mark.parametrize("octets", [b"", b"00:04:zz", b"00:04", b"\xff\xfe", b"0" * 2000])
def test_a_broken_file_is_told_of_and_kept_aside(alone: Path, octets: bytes) -> None:
    (alone / "duid").write_bytes(octets)
    duid, (bad, made) = host_duid(alone / "duid", DUID)
    assert (duid, bad.kind, made.kind) == (DUID, "bad-duid", "duid")
    assert bad.text.startswith(f"{alone}/duid has no DUID: ")
    assert (alone / "duid.bad").read_bytes() == octets


def test_a_file_that_cannot_be_read_is_no_reason_to_be_somebody_else(alone: Path) -> None:
    (alone / "duid").symlink_to("duid")
    with pytest.raises(MachineError, match=r"the DUID in .*/duid cannot be read: Too many levels"):
        host_duid(alone / "duid")


def test_a_duid_that_cannot_be_kept_is_used_and_told_of(alone: Path) -> None:
    (alone / "folder").write_text("no folder")
    # The file is not there, and its folder cannot be made.
    duid, (note,) = host_duid(alone / "missing" / ".." / "folder" / "duid")
    assert len(duid) == 18
    assert "cannot be kept" in note.text


def test_an_iaid_is_the_interfaces_and_stays() -> None:
    assert (iaid("eth0"), iaid("eth1")) == (bytes.fromhex("f5b9c9a2"), bytes.fromhex("82bef934"))


@pytest.mark.parametrize(
    ("text", "who"),
    [("mac", "mac"), ("duid", "duid"), ("none", "none"), ("01:52:54", b"\1\x52\x54"), ("0007", b"\0\7")],
)
def test_what_an_operator_can_say(text: str, who: object) -> None:
    assert said_identity(text) == who


@pytest.mark.parametrize("text", ["", "xyz", "01", "MAC", "ab" * 256])
def test_what_an_operator_cannot_say(text: str) -> None:
    with pytest.raises(ValueError, match="write mac, duid, none, or octets such as 01:52:54:00:12:34:56"):
        said_identity(text)
