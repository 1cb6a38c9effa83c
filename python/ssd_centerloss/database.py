"""Databases of serialized messages (LMDB), as Caffe's data layers read them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import lmdb


def write_database(path: Path, records: Iterable[tuple[str, bytes]]) -> int:
    """Writes (key, value) records to a new LMDB folder, and returns their number.

    The database is written beside `path` and renamed, so a folder of that
    name is complete; an existing one is replaced. Readers see the records in
    the order of their keys: make the keys sort as the records should come.

    Raises ValueError if there is no record or a key comes twice; `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        count = _fill(temporary, records)
        if count == 0:
            raise ValueError(f"{path}: a database without records cannot be trained on")
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _fill(folder: Path, records: Iterable[tuple[str, bytes]]) -> int:
    # Grown as needed: LMDB wants an upper bound, and some file systems reserve it.
    size = 16 << 20
    count = 0
    environment = lmdb.open(str(folder), map_size=size, sync=False)
    with environment:
        for key, value in records:
            while True:
                try:
                    with environment.begin(write=True) as transaction:
                        if not transaction.put(key.encode(), value, overwrite=False):
                            raise ValueError(f"the key {key!r} comes twice")
                    break
                except lmdb.MapFullError:
                    size *= 2
                    environment.set_mapsize(size)
            count += 1
        environment.sync(True)
    (folder / "lock.mdb").unlink(missing_ok=True)
    return count
