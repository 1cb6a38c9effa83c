"""Where a detector's nets get their images from."""

from __future__ import annotations

from typing import Any

import caffe
from caffe import layers as L
from caffe import params as P
from ssd_centerloss.models.config import Augmentation, Databases, Pixels

# A crop has an object of at least this overlap with it; None: any crop.
CROP_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9, None)


def add_training_data(
    net: caffe.NetSpec,
    databases: Databases,
    size: int,
    batch: int,
    pixels: Pixels,
    augmentation: Augmentation,
) -> None:
    """Adds data and label: varied images of the training database."""
    transform = _transform(pixels, size, augmentation.interpolations)
    transform["mirror"] = augmentation.mirror
    transform["emit_constraint"] = {"emit_type": caffe_enum("EmitConstraint", "CENTER")}
    if augmentation.distort:
        transform["distort_param"] = _distortion()
    if augmentation.max_expand > 1:
        transform["expand_param"] = {"prob": 0.5, "max_expand_ratio": augmentation.max_expand}
    net.data, net.label = L.AnnotatedData(
        ntop=2,
        include={"phase": caffe.TRAIN},
        transform_param=transform,
        data_param=_data(databases.train, batch),
        batch_sampler=_crops(augmentation.min_crop),
        label_map_file=databases.label_map,
    )


def add_test_data(
    net: caffe.NetSpec, databases: Databases, size: int, batch: int, pixels: Pixels
) -> None:
    """Adds data and label: the test database as it is, in its order."""
    net.data, net.label = L.AnnotatedData(
        ntop=2,
        include={"phase": caffe.TEST},
        transform_param=_transform(pixels, size, ("LINEAR",)),
        data_param=_data(databases.test, batch),
        batch_sampler=[{}],
        label_map_file=databases.label_map,
    )


def caffe_enum(message: str, name: str) -> int:
    """The value of an enum of a message that is no layer's."""
    from caffe.proto import caffe_pb2

    return int(getattr(getattr(caffe_pb2, message), name))


def _transform(pixels: Pixels, size: int, interpolations: tuple[str, ...]) -> dict[str, Any]:
    transform: dict[str, Any] = {
        "mean_value": pixels.mean,
        "resize_param": {
            "prob": 1,
            "resize_mode": P.Resize.WARP,
            "height": size,
            "width": size,
            "interp_mode": [getattr(P.Resize, name) for name in interpolations],
        },
    }
    if pixels.scale != 1:
        transform["scale"] = pixels.scale
    return transform


def _data(source: str, batch: int) -> dict[str, Any]:
    return {"source": source, "batch_size": batch, "backend": P.Data.LMDB}


def _distortion() -> dict[str, float]:
    return {
        "brightness_prob": 0.5,
        "brightness_delta": 32,
        "contrast_prob": 0.5,
        "contrast_lower": 0.5,
        "contrast_upper": 1.5,
        "hue_prob": 0.5,
        "hue_delta": 18,
        "saturation_prob": 0.5,
        "saturation_lower": 0.5,
        "saturation_upper": 1.5,
        "random_order_prob": 0,
    }


def _crops(min_scale: float) -> list[dict[str, Any]]:
    """The whole image, and crops around objects."""
    whole: dict[str, Any] = {"max_sample": 1, "max_trials": 1}
    if min_scale >= 1:
        return [whole]
    sampler = {
        "min_scale": min_scale,
        "max_scale": 1,
        "min_aspect_ratio": 0.5,
        "max_aspect_ratio": 2,
    }
    crops = [
        {
            "sampler": sampler,
            "sample_constraint": {"max_jaccard_overlap": 1}
            if overlap is None
            else {"min_jaccard_overlap": overlap},
            "max_sample": 1,
            "max_trials": 50,
        }
        for overlap in CROP_OVERLAPS
    ]
    return [whole, *crops]
