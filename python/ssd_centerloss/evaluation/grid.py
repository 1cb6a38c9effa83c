"""One picture of many images: what was detected beside what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.drawing import draw_detections, draw_truth

GAP = 6
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
    rows = -(-len(samples) // columns)
    width, height = 2 * side + 3 * GAP, side + GAP
    picture = np.full((rows * height + GAP, columns * width, 3), PAPER, np.uint8)
    for i, sample in enumerate(samples):
        top, left = GAP + i // columns * height, GAP + i % columns * width
        scaled = _scaled(sample, side, threshold)
        for panel, column in (
            (draw_detections(scaled.image, scaled.found, names), left),
            (draw_truth(scaled.image, scaled.truth, names), left + side + GAP),
        ):
            picture[top : top + panel.shape[0], column : column + panel.shape[1]] = panel
    return picture


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
