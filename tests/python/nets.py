"""Small nets for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

# Two parameter layers, a branch (Split), an in-place layer and a loss.
TWO_LAYERS = """
name: "two"
layer { name: "x" type: "Input" top: "x" top: "label"
        input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } shape { dim: 2 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
        convolution_param { num_output: 5 kernel_size: 4
          weight_filler { type: "xavier" } bias_filler { type: "uniform" } } }
layer { name: "tanh" type: "TanH" bottom: "conv" top: "conv" }
layer { name: "score" type: "Convolution" bottom: "conv" top: "score"
        convolution_param { num_output: 4 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss"
        loss_weight: 2 }
layer { name: "probability" type: "Softmax" bottom: "score" top: "probability" }
"""


def parse(text: str) -> Any:
    return text_format.Parse(text, caffe_pb2.NetParameter())


def make(text: str, phase: int = caffe.TRAIN, **options: Any) -> caffe.Net:
    return caffe.Net(parse(text), phase, **options)


def two_layers(dtype: Any = np.float32, force_backward: bool = False) -> caffe.Net:
    """TWO_LAYERS with inputs in place; equal weights in each call."""
    caffe.set_random_seed(5)
    message = parse(TWO_LAYERS)
    message.force_backward = force_backward
    net = caffe.Net(message, caffe.TRAIN, dtype=dtype)
    random = np.random.default_rng(3)
    net.blobs["x"].data[...] = random.normal(size=(2, 3, 4, 4))
    net.blobs["label"].data[...] = [1, 3]
    return net
