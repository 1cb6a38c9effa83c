"""Deploy nets and weights give in OpenCV's dnn module what they give here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import detector_run
from nets import parse
from ssd_centerloss import models
from ssd_centerloss.inference import Detector, preprocess
from ssd_centerloss.models.config import Config, Databases
from ssd_centerloss.runs import Run

# What is asked of a deployed net: parts of the image, and parts of 1.
BOXES, SCORES = 1e-3, 1e-4


def rows_of_opencv(deploy: Path, weights: Path, blob: np.ndarray) -> np.ndarray:
    net = cv2.dnn.readNetFromCaffe(str(deploy), str(weights))
    net.setInput(blob)
    rows = np.asarray(net.forward("detection_out")).reshape(-1, 7)
    # OpenCV always has keep_top_k rows; those of no detection are zeros.
    return rows[rows[:, 2] > 0]


def assert_same_detections(ours: np.ndarray, theirs: np.ndarray) -> None:
    """By label, then box: each of ours is one of theirs, whatever the order of the rows."""
    assert ours.shape == theirs.shape
    left = theirs.copy()
    for row in ours:
        candidates = np.flatnonzero(left[:, 1] == row[1])
        nearest = candidates[np.abs(left[candidates, 2:] - row[2:]).max(axis=1).argmin()]
        assert np.abs(left[nearest, 3:] - row[3:]).max() <= BOXES
        assert abs(left[nearest, 2] - row[2]) <= SCORES
        left[nearest, 1] = -2  # taken


@pytest.mark.parametrize(("threshold", "least", "most"), [(0.01, 200, 200), (0.6, 5, 150)])
def test_a_run_in_opencv(
    threshold: float, least: int, most: int, run: Path, tmp_path: Path
) -> None:
    """With all the detections that keep_top_k leaves, and with fewer."""
    weights, deploy = Run(run).newest_weights(), tmp_path / "deploy.prototxt"
    message = parse(Run(run).deploy.read_text())
    output = message.layer[-1].detection_output_param
    assert output.confidence_threshold == pytest.approx(0.01)
    output.confidence_threshold = threshold
    deploy.write_text(text_format.MessageToString(message))
    random = np.random.default_rng(2)
    for _ in range(3):
        image = detector_run.noise(random, 140, 110)
        size = detector_run.SIZE
        pixels = detector_run.PIXELS
        blob = cv2.dnn.blobFromImage(image, pixels.scale, (size, size), pixels.mean)
        # What the documentation tells users of OpenCV to do is what we do.
        ours = preprocess(image, size, size, pixels.mean, pixels.scale)[None]
        assert np.abs(blob - ours).max() < 1e-5
        net = caffe.Net(deploy, caffe.TEST, weights=weights)
        rows = net.forward(data=blob)["detection_out"].reshape(-1, 7)
        assert least <= len(rows) <= most
        assert_same_detections(rows, rows_of_opencv(deploy, weights, blob))


def test_nothing_is_found(run: Path, tmp_path: Path) -> None:
    weights, deploy = Run(run).newest_weights(), tmp_path / "deploy.prototxt"
    message = parse(Run(run).deploy.read_text())
    message.layer[-1].detection_output_param.confidence_threshold = 0.99999
    deploy.write_text(text_format.MessageToString(message))
    blob = np.zeros((1, 3, detector_run.SIZE, detector_run.SIZE), np.float32)
    rows = caffe.Net(deploy, caffe.TEST, weights=weights).forward(data=blob)["detection_out"]
    assert rows.reshape(-1, 7)[:, 1].tolist() == [-1]
    assert len(rows_of_opencv(deploy, weights, blob)) == 0


def test_boxes_in_pixels(run: Path) -> None:
    """As docs/deploy_opencv.md has it: the whole way from an image to boxes."""
    image = detector_run.noise(np.random.default_rng(7), 180, 120)
    files, pixels = Run(run), detector_run.PIXELS
    blob = cv2.dnn.blobFromImage(image, pixels.scale, (96, 96), pixels.mean)
    rows = rows_of_opencv(files.deploy, files.newest_weights(), blob)
    boxes = np.clip(rows[:, 3:], 0, 1) * [180, 120, 180, 120]
    found = Detector.from_run(run).detect([image])[0]
    order = np.argsort(-rows[:, 2], kind="stable")
    clear = np.flatnonzero(-np.diff(found.scores, prepend=2) > 1e-4)[:10]
    assert len(clear) == 10
    assert found.scores[clear] == pytest.approx(rows[order[clear], 2], abs=SCORES)
    assert found.boxes[clear] == pytest.approx(boxes[order[clear]], abs=180 * BOXES)


@pytest.mark.parametrize("recipe", sorted(models.RECIPES))
def test_opencv_reads_every_deploy_net(recipe: str) -> None:
    """Every layer and every parameter; the weights are missing, so nothing is computed."""
    databases = Databases("train", "test", "labelmap.prototxt", "name_size.txt", 1)
    config = Config(num_classes=21, databases=databases, files=".", snapshots="model")
    deploy: Any = models.build(models.RECIPES[recipe], config).deploy
    text = text_format.MessageToString(deploy).encode()
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text, np.uint8))
    assert "detection_out" in net.getLayerNames()
    assert {layer.name for layer in deploy.layer} - {"data"} <= set(net.getLayerNames())
