"""Text files that people and tools write."""

from __future__ import annotations

from pathlib import Path

from ssd_centerloss.errors import UserError


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, with or without a byte order mark.

    Raises UserError if it is not UTF-8; OSError if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is {error.object[error.start]:#04x}, expected UTF-8 text"
        ) from None
