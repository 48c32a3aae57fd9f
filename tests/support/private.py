"""A host of a lab with an /etc, a /run and a host name of its own, so that what is done to them is done to nobody else's."""

import shlex
from pathlib import Path

from support.lab import RELET, Lab, Process, need

TAKEN = (
    "alternatives",
    "dhcp",
    "fstab",
    "group",
    "hosts",
    "iproute2",
    "ld.so.cache",
    "nsswitch.conf",
    "passwd",
    "udhcpc",
)
"""What programs and scripts find in an /etc, where this machine has it."""

RESOLV_CONF = b"# the operator's\noptions edns0\nnameserver 10.0.0.1\n"


class PrivateHost:
    """etc: what the host has as /etc: TAKEN of this machine's, and RESOLV_CONF. run: its /run."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self.etc, self.run = lab.folder / f"{name}-etc", lab.folder / f"{name}-run"
        self.etc.mkdir()
        self.run.mkdir()
        lab.run(name, "cp", "-a", *filter(Path.exists, (Path("/etc", each) for each in TAKEN)), self.etc)
        self.resolv_conf = self.etc / "resolv.conf"
        self.resolv_conf.write_bytes(RESOLV_CONF)
        self.resolv_conf.chmod(0o640)

    def start(self, *argv: str | Path, before: str = "") -> Process:
        """Start a command there; `before`: what a shell does there first."""
        mounts = f"mount --bind {self.etc} /etc && mount --bind {self.run} /run && hostname localhost"
        command = f"{mounts} && {before or 'true'} && exec {shlex.join(map(str, argv))}"
        return self.lab.start(self.name, need("unshare"), "--mount", "--uts", "sh", "-c", command)

    def relet(self, *arguments: str | Path, before: str = "") -> Process:
        """Start a relet command there."""
        return self.start(*RELET, *arguments, before=before)

    def files(self) -> dict[str, bytes]:
        """All that begins with resolv.conf in its /etc."""
        return {path.name: path.read_bytes() for path in self.etc.glob("resolv.conf*") if path.is_file()}

    def resolves_as_before(self) -> bool:
        """Is resolv.conf as it was, and nothing beside it?"""
        return self.files() == {"resolv.conf": RESOLV_CONF} and self.resolv_conf.stat().st_mode & 0o777 == 0o640
