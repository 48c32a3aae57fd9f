"""`relet serve` in a lab, and the configuration that the peers' tests share."""

from pathlib import Path

from support.lab import Lab, Process, until

OFFICE = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "office"
interfaces = ["{interface}"]
lease-time = "1h"
options = {{ domain-name = "example.org" }}

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["{pool}"]
options = {{ routers = ["192.168.1.1"] }}
"""


def office(interface: str = "s0", pool: str = "192.168.1.100-192.168.1.119") -> str:
    """A configuration with one network."""
    return OFFICE.format(interface=interface, pool=pool)


class Serve:
    """A server process that can be killed and started again on its own folder."""

    def __init__(
        self, lab: Lab, namespace: str, configuration: str, label: str = "serve", verbose: bool = True
    ) -> None:
        self.folder = lab.folder / label
        self.folder.mkdir()
        self.config = self.folder / "relet.toml"
        self.config.write_text(configuration)
        self._lab = lab
        self._namespace = namespace
        self._talk = ("--verbose",) if verbose else ()
        self.process = self.start()

    @property
    def control(self) -> Path:
        return self.folder / "relet.sock"

    def start(self) -> Process:
        """Start it; it listens when this returns."""
        self.process = self._lab.relet(
            self._namespace, "serve", "--config", self.config, "--log-format", "human", *self._talk
        )
        until(lambda: self.control.exists() or self.process.popen.poll() is not None)
        self.process.line("relet serves")  # from here on it ends as it should
        return self.process

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.control.unlink(missing_ok=True)

    def verdict(self, request: str) -> str:
        """The log line of the next verdict on such a request."""
        return self.process.line(f"request={request}")
