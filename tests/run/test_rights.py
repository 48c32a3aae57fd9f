"""A server that has given up root: what it is then, what it can still do, and who may ask it."""

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.errors import MachineError
from relet.net.rights import KEPT, OVERFLOW, RightsError, identity, somebody_else
from relet.run.control import ask
from support.lab import RELET, Lab, Process, lacking, need
from support.links import offered
from support.serving import office
from support.table import ip

pytestmark = pytest.mark.namespaces

USER, GROUP = "daemon", "sys"  # any two that every system has
STRANGER = 65534


@pytest.fixture
def lab() -> Iterator[Lab]:
    if os.geteuid():
        lacking("root")
    with Lab() as made:
        made.folder.chmod(0o755)
        yield made


class Office:
    """A namespace with a server's interface, another one that clients are on, and a folder that is the user's."""

    def __init__(self, lab: Lab, settings: str) -> None:
        self.lab, self.folder = lab, lab.folder / "office"
        self.server, self.host = lab.namespace("server"), lab.namespace("host")
        self.folder.mkdir(0o750)
        os.chown(self.folder, pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid)
        self.config = self.folder / "relet.toml"
        self.config.write_text(office().replace("[server]", f"[server]\n{settings}"))
        self.config.chmod(0o644)

    def start(self) -> Process:
        return self.lab.relet(self.server, "serve", "--config", self.config, "--log-format", "human")


def status(process: Process) -> dict[str, str]:
    """What the kernel says of a process: proc_pid_status(5)."""
    rows = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (row.partition(":") for row in rows)}


def owner(path: Path) -> tuple[str, str, str]:
    found = path.stat()
    return pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name, oct(found.st_mode & 0o777)


def asks(path: Path, user: int, *groups: int) -> str:
    """What a process of that user and these groups is answered at the control socket: 'answered', or what was wrong."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        said = "nothing"
        try:
            os.setgroups(groups)
            os.setgid(user)
            os.setuid(user)
            ask(path, {"do": "status"})
            said = "answered"
        except MachineError as error:
            said = str(error)
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, encoding="utf-8") as answer:
        return answer.read()


def test_root_is_given_up_and_everything_still_works(lab: Lab) -> None:
    there = Office(lab, f'user = "{USER}"\ngroup = "{GROUP}"\nreceive-buffer = "1GiB"')
    process = there.start()
    process.line("relet serves")
    user, group = pwd.getpwnam(USER).pw_uid, grp.getgrnam(GROUP).gr_gid
    # an interface that comes afterwards is served, which needs the capabilities that were kept
    lab.cable(there.server, "s0", there.host, "c0")
    lab.address(there.server, "s0", "192.168.1.1/24")
    process.line("little room for what waits", "sysctl -w net.core.rmem_max=536870912")  # CAP_NET_ADMIN is gone
    process.line("listening", "192.168.1.1:67")
    assert sum("little room" in line for line in process.lines) == 1
    assert offered(lab, there.host) == ("OFFER", ip(1))
    kernel = status(process)
    assert kernel["Uid"].split() == [str(user)] * 4
    assert kernel["Gid"].split() == [str(group)] * 4
    assert {int(kernel[name], 16) for name in ("CapEff", "CapPrm")} == {KEPT}
    assert {int(kernel[name], 16) for name in ("CapInh", "CapAmb", "CapBnd")} == {0}
    assert kernel["NoNewPrivs"] == "1"
    for name in ("leases.db", "leases.db-wal", "leases.db-shm", "leases.db.lock"):
        assert owner(there.folder / name) == (USER, GROUP, "0o640")
    control = there.folder / "relet.sock"
    assert owner(control)[1:] == (GROUP, "0o660")
    there.folder.chmod(0o755)
    assert asks(control, 0) == "answered"
    assert asks(control, STRANGER, group) == "answered"
    assert "Permission denied" in asks(control, STRANGER, STRANGER)
    control.chmod(0o666)
    assert asks(control, STRANGER, STRANGER) == "only root, the server's user and its group may ask"
    assert asks(control, STRANGER, STRANGER, group) == "answered"
    process.close()
    assert process.popen.returncode == 0
    assert not control.exists()
    there.start().line("relet serves")


def test_a_server_that_starts_without_root_keeps_its_ambient_capabilities(lab: Lab) -> None:
    there = Office(lab, "")
    lab.cable(there.server, "s0", there.host, "c0")
    lab.address(there.server, "s0", "192.168.1.1/24")
    # one capability more than it needs: the interpreter may lie where only root can reach it
    capabilities = "-all,+net_raw,+net_bind_service,+dac_read_search"
    process = lab.start(
        there.server, need("setpriv"), "--reuid", USER, "--regid", GROUP, "--clear-groups",
        "--inh-caps", capabilities, "--ambient-caps", capabilities,
        "sh", "-c", 'exec "$@"', "sh", *RELET, "serve", "--config", there.config,
    )  # fmt: skip
    process.line("relet serves")
    assert offered(lab, there.host) == ("OFFER", ip(1))
    kernel = status(process)
    assert int(kernel["CapEff"], 16) == KEPT
    assert (int(kernel["CapAmb"], 16), kernel["NoNewPrivs"]) == (0, "1")
    assert owner(there.folder / "leases.db") == (USER, GROUP, "0o640")


@pytest.mark.parametrize(
    ("settings", "mode", "says"),
    [
        ('user = "no-such-user"', 0o755, "relet: there is no user 'no-such-user'; make it"),
        ('group = "no-such-group"', 0o755, "relet: there is no group 'no-such-group'; make it"),
        (f'user = "{USER}"', 0o555, "leases.db.lock: Permission denied"),
    ],
    ids=["user", "group", "folder"],
)
def test_what_cannot_be_is_said_and_is_3(lab: Lab, settings: str, mode: int, says: str) -> None:
    there = Office(lab, settings)
    there.folder.chmod(mode)
    process = there.start()
    process.line(says)
    assert process.wait() == 3


def test_nobody_becomes_another_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    monkeypatch.setattr(os, "getegid", lambda: STRANGER)
    monkeypatch.setattr(os, "getgroups", lambda: [STRANGER])
    with pytest.raises(MachineError, match="only root can become user 'daemon'"):
        identity(USER, "")
    with pytest.raises(MachineError, match="only root can become group 'sys'"):
        identity("", GROUP)
    assert identity("", "").uid == STRANGER


def unknown(_name: str) -> pwd.struct_passwd:
    raise KeyError


def test_a_client_becomes_nobody_where_nobody_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        lacking("root")
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    who = somebody_else("")
    assert who is not None
    assert (who.uid, who.gid, who.groups) == (OVERFLOW, OVERFLOW, (OVERFLOW,))
    with pytest.raises(RightsError, match="there is no user 'relet'; make it, or name another"):
        somebody_else("relet")


def test_a_client_that_is_to_be_what_it_is_becomes_nobody_else() -> None:
    assert somebody_else(pwd.getpwuid(os.geteuid()).pw_name) is None
