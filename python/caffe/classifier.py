"""`caffe.Classifier`: images in, class scores out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe import io
from caffe.net import Net
from caffe.proto import caffe_pb2

Array = NDArray[Any]


def input_transformer(net: Net, settings: Mapping[str, Any]) -> io.Transformer:
    """A Transformer of the net's first input for RGB images as `io.load_image` gives them."""
    name = net.inputs[0]
    transformer = io.Transformer({name: net.blobs[name].shape})
    transformer.set_transpose(name, (2, 0, 1))
    for setting in ("mean", "input_scale", "raw_scale", "channel_swap"):
        if settings.get(setting) is not None:
            getattr(transformer, f"set_{setting}")(name, settings[setting])
    return transformer


class Classifier(Net):
    """A net with one image input and a preprocessing for it.

    Args:
        model_file: the deploy prototxt.
        pretrained_file: its weights.
        image_dims: (height, width) to which images are resized before they are
            cropped to the input; the input's size by default.
        mean, input_scale, raw_scale, channel_swap: as in `io.Transformer`.
    """

    def __init__(
        self,
        model_file: str | os.PathLike[str],
        pretrained_file: str | os.PathLike[str],
        image_dims: Sequence[int] | None = None,
        **preprocessing: Any,
    ) -> None:
        super().__init__(model_file, caffe_pb2.TEST, weights=pretrained_file)
        self.transformer = input_transformer(self, preprocessing)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = np.array(self.crop_dims if image_dims is None else image_dims)

    def predict(self, inputs: Sequence[Array], oversample: bool = True) -> Array:
        """The scores of each image, N × classes.

        Args:
            inputs: height × width × channels images.
            oversample: average over ten crops rather than take the center's.
        """
        images = [io.resize_image(image, self.image_dims) for image in inputs]
        if oversample:
            crops = io.oversample(images, self.crop_dims)
        else:
            top, left = (self.image_dims - self.crop_dims) // 2
            height, width = self.crop_dims
            crops = np.array([image[top : top + height, left : left + width] for image in images])
        name = self.inputs[0]
        batch = np.array([self.transformer.preprocess(name, crop) for crop in crops])
        scores = self.forward_all(None, **{name: batch})[self.outputs[0]].reshape(len(batch), -1)
        mean: Array = scores.reshape(len(images), -1, scores.shape[1]).mean(axis=1)
        return mean
