"""YOLO's annotations: for each image a text with lines "CLASS X Y WIDTH HEIGHT"."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ssd_centerloss.data.annotations import AnnotatedImage, Box, Problem, Report, place
from ssd_centerloss.data.source import Loaded
from ssd_centerloss.errors import UserError

NAME_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")


@dataclass(frozen=True)
class Names:
    """What the numbers of classes stand for, and which file says so; without names: themselves."""

    names: tuple[str, ...]
    origin: str


def find_names(folders: Iterable[Path], given: Sequence[str], report: Report) -> Names:
    """The names in the first of NAME_FILES that one of the folders has, else those given.

    Raises UserError for such a file without names.
    """
    for folder in dict.fromkeys(folders):
        for file in (folder / name for name in NAME_FILES):
            if file.is_file():
                text = file.read_text(encoding="utf-8-sig", errors="replace")
                names = yaml_names(text) if file.suffix != ".txt" else []
                if file.suffix in (".txt", ".names"):
                    names = [line.strip() for line in text.splitlines() if line.strip()]
                if not names:
                    raise UserError(f"{file}: no names of classes, expected names: [a, b, …]")
                return Names(tuple(names), str(file))
    if given:
        return Names(tuple(given), "--classes")
    text = f"none of {', '.join(NAME_FILES)}, and no --classes; classes are called by their numbers"
    report.add("no names of classes", str(next(iter(folders))), text)
    return Names((), "their numbers")


def yaml_names(text: str) -> list[str]:
    """The value of "names" in a YAML text: a list or a mapping from numbers, inline or in lines."""
    found = re.search(r"^names[ \t]*:[ \t]*(.*)", text, re.MULTILINE | re.DOTALL)
    if not found:
        return []
    rest = found[1]
    if rest[:1] in ("[", "{"):
        closing = "]" if rest[0] == "[" else "}"
        inner = re.sub(r"\s#.*", "", rest[1 : rest.find(closing) if closing in rest else None])
        items = re.findall(r"""(?:\d+\s*:\s*)?(?:'[^']*'|"[^"]*"|[^,'"]+)""", inner)
    else:
        items = []
        for line in rest.splitlines():
            item = re.sub(r"\s#.*", "", line).strip()
            if item and not re.match(r"-\s|\d+\s*:", item):
                break
            items.append(item.removeprefix("-"))
        items = [item for item in items if item]
    numbered = [re.fullmatch(r"(\d+)\s*:\s*(.*)", item.strip()) for item in items]
    if all(numbered) and numbered:
        pairs = sorted((int(m[1]), m[2]) for m in numbered if m)
        if [number for number, _ in pairs] != list(range(len(pairs))):
            return []
        items = [name for _, name in pairs]
    names = [item.strip().strip("'\"").strip() for item in items]
    return [name for name in names if name]


def looks_like(file: Path) -> bool:
    """Whether the first line that is not empty is one of YOLO's."""
    try:
        with file.open(encoding="utf-8") as lines:
            first = next((line for line in lines if line.strip()), "")
    except (UnicodeDecodeError, OSError):
        return False
    return bool(first) and isinstance(_box(first, ()), Box)


def load(file: Path, names: Sequence[str], image: AnnotatedImage) -> Loaded:
    """The image with the boxes of its text; an empty text says that there are none."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        text = f"{error}; left out"
        return Loaded(None, [Problem("unreadable annotation", str(file), text)])
    boxes: list[Box] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            box = _box(line, names)
            if isinstance(box, Box):
                boxes.append(replace(box, line=number))
            else:
                problems.append(Problem("malformed box", place(file, number), f"{box}; left out"))
    return Loaded(replace(image, annotation=file, boxes=tuple(boxes), fractions=True), problems)


def _box(line: str, names: Sequence[str]) -> Box | str:
    """The box of a line, in parts of the image, or what is wrong with it.

    Of a polygon (CLASS X Y X Y X Y …): the box around it.
    """
    first, *rest = line.split()
    try:
        values = [float(value) for value in rest]
    except ValueError:
        values = [math.nan]
    polygon = len(values) >= 6 and len(values) % 2 == 0
    if not (len(values) == 4 or polygon) or not all(map(math.isfinite, values)):
        return f"'{line.strip()[:60]}', expected CLASS X Y WIDTH HEIGHT"
    if not (first.isascii() and first.isdigit()) or (names and int(first) >= len(names)):
        highest = f"0 to {len(names) - 1}" if names else "a number from 0"
        return f"the class is '{first}', expected {highest}"
    largest = max(map(abs, values))
    if largest > 2:
        return f"'{line.strip()[:60]}' is in pixels, expected parts of the image, 0 to 1"
    name = names[int(first)] if names else str(int(first))
    if polygon:
        return Box(name, min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    x, y, width, height = values
    return Box(name, x - width / 2, y - height / 2, x + width / 2, y + height / 2)
