"""Detections as files: JSON in COCO's form, and VOC's result files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd_centerloss.detections import Detections

VOC_PREFIX = "comp4_det_test_"


def coco_rows(detections: Mapping[str, Detections], names: Sequence[str]) -> list[dict[str, Any]]:
    """COCO's result rows: image_id, category_id, bbox [x, y, width, height] in pixels, score.

    Args:
        detections: of images by name.
        names: of the labels.

    image_id is a number where all names of images are numbers (as COCO's
    files are called), else the name. category_id is the label, and
    category_name its name.
    """
    numbers = all(name.isdecimal() for name in detections)
    return [
        {
            "image_id": int(image) if numbers else image,
            "category_id": int(label),
            "category_name": names[label],
            "bbox": [round(float(value), 2) for value in (*box[:2], *(box[2:] - box[:2]))],
            "score": round(float(score), 6),
        }
        for image, found in detections.items()
        for label, score, box in zip(found.labels, found.scores, found.boxes, strict=True)
    ]


def write_coco(path: Path, detections: Mapping[str, Detections], names: Sequence[str]) -> None:
    """Writes coco_rows as a JSON file, a row in each line."""
    rows = ",\n".join(json.dumps(row) for row in coco_rows(detections, names))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[{rows}]\n", encoding="utf-8")


def write_voc(folder: Path, detections: Mapping[str, Detections], names: Sequence[str]) -> None:
    """Writes comp4_det_test_CLASS.txt for each class, also where nothing was found.

    Lines "IMAGE SCORE XMIN YMIN XMAX YMAX", in pixels, as VOC's development
    kit and Caffe-SSD's DetectionOutput have them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for label, name in enumerate(names[1:], start=1):
        lines = [
            f"{image} {score:.6f} {' '.join(f'{value:.2f}' for value in box)}\n"
            for image, found in detections.items()
            for which, score, box in zip(found.labels, found.scores, found.boxes, strict=True)
            if which == label
        ]
        (folder / f"{VOC_PREFIX}{name.replace('/', '_')}.txt").write_text(
            "".join(lines), encoding="utf-8"
        )
