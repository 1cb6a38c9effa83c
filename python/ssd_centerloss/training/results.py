"""results.csv: one row for each look at the loss and for each test."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ssd_centerloss.models.files import write_text
from ssd_centerloss.training.log import COLUMNS, Row

FIRST = ("iteration", "seconds")


def header(class_names: Sequence[str]) -> list[str]:
    """The columns: iteration, seconds, the loss and its terms, mAP, the classes' precisions."""
    return [*FIRST, *COLUMNS, *(f"AP {name}" for name in class_names)]


class ResultsWriter:
    """Writes rows as they come; each is in the file when `add` returns.

    Args:
        path: results.csv.
        class_names: those that have a column.
        resumed_at: rows of later iterations are dropped, as they come again; 0: all.
    """

    seconds_before: float

    def __init__(self, path: Path, class_names: Sequence[str], resumed_at: int = 0) -> None:
        kept = [
            row
            for row in (read_results(path) if resumed_at > 0 and path.exists() else [])
            if row["iteration"] < resumed_at
        ]
        self.seconds_before = max((row.get("seconds", 0.0) for row in kept), default=0.0)
        self._columns = header(class_names)
        text = io.StringIO()
        writer = self._writer(text)
        writer.writeheader()
        writer.writerows({key: format_number(value) for key, value in row.items()} for row in kept)
        write_text(path, text.getvalue())
        self._path = path

    def _writer(self, stream: TextIO) -> csv.DictWriter[str]:
        return csv.DictWriter(stream, self._columns, extrasaction="ignore", lineterminator="\n")

    def add(self, row: Row, seconds: float) -> None:
        """Writes a row that was measured so many seconds after this training began."""
        values = {
            "iteration": float(row.iteration),
            "seconds": round(self.seconds_before + seconds, 2),
            **row.values,
        }
        with open(self._path, "a", newline="", encoding="utf-8") as file:
            self._writer(file).writerow(
                {key: format_number(value) for key, value in values.items()}
            )


def format_number(value: float) -> str:
    """As short as it can be without loss."""
    return str(int(value)) if value.is_integer() else repr(value)


def read_results(path: Path) -> list[dict[str, float]]:
    """The rows of a results.csv; what a row does not have is left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {key: float(value) for key, value in row.items() if key and value}
            for row in csv.DictReader(file)
        ]
