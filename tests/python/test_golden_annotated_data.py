"""AnnotatedData reads a database of the SSD branch's converter, and trains on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import golden
from caffe.proto import caffe_pb2

FOLDER = golden.GOLDEN / "annotated_data"
MODES = ("WARP", "FIT_SMALL_SIZE", "FIT_LARGE_SIZE_AND_PAD")

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the measured cases are not here")


def net_of(mode: str, folder: Path) -> caffe.Net:
    """The case's net, with the paths of its files made absolute."""
    text = (FOLDER / f"net_{mode}.prototxt").read_text()
    param = text_format.Parse(text, caffe_pb2.NetParameter())
    layer = param.layer[0]
    layer.data_param.source = str(FOLDER / "db")
    layer.annotated_data_param.label_map_file = str(FOLDER / "labelmap.prototxt")
    path = folder / "net.prototxt"
    path.write_text(text_format.MessageToString(param))
    return caffe.Net(str(path), caffe.TEST)


@pytest.mark.parametrize("mode", MODES)
def test_first_batches(mode: str, tmp_path: Path) -> None:
    net = net_of(mode, tmp_path)
    with np.load(FOLDER / f"out_{mode}.npz") as expected:
        for batch in range(2):
            net.forward()
            data, want = net.blobs["data"].data, expected[f"data:{batch}"]
            assert data.shape == want.shape
            # The branch codes each crop as JPEG again, which changes pixels a little.
            assert np.abs(data - want).mean() <= 1
            # Its fractions went through pixels and back, in single precision.
            label = net.blobs["label"].data
            np.testing.assert_allclose(label, expected[f"label:{batch}"], rtol=0, atol=1e-6)


TRAIN_NET = """
layer { name: "data" type: "AnnotatedData" top: "data" top: "label"
  transform_param {
    mirror: true mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.01
    resize_param { resize_mode: WARP height: 48 width: 64 interp_mode: LINEAR interp_mode: AREA }
    emit_constraint { emit_type: CENTER }
    distort_param { brightness_prob: 0.5 brightness_delta: 32 saturation_prob: 0.5
      saturation_lower: 0.5 saturation_upper: 1.5 hue_prob: 0.5 hue_delta: 18 }
    expand_param { prob: 0.5 max_expand_ratio: 2 } }
  data_param { source: "SOURCE" batch_size: 4 backend: LMDB shuffle: true num_workers: 2 }
  annotated_data_param {
    batch_sampler { max_sample: 1 max_trials: 1 }
    batch_sampler { sampler { min_scale: 0.5 min_aspect_ratio: 0.5 max_aspect_ratio: 2 }
      sample_constraint { min_jaccard_overlap: 0.1 } max_sample: 1 max_trials: 50 }
    label_map_file: "LABELS" } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 16 kernel_size: 5 stride: 4 pad: 2
    weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2"
  convolution_param { num_output: 24 kernel_size: 3 stride: 2 pad: 1
    weight_filler { type: "xavier" } } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "loc" type: "Convolution" bottom: "conv2" top: "loc"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "loc_perm" type: "Permute" bottom: "loc" top: "loc_perm"
  permute_param { order: 0 order: 2 order: 3 order: 1 } }
layer { name: "loc_flat" type: "Flatten" bottom: "loc_perm" top: "loc_flat" }
layer { name: "conf" type: "Convolution" bottom: "conv2" top: "conf"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "conf_perm" type: "Permute" bottom: "conf" top: "conf_perm"
  permute_param { order: 0 order: 2 order: 3 order: 1 } }
layer { name: "conf_flat" type: "Flatten" bottom: "conf_perm" top: "conf_flat" }
layer { name: "prior" type: "PriorBox" bottom: "conv2" bottom: "data" top: "prior"
  prior_box_param { min_size: 10 max_size: 18 variance: 0.1 variance: 0.1 variance: 0.2
    variance: 0.2 } }
layer { name: "loss" type: "MultiBoxLoss" bottom: "loc_flat" bottom: "conf_flat" bottom: "prior"
  bottom: "label" top: "loss" propagate_down: true propagate_down: true propagate_down: false
  propagate_down: false loss_param { normalization: VALID }
  multibox_loss_param { num_classes: 4 overlap_threshold: 0.4 neg_overlap: 0.4
    code_type: CENTER_SIZE mining_type: MAX_NEGATIVE } }
"""


def losses(folder: Path, seed: int, iterations: int) -> list[float]:
    """The losses of a small detector trained with the standard augmentation."""
    net = folder / "train.prototxt"
    text = TRAIN_NET.replace("SOURCE", str(FOLDER / "db"))
    net.write_text(text.replace("LABELS", str(FOLDER / "labelmap.prototxt")))
    solver = folder / "solver.prototxt"
    solver.write_text(
        f'net: "{net}" base_lr: 0.02 lr_policy: "fixed" momentum: 0.9 random_seed: {seed}'
    )
    training: Any = caffe.SGDSolver(str(solver))
    found = []
    for _ in range(iterations):
        training.step(1)
        found.append(float(training.net.blobs["loss"].data))
    return found


def test_training(tmp_path: Path) -> None:
    """The loss of 60 steps falls, and a second run gives the same numbers."""
    first = losses(tmp_path, seed=1, iterations=60)
    assert np.isfinite(first).all()
    assert np.mean(first[-8:]) < 0.8 * np.mean(first[:4])
    assert losses(tmp_path, seed=1, iterations=6) == first[:6]
