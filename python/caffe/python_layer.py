"""`caffe.Layer`: layers written in Python.

A net names such a layer by its module and class::

    layer { name: "scale" type: "Python" bottom: "x" top: "y"
            python_param { module: "my_layers" layer: "Scale" param_str: "2.5" } }
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from caffe.proto import caffe_pb2

if TYPE_CHECKING:
    from caffe._caffe import Blob, LayerBlobs, _Layer


class Layer:
    """What a Python layer derives from.

    `setup` runs once, `reshape` before every forward and when the net is
    reshaped. `bottom` and `top` are lists of blobs whose `data` and `diff` are
    NumPy views of the net's element type. They belong to the net: they are
    for the time of the call.

    Attributes:
        param_str: the layer's `python_param.param_str`, for arguments of its own.
        phase: caffe.TRAIN or caffe.TEST.
        blobs: the parameters; `setup` adds them by `self.blobs.add_blob(*shape)`.
        name, type: the layer's name; "Python".
        layer_param: the whole LayerParameter.

    A data layer that defines `save_state() -> bytes` and `load_state(bytes)`
    has what it returns kept in snapshots.
    """

    _handle: _Layer
    layer_param: Any
    param_str: str
    phase: int

    def __init__(self, param: Any, *_args: Any, **_kwargs: Any) -> None:
        """`param` is the LayerParameter; the attributes are there before any __init__ runs."""

    @property
    def blobs(self) -> LayerBlobs:
        return self._handle.blobs

    @property
    def name(self) -> str:
        return self._handle.name

    @property
    def type(self) -> str:
        return "Python"

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Checks the numbers of blobs, reads param_str, adds parameters."""

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Shapes the tops: `top[0].reshape(*bottom[0].shape)`."""
        raise NotImplementedError(f"{type(self).__name__} has no reshape")

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Writes the tops' data."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(
        self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]
    ) -> None:
        """Writes the diff of each bottom that propagate_down names; adds to those of `blobs`."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")


def make_layer(serialized_param: bytes, handle: _Layer) -> Layer:
    """Makes the layer that a LayerParameter names; called by the runtime."""
    param = caffe_pb2.LayerParameter.FromString(serialized_param)
    names = param.python_param
    layer_class = getattr(importlib.import_module(names.module), names.layer, None)
    if not (isinstance(layer_class, type) and issubclass(layer_class, Layer)):
        found = "nothing" if layer_class is None else repr(layer_class)
        raise TypeError(
            f"python_param expects a class derived from caffe.Layer at "
            f"{names.module}.{names.layer}, found {found}"
        )
    layer = layer_class.__new__(layer_class)
    layer._handle = handle
    layer.layer_param = param
    layer.param_str = names.param_str
    layer.phase = param.phase
    layer.__init__(param)  # type: ignore[misc]
    return layer


def add_note(error: BaseException, note: str) -> None:
    """BaseException.add_note, also before Python 3.11, which does not show notes."""
    error.__notes__ = [*getattr(error, "__notes__", ()), note]  # type: ignore[attr-defined, unused-ignore]
