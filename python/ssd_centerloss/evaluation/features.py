"""How compact the classes are in a detector's features, and how far apart.

Measured on the priors that match a ground truth: on their center features
(mbox_center_conf, where the net was trained with MultiBoxCenterLoss) and on
their class scores before the softmax (mbox_conf), which every net has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.class_geometry import ClassGeometry, measure
from ssd_centerloss.detections import GroundTruth
from ssd_centerloss.errors import UserError
from ssd_centerloss.evaluation.matching import NONE, intersection_over_union, match_best
from ssd_centerloss.inference import Image, load_net, preprocess, read_net

LOSSES = ("MultiBoxLoss", "MultiBoxCenterLoss")
MATCH_OVERLAP = 0.5


@dataclass(frozen=True)
class FeatureDistances:
    """Distances of the classes of the matched priors.

    priors : how many priors matched
    center : in the center features; None for a net without them, or fewer than two classes
    scores : in the class scores; None for fewer than two classes
    """

    priors: int
    center: ClassGeometry | None
    scores: ClassGeometry | None


@dataclass(frozen=True)
class _Blobs:
    """Names of the loss's bottoms; center is None for MultiBoxLoss."""

    scores: str
    priors: str
    center: str | None


@dataclass(frozen=True)
class Matches:
    """Priors that match a ground truth.

    center : n × K features; None for a net without them
    scores : n × classes, before the softmax
    labels : n
    """

    center: NDArray[np.float32] | None
    scores: NDArray[np.float32]
    labels: NDArray[np.integer]


class FeatureNet:
    """The train net of a run as a function of images: its data from outside, without its loss."""

    def __init__(
        self, train: Path, weights: Path, size: int, mean: Sequence[float], scale: float
    ) -> None:
        """Loads the train net.

        Args:
            train: its prototxt; one AnnotatedData and one of LOSSES.
            weights, mean, scale: as of a Detector.
            size: of the input, in pixels.

        Raises:
            UserError: the net has not these layers, or the weights do not fit.
        """
        message, self._names = _without_data_and_loss(read_net(train), train, size)
        self._net = load_net(message, weights, train)
        self._input, self._size = self._net.inputs[0], size
        self._mean, self._scale = mean, scale

    @classmethod
    def from_run(cls, run: Path, weights: Path) -> FeatureNet:
        """Of a run folder. Raises UserError as the constructor."""
        from ssd_centerloss.runs import Run

        config = Run(run).config()
        return cls(run / "train.prototxt", weights, config.size, config.mean_values, config.scale)

    def matched(self, images: Sequence[Image], truths: Sequence[GroundTruth]) -> Matches:
        """The priors of a batch that match.

        A prior matches the ground truth of its image that it overlaps most,
        if by 0.5 or more; difficult boxes too, as they are trained on.
        """
        blob = self._net.blobs[self._input]
        blob.reshape(len(images), 3, self._size, self._size)
        for i, image in enumerate(images):
            blob.data[i] = preprocess(image, self._size, self._size, self._mean, self._scale)
        self._net.reshape()
        self._net.forward()
        priors = self._net.blobs[self._names.priors].data[0, 0].reshape(-1, 4)
        rows, labels = [], []
        for i, (image, truth) in enumerate(zip(images, truths, strict=True)):
            size = np.tile([image.shape[1], image.shape[0]], 2)
            match = match_best(intersection_over_union(priors, truth.boxes / size), MATCH_OVERLAP)
            found = np.flatnonzero(match != NONE)
            rows.append(i * len(priors) + found)
            labels.append(truth.labels[match[found]])
        chosen = np.concatenate(rows)
        center = self._names.center
        return Matches(
            None if center is None else self._rows(center, len(priors), chosen),
            self._rows(self._names.scores, len(priors), chosen),
            np.concatenate(labels),
        )

    def _rows(self, name: str, priors: int, chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        values = self._net.blobs[name].data
        chosen_rows: NDArray[np.float32] = values.reshape(len(values) * priors, -1)[chosen]
        return chosen_rows


def measure_matches(parts: Sequence[Matches]) -> FeatureDistances:
    """The distances over all batches."""
    labels = np.concatenate([np.zeros(0, np.int64), *(part.labels for part in parts)])
    centers = [part.center for part in parts if part.center is not None]
    return FeatureDistances(
        priors=len(labels),
        center=_geometry(centers, labels),
        scores=_geometry([part.scores for part in parts], labels),
    )


def _geometry(
    parts: Sequence[NDArray[np.float32]], labels: NDArray[np.integer]
) -> ClassGeometry | None:
    if not parts or len(np.unique(labels)) < 2:
        return None
    return measure(np.concatenate(parts), labels)


def _without_data_and_loss(message: Any, path: Path, size: int) -> tuple[Any, _Blobs]:
    data = [layer for layer in message.layer if layer.type == "AnnotatedData"]
    loss = [layer for layer in message.layer if layer.type in LOSSES]
    if len(data) != 1 or len(loss) != 1:
        raise UserError(
            f"{path}: {len(data)} layers AnnotatedData and {len(loss)} of "
            f"{' or '.join(LOSSES)}; expected one each"
        )
    image, label = data[0].top[0], data[0].top[1]
    result = type(message)(name=message.name)
    source = result.layer.add(name=image, type="Input", top=[image])
    source.input_param.shape.add(dim=[1, 3, size, size])
    dropped = {label, *loss[0].top}
    for layer in message.layer:
        if layer in (data[0], loss[0]) or dropped & set(layer.bottom):
            continue
        kept = result.layer.add()
        kept.CopyFrom(layer)
        kept.ClearField("include")
        kept.ClearField("exclude")
        if layer.type == "BatchNorm":
            kept.batch_norm_param.ClearField("use_global_stats")
    bottoms = loss[0].bottom
    return result, _Blobs(bottoms[1], bottoms[2], bottoms[4] if len(bottoms) > 4 else None)
