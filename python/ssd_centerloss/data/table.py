"""Tables (CSV) of boxes: filename, xmin, ymin, xmax, ymax, class."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ssd_centerloss.data.annotations import AnnotatedImage, Box, Problem, Report, place
from ssd_centerloss.data.source import Loaded
from ssd_centerloss.errors import UserError

COLUMNS = ("filename", "xmin", "ymin", "xmax", "ymax", "class")
CORNERS = COLUMNS[1:5]


@dataclass(frozen=True)
class Row:
    """A line of a table: its values by the names of the columns."""

    line: int
    values: Mapping[str, str]


@dataclass
class Table:
    """Rows by the file name that they have; those that images were found for are `used`."""

    path: Path
    rows: dict[str, list[Row]]
    used: set[str] = field(default_factory=set)
    _by_last: dict[str, list[str]] = field(default_factory=dict)

    def take(self, image: Path, root: Path) -> list[Row] | None:
        """The rows of an image, by its path from `root` or from the table, or by its name."""
        names = [image.relative_to(root).as_posix(), f"{image.parent.name}/{image.name}"]
        if image.is_relative_to(self.path.parent):
            names.append(image.relative_to(self.path.parent).as_posix())
        names.append(image.name)
        # Some tools write the path that the image had on their machine.
        same = self._names_by_last().get(image.name, [])
        if len(same) == 1 and not (root / same[0]).exists():
            names += same
        name = next((name for name in names if name in self.rows), None)
        if name is None:
            return None
        self.used.add(name)
        return self.rows[name]

    def _names_by_last(self) -> Mapping[str, list[str]]:
        if not self._by_last:
            for name in self.rows:
                self._by_last.setdefault(PurePosixPath(name).name, []).append(name)
        return self._by_last

    def tell_unused(self, report: Report) -> None:
        """Reports the files that no image was found for."""
        for name, rows in self.rows.items():
            if name not in self.used:
                text = f"no image '{name}'; left out"
                report.add("missing file", place(self.path, rows[0].line), text)


def find(folder: Path, split: str) -> Iterator[Path]:
    """The tables of a folder, that of a split first."""
    names = (f"{split}_labels.csv", f"{split}.csv", "labels.csv", "annotations.csv")
    return (folder / name for name in (*names, "_annotations.csv") if (folder / name).is_file())


def read(path: Path, report: Report) -> Table:
    """Reads a table: columns in any order, named in its first line; without names as in COLUMNS.

    Raises UserError for columns that are missing, and for a file that is no table.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from None
    first = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=";" if ";" in first and "," not in first else ",")
    table = Table(path, {})
    header: Sequence[str] = ()
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if not header:
                header = _header(values, path)
                if tuple(map(str.lower, values)) == header:
                    continue
            _add(table, header, values, reader.line_num, report)
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: malformed table: {error}") from None
    return table


def _header(values: Sequence[str], path: Path) -> tuple[str, ...]:
    names = tuple(value.lower() for value in values)
    if len(names) == len(COLUMNS) and all(_number(value) is not None for value in values[1:5]):
        return COLUMNS
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UserError(
            f"{path}:1: no column {', '.join(missing)}; expected {','.join(COLUMNS)}, got "
            f"{','.join(names)[:100]}"
        )
    return names


def _add(
    table: Table, header: Sequence[str], values: Sequence[str], line: int, report: Report
) -> None:
    if len(values) != len(header):
        text = f"{len(values)} columns, expected {len(header)}; left out"
        report.add("malformed record", place(table.path, line), text)
        return
    row = dict(zip(header, values, strict=True))
    name = row["filename"].replace("\\", "/").removeprefix("./")
    table.rows.setdefault(name, []).append(Row(line, row))


def load(rows: Sequence[Row], path: Path, image: AnnotatedImage) -> Loaded:
    """The image with the boxes of its rows; a row without corners and class has none."""
    boxes: list[Box] = []
    problems: list[Problem] = []
    for row in rows:
        if not any(row.values[name] for name in COLUMNS[1:]):
            continue
        box = _box(row)
        if isinstance(box, Box):
            boxes.append(box)
        else:
            where = place(path, row.line)
            problems.append(Problem("malformed box", where, f"{box}; left out"))
    width, height = (_number(rows[0].values.get(side, "")) or 0 for side in ("width", "height"))
    size = (int(width), int(height)) if min(width, height) >= 1 else (0, 0)
    found = replace(image, annotation=path, width=size[0], height=size[1], boxes=tuple(boxes))
    return Loaded(replace(found, record=image.path.name), problems)


def _box(row: Row) -> Box | str:
    name = row.values["class"]
    if not name:
        return "the box has no class"
    corners = [_number(row.values[column]) for column in CORNERS]
    for column, corner in zip(CORNERS, corners, strict=True):
        if corner is None:
            return f"{column} is '{row.values[column]}', expected a number"
    xmin, ymin, xmax, ymax = (corner or 0.0 for corner in corners)
    difficult = row.values.get("difficult", "").lower() in ("1", "true", "yes")
    return Box(name, xmin, ymin, xmax, ymax, difficult, row.line)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
