"""Writing databases."""

from pathlib import Path

import lmdb
import pytest

from ssd_centerloss.database import write_database


def read(path: Path) -> list[tuple[bytes, bytes]]:
    with (
        lmdb.open(str(path), readonly=True, lock=False) as environment,
        environment.begin() as reader,
    ):
        return list(reader.cursor())


def test_records_come_back_in_the_order_of_keys(tmp_path: Path) -> None:
    assert write_database(tmp_path / "db", [("b", b"2"), ("a", b"1")]) == 2
    assert read(tmp_path / "db") == [(b"a", b"1"), (b"b", b"2")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["db"], "nothing temporary is left"


def test_grows_beyond_its_first_size(tmp_path: Path) -> None:
    big = bytes(6 << 20)
    write_database(tmp_path / "db", [(str(i), big) for i in range(5)])
    assert len(read(tmp_path / "db")) == 5


def test_a_failure_leaves_the_old_database(tmp_path: Path) -> None:
    path = tmp_path / "db"
    write_database(path, [("old", b"1")])
    with pytest.raises(ValueError, match="'x' comes twice"):
        write_database(path, [("x", b"1"), ("x", b"2")])
    with pytest.raises(ValueError, match="without records"):
        write_database(path, [])
    assert read(path) == [(b"old", b"1")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["db"]
