"""`caffe.Detector`: scores of given windows of images, as R-CNN does it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe import io
from caffe.classifier import input_transformer
from caffe.net import Net
from caffe.proto import caffe_pb2

Array = NDArray[Any]


class Detector(Net):
    """A classifying net run on windows (ymin, xmin, ymax, xmax) of images.

    Args:
        model_file: the deploy prototxt.
        pretrained_file: its weights.
        context_pad: pixels of surroundings on each side of a window, counted in
            the net's input; what lies outside the image is the mean.
        mean, input_scale, raw_scale, channel_swap: as in `io.Transformer`.
    """

    def __init__(
        self,
        model_file: str | os.PathLike[str],
        pretrained_file: str | os.PathLike[str],
        context_pad: int = 0,
        **preprocessing: Any,
    ) -> None:
        super().__init__(model_file, caffe_pb2.TEST, weights=pretrained_file)
        self.transformer = input_transformer(self, preprocessing)
        self.context_pad = int(context_pad or 0)

    def detect_windows(
        self, images_windows: Iterable[tuple[str, Sequence[Any]]]
    ) -> list[dict[str, Any]]:
        """Scores windows.

        Args:
            images_windows: (image file, windows) pairs.

        Returns:
            A dict of `window`, `prediction` (the scores) and `filename` for each window.
        """
        found: list[dict[str, Any]] = []
        inputs = []
        name = self.inputs[0]
        for filename, windows in images_windows:
            image = io.load_image(filename)
            for window in windows:
                inputs.append(self.transformer.preprocess(name, self.crop(image, window)))
                found.append({"window": window, "filename": filename})
        if not inputs:
            return []
        scores = self.forward_all(None, **{name: np.array(inputs)})[self.outputs[0]]
        for item, prediction in zip(found, scores.reshape(len(inputs), -1), strict=True):
            item["prediction"] = prediction
        return found

    def crop(self, im: Array, window: Sequence[Any]) -> Array:
        """The window of the image; with context, the net's input size with the mean around."""
        top, left, bottom, right = (float(value) for value in window)
        if not (top < bottom and left < right):
            raise ValueError(f"the window {tuple(window)} (ymin, xmin, ymax, xmax) is empty")
        if self.context_pad == 0:
            return im[int(top) : int(bottom), int(left) : int(right)]
        return self._crop_with_context(im, np.array([[top, left], [bottom, right]]))

    def _crop_with_context(self, im: Array, window: Array) -> Array:
        size = np.array(self.blobs[self.inputs[0]].shape[2:])
        if np.any(size <= 2 * self.context_pad):
            raise ValueError(f"context_pad {self.context_pad} leaves nothing of inputs of {size}")
        # The box grows so that the window itself gets size - 2 context_pad pixels.
        center = window.mean(axis=0)
        half = (window[1] - window[0]) / 2 * size / (size - 2 * self.context_pad)
        box = np.round([center - half, center + half]).astype(int)
        inside = np.clip(box, 0, im.shape[:2])
        scale = size / np.maximum(box[1] - box[0], 1)
        start = np.minimum(np.round((inside[0] - box[0]) * scale).astype(int), size - 1)
        extent = np.round((inside[1] - inside[0]) * scale).astype(int)
        extent = np.clip(extent, 1, size - start)
        part = im[inside[0, 0] : inside[1, 0], inside[0, 1] : inside[1, 1]]
        name = self.inputs[0]
        crop = self.transformer.deprocess(name, np.zeros(self.blobs[name].shape[1:], np.float32))
        if part.size:
            end = start + extent
            crop[start[0] : end[0], start[1] : end[1]] = io.resize_image(part, extent)
        return crop
