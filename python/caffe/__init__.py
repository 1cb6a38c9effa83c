"""pycaffe: nets, solvers and layers from Python."""

from caffe._caffe import (
    Blob,
    Error,
    layer_type_list,
    load_plugin,
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_random_seed,
)
from caffe.net import Net
from caffe.proto.caffe_pb2 import TEST, TRAIN

__all__ = [
    "TEST",
    "TRAIN",
    "Blob",
    "Error",
    "Net",
    "layer_type_list",
    "load_plugin",
    "set_device",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_random_seed",
]
