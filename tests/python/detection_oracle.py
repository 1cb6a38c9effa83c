"""Average precision and matching in plain loops, for tests."""

from __future__ import annotations

import numpy as np

from ssd_centerloss.detections import Detections, GroundTruth


def random_images(
    seed: int, images: int, num_classes: int
) -> tuple[list[Detections], list[GroundTruth]]:
    """Ground truth of all sizes, some difficult or crowds, and detections near it and elsewhere.

    Scores come from few values, so that many are equal.
    """
    random = np.random.default_rng(seed)
    detections, truths = [], []
    for _ in range(images):
        count = int(random.integers(0, 9))
        corner, size = random.uniform(0, 200, (count, 2)), np.exp(random.uniform(2, 5, (count, 2)))
        boxes = np.hstack([corner, corner + size])
        labels = random.integers(1, num_classes, count)
        crowd = random.random(count) < 0.15
        truths.append(GroundTruth.of(labels, boxes, random.random(count) < 0.2, crowd))
        near = np.repeat(boxes, 3, axis=0) + random.normal(0, 4, (3 * count, 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        far = random.uniform(0, 150, (4, 4)) + np.array([0, 0, 150, 150])
        found = np.vstack([near, far])
        told = np.concatenate([np.repeat(labels, 3), random.integers(1, num_classes, 4)])
        wrong = random.random(len(told)) < 0.15
        told[wrong] = random.integers(1, num_classes, wrong.sum())
        detections.append(Detections(told, random.integers(0, 12, len(told)) / 12, found))
    return detections, truths


def overlap(a: np.ndarray, b: np.ndarray, crowd: bool = False) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1])
    whole = area if crowd else area + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return float(width * height / whole)


def falling(scores: list[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def outcomes_voc(
    detections: list[Detections], truths: list[GroundTruth], label: int
) -> tuple[list[tuple[float, bool]], int]:
    """(score, right) of each detection that counts, in falling order; the positives."""
    every = [
        (float(d.scores[i]), image, d.boxes[i])
        for image, d in enumerate(detections)
        for i in range(len(d))
        if d.labels[i] == label
    ]
    positives = sum(
        1
        for t in truths
        for i in range(len(t))
        if t.labels[i] == label and not t.difficult[i] and not t.crowd[i]
    )
    taken: set[tuple[int, int]] = set()
    result = []
    for i in falling([score for score, _, _ in every]):
        score, image, box = every[i]
        t = truths[image]
        best, best_overlap = -1, -1.0
        for g in range(len(t)):
            if t.labels[g] == label:
                value = overlap(box, t.boxes[g], bool(t.crowd[g]))
                if value > best_overlap:
                    best, best_overlap = g, value
        if best_overlap < 0.5:
            result.append((score, False))
        elif not (t.difficult[best] or t.crowd[best]):
            result.append((score, (image, best) not in taken))
            taken.add((image, best))
    return result, positives


def voc(result: list[tuple[float, bool]], positives: int) -> tuple[float, float]:
    """VOC07 and VOC12 by their definitions."""
    points = []
    right = 0
    for i, (_, is_right) in enumerate(result):
        right += is_right
        points.append((right / positives, right / (i + 1)))
    eleven = sum(max((p for r, p in points if r >= t / 10 - 1e-9), default=0.0) for t in range(11))
    area, previous = 0.0, 0.0
    for recall, _ in points:
        if recall > previous:
            area += (recall - previous) * max(p for r, p in points if r >= recall)
            previous = recall
    return eleven / 11, area


def coco(
    detections: list[Detections],
    truths: list[GroundTruth],
    label: int,
    threshold: float,
    limits: tuple[float, float],
) -> float:
    """COCO's average precision of a class at one threshold and one range of areas."""
    result: list[tuple[float, bool]] = []
    positives = 0
    for d, t in zip(detections, truths, strict=True):
        mine = [g for g in range(len(t)) if t.labels[g] == label]
        area = {g: (t.boxes[g][2] - t.boxes[g][0]) * (t.boxes[g][3] - t.boxes[g][1]) for g in mine}
        ignored = {
            g: bool(t.difficult[g] or t.crowd[g] or not limits[0] <= area[g] <= limits[1])
            for g in mine
        }
        positives += sum(not ignored[g] for g in mine)
        mine.sort(key=lambda g: ignored[g])
        found = [i for i in range(len(d)) if d.labels[i] == label]
        taken: set[int] = set()
        for i in [found[j] for j in falling([float(d.scores[k]) for k in found])][:100]:
            best, best_overlap = None, threshold
            for g in mine:
                if g in taken and not t.crowd[g]:
                    continue
                if best is not None and not ignored[best] and ignored[g]:
                    break
                value = overlap(d.boxes[i], t.boxes[g], bool(t.crowd[g]))
                if value >= best_overlap:
                    best, best_overlap = g, value
            box = d.boxes[i]
            size = (box[2] - box[0]) * (box[3] - box[1])
            if best is None:
                if limits[0] <= size <= limits[1]:
                    result.append((float(d.scores[i]), False))
                continue
            taken.add(best)
            if not ignored[best]:
                result.append((float(d.scores[i]), True))
    if positives == 0:
        return float("nan")
    points, right = [], 0
    for n, i in enumerate(falling([score for score, _ in result])):
        right += result[i][1]
        points.append((right / positives, right / (n + 1)))
    recalls = [float(r) for r in np.linspace(0, 1, 101)]
    return sum(max((p for r, p in points if r >= t), default=0.0) for t in recalls) / 101
