"""What was measured, kept in a file after each case, so that a crash loses none."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One side of one case.

    Attributes:
        case: its key: measure/model/batch/variant.
        values: of the rounds: seconds a step; MiB; images a second.
        note: why there are no values; empty: there are.
        about: further facts: version, way, milliseconds by type of layer.
    """

    case: str
    side: str
    values: list[float] = field(default_factory=list)
    note: str = ""
    about: dict[str, Any] = field(default_factory=dict)


@dataclass
class Results:
    """All rows, and where and when they were measured."""

    machine: dict[str, Any]
    date: str
    threads: int
    command: str
    rows: list[Row] = field(default_factory=list)

    def of(self, case: str) -> dict[str, Row]:
        """The rows of a case by side."""
        return {row.side: row for row in self.rows if row.case == case}

    def values(self, case: str, side: str) -> list[float]:
        """The values of a side, empty where it has none."""
        row = self.of(case).get(side)
        return row.values if row else []

    def cases(self, measure: str) -> list[str]:
        """The keys of a measure's cases, in the order in which they were measured."""
        keys = (row.case for row in self.rows)
        return list(dict.fromkeys(key for key in keys if key.split("/")[0] == measure))

    def versions(self) -> list[str]:
        found = (str(row.about.get("version", "")) for row in self.rows)
        return sorted(set(filter(None, found)))

    def save(self, file: Path) -> None:
        """Writes them, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        beside.write_text(json.dumps(asdict(self), indent=1))
        os.replace(beside, file)

    @classmethod
    def load(cls, file: Path) -> Results:
        values = json.loads(file.read_text())
        rows = [Row(**row) for row in values.pop("rows")]
        return cls(**values, rows=rows)
