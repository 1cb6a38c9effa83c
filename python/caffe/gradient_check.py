"""Compares a net's gradients with central differences.

::

    net = caffe.Net("net.prototxt", caffe.TRAIN, dtype=numpy.float64)
    check_net_gradients(net)                       # of all parameters
    check_net_gradients(net, blobs=["data"])       # force_backward: and of inputs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe import _caffe
from caffe.net import Net

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """The worst element of one checked array."""

    name: str
    index: tuple[int, ...]
    computed: float
    estimated: float
    error: float
    checked: int

    def __str__(self) -> str:
        return (
            f"{self.name}{list(self.index)}: computed {self.computed:.9g}, "
            f"by differences {self.estimated:.9g} (error {self.error:.2g})"
        )


class GradientError(AssertionError):
    """Gradients and differences disagree; the message lists where."""


def check_net_gradients(
    net: Net,
    *,
    params: Iterable[tuple[str, int]] | None = None,
    blobs: Sequence[str] = (),
    step: float = 1e-5,
    tolerance: float = 1e-6,
    most: int = 200,
    seed: int = 1701,
) -> list[Difference]:
    """Checks dE/dx of parameters and input blobs of a float64 net.

    E is the net's loss, plus a random linear function of each output without a
    loss weight. All diffs but those of losses are NaN before backward, so a
    layer that adds where it should overwrite, or forgets an element, is seen.
    Random layers draw the same numbers in every pass.

    Args:
        net: a net of dtype float64 whose inputs are set.
        params: (layer, index) pairs; all parameters by default.
        blobs: inputs of the net, which must have force_backward.
        step: the differences are (E(x + step) − E(x − step)) / (2 step): their
            error is about step² E''' / 6 plus 1e-16 E / step.
        tolerance: the largest error, relative to max(1, |computed|, |estimated|).
        most: elements checked of each array, drawn at random if it has more.
        seed: for everything random here.

    Returns:
        The worst element of each array.

    Raises:
        GradientError: an error is above the tolerance, or not a number.
    """
    if net.dtype != np.float64:
        raise TypeError("gradients are checked in double: make the net with dtype=numpy.float64")
    random = np.random.default_rng(seed)
    arrays = _arrays(net, params, blobs)
    objective = _Objective(net, seed, random)
    gradients = objective.gradients(arrays)
    found = []
    for name, (values, _) in arrays.items():
        chosen = random.permutation(values.size)[:most]
        found.append(_worst(name, values, gradients[name], chosen, step, objective.value))
    wrong = [str(item) for item in found if not item.error <= tolerance]
    if wrong:
        raise GradientError("gradients differ:\n" + "\n".join(wrong))
    return found


def _arrays(
    net: Net, params: Iterable[tuple[str, int]] | None, blobs: Sequence[str]
) -> dict[str, tuple[Array, Array]]:
    """Name → (data, diff), views."""
    if params is None:
        params = [(layer, i) for layer, held in net.params.items() for i in range(len(held))]
    arrays = {}
    for layer, index in params:
        blob = net.params[layer][index]
        arrays[f"{layer}:{index}"] = (blob.data, blob.diff)
    for name in blobs:
        if name not in net.inputs:
            raise ValueError(f"{name!r} is no input of the net, but computed by a layer")
        arrays[name] = (net.blobs[name].data, net.blobs[name].diff)
    return arrays


class _Objective:
    """E of the net, and its gradient by backward."""

    def __init__(self, net: Net, seed: int, random: np.random.Generator) -> None:
        self._net = net
        self._seed = seed
        self._last = len(net.layers) - 1
        self._loss()
        weights = net.blob_loss_weights
        self._coefficients = {
            name: random.uniform(-1, 1, net.blobs[name].shape)
            for name in net.outputs
            if weights[name] == 0
        }

    def _loss(self) -> float:
        _caffe.set_random_seed(self._seed)
        return self._net._net.forward(0, self._last)

    def value(self) -> float:
        loss = self._loss()
        for name, coefficients in self._coefficients.items():
            loss += float((coefficients * self._net.blobs[name].data).sum())
        return loss

    def gradients(self, arrays: dict[str, tuple[Array, Array]]) -> dict[str, Array]:
        self._loss()
        weights = self._net.blob_loss_weights
        for name, blob in self._net.blobs.items():
            if weights[name] == 0:
                blob.diff[...] = np.nan
        # Afterwards: a Flatten's output shares its diff with another blob.
        for name, coefficients in self._coefficients.items():
            self._net.blobs[name].diff[...] = coefficients
        self._net.clear_param_diffs()
        self._net._net.backward(self._last, 0)
        return {name: diff.copy() for name, (_, diff) in arrays.items()}


def _worst(
    name: str,
    values: Array,
    gradient: Array,
    chosen: NDArray[Any],
    step: float,
    objective: Callable[[], float],
) -> Difference:
    worst: Difference | None = None
    for flat in chosen:
        index = tuple(int(i) for i in np.unravel_index(flat, values.shape))
        original = float(values[index])
        values[index] = original + step
        above = objective()
        values[index] = original - step
        below = objective()
        values[index] = original
        estimated = (above - below) / (2 * step)
        computed = float(gradient[index])
        error = abs(computed - estimated) / max(1.0, abs(computed), abs(estimated))
        if worst is None or not error <= worst.error:
            worst = Difference(name, index, computed, estimated, error, len(chosen))
        if np.isnan(error):
            break
    if worst is None:
        raise ValueError(f"{name} has no elements to check")
    return worst
