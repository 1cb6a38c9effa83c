"""`caffe.Net`."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from caffe import _caffe


class Net:
    """A net, its blobs as NumPy views."""

    def __init__(
        self,
        network_file: Any,
        phase: int = 1,
        *,
        level: int = 0,
        stages: Sequence[str] = (),
        dtype: Any = np.float32,
    ) -> None:
        kind = _caffe.NetDouble if np.dtype(dtype) == np.float64 else _caffe.NetFloat
        if isinstance(network_file, (str, os.PathLike)):
            self._net = kind.from_file(os.fspath(network_file), phase, level, list(stages))
        else:
            message = type(network_file)()
            message.CopyFrom(network_file)
            message.state.phase = phase
            message.state.level = level
            message.state.stage.extend(stages)
            self._net = kind.from_message(message.SerializeToString())
        blobs = self._net.blobs()
        self.layers = self._net.layers()
        self.blobs = OrderedDict(zip(self._net.blob_names, blobs, strict=True))
        self._layer_names = self._net.layer_names
        self.params = OrderedDict(
            (name, layer.blobs)
            for name, layer in zip(self._layer_names, self.layers, strict=True)
            if len(layer.blobs)
        )

    def forward(self) -> dict[str, Any]:
        self._net.forward(0, len(self._layer_names) - 1)
        names = list(self.blobs)
        return {names[i]: self.blobs[names[i]].data for i in self._net.output_ids}

    def backward(self) -> dict[str, Any]:
        self._net.backward(len(self._layer_names) - 1, 0)
        names = list(self.blobs)
        return {names[i]: self.blobs[names[i]].diff for i in self._net.input_ids}

    def reshape(self) -> None:
        self._net.reshape()
