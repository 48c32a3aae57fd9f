"""From the start of `relet serve` to its first answers, with many leases on disk, and the memory of the whole process.

    python bench/start.py [--leases 1000000]

As root: the server runs in a network namespace of its own. Its database is filled as `scale.py` does it. A relay asks, again
and again, for three clients whether they may go on (INIT-REBOOT): the ones with the first, the middle and the last lease on
disk. Memory is what the process has resident once all leases are known, less that of a server without leases.
"""

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import scale

from relet.wire.address import ip_text, parse_ip
from relet.wire.message import decode

SERVER, RELAY = parse_ip("192.168.9.1"), parse_ip("192.168.9.2")
PATIENCE_S = 300
ASK_EVERY_S = 0.02
CONFIGURATION = f"""
[server]
store = "sqlite:leases.db"
listen = ["{ip_text(SERVER)}"]
[[network]]
name = "bench"
relays = ["{ip_text(RELAY)}"]
lease-time = "24h"
[[network.subnet]]
prefix = "10.0.0.0/8"
pools = ["10.1.0.0-10.255.255.0"]
"""
COMMAND = (sys.executable, "-c", "from relet.cli.main import main; main()", "serve", "--config", "relet.toml")
ALONE = "RELET_BENCH_ALONE"
"""Set in the namespace."""


def reboot(client: int, address: int) -> bytes:
    """What the relay passes on."""
    octets = bytearray(scale.request(client, 3, {50: address.to_bytes(4)}).payload)
    octets[24:28] = RELAY.to_bytes(4)
    return bytes(octets)


def answers(relay: socket.socket, wanted: dict[int, int], began: float) -> dict[int, float]:
    """Seconds until each address was confirmed, asking for all that are left in turn. wanted: address -> client."""
    found: dict[int, float] = {}
    while len(found) < len(wanted):
        for address, client in wanted.items():
            if address not in found:
                try:
                    relay.sendto(reboot(client, address), (ip_text(SERVER), 67))
                    found.setdefault(decode(relay.recv(4096)).yiaddr, time.monotonic() - began)
                except TimeoutError:
                    pass
                except ConnectionError:
                    time.sleep(ASK_EVERY_S)
        if time.monotonic() - began > PATIENCE_S:
            sys.exit(f"no answer in {PATIENCE_S} s")
    return found


def served(leases: int) -> tuple[dict[int, float], int]:
    """Seconds until each answer, and octets of the process when all leases are known."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name).resolve()
        (folder / "relet.toml").write_text(CONFIGURATION)
        wanted: dict[int, int] = {}
        if leases:
            scale.fill(folder / "leases.db", leases, int(time.time()))
            database = sqlite3.connect(folder / "leases.db")
            for address in (scale.FIRST, scale.FIRST + leases // 2, scale.FIRST + leases - 1):
                (client,) = database.execute("SELECT client FROM lease WHERE address = ?", (address,)).fetchone()
                wanted[address] = int.from_bytes(client[4:])
            database.close()
        relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        relay.bind((ip_text(RELAY), 67))
        relay.settimeout(ASK_EVERY_S)
        began = time.monotonic()
        server = subprocess.Popen(COMMAND, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            found = answers(relay, wanted, began)
            time.sleep(2)  # so that what is left of the start is done
            pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
        finally:
            server.terminate()
            server.wait()
            relay.close()
    return found, pages * 4096


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--leases", type=int, default=1_000_000)
    given = arguments.parse_args()
    if ALONE not in os.environ:
        alone = ("unshare", "--net", sys.executable, *sys.argv)
        sys.exit(subprocess.run(alone, env=os.environ | {ALONE: "1"}, check=False).returncode)
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    for address in (SERVER, RELAY):
        subprocess.run(("ip", "address", "add", f"{ip_text(address)}/32", "dev", "lo"), check=True)
    _, without = served(0)
    found, octets = served(given.leases)
    for what, seconds in zip(("first", "middle", "last"), found.values(), strict=True):
        scale.say(f"{given.leases} leases: from start until the {what} one is confirmed", seconds, "s")
    scale.say(
        f"{given.leases} leases: memory of the whole process for each", (octets - without) / given.leases, "octets"
    )


if __name__ == "__main__":
    main()
