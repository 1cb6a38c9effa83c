"""One picture of many images: what was detected beside what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.drawing import draw_detections, draw_truth

GAP = 6
HEAD = 18  # pixels above the first row, for the titles
PAPER = 255


@dataclass(frozen=True)
class Sample:
    """An image, what was found in it and what is there."""

    image: NDArray[np.uint8]
    found: Detections
    truth: GroundTruth


def detections_grid(
    samples: Sequence[Sample],
    names: Sequence[str],
    columns: int = 3,
    side: int = 240,
    threshold: float = 0.5,
) -> NDArray[np.uint8]:
    """A picture (BGR): for each sample its detections, and to the right of them its ground truth.

    Args:
        names: of the labels, the background's first.
        columns: samples in a row.
        side: of the square in pixels that an image is scaled into.
        threshold: the least score that is drawn.

    Raises ValueError without samples.
    """
    if not samples:
        raise ValueError("a grid needs at least one sample")
    columns = min(columns, len(samples))
    scaled = [_scaled(sample, side, threshold) for sample in samples]
    rows = [scaled[i : i + columns] for i in range(0, len(scaled), columns)]
    heights = [GAP + max(sample.image.shape[0] for sample in row) for row in rows]
    width = 2 * side + 3 * GAP
    picture = np.full((HEAD + sum(heights) + GAP, columns * width, 3), PAPER, np.uint8)
    for i in range(columns):
        _write(picture, "detected", GAP + i * width)
        _write(picture, "ground truth", 2 * GAP + side + i * width)
    top = HEAD + GAP
    for row, height in zip(rows, heights, strict=True):
        for i, sample in enumerate(row):
            left = GAP + i * width
            _put(picture, draw_detections(sample.image, sample.found, names), top, left)
            right = left + side + GAP
            _put(picture, draw_truth(sample.image, sample.truth, names), top, right)
        top += height
    return picture


def _put(picture: NDArray[np.uint8], panel: NDArray[np.uint8], top: int, left: int) -> None:
    picture[top : top + panel.shape[0], left : left + panel.shape[1]] = panel


def _write(picture: NDArray[np.uint8], text: str, left: int) -> None:
    import cv2

    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, (left, HEAD - 2), font, 0.45, (60, 60, 60), 1, cv2.LINE_AA)


def _scaled(sample: Sample, side: int, threshold: float) -> Sample:
    # Drawn after scaling, so that texts keep their size.
    import cv2

    height, width = sample.image.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    found = sample.found.above(threshold)
    return Sample(
        np.asarray(cv2.resize(sample.image, size, interpolation=method), np.uint8),
        replace(found, boxes=found.boxes * factor),
        replace(sample.truth, boxes=sample.truth.boxes * factor),
    )
