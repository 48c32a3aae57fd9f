"""One boot of a client, watched from outside: when it has an address that works, and which messages led to it.

    told = boot(order)          # in a process of its own, which `far` has moved into a network of its own

An address counts from the kernel's own notice (RTM_NEWADDR) on a netlink socket that was opened before the client was
started; the clock began right before its exec. It is usable if a ping sent from it right then is answered by the gateway,
and if it is still there at the end. What passed is told by the far end of the cable, with the kernel's times.
"""

import os
import select
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from boot_clients import NETWORKS, Network
from room import FAR, Room, copied, far
from seen import ARP_REPLY, DISCOVER, REBOOT, heard, tap

from relet.wire.address import ip_text

STAYS_S = 0.3
"""So long an address must stay to count."""
PING_S = 1.0
READY_S = 10.0
_RTMGRP_IPV4_IFADDR = 0x10
_NEW_ADDRESS = 20
_IFA_LOCAL = 2
_HEADER = struct.Struct("@IHHII")  # nlmsghdr


class Order(NamedTuple):
    """What is to be done. lib: folder of a room whose leases are remembered, None for none. network: where the client
    wakes up. server: command of the server with {folder} in it, () for none. server_files: what it remembers."""

    folder: Path
    argv: tuple[str, ...]
    mac: str
    network: str
    lib: Path | None
    server: tuple[str, ...]
    server_files: Path | None
    patience_s: float
    lingers_s: float = STAYS_S


class Boot(NamedTuple):
    """What came of it. All in milliseconds from exec; None: it did not come to that.

    address, text: when the kernel had an address of this network, and which. ping: when the gateway had answered it.
    seen: what was on the wire and when. ended: the client's exit code if it did not live on.
    """

    address: float | None
    text: str
    ping: float | None
    stayed: bool
    seen: list[tuple[float, str]]
    ended: int | None

    def usable(self) -> float | None:
        """Milliseconds to a usable address."""
        return self.address if self.ping is not None and self.stayed else None

    def path(self) -> list[str]:
        """What passed until the address was there: DHCP messages, copies told once, and that somebody answered ARP."""
        names: list[str] = []
        for at, name in self.seen:
            told = name == ARP_REPLY or not name.startswith("ARP")
            if told and (self.address is None or at <= self.address) and names[-1:] != [name]:
                names.append(name)
        return names

    def sent(self) -> float | None:
        """When its first DHCP message was on the wire."""
        return next((at for at, name in self.seen if name in {REBOOT, DISCOVER}), None)

    def acknowledged(self) -> float | None:
        """When the DHCPACK that came before the address was on the wire."""
        return next((at for at, name in self.seen if name == "ACK" and at <= (self.address or 0.0)), None)


def boot(order: Order) -> Boot:
    """See the head of the file. This process's network becomes the far end."""
    far()
    network = NETWORKS[order.network]
    order.folder.mkdir(parents=True, exist_ok=True)
    if order.lib is not None:
        copied(order.lib, order.folder)
    room = Room(order.folder, order.mac, network.gateway_mac)
    _run("ip", "address", "add", f"{ip_text(network.gateway)}/{network.width}", "dev", FAR)
    server = _serve(order) if order.server else None
    try:
        return _watch(order, network, room)
    finally:
        room.close()
        if server is not None:
            server.terminate()
            server.wait()


def _watch(order: Order, network: Network, room: Room) -> Boot:
    frames = tap(FAR)
    with room.inside():
        notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        notices.bind((0, _RTMGRP_IPV4_IFADDR))
        pings = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    began = room.start(order.argv, order.folder / "log")
    address, at = 0, 0.0
    ended = None
    watched = select.poll()
    watched.register(notices, select.POLLIN)
    watched.register(frames, select.POLLIN)
    seen: list[tuple[float, str]] = []
    while not address and (left := began + order.patience_s - time.monotonic()) > 0:
        ready = {number for number, _ in watched.poll(min(left, 1.0) * 1000)}
        if notices.fileno() in ready:
            at = time.monotonic()
            address = next((each for each in _noticed(notices) if network.contains(each)), 0)
        if frames.fileno() in ready and not address:
            seen += heard(frames, began)
        ended = room.ended() if ended is None else ended
        if ended is not None and not address and not ready:
            break
    ping = _ping(pings, address, network.gateway) if address else None
    until = time.monotonic() + (order.lingers_s if address else 0.0)
    while (left := until - time.monotonic()) > 0:
        watched.poll(left * 1000)
        _noticed(notices)
        seen += heard(frames, began)
    text = ip_text(address) if address else ""
    return Boot(
        (at - began) * 1000 if address else None,
        text,
        None if ping is None else (ping - began) * 1000,
        any(each.partition("/")[0] == text for each in room.addresses()),
        seen + heard(frames, began),
        room.ended() if ended is None else ended,
    )


def _noticed(notices: socket.socket) -> list[int]:
    """Addresses that the kernel says were put on an interface."""
    found: list[int] = []
    while True:
        try:
            octets = notices.recv(65536)
        except BlockingIOError:
            return found
        at = 0
        while at + _HEADER.size <= len(octets):
            length, kind, *_ = _HEADER.unpack_from(octets, at)
            if kind == _NEW_ADDRESS:
                found += _locals(octets[at + _HEADER.size + 8 : at + length])  # behind ifaddrmsg
            at += (length + 3) & ~3


def _locals(attributes: bytes) -> list[int]:
    at, found = 0, []
    while at + 4 <= len(attributes):
        length, kind = struct.unpack_from("@HH", attributes, at)
        if kind == _IFA_LOCAL:
            found.append(int.from_bytes(attributes[at + 4 : at + 8]))
        at += max(4, (length + 3) & ~3)
    return found


def _ping(pings: socket.socket, address: int, gateway: int) -> float | None:
    """Monotonic time of the answer to a ping from the address; None if there was none."""
    request = struct.pack("!BBHHH", 8, 0, 0xF7FE, 0, 1)  # RFC 792: echo, checksum for identifier 0 and number 1
    until = time.monotonic() + PING_S
    sent = False
    while time.monotonic() < until:
        try:
            if not sent:
                pings.bind((ip_text(address), 0))
                pings.sendto(request, (ip_text(gateway), 0))
                sent = True
            octets = pings.recv(2048)
            if octets[(octets[0] & 15) * 4] == 0:
                return time.monotonic()
        except BlockingIOError:
            select.select([pings], [], [], max(0.0, until - time.monotonic()))
        except OSError:  # the route that belongs to the address comes a moment after it
            time.sleep(0.001)
    return None


def _serve(order: Order) -> "subprocess.Popen[bytes]":
    """Start the server; it listens when this returns."""
    folder = order.folder / "server"
    folder.mkdir()
    if order.server_files is not None:
        _run("cp", "-a", f"{order.server_files}/.", str(folder))
    with (order.folder / "server.log").open("wb") as log:
        words = [word.format(folder=folder) for word in order.server]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    until = time.monotonic() + READY_S
    while not _listens():
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"no server: {(order.folder / 'server.log').read_text()}")
        time.sleep(0.005)
    return server


def _listens() -> bool:
    """Has anybody in this network bound UDP port 67?"""
    rows = Path("/proc/self/net/udp").read_text(encoding="ascii").splitlines()[1:]
    return any(row.split()[1].endswith(":0043") for row in rows)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def forked(order: Order, keep: Path) -> int:
    """Boot in a child process that writes what came of it (as a Python literal) to a file; the child's number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        keep.write_text(repr(tuple(boot(order))), encoding="utf-8")
        code = 0
    except Exception as error:
        keep.with_suffix(".error").write_text(f"{error!r}\n", encoding="utf-8")
    finally:
        os._exit(code)
