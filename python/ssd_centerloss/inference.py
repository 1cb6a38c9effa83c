"""Running a trained detector on images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections
from ssd_centerloss.errors import UserError

if TYPE_CHECKING:
    from ssd_centerloss.data.label_map import LabelMap

__all__ = ["Detections", "Detector", "preprocess", "read_image"]

Image = NDArray[np.uint8]
"""Height × width × 3, channels BGR."""


def read_image(path: Path) -> Image:
    """The pixels of an image file. Raises UserError if there is none, or it cannot be decoded."""
    from ssd_centerloss.data.image_file import decode

    if not path.is_file():
        raise UserError(f"{path}: no such image")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    image = decode(data, upright=True)
    if image is None:
        raise UserError(f"{path}: {len(data)} bytes that are not an image that can be decoded")
    return image


def preprocess(
    image: Image, width: int, height: int, mean: Sequence[float], scale: float
) -> NDArray[np.float32]:
    """3 × height × width: (the image stretched to that size − mean) · scale.

    As the data layer does with resize_mode WARP and bilinear interpolation.
    """
    import cv2

    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    values = np.empty((3, height, width), np.float32)
    np.subtract(
        resized.transpose(2, 0, 1), np.asarray(mean, np.float32).reshape(-1, 1, 1), out=values
    )
    values *= np.float32(scale)
    return values


class Detector:
    """A deploy net with its weights.

    ::

        detector = Detector.from_run(Path("runs/cells"))
        for found in detector.detect([image, another]):
            print(found.labels, found.scores, found.boxes)

    Attributes:
        label_map: names of the labels.
        weights: the file of the weights.
        width, height: of the net's input.
    """

    def __init__(
        self,
        deploy: Path,
        weights: Path,
        label_map: LabelMap,
        mean: Sequence[float],
        scale: float,
    ) -> None:
        """Loads a net.

        Args:
            deploy: its prototxt; one Input 1 × 3 × height × width, one DetectionOutput.
            weights: a .caffemodel, or an HDF5 file.
            label_map: of as many classes as the net's DetectionOutput has.
            mean: of the blue, green and red pixels.
            scale: of the pixels, after the mean.

        Raises:
            UserError: a file is missing, the weights lack a layer, or the classes do not fit.
            caffe.Error: a file is not what it should be.
        """
        message = read_net(deploy)
        output = _prepare_output(message, deploy)
        classes = output.detection_output_param.num_classes
        if classes != label_map.num_classes:
            raise UserError(
                f"{deploy}: {output.name} has num_classes {classes}, but the label map has "
                f"{label_map.num_classes} with the background "
                f"({', '.join(label_map.classes)}); they must be the same"
            )
        self.label_map, self.weights = label_map, weights
        self._mean, self._scale = tuple(mean), scale
        self._net = load_net(message, weights, deploy)
        self._predictions, self._top = list(output.bottom[:2]), output.top[0]
        self._net.set_release_memory(keep=self._predictions)
        self._input = _input_blob(self._net, deploy)
        self.height, self.width = self._net.blobs[self._input].shape[2:]

    @classmethod
    def from_run(cls, run: Path, weights: Path | None = None) -> Detector:
        """The detector of a run folder; by default with the newest snapshot.

        Raises:
            UserError: as the constructor, and for what is no run folder or has no snapshot.
        """
        from ssd_centerloss.data.label_map import LabelMap
        from ssd_centerloss.runs import Run

        files = Run(run)
        config = files.config()
        return cls(
            files.deploy,
            files.newest_weights() if weights is None else weights,
            LabelMap.read(files.label_map),
            config.mean_values,
            config.scale,
        )

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """What is found in images of any sizes, as one batch; in falling order of scores.

        Boxes are clipped to the image. Few scores are above 0.5: see Detections.above.

        Raises:
            UserError: the predictions are not finite (weights of a training that diverged).
        """
        if not images:
            return []
        blob = self._net.blobs[self._input]
        blob.reshape(len(images), 3, self.height, self.width)
        for i, image in enumerate(images):
            blob.data[i] = preprocess(image, self.width, self.height, self._mean, self._scale)
        self._net.reshape()
        self._net.forward()
        self._check_finite()
        rows = self._net.blobs[self._top].data.reshape(-1, 7)
        rows = rows[rows[:, 1] >= 0]  # a batch without detections has rows of −1
        return [
            _in_pixels(rows[rows[:, 0] == i], image.shape[1], image.shape[0])
            for i, image in enumerate(images)
        ]

    def _check_finite(self) -> None:
        for name in self._predictions:
            values = self._net.blobs[name].data
            if not np.isfinite(values).all():
                count = values.size - int(np.isfinite(values).sum())
                raise UserError(
                    f"{self.weights}: {count} of {values.size} values of {name} are NaN or "
                    "infinite: the training has diverged; take an earlier snapshot"
                )


def read_net(path: Path) -> Any:
    """The NetParameter of a prototxt. Raises UserError where it is missing or is none."""
    from google.protobuf import text_format

    from caffe.proto import caffe_pb2

    if not path.is_file():
        raise UserError(f"{path}: no such net")
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), caffe_pb2.NetParameter())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a net: {error}") from None


def load_net(message: Any, weights: Path, path: Path) -> Any:
    """A net for tests with its weights; `path` is where the message comes from.

    Raises:
        UserError: the weights are missing, or lack a layer of the net.
        caffe.Error: the net cannot be made, or the weights are of other shapes or damaged.
    """
    import caffe

    if not weights.is_file():
        raise UserError(f"{weights}: no such weights")
    net = caffe.Net(message, caffe.TEST, weights=weights)
    missing = net.weights_report.missing if net.weights_report else []
    if missing:
        raise UserError(
            f"{weights}: no weights for {len(missing)} layers of {path}: "
            f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
        )
    return net


def _prepare_output(message: Any, path: Path) -> Any:
    """The DetectionOutput layer, which from now on writes no files and draws nothing."""
    layers = [layer for layer in message.layer if layer.type == "DetectionOutput"]
    if len(layers) != 1:
        raise UserError(f"{path}: {len(layers)} layers DetectionOutput, expected one")
    layers[0].detection_output_param.ClearField("save_output_param")
    layers[0].detection_output_param.ClearField("visualize")
    return layers[0]


def _input_blob(net: Any, path: Path) -> str:
    shapes: dict[str, tuple[int, ...]] = {name: tuple(net.blobs[name].shape) for name in net.inputs}
    if len(shapes) != 1 or not all(len(s) == 4 and s[1] == 3 for s in shapes.values()):
        raise UserError(f"{path}: the inputs are {shapes}, expected one, N × 3 × height × width")
    return next(iter(shapes))


def _in_pixels(rows: NDArray[np.floating], width: int, height: int) -> Detections:
    rows = rows[np.argsort(-rows[:, 2], kind="stable")].astype(np.float64)
    size = np.array([width, height, width, height], np.float64)
    return Detections(
        labels=rows[:, 1].astype(np.int64),
        scores=rows[:, 2],
        boxes=np.clip(rows[:, 3:], 0, 1) * size,
    )
