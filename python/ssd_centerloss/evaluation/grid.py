"""One picture of many images: what is there, and what was detected."""

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
    panels = []
    for sample in samples:
        scaled = _scaled(sample, side, threshold)
        found = draw_detections(scaled.image, scaled.found, names)
        panels.append([found, draw_truth(scaled.image, scaled.truth, names)])
    return _laid_out(panels, ("detected", "ground truth"), columns, side)


def truth_grid(
    samples: Sequence[tuple[NDArray[np.uint8], GroundTruth]],
    names: Sequence[str],
    columns: int = 4,
    side: int = 280,
) -> NDArray[np.uint8]:
    """A picture (BGR) of images with what is there; see detections_grid."""
    panels = []
    for image, truth in samples:
        scaled = _scaled(Sample(image, Detections.none(), truth), side, 0)
        panels.append([draw_truth(scaled.image, scaled.truth, names)])
    return _laid_out(panels, (), columns, side)


def _laid_out(
    samples: Sequence[Sequence[NDArray[np.uint8]]],
    titles: Sequence[str],
    columns: int,
    side: int,
) -> NDArray[np.uint8]:
    """Rows of samples, each of several panels next to each other; the titles above them."""
    if not samples:
        raise ValueError("a grid needs at least one sample")
    columns = min(columns, len(samples))
    rows = [samples[i : i + columns] for i in range(0, len(samples), columns)]
    heights = [GAP + max(panels[0].shape[0] for panels in row) for row in rows]
    head = HEAD if titles else 0
    width = len(samples[0]) * (side + GAP) + GAP
    picture = np.full((head + sum(heights) + GAP, columns * width, 3), PAPER, np.uint8)
    for i in range(columns):
        for j, title in enumerate(titles):
            _write(picture, title, GAP + i * width + j * (side + GAP))
    top = head + GAP
    for row, height in zip(rows, heights, strict=True):
        for i, panels in enumerate(row):
            for j, panel in enumerate(panels):
                _put(picture, panel, top, GAP + i * width + j * (side + GAP))
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
