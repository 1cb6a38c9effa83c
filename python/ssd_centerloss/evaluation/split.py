"""The images of a dataset's split, with what is in them, as an evaluation reads them."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.data.records import BrokenRecord, RecordBox, scan_records
from ssd_centerloss.data.text_file import read_lines
from ssd_centerloss.detections import GroundTruth
from ssd_centerloss.errors import UserError

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class SplitImage:
    """An image of a split.

    name  : what result files call it
    image : height × width × 3, BGR; None where it cannot be read
    problem : why not; empty where it can
    """

    name: str
    image: NDArray[np.uint8] | None
    truth: GroundTruth
    problem: str = ""


def read_split(dataset: Dataset, split: str) -> Iterator[SplitImage]:
    """The images of a split in the order of its database.

    Raises UserError for a split that does not exist or has no images, and
    where the file of names has another number of lines than the database records.
    """
    names = read_names(dataset.name_size(split))
    count = 0
    for record in scan_records(dataset.lmdb(split)):
        count += 1
        name = names[count - 1] if count <= len(names) else record.key
        if isinstance(record, BrokenRecord):
            yield SplitImage(name, None, truth_of((), 1, 1), record.reason)
            continue
        try:
            image = record.decode()
        except UserError as error:
            yield SplitImage(name, None, truth_of((), 1, 1), str(error))
            continue
        height, width = image.shape[:2]
        yield SplitImage(name, image, truth_of(record.boxes, width, height))
    if count == 0:
        raise UserError(f"{dataset.lmdb(split)}: the split '{split}' has no images")
    if count != len(names):
        raise UserError(
            f"{dataset.name_size(split)}: {len(names)} lines, but the database has {count} records"
        )


def read_names(name_size: Path) -> list[str]:
    """The names of a file of lines "NAME HEIGHT WIDTH"."""
    lines = read_lines(name_size)
    return [line.rsplit(maxsplit=2)[0] for line in lines if line.strip()]


def truth_of(boxes: Iterable[RecordBox], width: int, height: int) -> GroundTruth:
    """The boxes of a record in pixels."""
    rows = list(boxes)
    corners = np.array([(b.xmin, b.ymin, b.xmax, b.ymax) for b in rows], np.float64)
    return GroundTruth.of(
        np.array([b.label for b in rows], np.int64),
        corners.reshape(-1, 4) * [width, height, width, height],
        np.array([b.difficult for b in rows], np.bool_),
    )


def in_batches(items: Iterable[_Item], size: int) -> Generator[list[_Item], None, None]:
    """The items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
