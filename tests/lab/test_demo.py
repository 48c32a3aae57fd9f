"""`relet demo`: what it claims to show is what its frames show, in both worlds, and it does not claim more."""

import io
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from scapy.utils import rdpcap

from relet.cli import demo
from relet.lab.ladder import Ladder
from relet.lab.pcap import PcapWriter, read_capture
from relet.lab.scenes import LONGEST_CLAIM, PATIENCE, Outcome, Play
from relet.lab.stage import CLIENT_MAC, SERVERS, STRANGER_MAC
from relet.lab.terminal import NARROWEST
from relet.lab.virtual import VirtualStage
from relet.server.told import Told
from relet.wire.frame import decode_datagram
from relet.wire.message import decode
from relet.wire.options import MessageType
from support.lab import lacking
from support.oracle import ARP, BOOTP, DHCP

TIMEOUT_S = 120
SVG = "{http://www.w3.org/2000/svg}"
STORY = [
    *("DISCOVER", "OFFER", "REQUEST", "ACK"),
    *("REQUEST", "ACK"),
    *("REQUEST", "NAK", "DISCOVER", "OFFER", "REQUEST", "ACK"),
    *("REQUEST", "DISCOVER"),
    *("REQUEST", "ACK", "DECLINE", "DISCOVER", "OFFER", "REQUEST", "ACK"),
]
"""The messages of the five scenes, copies left out."""


def relet_demo(
    *arguments: str | Path, path: str | None = None, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command as its user would, with output that is not a terminal. before: what starts it."""
    environment = {name: value for name, value in os.environ.items() if name != demo.ON_STAGE}
    return subprocess.run(
        [*before, sys.executable, "-m", "relet", "demo", *map(str, arguments)],
        env=environment if path is None else environment | {"PATH": path},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        text=True,
    )


def claims(out: str) -> list[str]:
    return re.findall(r"^  (yes|NO )  a ", out, re.MULTILINE)


def kinds(capture: Path) -> list[str]:
    """The types of the DHCP messages in a capture, copies (same sender and xid) left out."""
    seen: list[tuple[bytes, int, str]] = []
    for captured in read_capture(capture.read_bytes()):
        if captured.frame[12:14] == b"\x08\x00" and captured.frame[23] == 17:
            datagram = decode_datagram(captured.frame, verify=False)
            message = decode(datagram.payload)
            row = (datagram.src_mac, message.xid, MessageType(message.kind).name)
            if row not in seen:
                seen.append(row)
    return [kind for _, _, kind in seen]


def hold_to_its_word(ended: subprocess.CompletedProcess[str], out: Path) -> None:
    """Both files show what was claimed, in the eyes of somebody else."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert claims(ended.stdout) == ["yes"] * 5
    assert ended.stderr == ""
    assert kinds(out / "demo.pcap") == STORY
    frames = rdpcap(str(out / "demo.pcap"))
    assert len(frames) == len(list(read_capture((out / "demo.pcap").read_bytes())))
    assert all(DHCP in frame for frame in frames if BOOTP in frame)
    hosts = {CLIENT_MAC.hex(":"), STRANGER_MAC.hex(":"), *(cast.mac.hex(":") for cast in SERVERS.values())}
    assert {frame.src for frame in frames if ARP in frame or BOOTP in frame} == hosts - {
        SERVERS["server-2"].mac.hex(":")
    }
    picture = ElementTree.parse(out / "demo.svg").getroot()
    assert picture.tag == f"{SVG}svg"
    text = " ".join("".join(each.itertext()) for each in picture.iter(f"{SVG}text"))
    for title in (
        "Allocation from nothing", "The lease is confirmed", "The host wakes up on another network", "Nobody answers",
        "Another host holds the address",
    ):  # fmt: skip
        assert title in text


def test_simulated(tmp_path: Path) -> None:
    hold_to_its_word(relet_demo("--simulated", "--out", tmp_path / "new" / "folder"), tmp_path / "new" / "folder")


@pytest.mark.namespaces
def test_on_a_real_network(tmp_path: Path) -> None:
    ended = relet_demo("--out", tmp_path)
    if ended.returncode == demo.ENVIRONMENT and "user namespaces" in ended.stderr:
        lacking(f"namespaces ({ended.stderr})")
    hold_to_its_word(ended, tmp_path)


@pytest.mark.namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="the test above was without root already")
def test_without_root(tmp_path: Path) -> None:
    """As a user without capabilities, all rights of the play come from a user namespace."""
    nobody = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if subprocess.run([*nobody, "unshare", "--user", "--map-root-user", "true"], check=False).returncode:
        lacking("user namespaces")
    hold_to_its_word(relet_demo("--out", tmp_path, before=nobody), tmp_path)


@pytest.mark.namespaces
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_ended_early_it_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    """No process of the play and no file in the folder for temporary files outlives the process that was started."""
    command = [sys.executable, "-m", "relet", "demo", "--out", str(tmp_path / "out")]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if not any("1 · Allocation" in line for line in process.stdout):
            lacking(f"namespaces ({process.stderr.read()})")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        handles = [os.pidfd_open(int(child)) for child in children]
        process.send_signal(signal.Signals[name])
        process.wait(TIMEOUT_S)
        # A handle of a process is readable when the process has ended (pidfd_open(2)).
        ended = [bool(select.select([handle], [], [], TIMEOUT_S)[0]) for handle in handles]
        said = process.stderr.read()
        for handle in handles:
            os.close(handle)
    assert len(ended) >= 2, "it was ended before the play began"
    assert all(ended)
    assert list(temporary.iterdir()) == []
    assert process.returncode == (130 if name == "SIGINT" else -signal.Signals[name])
    assert "Traceback" not in said


def test_files_are_made_where_the_command_was_called(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "relet", "demo", "--simulated"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=TIMEOUT_S).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.pcap", "demo.svg"]


def test_a_folder_that_cannot_be_made_is_said_and_is_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = relet_demo("--simulated", "--out", tmp_path / "file")
    assert (ended.returncode, ended.stderr) == (3, f"relet: {tmp_path / 'file'}: File exists\n")


@pytest.mark.parametrize(
    ("unshare", "why"),
    [
        (None, "the program `unshare` (util-linux) is missing"),
        (
            "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1",
            "unshare failed: Operation not permitted",
        ),
    ],
    ids=["missing", "forbidden"],
)
def test_without_the_right_to_build_networks_it_says_what_it_needs(
    tmp_path: Path, unshare: str | None, why: str
) -> None:
    if unshare:
        program = tmp_path / "unshare"
        program.write_text(f"#!/bin/sh\n{unshare}\n")
        program.chmod(0o755)
    ended = relet_demo("--out", tmp_path / "out", path=str(tmp_path))
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert why in ended.stderr
    assert "needs root" in ended.stderr
    assert "`relet demo --simulated`" in ended.stderr
    assert not (tmp_path / "out").exists()


# The play itself, under virtual time


def play(stage: VirtualStage) -> tuple[list[Outcome], bytes, Ladder]:
    tape, ladder = io.BytesIO(), Ladder([])
    return Play(stage, ladder, PcapWriter(tape)).perform(), tape.getvalue(), ladder


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_seed_is_the_whole_story(seed: int) -> None:
    outcomes, tape, ladder = play(VirtualStage(seed))
    assert [outcome.seen for outcome in outcomes] == [True] * 5
    assert max(len(outcome.claim) for outcome in outcomes) <= LONGEST_CLAIM
    assert len(ladder.scenes()) == 5
    again = play(VirtualStage(seed))
    assert (outcomes, tape, ladder.scenes()) == (again[0], again[1], again[2].scenes())
    assert tape != play(VirtualStage(seed + 1))[1]


class Deaf(VirtualStage):
    """A world in which no server is ever up."""

    def start(self, server: str) -> None:
        """It does not."""


class Babbling(VirtualStage):
    """A world in which every server has seen every lease, so that none keeps silent."""

    def start(self, server: str) -> None:
        super().start(server)
        servers = self._servers
        servers[server].store = servers["server-1"].store
        super().start(server)


class Mute(VirtualStage):
    """A world in which servers say nothing of their reasons."""

    def verdicts(self, server: str, limit: int) -> Sequence[Told]:  # noqa: ARG002
        return []


class Alone(VirtualStage):
    """A world in which nobody else uses the address."""

    def squat(self, address: int) -> None:
        """Nobody does."""


class Rooted(VirtualStage):
    """A world in which the client is not carried anywhere."""

    def plug(self, network: str) -> None:
        """It stays."""


@pytest.mark.parametrize(
    ("stage", "seen"),
    [
        (Deaf, [False] * 5),
        (Mute, [True, False, True, True, True]),
        (Alone, [True, True, True, True, False]),
        (Babbling, [True, False, True, True, True]),
        (Rooted, [True, True, False, False, False]),
    ],
)
def test_a_world_that_is_otherwise_is_told_as_it_is(
    stage: type[VirtualStage], seen: list[bool], tmp_path: Path
) -> None:
    out = io.StringIO()
    code = demo._play(stage(), Console(file=out, width=80), tmp_path)
    assert all(len(line) <= NARROWEST for line in out.getvalue().partition("What was seen")[2].splitlines()[1:6])
    assert claims(out.getvalue()) == ["yes" if each else "NO " for each in seen]
    assert code == 1
    assert ElementTree.parse(tmp_path / "demo.svg").getroot().tag == f"{SVG}svg"
    assert len(list(read_capture((tmp_path / "demo.pcap").read_bytes()))) > 5


def test_a_scene_that_never_comes_has_an_end() -> None:
    stage = Deaf()
    began = stage.wall()
    play(stage)
    assert stage.wall() - began < 5 * (PATIENCE + 1)
