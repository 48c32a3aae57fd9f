"""What a power failure may leave, by the model of the crash tests: all that was synced, and any part of the rest."""

from random import Random

import pytest

from crash.disk import (
    SECTOR,
    Create,
    Disk,
    Luck,
    Op,
    Rename,
    Sync,
    Truncate,
    Unlink,
    Write,
    chance,
    everything,
    last_torn,
    nothing,
    only_last,
)

OLD, NEW = b"o" * SECTOR, b"n" * SECTOR


def disk(*ops: Op) -> Disk:
    made = Disk()
    for op in ops:
        made.do(op)
    return made


def made(*ops: Op) -> Disk:
    """A disk on which file f is safe with two old sectors, and then these."""
    return disk(Create(1, 1, "f"), Write(2, 2, "f", 0, 2 * OLD), Sync(3, 4, "f"), Sync(5, 6, ""), *(op for op in ops))


def kinds(octets: bytes) -> str:
    """The sectors in letters."""
    return "".join(chr(octets[at]) if octets[at] else "0" for at in range(0, len(octets), SECTOR))


FIRST_NAME = nothing()._replace(names=lambda _: 1)

ROWS: list[tuple[str, Disk, Luck, dict[str, str]]] = [
    ("what was synced is there", made(), nothing(), {"f": "oo"}),
    ("a write that was not, is not", made(Write(7, 8, "f", 0, NEW)), nothing(), {"f": "oo"}),
    ("or is", made(Write(7, 8, "f", 0, NEW)), everything(), {"f": "no"}),
    ("half of it", made(Write(7, 8, "f", 0, 2 * NEW)), last_torn(1), {"f": "no"}),
    ("the other half", made(Write(7, 8, "f", 0, 2 * NEW)), last_torn(1, backwards=True), {"f": "on"}),
    ("the later one alone", made(Write(7, 8, "f", 0, NEW), Write(9, 10, "f", 512, NEW)), only_last(), {"f": "on"}),
    ("behind a hole", made(Write(7, 8, "f", 1024, NEW), Write(9, 10, "f", 1536, NEW)), only_last(), {"f": "oo0n"}),
    ("the end of the file", made(Write(7, 8, "f", -1, NEW), Write(9, 10, "f", -1, NEW)), everything(), {"f": "oonn"}),
    ("a length", made(Truncate(7, 8, "f", SECTOR)), nothing(), {"f": "oo"}),
    ("a length that is there", made(Truncate(7, 8, "f", SECTOR)), everything(), {"f": "o"}),
    ("grown by nothing", made(Truncate(7, 8, "f", 4 * SECTOR)), everything(), {"f": "oo00"}),
    ("grown, not written", made(Write(7, 8, "f", -1, NEW)), nothing()._replace(grown=lambda _: True), {"f": "oo0"}),
    (
        "grown, with something else in it",
        made(Write(7, 8, "f", -1, NEW)),
        nothing()._replace(grown=lambda _: True, stale=b"x"),
        {"f": "oox"},
    ),
    ("synced later", made(Write(7, 8, "f", 0, NEW), Sync(9, 10, "f")), nothing(), {"f": "no"}),
    ("a sync that began before the write ended", made(Write(7, 9, "f", 0, NEW), Sync(8, 10, "f")), nothing(), {"f": "oo"}),
    (
        "what is safe stays behind what is not",
        made(Write(7, 9, "f", 0, OLD), Write(7, 7, "f", 512, NEW), Sync(8, 10, "f")),
        nothing(),
        {"f": "on"},
    ),
    (
        "a write that syncs itself and nothing before it",
        made(Write(7, 8, "f", 0, NEW), Write(9, 10, "f", 512, NEW), Sync(10, 10, "f", own=True)),
        nothing(),
        {"f": "on"},
    ),
    ("a file in a folder that was not synced", disk(Create(1, 1, "f"), Sync(3, 4, "f")), nothing(), {}),
    ("a name that is gone may come back", made(Unlink(7, 8, "f")), nothing(), {"f": "oo"}),
    ("or not", made(Unlink(7, 8, "f")), everything(), {}),
    ("not after a sync of the folder", made(Unlink(7, 8, "f"), Sync(9, 10, "")), nothing(), {}),
    ("one name after the other", made(Rename(7, 8, "f", "g"), Create(9, 9, "f")), FIRST_NAME, {"g": "oo"}),
    ("a name taken over", made(Create(7, 7, "g"), Sync(8, 9, ""), Rename(10, 10, "f", "g")), everything(), {"g": "oo"}),
    ("opened again", made(Create(7, 7, "f")), nothing(), {"f": "oo"}),
]  # fmt: skip


@pytest.mark.parametrize(("now", "luck", "left"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_left(now: Disk, luck: Luck, left: dict[str, str]) -> None:
    assert {name: kinds(octets) for name, octets in now.left(luck).items()} == left


def test_chance_leaves_anything_but_never_less_than_what_was_synced() -> None:
    now = made(*(Write(10 + at, 10 + at, "f", at * SECTOR, NEW) for at in range(1, 4)))
    left = {
        kinds(now.left(chance(Random(seed)))["f"].replace(b"\xa5", b"\0").replace(b"\xff", b"\0"))
        for seed in range(300)
    }
    assert {"oo", "on", "onnn", "onn", "oo0n"} <= left
    assert {found[0] for found in left} == {"o"}


def test_what_can_be_lost() -> None:
    assert not made().unsafe()
    assert made(Unlink(7, 8, "f")).unsafe()
    assert made(Write(7, 8, "f", 0, NEW)).unsafe()
