"""VGG16 (Simonyan and Zisserman 2015) as SSD uses it (Liu et al. 2016, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import caffe
from caffe import layers as L
from caffe import params as P
from ssd_centerloss.models.config import Level
from ssd_centerloss.models.heads import WEIGHT_AND_BIAS

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # width, convolutions
POOLING = {"kernel_size": 2, "stride": 2}
LAST_POOLING = {"kernel_size": 3, "stride": 1, "pad": 1}  # keeps the map's size


def _convolution(bottom: Any, width: int, kernel: int, **geometry: int) -> Any:
    return L.Convolution(
        bottom,
        param=WEIGHT_AND_BIAS,
        num_output=width,
        kernel_size=kernel,
        weight_filler={"type": "xavier"},
        **geometry,
    )


def add_vgg16(net: caffe.NetSpec) -> Any:
    """Adds conv1_1 … conv5_3 and the fully connected layers as convolutions; returns fc7's top.

    The last pooling does not halve the map, so fc6, thinned out to 1024
    filters of 3×3, is dilated by 6. The reduced VGG16 of ParseNet fits it.
    """
    top = net.data
    for stage, (width, count) in enumerate(STAGES, start=1):
        for i in range(1, count + 1):
            net[f"conv{stage}_{i}"] = top = _convolution(top, width, 3, pad=1)
            net[f"relu{stage}_{i}"] = top = L.ReLU(top, in_place=True)
        shape = LAST_POOLING if stage == len(STAGES) else POOLING
        net[f"pool{stage}"] = top = L.Pooling(top, pool=P.Pooling.MAX, **shape)
    net.fc6 = _convolution(top, 1024, 3, pad=6, dilation=6)
    net.relu6 = L.ReLU(net.fc6, in_place=True)
    net.fc7 = _convolution(net.relu6, 1024, 1)
    net.relu7 = L.ReLU(net.fc7, in_place=True)
    return net.relu7


@dataclass(frozen=True)
class Extra:
    """A stage behind fc7: a 1×1 convolution, and one that makes the map smaller."""

    reduced: int
    width: int
    kernel: int = 3
    pad: int = 0
    stride: int = 1


WIDE = Extra(256, 512, pad=1, stride=2)
HALF = Extra(128, 256, pad=1, stride=2)
LESS_2 = Extra(128, 256)  # two cells fewer a side
LESS_1 = Extra(128, 256, kernel=4, pad=1)


def _add_extras(net: caffe.NetSpec, top: Any, extras: Sequence[Extra]) -> None:
    for number, extra in enumerate(extras, start=6):
        first, second = f"conv{number}_1", f"conv{number}_2"
        net[first] = _convolution(top, extra.reduced, 1)
        net[f"{first}_relu"] = top = L.ReLU(net[first], in_place=True)
        net[second] = _convolution(
            top, extra.width, extra.kernel, pad=extra.pad, stride=extra.stride
        )
        net[f"{second}_relu"] = top = L.ReLU(net[second], in_place=True)


def add_ssd300_body(net: caffe.NetSpec, size: int) -> None:
    """VGG16 and four extra stages; the sources' maps have 38, 19, 10, 5, 3 and 1 cells a side."""
    _add_extras(net, add_vgg16(net), (WIDE, HALF, LESS_2, LESS_2))


def add_ssd512_body(net: caffe.NetSpec, size: int) -> None:
    """VGG16 and five extra stages; 64, 32, 16, 8, 4, 2 and 1 cells a side."""
    _add_extras(net, add_vgg16(net), (WIDE, HALF, HALF, HALF, LESS_1))


def prior_sizes(size: int, first: int, low: int, high: int, levels: int) -> list[float]:
    """The sizes of the levels' priors in pixels, and one more: the last level's max_size.

    The first level has `first` percent of the input; the others go from `low`
    to `high` percent in equal steps of whole percents (Liu et al. 2016, eq. 4).
    """
    step = (high - low) // (levels - 2)
    percents = [first, *(low + i * step for i in range(levels))]
    return [size * percent / 100 for percent in percents]


def _levels(
    sizes: list[float], layers: tuple[str, ...], steps: tuple[int, ...], wide: range
) -> tuple[Level, ...]:
    return tuple(
        Level(
            layer,
            min_sizes=(sizes[i],),
            max_sizes=(sizes[i + 1],),
            aspect_ratios=(2.0, 3.0) if i in wide else (2.0,),
            step=steps[i],
            normalize=20.0 if layer == "conv4_3" else None,
        )
        for i, layer in enumerate(layers)
    )


def ssd300_levels(size: int) -> tuple[Level, ...]:
    """8732 priors, from 30 to 315 pixels."""
    layers = ("conv4_3", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")
    sizes = prior_sizes(size, first=10, low=20, high=90, levels=6)
    return _levels(sizes, layers, (8, 16, 32, 64, 100, 300), wide=range(1, 4))


def ssd512_levels(size: int) -> tuple[Level, ...]:
    """24564 priors, from 36 to 538 pixels."""
    layers = ("conv4_3", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2", "conv10_2")
    sizes = prior_sizes(size, first=7, low=15, high=90, levels=7)
    return _levels(sizes, layers, (8, 16, 32, 64, 128, 256, 512), wide=range(1, 5))
