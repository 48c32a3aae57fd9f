"""`relet storm` against servers that nobody here wrote, and its clients beside the real ones that they stand for."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from relet.lab.storm.models import MODELS, NAME, Model
from relet.model.effects import SERVER_PORT
from relet.net.packet import dhcp_frames
from relet.wire.message import Message, decode
from relet.wire.options import CLIENT_IDENTIFIER, HOST_NAME, MESSAGE_TYPE, PARAMETER_REQUEST_LIST, MessageType
from support.lab import Lab, Process, gather, need, until
from support.serving import Serve, office

pytestmark = [pytest.mark.namespaces, pytest.mark.peer]

CLIENTS = 200
VENDOR_CLASS = 60
"""Names a client's version behind its name."""
POOL = ("10.64.8.0", "10.64.15.255")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


def kea(lab: Lab, server: str) -> Process:
    log = lab.folder / "kea.log"  # a pipe that nobody reads would stop it in the middle of the storm
    settings = {
        "interfaces-config": {"interfaces": ["s0"], "dhcp-socket-type": "udp"},
        "authoritative": True,
        "valid-lifetime": 3600,
        "lease-database": {"type": "memfile", "persist": True, "name": f"{lab.folder}/leases.csv", "lfc-interval": 0},
        "subnet4": [{"id": 1, "subnet": "10.64.0.0/16", "pools": [{"pool": " - ".join(POOL)}]}],
        "loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": str(log)}]}],
    }
    (lab.folder / "kea.conf").write_text(json.dumps({"Dhcp4": settings}))
    places = (f"KEA_PIDFILE_DIR={lab.folder}", f"KEA_LOCKFILE_DIR={lab.folder}")
    process = lab.start(server, "env", *places, need("kea-dhcp4"), "-c", lab.folder / "kea.conf")
    until(lambda: log.exists() and "DHCP4_STARTED" in log.read_text())
    return process


def dnsmasq(lab: Lab, server: str) -> Process:
    process = lab.start(
        server,
        need("dnsmasq"),
        "--no-daemon",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file=",
        "--port=0",
        "--no-ping",
        "--dhcp-authoritative",
        "--quiet-dhcp",
        f"--dhcp-leasefile={lab.folder}/dnsmasq.leases",
        f"--dhcp-range={POOL[0]},{POOL[1]},255.255.0.0,1h",
        "--dhcp-lease-max=2000",
    )
    process.line("DHCP, IP range")
    return process


@pytest.mark.parametrize("server", [kea, dnsmasq])
def test_a_fleet_gets_leases_and_finds_nothing_wrong(lab: Lab, server: Callable[[Lab, str], Process]) -> None:
    there, host = lab.namespace("server"), lab.namespace("fleet")
    lab.cable(there, "s0", host, "c0")
    lab.address(there, "s0", "10.64.0.1/16")
    lab.address(host, "c0", "10.64.0.2/16")
    server(lab, there)

    def storm(work: str, *more: str | Path) -> dict[str, Any]:
        file = lab.folder / "report.json"
        process = lab.relet(host, "storm", work, "--server", "10.64.0.1", "--window", "20", "--json", file, *more)
        output, _ = process.popen.communicate(timeout=60)
        assert process.popen.returncode == 0, output
        report: dict[str, Any] = json.loads(file.read_bytes())
        assert (report["bound"], report["wrong"]) == (CLIENTS, {})
        return report

    fleet = lab.folder / "fleet.json"
    storm("allocate", "--relay", "10.64.0.2", "--clients", str(CLIENTS), "--circuits", "8", "--save", fleet)
    back = storm("reboot", "--fleet", fleet, "--foreign", "5%", "--taken", "5%")
    # The pool is large, so each client that was refused gets its own address back.
    assert back["kept"] == CLIENTS
    assert back["remembered"]["valid"] == {"clients": 180, "ack": 180, "nak": 0, "silence": 0, "not_begun": 0}
    assert back["remembered"]["foreign"]["nak"] == back["remembered"]["taken"]["nak"] == 10
    assert storm("renew", "--fleet", fleet)["kept"] == CLIENTS
    assert storm("mixed", "--fleet", fleet)["kept"] == CLIENTS


SCRIPT = """#!/bin/sh
case "$reason$1" in
    BOUND|REBOOT|bound) ip address flush dev "$interface"
                        ip address add "${new_ip_address:-$ip}/24" dev "$interface" ;;
    PREINIT) ip link set "$interface" up ;;
esac
exit 0
"""


DHCPCD = """hostname
duid
option domain_name_servers, domain_name, domain_search
option classless_static_routes
option interface_mtu
require dhcp_server_identifier
"""
"""Debian's, less what is not DHCPv4, and less rapid commit: a fleet asks for four messages."""


def commands(lab: Lab) -> dict[str, tuple[str | Path, ...]]:
    """How each real client is started."""
    script = lab.folder / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    settings = lab.folder / "dhcpcd.conf"
    settings.write_text(DHCPCD)
    private = " && ".join(
        f"mkdir -p /{place}/dhcpcd {lab.folder}/{place} && mount --bind {lab.folder}/{place} /{place}/dhcpcd"
        for place in ("var/lib", "run")
    )
    dhcpcd = f"{private} && exec {need('dhcpcd')} -4 -B -d --noipv4ll -c {script} -f {settings} c0"
    dhclient = ("-lf", lab.folder / "dhclient.leases", "-pf", lab.folder / "dhclient.pid", "-sf", script, "c0")
    return {
        "dhclient": (need("dhclient"), "-4", "-d", *dhclient),
        "dhcpcd": (need("unshare"), "--mount", "sh", "-c", dhcpcd),
        "udhcpc": (need("udhcpc"), "-f", "-i", "c0", "-s", script),
    }


@pytest.mark.parametrize("client", ["dhclient", "dhcpcd", "udhcpc"])
def test_models_are_as_the_real_clients(lab: Lab, client: str) -> None:
    """The same options in the same order, and the same octets but for what is a host's own."""
    there, host = lab.namespace("server"), lab.namespace("host")
    lab.cable(there, "s0", host, "c0")
    lab.address(there, "s0", "192.168.1.1/24")
    with lab.inside(there):
        ear = dhcp_frames("s0", SERVER_PORT)
    Serve(lab, there, office())
    lab.start(host, *commands(lab)[client])
    with closing(ear):
        real = [decode(arrival.payload) for arrival in gather(ear.receive, 2)][:2]
    assert [message.kind for message in real] == [MessageType.DISCOVER, MessageType.REQUEST]
    for message in real:
        assert_alike(message, MODELS[client])


def assert_alike(real: Message, model: Model) -> None:
    assert list(real.options) == [code for code in model.order if code in real.options]
    assert set(model.values) <= set(real.options)
    assert real.options[PARAMETER_REQUEST_LIST.code] == model.parameters
    assert (HOST_NAME.code in real.options) == (NAME in model.name)
    assert MESSAGE_TYPE.code in real.options
    identifier = real.options.get(CLIENT_IDENTIFIER.code, b"")
    if model.identifier == "duid":
        assert identifier[:9] == b"\xff" + real.chaddr[2:] + b"\0\1\0\1"  # type, IAID, LLT on Ethernet
        assert identifier[13:] == real.chaddr
    else:
        assert identifier == (b"\1" + real.chaddr if model.identifier == "hardware" else b"")
    for code, octets in model.values.items():
        said = real.options[code]
        assert (said[:5], len(said) > 5) == (octets[:5], True) if code == VENDOR_CLASS else said == octets, code
