"""The layer DetectionEvaluate and the evaluation in Python judge alike."""

from __future__ import annotations

import numpy as np
import pytest

import caffe
import detection_oracle as oracle
import nets
from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.evaluation.metrics import (
    average_precision_voc07,
    average_precision_voc12,
    evaluate,
    precision_recall,
)

NAMES = ("background", "cat", "dog", "owl")
SIDE = 400.0  # of the images, in pixels

NET = """
layer { name: "in" type: "Input" top: "found" top: "truth"
        input_param { shape { dim: [1, 1, 1, 7] } shape { dim: [1, 1, 1, 8] } } }
layer { name: "eval" type: "DetectionEvaluate" bottom: "found" bottom: "truth" top: "eval"
        detection_evaluate_param {
          num_classes: 4 overlap_threshold: 0.5 evaluate_difficult_gt: false } }
"""


def judged(found: list[Detections], truths: list[GroundTruth]) -> np.ndarray:
    """The layer's rows: (−1, label, positives, …), then (image, label, score, right, wrong)."""
    net = nets.make(NET, caffe.TEST)
    rows = [
        (i, label, score, *box / SIDE)
        for i, item in enumerate(found)
        for label, score, box in zip(item.labels, item.scores, item.boxes, strict=True)
    ]
    boxes = [
        (i, label, 0, *box / SIDE, difficult)
        for i, item in enumerate(truths)
        for label, box, difficult in zip(item.labels, item.boxes, item.difficult, strict=True)
    ]
    for name, values in (("found", rows), ("truth", boxes)):
        net.blobs[name].reshape(1, 1, len(values), len(values[0]))
        net.blobs[name].data[...] = np.array(values, np.float32)
    net.reshape()
    return np.array(net.forward()["eval"].reshape(-1, 5))


@pytest.mark.parametrize("seed", range(3))
def test_same_curves(seed: int) -> None:
    found, truths = oracle.random_images(seed, images=25, num_classes=len(NAMES))
    # The layer knows no crowds.
    truths = [GroundTruth.of(item.labels, item.boxes, item.difficult) for item in truths]
    result = evaluate(found, truths, NAMES)
    rows = judged(found, truths)
    for label, expected in enumerate(result.classes, start=1):
        of_class = rows[rows[:, 1] == label]
        [positives] = of_class[of_class[:, 0] == -1, 2]
        assert positives == expected.ground_truths
        # A detection of a difficult box is neither right nor wrong.
        counted = of_class[(of_class[:, 0] >= 0) & (of_class[:, 3] + of_class[:, 4] > 0)]
        curve = precision_recall(counted[:, 2], counted[:, 3].astype(np.int8), int(positives))
        assert 5 < curve.right[-1] < len(curve.right)
        assert len(curve.right) < expected.detections
        assert curve.right.tolist() == expected.curve.right.tolist()
        assert average_precision_voc07(curve) == pytest.approx(expected.voc07)
        assert average_precision_voc12(curve) == pytest.approx(expected.voc12)
