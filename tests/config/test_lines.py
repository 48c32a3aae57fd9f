"""The scanner finds every key that tomllib finds, on the right line."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.config.lines import Lines, Path

TRICKY = '''\
# [not.a.table]
top = 1 # comment = 2
"quoted key" = "# no comment ] } ="
a.b."c d" = 'x'   # dotted
multi = """
[[not]]
key = "no"  \\"""
"""
raw = \'\'\'
still = 'raw' \\
\'\'\'
empty = ""
long = [ # open
  1, # one
  [2,
   3],
  { x = 1, "y z".w = [
    4 ] },
  "]", \'\'\'
\'\'\', 6
]

[table]
when = 1979-05-27 07:32:00

[ spaced . "name" ]
x = inf

[[network]]
name = "a"
[[network.subnet]]
prefix = "p"
[[network.subnet]]
prefix = "q"
pools = []
[network.subnet.options]
routers = true

[[network]]
[[network.subnet]]
prefix = "r"
'''

EXPECTED: dict[Path, int] = {
    ("top",): 2,
    ("quoted key",): 3,
    ("a", "b", "c d"): 4,
    ("multi",): 5,
    ("raw",): 9,
    ("empty",): 12,
    ("long",): 13,
    ("long", 0): 14,
    ("long", 1): 15,
    ("long", 1, 1): 16,
    ("long", 2, "x"): 17,
    ("long", 2, "y z", "w", 0): 18,
    ("long", 3): 19,
    ("long", 5): 20,
    ("table",): 23,
    ("table", "when"): 24,
    ("spaced", "name", "x"): 27,
    ("network",): 29,
    ("network", 0, "name"): 30,
    ("network", 0, "subnet", 0): 31,
    ("network", 0, "subnet", 0, "prefix"): 32,
    ("network", 0, "subnet", 1, "prefix"): 34,
    ("network", 0, "subnet", 1, "options", "routers"): 37,
    ("network", 1): 39,
    ("network", 1, "subnet", 0, "prefix"): 41,
}


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Every path of a document."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from paths(each, (*path, position))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_keys_are_found_on_their_lines(newline: str) -> None:
    text = TRICKY.replace("\n", newline)
    lines = Lines.of(text)
    for path, line in EXPECTED.items():
        assert lines.line(path) == line, path
    assert set(EXPECTED) <= set(paths(tomllib.loads(text)))


def test_what_has_no_line_takes_the_one_around_it() -> None:
    lines = Lines.of("[server]\nlisten = []\n")
    assert lines.line(("server", "listen", 3)) == 2
    assert lines.line(("server", "store")) == 1
    assert lines.line(("network",)) == 0
    assert lines.line(()) == 0


KEYS = st.sampled_from(["a", "b-1", '"c d"', "'e#='", '"\\u0041\\""', "f . g"])
SCALARS = st.sampled_from(
    ["1", "-0.5", "true", "2020-01-01", '"x"', '"[\\"#\\n"', "'{'", "''", '"""\n"]\n"""', "'''\n]=\n'''", '""""q"""""']
)
SPACE = st.sampled_from(["", " ", "\t"])
BREAKS = st.sampled_from(["", "\n", " # ],\n  "])


def array(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda items, gap, comma: "[" + gap + f"{gap},{gap}".join(items) + (comma if items else "") + gap + "]",
        st.lists(values, max_size=3),
        BREAKS,
        st.sampled_from(["", ","]),
    )


def inline(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.dictionaries(KEYS, values, max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + "}"
    )


VALUES = st.recursive(SCALARS, lambda inner: array(inner) | inline(inner), max_leaves=6)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)
HEADERS = st.lists(st.sampled_from(["[[n]]", "[[n.s]]", "[[ 'm' ]]"]), max_size=5)


@given(TABLES, st.lists(st.tuples(HEADERS, TABLES), max_size=3), SPACE)
def test_nothing_that_tomllib_reads_is_missed(
    top: dict[str, str], rest: list[tuple[list[str], dict[str, str]]], space: str
) -> None:
    def pairs(table: dict[str, str]) -> Iterator[str]:
        return (f"{space}{key}{space}={space}{value}{space}# end" for key, value in table.items())

    written = list(pairs(top))
    for headers, table in rest:
        written += ["[[n]]", *headers, *pairs(table)]
    text = "\n".join(written)
    found = Lines.of(text)
    every = list(paths(tomllib.loads(text)))
    assert set(every) <= found._lines.keys()
    assert all(1 <= found.line(path) <= text.count("\n") + 1 for path in every)
