"""The part of a detector that reads its source layers: predictions, priors, loss, detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import caffe
from caffe import layers as L
from caffe import params as P
from ssd_centerloss.models.config import CenterLoss, Databases, Level, Results

# Weights, and biases at twice the rate without decay.
WEIGHT_AND_BIAS = ({"lr_mult": 1, "decay_mult": 1}, {"lr_mult": 2, "decay_mult": 0})
VARIANCE = (0.1, 0.1, 0.2, 0.2)


def add_heads(
    net: caffe.NetSpec, levels: Sequence[Level], num_classes: int, center_features: int = 0
) -> None:
    """Adds mbox_loc, mbox_conf, mbox_priorbox and, with features, mbox_center_conf.

    Every level's source gets a 3×3 convolution of each kind, SOURCE_mbox_loc,
    SOURCE_mbox_conf and SOURCE_center_mbox_conf, whose width is the level's
    priors per cell times 4, the classes and the center features; then _perm
    and _flat bring it into the order of the priors.
    """
    kinds = {"mbox_loc": ("mbox_loc", 4), "mbox_conf": ("mbox_conf", num_classes)}
    if center_features:
        kinds["mbox_center_conf"] = ("center_mbox_conf", center_features)
    for level in levels:
        source = _source(net, level)
        for suffix, width in kinds.values():
            _add_head(net, f"{level.source}_{suffix}", source, level.priors_per_cell * width)
        net[f"{level.source}_mbox_priorbox"] = _prior_box(source, net.data, level)
    for top, (suffix, _) in kinds.items():
        parts = [net[f"{level.source}_{suffix}_flat"] for level in levels]
        net[top] = L.Concat(*parts, axis=1)
    boxes = [net[f"{level.source}_mbox_priorbox"] for level in levels]
    net.mbox_priorbox = L.Concat(*boxes, axis=2)


def _source(net: caffe.NetSpec, level: Level) -> Any:
    if level.normalize is not None:
        net[level.source] = L.Normalize(
            net[level.layer],
            norm_param={
                "across_spatial": False,
                "scale_filler": {"type": "constant", "value": level.normalize},
                "channel_shared": False,
            },
        )
    return net[level.source]


def _add_head(net: caffe.NetSpec, name: str, source: Any, width: int) -> None:
    net[name] = L.Convolution(
        source,
        param=WEIGHT_AND_BIAS,
        num_output=width,
        kernel_size=3,
        pad=1,
        weight_filler={"type": "xavier"},
    )
    net[f"{name}_perm"] = L.Permute(net[name], order=[0, 2, 3, 1])
    net[f"{name}_flat"] = L.Flatten(net[f"{name}_perm"], axis=1)


def _prior_box(source: Any, data: Any, level: Level) -> Any:
    step = {} if level.step is None else {"step": level.step}
    return L.PriorBox(
        source,
        data,
        min_size=level.min_sizes,
        max_size=level.max_sizes,
        aspect_ratio=level.aspect_ratios,
        flip=True,
        clip=False,
        variance=VARIANCE,
        **step,
    )


def add_loss(
    net: caffe.NetSpec, num_classes: int, center_loss: CenterLoss | None, terms: bool
) -> None:
    """Adds mbox_loss and, with `terms`, mbox_conf_loss, mbox_loc_loss (and mbox_center_loss).

    MultiBoxLoss, or MultiBoxCenterLoss where there is a center loss: matches
    from an overlap of 0.5 on, three mined negatives for each.
    """
    bottoms = [net.mbox_loc, net.mbox_conf, net.mbox_priorbox, net.label]
    names = ["mbox_loss", "mbox_conf_loss", "mbox_loc_loss"]
    layer: dict[str, Any] = {"propagate_down": [True, True, False, False]}
    if center_loss is not None:
        bottoms.append(net.mbox_center_conf)
        names.append("mbox_center_loss")
        layer["propagate_down"].append(True)
        layer["multibox_center_loss_param"] = _center_loss_param(center_loss)
    if terms:
        layer["loss_weight"] = [1] + [0] * (len(names) - 1)
    else:
        del names[1:]
    make = L.MultiBoxLoss if center_loss is None else L.MultiBoxCenterLoss
    tops = make(
        *bottoms,
        ntop=len(names),
        include={"phase": caffe.TRAIN},
        loss_param={"normalization": P.Loss.VALID},
        multibox_loss_param=_multibox_loss_param(num_classes),
        **layer,
    )
    for name, top in zip(names, tops if terms else [tops], strict=True):
        net[name] = top


def _multibox_loss_param(num_classes: int) -> dict[str, Any]:
    return {
        "loc_loss_type": P.MultiBoxLoss.SMOOTH_L1,
        "conf_loss_type": P.MultiBoxLoss.SOFTMAX,
        "loc_weight": 1,
        "num_classes": num_classes,
        "share_location": True,
        "match_type": P.MultiBoxLoss.PER_PREDICTION,
        "overlap_threshold": 0.5,
        "use_prior_for_matching": True,
        "background_label_id": 0,
        "use_difficult_gt": True,
        "mining_type": P.MultiBoxLoss.MAX_NEGATIVE,
        "neg_pos_ratio": 3,
        "neg_overlap": 0.5,
        "code_type": P.PriorBox.CENTER_SIZE,
        "ignore_cross_boundary_bbox": False,
    }


def _center_loss_param(center_loss: CenterLoss) -> dict[str, Any]:
    param: dict[str, Any] = {
        "center_features": center_loss.features,
        "weight": center_loss.weight,
        "center_filler": {"type": "xavier"},
    }
    if center_loss.lr is not None:
        param["center_lr"] = center_loss.lr
    return param


def add_detections(
    net: caffe.NetSpec, num_classes: int, databases: Databases, results: Results | None
) -> None:
    """Adds detection_out: scores by softmax, then decoding and suppression.

    1 × 1 × N × 7: image, label, score, xmin, ymin, xmax, ymax as parts of the image.
    """
    net.mbox_conf_reshape = L.Reshape(net.mbox_conf, shape={"dim": [0, -1, num_classes]})
    net.mbox_conf_softmax = L.Softmax(net.mbox_conf_reshape, axis=2)
    net.mbox_conf_flatten = L.Flatten(net.mbox_conf_softmax, axis=1)
    param: dict[str, Any] = {
        "num_classes": num_classes,
        "share_location": True,
        "background_label_id": 0,
        "nms_param": {"nms_threshold": 0.45, "top_k": 400},
        "code_type": P.PriorBox.CENTER_SIZE,
        "keep_top_k": 200,
        "confidence_threshold": 0.01,
    }
    if results is not None:
        param["save_output_param"] = {
            "output_directory": results.directory,
            "output_name_prefix": results.prefix,
            "output_format": "VOC",
            "label_map_file": databases.label_map,
            "name_size_file": databases.name_size,
            "num_test_image": databases.test_images,
        }
    net.detection_out = L.DetectionOutput(
        net.mbox_loc,
        net.mbox_conf_flatten,
        net.mbox_priorbox,
        include={"phase": caffe.TEST},
        detection_output_param=param,
    )


def add_evaluation(net: caffe.NetSpec, num_classes: int, databases: Databases) -> None:
    """Adds detection_eval, of which the solver makes mAP at an overlap of 0.5."""
    net.detection_eval = L.DetectionEvaluate(
        net.detection_out,
        net.label,
        include={"phase": caffe.TEST},
        num_classes=num_classes,
        background_label_id=0,
        overlap_threshold=0.5,
        evaluate_difficult_gt=False,
        name_size_file=databases.name_size,
    )
