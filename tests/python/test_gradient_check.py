"""The gradient checker finds what is wrong, and the runtime's gradients are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import caffe
import nets
from caffe.gradient_check import GradientError, check_net_gradients


def random_net(text: str, seed: int = 0) -> caffe.Net:
    """A double net with normal inputs and parameters."""
    net = nets.make(text, dtype=np.float64)
    random = np.random.default_rng(seed)
    for name in net.inputs:
        net.blobs[name].data[...] = random.normal(size=net.blobs[name].shape)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = random.normal(size=blob.shape)
    return net


def test_a_net_with_branches_in_place_layers_and_a_loss() -> None:
    net = nets.two_layers(np.float64, force_backward=True)
    found = check_net_gradients(net, blobs=["x"])
    assert {item.name for item in found} == {"conv:0", "conv:1", "score:0", "score:1", "x"}
    assert all(item.error < 1e-6 for item in found)
    assert {item.name: item.checked for item in found}["conv:0"] == 200  # of 240


CENTER_LOSS = """
force_backward: true
layer { name: "x" type: "Input" top: "x" top: "label"
        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "feature" type: "Scale" bottom: "x" top: "feature" }
layer { name: "center" type: "CenterLoss" bottom: "feature" bottom: "label" top: "loss"
        loss_weight: 0.7
        center_loss_param { num_output: 5 center_filler { type: "gaussian" std: 1 } } }
"""


def test_center_loss_gradient_of_features() -> None:
    caffe.set_random_seed(2)
    net = random_net(CENTER_LOSS)
    net.blobs["label"].data[...] = [0, 3, 3, 4]
    # The center's diff is a step by its own rule and no gradient: it is left out.
    found = check_net_gradients(net, params=[("feature", 0)], blobs=["x"])
    assert [item.name for item in found] == ["feature:0", "x"]


def test_random_layers_draw_the_same_numbers() -> None:
    net = random_net(
        """force_backward: true
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 9 } } }
        layer { name: "s" type: "Scale" bottom: "x" top: "s" }
        layer { name: "y" type: "Dropout" bottom: "s" top: "y" }"""
    )
    check_net_gradients(net, blobs=["x"])
    zeros = (net.forward()["y"] == 0).sum()
    assert 0 < zeros < 36


class Flawed(caffe.Layer):
    """y = x², with a backward that is wrong as param_str says."""

    def reshape(self, bottom: Any, top: Any) -> None:
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom: Any, top: Any) -> None:
        top[0].data[...] = bottom[0].data ** 2

    def backward(self, top: Any, propagate_down: Any, bottom: Any) -> None:
        right = 2 * bottom[0].data * top[0].diff
        match self.param_str:
            case "right":
                bottom[0].diff[...] = right
            case "adds":
                bottom[0].diff[...] += right
            case "forgets the last":
                bottom[0].diff.flat[:-1] = right.flat[:-1]
            case "slightly off":
                bottom[0].diff[...] = right * (1 + 1e-4)
            case "ignores the top":
                bottom[0].diff[...] = 2 * bottom[0].data


def flawed(flaw: str) -> caffe.Net:
    return random_net(
        f"""force_backward: true
        layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 2 dim: 3 }} }} }}
        layer {{ name: "y" type: "Python" bottom: "x" top: "y"
                 python_param {{ module: "{__name__}" layer: "Flawed" param_str: "{flaw}" }} }}"""
    )


@pytest.mark.parametrize(
    "flaw", ["adds", "forgets the last", "slightly off", "ignores the top", "does nothing"]
)
def test_flaws_are_found(flaw: str) -> None:
    with pytest.raises(GradientError, match=r"x\[\d, \d\]: computed .* by differences"):
        check_net_gradients(flawed(flaw), blobs=["x"])


def test_the_right_layer_passes_and_the_net_is_left_as_it_was() -> None:
    net = flawed("right")
    before = net.blobs["x"].data.copy()
    (found,) = check_net_gradients(net, blobs=["x"])
    assert found.error < 1e-8
    assert found.checked == 6
    np.testing.assert_array_equal(net.blobs["x"].data, before)


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        check_net_gradients(nets.two_layers())
    net = nets.two_layers(np.float64)
    with pytest.raises(ValueError, match="'conv' is no input"):
        check_net_gradients(net, blobs=["conv"])
    empty = flawed("right")
    empty.blobs["x"].reshape(0, 3)
    with pytest.raises(ValueError, match="x has no elements"):
        check_net_gradients(empty, blobs=["x"])
