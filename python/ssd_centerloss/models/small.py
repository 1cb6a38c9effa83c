"""A net for CPUs that starts from nothing: plain convolutions with batch normalization."""

from __future__ import annotations

from typing import Any

import caffe
from caffe import layers as L
from ssd_centerloss.models.config import Level

# name, width, kernel, stride; the map halves at each stride of 2.
LAYERS = (
    ("conv1", 16, 3, 2),
    ("conv2", 32, 3, 2),
    ("conv3_1", 48, 3, 2),
    ("conv3_2", 48, 3, 1),
    ("conv3_3", 64, 3, 1),
    ("conv4_1", 96, 3, 2),
    ("conv4_2", 96, 3, 1),
    ("conv4_3", 96, 3, 1),
    ("conv5_1", 64, 1, 1),
    ("conv5_2", 128, 3, 2),
)
# The sources of the heads, each with the sizes of its priors as parts of the input's side. The
# priors are at least as large as their map's cells: so each object meets some of them.
SOURCES = (
    ("conv3_3", (0.07, 0.13, 0.21)),
    ("conv4_3", (0.21, 0.36, 0.55)),
    ("conv5_2", (0.55, 0.8, 1.0)),
)
# A mean over some 20 batches: short trainings must have seen enough of it.
MEAN_FRACTION = 0.95


def add_small_body(net: caffe.NetSpec, size: int) -> None:
    """Ten convolutions; the sources' maps have 1/8, 1/16 and 1/32 of the input's side."""
    top = net.data
    for name, width, kernel, stride in LAYERS:
        top = _add_convolution(net, name, top, (width, kernel, stride))


def _add_convolution(
    net: caffe.NetSpec, name: str, bottom: Any, geometry: tuple[int, int, int]
) -> Any:
    """Convolution without bias, BatchNorm, Scale, ReLU, all in the top `name`."""
    width, kernel, stride = geometry
    net[name] = L.Convolution(
        bottom,
        param=[{"lr_mult": 1, "decay_mult": 1}],
        num_output=width,
        kernel_size=kernel,
        stride=stride,
        pad=kernel // 2,
        bias_term=False,
        weight_filler={"type": "msra"},
    )
    net[f"{name}_bn"] = top = L.BatchNorm(
        net[name],
        in_place=True,
        param=[{"lr_mult": 0, "decay_mult": 0}] * 3,
        moving_average_fraction=MEAN_FRACTION,
    )
    net[f"{name}_scale"] = top = L.Scale(
        top, in_place=True, param=[{"lr_mult": 1, "decay_mult": 0}] * 2, bias_term=True
    )
    net[f"{name}_relu"] = top = L.ReLU(top, in_place=True)
    return top


def small_levels(size: int) -> tuple[Level, ...]:
    """Eight priors a cell, from 7 to 90 percent of the input's side."""
    return tuple(
        _level(source, [round(size * part, 2) for part in sizes]) for source, sizes in SOURCES
    )


def _level(source: str, sizes: list[float]) -> Level:
    return Level(source, min_sizes=tuple(sizes[:-1]), max_sizes=tuple(sizes[1:]))
