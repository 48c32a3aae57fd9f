"""What only a wire shows of a client: its frames, read by scapy, beside a server that nobody here wrote (dnsmasq).

Each test names its rows of the requirements; docs/conformance.md has their text and what else shows one.
"""

import json
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from support.lab import Lab, Process, need, until
from support.oracle import ARP, BOOTP, DHCP, IP, UDP, Ether

pytestmark = [pytest.mark.namespaces, pytest.mark.peer]

SERVER = "192.168.1.1"
EVERYBODY = "ff:ff:ff:ff:ff:ff"
EVERY_FRAME = 3  # ETH_P_ALL
ROOM = 1 << 20


class Wire:
    """A client's life on a cable with dnsmasq, and all frames of it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.server, self.client = lab.namespace("server"), lab.namespace("client")
        lab.cable(self.server, "s0", self.client, "c0")
        lab.address(self.server, "s0", f"{SERVER}/24")
        with lab.inside(self.server):
            self.ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_FRAME))
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.ear.bind(("s0", EVERY_FRAME))
        self.ear.setblocking(False)
        self.frames: list[Ether] = []
        self.dnsmasq = lab.start(
            self.server, need("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--port=0",
            "--no-ping", "--dhcp-authoritative", f"--dhcp-leasefile={lab.folder}/leases", "--log-dhcp",
            "--dhcp-range=192.168.1.100,192.168.1.150,255.255.255.0,1h",
        )  # fmt: skip
        self.dnsmasq.line("DHCP, IP range 192.168.1.100")

    def start(self) -> Process:
        folder = self.lab.folder
        quick = ("--json", "--conflict", "quick", "--sockets", folder)
        return self.lab.relet(self.client, "client", "c0", "--lease-file", folder / "lease", *quick)

    def heard(self) -> list[Ether]:
        """All frames that the client sent so far."""
        while True:
            try:
                octets, (_, _, kind, _, _) = self.ear.recvfrom(65536)
            except BlockingIOError:
                return self.frames
            if kind != socket.PACKET_OUTGOING:
                self.frames.append(Ether(octets))

    def ask_for(self, address: str) -> None:
        """Have the server's kernel, which dnsmasq has told who has the address, ask by ARP until somebody has answered."""
        self.lab.ip(self.server, "neighbour", "flush", "dev", "s0")
        with self.lab.inside(self.server):
            mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with mouth:
            mouth.sendto(b"?", (address, 9))
        until(lambda: bool(answers(self.heard(), address)))


def answers(frames: list[Ether], address: str) -> list[Ether]:
    """ARP replies for the address."""
    return [frame for frame in frames if ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == address]


def announcements(frames: list[Ether], address: str) -> list[Ether]:
    """ARP announcements of the address."""
    return [frame for frame in frames if ARP in frame and frame[ARP].pdst == frame[ARP].psrc == address]


def bound(process: Process, cause: str) -> str:
    """The address that the client is bound to, once it is for that cause; its gateway may answer first (RFC 4436)."""
    return str(json.loads(process.line('"event":"bound"', f'"cause":"{cause}"'))["address"])


@pytest.fixture(scope="module")
def life() -> Iterator[tuple[list[Ether], str]]:
    """The frames of a client that allocates, is asked for by ARP, is killed, reboots, renews and releases; its address."""
    with Lab() as lab:
        wire = Wire(lab)
        with wire.ear:
            first = wire.start()
            address = bound(first, "bound")
            wire.ask_for(address)
            until(lambda: bool(announcements(wire.heard(), address)))
            first.kill()
            again = wire.start()
            assert bound(again, "reboot") == address
            again.signal(signal.SIGUSR1)
            assert bound(again, "renew") == address
            again.signal(signal.SIGUSR2)
            wire.dnsmasq.line("DHCPRELEASE", address)
            assert again.wait() == 0
            yield wire.heard(), address


def said(frames: list[Ether]) -> dict[str, list[Ether]]:
    """DHCP messages by what they mean."""
    found: dict[str, list[Ether]] = {}
    for frame in frames:
        if BOOTP in frame and frame[UDP].dport == 67:
            options = dict(each for each in frame[DHCP].options if isinstance(each, tuple) and len(each) == 2)
            kind = {1: "DISCOVER", 3: "REQUEST", 4: "DECLINE", 7: "RELEASE"}[options["message-type"]]
            if kind == "REQUEST":
                reboot = "requested_addr" in options and "server_id" not in options
                kind = "RENEWING" if frame[BOOTP].ciaddr != "0.0.0.0" else "INIT-REBOOT" if reboot else "SELECTING"
            found.setdefault(kind, []).append(frame)
    return found


def test_the_life_of_a_lease_is_these_messages(life: tuple[list[Ether], str]) -> None:
    """R2131-4.4-02, R2131-4.4-03, R2131-4.4-08, R2131-4.4-12, R2131-2.2-04."""
    assert set(said(life[0])) >= {"DISCOVER", "SELECTING", "INIT-REBOOT", "RENEWING", "RELEASE"}


WITHOUT_ADDRESS = ("DISCOVER", "SELECTING", "INIT-REBOOT")
ALL = (*WITHOUT_ADDRESS, "RENEWING", "RELEASE")
CHECKS: dict[str, tuple[tuple[str, ...], Callable[[Ether, str], bool]]] = {
    "R2131-3.1-01": (("DISCOVER",), lambda frame, _: (frame.dst, frame[IP].dst) == (EVERYBODY, "255.255.255.255")),
    "R2131-4.1-03": (ALL, lambda frame, _: (frame[UDP].sport, frame[UDP].dport) == (68, 67)),
    "R2131-4.1-12": (WITHOUT_ADDRESS, lambda frame, _: frame[IP].src == "0.0.0.0"),
    "R2131-4.4.1-05": (
        ALL,
        lambda frame, _: ":".join(f"{octet:02x}" for octet in frame[BOOTP].chaddr[:6]) == frame.src,
    ),
    "R2131-4.4.4-02": (("RELEASE",), lambda frame, address: (frame[IP].src, frame[IP].dst) == (address, SERVER)),
    "R2131-4.4.5-03": (("RENEWING",), lambda frame, address: (frame[IP].src, frame[IP].dst) == (address, SERVER)),
    "R2131-4.3.2-29": (("RENEWING",), lambda frame, _: frame.dst != EVERYBODY),
}


@pytest.mark.parametrize("row", CHECKS)
def test_frames(life: tuple[list[Ether], str], row: str) -> None:
    """What the row requires, of each frame that it speaks of."""
    frames, address = life
    names, check = CHECKS[row]
    for name in names:
        assert said(frames)[name]
        assert all(check(frame, address) for frame in said(frames)[name])


def test_the_address_is_asked_about_before_it_is_used_and_announced(life: tuple[list[Ether], str]) -> None:
    """R2131-4.4.1-56, R5227-1.1-01, R5227-1.1-03, R5227-2.1-01, R5227-2.3-01, R5227-2.6-01."""
    frames, address = life
    packets = [frame for frame in frames if ARP in frame and frame[ARP].pdst == address]
    probes = [frame for frame in packets if frame[ARP].psrc == "0.0.0.0"]
    assert probes
    assert {(frame.dst, frame[ARP].op, frame[ARP].hwsrc == frame.src) for frame in packets} == {(EVERYBODY, 1, True)}
    assert frames.index(probes[0]) < frames.index(announcements(frames, address)[0])


def test_whoever_asks_for_the_address_is_answered(life: tuple[list[Ether], str]) -> None:
    """R5227-2.5-01: by the kernel, to the one who asked."""
    frames, address = life
    assert answers(frames, address)
    assert all(frame.dst != EVERYBODY for frame in answers(frames, address))
