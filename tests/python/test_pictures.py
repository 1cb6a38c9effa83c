"""Drawn boxes, the grid of samples, and plots."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.drawing import class_color, draw_detections, draw_truth, write_image
from ssd_centerloss.errors import UserError
from ssd_centerloss.evaluation.grid import GAP, HEAD, Sample, detections_grid, truth_grid
from ssd_centerloss.evaluation.metrics import evaluate
from ssd_centerloss.evaluation.plots import plot_confusion, plot_precision_recall

NAMES = ("background", "cat", "dog")


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    return Detections(
        np.ones(len(boxes), int),
        np.linspace(0.9, 0.6, len(boxes)),
        np.array(boxes, float).reshape(-1, 4),
    )


def test_colours_are_distinct() -> None:
    colors = np.array([class_color(label) for label in range(1, 21)], float)
    distance = np.linalg.norm(colors[:, None] - colors[None], axis=2) + 999 * np.eye(20)
    assert distance.min() > 30
    assert distance[:6, :6].min() > 80


def test_a_box_is_drawn_where_it_is() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    picture = draw_detections(image, found((100, 80, 200, 160)), NAMES)
    color = class_color(1)
    for x, y in ((100, 120), (200, 120), (150, 160)):
        assert picture[y, x].tolist() == list(color)
    # Its inside, and everything far from it, is left as it was; the argument too.
    assert (picture[85:155, 105:195] == 0).all()
    assert (picture[:, :80] == 0).all()
    assert (image == 0).all()
    # The text stands above it.
    assert (picture[60:78, 102:160] != 0).any()


@pytest.mark.parametrize("box", [(0, 0, 50, 40), (250, 150, 299, 199), (0, 0, 299, 199)])
def test_texts_stay_in_the_image(box: tuple[float, float, float, float]) -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    picture = draw_detections(image, found(box), NAMES)
    lines = draw_detections(image, found(box), ("", "", ""))
    # A longer text colours more, so all of it is seen.
    assert (picture != 0).sum() > (lines != 0).sum() + 200


def test_texts_of_close_boxes_do_not_cover_each_other() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    both = draw_detections(image, found((50, 50, 250, 250), (52, 51, 250, 250)), NAMES)
    one = draw_detections(image, found((50, 50, 250, 250)), NAMES)
    assert (both != 0).any(axis=2).sum() > (one != 0).any(axis=2).sum() + 500


def test_drawing_nothing_and_odd_boxes() -> None:
    image = np.full((20, 20, 3), 9, np.uint8)
    assert (draw_detections(image, Detections.none(), NAMES) == 9).all()
    for box in ((5, 5, 5, 5), (-50, -50, 80, 90), (30, 30, 40, 40)):
        assert draw_detections(image, found(box), NAMES).shape == image.shape


def test_difficult_boxes_have_a_star() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[20.0, 40, 80, 90]])
    plain = draw_truth(image, GroundTruth.of(np.array([1]), boxes), NAMES)
    hard = draw_truth(image, GroundTruth.of(np.array([1]), boxes, np.array([True])), NAMES)
    assert (plain != hard).any()


def test_write_image(tmp_path: Path) -> None:
    image = np.zeros((5, 6, 3), np.uint8)
    write_image(tmp_path / "new" / "a.png", image)
    assert cv2.imread(str(tmp_path / "new" / "a.png")).shape == (5, 6, 3)
    with pytest.raises(UserError, match=r"a\.abc: no such kind of image"):
        write_image(tmp_path / "a.abc", image)


def test_grid() -> None:
    truth = GroundTruth.of(np.array([1]), np.array([[10.0, 10, 60, 60]]))
    samples = [
        Sample(np.full((100, 200, 3), 40 * i, np.uint8), found((10, 10, 60, 60)), truth)
        for i in range(1, 6)
    ]
    picture = detections_grid(samples, NAMES, columns=2, side=120)
    # 200 × 100 becomes 120 × 60, and the rows are no higher.
    assert picture.shape == (HEAD + 3 * (60 + GAP) + GAP, 2 * (2 * 120 + 3 * GAP), 3)
    top = HEAD + 2 * GAP + 60
    assert picture[top + 58, GAP + 118].tolist() == [120] * 3  # the third sample
    assert picture[top - 1, GAP + 118].tolist() == [255] * 3
    # Detections and, to the right, the ground truth: the same box twice.
    left = picture[HEAD + GAP : top - GAP, GAP : GAP + 120]
    right = picture[HEAD + GAP : top - GAP, 2 * GAP + 120 : 2 * GAP + 240]
    assert left[30, 6].tolist() == right[30, 6].tolist() == list(class_color(1))
    assert (left != right).any()  # the score
    few = detections_grid(samples[:1], NAMES, columns=4, side=120, threshold=0.95)
    assert few.shape[1] == 2 * 120 + 3 * GAP
    assert (few[HEAD + GAP : HEAD + GAP + 60, GAP : GAP + 120] == 40).all()
    with pytest.raises(ValueError, match="at least one sample"):
        detections_grid([], NAMES)


def test_grid_of_truths() -> None:
    truth = GroundTruth.of(np.array([1]), np.array([[20.0, 20, 120, 60]]))
    samples = [(np.full((100, 200, 3), 40 * i, np.uint8), truth) for i in range(1, 6)]
    picture = truth_grid(samples, NAMES, columns=3, side=120)
    assert picture.shape == (2 * (60 + GAP) + GAP, 3 * (120 + 2 * GAP), 3)
    row, column = 2 * GAP + 60, 120 + 2 * GAP
    assert picture[row + 58, column + GAP + 118].tolist() == [200] * 3  # the fifth sample
    assert picture[row + 30, column + GAP + 12].tolist() == list(class_color(1))
    with pytest.raises(ValueError, match="at least one sample"):
        truth_grid([], NAMES)


def test_plots_of_anything(tmp_path: Path) -> None:
    truth = GroundTruth.of(np.array([1]), np.array([[10.0, 10, 60, 60]]))
    for name, detections in (("some", found((10, 10, 60, 60))), ("none", Detections.none())):
        classes = evaluate([detections], [truth], NAMES).classes
        plot_precision_recall(classes, tmp_path / name / "pr.png")
    plot_precision_recall([], tmp_path / "empty.png")
    plot_confusion(np.array([[0, 1], [2, 3]]), NAMES[:2], tmp_path / "confusion.png")
    plot_confusion(np.zeros((31, 31), int), [str(i) for i in range(31)], tmp_path / "large.png")
    for path in tmp_path.rglob("*.png"):
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) > 300
        assert np.ptp(picture) > 200
