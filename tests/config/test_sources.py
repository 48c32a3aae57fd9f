"""Files that include files: one document, and every problem in the file that has it."""

from pathlib import Path

import pytest

from relet.config.load import load
from relet.errors import ConfigError
from relet.wire.address import ip_text

MAIN = """\
include = ["networks/*.toml", "classes.toml"]
[server]
store = "memory:"
[[network]]
name = "main"
interfaces = ["eth0"]
[[network.subnet]]
prefix = "10.0.0.0/24"
"""
CLASSES = """\
[[class]]
name = "phones"
"""


def network(number: int, more: str = "") -> str:
    return f"""\
[[network]]
name = "n{number}"
interfaces = ["eth{number}"]
{more}
[[network.subnet]]
prefix = "10.{number}.0.0/24"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "b.toml").write_text(network(2))
    (tmp_path / "networks" / "a.toml").write_text(network(1, 'allow = ["phones"]'))
    (tmp_path / "classes.toml").write_text(CLASSES)
    (tmp_path / "relet.toml").write_text(MAIN)
    return tmp_path


def problems(place: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(place / "relet.toml")
    return [str(problem).replace(f"{place}/", "") for problem in caught.value.problems]


def test_included_files_stand_behind_the_one_that_includes_them(place: Path) -> None:
    settings = load(place / "relet.toml")
    assert [each.name for each in settings.networks] == ["main", "n1", "n2"]
    assert settings.networks[0].classes[0].name == "phones"
    assert [Path(file).name for file in settings.files] == ["relet.toml", "a.toml", "b.toml", "classes.toml"]
    assert settings.control == str(place / "relet.sock")


def test_files_are_relative_to_the_file_that_names_them(place: Path) -> None:
    (place / "networks" / "a.toml").write_text('include = ["more/c.toml"]\n' + network(1))
    (place / "networks" / "more").mkdir()
    (place / "networks" / "more" / "c.toml").write_text(f'include = ["{place}/networks/more/?.inc"]\n' + network(3))
    (place / "networks" / "more" / "d.inc").write_text(network(4))
    settings = load(place / "relet.toml")
    assert [each.name for each in settings.networks] == ["main", "n1", "n3", "n4", "n2"]
    assert ip_text(settings.networks[3].subnets[0].prefix) == "10.4.0.0"


def test_a_pattern_may_fit_nothing(place: Path) -> None:
    (place / "relet.toml").write_text(MAIN.replace("networks/*", "none/*"))
    assert len(load(place / "relet.toml").networks) == 1


def test_problems_name_their_file_and_line(place: Path) -> None:
    (place / "networks" / "b.toml").write_text(network(1, "lease-tme = 5").replace("eth1", "eth0"))
    assert problems(place) == [
        'networks/b.toml:2: network "n1": the network of networks/a.toml:2 has this name too; give it another name',
        'networks/b.toml:3: network "n1": the interface is in relet.toml:6 already; an interface belongs to one network;'
        " put both prefixes into one [[network]]",
        "networks/b.toml:4: network \"n1\": unknown setting 'lease-tme'; did you mean 'lease-time'?",
        'networks/b.toml:6: network "n1", subnet 10.1.0.0/24: overlaps with 10.1.0.0/24 of networks/a.toml:5; an address'
        " belongs to one subnet",
    ]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("classes.toml", 'include = ["relet.toml"]',
         "classes.toml:1: include: relet.toml includes itself; keep included files in a directory of their own"),
        ("classes.toml", '[server]\n[[class]]\nname = "phones"',
         "classes.toml:1: [server] stands in an included file; move it to relet.toml"),
        ("classes.toml", CLASSES + "[[networks]]",
         "classes.toml:3: unknown setting 'networks'; did you mean 'network'?"),
        ("classes.toml", CLASSES + "[reservation]",
         "classes.toml:3: reservation: is not an array of tables; write its heading with two brackets, as in"
         " [[reservation]]"),
        ("classes.toml", CLASSES + "x =", "classes.toml:3: is not TOML: invalid value; texts, addresses and durations stand"
         " in quotation marks"),
        ("relet.toml", MAIN.replace("classes", "classy") + '[[class]]\nname = "phones"',
         "relet.toml:1: include: classy.toml cannot be read: No such file or directory"),
        ("relet.toml", MAIN.replace('["net', '["classes.toml", "net'),
         "relet.toml:1: include: classes.toml is included twice; leave one out"),
        ("relet.toml", MAIN.replace('["networks/*.toml", "classes.toml"]', "[5]"),
         'relet.toml:1: include: is not a list of file names; write include = ["networks/*.toml"]'),
    ],
)  # fmt: skip
def test_what_cannot_be_included(place: Path, file: str, text: str, said: str) -> None:
    (place / file).write_text(text)
    assert said in problems(place)


def test_an_included_file_that_is_no_text(place: Path) -> None:
    (place / "classes.toml").write_bytes(b'[[class]]\nname = "\xfc"\n')
    assert "classes.toml:2: is not UTF-8 text; save it as UTF-8" in problems(place)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("a**b/*.toml", "'a**b/*.toml' is no pattern of file names; write one such as 'networks/*.toml'"),
        ("[**", "'[**' is no pattern of file names; write one such as 'networks/*.toml'"),
        (r"a\u0000b", r"'a\x00b' has control characters; write the name of a file"),
    ],
)
def test_patterns_that_are_none(place: Path, entry: str, said: str) -> None:
    (place / "relet.toml").write_text(MAIN.replace("networks/*.toml", entry))
    assert problems(place) == [f"relet.toml:1: include: {said}"]


@pytest.mark.parametrize("file", ["relet.toml", "classes.toml"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[" * 3000 + "]" * 3000, "has too many brackets inside each other; write one pair where one is meant"),
        ("7" * 5000, "has a number of too many digits; write a smaller number"),
    ],
)
def test_more_than_can_be_read(place: Path, file: str, value: str, said: str) -> None:
    text = (place / file).read_text()
    (place / file).write_text(f"{text}x = {value}\n")
    assert problems(place) == [f"{file}:{text.count(chr(10)) + 1}: {said}"]


def test_a_byte_order_mark_is_no_part_of_the_text(place: Path) -> None:
    for file in ("relet.toml", "classes.toml"):
        (place / file).write_bytes(b"\xef\xbb\xbf" + (place / file).read_bytes())
    assert len(load(place / "relet.toml").networks) == 3
