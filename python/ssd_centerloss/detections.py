"""What a detector found in an image, and what is there: plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detections:
    """What was found in one image.

    labels : n integers from 1; 0 is the background, which is never detected
    scores : n
    boxes  : n × 4: xmin, ymin, xmax, ymax in pixels of the image; xmax − xmin is the width

    Raises ValueError where the arrays do not fit each other, or a score or a box is not finite.
    """

    labels: NDArray[np.integer]
    scores: NDArray[np.floating]
    boxes: NDArray[np.floating]

    def __post_init__(self) -> None:
        _check_shapes(self.labels, self.boxes, scores=self.scores)
        for name, values in (("scores", self.scores), ("boxes", self.boxes)):
            if not np.isfinite(values).all():
                raise ValueError(f"the {name} of detections hold NaN or infinity")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def none(cls) -> Detections:
        """Of an image in which nothing was found."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4)))

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Detections:
        """Those of a mask, or of indices in their order."""
        return Detections(self.labels[chosen], self.scores[chosen], self.boxes[chosen])

    def above(self, threshold: float) -> Detections:
        """Those with at least this score."""
        return self.select(self.scores >= threshold)


@dataclass(frozen=True)
class GroundTruth:
    """What is to be found in one image.

    labels    : n integers from 1
    boxes     : n × 4, as those of Detections
    difficult : n; such a box need not be found, and finding it is neither right nor wrong
    crowd     : n; the box holds several objects and may be found any number of times
                (COCO's iscrowd); it counts as difficult too

    Raises ValueError where the arrays do not fit each other.
    """

    labels: NDArray[np.integer]
    boxes: NDArray[np.floating]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _check_shapes(self.labels, self.boxes, difficult=self.difficult, crowd=self.crowd)

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(
        cls,
        labels: NDArray[np.integer],
        boxes: NDArray[np.floating],
        difficult: NDArray[np.bool_] | None = None,
        crowd: NDArray[np.bool_] | None = None,
    ) -> GroundTruth:
        """With no box difficult, and none a crowd, unless told."""
        no = np.zeros(len(labels), np.bool_)
        return cls(
            labels, boxes, no if difficult is None else difficult, no if crowd is None else crowd
        )

    @property
    def ignored(self) -> NDArray[np.bool_]:
        """n: the boxes that do not count."""
        return self.difficult | self.crowd


def _check_shapes(
    labels: NDArray[np.integer], boxes: NDArray[np.floating], **others: NDArray[np.generic]
) -> None:
    count = len(labels)
    if boxes.shape != (count, 4):
        raise ValueError(f"{count} labels and boxes of shape {boxes.shape}, expected ({count}, 4)")
    for name, values in others.items():
        if values.shape != (count,):
            raise ValueError(f"{count} labels and {name} of shape {values.shape}")
