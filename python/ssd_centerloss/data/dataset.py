"""Dataset folders: what `ssd-centerloss data` writes and training reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError

LABEL_MAP = "labelmap.prototxt"
INDEX = "dataset.json"
FORMAT = 1


def lmdb_folder(split: str) -> str:
    return f"{split}_lmdb"


def name_size_file(split: str) -> str:
    return f"{split}_name_size.txt"


@dataclass(frozen=True)
class Dataset:
    """A folder of databases.

    labelmap.prototxt      the classes
    SPLIT_lmdb/            annotated images
    SPLIT_name_size.txt    "NAME HEIGHT WIDTH" of each, in the order of the database
    dataset.json           classes, and of each split images, boxes per class, origin
    """

    folder: Path
    label_map: LabelMap
    splits: tuple[str, ...]
    summary: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str) -> Dataset:
        """Opens a dataset folder. Raises UserError that names what is missing or disagrees."""
        folder = Path(folder)
        if not folder.is_dir():
            raise UserError(f"{folder}: no such dataset folder; `ssd-centerloss data` writes one")
        summary = _read_index(folder / INDEX)
        label_map = LabelMap.read(folder / LABEL_MAP)
        if list(label_map.classes) != summary["classes"]:
            raise UserError(
                f"{folder / LABEL_MAP}: its classes are {', '.join(label_map.classes)}; the "
                f"databases were written with {', '.join(summary['classes'])} (see {INDEX})"
            )
        dataset = cls(folder, label_map, tuple(summary["splits"]), summary)
        for split in dataset.splits:
            for path in (dataset.lmdb(split) / "data.mdb", dataset.name_size(split)):
                if not path.is_file():
                    raise UserError(f"{path}: missing from the dataset")
        return dataset

    def lmdb(self, split: str) -> Path:
        """The database of a split."""
        return self.folder / lmdb_folder(self._known(split))

    def name_size(self, split: str) -> Path:
        """The file with the name, height and width of each image, as DetectionOutput reads it."""
        return self.folder / name_size_file(self._known(split))

    def count(self, split: str) -> int:
        """The number of images of a split."""
        return int(self.summary["splits"][self._known(split)]["images"])

    def boxes(self, split: str) -> dict[str, int]:
        """The number of boxes of each class in a split."""
        return dict(self.summary["splits"][self._known(split)]["boxes"])

    def _known(self, split: str) -> str:
        if split not in self.splits:
            there = ", ".join(self.splits)
            raise UserError(f"{self.folder}: no split '{split}'; there are {there}")
        return split


def _read_index(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: missing; expected a folder that `ssd-centerloss data` wrote"
        ) from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(summary, dict) or summary.get("format") != FORMAT:
        raise UserError(f"{path}: expected format {FORMAT}; another release may have written it")
    if not isinstance(summary.get("classes"), list) or not isinstance(summary.get("splits"), dict):
        raise UserError(f"{path}: classes or splits are missing")
    return summary
