"""The lease file: what is written comes back, what is broken costs nothing else, and no format is taken for another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from relet.client.memory import MAX_NETWORKS
from relet.model.effects import Binding, Gateway, Note, Remembered
from relet.run.leasefile import default_path, load, save
from relet.run.leaseformat import MAX_OCTETS, Content, Identity, Kept, Taken, decode, encode
from relet.wire.codes import INFINITE

ME = Identity(bytes.fromhex("525400000001"), None)
ALSO_ME = Identity(ME.mac, b"\1" + ME.mac)
OTHER = Identity(bytes.fromhex("525400000002"), None)
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
LEASE = Remembered(BINDING, Gateway(0xC0A80101, bytes.fromhex("525400000099")))
PLAIN = Remembered(replace(BINDING, address=0x0A000005, options={}))
CONTENT = Content((Kept(ME, LEASE), Kept(OTHER, PLAIN)), Taken(ALSO_ME, "/var/lib/dhcpcd/eth0.lease"))

FORMAT_1 = b"""{
  "format": "relet-lease-1", "mac": "52:54:00:00:00:01", "client_id": null,
  "address": "192.168.1.5", "server": "192.168.1.1", "requested_at": 1700000000.25,
  "lease_time": 3600, "t1": 1800, "t2": 3150,
  "options": {"53": "05", "1": "ff:ff:ff:00", "12": "68:6f:73:74:ff", "224": ""},
  "siaddr": "192.168.1.2", "sname": "62:6f:6f:74:fe", "file": "69:6d:61:67:65"
}
"""


@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        Content(),
        Content(taken=Taken(ME, "dhclient.leases")),
        Content((Kept(ALSO_ME, Remembered(replace(BINDING, lease_time=INFINITE, t1=INFINITE, t2=INFINITE))),)),
    ],
)
def test_what_is_written_comes_back(content: Content) -> None:
    assert decode(encode(content)) == (content, [])


def test_the_format_that_was_before_is_read() -> None:
    assert decode(FORMAT_1) == (Content((Kept(ME, Remembered(BINDING)),)), [])


@pytest.mark.parametrize("name", ["relet-lease-3", "relet-lease-12"])
def test_a_newer_format_is_called_that(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"written by a newer relet: its format is {name}, this one knows relet-lease-2"
    ):
        decode(msgspec.json.encode({"format": name, "leases": 7}))


def test_each_identity_has_its_own_leases() -> None:
    assert CONTENT.of(ME) == (LEASE,)
    assert CONTENT.of(OTHER) == (PLAIN,)
    assert CONTENT.of(ALSO_ME) == ()
    later = CONTENT.replacing(OTHER, (PLAIN, LEASE))
    assert (later.of(OTHER), later.of(ME), later.taken) == ((PLAIN, LEASE), (LEASE,), CONTENT.taken)
    assert later.kept[0].identity == OTHER
    assert later.replacing(OTHER, ()).kept == (Kept(ME, LEASE),)


def numbered(number: int, options: dict[int, bytes] = {}) -> Remembered:  # noqa: B006
    return replace(PLAIN, binding=replace(BINDING, address=0x0A000001 + number, options=options))


def full(options: dict[int, bytes]) -> Content:
    """As many leases as there can be, all with these options."""
    return Content().replacing(ME, tuple(numbered(n, options) for n in range(MAX_NETWORKS)))


def test_the_leases_longest_unused_go_when_there_are_too_many() -> None:
    """A host with a random hardware address for each network has a lease of each."""
    content = Content()
    for n in range(MAX_NETWORKS + 3):
        content = content.replacing(Identity(n.to_bytes(6), None), (numbered(n),))
    assert [kept.identity.mac[-1] for kept in content.kept] == list(range(MAX_NETWORKS + 2, 2, -1))


def test_the_file_is_never_longer_than_what_is_read() -> None:
    """Every lease from a server that filled a whole datagram, with as many options as there can be."""
    content = full({code: bytes(257) for code in range(1, 255)})
    octets = encode(content)
    back, problems = decode(octets)
    assert MAX_OCTETS // 2 < len(octets) <= MAX_OCTETS
    assert problems == []
    assert 1 < len(back.kept) < MAX_NETWORKS
    assert back.kept == content.kept[: len(back.kept)]


def test_the_layout_never_makes_it_too_long() -> None:
    octets = encode(full(dict.fromkeys(range(1, 255), b"")))
    assert len(octets) - len(msgspec.json.encode(msgspec.json.decode(octets))) < 1 << 16


def changed(octets: bytes, **fields: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(octets) | fields)


USELESS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda octets: octets[:-20],
    "no JSON": lambda _: b"lease { interface eth0; }",
    "no UTF-8": lambda octets: octets.replace(b"relet", b"\xff\xfe"),
    "deep": lambda _: b"[" * 100000,
    "too long": lambda octets: octets + b" " * MAX_OCTETS,
    "another format": lambda octets: changed(octets, format="lease-2"),
    "a format without number": lambda octets: changed(octets, format="relet-lease-²"),
    "a newer format": lambda octets: changed(octets, format="relet-lease-3"),
    "no format": lambda _: b"{}",
    "unknown field": lambda octets: changed(octets, more=1),
    "no list": lambda octets: changed(octets, leases={}),
    "an identity of nobody": lambda octets: changed(octets, taken={"mac": "", "client_id": None, "source": ""}),
    "the format before, with what it had not": lambda _: FORMAT_1.replace(b'"mac"', b'"more": 1, "mac"'),
}


@pytest.mark.parametrize("how", USELESS)
def test_what_cannot_be_used_is_kept_aside_and_told_of(tmp_path: Path, how: str) -> None:
    path = tmp_path / "eth0.lease"
    octets = USELESS[how](encode(CONTENT))
    path.write_bytes(octets)
    content, (note,) = load(path)
    assert (content, note.kind) == (None, "bad-lease-file")
    assert note.text.startswith(f"{path} cannot be used: ")
    assert path.with_name("eth0.lease.bad").read_bytes() == octets
    assert load(path) == (None, [])


BROKEN: dict[str, dict[str, Any]] = {
    "unknown field": {"more": 1},
    "no address": {"address": "192.168.1.256"},
    "an address of nobody": {"address": "255.255.255.255"},
    "a loopback's address": {"address": "127.0.0.1"},
    "a server of nowhere": {"server": "0.0.0.0"},
    "no hexadecimal": {"options": {"12": "xy"}},
    "impossible option": {"options": {"255": "00"}},
    "T1 after T2": {"t1": 3200},
    "no lease time": {"lease_time": 0},
    "lease time of 33 bits": {"lease_time": 1 << 32},
    "a lease from before time": {"requested_at": -1},
    "a lease from beyond time": {"requested_at": 1e300},
    "no hardware address": {"mac": ""},
    "an identifier that is none": {"client_id": "no"},
    "a gateway that is none": {"gateway": {"address": "0.0.0.0", "mac": "52:54:00:00:00:09"}},
    "a gateway without hardware": {"gateway": {"address": "10.0.0.1", "mac": ""}},
    "no object": {},
}


@pytest.mark.parametrize("how", BROKEN)
def test_one_broken_lease_costs_none_of_the_others(tmp_path: Path, how: str) -> None:
    path = tmp_path / "eth0.lease"
    file = msgspec.json.decode(encode(CONTENT))
    file["leases"].insert(1, file["leases"][0] | BROKEN[how] if BROKEN[how] else [[["deep"]]])
    path.write_bytes(msgspec.json.encode(file))
    content, (note,) = load(path)
    assert content == CONTENT
    assert note.kind == "bad-lease-file"
    assert note.text.startswith(f"{path}: lease 2 cannot be used: ")


def test_a_file_with_too_many_leases_is_read_to_the_bound() -> None:
    file = msgspec.json.decode(encode(CONTENT))
    file["leases"] = [file["leases"][0]] + [{}] * 100_000
    content, problems = decode(msgspec.json.encode(file))
    assert content.kept == CONTENT.kept[:1]
    assert len(problems) == MAX_NETWORKS
    assert problems[-1] == f"only the first {MAX_NETWORKS} of 100001 leases are read"


def test_a_file_is_there_while_there_is_something_to_remember(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "eth0.lease"
    assert load(path) == (None, [])
    save(path, CONTENT)
    assert load(path) == (CONTENT, [])
    assert path.stat().st_mode & 0o777 == 0o600
    save(path, Content(taken=CONTENT.taken))
    assert load(path) == (Content(taken=CONTENT.taken), [])
    save(path, Content())
    assert list(path.parent.iterdir()) == []


def test_what_cannot_be_read_is_told_of_and_no_lease(tmp_path: Path) -> None:
    path = tmp_path / "eth0.lease"
    path.symlink_to("elsewhere")
    text = f"{path} cannot be read: Too many levels of symbolic links"
    assert load(path) == (None, [Note("bad-lease-file", text)])


def test_the_default_place_bears_the_interfaces_name() -> None:
    assert default_path("eth0") == Path("/var/lib/relet/eth0.lease")
