"""Coordinates of one blob in another, against nets that were run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import caffe
from caffe import layers as L
from caffe.coord_map import (
    AxisMismatchException,
    UndefinedMapException,
    coord_map_from_to,
    crop,
)


def data(size: int = 20) -> Any:
    return L.Input(shape={"dim": [1, 1, size, size]})


def conv(bottom: Any, kernel_size: Any = 3, **more: Any) -> Any:
    return L.Convolution(bottom, kernel_size=kernel_size, num_output=1, **more)


def deconv(bottom: Any, kernel_size: int, stride: int, pad: int = 0) -> Any:
    param = {"kernel_size": kernel_size, "stride": stride, "pad": pad, "num_output": 1}
    return L.Deconvolution(bottom, convolution_param=param)


def pool(bottom: Any, kernel_size: int = 2, stride: int = 2) -> Any:
    return L.Pooling(bottom, kernel_size=kernel_size, stride=stride)


def test_maps_by_hand() -> None:
    top = data()
    assert coord_map_from_to(L.ReLU(top), top) == (None, 1, 0)
    # Output x of an unpadded 3-convolution is in the middle of inputs x to x + 2.
    assert coord_map_from_to(conv(top), top) == (1, 1, 1)
    assert coord_map_from_to(conv(top, pad=1), top) == (1, 1, 0)
    assert coord_map_from_to(conv(top, dilation=2), top) == (1, 1, 2)
    assert coord_map_from_to(pool(top), top) == (1, 2, 0.5)
    assert coord_map_from_to(top, pool(top)) == (1, 0.5, -0.25)
    assert coord_map_from_to(pool(conv(top)), top) == (1, 2, 1.5)
    assert coord_map_from_to(deconv(top, 4, 2, 1), top) == (1, 0.5, -0.25)
    assert coord_map_from_to(deconv(pool(top), 2, 2), top) == (1, 1, 0)


def test_axes_may_differ() -> None:
    top = data()
    axis, scale, shift = coord_map_from_to(conv(top, [3, 5], stride=[1, 2]), top)
    assert axis == 1
    np.testing.assert_array_equal(scale, [1, 2])
    np.testing.assert_array_equal(shift, [1, 2])


def test_crops_add_up() -> None:
    top = data()
    once = L.Crop(top, data(10), crop_param={"axis": 2, "offset": [3]})
    twice = L.Crop(once, data(5), crop_param={"axis": 2, "offset": 4})
    assert coord_map_from_to(twice, top) == (1, 1, 7)


def test_siblings_meet_at_their_ancestor() -> None:
    top = data()
    shared = conv(top)
    assert coord_map_from_to(conv(shared), conv(shared, pad=3)) == (1, 1, 3)
    with pytest.raises(UndefinedMapException, match="no common ancestor"):
        coord_map_from_to(conv(data()), conv(data()))
    with pytest.raises(UndefinedMapException, match="no common ancestor"):
        coord_map_from_to(L.InnerProduct(top, num_output=1), top)


def test_disagreeing_paths_and_axes_are_errors() -> None:
    top = data()
    with pytest.raises(UndefinedMapException, match="disagree"):
        coord_map_from_to(L.Eltwise(conv(top), conv(top, pad=1)), top)
    with pytest.raises(AxisMismatchException):
        coord_map_from_to(conv(conv(top, axis=2)), top)
    with pytest.raises(UndefinedMapException, match="rather than their _h and _w"):
        caffe.coord_map.coord_map(L.Convolution(top, kernel_h=3, kernel_w=2, num_output=1).fn)


def test_crop_finds_the_offset_that_aligns_the_blobs() -> None:
    """The net itself says so: an impulse comes out of both branches at the same place."""
    n = caffe.NetSpec()
    n.x = data(21)
    n.main = conv(n.x, pad=10, weight_filler={"type": "constant", "value": 1})
    n.up = deconv(pool(L.AbsVal(n.main)), 2, 2)
    n.cut = crop(n.up, n.x)
    cut = n.to_proto().layer[-1]
    assert cut.type == "Crop"
    assert cut.crop_param.axis == 2
    assert list(cut.crop_param.offset) == [9]
    assert list(cut.bottom) == ["up", "x"]
    net = caffe.Net(caffe.to_proto(n.main), caffe.TEST)
    x = net.blobs[net.inputs[0]].data
    x[0, 0, 6, 8] = 1
    (main,) = net.forward().values()
    rows, columns = np.nonzero(main[0, 0, 9:, 9:])
    # The 3 × 3 patch around the impulse, once 9 rows and columns are cut.
    assert (rows.mean(), columns.mean()) == (6, 8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: (pool(x), x), "scale"),
        (lambda x: (conv(x), x), "nothing to cut"),
        (lambda x: (conv(x, 4, pad=5), x), "no integer"),
    ],
)
def test_what_cannot_be_cropped_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crop(*make(data()))
