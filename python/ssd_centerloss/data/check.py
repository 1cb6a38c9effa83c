"""Reads finished databases back: what is in them, and what is wrong with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.data.image_file import ImageFacts, examine
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.records import BrokenRecord, Record, RecordBox, scan_records
from ssd_centerloss.drawing import draw_boxes

BAR = 30  # characters of the longest bar of a histogram
# Sides of a box as a share of the image's: square root of its share of the area.
BOX_EDGES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)
ROUNDING = 1e-5  # of fractions in single precision


@dataclass
class Findings:
    """What a database holds.

    boxes, difficult : by class name; the name of a label that no class has is "label N"
    sizes   : of the images, by (width, height)
    sides   : of each box, √(width · height) as a share of the image's
    empty   : images without boxes
    broken  : records that cannot be used, and boxes that make no sense: key and reason
    samples : some annotated images, drawn
    """

    records: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    difficult: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    sides: list[float] = field(default_factory=list)
    empty: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    samples: list[NDArray[np.uint8]] = field(default_factory=list)


def check_database(path: Path, label_map: LabelMap | None, samples: int) -> Findings:
    """Reads every record of a database, decodes its image and checks its boxes.

    label_map : names the classes; without one they are "label N"
    samples   : how many of the first images with boxes to draw

    Raises UserError if there is no database.
    """
    findings = Findings()
    for record in scan_records(path):
        findings.records += 1
        if isinstance(record, BrokenRecord):
            findings.broken.append((record.key, record.reason))
            continue
        facts = _facts(record)
        if isinstance(facts, str):
            findings.broken.append((record.key, facts))
            continue
        findings.sizes[facts.width, facts.height] += 1
        findings.empty += not record.boxes
        for box in record.boxes:
            _count(box, record.key, label_map, findings)
        if record.boxes and len(findings.samples) < samples:
            findings.samples.append(_drawn(record, label_map))
    return findings


def _facts(record: Record) -> ImageFacts | str:
    """The image's facts, or what is wrong with it."""
    if record.raw is not None:
        return ImageFacts(record.width, record.height)
    facts = examine(record.image)
    if isinstance(facts, ImageFacts):
        claimed, found = (record.width, record.height), (facts.width, facts.height)
        if claimed not in ((0, 0), found):
            return f"says {claimed[0]} × {claimed[1]}, its image has {found[0]} × {found[1]}"
    return facts


def _count(box: RecordBox, key: str, label_map: LabelMap | None, findings: Findings) -> None:
    name = class_name(box.label, label_map)
    findings.boxes[name] += 1
    findings.difficult[name] += box.difficult
    corners = (box.xmin, box.ymin, box.xmax, box.ymax)
    text = f"'{name}' ({', '.join(f'{corner:g}' for corner in corners)})"
    if box.label == 0 or (name.startswith("label ") and label_map is not None):
        findings.broken.append((key, f"{text}: label {box.label} is no class"))
    if not all(math.isfinite(corner) for corner in corners):
        findings.broken.append((key, f"{text} is not a box"))
        return
    if box.xmax <= box.xmin or box.ymax <= box.ymin:
        findings.broken.append((key, f"{text} has no area"))
        return
    if min(corners) < -ROUNDING or max(corners) > 1 + ROUNDING:
        findings.broken.append((key, f"{text} reaches beyond the image"))
    findings.sides.append(math.sqrt((box.xmax - box.xmin) * (box.ymax - box.ymin)))


def class_name(label: int, label_map: LabelMap | None) -> str:
    if label_map is None or not 0 <= label < label_map.num_classes:
        return f"label {label}"
    return label_map.names[label]


# -- as text -----------------------------------------------------------------


def describe(findings: Findings, label_map: LabelMap | None) -> list[str]:
    """The findings as lines to print, those about broken records left out."""
    names = list(label_map.classes) if label_map else []
    names += sorted(set(findings.boxes) - set(names))
    total, difficult = sum(findings.boxes.values()), sum(findings.difficult.values())
    images = sum(findings.sizes.values())
    lines = [
        f"{images} images, {findings.empty} without boxes, {total} boxes, {difficult} difficult",
        "boxes of each class:",
        *histogram([(name, findings.boxes[name]) for name in names]),
        "sizes of images:",
        *histogram([(f"{w} × {h}", n) for (w, h), n in findings.sizes.most_common(8)]),
    ]
    if len(findings.sizes) > 8:
        lines.append(f"  … and {len(findings.sizes) - 8} other sizes")
    counts, _ = np.histogram(findings.sides, bins=[*BOX_EDGES, math.inf])
    ends = [f"{edge:.0%}" for edge in BOX_EDGES[1:]] + ["100%"]
    rows = [
        (f"{low:.0%} to {high}", int(count))
        for low, high, count in zip(BOX_EDGES, ends, counts, strict=True)
    ]
    return [*lines, "sides of boxes, of the image's:", *histogram(rows)]


def histogram(rows: Sequence[tuple[str, int]]) -> list[str]:
    """A line with a bar for each name and count."""
    if not rows:
        return []
    width = max(len(name) for name, _ in rows)
    most = max(max(count for _, count in rows), 1)
    return [
        f"  {name:<{width}} {count:>8}  {'#' * math.ceil(BAR * count / most)}"
        for name, count in rows
    ]


# -- as a picture ------------------------------------------------------------


def _drawn(record: Record, label_map: LabelMap | None) -> NDArray[np.uint8]:
    image = record.decode()
    height, width = image.shape[:2]
    corners = [
        (b.xmin * width, b.ymin * height, b.xmax * width, b.ymax * height) for b in record.boxes
    ]
    labels = np.array([box.label for box in record.boxes])
    texts = [class_name(box.label, label_map) + "*" * box.difficult for box in record.boxes]
    return draw_boxes(image, labels, np.nan_to_num(np.array(corners, np.float32)), texts)


def grid(samples: Sequence[NDArray[np.uint8]], side: int = 320) -> NDArray[np.uint8]:
    """The samples in one picture, as square as can be, each within side × side.

    Raises ValueError without samples.
    """
    if not samples:
        raise ValueError("a grid needs at least one sample")
    columns = math.ceil(math.sqrt(len(samples)))
    rows = math.ceil(len(samples) / columns)
    picture = np.full((rows * side, columns * side, 3), 255, np.uint8)
    for i, sample in enumerate(samples):
        scale = side / max(sample.shape[:2])
        size = [max(round(extent * scale), 1) for extent in (sample.shape[1], sample.shape[0])]
        top, left = i // columns * side, i % columns * side
        picture[top : top + size[1], left : left + size[0]] = cv2.resize(sample, size)
    return picture
