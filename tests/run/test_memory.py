"""A client's memory: as whom it remembers what, what it takes over from another client, and when it does not."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from relet.client.identity import by_duid
from relet.model.effects import Binding, Gateway, Remembered
from relet.net.link import LinkInfo
from relet.run import identity
from relet.run.identity import iaid
from relet.run.leasefile import load
from relet.run.leaseformat import Identity, Taken
from relet.run.memory import Memory, Recall
from relet.wire.address import parse_ip

MAC = bytes.fromhex("525400000001")
LINK = LinkInfo("c0", 7, MAC, 1500, True)
NOW = 1_700_000_000.0
DUID = bytes.fromhex("000100013299d5ce06c1ace014ab")
LEASE = Remembered(
    Binding(parse_ip("192.168.1.100"), parse_ip("192.168.1.1"), NOW - 60, 3600, 1800, 3150, {1: b"\xff\xff\xff\0"}),
    Gateway(parse_ip("192.168.1.1"), bytes.fromhex("525400000099")),
)

DHCLIENT = """
lease {
  interface "c0";
  fixed-address 10.0.0.5;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 10.0.0.1;
  expire epoch 1699999000;
}
lease {
  interface "c0";
  fixed-address 192.168.1.101;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 192.168.1.1;
  option dhcp-client-identifier "\\001abc";
  expire epoch 1700001000;
}
lease {
  interface "c0";
  fixed-address 192.168.1.102;
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 192.168.1.1;
  option dhcp-client-identifier "\\001abc";
  expire epoch 1700002000;
}
"""
THEIR_ID = b"\1abc"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which nobody else has left anything."""
    monkeypatch.setattr(identity, "OTHERS", ())
    monkeypatch.setattr(identity, "FIRMWARE", tmp_path / "none")
    return tmp_path


def recall(root: Path, **more: object) -> Recall:
    return replace(Recall(root / "relet" / "c0.lease"), **more)


def memory(root: Path, link: LinkInfo = LINK, **more: object) -> Memory:
    return Memory(link, recall(root, **more), NOW, root)


def dhclient(root: Path, text: str = DHCLIENT) -> Path:
    path = root / "var" / "lib" / "dhcp" / "dhclient.leases"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def kinds(of: Memory) -> list[str]:
    return [note.kind for note in of.notes]


def test_what_is_remembered_is_there_at_the_next_start(root: Path) -> None:
    first = memory(root)
    assert (first.leases, first.identity, first.notes) == ((), Identity(MAC, None), [])
    first.remember((LEASE,))
    assert memory(root).leases == first.leases == (LEASE,)
    first.remember(())
    assert memory(root).leases == ()
    assert not (root / "relet" / "c0.lease").exists()


def test_a_lease_is_of_use_to_the_one_that_it_was_granted_to(root: Path) -> None:
    memory(root).remember((LEASE,))
    other = replace(LINK, mac=bytes.fromhex("525400000002"))
    assert memory(root, other).leases == ()
    assert memory(root, who="mac").leases == ()
    memory(root, other).remember((replace(LEASE, gateway=None),))
    # A host that has an address of its hardware for each network finds the lease of each.
    assert memory(root).leases == (LEASE,)
    assert memory(root, other).leases == (replace(LEASE, gateway=None),)


def test_what_another_client_has_left_is_taken_over_and_its_identity_stays(root: Path) -> None:
    path = dhclient(root)
    first = memory(root)
    assert first.identity == Identity(MAC, THEIR_ID)
    assert [lease.binding.address for lease in first.leases] == [parse_ip("192.168.1.102")]
    (note,) = first.notes
    assert note.kind == "imported"
    assert note.text == f"taken over from {path}: 192.168.1.102, with client identifier 01:61:62:63"
    first.remember((LEASE,))
    path.unlink()
    second = memory(root)
    assert (second.identity, second.leases, second.notes) == (Identity(MAC, THEIR_ID), (LEASE,), [])
    second.remember(())
    # Given back; what is left in the other client's file is not taken up again, and servers still know the host.
    path.write_text(DHCLIENT)
    third = memory(root)
    assert (third.identity, third.leases, third.notes) == (Identity(MAC, THEIR_ID), (), [])


def test_an_operator_says_otherwise(root: Path) -> None:
    dhclient(root)
    memory(root).remember((LEASE,))
    assert memory(root, who="none").identity.client_id is None
    assert memory(root, who="mac").identity.client_id == b"\1" + MAC
    assert memory(root, who=b"\0x").identity.client_id == b"\0x"
    assert memory(root).identity.client_id == THEIR_ID


def test_an_identity_goes_with_its_hardware(root: Path) -> None:
    dhclient(root)
    memory(root).remember((LEASE,))
    assert memory(root, replace(LINK, mac=bytes.fromhex("525400000002"))).identity.client_id is None


def test_leases_that_are_over_tell_who_the_host_is_all_the_same(root: Path) -> None:
    dhclient(root, DHCLIENT.replace("epoch 1", "epoch "))
    taken = memory(root)
    assert (taken.identity.client_id, taken.leases) == (THEIR_ID, ())
    assert "no lease that lasts" in taken.notes[0].text


@pytest.mark.parametrize("more", [{"take_over": False}, {"anonymous": True}])
def test_nothing_is_taken_over_against_the_operators_will(root: Path, more: dict[str, bool]) -> None:
    dhclient(root)
    nothing = memory(root, LINK, **more)
    assert (nothing.leases, nothing.notes) == ((), [])


def test_nothing_is_taken_over_when_there_is_a_file_of_our_own(root: Path) -> None:
    memory(root).remember((LEASE,))
    dhclient(root)
    assert (memory(root).leases, memory(root).notes) == ((LEASE,), [])


def test_a_file_that_is_named_is_taken_in_beside_our_own(root: Path) -> None:
    memory(root).remember((LEASE,))
    path = dhclient(root)
    for _ in range(2):
        named = memory(root, take_from=path)
        assert named.identity.client_id == THEIR_ID
        assert [lease.binding.address for lease in named.leases] == [parse_ip("192.168.1.102")]
        assert memory(root, take_from=path, who="none").leases == (LEASE,)
        named.remember(named.leases)


def test_a_named_file_that_is_of_no_use_is_told_of(root: Path) -> None:
    path = root / "file"
    assert kinds(memory(root, take_from=path)) == ["not-imported"]
    path.write_text("nothing")
    assert kinds(memory(root, take_from=path)) == ["not-imported"]
    path.write_text(DHCLIENT.replace("c0", "c1"))
    (note,) = memory(root, take_from=path).notes
    assert (note.kind, note.text) == ("not-imported", f"{path} has no lease of c0")
    dhclient(root, "")
    assert memory(root).notes == []


def test_a_broken_file_of_our_own_is_replaced_by_what_there_is(root: Path) -> None:
    dhclient(root)
    lease_file = root / "relet" / "c0.lease"
    lease_file.parent.mkdir()
    lease_file.write_text("broken")
    assert kinds(memory(root)) == ["bad-lease-file", "imported"]


def test_anonymity_is_the_hardware_address_and_nothing_else(root: Path) -> None:
    """R7844-3.5-01."""
    dhclient(root)
    memory(root).remember((LEASE,))
    for who in (None, "duid", "none", b"\0secret"):
        nobody = memory(root, anonymous=True, who=who)
        assert nobody.identity == Identity(MAC, b"\1" + MAC)
        assert nobody.leases == ()
    assert not (root / "relet" / "duid").exists()


def test_one_duid_for_all_interfaces_and_an_iaid_for_each(root: Path) -> None:
    """R4361-6.1-01 to -07, as far as there is something to do for the client."""
    one, two = memory(root, who="duid"), memory(root, replace(LINK, name="c1", mac=bytes(5) + b"\2"), who="duid")
    assert one.identity.client_id is not None
    duid = one.identity.client_id[5:]
    assert one.identity.client_id == by_duid(iaid("c0"), duid)
    assert two.identity.client_id == by_duid(iaid("c1"), duid)
    assert iaid("c0") != iaid("c1")
    assert MAC not in one.identity.client_id
    assert kinds(one) == ["duid"]
    assert kinds(two) == []
    # It outlives the hardware, and the process.
    assert memory(root, replace(LINK, mac=bytes(5) + b"\3"), who="duid").identity.client_id == one.identity.client_id


def test_the_duid_that_servers_know_is_kept_with_its_iaid(root: Path) -> None:
    """dhcpcd and dhclient make the IAID of the hardware address; a host that comes from them stays who it was."""
    their_id = by_duid(MAC[-4:], DUID)
    dhclient(root, DHCLIENT.replace('"\\001abc"', their_id.hex(":")))
    assert memory(root, who="duid").identity.client_id == their_id
    assert (root / "relet" / "duid").read_text() == DUID.hex(":") + "\n"


def test_a_lost_duid_is_found_again_in_what_is_remembered(root: Path) -> None:
    first = memory(root, who="duid")
    first.remember((LEASE,))
    (root / "relet" / "duid").write_text("broken")
    second = memory(root, who="duid")
    assert second.identity == first.identity
    assert second.leases == (LEASE,)
    assert kinds(second) == ["bad-duid", "duid"]


def test_leases_of_several_sources_are_put_in_order(root: Path) -> None:
    """The newest says who the host is; those of another identity are kept for it."""
    dhclient(root)
    networkd = root / "run" / "systemd" / "netif" / "leases" / "7"
    networkd.parent.mkdir(parents=True)
    networkd.write_text(
        "ADDRESS=10.9.0.9\nNETMASK=255.255.255.0\nSERVER_ADDRESS=10.9.0.1\nLIFETIME=4000000000\nCLIENTID=ff00\n"
    )
    both = memory(root)
    assert both.identity.client_id == b"\xff\0"
    assert [lease.binding.address for lease in both.leases] == [parse_ip("10.9.0.9")]
    both.remember(both.leases)
    content, _ = load(root / "relet" / "c0.lease")
    assert content is not None
    assert content.taken == Taken(Identity(MAC, b"\xff\0"), str(networkd))
    assert [lease.binding.address for lease in content.of(Identity(MAC, THEIR_ID))] == [parse_ip("192.168.1.102")]


def test_a_file_that_cannot_be_written_is_named_whatever_the_kernel_says(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    file = root / "c0.lease"
    memory = Memory(LINK, Recall(file, take_over=False), NOW, root)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=f"the lease file {file} stays as it was: No space left on device"):
        memory.remember((LEASE,))
