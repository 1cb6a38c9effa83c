"""Fails where a source file is longer than a reader should be asked to take in.

A file that must be longer says why in a comment that begins with ``long file:``.
"""

from __future__ import annotations

import sys
from pathlib import Path

MAX_FILE_LINES = 600
MAX_LAYER_LINES = 250
ROOMS = ("benchmarks", "examples", "include", "python", "src", "tests", "tools")
SUFFIXES = frozenset({".cpp", ".hpp", ".cu", ".py", ".sh"})
EXCUSE = "long file:"


def limit(path: Path) -> int:
    """The most lines that the file at this path, relative to the root, may have."""
    is_layer = path.parts[:3] == ("src", "caffe", "layers") and path.suffix == ".cpp"
    return MAX_LAYER_LINES if is_layer else MAX_FILE_LINES


def complaints(root: Path) -> list[str]:
    """One line for each source file under root that is too long."""
    found = []
    for room in ROOMS:
        for file in sorted((root / room).rglob("*")):
            if file.suffix not in SUFFIXES or not file.is_file():
                continue
            text = file.read_text(encoding="utf-8")
            lines = len(text.splitlines())
            path = file.relative_to(root)
            if lines > limit(path) and EXCUSE not in text:
                found.append(f"{path}: {lines} lines, at most {limit(path)}")
    return found


def main() -> int:
    """Prints the complaints about this checkout; 1 where there are any."""
    found = complaints(Path(__file__).resolve().parent.parent)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
