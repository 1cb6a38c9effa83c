"""Reads finished databases back: what is in them, and what is wrong with them."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.data.annotations import Report, place
from ssd_centerloss.data.dataset import INDEX, Dataset
from ssd_centerloss.data.image_file import ImageFacts, examine
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.progress import in_parallel, shown
from ssd_centerloss.data.records import (
    BrokenRecord,
    Record,
    RecordBox,
    count_records,
    scan_records,
)
from ssd_centerloss.data.source import result_name
from ssd_centerloss.data.text_file import read_lines
from ssd_centerloss.detections import GroundTruth
from ssd_centerloss.evaluation.split import truth_of

BAR = 30  # characters of the longest bar of a histogram
# Sides of a box as a share of the image's: square root of its share of the area.
BOX_EDGES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)
MOST_OUTSIDE = 10.0  # images from the corner: what lies farther is not drawn
MOST_LABELS = 10_000  # names for a picture
ROUNDING = 1e-5  # of fractions in single precision


@dataclass(frozen=True)
class CheckOptions:
    """samples: how many images to keep for a picture, drawn with the seed."""

    samples: int = 0
    seed: int = 0
    threads: int = 1
    quiet: bool = True


@dataclass
class Findings:
    """What a database holds.

    boxes, difficult : by class name; the name of a label that no class has is "label N"
    sizes   : of the images, by (width, height)
    sides   : of each box, √(width · height) as a share of the image's
    empty   : images without boxes
    report  : records that cannot be used, boxes that make no sense, files that disagree
    samples : some images with their boxes
    keys    : of all records
    shapes  : width and height of each record's image; None where it is broken
    digests : of each record's image, the same for the same bytes
    """

    records: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    difficult: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    sides: list[float] = field(default_factory=list)
    empty: int = 0
    report: Report = field(default_factory=Report)
    samples: list[tuple[NDArray[np.uint8], GroundTruth]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    shapes: list[tuple[int, int] | None] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class _Seen:
    """A record, and the facts of its image or what is wrong."""

    record: Record | BrokenRecord
    facts: ImageFacts | str
    digest: bytes = b""


def check_database(
    path: Path, label_map: LabelMap | None, options: CheckOptions | None = None
) -> Findings:
    """Reads every record of a database, decodes its image and checks its boxes.

    label_map : names the classes; without one they are "label N"

    Raises UserError if there is no database.
    """
    options = options or CheckOptions()
    findings = Findings()
    total = count_records(path)
    if total == 0:
        findings.report.add("empty database", str(path), "has no records")
    count = min(options.samples, total)
    chosen = set(random.Random(options.seed).sample(range(total), count))
    looked = in_parallel(_look, scan_records(path), options.threads)
    for seen in shown(looked, total, f"reading {path.name}", options.quiet):
        record, facts = seen.record, seen.facts
        findings.records += 1
        findings.keys.append(record.key)
        findings.digests.append(seen.digest)
        if isinstance(record, BrokenRecord) or isinstance(facts, str):
            where = place(path, record=f"record '{record.key}'")
            findings.report.add("broken record", where, str(facts))
            findings.shapes.append(None)
            continue
        findings.shapes.append((facts.width, facts.height))
        findings.sizes[facts.width, facts.height] += 1
        findings.empty += not record.boxes
        for box in record.boxes:
            _count(box, place(path, record=f"record '{record.key}'"), label_map, findings)
        if findings.records - 1 in chosen:
            boxes = [box for box in record.boxes if _can_be_drawn(box)]
            image = record.decode()
            findings.samples.append((image, truth_of(boxes, image.shape[1], image.shape[0])))
    return findings


def _look(record: Record | BrokenRecord) -> _Seen:
    if isinstance(record, BrokenRecord):
        return _Seen(record, record.reason)
    pixels = record.image if record.raw is None else record.raw.tobytes()
    return _Seen(record, _facts(record), hashlib.blake2b(pixels, digest_size=16).digest())


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


def _count(box: RecordBox, where: str, label_map: LabelMap | None, findings: Findings) -> None:
    name = class_name(box.label, label_map)
    findings.boxes[name] += 1
    findings.difficult[name] += box.difficult
    corners = _corners(box)
    add = findings.report.add
    text = f"'{name}' ({', '.join(f'{corner:g}' for corner in corners)})"
    if box.label <= 0 or (label_map is not None and box.label >= label_map.num_classes):
        classes = f"1 to {label_map.num_classes - 1}" if label_map else "1 and more"
        add("label without a class", where, f"{text}: label {box.label}, expected {classes}")
    if not _is_finite(box):
        add("malformed box", where, f"{text} is not a box")
    elif box.xmax <= box.xmin or box.ymax <= box.ymin:
        add("empty box", where, f"{text} has no area")
    else:
        if min(corners) < -ROUNDING or max(corners) > 1 + ROUNDING:
            add("box outside", where, f"{text} reaches beyond the image")
        findings.sides.append(math.sqrt((box.xmax - box.xmin) * (box.ymax - box.ymin)))


def _corners(box: RecordBox) -> tuple[float, float, float, float]:
    return box.xmin, box.ymin, box.xmax, box.ymax


def _is_finite(box: RecordBox) -> bool:
    return all(math.isfinite(corner) for corner in _corners(box))


def _can_be_drawn(box: RecordBox) -> bool:
    near = all(abs(corner) < MOST_OUTSIDE for corner in _corners(box))
    return _is_finite(box) and near and 0 < box.label < MOST_LABELS


def class_name(label: int, label_map: LabelMap | None) -> str:
    """The name of a label; "label N" where no class has it."""
    if label_map is None or not 0 <= label < label_map.num_classes:
        return f"label {label}"
    return label_map.names[label]


def sample_names(findings: Sequence[Findings], label_map: LabelMap | None) -> list[str]:
    """A name for every label that the samples have."""
    labels = [int(label) for one in findings for _, truth in one.samples for label in truth.labels]
    return [class_name(label, label_map) for label in range(max(labels, default=0) + 1)]


# -- the files beside a database ---------------------------------------------


def check_dataset(dataset: Dataset, split: str, findings: Findings) -> None:
    """Reports where the index and the file of names disagree with a split's database."""
    counted = [("images", dataset.count(split), findings.records)]
    boxes = dataset.boxes(split)
    names = sorted(boxes.keys() | findings.boxes.keys())
    counted += [(f"boxes of '{n}'", boxes.get(n, 0), findings.boxes[n]) for n in names]
    for what, expected, found in counted:
        if expected != found:
            text = f"says {expected} {what} in '{split}', the database has {found}"
            findings.report.add("counts do not agree", str(dataset.folder / INDEX), text)
    check_names(dataset.name_size(split), findings)


def check_names(file: Path, findings: Findings) -> None:
    """Reports where a file of lines "NAME HEIGHT WIDTH" disagrees with the database.

    Sizes may differ from those of the records when all images were resized; so
    they are compared where most of them agree.
    """
    add = findings.report.add
    names: list[str] = []
    sizes: list[tuple[int, int] | None] = []
    for number, line in enumerate(read_lines(file), 1):
        columns = line.split()
        sizes.append(None)
        names.append(columns[0] if columns else "")
        if len(columns) != 3 or not (columns[1].isdecimal() and columns[2].isdecimal()):
            text = f"'{line[:60]}', expected NAME HEIGHT WIDTH"
            add("names do not agree", place(file, number), text)
        else:
            sizes[-1] = (int(columns[2]), int(columns[1]))
    if len(names) != findings.records:
        text = f"{len(names)} lines, the database has {findings.records} records"
        add("names do not agree", str(file), text)
        return
    for name, count in Counter(names).items():
        if count > 1:
            add("names do not agree", str(file), f"'{name}' comes {count} times")
    pairs = zip(sizes, findings.shapes, strict=True)
    differ = [i for i, (said, found) in enumerate(pairs) if said and found and said != found]
    if 2 * len(differ) <= len(names):
        for i in differ:
            (width, height), found = sizes[i] or (0, 0), findings.shapes[i] or (0, 0)
            text = f"{width} × {height}, record '{findings.keys[i]}' has {found[0]} × {found[1]}"
            add("names do not agree", place(file, i + 1), text)
    written = [result_name(Path(key.partition("_")[2]).stem) for key in findings.keys]
    if names != written and sorted(names) == sorted(written):
        i = next(i for i, name in enumerate(names) if name != written[i])
        text = f"'{names[i]}' is not the image of record '{findings.keys[i]}'; the order differs"
        add("names do not agree", place(file, i + 1), text)


def same_images(findings: Mapping[str, Findings]) -> list[str]:
    """Lines about images that occur twice, byte for byte, in a split or in two."""
    lines: list[str] = []
    splits = list(findings)
    digests = {split: {d for d in one.digests if d} for split, one in findings.items()}
    for i, split in enumerate(splits):
        twice = sum(1 for d in findings[split].digests if d) - len(digests[split])
        if twice:
            lines.append(f"{twice} images of '{split}' are there already, byte for byte")
        for other in splits[:i]:
            both = len(digests[split] & digests[other])
            if both:
                lines.append(
                    f"{both} images of '{split}' are in '{other}' too; what is measured on them "
                    "flatters"
                )
    return lines


# -- as text -----------------------------------------------------------------


def describe(findings: Findings, label_map: LabelMap | None) -> list[str]:
    """The findings as lines to print, the report left out."""
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
        f"  {name:<{width}} {count:>8}  {'#' * math.ceil(BAR * count / most)}".rstrip()
        for name, count in rows
    ]
