"""`relet storm` on the command line: what does not go together is told, and reports are compared without a network."""

import json
import socket
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from relet.lab.storm.cast import Wanted
from relet.lab.storm.memory import save
from relet.lab.storm.report import Report
from support.commands import relet
from support.storms import Relet, new, storm, with_leases


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fleets and reports."""
    folder = tmp_path_factory.mktemp("storms")
    server = Relet()
    memory = with_leases(50, server)
    (folder / "folder").mkdir()
    save(memory, folder / "fleet.json")
    save(new(50), folder / "none.json")
    made = storm(memory, server, Wanted(reboot=1)).report
    good, bad = made, replace(made, good=False, bound=49, setup=replace(made.setup, name="other"))
    for name, report in (("good", good), ("bad", bad)):
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(report))
    return folder


TO = ("--server", "10.64.0.1", "--relay", "10.64.0.2")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("allocate", "--clients", "5"), "--server ADDRESS"),
        (("allocate", "--clients", "5", "--server", "10.64.0.1"), "--server needs --relay"),
        (("allocate", "--clients", "5", *TO, "--interface", "eth0"), "whom it is against"),
        (("allocate", "--clients", "5", "--server", "255.255.255.255", "--relay", "10.64.0.2"), "one server"),
        (("allocate", "--clients", "5", "--server", "somewhere", "--relay", "10.64.0.2"), "not an IPv4 address"),
        (("allocate", "--clients", "5", "--server", "10.64.0.1", "--relay", "10.64.0.2,10.64.0.2"), "each once"),
        (("allocate", *TO), "--clients N"),
        (("reboot", "--clients", "5", *TO), "first 'relet storm allocate --save FLEET'"),
        (("reboot", "--fleet", "none.json", *TO), "needs clients with leases"),
        (("reboot", "--fleet", "fleet.json", "--clients", "5", *TO), "says by itself"),
        (
            ("reboot", "--fleet", "fleet.json", "--server", "10.64.0.1", "--relay", "10.64.0.2,10.64.0.3"),
            "name as many",
        ),
        (("reboot", "--fleet", "fleet.json", *TO, "--foreign", "70%", "--taken", "40%"), "more than all"),
        (("reboot", "--fleet", "fleet.json", *TO, "--foreign", "many"), "not a share"),
        (("reboot", "--fleet", "fleet.json", *TO, "--foreign-prefix", "10.0.0.1/8"), "bits set"),
        (("renew", "--fleet", "fleet.json", *TO, "--taken", "5%"), "of clients that reboot"),
        (("renew", "--fleet", "fleet.json", "--interface", "eth0"), "on a link"),
        (("reboot", "--fleet", "fleet.json", *TO, "--mix", "reboot=1"), "--mix goes with mixed"),
        (("mixed", "--fleet", "fleet.json", *TO, "--mix", "dance=1"), "allocate, reboot, renew"),
        (("allocate", "--clients", "5", *TO, "--rate", "5", "--over", "9s", "--curve", "ramp"), "the same thing"),
        (("allocate", "--clients", "5", *TO, "--curve", "at-once", "--rate", "5"), "another curve"),
        (("allocate", "--clients", "5", *TO, "--window", "5", "--curve", "ramp"), "with --window"),
        (("allocate", "--clients", "5", *TO, "--limit", "soon"), "not a time"),
        (("allocate", "--clients", "5", *TO, "--models", "macintosh=5"), "windows"),
        (("allocate", "--clients", "5", *TO, "good.json"), "they go with compare"),
        (("allocate", "--clients", "5", *TO, "--json", "absent/report.json"), "no folder absent"),
        (("allocate", "--clients", "5", *TO, "--picture", "folder"), "folder is a folder"),
        (("allocate", "--clients", "5", *TO, "--save", "absent/fleet.json"), "no folder absent"),
        (("allocate", "--clients", "5", "--interface", "eth0", "--relay", "10.64.0.2"), "no relays"),
        (("allocate", "--clients", "5", "--interface", "eth0", "--circuits", "5"), "those of relays"),
        (("allocate", "--clients", "5", "--server", "10.64.0.2", "--relay", "10.64.0.2"), "one of the relays"),
        (("allocate", "--clients", "5", *TO, "--window", "1", "--processes", "2"), "at least --processes"),
        (("compare", "good.json", "--json", "other.json"), "leave out --json"),
        (("compare", "good.json", "--clients", "5"), "leave out --clients"),
        (("compare", "good.json", "--picture", "folder"), "folder is a folder"),
        (("compare",), "compare takes the reports"),
        (("compare", "fleet.json"), "no report"),
        (("compare", *["good.json"] * 7, "--picture", "all.svg"), "room for 6"),
        (("dance",), "dance"),
    ],
)
def test_what_does_not_go_together_is_wrong_use(
    arguments: tuple[str, ...], told: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "400")
    ended = relet("storm", *arguments)
    assert ended.code == 2
    assert told in " ".join(ended.err.split())


def test_what_cannot_be_read_or_bound_is_the_environments_fault(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    absent = relet("storm", "reboot", "--fleet", "absent.json", *TO)
    assert (absent.code, absent.err) == (3, "relet: cannot read the fleet absent.json: No such file or directory\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        with suppress(PermissionError):  # who may not bind it, storms no better
            other.bind(("127.0.0.9", 67))
        in_use = relet("storm", "allocate", "--clients", "5", "--server", "127.0.0.8", "--relay", "127.0.0.9")
    assert in_use.code == 3
    assert "cannot bind 127.0.0.9:67" in in_use.err
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sharing:
        sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with suppress(PermissionError):
            sharing.bind(("127.0.0.9", 67))
        another = relet(
            "storm", "allocate", "--clients", "5", "--server", "127.0.0.8", "--relay", "127.0.0.9", "--processes", "2"
        )
    assert another.code == 3
    assert "cannot bind 127.0.0.9:67" in another.err
    no_link = relet("storm", "allocate", "--clients", "5", "--interface", "absent0")
    assert no_link.code == 3


def test_compare_puts_reports_side_by_side(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    ended = relet("storm", "compare", "good.json", "bad.json", "--picture", "all.svg")
    assert (ended.code, ended.err) == (1, "")
    assert "relet" in ended.out
    assert "49 of 50" in ended.out
    assert "other" in (files / "all.svg").read_text(encoding="utf-8")
    assert relet("storm", "compare", "good.json").code == 0


def test_a_report_of_another_version_is_no_report(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    octets = json.loads((files / "good.json").read_bytes()) | {"version": 99}
    (files / "future.json").write_text(json.dumps(octets))
    assert relet("storm", "compare", "future.json").code == 2


def test_reports_are_read_as_they_were_written(files: Path) -> None:
    octets = (files / "good.json").read_bytes()
    assert msgspec.json.encode(msgspec.json.decode(octets, type=Report)) == octets
