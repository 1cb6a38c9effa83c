"""Decoding and suppression for the peers that have none: numpy, and cv2's suppression in C++."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LEAST_SCORE, OVERLAP = 0.01, 0.45
MOST_OF_CLASS, MOST = 400, 200


@dataclass(frozen=True)
class Priors:
    """Centers and sizes, and the variances of the predictions; each priors × 2 or 4."""

    middle: Array
    size: Array
    variances: Array

    @classmethod
    def load(cls, folder: Path) -> Priors:
        with np.load(folder / "priors.npz") as arrays:
            boxes, variances = arrays["boxes"], arrays["variances"]
        middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        return cls(middle, size, variances)


def decode(predicted: Array, priors: Priors, indices: Array) -> Array:
    """The boxes of these priors: corner, width and height."""
    moved = predicted[indices] * priors.variances
    size = priors.size[indices] * np.exp(moved[:, 2:])
    corner = priors.middle[indices] + moved[:, :2] * priors.size[indices] - size / 2
    return np.concatenate([corner, size], axis=1)


def _limited(scores: Array, prior: Array, label: Array) -> Array:
    """The best MOST_OF_CLASS candidates of each class, where one has more."""
    if np.bincount(label).max(initial=0) <= MOST_OF_CLASS:
        return np.arange(len(prior))
    kept = []
    for one in np.unique(label):
        of_class = np.flatnonzero(label == one)
        order = np.argsort(-scores[prior[of_class], one + 1], kind="stable")
        kept.append(of_class[order[:MOST_OF_CLASS]])
    return np.concatenate(kept)


def detect(predicted: Array, scores: Array, priors: Priors) -> Array:
    """Detections of one image: label, score, corners; the best MOST, best first.

    predicted: priors × 4; scores: priors × classes, probabilities, the background first.
    """
    prior, label = np.nonzero(scores[:, 1:] > LEAST_SCORE)
    kept = _limited(scores, prior, label)
    prior, label = prior[kept], label[kept]
    if len(prior) == 0:
        return np.empty((0, 6), np.float32)
    boxes, score = decode(predicted, priors, prior), scores[prior, label + 1]
    found = cv2.dnn.NMSBoxesBatched(
        boxes.astype(np.float64), score, label.astype(np.int32), LEAST_SCORE, OVERLAP
    )
    best = np.asarray(found, np.int64)
    best = best[np.argsort(-score[best], kind="stable")][:MOST]
    corners = np.concatenate([boxes[best, :2], boxes[best, :2] + boxes[best, 2:]], axis=1)
    return np.concatenate([label[best, None] + 1, score[best, None], corners], axis=1)
