"""`caffe.Net`."""

from __future__ import annotations

import difflib
import itertools
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from caffe import _caffe

if TYPE_CHECKING:
    from caffe._caffe import Blob, LayerBlobs, WeightsReport, _Layer, _Net
    from caffe.python_layer import Layer

Array = NDArray[Any]


def kind_of(dtype: Any, kinds: tuple[Any, Any]) -> Any:
    """The first of `kinds` for float32, the second for float64."""
    kind = {np.dtype(np.float32): kinds[0], np.dtype(np.float64): kinds[1]}.get(np.dtype(dtype))
    if kind is None:
        raise TypeError(f"dtype must be float32 or float64, got {np.dtype(dtype)}")
    return kind


class Net:
    """A net, its blobs NumPy views of its own memory.

    ::

        Net("deploy.prototxt", caffe.TEST)
        Net("deploy.prototxt", "trained.caffemodel", caffe.TEST)
        Net("deploy.prototxt", caffe.TEST, weights="trained.caffemodel", level=0, stages=["x"])
        Net(net_parameter, caffe.TRAIN, dtype=numpy.float64)

    Attributes:
        blobs: blob name → Blob, in the order in which the layers make them.
        params: layer name → its parameter blobs, for the layers that have some.
        inputs, outputs: names of the blobs that no layer computes, and that none consumes.
        layers: all layers; a layer of type Python is the instance of its class.
        layer_dict: layer name → layer.
        top_names, bottom_names: layer name → names of its blobs.
        blob_loss_weights: blob name → its weight in the loss.
        weights_report: what became of the weights that the net was made with, or None.

    A view is good until its blob is reshaped to more elements, and never
    dangles. Calls that run layers let other Python threads go on.
    """

    _net: _Net
    weights_report: WeightsReport | None = None

    def __init__(
        self,
        network_file: Any,
        *forms: Any,
        phase: int | None = None,
        weights: str | os.PathLike[str] | None = None,
        level: int | None = None,
        stages: Sequence[str] | None = None,
        dtype: Any = np.float32,
    ) -> None:
        """Makes the net of a prototxt file, or of a NetParameter.

        Args:
            network_file: a path, or a message.
            forms: `phase[, level[, stages[, weights]]]`, or the older `weights, phase`.
            weights: a .caffemodel or an HDF5 file, copied into layers of the same name.
            dtype: the element type, float32 or float64.

        Raises:
            caffe.Error: whatever is wrong with the files, named with the layer or the line.
        """
        given = _positional_arguments(forms)
        for name, value in (
            ("phase", phase),
            ("weights", weights),
            ("level", level),
            ("stages", stages),
        ):
            if value is not None and given.setdefault(name, value) is not value:
                raise TypeError(f"Net: {name} is given twice")
        if "phase" not in given:
            raise TypeError("Net: which phase? Give caffe.TRAIN or caffe.TEST")
        kind = kind_of(dtype, (_caffe.NetFloat, _caffe.NetDouble))
        weights_given = given.get("weights")
        weights_file = ""
        if isinstance(weights_given, (str, os.PathLike)):
            weights_file = os.fspath(weights_given)
        self._attach(_make_net(kind, network_file, given, weights_file))
        self.weights_report = self._net.weights_report
        if weights_given is not None and not weights_file:
            self.weights_report = self.copy_from(weights_given)

    @classmethod
    def _wrap(cls, net: _Net) -> Net:
        """A Net around one that a solver has made."""
        wrapped = cls.__new__(cls)
        wrapped._attach(net)
        return wrapped

    def _attach(self, net: _Net) -> None:
        self._net = net
        self._layer_names: list[str] = list(net.layer_names)
        self._blob_names: list[str] = list(net.blob_names)
        self.blobs: OrderedDict[str, Blob] = OrderedDict(
            zip(self._blob_names, net.blobs(), strict=True)
        )
        self.layers: list[_Layer | Layer] = net.layers()
        self.layer_dict: OrderedDict[str, _Layer | Layer] = OrderedDict(
            zip(self._layer_names, self.layers, strict=True)
        )
        self.params: OrderedDict[str, LayerBlobs] = OrderedDict(
            (name, layer.blobs) for name, layer in self.layer_dict.items() if len(layer.blobs)
        )
        self.inputs: list[str] = [self._blob_names[i] for i in net.input_ids]
        self.outputs: list[str] = [self._blob_names[i] for i in net.output_ids]
        self.top_names = self._names_by_layer(net.top_ids)
        self.bottom_names = self._names_by_layer(net.bottom_ids)
        self._callbacks: dict[str, list[Callable[[int], None]]] = {}

    def _names_by_layer(self, ids: Callable[[int], list[int]]) -> OrderedDict[str, list[str]]:
        return OrderedDict(
            (name, [self._blob_names[blob] for blob in ids(layer)])
            for layer, name in enumerate(self._layer_names)
        )

    @property
    def name(self) -> str:
        return self._net.name

    @property
    def phase(self) -> int:
        return self._net.phase

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64 if isinstance(self._net, _caffe.NetDouble) else np.float32)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        return OrderedDict(zip(self._blob_names, self._net.loss_weights, strict=True))

    def __repr__(self) -> str:
        return f"<caffe.Net {self.name!r}: {len(self.layers)} layers, {self.dtype}>"

    # -- running -----------------------------------------------------------

    def forward(
        self,
        blobs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: Any,
    ) -> dict[str, Array]:
        """Runs the layers from `start` to `end`, both included; all by default.

        Args:
            blobs: names of further blobs to return.
            inputs: values for every input blob, by name, or nothing: then what
                the input blobs hold is used.

        Returns:
            Blob name → data (a view) of the outputs, or of the tops of `end`.
        """
        first = 0 if start is None else self._layer_index(start)
        last = len(self.layers) - 1 if end is None else self._layer_index(end)
        results = [*(self.outputs if end is None else self.top_names[end]), *(blobs or [])]
        self._check_blobs(results)
        if inputs:
            self._fill("inputs", self.inputs, inputs, "data")
        self._net.forward(first, last)
        return {name: self.blobs[name].data for name in results}

    def backward(
        self,
        diffs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **output_diffs: Any,
    ) -> dict[str, Array]:
        """Runs backward from layer `start` down to `end`, both included; all by default.

        Args:
            diffs: names of further blobs whose diff to return.
            output_diffs: diffs for every output blob, by name, or nothing.

        Returns:
            Blob name → diff (a view) of the inputs, or of the bottoms of `end`.
        """
        first = len(self.layers) - 1 if start is None else self._layer_index(start)
        last = 0 if end is None else self._layer_index(end)
        results = [*(self.inputs if end is None else self.bottom_names[end]), *(diffs or [])]
        self._check_blobs(results)
        if output_diffs:
            self._fill("outputs", self.outputs, output_diffs, "diff")
        self._net.backward(first, last)
        return {name: self.blobs[name].diff for name in results}

    def forward_all(self, blobs: Sequence[str] | None = None, **inputs: Array) -> dict[str, Array]:
        """Runs any number of items through the net, a batch at a time.

        The last batch is filled with zeros; what these give is cut off. An
        output that has no batch axis (a loss) gives one value a batch.
        """
        total = _common_length(inputs)
        results: dict[str, list[Array]] = {}
        for batch in self._batches(inputs):
            for name, values in self.forward(blobs, None, None, **batch).items():
                results.setdefault(name, []).append(values.copy())
        return {name: _join(batches, total) for name, batches in results.items()}

    def forward_backward_all(
        self,
        blobs: Sequence[str] | None = None,
        diffs: Sequence[str] | None = None,
        **arrays: Any,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """As forward_all, with the backward of each batch.

        `arrays` holds the inputs and, if wanted, the diffs of the outputs.

        Returns:
            What forward gave and what backward gave, each by blob name.
        """
        inputs = {name: value for name, value in arrays.items() if name in self.inputs}
        output_diffs = {name: value for name, value in arrays.items() if name not in inputs}
        forward: dict[str, list[Array]] = {}
        backward: dict[str, list[Array]] = {}
        batches = itertools.zip_longest(
            self._batches(inputs), self._batches(output_diffs), fillvalue=dict[str, Array]()
        )
        for batch, batch_diffs in batches:
            for name, values in self.forward(blobs, None, None, **batch).items():
                forward.setdefault(name, []).append(values.copy())
            for name, values in self.backward(diffs, None, None, **batch_diffs).items():
                backward.setdefault(name, []).append(values.copy())
        total = _common_length(inputs)
        return (
            {name: _join(parts, total) for name, parts in forward.items()},
            {name: _join(parts, total) for name, parts in backward.items()},
        )

    def reshape(self) -> None:
        """Reshapes all layers after the input blobs were reshaped."""
        self._net.reshape()

    def clear_param_diffs(self) -> None:
        """Zeroes the gradients of the parameters; backward adds to them."""
        self._net.clear_param_diffs()

    def update(self) -> None:
        """data -= diff, for every parameter."""
        self._net.update()

    @property
    def release_memory(self) -> bool:
        """Whether blobs give their memory back: see set_release_memory."""
        return self._net.release_memory

    def set_release_memory(self, on: bool = True, keep: Sequence[str] = ()) -> None:
        """Lets blobs give their memory back, for others, once no layer needs their values.

        In a TRAIN net activations and gradients go as backward comes past them,
        in a TEST net activations after the last layer that reads them, so that
        backward is not possible. Off by default: reading such a blob raises
        caffe.Error. Inputs, outputs, losses, and blobs of which you hold an
        array keep their values.

        Args:
            on: False: from the next run on all values are kept.
            keep: names of further blobs whose values to keep.
        """
        self._check_blobs(keep)
        self._net.set_release_memory(on, list(keep))

    def set_input_arrays(self, data: Array, labels: Array, index: int | None = None) -> None:
        """Lets a MemoryData layer read from these arrays, which are not copied.

        Args:
            data: N × channels × height × width, N a multiple of the layer's batch size.
            labels: N × 1 × 1 × 1, or N.
            index: the layer's index; the first MemoryData layer by default.

        Raises:
            TypeError: an array is not of the net's dtype, C-contiguous and writable.
            ValueError: a shape is wrong.
        """
        if index is None:
            types = [layer.type for layer in self.layers]
            if "MemoryData" not in types:
                raise ValueError("set_input_arrays: the net has no MemoryData layer")
            index = types.index("MemoryData")
        for array, kind in ((data, "data"), (labels, "labels")):
            _check_input_array(array, kind, self.dtype)
        shape = self.blobs[self.top_names[self._layer_names[index]][0]].shape
        if data.ndim != 4 or data.shape[1:] != shape[1:]:
            raise ValueError(f"the data must be N × {shape[1:]}, got {data.shape}")
        if labels.size != len(data) or labels.shape[:1] != data.shape[:1]:
            raise ValueError(f"expected {len(data)} labels, got an array of {labels.shape}")
        self._net.set_input_arrays(index, data, labels)

    # -- weights -----------------------------------------------------------

    def copy_from(self, weights: Any, skip_mismatched: bool = False) -> WeightsReport:
        """Copies parameters into layers of the same name.

        Args:
            weights: a .caffemodel or an HDF5 file, or a NetParameter.
            skip_mismatched: leave a layer whose shapes differ as it is, rather
                than raise caffe.Error.

        Returns:
            Which layers were loaded, skipped, missing and mismatched.
        """
        if isinstance(weights, (str, os.PathLike)):
            return self._net.copy_from(os.fspath(weights), skip_mismatched)
        return self._net.copy_from_message(weights.SerializeToString(), skip_mismatched)

    def load_hdf5(self, weights: str | os.PathLike[str]) -> None:
        self._net.load_hdf5(os.fspath(weights))

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Writes the net with its parameters as a .caffemodel."""
        self._net.save(os.fspath(filename))

    def save_hdf5(self, filename: str | os.PathLike[str]) -> None:
        self._net.save_hdf5(os.fspath(filename))

    def share_with(self, other: Net) -> None:
        """Layers of the same name use `other`'s parameters from now on."""
        self._net.share_with(other._net)

    # -- callbacks ---------------------------------------------------------

    def before_forward(self, function: Callable[[int], None]) -> None:
        """Calls `function(layer_index)` before each layer's forward."""
        self._add_callback("before_forward", function)

    def after_forward(self, function: Callable[[int], None]) -> None:
        self._add_callback("after_forward", function)

    def before_backward(self, function: Callable[[int], None]) -> None:
        self._add_callback("before_backward", function)

    def after_backward(self, function: Callable[[int], None]) -> None:
        self._add_callback("after_backward", function)

    def _add_callback(self, kind: str, function: Callable[[int], None]) -> None:
        if kind not in self._callbacks:
            self._net.add_callback(self, kind)
        self._callbacks.setdefault(kind, []).append(function)

    def _run_callbacks(self, kind: str, layer: int) -> None:
        for function in self._callbacks[kind]:
            function(layer)

    # -- names that older scripts use ----------------------------------------

    @property
    def _inputs(self) -> list[int]:
        return self._net.input_ids

    @property
    def _outputs(self) -> list[int]:
        return self._net.output_ids

    @property
    def _blobs(self) -> list[Blob]:
        return self._net.blobs()

    @property
    def _blob_loss_weights(self) -> list[float]:
        return self._net.loss_weights

    def _top_ids(self, layer: int) -> list[int]:
        return self._net.top_ids(layer)

    def _bottom_ids(self, layer: int) -> list[int]:
        return self._net.bottom_ids(layer)

    def _forward(self, start: int, end: int) -> float:
        return self._net.forward(start, end)

    def _backward(self, start: int, end: int) -> None:
        self._net.backward(start, end)

    # -- helpers -------------------------------------------------------------

    def _layer_index(self, name: str) -> int:
        if name not in self.layer_dict:
            raise ValueError(f"no layer {name!r} in the net{_nearest(name, self._layer_names)}")
        return self._layer_names.index(name)

    def _check_blobs(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.blobs:
                raise ValueError(f"no blob {name!r} in the net{_nearest(name, self._blob_names)}")

    def _fill(self, what: str, expected: list[str], given: Mapping[str, Array], side: str) -> None:
        if set(given) != set(expected):
            raise ValueError(f"the net's {what} are {expected}, got {sorted(given)}")
        for name, value in given.items():
            blob = self.blobs[name]
            shape = np.shape(value)
            if len(blob.shape) and (len(shape) == 0 or shape[0] != blob.shape[0]):
                raise ValueError(
                    f"{name} holds a batch of {blob.shape[0]} (shape {blob.shape}), "
                    f"got an array of shape {shape}"
                )
            getattr(blob, side)[...] = value

    def _batches(self, arrays: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
        if not arrays:
            return
        total = _common_length(arrays)
        size = self.blobs[next(iter(arrays))].shape[0]
        for first in range(0, total, size):
            yield {
                name: _padded(values[first : first + size], size) for name, values in arrays.items()
            }


def _positional_arguments(forms: tuple[Any, ...]) -> dict[str, Any]:
    if forms and (isinstance(forms[0], (str, os.PathLike))):
        names: tuple[str, ...] = ("weights", "phase")
    else:
        names = ("phase", "level", "stages", "weights")
    if len(forms) > len(names):
        raise TypeError(f"Net: takes at most {', '.join(names)} after the file, got {forms}")
    return dict(zip(names, forms, strict=False))


def _check_input_array(array: Any, kind: str, dtype: np.dtype[Any]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"the {kind} must be an array of {dtype}, got {found}")
    if not (array.flags.c_contiguous and array.flags.writeable):
        raise TypeError(f"the array of {kind} must be C-contiguous and writable: it is not copied")


def _make_net(kind: Any, network: Any, given: Mapping[str, Any], weights: str) -> Any:
    phase, level = int(given["phase"]), int(given.get("level", 0))
    stages = [str(stage) for stage in given.get("stages") or ()]
    if isinstance(network, (str, os.PathLike)):
        return kind.from_file(os.fspath(network), phase, level, stages, weights)
    message = type(network)()
    message.CopyFrom(network)
    message.state.phase = phase
    message.state.level = level
    message.state.stage.extend(stages)
    return kind.from_message(message.SerializeToString(), weights)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _common_length(arrays: Mapping[str, Array]) -> int:
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"arrays of different lengths: {lengths}")
    return next(iter(lengths.values()), 0)


def _padded(values: Array, size: int) -> Array:
    values = np.asarray(values)
    if len(values) == size:
        return values
    padding = np.zeros((size - len(values), *values.shape[1:]), values.dtype)
    return np.concatenate([values, padding])


def _join(batches: Sequence[Array], total: int) -> Array:
    if batches[0].ndim == 0:
        return np.stack(batches)
    joined = np.concatenate(batches)
    return joined[:total] if len(joined) >= total else joined
