"""Lease files of other clients as their programs write them, and as they are when something went wrong."""

import random
from pathlib import Path

import pytest

from relet.client.identity import by_duid
from relet.model.effects import Note
from relet.net.link import LinkInfo
from relet.run.foreign import dhclient, dhcpcd, networkd
from relet.run.foreign.found import Found
from relet.run.foreign.places import MAX_FILES, places
from relet.run.foreign.search import MAX_OCTETS, read, search
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from relet.wire.message import BOOTREPLY, Message, encode

MAC = bytes.fromhex("06c1ace014ab")
LINK = LinkInfo("c0", 7, MAC, 1500, True)
DUID = bytes.fromhex("000100013299d5ce06c1ace014ab")

DHCLIENT = r"""
default-duid "\000\001\000\0012\231\325\316\006\301\254\340\024\253";
# of another interface
lease {
  interface "c1";
  fixed-address 192.168.9.9;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 192.168.9.1;
  expire 3 2026/11/25 18:22:22;
}
lease {
  interface "c0";
  fixed-address 10.0.0.5;
  filename "pxe\"linux";
  option subnet-mask 255.255.0.0;
  option dhcp-lease-time 600;
  option dhcp-server-identifier 10.0.0.1;
  option dhcp-client-identifier 1:6:c1:ac:e0:14:ab;
  renew never;
  expire epoch 1795000000; # Tue Nov 17
}
lease {
  interface "c0";
  fixed-address 192.168.1.101;
  option subnet-mask 255.255.255.0;
  option routers 192.168.1.1,192.168.1.2;
  option dhcp-lease-time 3600;
  option dhcp-message-type 5;
  option dhcp-server-identifier 192.168.1.1;
  option dhcp-renewal-time 1800;
  option broadcast-address 192.168.1.255;
  option dhcp-rebinding-time 3150;
  option host-name "vm";
  option interface-mtu 1400;
  option domain-search "example.org.", "example.net.";
  option rfc3442-classless-static-routes 8,10,192,168,1,254;
  option unknown-224 1:2:ff;
  option unheard.of "x";
  option domain-name "example.org";
  renew 3 2026/11/25 17:50:59;
  rebind 3 2026/11/25 18:14:52;
  expire 3 2026/11/25 18:22:22;
}
"""
EXPIRES = 1795630942.0
"""2026-11-25 18:22:22 UTC"""


def test_dhclients_leases_are_read() -> None:
    old, new = dhclient.read(DHCLIENT.encode(), "c0", MAC, None)
    binding = new.binding
    assert (binding.address, binding.server) == (parse_ip("192.168.1.101"), parse_ip("192.168.1.1"))
    assert (binding.requested_at, binding.expires()) == (EXPIRES - 3600, EXPIRES)
    assert (binding.lease_time, binding.t1, binding.t2) == (3600, 1800, 3150)
    assert binding.options == {
        1: parse_ip("255.255.255.0").to_bytes(4),
        3: parse_ip("192.168.1.1").to_bytes(4) + parse_ip("192.168.1.2").to_bytes(4),
        12: b"vm",
        15: b"example.org",
        26: (1400).to_bytes(2),
        28: parse_ip("192.168.1.255").to_bytes(4),
        51: (3600).to_bytes(4),
        53: b"\5",
        54: parse_ip("192.168.1.1").to_bytes(4),
        58: (1800).to_bytes(4),
        59: (3150).to_bytes(4),
        119: b"\7example\3org\0\7example\3net\0",
        121: bytes((8, 10, 192, 168, 1, 254)),
        224: b"\1\2\xff",
    }
    assert new.client_id == by_duid(MAC[-4:], DUID)
    assert old.binding.address == parse_ip("10.0.0.5")
    assert old.binding.expires() == 1795000000.0
    assert old.client_id == b"\1" + MAC


def test_without_a_duid_dhclient_sent_what_the_lease_says_or_nothing() -> None:
    text = DHCLIENT.replace("default-duid", "no-duid").encode()
    assert [each.client_id for each in dhclient.read(text, "c0", MAC, None)] == [b"\1" + MAC, None]


@pytest.mark.parametrize(
    ("configuration", "client_id"),
    [
        ("", None),
        ("request routers;\nsend host-name = gethostname();\n", None),
        ("send dhcp-client-identifier = hardware;\n", b"\1" + MAC),
        ("send dhcp-client-identifier hardware;\n", b"\1" + MAC),
        ("send dhcp-client-identifier 1:0:a0:24:ab:fb:9c;\n", bytes.fromhex("0100a024abfb9c")),
        ('send dhcp-client-identifier "my host"; send dhcp-lease-time 3600;\n', b"my host"),
        ('send dhcp-client-identifier "one"; send dhcp-client-identifier "other";\n', b"other"),
        ('send dhcp-client-identifier = concat("a", hardware);\n', None),
        ('interface "c0" { send dhcp-client-identifier "one"; }\n', None),
        ('#send dhcp-client-identifier "one";\nsend dhcp-client-identifier;\n', None),
        ('send dhcp-client-identifier "x";\n', None),
    ],
)
def test_dhclients_configuration_says_what_it_sends(configuration: str, client_id: bytes | None) -> None:
    assert dhclient.identity(configuration.encode(), MAC) == client_id


def test_what_dhclient_was_told_to_send_comes_before_its_duid_and_after_the_lease() -> None:
    found = dhclient.read(DHCLIENT.encode(), "c0", MAC, b"my host")
    assert [each.client_id for each in found] == [b"\1" + MAC, b"my host"]


def test_dhclients_own_files_say_who_it_was(tmp_path: Path) -> None:
    path = lay(tmp_path, "var/lib/dhcp/dhclient.leases", DHCLIENT.encode())
    lay(tmp_path, "etc/dhclient.conf", b'send dhcp-client-identifier "old place";')
    assert read(path, LINK, tmp_path).found[-1].client_id == b"old place"
    lay(tmp_path, "etc/dhcp/dhclient.conf", b'send dhcp-client-identifier "my host";')
    assert read(path, LINK, tmp_path).found[-1].client_id == b"my host"


def test_a_lease_of_dhclient_that_never_ends() -> None:
    text = DHCLIENT.replace("expire 3 2026/11/25 18:22:22", "expire never").encode()
    assert dhclient.read(text, "c0", MAC, None)[-1].binding.lease_time == INFINITE


def test_a_file_that_was_cut_off_has_the_leases_before() -> None:
    text = DHCLIENT.encode()
    whole = dhclient.read(text, "c0", MAC, None)
    for length in range(len(text)):
        found = dhclient.read(text[:length], "c0", MAC, None)
        assert [each.binding for each in found] == [each.binding for each in whole[: len(found)]]
    assert len(dhclient.read(text[:-3], "c0", MAC, None)) == 1


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("fixed-address 192.168.1.101", "fixed-address 192.168.1.301"),
        ("fixed-address 192.168.1.101", "fixed-address 255.255.255.255"),
        ("option dhcp-lease-time 3600", "option dhcp-lease-time 0"),
        ("option dhcp-lease-time 3600", "option dhcp-lease-time"),
        ("option dhcp-server-identifier 192.168.1.1", "option dhcp-server-identifier 0.0.0.0"),
        ("expire 3 2026/11/25 18:22:22", "expire 3 2026/13/25 18:22:22"),
        ("expire 3 2026/11/25 18:22:22", "expire soon"),
        ("expire 3 2026/11/25 18:22:22", "expires"),
        ('interface "c0"', 'interface "c7"'),
    ],
)
def test_a_lease_that_cannot_be_is_left_out(was: str, becomes: str) -> None:
    block = DHCLIENT[DHCLIENT.rindex("lease {") :]
    assert len(dhclient.read(block.encode(), "c0", MAC, None)) == 1
    assert dhclient.read(block.replace(was, becomes).encode(), "c0", MAC, None) == []


@pytest.mark.parametrize("piece", ['"', '\\"', "{", "}", "lease {", "option ", ";", '"\\', "a ", "# "])
def test_octets_by_the_megabyte_cost_no_more_than_that(piece: str) -> None:
    """No way back in the reading: a file of the most octets is done in the time that it takes to look at each."""
    assert dhclient.read((piece * MAX_OCTETS)[:MAX_OCTETS].encode(), "c0", MAC, None) == []


ACK = Message(
    op=BOOTREPLY,
    xid=1,
    yiaddr=parse_ip("192.168.1.102"),
    chaddr=MAC,
    options={
        53: b"\5",
        54: parse_ip("192.168.1.1").to_bytes(4),
        51: (3600).to_bytes(4),
        1: parse_ip("255.255.255.0").to_bytes(4),
        61: b"\xff" + MAC[-4:] + DUID,
    },
)


def test_dhcpcds_lease_is_the_message_and_the_time_of_its_file() -> None:
    found = dhcpcd.read(encode(ACK), 1_700_000_000.5, MAC, None)
    assert found.client_id == by_duid(MAC[-4:], DUID)
    assert found.binding.address == parse_ip("192.168.1.102")
    assert (found.binding.requested_at, found.binding.t1, found.binding.t2) == (1_700_000_000.5, 1800, 3150)


@pytest.mark.parametrize(
    ("configuration", "client_id"),
    [
        ("", None),
        ("#duid\nhostname\n", None),
        ("duid\n", by_duid(MAC[-4:], DUID)),
        ("  duid # RFC 4361\npersistent\n", by_duid(MAC[-4:], DUID)),
        ("clientid\n", b"\1" + MAC),
        ("duid\nclientid\n", b"\1" + MAC),
        ("clientid\nduid\n", by_duid(MAC[-4:], DUID)),
        ("clientid my-host\n", None),
        ("interface c0\nduid\n", None),
    ],
)
def test_dhcpcds_configuration_says_what_it_sends(configuration: str, client_id: bytes | None) -> None:
    assert dhcpcd.identity(configuration.encode(), DUID, MAC) == client_id


def test_a_duid_that_is_not_there_is_not_sent() -> None:
    assert dhcpcd.identity(b"duid\n", None, MAC) is None


NETWORKD = """\
# This is private data. Do not parse.
ADDRESS=192.168.1.100
NETMASK=255.255.255.0
ROUTER=192.168.1.1
SERVER_ADDRESS=192.168.1.1
T1=1800
T2=3150
LIFETIME=3600
DNS=192.168.1.2 192.168.1.3
DOMAINNAME=example.org
ROUTES=10.0.0.0/8,192.168.1.254 0.0.0.0/0,192.168.1.1
MTU=none
CLIENTID=ffc82242c400020000ab110033bdebf95e192c
"""


def test_networkds_lease_is_read() -> None:
    found = networkd.read(NETWORKD.encode(), 1_700_000_000.0)
    assert found.client_id == bytes.fromhex("ffc82242c400020000ab110033bdebf95e192c")
    assert found.binding.address == parse_ip("192.168.1.100")
    assert found.binding.expires() == 1_700_003_600.0
    assert found.binding.options[121] == bytes((8, 10, 192, 168, 1, 254, 0, 192, 168, 1, 1))
    assert found.binding.options[6] == parse_ip("192.168.1.2").to_bytes(4) + parse_ip("192.168.1.3").to_bytes(4)
    assert 26 not in found.binding.options


def test_an_address_alone_is_no_lease() -> None:
    """So NetworkManager writes it today."""
    with pytest.raises(ValueError, match="no server"):
        networkd.read(b"# This is private data. Do not parse.\nADDRESS=192.168.1.100\n", 0.0)


# Where they are, and what they are -----------------------------------------------------------------------------------


def lay(root: Path, name: str, octets: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return path


HERE = (
    "var/lib/dhcp/dhclient.leases",
    "var/lib/dhcp/dhclient.c0.leases",
    "var/lib/dhclient/dhclient--c0.lease",
    "var/lib/NetworkManager/dhclient-01234567-89ab-cdef-0123-456789abcdef-c0.lease",
    "var/lib/NetworkManager/internal-01234567-89ab-cdef-0123-456789abcdef-c0.lease",
    "var/lib/dhcpcd/c0.lease",
    "var/lib/dhcpcd5/c0.lease",
    "var/lib/dhcpcd/c0-home.lease",
    "run/systemd/netif/leases/7",
)
NOT_HERE = (
    "var/lib/dhcp/dhclient6.leases",
    "var/lib/dhcp/dhclient.c1.leases",
    "var/lib/NetworkManager/internal-01234567-89ab-cdef-0123-456789abcdef-abc0.lease",
    "var/lib/dhcpcd/c0.lease6",
    "var/lib/dhcpcd/c1.lease",
    "run/systemd/netif/leases/8",
)


def test_each_client_is_looked_for_at_its_place(tmp_path: Path) -> None:
    for name in (*HERE, *NOT_HERE):
        lay(tmp_path, name, b"")
    assert [str(path.relative_to(tmp_path)) for path in places(LINK, tmp_path)] == list(HERE)


def test_an_interface_whose_name_is_a_pattern_has_its_own_files_alone(tmp_path: Path) -> None:
    lay(tmp_path, "var/lib/dhcpcd/c0.lease", b"")
    lay(tmp_path, "var/lib/dhcpcd/*.lease", b"")
    link = LinkInfo("*", 7, MAC, 1500, True)
    assert [path.name for path in places(link, tmp_path)] == ["*.lease"]


def test_only_so_many_files_are_looked_at(tmp_path: Path) -> None:
    for n in range(MAX_FILES + 10):
        lay(tmp_path, f"var/lib/dhcpcd/c0-{n}.lease", b"")
    assert len(places(LINK, tmp_path)) == MAX_FILES


def test_a_file_says_itself_whose_it_is(tmp_path: Path) -> None:
    files = [lay(tmp_path, name, octets) for name, octets in
             (("a", DHCLIENT.encode()), ("b", encode(ACK)), ("c", NETWORKD.encode()))]  # fmt: skip
    sources, notes = search(files, LINK, tmp_path)
    assert [len(source.found) for source in sources] == [2, 1, 1]
    assert notes == []


def test_dhcpcds_own_files_say_who_it_was_if_the_server_did_not(tmp_path: Path) -> None:
    silent = encode(
        Message(op=BOOTREPLY, xid=1, yiaddr=ACK.yiaddr, chaddr=MAC, options=dict(list(ACK.options.items())[:4]))
    )
    path = lay(tmp_path, "var/lib/dhcpcd/c0.lease", silent)
    assert read(path, LINK, tmp_path).found[0].client_id is None
    lay(tmp_path, "etc/dhcpcd.conf", b"duid\n")
    assert read(path, LINK, tmp_path).found[0].client_id is None
    lay(tmp_path, "var/lib/dhcpcd/duid", DUID.hex(":").encode() + b"\n")
    assert read(path, LINK, tmp_path).found[0].client_id == by_duid(MAC[-4:], DUID)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\0" * 300, "it is no lease file of dhclient, dhcpcd or systemd-networkd"),
        (b"x" * (MAX_OCTETS + 1), f"it has more than {MAX_OCTETS} octets"),
        (b"\7" + encode(ACK)[1:], "it is no DHCP message: "),
        (encode(ACK).replace(MAC, bytes(6)), "it is the lease of another hardware address"),
        (b"ADDRESS=here", "'here' is not an IPv4 address such as 192.168.1.10"),
        (b"CLIENTID=xy\nADDRESS=1.2.3.4", "'xy' is not hexadecimal such as 52:54:00:12:34:56"),
    ],
)
def test_what_cannot_be_used_is_told_of(tmp_path: Path, octets: bytes, why: str) -> None:
    path = lay(tmp_path, "file", octets)
    sources, (note,) = search([path], LINK, tmp_path)
    assert sources == []
    assert note.kind == "not-imported"
    assert note.text.startswith(f"{path}: {why}")


@pytest.mark.parametrize(
    "octets", [b"", b"\n", b'default-duid "\\000\\001\\000\\001";\n', DHCLIENT.replace("c0", "c5").encode()]
)
def test_a_file_without_leases_of_the_interface_is_nothing_to_tell(tmp_path: Path, octets: bytes) -> None:
    (source,), notes = search([lay(tmp_path, "file", octets)], LINK, tmp_path)
    assert (source.found, notes) == ((), [])


def test_what_is_not_there_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert search([path], LINK, tmp_path) == (
        [],
        [Note("not-imported", f"{path} cannot be read: No such file or directory")],
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_octets_do_harm(tmp_path: Path, seed: int) -> None:
    """Files with octets changed, cut, doubled and mixed: what is found is a lease that a server could have granted."""
    dice = random.Random(seed)
    samples = (DHCLIENT.encode(), encode(ACK), NETWORKD.encode())
    for _ in range(30):
        octets = bytearray(dice.choice(samples))
        for _ in range(dice.randint(1, 12)):
            at, length = dice.randrange(len(octets) + 1), dice.randint(0, 20)
            match dice.randrange(4):
                case 0:
                    del octets[at : at + length]
                case 1:
                    octets[at:at] = dice.randbytes(length)
                case 2:
                    octets[at : at + length] = dice.choice(samples)[at : at + length]
                case 3:
                    octets[at:at] = octets[dice.randrange(len(octets) + 1) :][:length]
        path = lay(tmp_path, "file", bytes(octets))
        sources, notes = search([path], LINK, tmp_path)
        assert len(sources) + len(notes) == 1
        for each in (found for source in sources for found in source.found):
            check(each)


def check(found: Found) -> None:
    binding = found.binding
    assert 0 < binding.address >> 24 < 224
    assert 0 < binding.server >> 24 < 224
    assert 0 < binding.t1 <= binding.t2 <= binding.lease_time <= INFINITE
    assert binding.requested_at >= 0
    assert all(1 <= code <= 254 for code in binding.options)
    assert found.client_id is None or 2 <= len(found.client_id) <= 255
