"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.evaluation.matching import NONE, intersection_over_union, match_greedy


def confusion_matrix(
    detections: Sequence[Detections],
    truths: Sequence[GroundTruth],
    num_classes: int,
    score_threshold: float = 0.5,
    overlap_threshold: float = 0.5,
) -> NDArray[np.int64]:
    """num_classes × num_classes: ground truths of class row that were detected as class column.

    Row 0, the background's, counts detections of nothing; column 0 counts
    ground truths that were missed; [0, 0] is 0.

    The detections of at least `score_threshold`, of all classes together and in
    falling order of scores, take each the free ground truth that they overlap
    most, by `overlap_threshold` or more, whatever its class. So a second label
    for an object that has one counts as a detection of nothing. Difficult and
    crowd boxes are taken only if no other fits; what takes them does not count,
    nor are they missed.
    """
    matrix = np.zeros((num_classes, num_classes), np.int64)
    for image, truth in zip(detections, truths, strict=True):
        found = image.above(score_threshold)
        found = found.select(np.argsort(-found.scores, kind="stable"))
        overlap = intersection_over_union(found.boxes, truth.boxes, truth.crowd)
        matched = match_greedy(
            overlap, np.array([overlap_threshold]), truth.ignored[None], truth.crowd
        )[0]
        hit = matched != NONE
        counts = hit.copy()
        counts[hit] = ~truth.ignored[matched[hit]]
        missed = ~truth.ignored
        missed[matched[hit]] = False
        np.add.at(matrix, (truth.labels[matched[counts]], found.labels[counts]), 1)
        np.add.at(matrix[0], found.labels[~hit], 1)
        np.add.at(matrix[:, 0], truth.labels[missed], 1)
    return matrix


def most_confused(matrix: NDArray[np.integer], count: int = 3) -> list[tuple[int, int, int]]:
    """The largest numbers of one class taken for another: (is, taken for, times), background left
    out."""
    classes = matrix[1:, 1:].copy()
    np.fill_diagonal(classes, 0)
    order = np.argsort(-classes, axis=None, kind="stable")[:count]
    rows, columns = np.unravel_index(order, classes.shape)
    return [
        (int(row) + 1, int(column) + 1, int(classes[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if classes[row, column] > 0
    ]
