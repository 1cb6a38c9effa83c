"""Writes dataset folders."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.data.annotations import AnnotatedImage
from ssd_centerloss.data.dataset import FORMAT, INDEX, LABEL_MAP, lmdb_folder, name_size_file
from ssd_centerloss.data.folders import check_target, whole_folder
from ssd_centerloss.data.image_file import decode
from ssd_centerloss.data.prepare import Prepared
from ssd_centerloss.data.progress import in_parallel, shown
from ssd_centerloss.data.records import serialize
from ssd_centerloss.database import write_database
from ssd_centerloss.errors import UserError

PROBLEMS = "problems.txt"
QUALITY = 95  # of JPEGs that must be encoded anew
MAX_KEY_BYTES = 500  # LMDB's limit is 511
# A database takes more room than the images in it: page ends and boxes.
OVERHEAD = 1.1


@dataclass(frozen=True)
class WriteOptions:
    """How images go into a database; by default their files go in byte for byte.

    shuffle : records in an order drawn with the seed
    resize  : (width, height) of every image, proportions given up
    min_dim : length of the shorter side, proportions kept
    quality : encodes every image anew, as a JPEG of that quality
    """

    shuffle: bool = True
    seed: int = 0
    resize: tuple[int, int] | None = None
    min_dim: int | None = None
    quality: int | None = None
    threads: int = 1
    overwrite: bool = False
    quiet: bool = False

    @property
    def keeps_files(self) -> bool:
        return self.resize is None and self.min_dim is None and self.quality is None


def write_dataset(out: Path, prepared: Prepared, options: WriteOptions) -> dict[str, Any]:
    """Writes a dataset folder, and returns what its dataset.json says.

    The folder is written beside `out` and renamed, so what is there is whole;
    when this fails or is interrupted, `out` is as it was.
    Raises UserError if the disk is full or `out` must not be replaced.
    """
    check_target(out, INDEX, options.overwrite)
    out.parent.mkdir(parents=True, exist_ok=True)
    if options.keeps_files:
        _check_room(out.parent, prepared.bytes)
    try:
        with whole_folder(out) as folder:
            return _fill(folder, prepared, options)
    except lmdb.Error as error:
        # LMDB reports a write that was cut short, as on a full disk, as an error of input/output.
        free = f"{_free(out.parent) / 1e6:.0f} MB are free on the disk"
        reason = str(error).rpartition(": ")[2]
        raise UserError(f"{out}: writing the database failed: {reason}; {free}") from None
    except OSError as error:
        raise UserError(f"{out}: writing failed: {error}") from None


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _check_room(folder: Path, size: int) -> None:
    free = _free(folder)
    if size * OVERHEAD > free:
        raise UserError(
            f"{folder}: {free / 1e6:.0f} MB are free, the databases take about "
            f"{size * OVERHEAD / 1e6:.0f} MB"
        )


def _fill(folder: Path, prepared: Prepared, options: WriteOptions) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "format": FORMAT,
        "classes": list(prepared.label_map.classes),
        "seed": options.seed if options.shuffle else None,
        "splits": {},
    }
    prepared.label_map.write(folder / LABEL_MAP)
    for split, images in prepared.splits.items():
        ordered = list(images)
        if options.shuffle:
            random.Random(f"{options.seed} {split}").shuffle(ordered)
        _write_names(folder / name_size_file(split), ordered)
        labels = {name: i for i, name in enumerate(prepared.label_map.names)}
        records = _records(ordered, labels, options)
        written = shown(records, len(ordered), f"writing {split}", options.quiet)
        write_database(folder / lmdb_folder(split), written)
        summary["splits"][split] = _summary(ordered, prepared, split)
    lines = prepared.report.lines()
    if lines:
        (folder / PROBLEMS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = json.dumps(summary, indent=1, ensure_ascii=False)
    (folder / INDEX).write_text(text + "\n", encoding="utf-8")
    return summary


def _write_names(path: Path, images: Sequence[AnnotatedImage]) -> None:
    lines = [f"{image.name} {image.height} {image.width}\n" for image in images]
    path.write_text("".join(lines), encoding="utf-8")


def _summary(images: Sequence[AnnotatedImage], prepared: Prepared, split: str) -> dict[str, Any]:
    counts = Counter(box.name for image in images for box in image.boxes)
    return {
        "images": len(images),
        "boxes": {name: counts[name] for name in prepared.label_map.classes},
        "difficult": sum(box.difficult for image in images for box in image.boxes),
        "without_boxes": sum(not image.boxes for image in images),
        "origin": prepared.origin.get(split, ""),
    }


def _records(
    images: Sequence[AnnotatedImage], labels: Mapping[str, int], options: WriteOptions
) -> Generator[tuple[str, bytes], None, None]:
    work = partial(_record, labels=labels, options=options)
    return in_parallel(work, list(enumerate(images)), options.threads)


def _record(
    item: tuple[int, AnnotatedImage], labels: Mapping[str, int], options: WriteOptions
) -> tuple[str, bytes]:
    number, image = item
    encoded, size = encode(image, options)
    return _key(number, image.key), serialize(image, encoded, size, labels)


def _key(number: int, path: str) -> str:
    """Caffe-SSD's keys: the number makes them sort, the path tells a reader what they are."""
    encoded = path.encode()
    room = MAX_KEY_BYTES - len("00000000_")
    if len(encoded) > room:
        path = encoded[-room:].decode(errors="ignore")
    return f"{number:08d}_{path}"


def encode(image: AnnotatedImage, options: WriteOptions) -> tuple[bytes, tuple[int, int]]:
    """The bytes of the image for its record, with their width and height."""
    data = image.path.read_bytes()
    if options.keeps_files and not image.turn:
        return data, (image.width, image.height)
    pixels = decode(data, upright=image.turn)
    if pixels is None:
        raise UserError(f"{image.path}: cannot be decoded any more")
    pixels = _resized(pixels, options)
    quality = options.quality or QUALITY
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise UserError(f"{image.path}: cannot be encoded as a JPEG")
    return encoded.tobytes(), (pixels.shape[1], pixels.shape[0])


def _resized(pixels: NDArray[np.uint8], options: WriteOptions) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if options.resize is not None:
        size = options.resize
    elif options.min_dim is not None:
        scale = options.min_dim / min(width, height)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
    else:
        return pixels
    if size == (width, height):
        return pixels
    shrinks = size[0] * size[1] < width * height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)
