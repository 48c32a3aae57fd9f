"""Stores by their names."""

from pathlib import Path

import pytest

from relet.errors import ConfigError, StoreError
from relet.store import open_reader, open_store
from support.leases import grant, lease


def test_a_reader_reads_what_the_store_of_the_same_name_wrote(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'leases.db'}"
    store = open_store(url)
    store.commit([grant(1)], 1.0)
    reader = open_reader(url)
    assert list(reader.all()) == [lease(1)]
    reader.close()
    store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://db/leases", "PostgreSQL is not supported yet"),
        ("leases.db", "'leases.db': names no store; write 'sqlite:PATH' or 'memory:'"),
        ("sqlite:", "names no store"),
        ("memory:x", "names no store"),
        ("", "names no store"),
    ],
)
def test_other_names_are_refused_with_advice(url: str, says: str) -> None:
    for opener in (open_store, open_reader):
        with pytest.raises(ConfigError, match=says):
            opener(url)


def test_a_memory_store_has_no_readers() -> None:
    with pytest.raises(ConfigError, match="nobody but its server"):
        open_reader("memory:")


def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=str(tmp_path)):
        open_store(f"sqlite:{tmp_path}")
