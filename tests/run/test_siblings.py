"""A host with two interfaces on one link is not in conflict with itself."""

import json
import socket

import pytest

from relet.net.link import LinkError
from relet.run.siblings import KEPT_S, Siblings
from relet.wire import arp
from support.lab import RELET, Lab
from support.serving import Serve, office

OWN, OTHER = bytes.fromhex("525400000011"), bytes.fromhex("525400000099")
ADDRESS = 0xC0A80105


class Kernel:
    """What the kernel knows, how often it was asked, and the time."""

    def __init__(self) -> None:
        self.hardware: frozenset[bytes] | None = frozenset({OWN})
        self.asked = 0
        self.now = 100.0

    def __call__(self) -> frozenset[bytes]:
        self.asked += 1
        if self.hardware is None:
            raise LinkError("cannot look at the interfaces")
        return self.hardware


@pytest.mark.parametrize(
    ("heard", "ours", "asked"),
    [
        (arp.announcement(OWN, ADDRESS), True, 1),
        (arp.probe(OWN, ADDRESS), True, 1),
        (arp.announcement(OTHER, ADDRESS), False, 1),
        (arp.probe(OTHER, ADDRESS), False, 1),
        # What is no conflict is nothing to ask about.
        (arp.announcement(OWN, ADDRESS + 1), False, 0),
        (arp.question(OTHER, ADDRESS + 1, ADDRESS), False, 0),
    ],
)
def test_whose_packet_it_is(heard: arp.Arp, ours: bool, asked: int) -> None:
    kernel = Kernel()
    siblings = Siblings(lambda: kernel.now, kernel)
    assert (siblings.sent(heard, ADDRESS), kernel.asked) == (ours, asked)


def test_the_kernel_is_not_asked_about_every_packet_of_a_flood() -> None:
    kernel = Kernel()
    siblings = Siblings(lambda: kernel.now, kernel)
    for _ in range(100):
        siblings.sent(arp.announcement(OTHER, ADDRESS), ADDRESS)
    assert kernel.asked == 1
    kernel.now += KEPT_S
    kernel.hardware = frozenset({OWN, OTHER})
    assert siblings.sent(arp.announcement(OTHER, ADDRESS), ADDRESS)


def test_without_the_kernels_answer_it_is_somebody_else() -> None:
    kernel = Kernel()
    kernel.hardware = None
    assert not Siblings(lambda: kernel.now, kernel).sent(arp.announcement(OWN, ADDRESS), ADDRESS)


@pytest.mark.namespaces
def test_two_interfaces_on_one_link_keep_their_addresses_over_a_reboot() -> None:
    """The kernel answers for each of them on the other one (arp_ignore is 0, as everywhere)."""
    with Lab() as lab:
        host, server = lab.namespace("host"), lab.namespace("server")
        lab.switch("switch", (server, "s0"), (host, "c0"), (host, "c1"))
        lab.address(server, "s0", "192.168.1.1/24")
        Serve(lab, server, office())
        command = ("client", "c0", "c1", "--json", "--no-resolver", "--sockets", lab.folder)
        first: dict[str, object] = {}
        for _ in range(2):
            # Each interface has a lease file of its own in a folder of this lab's.
            own = 'mount -t tmpfs own /run && mkdir -p "$0" && mount --bind "$0" /var/lib && exec "$@"'
            client = lab.start(
                host, "sh", "-c", own, lab.folder / "lib", *RELET, *command, "--once", "--conflict", "quick"
            )
            has: dict[str, object] = {}
            while len(has) < 2:
                told = json.loads(client.line('"event":"bound"'))
                has[told["interface"]] = told["address"]
            assert has == (first or has)
            first = has
            with lab.inside(host), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                # The route leads through one of them, and its ARP has the address of the other as sender.
                other.bind((str(has["c1"]), 0))
                for last in range(10, 20):
                    other.sendto(b"", (f"192.168.1.{last}", 9))
            assert client.wait() == 0
            rest = client.popen.stdout.read() if client.popen.stdout else ""
            assert "conflict" not in rest
            assert "defended" not in rest
            assert sorted(lab.addresses(host, "c0") + lab.addresses(host, "c1")) == sorted(
                f"{address}/24" for address in has.values()
            )
            for name in ("c0", "c1"):
                lab.ip(host, "address", "flush", "dev", name)
