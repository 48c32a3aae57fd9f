"""`relet serve` and the clients that people have: each gets a lease, is killed, starts again and is confirmed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relet.model.effects import CLIENT_PORT
from relet.net.packet import dhcp_frames
from relet.wire.address import parse_ip
from relet.wire.message import decode
from relet.wire.options import SERVER_IDENTIFIER, MessageType
from support.lab import Lab, Process, need, until
from support.serving import Serve, office

pytestmark = [pytest.mark.peer, pytest.mark.namespaces]

SCRIPT = """#!/bin/sh
# stands in for a distribution's script, which would write to the machine's /etc
case "$reason$1" in
    BOUND|REBOOT|RENEW|REBIND|bound|renew)
        ip address flush dev "$interface"
        ip address add "${new_ip_address:-$ip}/24" dev "$interface" ;;
    PREINIT) ip link set "$interface" up ;;
esac
exit 0
"""


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


def one_link(lab: Lab) -> tuple[Serve, str]:
    """A server and an empty host on a cable."""
    server, host = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", host, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    return Serve(lab, server, office()), host


def dhclient(lab: Lab, host: str, script: Path, *more: str | Path) -> Process:
    files = ("-lf", lab.folder / "dhclient.leases", "-pf", lab.folder / "dhclient.pid")
    return lab.start(host, need("dhclient"), "-4", "-d", *files, *more, "-sf", script, "c0")


def dhcpcd(lab: Lab, host: str, script: Path, *more: str) -> Process:
    """Its folders are fixed when it is built: it gets private ones."""
    for name in ("lib", "run"):
        (lab.folder / name).mkdir(exist_ok=True)
    command = (
        f"mkdir -p /var/lib/dhcpcd /run/dhcpcd && mount --bind {lab.folder}/lib /var/lib/dhcpcd && "
        f"mount --bind {lab.folder}/run /run/dhcpcd && rm -f /run/dhcpcd/*.pid && "
        f"exec {need('dhcpcd')} -4 -B -d --noipv4ll -c {script} -f /dev/null {' '.join(more)} c0"
    )
    return lab.start(host, need("unshare"), "--mount", "sh", "-c", command)


def udhcpc(lab: Lab, host: str, script: Path, *more: str) -> Process:
    """It remembers nothing by itself: who starts it tells it the address that it had."""
    had = lab.addresses(host, "c0")
    wish = ("-r", had[0].partition("/")[0]) if had else ()
    return lab.start(host, need("udhcpc"), "-f", "-i", "c0", "-s", script, *wish, *more)


@pytest.mark.parametrize(
    ("client", "after_boot"),
    [(dhclient, "INIT-REBOOT"), (dhcpcd, "INIT-REBOOT"), (udhcpc, "SELECTING")],
    ids=["dhclient", "dhcpcd", "udhcpc"],
)
def test_killed_client_is_confirmed_with_the_same_address(
    lab: Lab, script: Path, client: object, after_boot: str
) -> None:
    assert callable(client)
    server, host = one_link(lab)
    first = client(lab, host, script)
    assert "ACK" in server.verdict("SELECTING")
    until(lambda: len(lab.addresses(host, "c0")) == 1)
    (address,) = lab.addresses(host, "c0")
    assert address.startswith("192.168.1.1")
    first.kill()

    client(lab, host, script)
    verdict = server.verdict(after_boot)
    assert "ACK" in verdict
    assert "reason=confirmed" in verdict
    assert f"address={address.partition('/')[0]} " in verdict
    until(lambda: lab.addresses(host, "c0") == [address])


WISHES = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "office"
interfaces = ["s0"]
lease-time = "1h"

[network.options]
domain-name = "example.org"
domain-name-servers = ["192.168.1.2", "192.168.1.3"]
domain-search = ["example.org", "example.net"]
ntp-servers = ["192.168.1.4"]
interface-mtu = 1400
classless-static-route = ["10.0.0.0/8 via 192.168.1.254", "0.0.0.0/0 via 192.168.1.1"]

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.119"]
options = { routers = ["192.168.1.1"] }
"""
ASK_FOR_ALL = """
option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, routers, domain-name, domain-name-servers, domain-search, ntp-servers, interface-mtu,
    rfc3442-classless-static-routes;
"""
ROUTES = bytes((8, 10, 192, 168, 1, 254, 0, 192, 168, 1, 1))


def heard(lab: Lab) -> dict[str, str]:
    """The environment of the script at the time when the client was bound."""
    file = lab.folder / "bound"
    until(file.exists)
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("client", ["dhclient", "dhcpcd", "udhcpc"])
def test_clients_get_what_they_ask_for(lab: Lab, script: Path, client: str) -> None:
    """Each tells its script, in its own words, what it was given."""
    server, host = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", host, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    Serve(lab, server, WISHES)
    # written aside first, so that whoever sees the file sees all of it
    keep = f'case "$reason$1" in BOUND|bound) env >{lab.folder}/new && mv {lab.folder}/new {lab.folder}/bound ;; esac'
    script.write_text(SCRIPT.replace("exit 0", keep))
    if client == "dhclient":
        (lab.folder / "dhclient.conf").write_text(ASK_FOR_ALL)
        dhclient(lab, host, script, "-cf", lab.folder / "dhclient.conf")
        said = heard(lab)
        assert said["new_domain_name"] == "example.org"
        assert said["new_domain_name_servers"] == "192.168.1.2 192.168.1.3"
        assert said["new_domain_search"] == "example.org. example.net."
        assert said["new_ntp_servers"] == "192.168.1.4"
        assert said["new_interface_mtu"] == "1400"
        assert said["new_subnet_mask"] == "255.255.255.0"
        assert bytes(map(int, said["new_rfc3442_classless_static_routes"].split())) == ROUTES
        assert said["new_dhcp_lease_time"] == "3600"
    elif client == "dhcpcd":
        asked = "domain_name_servers, domain_name, domain_search, ntp_servers, interface_mtu, classless_static_routes"
        dhcpcd(lab, host, script, "-o", asked.replace(" ", ""))
        said = heard(lab)
        assert said["new_domain_name"] == "example.org"
        assert said["new_domain_name_servers"] == "192.168.1.2 192.168.1.3"
        assert said["new_domain_search"] == "example.org example.net"
        assert said["new_ntp_servers"] == "192.168.1.4"
        assert said["new_interface_mtu"] == "1400"
        assert said["new_classless_static_routes"] == "10.0.0.0/8 192.168.1.254 0.0.0.0/0 192.168.1.1"
        assert said["new_dhcp_lease_time"] == "3600"
    else:
        udhcpc(
            lab, host, script, *(part for name in ("search", "ntpsrv", "mtu", "staticroutes") for part in ("-O", name))
        )
        said = heard(lab)
        assert said["domain"] == "example.org"
        assert said["dns"] == "192.168.1.2 192.168.1.3"
        assert said["search"] == "example.org example.net"
        assert said["ntpsrv"] == "192.168.1.4"
        assert said["mtu"] == "1400"
        assert said["staticroutes"] == "10.0.0.0/8 192.168.1.254 0.0.0.0/0 192.168.1.1"
        assert said["lease"] == "3600"


def relayed(lab: Lab) -> tuple[Serve, str, str]:
    """A host, a relay agent with a leg on either side, and a server that the host cannot hear."""
    server, relay, host = (lab.namespace(name) for name in ("server", "relay", "host"))
    lab.cable(server, "s0", relay, "r0")
    lab.cable(relay, "r1", host, "c0")
    for namespace, interface, prefix in ((server, "s0", "10.9.0.2/24"), (relay, "r0", "10.9.0.1/24"),
                                         (relay, "r1", "192.168.1.1/24")):  # fmt: skip
        lab.address(namespace, interface, prefix)
    lab.ip(server, "route", "add", "192.168.1.0/24", "via", "10.9.0.1")
    lab.run(relay, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    configuration = office().replace('interfaces = ["s0"]', "").replace("[server]", '[server]\nlisten = ["10.9.0.2"]')
    serve = Serve(lab, server, configuration)
    agent = lab.start(relay, need("dhcrelay"), "-4", "-d", "-a", "-iu", "r0", "-id", "r1", "10.9.0.2")
    agent.line("Sending on")
    return serve, relay, host


def test_relay_changes_nothing_for_dhclient(lab: Lab, script: Path) -> None:
    server, _, host = relayed(lab)
    first = dhclient(lab, host, script)
    assert "ACK" in server.verdict("SELECTING")
    until(lambda: len(lab.addresses(host, "c0")) == 1)
    (address,) = lab.addresses(host, "c0")
    first.kill()
    dhclient(lab, host, script)
    verdict = server.verdict("INIT-REBOOT")
    assert "reason=confirmed" in verdict
    assert f"address={address.partition('/')[0]} " in verdict


def relet_client(lab: Lab, host: str, interface: str = "c0") -> Process:
    lease = lab.folder / "relet.lease"
    return lab.relet(host, "client", interface, "--lease-file", lease, "--conflict", "quick")


def settled(lab: Lab, host: str) -> str:
    """The address of a relet client, once it has remembered its lease too."""
    until(lambda: len(lab.addresses(host, "c0")) == 1 and (lab.folder / "relet.lease").exists())
    (address,) = lab.addresses(host, "c0")
    return address


def test_relay_changes_nothing_for_relet(lab: Lab) -> None:
    server, relay, host = relayed(lab)
    first = relet_client(lab, host)
    assert "ACK" in server.verdict("SELECTING")
    address = settled(lab, host)
    first.kill()
    lab.ip(host, "address", "flush", "dev", "c0")
    relet_client(lab, host)
    assert "reason=confirmed" in server.verdict("INIT-REBOOT")
    until(lambda: lab.addresses(host, "c0") == [address])
    assert relay


@pytest.mark.parametrize(
    ("pool", "reason"),
    [("192.168.1.150-192.168.1.199", "not-ours"), ("192.168.1.100-192.168.1.149", "no-record")],
    ids=["pools of their own", "one pool for both"],
)
def test_of_two_servers_only_the_one_with_the_lease_answers(lab: Lab, pool: str, reason: str) -> None:
    one, two, host = (lab.namespace(name) for name in ("one", "two", "host"))
    lab.switch("switch", (one, "s0"), (two, "s0"), (host, "c0"))
    lab.address(one, "s0", "192.168.1.1/24")
    lab.address(two, "s0", "192.168.1.2/24")
    first = Serve(lab, one, office(pool="192.168.1.100-192.168.1.149"), "one")
    client = relet_client(lab, host)
    assert "ACK" in first.verdict("SELECTING")
    settled(lab, host)
    client.kill()
    second = Serve(lab, two, office(pool=pool), "two")

    with lab.inside(host), closing(dhcp_frames("c0", CLIENT_PORT)) as ear:
        again = relet_client(lab, host)
        assert "ACK" in (line := first.verdict("INIT-REBOOT"))
        assert "reason=confirmed" in line
        assert "SILENT" in (line := second.verdict("INIT-REBOOT"))
        assert f"reason={reason}" in line
        again.line("bound to 192.168.1.100")  # whatever was answered is on the wire by now
        replies = [decode(arrival.payload) for arrival in ear.receive()]
    assert [(reply.kind, reply.ip(SERVER_IDENTIFIER.code)) for reply in replies] == [
        (MessageType.ACK, parse_ip("192.168.1.1"))
    ]


def test_why_explains_answers_and_silence(lab: Lab) -> None:
    server, host = one_link(lab)
    relet_client(lab, host)
    server.verdict("SELECTING")
    until(lambda: len(lab.addresses(host, "c0")) == 1)
    (address,) = lab.addresses(host, "c0")
    namespace = host
    why = lab.relet(namespace, "why", address.partition("/")[0], "--config", server.config)
    why.line("SELECTING", "ACK", "(granted")
    assert why.wait() == 0
    leases = lab.relet(namespace, "leases", "--config", server.config, "--json")
    leases.line(address.partition("/")[0])
    history = lab.relet(namespace, "history", address.partition("/")[0], "--config", server.config, "--json")
    history.line("granted")


def test_dhcpcd_takes_a_rapid_commit_and_hears_its_whole_name(lab: Lab, script: Path) -> None:
    server, host = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", host, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    serve = Serve(lab, server, WISHES.replace('lease-time = "1h"', 'lease-time = "1h"\nrapid-commit = true'))
    keep = f'case "$reason$1" in BOUND|bound) env >{lab.folder}/new && mv {lab.folder}/new {lab.folder}/bound ;; esac'
    script.write_text(SCRIPT.replace("exit 0", keep))
    dhcpcd(lab, host, script, "-h", "laptop", "-F", "both", "-o", "rapid_commit,domain_name")
    assert "reason=rapid-commit" in serve.verdict("DISCOVER")
    said = heard(lab)
    assert (said["new_rapid_commit"], said["new_dhcp_message_type"]) == ("", "5")
    # it wanted the server to update DNS, which does not
    assert (said["new_fqdn"], said["new_fqdn_flags"]) == ("laptop.example.org", "NEO")
