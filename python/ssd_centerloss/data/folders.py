"""Folders that are there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssd_centerloss.errors import UserError


def check_target(out: Path, marker: str, overwrite: bool) -> None:
    """Raises UserError if a folder must not be written to this path.

    marker : the file that tells a folder of the same sort, which `overwrite`
             allows to be replaced; anything else that is there never is
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / marker).is_file():
        raise UserError(f"{out}: exists and has no {marker}; choose another folder")
    if not overwrite:
        raise UserError(f"{out}: exists; --overwrite replaces it")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Gives an empty folder beside `out`, and puts it in place when the block ends well.

    When the block raises, `out` is as it was; a folder replaced is gone only after.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        _move(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move(temporary: Path, out: Path) -> None:
    if not out.exists():
        os.replace(temporary, out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        os.replace(out, old)
        os.replace(temporary, out)
    except BaseException:  # Ctrl-C too must leave one of the two
        if not out.exists():
            os.replace(old, out)
        raise
    finally:
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
