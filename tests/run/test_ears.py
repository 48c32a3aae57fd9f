"""Interfaces and addresses that come and go under a running server."""

import pytest

from support.lab import Lab
from support.links import offered
from support.serving import office
from support.table import ip

pytestmark = pytest.mark.namespaces


def test_an_interface_is_served_each_time_that_it_comes(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office())
        process = lab.relet(server, "serve", "--config", config)
        process.line("waiting", "s0", "there is no such interface")
        for _ in range(10):
            lab.cable(server, "s0", host, "c0")
            process.line("waiting", "s0", "no IPv4 address")
            lab.address(server, "s0", "192.168.1.1/24")
            process.line("listening", "192.168.1.1:67")
            assert offered(lab, host) == ("OFFER", ip(1))
            lab.ip(server, "link", "del", "s0")
            process.line("interface lost", "s0")
            process.line("not listening any more", "192.168.1.1:67")


def test_the_server_identifier_follows_the_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office())
        process = lab.relet(server, "serve", "--config", config)
        process.line("listening", "192.168.1.1:67")
        lab.address(server, "s0", "192.168.1.2/25")  # another prefix: the kernel keeps it when the first one goes
        process.line("listening", "192.168.1.2:67")
        assert offered(lab, host) == ("OFFER", ip(1))
        lab.ip(server, "address", "del", "192.168.1.1/24", "dev", "s0")
        process.line("address changed", "192.168.1.2")
        process.line("not listening any more", "192.168.1.1:67")
        assert offered(lab, host) == ("OFFER", ip(2))
