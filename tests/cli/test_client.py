"""`relet client` as a command: how it ends when it cannot begin, and what it says to do."""

import re
from pathlib import Path

import pytest

from relet.model.effects import Binding
from relet.run.hook import TIMEOUT_S
from relet.run.programs import FAREWELL_S
from relet.run.variables import REASONS, UDHCPC, environment
from support.lab import RELET, Lab, Process, need

pytestmark = pytest.mark.namespaces


def ended(process: Process) -> tuple[int, str]:
    """Exit code and all that it said, on one line."""
    code = process.wait()
    assert process.popen.stdout is not None
    return code, " ".join(process.popen.stdout.read().split())


def test_an_unknown_interface_is_answered_with_the_known_ones() -> None:
    with Lab() as lab:
        host = lab.namespace("host")
        code, said = ended(lab.relet(host, "client", "nowhere", "--once"))
    assert code == 3
    assert said == "relet: cannot look at interface nowhere: No such device; the interfaces are lo"


def test_what_is_no_client_identifier_is_wrong_use() -> None:
    with Lab() as lab:
        host, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(host, "c0", other, "s0")
        code, said = ended(lab.relet(host, "client", "c0", "--client-id", "xyz"))
    assert code == 2
    assert "'xyz' is no client identifier; write mac, duid, none, or octets such as 01:52:54:00:12:34:56" in said


def test_what_is_no_number_is_wrong_use() -> None:
    with Lab() as lab:
        code, said = ended(lab.relet(lab.namespace("host"), "client", "lo", "--timeout", "soon"))
    assert code == 2
    assert "--timeout" in said


def test_an_interface_that_is_no_ethernet_is_named() -> None:
    with Lab() as lab:
        code, said = ended(lab.relet(lab.namespace("host"), "client", "lo"))
    assert (code, said) == (3, "relet: lo is not an Ethernet interface")


def test_without_the_rights_it_says_which_are_needed() -> None:
    with Lab() as lab:
        host, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(host, "c0", other, "s0")
        file = lab.folder / "lease"
        code, said = ended(
            lab.start(host, need("setpriv"), "--bounding-set=-all", *RELET, "client", "c0", "--lease-file", file)
        )
    assert code == 3
    assert said.startswith("relet: cannot claim c0: Permission denied; run it as root")


def test_one_lease_file_is_for_one_interface() -> None:
    with Lab() as lab:
        code, said = ended(lab.relet(lab.namespace("host"), "client", "c0", "c1", "--lease-file", lab.folder / "lease"))
    assert code == 2
    assert "--lease-file is one file for one interface" in said


@pytest.mark.parametrize("hook", ["nowhere/at/all", "not-executable", "folder"])
def test_a_hook_that_cannot_be_run_is_wrong_use(hook: str) -> None:
    with Lab() as lab:
        host, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(host, "c0", other, "s0")
        (lab.folder / "not-executable").touch(mode=0o644)
        (lab.folder / "folder").mkdir()
        code, said = ended(lab.relet(host, "client", "c0", "--timeout", "0.1", "--hook", lab.folder / hook))
    assert code == 2
    assert "--hook" in said


def manual() -> str:
    text = (Path(__file__).parents[2] / "docs" / "manual.md").read_text()
    return text.partition("\n### The hook")[2].partition("\n## ")[0]


def first_cells(*, beginning: str) -> set[str]:
    """Words in backquotes of that beginning, out of the first cells of the manual's tables about the client."""
    cells = [line.split("|")[1] for line in manual().splitlines() if line.startswith("|")]
    return {word for cell in cells for word in re.findall(rf"`({beginning}[\w<>-]*)", cell)}


def test_the_manual_has_every_reason_and_variable_of_a_hook() -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in manual().splitlines() if line.startswith("|")]
    told = {
        reason: (row[3].strip("`"), row[4].strip("`"))
        for row in rows
        for reason in re.findall(r"`([a-z0-9-]*)`", row[1])
        if len(row) == 6
    }
    assert told == REASONS
    variables = environment("bound", "eth0", Binding(1, 1, 0.0, 60, 30, 50))
    ours = {name for name in variables if name.startswith("RELET_")}
    assert first_cells(beginning="RELET_") == ours - {"RELET_REASON"} | {"RELET_OPTION_<NAME>"}
    assert "`RELET_REASON`" in manual()
    assert {f"`{name}`" for name in UDHCPC.values()} <= set(re.findall(r"`\w+`", manual()))
    assert f"longer than {TIMEOUT_S:g} s is killed, and when the client ends,\nafter {FAREWELL_S:g} s" in manual()
