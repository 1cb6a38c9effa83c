"""Which detection found which ground truth, in one image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""The index of a detection that found nothing."""


def intersection_over_union(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    crowd: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """n × m: the overlap of each box of a (n × 4) with each of b (m × 4).

    Intersection over union; for a crowd of b, intersection over the area of
    the box of a (as COCO has it: a crowd's box is found by each of its parts).
    Coordinates are continuous, as in COCO and Caffe-SSD: a width is
    xmax − xmin (VOC's own tools count pixels, and add 1). A box without area
    overlaps nothing.
    """
    first, second = a.astype(np.float64)[:, None], b.astype(np.float64)[None]
    corners = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    shared = np.clip(corners, 0, None).prod(axis=-1)
    whole = areas(a)[:, None] + areas(b)[None] - shared
    if crowd is not None:
        whole = np.where(crowd[None], areas(a)[:, None], whole)
    overlap = np.zeros(shared.shape)
    np.divide(shared, whole, out=overlap, where=whole > 0)
    return overlap


def areas(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """n: of boxes n × 4; 0 where the corners are swapped."""
    size = np.clip(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0, None)
    return np.asarray(size.prod(axis=1), np.float64)


def match_best(overlap: NDArray[np.floating], threshold: float) -> NDArray[np.intp]:
    """n: VOC's rule. Each detection finds the box that it overlaps most, or NONE.

    Args:
        overlap: n detections × m ground truths.
        threshold: the least overlap that finds a box.

    The box may have been found by others before; who came first is the caller's to say.
    """
    if overlap.shape[1] == 0:
        return np.full(len(overlap), NONE, np.intp)
    best = overlap.argmax(axis=1)
    return np.where(overlap.max(axis=1) >= threshold, best, NONE)


def match_greedy(
    overlap: NDArray[np.floating],
    thresholds: NDArray[np.floating],
    ignored: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """s × n: COCO's rule, for s settings at once. The box that each detection finds, or NONE.

    The detections come in falling order of scores. Each takes, of the boxes
    that are still free and that it overlaps by the threshold, the one of the
    largest overlap (the last of equal ones); ignored boxes only if no other is
    left. A crowd stays free.

    Args:
        overlap: n detections × m ground truths.
        thresholds: s.
        ignored: s × m.
        crowd: m.
    """
    found = np.full((len(thresholds), len(overlap)), NONE, np.intp)
    # COCO's tool lets rounding pass at a threshold of 1.
    least = np.minimum(thresholds, 1 - 1e-10)
    if overlap.shape[1] == 0:
        return found
    free = np.ones(ignored.shape, np.bool_)
    settings = np.arange(len(thresholds))
    for detection in np.flatnonzero(overlap.max(axis=1) >= least.min(initial=np.inf)):
        fits = free & (overlap[detection][None] >= least[:, None])
        wanted = fits & ~ignored
        fits = np.where(wanted.any(axis=1, keepdims=True), wanted, fits)
        value = np.where(fits, overlap[detection][None], -1.0)
        best = value.shape[1] - 1 - value[:, ::-1].argmax(axis=1)
        hit = fits.any(axis=1)
        found[hit, detection] = best[hit]
        taken = hit & ~crowd[best]
        free[settings[taken], best[taken]] = False
    return found
