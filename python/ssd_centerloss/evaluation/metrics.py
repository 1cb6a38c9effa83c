"""Average precision, as VOC and COCO define it.

Three conventions, on the same detections:

VOC07   11 points: the mean over recalls t = 0, 0.1, …, 1 of the largest
        precision at a recall of at least t. IoU ≥ 0.5.
VOC12   the area under the monotone envelope of the precision-recall curve
        (VOC 2010 and later). IoU ≥ 0.5.
COCO    101 points: the mean over recalls 0, 0.01, …, 1 of the envelope; the
        mean of that over IoU thresholds 0.5, 0.55, …, 0.95. Also at 0.5, at
        0.75, and by the area of the ground truth: small (up to 32²), medium
        (up to 96²) and large.

Matching. VOC: in falling order of scores a detection belongs to the box of its
class that it overlaps most. If the overlap is below the threshold it is wrong;
if the box is difficult it does not count; if the box was found before it is
wrong; else it is right. COCO: in falling order of scores a detection takes the
free box that it overlaps most (matching.match_greedy), of the 100 highest
scores of its class in the image; one that takes an ignored box (difficult,
crowd, or of another size) does not count, nor does one that takes none and is
of another size itself.

Equal scores keep their order. A class without ground truth has no average
precision (NaN) and does not join the mean; a class with ground truth and
without detections has 0. VOC's thresholds of recall are compared in integers,
so that 3 of 10 is a recall of 0.3; COCO's are compared as its tool does.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.evaluation.matching import (
    NONE,
    areas,
    intersection_over_union,
    match_best,
    match_greedy,
)

VOC_THRESHOLD = 0.5
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)
COCO_RECALLS = np.linspace(0, 1, 101)
COCO_MAX_DETECTIONS = 100
COCO_SIZES = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Areas in square pixels, both limits included, as in COCO's tool."""

WRONG, RIGHT, IGNORED = 0, 1, -1
"""Outcomes of a detection."""


@dataclass(frozen=True)
class Curve:
    """Precision and recall after each detection that counts, in falling order of scores.

    right     : the number of right ones among the first i + 1
    positives : the number of boxes to be found
    """

    right: NDArray[np.int64]
    scores: NDArray[np.float64]
    positives: int

    @property
    def precision(self) -> NDArray[np.float64]:
        return self.right / np.arange(1, len(self.right) + 1)

    @property
    def recall(self) -> NDArray[np.float64]:
        return self.right / max(self.positives, 1)

    @property
    def envelope(self) -> NDArray[np.float64]:
        """The largest precision at this recall or beyond."""
        return np.asarray(np.maximum.accumulate(self.precision[::-1])[::-1], np.float64)


def precision_recall(
    scores: NDArray[np.floating], outcomes: NDArray[np.integer], positives: int
) -> Curve:
    """The curve of detections with these scores and outcomes (WRONG, RIGHT or IGNORED)."""
    counted = outcomes != IGNORED
    kept, right = scores[counted].astype(np.float64), outcomes[counted] == RIGHT
    order = np.argsort(-kept, kind="stable")
    return Curve(np.cumsum(right[order]), kept[order], positives)


def average_precision_voc07(curve: Curve) -> float:
    """The mean of the envelope at 11 recalls; NaN without positives."""
    if curve.positives == 0:
        return float("nan")
    # right / positives ≥ t / 10, in integers.
    first = np.searchsorted(10 * curve.right, np.arange(11) * curve.positives)
    return float(np.append(curve.envelope, 0.0)[first].mean())


def average_precision_voc12(curve: Curve) -> float:
    """The area under the envelope; NaN without positives."""
    if curve.positives == 0:
        return float("nan")
    return float((curve.envelope * np.diff(curve.recall, prepend=0.0)).sum())


def average_precision_coco(curve: Curve) -> float:
    """The mean of the envelope at 101 recalls; NaN without positives."""
    if curve.positives == 0:
        return float("nan")
    first = np.searchsorted(curve.recall, COCO_RECALLS, side="left")
    return float(np.append(curve.envelope, 0.0)[first].mean())


@dataclass(frozen=True)
class ClassResult:
    """How well one class is found; average precisions are NaN without ground truth."""

    name: str
    ground_truths: int  # that count: difficult ones do not
    detections: int
    voc07: float
    voc12: float
    coco: float
    coco50: float
    coco75: float
    coco_small: float
    coco_medium: float
    coco_large: float
    curve: Curve  # VOC's matching at IoU 0.5


METRICS = {
    "voc07": "VOC07",
    "voc12": "VOC12",
    "coco": "COCO",
    "coco50": "AP50",
    "coco75": "AP75",
    "coco_small": "small",
    "coco_medium": "medium",
    "coco_large": "large",
}
"""The average precisions of a ClassResult, and how a table titles them."""


@dataclass(frozen=True)
class Evaluation:
    """Of a detector on a set of images."""

    classes: tuple[ClassResult, ...]
    images: int

    def mean(self, metric: str) -> float:
        """The mean of one of METRICS over the classes that have it; NaN if none has."""
        values = np.array([getattr(result, metric) for result in self.classes], np.float64)
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def evaluate(
    detections: Sequence[Detections], truths: Sequence[GroundTruth], names: Sequence[str]
) -> Evaluation:
    """Judges the detections of images by their ground truths.

    Args:
        detections, truths: one for each image, in the same order.
        names: of the classes, the background's first; a label is an index of it.

    Raises:
        ValueError: numbers of images differ, or a label is not one of 1 … len(names) − 1.
    """
    if len(detections) != len(truths):
        raise ValueError(f"detections of {len(detections)} images, ground truth of {len(truths)}")
    for what, items in (("detection", detections), ("ground truth", truths)):
        for labels in (item.labels for item in items):
            if len(labels) and not (labels.min() >= 1 and labels.max() < len(names)):
                outside = labels[(labels < 1) | (labels >= len(names))][0]
                raise ValueError(f"a {what} has the label {outside}, expected 1 … {len(names) - 1}")
    found, there = _Flat.of_detections(detections), _Flat.of_truths(truths)
    return Evaluation(
        tuple(_evaluate_class(found, there, label, names[label]) for label in range(1, len(names))),
        images=len(truths),
    )


def _evaluate_class(found: _Flat, there: _Flat, label: int, name: str) -> ClassResult:
    chosen = np.flatnonzero(found.labels == label)
    # By image, within an image in falling order of scores.
    order = np.lexsort((-found.scores[chosen], found.image[chosen]))
    images = _ImagesOfClass(
        found.select(chosen[order]), there.select(np.flatnonzero(there.labels == label))
    )
    positives = int((~images.there.ignored).sum())
    curve = precision_recall(images.found.scores, images.outcomes_voc(), positives)
    coco = images.average_precisions_coco()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN
        mean = dict(zip(COCO_SIZES, np.nanmean(coco, axis=1).tolist(), strict=True))
    return ClassResult(
        name=name,
        ground_truths=positives,
        detections=len(chosen),
        voc07=average_precision_voc07(curve),
        voc12=average_precision_voc12(curve),
        coco=mean["all"],
        coco50=float(coco[0, 0]),
        coco75=float(coco[0, 5]),
        coco_small=mean["small"],
        coco_medium=mean["medium"],
        coco_large=mean["large"],
        curve=curve,
    )


@dataclass(frozen=True)
class _Flat:
    """Detections or ground truths of all images, one image after another."""

    image: NDArray[np.intp]
    labels: NDArray[np.integer]
    boxes: NDArray[np.floating]
    scores: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    @classmethod
    def of_detections(cls, items: Sequence[Detections]) -> _Flat:
        scores = np.concatenate([np.zeros(0), *(item.scores for item in items)])
        no = np.zeros(len(scores), np.bool_)
        return cls(*_places(items), scores, no, no)

    @classmethod
    def of_truths(cls, items: Sequence[GroundTruth]) -> _Flat:
        no = np.zeros(0, np.bool_)
        ignored = np.concatenate([no, *(item.ignored for item in items)])
        crowd = np.concatenate([no, *(item.crowd for item in items)])
        return cls(*_places(items), np.zeros(len(crowd)), ignored, crowd)

    def select(self, chosen: NDArray[np.intp]) -> _Flat:
        return _Flat(*(values[chosen] for values in vars(self).values()))


def _places(
    items: Sequence[Detections] | Sequence[GroundTruth],
) -> tuple[NDArray[np.intp], NDArray[np.integer], NDArray[np.float64]]:
    """The image, the label and the box of each."""
    return (
        np.repeat(np.arange(len(items)), [len(item) for item in items]),
        np.concatenate([np.zeros(0, np.int64), *(item.labels for item in items)]),
        np.concatenate([np.zeros((0, 4)), *(item.boxes for item in items)]),
    )


class _ImagesOfClass:
    """What there is of one class, and which detection overlaps what in the same image.

    found : by image, within an image in falling order of scores
    there : by image
    """

    def __init__(self, found: _Flat, there: _Flat) -> None:
        self.found, self.there = found, there
        self._pairs: list[tuple[slice, slice, NDArray[np.float64]]] = []
        for image in np.intersect1d(found.image, there.image):
            of_found, of_there = _range(found.image, image), _range(there.image, image)
            overlap = intersection_over_union(
                found.boxes[of_found], there.boxes[of_there], there.crowd[of_there]
            )
            self._pairs.append((of_found, of_there, overlap))

    def outcomes_voc(self) -> NDArray[np.int8]:
        """One for each detection, at VOC's threshold."""
        outcomes = np.full(len(self.found.labels), WRONG, np.int8)
        for of_found, of_there, overlap in self._pairs:
            matched = match_best(overlap, VOC_THRESHOLD)
            judged = outcomes[of_found]
            judged[np.unique(matched, return_index=True)[1]] = RIGHT  # the first of each box
            judged[self.there.ignored[of_there][matched]] = IGNORED
            judged[matched == NONE] = WRONG
        return outcomes

    def average_precisions_coco(self) -> NDArray[np.float64]:
        """Sizes × thresholds."""
        limits = np.array(list(COCO_SIZES.values()))[:, :, None]
        ignored = self.there.ignored | _outside(self.there.boxes, limits)
        # What takes nothing is wrong, or ignored if it is of another size itself.
        alone = np.where(_outside(self.found.boxes, limits), IGNORED, WRONG).astype(np.int8)
        outcomes = np.repeat(alone[:, None], len(COCO_THRESHOLDS), axis=1)
        for of_found, of_there, overlap in self._pairs:
            _judge_coco(
                outcomes[:, :, of_found],
                overlap,
                ignored[:, of_there],
                self.there.crowd[of_there],
            )
        rank = np.arange(len(self.found.image)) - np.searchsorted(
            self.found.image, self.found.image
        )
        kept = rank < COCO_MAX_DETECTIONS
        scores, outcomes = self.found.scores[kept], outcomes[:, :, kept]
        positives = (~ignored).sum(axis=1)
        result = np.empty(outcomes.shape[:2])
        for size, threshold in np.ndindex(*result.shape):
            curve = precision_recall(scores, outcomes[size, threshold], int(positives[size]))
            result[size, threshold] = average_precision_coco(curve)
        return result


def _judge_coco(
    outcomes: NDArray[np.int8],
    overlap: NDArray[np.float64],
    ignored: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
) -> None:
    """Sets the outcomes (sizes × thresholds × detections) in an image of those that take a box.

    Args:
        overlap: n detections × m boxes.
        ignored: sizes × m.
        crowd: m.
    """
    sizes, thresholds = outcomes.shape[:2]
    matched = match_greedy(
        overlap, np.tile(COCO_THRESHOLDS, sizes), np.repeat(ignored, thresholds, axis=0), crowd
    )
    setting, detection = np.nonzero(matched != NONE)
    size, threshold = np.divmod(setting, thresholds)
    takes_ignored = ignored[size, matched[setting, detection]]
    outcomes[size, threshold, detection] = np.where(takes_ignored, IGNORED, RIGHT)


def _outside(boxes: NDArray[np.floating], limits: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Sizes × n: whether the area is not within the limits, sizes × 2 × 1."""
    area = areas(boxes)
    return np.asarray((area < limits[:, 0]) | (area > limits[:, 1]))


def _range(image: NDArray[np.intp], which: int) -> slice:
    """Where an image stands among images in order."""
    return slice(*np.searchsorted(image, [which, which + 1]).tolist())
