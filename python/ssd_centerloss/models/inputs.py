"""Where a detector's nets get their images from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import caffe
from caffe import layers as L
from caffe import params as P
from caffe.proto import caffe_pb2
from ssd_centerloss.models.config import Augmentation, Databases, Pixels

# A crop has an object of at least this overlap with it; None: any crop.
CROP_OVERLAPS = (0.1, 0.3, 0.5, 0.7, 0.9, None)


def add_training_data(
    net: caffe.NetSpec,
    reading: Mapping[str, Any],
    label_map: str,
    size: int,
    pixels: Pixels,
    augmentation: Augmentation,
) -> None:
    """Adds data and label: varied images of the training database.

    reading: source, batch_size and other fields of data_param.
    """
    transform = _transform(pixels, size, augmentation.interpolations)
    transform["mirror"] = augmentation.mirror
    transform["emit_constraint"] = {"emit_type": caffe_pb2.EmitConstraint.CENTER}
    if augmentation.distort:
        transform["distort_param"] = _distortion()
    if augmentation.max_expand > 1:
        transform["expand_param"] = {"prob": 0.5, "max_expand_ratio": augmentation.max_expand}
    net.data, net.label = L.AnnotatedData(
        ntop=2,
        include={"phase": caffe.TRAIN},
        transform_param=transform,
        data_param={"backend": P.Data.LMDB, **reading},
        batch_sampler=_crops(augmentation.min_crop),
        label_map_file=label_map,
    )


def add_test_data(
    net: caffe.NetSpec, databases: Databases, size: int, batch: int, pixels: Pixels
) -> None:
    """Adds data and label: the test database as it is, in its order."""
    net.data, net.label = L.AnnotatedData(
        ntop=2,
        include={"phase": caffe.TEST},
        transform_param=_transform(pixels, size, ("LINEAR",)),
        data_param={"backend": P.Data.LMDB, "source": databases.test, "batch_size": batch},
        batch_sampler=[{}],
        label_map_file=databases.label_map,
    )


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
