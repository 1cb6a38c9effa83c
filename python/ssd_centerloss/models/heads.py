"""The part of a detector that reads its source layers: predictions, priors, loss, detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import caffe
from caffe import layers as L
from caffe import params as P
from ssd_centerloss.models.config import CenterLoss, Databases, Level, Results

# Weights, and biases at twice the rate without decay.
WEIGHT_AND_BIAS = ({"lr_mult": 1, "decay_mult": 1}, {"lr_mult": 2, "decay_mult": 0})
VARIANCE = (0.1, 0.1, 0.2, 0.2)


@dataclass(frozen=True)
class Head:
    """What is predicted of a prior.

    Attributes:
        top: the predictions of all levels; None: they are read by another head alone.
        suffix: of the convolutions' names, behind the source's.
        width: numbers for each prior.
        reads: the suffix of the head whose numbers of the same prior are read, by a 1×1
            convolution; None: the source is, by a 3×3 convolution.
    """

    top: str | None
    suffix: str
    width: int
    reads: str | None = None


def heads(num_classes: int, center_loss: CenterLoss | None, training: bool) -> tuple[Head, ...]:
    """Boxes, class scores and, where they are needed, center features."""
    features = "center_mbox_conf"
    loc = Head("mbox_loc", "mbox_loc", 4)
    conf = Head("mbox_conf", "mbox_conf", num_classes)
    if center_loss is None:
        return (loc, conf)
    center = Head("mbox_center_conf" if training else None, features, center_loss.features)
    if center_loss.scores_from_features:
        return (loc, center, replace(conf, reads=features))
    return (loc, conf, center) if training else (loc, conf)


def add_heads(net: caffe.NetSpec, levels: Sequence[Level], heads: Sequence[Head]) -> None:
    """Adds the tops of the heads, mbox_loc for instance, and mbox_priorbox.

    Every level's source gets a convolution of each head, SOURCE_mbox_loc for
    instance, whose width is the level's priors per cell times the head's; then
    _perm and _flat bring it into the order of the priors.
    """
    for level in levels:
        source = _source(net, level)
        for head in heads:
            _add_head(net, level, source, head)
        net[f"{level.source}_mbox_priorbox"] = _prior_box(source, net.data, level)
    for head in heads:
        if head.top is not None:
            parts = [net[f"{level.source}_{head.suffix}_flat"] for level in levels]
            net[head.top] = L.Concat(*parts, axis=1)
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


def _add_head(net: caffe.NetSpec, level: Level, source: Any, head: Head) -> None:
    name = f"{level.source}_{head.suffix}"
    geometry = {"kernel_size": 3, "pad": 1}
    if head.reads is not None:
        source = net[f"{level.source}_{head.reads}"]
        geometry = {"kernel_size": 1, "group": level.priors_per_cell}
    net[name] = L.Convolution(
        source,
        param=WEIGHT_AND_BIAS,
        num_output=level.priors_per_cell * head.width,
        weight_filler={"type": "xavier"},
        **geometry,
    )
    if head.top is not None:
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
