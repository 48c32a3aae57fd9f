"""A hook is told what dhclient and udhcpc tell their scripts, and the scripts that Debian ships for them do as relet's hook.

A server that nobody here wrote gives one host the same lease whichever client asks; what each client tells a script is
compared. Then the real scripts configure a host for relet, which has its own /etc and host name.
"""

import signal
from collections.abc import Iterator

import pytest

from support.lab import Lab, Process, need, until
from support.private import PrivateHost

pytestmark = [pytest.mark.peer, pytest.mark.namespaces]

MAC = "02:00:00:00:00:07"
OPTIONS = (
    "option:router,192.168.1.1,192.168.1.2",
    "option:dns-server,192.168.1.2,9.9.9.9",
    "option:domain-name,example.org",
    "option:domain-search,eng.example.org,example.org",
    "option:ntp-server,192.168.1.3",
    "option:mtu,1400",
    "option:static-route,10.9.0.0,192.168.1.9",
    "option:time-offset,3600",
    "option:root-path,nfs:/srv/root",
    "option:nis-domain,nis.example",
    "option:nis-server,192.168.1.7",
    "option:netbios-ns,192.168.1.8",
    "12,host7",
)
CLASSLESS = "option:classless-static-route,10.0.0.0/8,192.168.1.254,0.0.0.0/0,192.168.1.1"
DHCLIENT_CONF = """
option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, domain-search, ntp-servers, interface-mtu,
    rfc3442-classless-static-routes, static-routes, root-path, time-offset, nis-domain, nis-servers, netbios-name-servers,
    host-name, bootfile-name;
"""
FOR_UDHCPC = (
    *(
        "subnet",
        "broadcast",
        "router",
        "domain",
        "dns",
        "search",
        "ntpsrv",
        "mtu",
        "staticroutes",
        "routes",
        "rootpath",
    ),
    *("timezone", "nisdomain", "nissrv", "wins", "hostname", "bootfile"),
)
FOR_RELET = "time-offset,root-path,nis-domain,nis-servers,netbios-name-servers,boot-file-name"


class Net:
    """A server, and a host with one hardware address that always gets 192.168.1.120."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.host, server = lab, lab.namespace("host"), lab.namespace("server")
        lab.cable(self.host, "c0", server, "s0")
        lab.ip(self.host, "link", "set", "c0", "address", MAC)
        lab.address(server, "s0", "192.168.1.1/24")
        self._server = server
        self.told = lab.folder / "told"
        self.script = lab.folder / "script"
        # written aside first, so that whoever sees the file sees all of it
        keep = f'case "$reason$1" in *BOUND*|bound) env > {self.told}-new && mv {self.told}-new {self.told} ;; esac'
        self.script.write_text(f"#!/bin/sh\n{keep}\nexit 0\n")
        self.script.chmod(0o755)

    def serve(self, *options: str) -> None:
        process = self.lab.start(
            self._server,
            need("dnsmasq"),
            "--no-daemon",
            "--conf-file=/dev/null",
            "--user=root",
            "--pid-file=",
            "--port=0",
            "--no-ping",
            "--dhcp-authoritative",
            f"--dhcp-leasefile={self.lab.folder}/dnsmasq.leases",
            "--dhcp-range=192.168.1.100,192.168.1.150,255.255.255.0,1h",
            f"--dhcp-host={MAC},id:*,192.168.1.120",
            "--dhcp-boot=boot.img,bootserver,192.168.1.77",
            *(f"--dhcp-option={each}" for each in options),
        )
        process.line("DHCP, IP range 192.168.1.100")

    def heard(self, client: Process) -> dict[str, str]:
        """The environment of the script when the client was bound; the client is ended."""
        until(self.told.exists)
        pairs = (line.partition("=") for line in self.told.read_text().splitlines())
        client.kill()
        self.told.unlink()
        return {name: value for name, _, value in pairs}

    def relet(self) -> dict[str, str]:
        hook = ("--no-configure", "--no-resolver", "--hook", self.script)
        asked = ("--conflict", "off", "--request", FOR_RELET, "--lease-file", self.lab.folder / "lease")
        return self.heard(self.lab.relet(self.host, "client", "c0", *hook, *asked))


@pytest.fixture
def net() -> Iterator[Net]:
    with Lab() as lab:
        yield Net(lab)


@pytest.mark.parametrize("options", [OPTIONS, (*OPTIONS, CLASSLESS)], ids=["classful", "classless"])
def test_a_hook_is_told_what_dhclient_tells_its_script(net: Net, options: tuple[str, ...]) -> None:
    net.serve(*options)
    (net.lab.folder / "dhclient.conf").write_text(DHCLIENT_CONF)
    files = ("-cf", net.lab.folder / "dhclient.conf", "-lf", net.lab.folder / "leases", "-pf", net.lab.folder / "pid")
    theirs = net.heard(net.lab.start(net.host, need("dhclient"), "-4", "-d", *files, "-sf", net.script, "c0"))
    ours = net.relet()
    # dhclient ends names with a dot, and the two were bound at different times.
    theirs["new_domain_search"] = theirs["new_domain_search"].replace(". ", " ").removesuffix(".")
    assert abs(int(theirs.pop("new_expiry")) - int(ours.pop("new_expiry"))) < 60
    told = {name: value for name, value in theirs.items() if name.startswith("new_")}
    if CLASSLESS in options:
        # RFC 3442: with classless routes a client ignores the static ones, which dhclient leaves to its script.
        assert told.pop("new_static_routes") == "10.9.0.0 192.168.1.9"
    assert len(told) > 20
    assert told.items() <= ours.items()
    assert (theirs["reason"], theirs["interface"]) == (ours["reason"], ours["interface"]) == ("BOUND", "c0")


@pytest.mark.parametrize("options", [OPTIONS, (*OPTIONS, CLASSLESS)], ids=["classful", "classless"])
def test_a_hook_is_told_what_udhcpc_tells_its_script(net: Net, options: tuple[str, ...]) -> None:
    net.serve(*options)
    asked = (part for name in FOR_UDHCPC for part in ("-O", name))
    theirs = net.heard(net.lab.start(net.host, need("udhcpc"), "-f", "-i", "c0", "-s", net.script, *asked))
    ours = net.relet()
    inherited = {name for name in theirs if name.isupper() or name == "_"}
    # optNN: options that it knows no name for.
    told = {name: value for name, value in theirs.items() if name not in inherited and not name.startswith("opt")}
    if CLASSLESS in options:
        assert told.pop("routes") == "10.9.0.0/192.168.1.9"
    assert len(told) > 15
    assert told.items() <= ours.items()


def addresses(net: Net) -> list[str]:
    return net.lab.addresses(net.host, "c0")


def run(net: Net, host: PrivateHost, script: str) -> Process:
    asked = ("--conflict", "off", "--lease-file", net.lab.folder / "lease", "--json")
    return host.relet("client", "c0", "--no-configure", "--hook", script, *asked)


def test_debians_dhclient_script_configures_a_host_for_relet(net: Net) -> None:
    net.serve(*OPTIONS, CLASSLESS)
    host = PrivateHost(net.lab, net.host)
    net.lab.ip(net.host, "link", "set", "c0", "down")
    need("dhclient-script")
    # What it sets as host name is read by an exit hook, as no file shows it.
    seen = host.etc / "dhcp/dhclient-exit-hooks.d/seen"
    seen.write_text("hostname > /etc/seen\n")
    client = run(net, host, "/sbin/dhclient-script")
    client.line('"event":"hook"', "hook for preinit ended with exit code 0")
    client.line('"event":"hook"', "hook for bound ended with exit code 0")
    assert addresses(net) == ["192.168.1.120/24"]
    routes = [route.split(" dev ")[0] for route in net.lab.routes(net.host)]
    assert {"default via 192.168.1.1", "10.0.0.0/8 via 192.168.1.254"} <= set(routes)
    assert "mtu 1400" in net.lab.ip(net.host, "link", "show", "c0")
    lines = host.resolv_conf.read_text().splitlines()
    assert lines[1:] == ["search eng.example.org example.org", "nameserver 192.168.1.2", "nameserver 9.9.9.9"]
    assert (host.etc / "seen").read_text() == "host7\n"
    client.signal(signal.SIGUSR1)
    client.line('"event":"hook"', "hook for renew ended with exit code 0")
    assert addresses(net) == ["192.168.1.120/24"]
    client.signal(signal.SIGTERM)
    client.line('"event":"hook"', "hook for stop ended with exit code 0")
    assert client.wait() == 0
    assert addresses(net) == []


def test_debians_udhcpc_script_configures_a_host_for_relet(net: Net) -> None:
    net.serve(*OPTIONS)
    host = PrivateHost(net.lab, net.host)
    net.lab.ip(net.host, "link", "set", "c0", "down")
    need("udhcpc")
    client = run(net, host, "/etc/udhcpc/default.script")
    client.line('"event":"hook"', "hook for preinit ended")
    client.line('"event":"hook"', "hook for bound ended")
    assert addresses(net) == ["192.168.1.120/24"]
    assert any(route.startswith("default via 192.168.1.1 dev c0") for route in net.lab.routes(net.host))
    assert "mtu 1400" in net.lab.ip(net.host, "link", "show", "c0")
    assert host.resolv_conf.read_text() == "domain example.org\nnameserver 192.168.1.2\nnameserver 9.9.9.9\n"
    client.signal(signal.SIGTERM)
    client.line('"event":"hook"', "hook for stop ended")
    assert client.wait() == 0
    assert addresses(net) == []
    assert not [route for route in net.lab.routes(net.host) if "c0" in route]
