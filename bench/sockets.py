"""What a datagram costs on its way out of the kernel and back: one system call for each, beside one for a batch.

    python bench/sockets.py [--rounds 300] [--octets 300] [--json FILE]

A round puts a batch into the socket and has it echoed, once in each way; only the echo is measured, in microseconds of
processor time per datagram, received and sent. The least of all rounds stands in the table, and how many times cheaper
than the first way that is. It runs in a network namespace that it makes (root, or user namespaces).
"""

import argparse
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import kept

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.model.events import Arrival
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.net.udp import Datagrams
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text, parse_ip
from relet.wire.frame import Datagram, decode_datagram, encode_datagram

INSIDE = "RELET_BENCH_NAMESPACE"
BATCHES = (1, 4, 16, 64, 256)
HERE, RELAY = parse_ip("127.0.0.1"), parse_ip("127.0.0.2")
LONGEST = 4096
AUXDATA = struct.Struct("@IIIHHHH")
AUXDATA_CHECKSUM_NOT_READY = 8

Echo = Callable[[], int]
"""Answers what a socket holds with the same octets; how many datagrams that were."""


def datagrams_singly(server: Datagrams) -> Echo:
    """recvfrom and sendto, as Python has them."""
    sock = socket.socket(fileno=os.dup(server.fileno()))

    def echo() -> int:
        arrivals = []
        try:
            while True:
                payload, (host, port) = sock.recvfrom(LONGEST)
                arrivals.append(Arrival(payload, "", HERE, int.from_bytes(socket.inet_aton(host)), port, False))
        except BlockingIOError:
            pass
        sends = [Send(each.payload, each.source, each.port, each.local) for each in arrivals]
        for send in sends:
            sock.sendto(send.payload, (ip_text(send.destination), send.port))
        return len(sends)

    return echo


def datagrams_together(server: Datagrams) -> Echo:
    """recvmmsg and sendmmsg, as the server has them."""

    def echo() -> int:
        return server.send([Send(each.payload, each.source, each.port, each.local) for each in server.receive()])

    return echo


def datagrams_merged(server: Datagrams) -> Echo:
    """recvmmsg, and all replies to one relay as one."""
    together = datagrams_together(server)

    def echo() -> int:
        server.merge = True
        try:
            return together()
        finally:
            server.merge = False

    return echo


def frames_singly(server: DhcpFrames) -> Echo:
    """recvmsg and send, as Python has them."""
    sock = socket.socket(fileno=os.dup(server.fileno()))
    mac, room = server.frames.mac, socket.CMSG_SPACE(AUXDATA.size)
    buffer = bytearray(65536)
    view = memoryview(buffer)

    def echo() -> int:
        arrivals = []
        try:
            while True:
                length, ((_, _, auxdata),), _, _ = sock.recvmsg_into([buffer], room)
                summed = not AUXDATA.unpack(auxdata)[0] & AUXDATA_CHECKSUM_NOT_READY
                seen = decode_datagram(bytes(view[:length]), verify=summed)
                arrivals.append(Arrival(seen.payload, "v0", HERE, seen.src, seen.sport, True))
        except BlockingIOError:
            pass
        sends = [Send(each.payload, BROADCAST, each.port, HERE, "v0", BROADCAST_MAC) for each in arrivals]
        for send in sends:
            sock.send(
                encode_datagram(
                    Datagram(mac, BROADCAST_MAC, send.source, send.destination, SERVER_PORT, send.port, send.payload)
                )
            )
        return len(sends)

    return echo


def frames_together(server: DhcpFrames) -> Echo:
    """recvmmsg and sendmmsg, as the server has them."""

    def echo() -> int:
        arrivals = server.receive()
        return server.send([Send(each.payload, BROADCAST, each.port, HERE, "v0", BROADCAST_MAC) for each in arrivals])

    return echo


def least(feed: Callable[[], int], echo: Echo, drain: Callable[[], int]) -> float:
    """Microseconds per datagram of one batch. Raises RuntimeError if one of them is lost."""
    fed = feed()
    began = time.process_time_ns()
    echoed = echo()
    spent = time.process_time_ns() - began
    if not fed == echoed == drain():
        raise RuntimeError(f"{fed} datagrams were sent, {echoed} echoed")
    return spent / 1000 / fed


def table(
    kind: str, feed: Callable[[int], int], drain: Callable[[], int], ways: dict[str, Echo], rounds: int
) -> dict[str, float]:
    """All ways in turn, for each size of a batch; behind each figure, how many times cheaper than the first way it is."""
    told: dict[str, float] = {}
    sys.stdout.write("".join([f"{kind:10}    of", *(f"{name:>22}" for name in ways), "\n"]))
    for size in BATCHES:
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, echo in ways.items():
                costs[name].append(least(partial(feed, size), echo, drain))
        figures = {name: min(each) for name, each in costs.items()}
        first = next(iter(figures.values()))
        row = (f"{figure:14.2f} ({first / figure:5.2f})" for figure in figures.values())
        sys.stdout.write("".join([f"{size:16}", *row, "\n"]))
        told |= {f"{kind}, {size} at once, {name}, us": figure for name, figure in figures.items()}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--octets", type=int, default=300)
    kept.json_option(parser)
    arguments = parser.parse_args()
    if INSIDE not in os.environ:
        inside = ["unshare", "--map-root-user", "--net", sys.executable, *sys.argv]
        sys.exit(subprocess.run(inside, env=os.environ | {INSIDE: "1"}, check=False).returncode)
    for command in ("set lo up", "add v0 type veth peer name v1", "set v0 up", "set v1 up"):
        subprocess.run(["ip", "link", *command.split()], check=True)
    payload = bytes(arguments.octets)

    server, relay = Datagrams(HERE, SERVER_PORT), Datagrams(RELAY, SERVER_PORT)
    request = Send(payload, HERE, SERVER_PORT, RELAY)
    figures = table(
        "datagrams",
        lambda size: relay.send([request] * size),
        lambda: len(relay.receive()),
        {
            "singly": datagrams_singly(server),
            "together": datagrams_together(server),
            "merged": datagrams_merged(server),
        },
        arguments.rounds,
    )

    ear, client = dhcp_frames("v0", SERVER_PORT, HERE), dhcp_frames("v1", CLIENT_PORT)
    asked = encode_datagram(Datagram(client.frames.mac, BROADCAST_MAC, 0, BROADCAST, CLIENT_PORT, SERVER_PORT, payload))
    figures |= table(
        "frames",
        lambda size: client.frames.send([asked] * size),
        lambda: len(client.receive()),
        {"singly": frames_singly(ear), "together": frames_together(ear)},
        arguments.rounds,
    )
    kept.keep(arguments.json, "sockets", figures)


if __name__ == "__main__":
    main()
