"""Distances of the classes in a detector's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import caffe
import detector_run
from ssd_centerloss.detections import GroundTruth
from ssd_centerloss.errors import UserError
from ssd_centerloss.evaluation.features import FeatureNet, Matches, measure_matches
from ssd_centerloss.inference import preprocess


def test_features_are_those_of_the_matched_priors(run: Path) -> None:
    weights = next((run / "snapshots").glob("*.caffemodel"))
    image = detector_run.noise(np.random.default_rng(1), 120, 100)
    boxes = np.array([[10.0, 9, 50, 42], [60, 50, 110, 90]])
    truth = GroundTruth.of(np.array([3, 1]), boxes)
    empty = GroundTruth.of(np.zeros(0, int), np.zeros((0, 4)))
    net = FeatureNet.from_run(run, weights)
    got = net.matched([image[::-1], image], [empty, truth])
    # The same by loops, from the deploy net with the image put in.
    train = caffe.Net(run / "deploy.prototxt", caffe.TEST, weights=weights)
    pixels = detector_run.PIXELS
    size = detector_run.SIZE
    blob = preprocess(image, size, size, pixels.mean, pixels.scale)
    train.forward(data=blob[None])
    priors = train.blobs["mbox_priorbox"].data[0, 0].reshape(-1, 4) * [120, 100, 120, 100]
    scores = train.blobs["mbox_conf"].data.reshape(len(priors), -1)
    labels, rows = [], []
    for prior, row in zip(priors, scores, strict=True):
        overlaps = []
        for box in boxes:
            width = min(prior[2], box[2]) - max(prior[0], box[0])
            height = min(prior[3], box[3]) - max(prior[1], box[1])
            shared = max(width, 0) * max(height, 0)
            area = (prior[2] - prior[0]) * (prior[3] - prior[1])
            overlaps.append(shared / (area + (box[2] - box[0]) * (box[3] - box[1]) - shared))
        if max(overlaps) >= 0.5:
            labels.append((3, 1)[int(np.argmax(overlaps))])
            rows.append(row)
    assert set(labels) == {1, 3}
    assert got.labels.tolist() == labels
    assert got.scores == pytest.approx(np.array(rows), abs=1e-4)
    assert got.center is not None
    assert got.center.shape == (len(labels), 4)
    assert np.ptp(got.center, axis=0).min() > 0


def test_center_features_are_the_bottom_of_the_loss(run: Path) -> None:
    """A prior's features stand at its place in mbox_center_conf."""
    weights = next((run / "snapshots").glob("*.caffemodel"))
    image = detector_run.noise(np.random.default_rng(1), 96, 96)
    net = FeatureNet.from_run(run, weights)
    inner = net._net
    everything = net.matched([image], [GroundTruth.of(np.array([1]), np.array([[8.0, 8, 40, 40]]))])
    values = inner.blobs["mbox_center_conf"].data.reshape(-1, 4)
    assert everything.center is not None
    assert len(everything.center) > 0
    for row in everything.center:
        assert (values == row).all(axis=1).any()
    assert inner.blobs["mbox_center_conf"].shape[1] == len(values) * 4


def test_measures_all_batches_together() -> None:
    parts = [
        Matches(np.array([[0.0, 1], [0, -1]]), np.zeros((2, 3)), np.array([1, 1])),
        Matches(np.array([[3.0, 5], [3, 3]]), np.ones((2, 3)), np.array([2, 2])),
    ]
    distances = measure_matches(parts)
    assert distances.priors == 4
    assert distances.center is not None
    assert distances.center.ratio == pytest.approx(0.2)
    assert distances.scores is not None
    assert distances.scores.within == 0


def test_fewer_than_two_classes_have_no_distances() -> None:
    assert measure_matches([]).scores is None
    one = Matches(None, np.zeros((2, 3)), np.array([1, 1]))
    assert measure_matches([one]).scores is None
    assert measure_matches([one]).center is None


def test_refuses_a_net_that_is_not_trained(run: Path) -> None:
    weights = next((run / "snapshots").glob("*.caffemodel"))
    with pytest.raises(UserError, match="0 layers AnnotatedData and 0 of MultiBoxLoss"):
        FeatureNet(run / "deploy.prototxt", weights, 96, (0, 0, 0), 1)
