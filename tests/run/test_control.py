"""The control socket: what a peer may do to it, and that the next one is answered all the same."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from relet.net.clock import now
from relet.run.control import (
    MAX_CONNECTIONS,
    MAX_REQUEST,
    Answerer,
    Control,
    ControlError,
    Later,
    Question,
    Subject,
    ask,
)
from relet.run.loop import Loop
from support.lab import until

HUGE = 64 << 20
"""Octets that no socket buffer holds."""
PATIENCE_S = 10


def answer(question: Question) -> object:
    """What these tests ask."""
    match question:
        case {"say": said}:
            return said
        case {"much": int(octets)}:
            return "x" * octets
        case {"fail": True}:
            raise KeyError("a bug")
    raise ValueError("say something")


class Served:
    """A control socket, and a loop that runs in a thread."""

    def __init__(self, path: Path, answer: Answerer = answer) -> None:
        self.path = path
        self.faults: list[Exception] = []
        self.loop = Loop(lambda: now().mono + 0.02, lambda: None, lambda error, _: self.faults.append(error))
        self.control = Control(path, answer, self.loop)
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()

    def connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(str(self.path))
        peer.settimeout(PATIENCE_S)
        return peer

    def says(self, octets: bytes) -> bytes:
        """All that comes back for these octets, until the server hangs up."""
        with self.connect() as peer:
            heard = b""
            try:
                peer.sendall(octets)
                while chunk := peer.recv(65536):
                    heard += chunk
            except (BrokenPipeError, ConnectionResetError):
                pass
            return heard

    def well(self) -> bool:
        return ask(self.path, {"say": "well"}) == "well"

    def close(self) -> None:
        self.loop.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self.control.close()
        self.loop.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "control")
    yield served
    served.close()


def test_a_question_is_answered_and_the_file_is_the_owners_and_goes(tmp_path: Path) -> None:
    served = Served(tmp_path / "control")
    assert ask(served.path, {"say": {"a": [1, "ö"]}}) == {"a": [1, "ö"]}
    assert served.path.stat().st_mode & 0o777 == 0o600
    served.close()
    assert not served.path.exists()
    assert served.loop.faults == 0
    with pytest.raises(ControlError, match=r"no server answers at .*control.*is `relet serve` running"):
        ask(served.path, {"say": 1})


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "truncated"),
        (b"hello", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[1]", "Expected `object`, got `array`"),
        (b'{"say"', "truncated"),
        (b'{"say": 1} {}', "trailing"),
        (b'{"say":' + b"[" * 60_000, "recursion"),
        (b'{"other": 1}', "say something"),
    ],
)
def test_nonsense_is_told_so(served: Served, line: bytes, error: str) -> None:
    said = msgspec.json.decode(served.says(line + b"\n"), type=dict[str, str])
    assert error in said["error"]
    assert served.well()
    assert served.loop.faults == 0


def test_an_error_reaches_whoever_asked(served: Served) -> None:
    with pytest.raises(ControlError, match="say something"):
        ask(served.path, {"nothing": 1})


def test_only_the_first_line_counts(served: Served) -> None:
    assert served.says(b'{"say": 1}\n{"say": 2}\n') == b"1\n"


def test_a_question_may_come_in_pieces(served: Served) -> None:
    with served.connect() as peer:
        for octet in b'{"say":"slow"}\n':
            peer.sendall(bytes((octet,)))
        assert peer.recv(100) == b'"slow"\n'


@pytest.mark.parametrize("octets", [b"x" * (MAX_REQUEST + 1), b"x" * (4 * MAX_REQUEST)])
def test_an_endless_line_is_hung_up_on(served: Served, octets: bytes) -> None:
    assert served.says(octets) == b""
    assert served.well()


def test_the_longest_line_is_read(served: Served) -> None:
    filler = b"x" * (MAX_REQUEST - len(b'{"say":""}\n'))
    assert served.says(b'{"say":"' + filler + b'"}\n') == b'"' + filler + b'"\n'


def test_silent_peers_make_room(served: Served) -> None:
    with ExitStack() as peers:
        silent = [peers.enter_context(served.connect()) for _ in range(MAX_CONNECTIONS + 3)]
        assert served.well()
        assert silent[0].recv(1) == b""
        silent[-1].sendall(b'{"say":"late"}\n')
        assert silent[-1].recv(100) == b'"late"\n'
    assert served.well()


@pytest.mark.parametrize("leave", [lambda _: None, lambda peer: peer.shutdown(socket.SHUT_WR)], ids=["abrupt", "half"])
def test_a_peer_may_go_without_a_question(served: Served, leave: Callable[[socket.socket], None]) -> None:
    with served.connect() as peer:
        peer.sendall(b'{"say"')
        leave(peer)
    assert served.well()
    assert served.loop.faults == 0


def test_a_peer_that_does_not_read_yet_holds_nobody_up_and_gets_its_answer_when_it_does(served: Served) -> None:
    with served.connect() as slow:
        slow.sendall(b'{"much": %d}\n' % HUGE)
        assert served.well()
        octets = 0
        while chunk := slow.recv(1 << 20):
            octets += len(chunk)
        assert octets == HUGE + len('""\n')


def test_a_peer_that_does_not_read_makes_room_and_loses_the_rest(served: Served) -> None:
    with ExitStack() as peers:
        deaf = peers.enter_context(served.connect())
        deaf.sendall(b'{"much": %d}\n' % HUGE)
        for _ in range(MAX_CONNECTIONS):
            peers.enter_context(served.connect())
        assert served.well()
        octets = 0
        while chunk := deaf.recv(1 << 20):
            octets += len(chunk)
        assert octets < HUGE
    assert served.loop.faults == 0


def test_an_answer_that_is_cut_short_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(b'{"half')
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ControlError, match="gave no complete answer"):
            ask(path, {"say": 1})
        thread.join(PATIENCE_S)


def test_an_answer_may_come_later(tmp_path: Path) -> None:
    later: list[Later] = []

    def wait(question: Question) -> object:
        match question:
            case {"wait": True}:
                later.append(Later())
                return later[-1]
        for waiting in later:
            waiting.give("at last")
        return "well"

    served = Served(tmp_path / "control", wait)
    try:
        with served.connect() as patient, served.connect() as gone:
            for peer in (gone, patient):
                peer.sendall(b'{"wait": true}\n')
            until(lambda: len(later) == 2)
            gone.close()
            assert ask(served.path, {}) == "well"
            assert patient.recv(100) == b'"at last"\n'
            assert ask(served.path, {}) == "well"  # given twice, heard once
        assert served.loop.faults == 0
    finally:
        served.close()


def test_whoever_is_asked_is_named(tmp_path: Path) -> None:
    client = Subject("client", "is `relet client eth0` running?")
    with pytest.raises(
        ControlError, match=r"no client answers at .*\(No such file.*\); is `relet client eth0` running\?"
    ):
        ask(tmp_path / "nowhere", {}, client)


def test_a_bug_costs_one_answer(served: Served) -> None:
    assert served.says(b'{"fail": true}\n') == b""
    assert served.well()
    assert [repr(error) for error in served.faults] == ["KeyError('a bug')"]


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    served = Served(path)
    assert served.well()
    served.close()


def test_a_file_that_is_no_socket_is_nobody_elses_to_remove(tmp_path: Path) -> None:
    path = tmp_path / "relet.toml"
    path.write_text("precious")
    with pytest.raises(ControlError, match=r"cannot make the control socket .*relet\.toml: Address already in use"):
        Control(path, answer, Loop(lambda: None, lambda: None))
    assert path.read_text() == "precious"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"cannot make the control socket .*missing/control: No such file"):
        Control(tmp_path / "missing" / "control", answer, Loop(lambda: None, lambda: None))


def test_a_socket_of_another_kind_is_somebodys_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "log"
    loop = Loop(lambda: None, lambda: None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(ControlError, match="another server"):
            Control(path, answer, loop)
        assert path.is_socket()
    loop.close()


def test_a_second_server_does_not_take_the_socket_of_a_living_one(tmp_path: Path) -> None:
    path = tmp_path / "relet.sock"
    first = Served(path)
    second = Loop(lambda: None, lambda: None)
    try:
        with pytest.raises(ControlError, match="another server answers"):
            Control(path, answer, second)
        assert ask(path, {"say": "still here"}) == "still here"
    finally:
        second.close()
        first.close()
