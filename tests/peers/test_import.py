"""A machine that switches to relet keeps its address: leases of the real dhclient and dhcpcd are taken over and confirmed.

The servers: relet's, which sends the client identifier back (RFC 6842), and dhcpd, which does not by default.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peers.test_server import SCRIPT, one_link
from relet.run.leasefile import load
from relet.run.leaseformat import Content
from support.lab import RELET, Lab, Process, lacking, need, until

pytestmark = [pytest.mark.peer, pytest.mark.namespaces]

Peer = Callable[[Lab, str, Path], tuple[Process, str]]


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@pytest.fixture
def script(lab: Lab) -> Path:
    path = lab.folder / "script"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def dhclient(configuration: str, *more: str) -> Peer:
    """dhclient with configuration and leases at its own places, which is where relet looks for them."""

    def start(lab: Lab, host: str, script: Path) -> tuple[Process, str]:
        (lab.folder / "dhclient.conf").write_text(configuration)
        files = ("-pf", lab.folder / "dhclient.pid", "-sf", script)
        command: tuple[str | Path, ...] = (need("dhclient"), "-4", "-d", *more, *files, "c0")
        return lab.start(host, *in_own_folders(lab, *command)), "dhcp/dhclient.leases"

    return start


def dhcpcd(configuration: str) -> Peer:
    """dhcpcd with a configuration file at its own place, which is where relet looks for it."""

    def start(lab: Lab, host: str, script: Path) -> tuple[Process, str]:
        (lab.folder / "dhcpcd.conf").write_text(configuration)
        command = (need("dhcpcd"), "-4", "-B", "-d", "--noarp", "--noipv4ll", "-c", script, "c0")
        return lab.start(host, *in_own_folders(lab, *command)), "dhcpcd/c0.lease"

    return start


FOLDERS = {
    "dhcpcd": "/var/lib",
    "relet": "/var/lib",
    "dhcp": "/var/lib",
    "run": "/run/dhcpcd",
    "netif": "/run/systemd/netif",
}
"""Where the lab's folders stand, for whom the rest of /var/lib and /run is empty."""


def in_own_folders(lab: Lab, *command: str | Path) -> tuple[str, ...]:
    """A command that finds the lab's folders in place of the machine's, and cannot change its names."""
    setting = [f"mount -t tmpfs none {place}" for place in ("/var/lib", "/run")]
    for name, place in FOLDERS.items():
        (lab.folder / name).mkdir(exist_ok=True)
        whole = f"{place}/{name}" if place == "/var/lib" else place
        setting.append(f"mkdir -p {whole} && mount --bind {lab.folder}/{name} {whole}")
    for file in ("/etc/dhcpcd.conf", "/etc/dhcp/dhclient.conf"):
        own = lab.folder / Path(file).name
        own.touch()
        # What there is not cannot be mounted upon; then there is no such client either.
        setting.append(f"{{ [ ! -e {file} ] || mount --bind {own} {file}; }}")
    return (
        need("unshare"),
        "--mount",
        "--uts",
        "sh",
        "-c",
        " && ".join([*setting, f"exec {shlex.join(map(str, command))}"]),
    )


PEERS: dict[str, Peer] = {
    "dhclient": dhclient(""),
    "dhclient -i": dhclient("", "-i"),
    "dhclient hardware": dhclient("send dhcp-client-identifier = hardware;\n"),
    "dhcpcd": dhcpcd(""),
    "dhcpcd duid": dhcpcd("duid\n"),
    "dhcpcd clientid": dhcpcd("clientid\n"),
}


def had(lab: Lab, host: str, script: Path, peer: Peer) -> tuple[str, Path]:
    """The address that a client obtained, and its lease file, once that is written; the client is killed then."""
    process, name = peer(lab, host, script)
    seen: list[str] = []

    def obtained() -> bool:
        # Looked at once: a script may take the address away and put it back with its lifetime.
        seen[:] = lab.addresses(host, "c0")
        return len(seen) == 1 and (lab.folder / name).exists()

    until(obtained)
    (address,) = seen
    process.kill()
    lab.ip(host, "address", "flush", "dev", "c0")
    return address, lab.folder / name


def relet_client(lab: Lab, host: str, *more: str | Path) -> list[dict[str, str]]:
    """What a client tells that starts in the lab's folders and ends when it is bound."""
    command = (*RELET, "client", "c0", "--conflict", "off", "--once", "--json", *more)
    process = lab.start(host, *in_own_folders(lab, *command))
    told: list[dict[str, str]] = []
    while not told or told[-1]["event"] != "bound":
        told.append(json.loads(process.line("{")))
    assert process.wait() == 0
    return told


def content(lab: Lab) -> Content:
    found, notes = load(lab.folder / "relet" / "c0.lease")
    assert found is not None
    assert notes == []
    return found


@pytest.mark.parametrize("peer", PEERS)
def test_a_machine_that_switches_keeps_its_address(lab: Lab, script: Path, peer: str) -> None:
    server, host = one_link(lab)
    address, _ = had(lab, host, script, PEERS[peer])
    assert "ACK" in (granted := server.verdict("SELECTING"))
    told = relet_client(lab, host)
    assert told[0]["event"] == "imported"
    assert address.partition("/")[0] in told[0]["text"]
    verdict = server.verdict("INIT-REBOOT")
    assert "reason=confirmed" in verdict
    assert client_in(verdict) == client_in(granted)
    assert lab.addresses(host, "c0") == [address]

    # From now on it is our own file that says who the host is.
    for each in (*(lab.folder / "dhcp").iterdir(), *(lab.folder / "dhcpcd").iterdir()):
        each.unlink()
    assert "imported" not in {each["event"] for each in relet_client(lab, host)}
    again = server.verdict("INIT-REBOOT")
    assert "reason=confirmed" in again
    assert client_in(again) == client_in(granted)


def client_in(verdict: str) -> str:
    """Whom a server took the client for."""
    return verdict.partition("client=")[2].partition(" hardware=")[0]


DHCPD = """
authoritative;
ping-check false;
default-lease-time 3600;
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.100 192.168.1.150; option routers 192.168.1.1; }
"""


@pytest.mark.parametrize("peer", PEERS)
def test_a_server_that_sends_no_identifier_back_knows_the_host_all_the_same(lab: Lab, script: Path, peer: str) -> None:
    """Then the lease does not tell who held it, but the other client's own files do."""
    server, host = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", host, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    folder = lab.folder / "dhcpd"
    folder.mkdir()
    (folder / "dhcpd.conf").write_text(DHCPD)
    (folder / "dhcpd.leases").touch()
    paths = ("-cf", folder / "dhcpd.conf", "-lf", folder / "dhcpd.leases", "-pf", folder / "dhcpd.pid")
    lab.start(server, need("dhcpd"), "-f", "-d", *paths, "s0").line("Server starting service")
    address, file = had(lab, host, script, PEERS[peer])
    assert b"identifier ff:" not in file.read_bytes()
    told = relet_client(lab, host)
    assert told[0]["event"] == "imported"
    assert [each["event"] for each in told if each["event"] in ("nak", "selecting", "bound")] == ["bound"]
    assert lab.addresses(host, "c0") == [address]
    (kept,) = content(lab).kept
    client_id, mac = kept.identity.client_id, kept.identity.mac
    match peer:
        case "dhclient" | "dhcpcd":
            assert client_id is None
        case "dhclient hardware" | "dhcpcd clientid":
            assert client_id == b"\1" + mac
        case _:
            assert client_id is not None
            assert client_id[:5] == b"\xff" + mac[-4:]


def test_nothing_is_taken_over_by_who_does_not_want_it(lab: Lab, script: Path) -> None:
    server, host = one_link(lab)
    _, file = had(lab, host, script, PEERS["dhcpcd duid"])
    server.verdict("SELECTING")
    told = relet_client(lab, host, "--no-import")
    assert {"selecting", "bound"} <= {each["event"] for each in told}
    assert "imported" not in {each["event"] for each in told}
    assert content(lab).taken is None
    assert file.exists()


def test_an_anonymous_client_is_nobody_who_was_here_before(lab: Lab, script: Path) -> None:
    """R7844-3.3-02, R7844-3.5-01: not by its messages; its hardware address is for others to change."""
    server, host = one_link(lab)
    had(lab, host, script, PEERS["dhcpcd duid"])
    assert "duid-llt" in server.verdict("SELECTING")
    for _ in range(2):
        told = relet_client(lab, host, "--anonymous")
        assert {"selecting", "bound"} <= {each["event"] for each in told}
        assert not {"imported", "rebooting"} & {each["event"] for each in told}
        mac = lab.ip(host, "-o", "link", "show", "c0").partition("link/ether ")[2][:17]
        assert client_in(server.verdict("SELECTING")) == f"'id 01:{mac}'"


def test_the_host_is_called_by_the_duid_that_dhcpcd_made(lab: Lab, script: Path) -> None:
    server, host = one_link(lab)
    had(lab, host, script, PEERS["dhcpcd duid"])
    server.verdict("SELECTING")
    duid = (lab.folder / "dhcpcd" / "duid").read_text().strip()
    (lab.folder / "dhcpcd" / "c0.lease").unlink()
    relet_client(lab, host, "--client-id", "duid")
    assert f"duid-llt {duid} iaid" in server.verdict("SELECTING")
    assert (lab.folder / "relet" / "duid").read_text().strip() == duid


NETWORKD = Path("/lib/systemd/systemd-networkd")


def test_a_lease_of_systemd_networkd_is_taken_over(lab: Lab) -> None:
    """The real one, without the rest of systemd; its files are there as long as it runs."""
    if not NETWORKD.exists():
        lacking("systemd-networkd")
    server, host = one_link(lab)
    (lab.folder / "c0.network").write_text("[Match]\nName=c0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n")
    for name in ("leases", "links", "lldp"):
        (lab.folder / "netif" / name).mkdir(parents=True)
        (lab.folder / "netif" / name).chmod(0o777)  # it gives up root
    (lab.folder / "netif").chmod(0o777)
    # With /sys to be read alone it does not wait for udev to name the interface.
    folder = "/run/systemd/network"
    settings = f"mkdir {folder} && cp {lab.folder}/c0.network {folder} && mount -o remount,ro,bind /sys"
    networkd = lab.start(host, *in_own_folders(lab, "sh", "-c", f"{settings} && exec {NETWORKD}"))
    assert "ACK" in (granted := server.verdict("SELECTING"))
    file = lab.folder / "netif" / "leases" / lab.ip(host, "-o", "link", "show", "c0").partition(":")[0]
    until(lambda: len(lab.addresses(host, "c0")) == 1 and file.exists())
    (address,) = lab.addresses(host, "c0")
    networkd.kill()
    lab.ip(host, "address", "flush", "dev", "c0")
    told = relet_client(lab, host)
    assert (told[0]["event"], address.partition("/")[0] in told[0]["text"]) == ("imported", True)
    verdict = server.verdict("INIT-REBOOT")
    assert "reason=confirmed" in verdict
    assert client_in(verdict) == client_in(granted)
    assert lab.addresses(host, "c0") == [address]
