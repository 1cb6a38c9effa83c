"""Which class is taken for which."""

from __future__ import annotations

import numpy as np

import detection_oracle as oracle
from ssd_centerloss.detections import GroundTruth
from ssd_centerloss.evaluation.confusion import confusion_matrix, most_confused
from test_metrics import detections, square, truth


def test_by_hand() -> None:
    there = truth((1, *square(0)), (2, *square(200)), (2, *square(400)))
    found = detections(
        (1, 0.9, *square(0)),  # right
        (2, 0.8, *square(5)),  # a second label for the same object
        (1, 0.7, *square(200)),  # a 2 taken for a 1
        (3, 0.6, *square(700)),  # nothing is there
        (2, 0.4, *square(400)),  # below the threshold: missed
    )
    expected = [[0, 0, 1, 1], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert confusion_matrix([found], [there], 4).tolist() == expected


def test_the_highest_score_comes_first_whatever_the_order() -> None:
    there = truth((2, *square(0)))
    found = detections((1, 0.6, *square(0)), (2, 0.9, *square(4)))
    assert confusion_matrix([found], [there], 3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_difficult_boxes_count_nowhere() -> None:
    there = GroundTruth.of(
        np.array([1, 1]), np.array([square(0), square(200)]), np.array([True, True])
    )
    found = detections((1, 0.9, *square(0)))
    assert confusion_matrix([found], [there], 2).tolist() == [[0, 0], [0, 0]]


def test_every_ground_truth_and_every_detection_is_counted_once() -> None:
    found, truths = oracle.random_images(3, images=30, num_classes=4)
    plain = [GroundTruth.of(item.labels, item.boxes) for item in truths]
    matrix = confusion_matrix(found, plain, 4)
    assert matrix[1:].sum() == sum(len(item) for item in plain)
    assert matrix[:, 1:].sum() == sum(len(item.above(0.5)) for item in found)
    labels = np.concatenate([item.labels for item in plain])
    assert matrix[1:].sum(axis=1).tolist() == np.bincount(labels, minlength=4)[1:].tolist()


def test_nothing_at_all() -> None:
    assert confusion_matrix([], [], 3).tolist() == np.zeros((3, 3), int).tolist()
    assert confusion_matrix([detections()], [truth()], 3).sum() == 0


def test_most_confused() -> None:
    matrix = np.array([[0, 9, 9], [8, 50, 2], [7, 3, 60]])
    assert most_confused(matrix) == [(2, 1, 3), (1, 2, 2)]
