"""Classifier and Detector, on a net whose scores are the channel means of its input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import caffe
import nets

# A convolution over the whole input with weight 1/16 for one channel each.
MEANS = """
layer { name: "data" type: "Input" top: "data"
        input_param { shape { dim: 4 dim: 3 dim: 4 dim: 4 } } }
layer { name: "score" type: "Convolution" bottom: "data" top: "score"
        convolution_param { num_output: 3 kernel_size: 4 } }
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    net = nets.make(MEANS, caffe.TEST)
    net.params["score"][0].data[...] = np.eye(3)[:, :, None, None] / 16
    net.save(tmp_path / "means.caffemodel")
    (tmp_path / "deploy.prototxt").write_text(MEANS)
    return str(tmp_path / "deploy.prototxt"), str(tmp_path / "means.caffemodel")


@pytest.fixture
def image() -> Any:
    return np.random.default_rng(0).uniform(size=(6, 8, 3)).astype(np.float32)


def test_predict_averages_ten_crops(files: tuple[str, str], image: Any) -> None:
    classifier = caffe.Classifier(*files, image_dims=(6, 8))
    scores = classifier.predict([image, image[::-1]])
    assert scores.shape == (2, 3)
    crops = caffe.io.oversample([image], (4, 4))
    # Sums of 16 products in float.
    np.testing.assert_allclose(scores[0], crops.mean(axis=(0, 1, 2)), rtol=1e-5)


def test_predict_takes_the_center_crop(files: tuple[str, str], image: Any) -> None:
    classifier = caffe.Classifier(*files, image_dims=(6, 8))
    scores = classifier.predict([image], oversample=False)
    np.testing.assert_allclose(scores[0], image[1:5, 2:6].mean(axis=(0, 1)), rtol=1e-5)


def test_images_are_resized_and_preprocessed(files: tuple[str, str], image: Any) -> None:
    classifier = caffe.Classifier(
        *files, mean=np.array([1.0, 2, 3]), input_scale=0.5, raw_scale=255, channel_swap=(2, 1, 0)
    )
    assert tuple(classifier.image_dims) == (4, 4)
    scores = classifier.predict([image], oversample=False)
    resized = caffe.io.resize_image(image, (4, 4)).mean(axis=(0, 1))
    np.testing.assert_allclose(scores[0], (resized[::-1] * 255 - [1, 2, 3]) * 0.5, rtol=1e-5)
    assert isinstance(classifier, caffe.Net)


def test_detect_windows_scores_each(files: tuple[str, str], image: Any, tmp_path: Path) -> None:
    pixels = (image * 255).round().astype(np.uint8)
    file = str(tmp_path / "image.png")
    cv2.imwrite(file, pixels[:, :, ::-1])
    detector = caffe.Detector(*files)
    windows = [(0, 0, 4, 4), (1, 2, 5, 6), (2, 4, 6, 8), (0, 0, 4, 4), (0.0, 0.0, 4.0, 4.0)]
    found = detector.detect_windows([(file, np.array(windows))])
    assert [item["filename"] for item in found] == [file] * 5
    for item, (top, left, bottom, right) in zip(found, np.array(windows, int), strict=True):
        want = pixels[top:bottom, left:right].mean(axis=(0, 1)) / 255
        np.testing.assert_allclose(item["prediction"], want, rtol=1e-4)
        assert tuple(item["window"]) == (top, left, bottom, right)
    assert detector.detect_windows([]) == []
    with pytest.raises(ValueError, match="is empty"):
        detector.detect_windows([(file, [(3, 3, 3, 5)])])


def test_context_surrounds_the_window(files: tuple[str, str]) -> None:
    # A window of 2 × 2 becomes the inner 2 × 2 pixels of the 4 × 4 input.
    image = np.arange(100, dtype=np.float32).reshape(10, 10, 1).repeat(3, axis=2) / 100
    detector = caffe.Detector(*files, context_pad=1)
    np.testing.assert_allclose(detector.crop(image, (4, 6, 6, 8)), image[3:7, 5:9], atol=1e-6)


def test_context_outside_the_image_is_the_mean(files: tuple[str, str]) -> None:
    image = np.ones((10, 10, 3), np.float32)
    mean = np.array([51.0, 102, 153])
    detector = caffe.Detector(
        *files, context_pad=1, mean=mean, raw_scale=255, channel_swap=(2, 1, 0)
    )
    crop = detector.crop(image, (0, 0, 2, 2))
    np.testing.assert_allclose(crop[1:, 1:], 1, atol=1e-6)
    for border in (crop[0], crop[:, 0]):
        np.testing.assert_allclose(border, [[0.6, 0.4, 0.2]] * 4, rtol=1e-6)
    prepared = detector.transformer.preprocess("data", crop)
    np.testing.assert_allclose(prepared[:, 0], 0, atol=1e-4)


@pytest.mark.parametrize("window", [(0, 0, 1, 1), (9, 9, 10, 10), (-5, -5, 3, 3), (0, 0, 10, 10)])
def test_context_at_edges_fits_the_input(files: tuple[str, str], window: Any) -> None:
    detector = caffe.Detector(*files, context_pad=1)
    assert detector.crop(np.zeros((10, 10, 3)), window).shape == (4, 4, 3)


def test_too_much_context_is_refused(files: tuple[str, str]) -> None:
    detector = caffe.Detector(*files, context_pad=2)
    with pytest.raises(ValueError, match="leaves nothing"):
        detector.crop(np.zeros((10, 10, 3)), (0, 0, 2, 2))
