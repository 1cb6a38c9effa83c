"""Average precision and matching, against plain loops and numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest

import detection_oracle as oracle
from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.evaluation.matching import (
    intersection_over_union,
    match_best,
    match_greedy,
)
from ssd_centerloss.evaluation.metrics import (
    COCO_SIZES,
    COCO_THRESHOLDS,
    IGNORED,
    METRICS,
    average_precision_coco,
    average_precision_voc07,
    average_precision_voc12,
    evaluate,
    precision_recall,
)

NAMES = ("background", "cat", "dog", "owl")


def detections(*rows: tuple[int, float, float, float, float, float]) -> Detections:
    """Of rows of label, score, xmin, ymin, xmax, ymax."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(table[:, 0].astype(int), table[:, 1], table[:, 2:])


def truth(*rows: tuple[int, float, float, float, float]) -> GroundTruth:
    table = np.array(rows, np.float64).reshape(-1, 5)
    return GroundTruth.of(table[:, 0].astype(int), table[:, 1:])


def square(x: float, size: float = 100) -> tuple[float, float, float, float]:
    return (x, 0, x + size, size)


def test_overlap_by_hand() -> None:
    a = np.array([[0, 0, 2, 2], [5, 5, 5, 9], [3, 3, 1, 1]], float)
    b = np.array([[1, 1, 3, 3], [0, 0, 2, 2], [2, 0, 4, 2], [0, 0, 8, 8]], float)
    # 1 of 4 + 4 − 1; itself; a common edge; 4 of 64. A box without area overlaps nothing.
    expected = [[1 / 7, 1, 0, 1 / 16], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert intersection_over_union(a, b) == pytest.approx(np.array(expected))
    crowd = np.array([False, False, False, True])
    assert intersection_over_union(a, b, crowd)[0] == pytest.approx([1 / 7, 1, 0, 1])


def test_match_best_takes_what_overlaps_most_even_twice() -> None:
    overlap = np.array([[0.6, 0.7], [0.1, 0.9], [0.5, 0.4], [0.4, 0.4]])
    assert match_best(overlap, 0.5).tolist() == [1, 1, 0, -1]
    assert match_best(np.zeros((2, 0)), 0.5).tolist() == [-1, -1]


def test_match_greedy_by_hand() -> None:
    overlap = np.array([[0.6, 0.7], [0.55, 0.9], [0.7, 0.95]])
    no = np.zeros((1, 2), bool)
    # The second finds its best taken; at 0.6 nothing is left for it.
    assert match_greedy(overlap, np.array([0.5]), no, no[0]).tolist() == [[1, 0, -1]]
    assert match_greedy(overlap, np.array([0.6]), no, no[0]).tolist() == [[1, -1, 0]]
    # What is ignored is taken only where nothing else fits.
    second = np.array([[False, True]])
    assert match_greedy(overlap, np.array([0.5]), second, no[0]).tolist() == [[0, 1, -1]]
    # Of equal overlaps the last one is taken, as COCO's tool does.
    even = np.array([[0.7, 0.7], [0.7, 0.2]])
    assert match_greedy(even, np.array([0.5]), no, no[0]).tolist() == [[1, 0]]
    # A crowd stays free.
    assert match_greedy(overlap, np.array([0.5]), second, second[0]).tolist() == [[0, 1, 1]]


def test_average_precision_by_hand() -> None:
    # Right, wrong, right, wrong of 4 positives: precision 1, 1/2, 2/3, 1/2 at recall 1/4 … 1/2.
    curve = precision_recall(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 1, 0]), 4)
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert curve.recall == pytest.approx([1 / 4, 1 / 4, 1 / 2, 1 / 2])
    assert average_precision_voc07(curve) == pytest.approx((3 * 1 + 3 * 2 / 3) / 11)
    assert average_precision_voc12(curve) == pytest.approx(1 / 4 + 1 / 4 * 2 / 3)
    # Recalls 0 … 0.25 are 26 points, 0.26 … 0.5 are 25.
    assert average_precision_coco(curve) == pytest.approx((26 + 25 * 2 / 3) / 101)


def test_a_recall_of_three_tenths_reaches_the_fourth_point() -> None:
    for positives in (10, 20, 70):
        count = positives * 3 // 10
        curve = precision_recall(np.ones(count), np.ones(count, int), positives)
        assert average_precision_voc07(curve) == pytest.approx(4 / 11)


def test_ignored_detections_leave_the_curve() -> None:
    scores = np.array([0.9, 0.8, 0.7])
    curve = precision_recall(scores, np.array([IGNORED, 1, 0]), 1)
    assert curve.scores.tolist() == [0.8, 0.7]
    assert average_precision_voc12(curve) == 1


@pytest.mark.parametrize("seed", range(4))
def test_evaluate_agrees_with_plain_loops(seed: int) -> None:
    found, truths = oracle.random_images(seed, images=25, num_classes=len(NAMES))
    result = evaluate(found, truths, NAMES)
    for label, got in enumerate(result.classes, start=1):
        rows, positives = oracle.outcomes_voc(found, truths, label)
        assert got.ground_truths == positives
        # Both sides add numbers in [0, 1] in double, in different order.
        assert (got.voc07, got.voc12) == pytest.approx(oracle.voc(rows, positives), abs=1e-12)
        for size, limits in COCO_SIZES.items():
            values = [oracle.coco(found, truths, label, float(t), limits) for t in COCO_THRESHOLDS]
            name = "coco" if size == "all" else f"coco_{size}"
            assert getattr(got, name) == pytest.approx(
                float(np.mean(values)), abs=1e-12, nan_ok=True
            )
            if size == "all":
                assert got.coco50 == pytest.approx(values[0], abs=1e-12)
                assert got.coco75 == pytest.approx(values[5], abs=1e-12)
                assert 0 < values[5] < values[0] < 1


def test_voc_and_coco_judge_a_second_detection_differently() -> None:
    # The second detection overlaps the first box most, which is taken; COCO lets it take the other.
    boxes = truth((1, 0, 0, 100, 100), (1, 30, 0, 130, 100))
    found = detections((1, 0.9, 0, 0, 100, 100), (1, 0.8, 14, 0, 114, 100))
    result = evaluate([found], [boxes], NAMES[:2]).classes[0]
    assert result.voc12 == pytest.approx(1 / 2)
    assert result.coco50 == pytest.approx(1)


def test_difficult_boxes_do_not_count() -> None:
    there = GroundTruth.of(
        np.array([1, 1]), np.array([square(0), square(200)]), np.array([True, False])
    )
    found = detections((1, 0.9, *square(0)), (1, 0.8, *square(0)), (1, 0.7, *square(200)))
    result = evaluate([found], [there], NAMES[:2]).classes[0]
    assert result.ground_truths == 1
    # VOC: both detections of the difficult box leave; COCO: it is taken once.
    assert result.voc12 == 1
    assert result.coco50 == pytest.approx(1 / 2)


def test_sizes() -> None:
    boxes = [truth((1, *square(0, size))) for size in (32, 50, 96, 200)]
    found = [detections((1, 0.9, *square(0, size))) for size in (32, 50)] + [
        detections(),
        detections((1, 0.8, *square(0, 200))),
    ]
    result = evaluate(found, boxes, NAMES[:2]).classes[0]
    # 32² is small and medium, as 96² is medium and large: the limits are of both.
    assert result.coco_small == pytest.approx(1)
    assert result.coco_medium == pytest.approx(67 / 101)
    assert result.coco_large == pytest.approx(51 / 101)


def test_at_most_100_detections_of_a_class_and_image() -> None:
    nothing = [(1, 0.9 - i / 1000, *square(300 + i)) for i in range(100)]
    found = detections(*nothing, (1, 0.1, *square(0)))
    there = truth((1, *square(0)))
    result = evaluate([found], [there], NAMES[:2]).classes[0]
    assert result.coco50 == 0
    assert result.voc12 == pytest.approx(1 / 101)
    # In another image a right one of a lower score: it is the 101st that counts, of two to find.
    other = detections((1, 0.05, *square(0)))
    both = evaluate([found, other], [there, there], NAMES[:2]).classes[0]
    assert both.coco50 == pytest.approx(51 / 101 / 101)


def test_nothing_detected_and_nothing_there() -> None:
    result = evaluate([Detections.none()], [truth((1, *square(0)))], NAMES)
    cat, dog, _ = result.classes
    assert (cat.ground_truths, cat.detections, cat.voc07, cat.coco) == (1, 0, 0, 0)
    assert dog.ground_truths == 0
    assert all(np.isnan(getattr(dog, metric)) for metric in METRICS)
    assert result.mean("voc07") == 0
    found = evaluate([detections((1, 0.9, *square(0)))], [truth()], NAMES).classes[0]
    assert (found.detections, len(found.curve.scores)) == (1, 1)
    assert np.isnan(found.voc12)
    empty = evaluate([], [], NAMES)
    assert empty.images == 0
    assert all(np.isnan(empty.mean(metric)) for metric in METRICS)


def test_the_mean_leaves_out_classes_without_ground_truth() -> None:
    found = detections((1, 0.9, *square(0)), (3, 0.9, *square(0)))
    there = truth((1, *square(0)), (2, *square(300)))
    result = evaluate([found], [there], NAMES)
    assert result.mean("voc12") == pytest.approx(1 / 2)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="detections of 0 images, ground truth of 1"):
        evaluate([], [truth()], NAMES)
    with pytest.raises(ValueError, match=r"a detection has the label 4, expected 1 … 3"):
        evaluate([detections((4, 0.9, *square(0)))], [truth()], NAMES)
    with pytest.raises(ValueError, match=r"a ground truth has the label 0, expected 1 … 3"):
        evaluate([detections()], [truth((0, *square(0)))], NAMES)
    with pytest.raises(ValueError, match="the scores of detections hold NaN"):
        detections((1, np.nan, *square(0)))
    with pytest.raises(ValueError, match=r"1 labels and boxes of shape \(2, 4\)"):
        GroundTruth.of(np.array([1]), np.zeros((2, 4)))
