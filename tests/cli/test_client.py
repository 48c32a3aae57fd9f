"""`relet client` as a command: how it ends when it cannot begin, and what it says to do."""

import pytest

from support.lab import RELET, Lab, Process, need

pytestmark = pytest.mark.namespaces


def ended(process: Process) -> tuple[int, str]:
    """Exit code and all that it said, on one line and without the frame that typer draws."""
    code = process.wait()
    assert process.popen.stdout is not None
    return code, " ".join(process.popen.stdout.read().replace("│", " ").split())


def test_an_unknown_interface_is_answered_with_the_known_ones() -> None:
    with Lab() as lab:
        host = lab.namespace("host")
        code, said = ended(lab.relet(host, "client", "nowhere"))
    assert code == 3
    assert said == "relet: cannot look at interface nowhere: No such device; the interfaces are lo"


def test_what_is_no_hexadecimal_is_wrong_use() -> None:
    with Lab() as lab:
        host, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(host, "c0", other, "s0")
        code, said = ended(lab.relet(host, "client", "c0", "--client-id", "xyz"))
    assert code == 2
    assert "'xyz' is not hexadecimal" in said


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
    assert said.startswith("relet: cannot open a packet socket: Operation not permitted; run it as root")
