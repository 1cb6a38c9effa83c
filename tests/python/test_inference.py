"""Running a detector on images; what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import caffe
import detector_run
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError
from ssd_centerloss.inference import Detector, preprocess, read_image

CAT = LabelMap.of(["cat"])


def grey(value: int, width: int = 100, height: int = 40) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_by_hand(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path)
    detector = Detector(deploy, weights, CAT, mean=(90, 100, 110), scale=0.01)
    # The mean of the inputs is 0.5 and 0; 1 / (1 + e^−0.5) = 0.62246.
    bright, dark = detector.detect([grey(150), grey(100, 64, 64)])
    assert bright.labels.tolist() == [1]
    assert bright.scores == pytest.approx([0.62246], abs=1e-5)
    # The prior is the middle half, in pixels of each image.
    assert bright.boxes[0] == pytest.approx([25, 10, 75, 30], abs=1e-4)
    assert dark.scores == pytest.approx([0.5], abs=1e-6)
    assert dark.boxes[0] == pytest.approx([16, 16, 48, 48], abs=1e-4)


def test_images_without_detections(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path)
    detector = Detector(deploy, weights, CAT, mean=(100, 100, 100), scale=0.02)
    assert detector.detect([]) == []
    # The threshold of the net is 0.3; black scores 1 / (1 + e²) = 0.12.
    found = detector.detect([grey(0), grey(100), grey(0)])
    assert [len(item) for item in found] == [0, 1, 0]
    assert [len(item) for item in detector.detect([grey(0)])] == [0]


def test_boxes_are_clipped_to_the_image(tmp_path: Path) -> None:
    # Center moved by 10 · 0.1 · 0.5 of the image to the right, width times e.
    deploy, weights = detector_run.write_one_prior(tmp_path, offset=(10, 0, 5, 0))
    detector = Detector(deploy, weights, CAT, mean=(100, 100, 100), scale=0.02)
    left = 100 * (1 - 0.5 * np.e / 2)
    assert detector.detect([grey(100)])[0].boxes[0] == pytest.approx([left, 10, 100, 30], abs=1e-4)


def test_preprocess_keeps_blue_green_red() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[:] = (10, 20, 30)
    values = preprocess(image, 3, 2, (1, 2, 3), 0.5)
    assert values.shape == (3, 2, 3)
    assert values.dtype == np.float32
    assert values[:, 0, 0].tolist() == [4.5, 9, 13.5]


def test_one_image_is_detected_alike_in_any_batch(run: Path) -> None:
    random = np.random.default_rng(5)
    images = [detector_run.noise(random, 130, 90 + 10 * i) for i in range(3)]
    detector = Detector.from_run(run)
    together = detector.detect(images)
    for image, found in zip(images, together, strict=True):
        alone = detector.detect([image])[0]
        assert len(found) > 10
        assert alone.labels.tolist() == found.labels.tolist()
        assert (np.diff(found.scores) <= 0).all()
        # The same sums, in another order where the batch is another.
        assert alone.boxes == pytest.approx(found.boxes, abs=1e-2)


def test_the_newest_snapshot_is_taken(run: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    first = copy / "snapshots" / "model_iter_10.caffemodel"
    shutil.copy(first, first.with_name("model_iter_9.caffemodel"))
    assert Detector.from_run(copy).weights == first
    other = first.with_name("model_iter_9.caffemodel")
    assert Detector.from_run(copy, other).weights == other
    for path in first.parent.iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"snapshots: no model_iter_N\.caffemodel"):
        Detector.from_run(copy)


def test_refuses_a_label_map_of_other_classes(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path)
    message = r"out has num_classes 2, but the label map has 3 with the background \(cat, dog\)"
    with pytest.raises(UserError, match=message):
        Detector(deploy, weights, LabelMap.of(["cat", "dog"]), (0, 0, 0), 1)


def test_refuses_missing_and_damaged_files(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path)
    with pytest.raises(UserError, match=r"other\.prototxt: no such net"):
        Detector(tmp_path / "other.prototxt", weights, CAT, (0, 0, 0), 1)
    with pytest.raises(UserError, match=r"other\.caffemodel: no such weights"):
        Detector(deploy, tmp_path / "other.caffemodel", CAT, (0, 0, 0), 1)
    half = tmp_path / "half.caffemodel"
    half.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(caffe.Error, match=r"half\.caffemodel"):
        Detector(deploy, half, CAT, (0, 0, 0), 1)
    text = tmp_path / "text.prototxt"
    text.write_text("layer { nonsense }")
    with pytest.raises(UserError, match=r"text\.prototxt: not a net"):
        Detector(text, weights, CAT, (0, 0, 0), 1)
    text.write_text(detector_run.ONE_PRIOR.replace('"DetectionOutput"', '"Concat"'))
    with pytest.raises(UserError, match=r"text\.prototxt: 0 layers DetectionOutput"):
        Detector(text, weights, CAT, (0, 0, 0), 1)


def test_refuses_weights_of_another_net(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path)
    deploy.write_text(detector_run.ONE_PRIOR.replace('name: "conf"', 'name: "confidence"'))
    with pytest.raises(UserError, match=r"no weights for 1 layers of .*: confidence"):
        Detector(deploy, weights, CAT, (0, 0, 0), 1)


def test_predictions_that_are_not_numbers_are_told(tmp_path: Path) -> None:
    deploy, weights = detector_run.write_one_prior(tmp_path, offset=(0, np.nan, 0, 0))
    detector = Detector(deploy, weights, CAT, (0, 0, 0), 1)
    message = r"1 of 4 values of loc_flat are NaN or infinite: the training has diverged"
    with pytest.raises(UserError, match=message):
        detector.detect([grey(0)])


def test_read_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), grey(7))
    assert read_image(tmp_path / "a.png").shape == (40, 100, 3)
    (tmp_path / "b.jpg").write_bytes(b"nothing like an image")
    with pytest.raises(UserError, match=r"b\.jpg: 21 bytes that are not an image"):
        read_image(tmp_path / "b.jpg")
    (tmp_path / "c.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"c\.jpg: 0 bytes"):
        read_image(tmp_path / "c.jpg")
    with pytest.raises(UserError, match=r"d\.jpg: no such image"):
        read_image(tmp_path / "d.jpg")
