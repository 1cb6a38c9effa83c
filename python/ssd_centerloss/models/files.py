"""Nets and solver as prototxt files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from ssd_centerloss.models.config import Nets


def write(nets: Nets, folder: Path) -> None:
    """Writes train, test, deploy and solver.prototxt, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, message in vars(nets).items():
        write_message(folder / f"{name}.prototxt", message)


def write_message(path: Path, message: Any) -> None:
    """Writes a message as prototxt, beside its name and then renamed."""
    write_text(path, text_format.MessageToString(message))


def write_text(path: Path, text: str) -> None:
    """Writes a text file, beside its name and then renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
