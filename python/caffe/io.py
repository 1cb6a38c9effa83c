"""Images, Datums and BlobProtos as NumPy arrays, and the preprocessing of net inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe.proto import caffe_pb2

Array = NDArray[Any]

# -- messages ----------------------------------------------------------------


def blobproto_to_array(blob: Any, return_diff: bool = False) -> Array:
    """The data (or diff) of a BlobProto in its shape, legacy shapes included."""
    kinds = ("diff", "double_diff") if return_diff else ("data", "double_data")
    single, double = (getattr(blob, kind) for kind in kinds)
    values = np.array(single, np.float32) if len(single) else np.array(double, np.float64)
    legacy = ("num", "channels", "height", "width")
    if any(blob.HasField(name) for name in legacy):
        return values.reshape([getattr(blob, name) for name in legacy])
    return values.reshape(list(blob.shape.dim))


def array_to_blobproto(array: Array, diff: Array | None = None) -> Any:
    """A BlobProto of single precision with the array's shape."""
    blob = caffe_pb2.BlobProto()
    blob.shape.dim.extend(np.shape(array))
    blob.data.extend(np.asarray(array, np.float32).ravel())
    if diff is not None:
        if np.shape(diff) != np.shape(array):
            raise ValueError(f"diff has shape {np.shape(diff)}, data {np.shape(array)}")
        blob.diff.extend(np.asarray(diff, np.float32).ravel())
    return blob


def arraylist_to_blobprotovector_str(arrays: Sequence[Array]) -> bytes:
    """A serialized BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector()
    vector.blobs.extend(array_to_blobproto(array) for array in arrays)
    return bytes(vector.SerializeToString())


def blobprotovector_str_to_arraylist(serialized: bytes) -> list[Array]:
    vector = caffe_pb2.BlobProtoVector.FromString(serialized)
    return [blobproto_to_array(blob) for blob in vector.blobs]


def array_to_datum(array: Array, label: int | None = None) -> Any:
    """A Datum of a channels × height × width array: bytes for uint8, floats otherwise."""
    if array.ndim != 3:
        raise ValueError(f"a Datum is channels × height × width; got shape {array.shape}")
    datum = caffe_pb2.Datum()
    datum.channels, datum.height, datum.width = array.shape
    if array.dtype == np.uint8:
        datum.data = array.tobytes()
    else:
        datum.float_data.extend(np.asarray(array, np.float32).ravel())
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum: Any) -> Array:
    """Channels × height × width: uint8 for bytes (an encoded image is decoded, to BGR or grey)."""
    if datum.encoded:
        return _decode(datum.data)
    shape = (datum.channels, datum.height, datum.width)
    if len(datum.data):
        return np.frombuffer(datum.data, np.uint8).reshape(shape)
    return np.array(datum.float_data, np.float32).reshape(shape)


def _decode(encoded: bytes) -> Array:
    import cv2

    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"the Datum's {len(encoded)} bytes are no image that OpenCV can decode")
    pixels: Array = np.atleast_3d(image).transpose(2, 0, 1)
    return pixels


# -- images ------------------------------------------------------------------


def load_image(filename: str | os.PathLike[str], color: bool = True) -> Array:
    """An image as float32 in [0, 1], height × width × 3 in RGB; × 1 if `color` is false.

    A grey image is repeated in three channels; transparency is dropped.
    Orientation tags are not obeyed: pixels come as they are stored.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: OpenCV cannot decode it.
    """
    import cv2

    encoded = np.frombuffer(Path(filename).read_bytes(), np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if len(encoded) else None
    if image is None:
        raise ValueError(f"{os.fspath(filename)}: no image that OpenCV can decode")
    # Integers span their type's range; floating-point formats hold [0, 1] already.
    full = 65535 if image.dtype == np.uint16 else 255 if image.dtype == np.uint8 else 1
    image = np.atleast_3d(image).astype(np.float32) / np.float32(full)
    if image.shape[2] == 4:
        image = image[:, :, :3]
    if not color and image.shape[2] > 1:
        image = np.atleast_3d(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    elif color:
        # BGR to RGB; a grey image has one channel to repeat.
        image = image[:, :, ::-1] if image.shape[2] == 3 else np.repeat(image, 3, axis=2)
    pixels: Array = np.ascontiguousarray(image)
    return pixels


def resize_image(im: Array, new_dims: Sequence[int] | Array, interp_order: int = 1) -> Array:
    """A height × width × channels image resized to `new_dims` = (height, width), as float32.

    `interp_order` is 0 (nearest), 1 (bilinear) or 3 (bicubic). Pixel centers
    are at half-integer places, edges are repeated, and nothing is smoothed
    before shrinking.
    """
    import cv2

    methods = {0: cv2.INTER_NEAREST, 1: cv2.INTER_LINEAR, 3: cv2.INTER_CUBIC}
    if interp_order not in methods:
        raise ValueError(f"interp_order must be 0, 1 or 3, got {interp_order}")
    image = np.asarray(im, np.float32)
    height, width = (int(dim) for dim in new_dims)
    channels = [
        cv2.resize(
            np.ascontiguousarray(image[:, :, channel]),
            (width, height),
            interpolation=methods[interp_order],
        )
        for channel in range(image.shape[2])
    ]
    return np.stack(channels, axis=2)


def oversample(images: Sequence[Array], crop_dims: Sequence[int] | Array) -> Array:
    """Ten crops of each image: four corners and the center, and the same mirrored.

    Args:
        images: height × width × channels each, all of one size.
        crop_dims: (height, width) of the crops.

    Returns:
        10·N × height × width × channels, float32; the crops of an image are together.
    """
    size = np.array(np.shape(images[0])[:2])
    crop = np.array([int(dim) for dim in crop_dims])
    if np.any(crop > size):
        raise ValueError(f"crops of {tuple(crop)} do not fit in images of {tuple(size)}")
    last_y, last_x = size - crop
    # The center rounds down, as a crop of a centered float window does.
    center = (size - crop) // 2
    corners = [(0, 0), (0, last_x), (last_y, 0), (last_y, last_x), tuple(center)]
    crops = []
    for image in images:
        five = [image[y : y + crop[0], x : x + crop[1]] for y, x in corners]
        crops += five + [part[:, ::-1] for part in five]
    return np.asarray(crops, np.float32)


# -- preprocessing -------------------------------------------------------------


class Transformer:
    """Turns images into net inputs and back, in Caffe's order.

    `preprocess` resizes to the blob's size, transposes, swaps channels, scales
    the raw values, subtracts the mean and scales the result; `deprocess` undoes
    all but the resize. Each step is for one input and happens only if it is set.

    Args:
        inputs: blob name → its shape, batch × channels × height × width:
            `Transformer({"data": net.blobs["data"].data.shape})`.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, tuple[int, ...]] = {}
        self.channel_swap: dict[str, tuple[int, ...]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, Array] = {}
        self.input_scale: dict[str, float] = {}

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """The order of the axes: (2, 0, 1) makes height × width × channels channels-first."""
        self._check_input(in_)
        axes = len(self.inputs[in_]) - 1
        if len(order) != axes:
            raise ValueError(f"transpose needs {axes} axes for {in_}, got {tuple(order)}")
        self.transpose[in_] = tuple(order)

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """The order of the channels: (2, 1, 0) makes RGB BGR."""
        self._check_input(in_)
        channels = self.inputs[in_][1]
        if len(order) != channels:
            raise ValueError(f"{in_} has {channels} channels, got the order {tuple(order)}")
        self.channel_swap[in_] = tuple(order)

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """A factor before the mean is subtracted: 255 for a net that was trained on bytes."""
        self._check_input(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: Array) -> None:
        """A value a channel (length C), or an image (C × H × W or H × W), resized to the input."""
        self._check_input(in_)
        shape = self.inputs[in_][1:]
        mean = np.asarray(mean)
        if mean.ndim == 1:
            if len(mean) != shape[0]:
                raise ValueError(f"{in_} has {shape[0]} channels, the mean {len(mean)}")
            mean = mean[:, None, None]
        else:
            mean = mean[None] if mean.ndim == 2 else mean
            if mean.ndim != 3 or mean.shape[0] not in (1, shape[0]):
                raise ValueError(f"the mean of {in_} has shape {mean.shape}; the input {shape}")
            if mean.shape[1:] != shape[1:]:
                mean = resize_image(mean.transpose(1, 2, 0), shape[1:]).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_: str, scale: float) -> None:
        """A factor after the mean is subtracted."""
        self._check_input(in_)
        self.input_scale[in_] = scale

    def preprocess(self, in_: str, data: Array) -> Array:
        """A height × width × channels image as this input takes it, float32."""
        self._check_input(in_)
        values = np.asarray(data).astype(np.float32, copy=True)
        size = self.inputs[in_][2:]
        if values.shape[:2] != tuple(size):
            values = resize_image(values, size)
        if in_ in self.transpose:
            values = values.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            values = values[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            values = values * np.float32(self.raw_scale[in_])
        if in_ in self.mean:
            values = values - self.mean[in_].astype(np.float32)
        if in_ in self.input_scale:
            values = values * np.float32(self.input_scale[in_])
        return values

    def deprocess(self, in_: str, data: Array) -> Array:
        """The image that an input was made from, at the input's size."""
        self._check_input(in_)
        values = np.asarray(data).astype(np.float32, copy=True)
        values = values.reshape(values.shape[-(len(self.inputs[in_]) - 1) :])
        if in_ in self.input_scale:
            values = values / np.float32(self.input_scale[in_])
        if in_ in self.mean:
            values = values + self.mean[in_].astype(np.float32)
        if in_ in self.raw_scale:
            values = values / np.float32(self.raw_scale[in_])
        if in_ in self.channel_swap:
            values = values[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            values = values.transpose(np.argsort(self.transpose[in_]))
        return values

    def _check_input(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise ValueError(f"{in_!r} is none of the inputs: {', '.join(self.inputs)}")
