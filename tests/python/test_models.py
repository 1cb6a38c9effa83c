"""Recipes: what the public generator scripts write, counts of priors, widths of heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2
from ssd_centerloss import models
from ssd_centerloss.errors import UserError

PUBLIC_NETS = Path(__file__).resolve().parents[3] / "shared" / "compat" / "nets"
VOC = models.Databases(
    train="examples/VOC0712/VOC0712_trainval_lmdb",
    test="examples/VOC0712/VOC0712_test_lmdb",
    label_map="data/VOC0712/labelmap_voc.prototxt",
    name_size="data/VOC0712/test_name_size.txt",
    test_images=4952,
)
PRIORS = {"ssd300_vgg16": 8732, "ssd512_vgg16": 24564, "small": 8 * (400 + 100 + 25)}


def config(**changes: Any) -> models.Config:
    folder = "models/VGGNet/VOC0712/SSD_300x300"
    name = "VGG_VOC0712_SSD_300x300"
    start = models.Config(
        num_classes=21, databases=VOC, files=folder, snapshots=f"{folder}/{name}", name=name
    )
    return replace(start, **changes)


def layers(net: Any, *types: str) -> dict[str, Any]:
    """Layer name → layer, of some types (of all where none is given)."""
    return {layer.name: layer for layer in net.layer if not types or layer.type in types}


def with_inputs(net: Any, size: int, images: int = 1) -> Any:
    """The net with its database replaced by inputs."""
    result = caffe_pb2.NetParameter()
    result.CopyFrom(net)
    assert result.layer[0].type == "AnnotatedData"
    data = caffe_pb2.LayerParameter(name="data", type="Input", top=["data", "label"])
    data.input_param.shape.add().dim.extend([images, 3, size, size])
    data.input_param.shape.add().dim.extend([1, 1, 1, 8])
    result.layer[0].CopyFrom(data)
    return result


# ---------------------------------------------------------------------------
# The public scripts' nets


# What Convolution takes for its repeated fields, which have no default in the schema.
IMPLIED = {"pad": [0], "stride": [1], "dilation": [1]}


def without_defaults(message: Any) -> Any:
    """The message with fields that only repeat the schema's defaults cleared, at all depths."""
    for field, value in list(message.ListFields()):
        if field.message_type is None:
            repeats = hasattr(value, "extend") and value == IMPLIED.get(field.name)
            if repeats or value == field.default_value:
                message.ClearField(field.name)
            continue
        for part in value if hasattr(value, "extend") else [value]:
            without_defaults(part)
        if not hasattr(value, "extend") and not value.ListFields():
            message.ClearField(field.name)
    return message


def public(name: str, message: Any) -> Any:
    path = PUBLIC_NETS / "ssd300" / f"{name}.prototxt"
    if not path.exists():
        pytest.skip("the public nets are not here")
    return without_defaults(text_format.Parse(path.read_text(), message))


def public_config() -> models.Config:
    results = models.Results("data/VOCdevkit/results/VOC2007/SSD_300x300/Main")
    return config(results=results)


@pytest.mark.parametrize("name", ["train", "test", "deploy"])
def test_ssd300_is_what_the_public_script_writes(name: str) -> None:
    recipe = models.RECIPES["ssd300_vgg16"]
    recipe = replace(recipe, schedule=replace(recipe.schedule, batch=8))
    theirs = public(name, caffe_pb2.NetParameter())
    ours = without_defaults(getattr(models.build(recipe, public_config()), name))
    assert ours.name == theirs.name
    if name == "deploy":  # they have the older `input` fields in place of an Input layer
        assert list(ours.layer[0].input_param.shape[0].dim) == list(theirs.input_shape[0].dim)
        del ours.layer[0]
    assert [layer.name for layer in ours.layer] == [layer.name for layer in theirs.layer]
    for our_layer, their_layer in zip(ours.layer, theirs.layer, strict=True):
        assert our_layer == their_layer


def test_ssd300_solver_is_what_the_public_script_writes() -> None:
    theirs = public("solver", caffe_pb2.SolverParameter())
    recipe = models.RECIPES["ssd300_vgg16"]
    schedule = replace(recipe.schedule, gpu=True, snapshot=80000, per_class=False)
    assert without_defaults(models.solver(schedule, config())) == theirs


# ---------------------------------------------------------------------------
# Laws of our own


def test_scores_from_features_belong_to_one_prior_each() -> None:
    """Its features make a prior's scores, in every net; the branch has no other reader."""
    recipe = models.RECIPES["small"]
    joined = models.CenterLoss(features=5, scores_from_features=True)
    nets = models.build(recipe, config(center_loss=joined))
    for net in (nets.train, nets.test, nets.deploy):
        scores = layers(net)["conv4_3_mbox_conf"]
        assert list(scores.bottom) == ["conv4_3_center_mbox_conf"]
        assert (scores.convolution_param.group, scores.convolution_param.num_output) == (8, 8 * 21)
        assert layers(net)["conv4_3_center_mbox_conf"].convolution_param.num_output == 8 * 5
    assert "mbox_center_conf" in layers(nets.train)
    assert "conv4_3_center_mbox_conf_perm" not in layers(nets.deploy)
    net = caffe.Net(with_inputs(nets.train, recipe.size), caffe.TRAIN)
    net.forward(end="mbox_conf")
    before = net.blobs["mbox_conf"].data.reshape(-1, 21).copy()
    features = net.blobs["conv4_3_center_mbox_conf"].data
    features[:, 5:10] += 1  # of the second prior of each cell of conv4_3
    net.forward(start="conv4_3_mbox_conf", end="mbox_conf")
    changed = (net.blobs["mbox_conf"].data.reshape(-1, 21) != before).any(axis=1)
    cells = np.flatnonzero(changed) - 8 * 400
    assert len(cells) == 100 * len(features)
    assert set(cells % 8) == {1}


@pytest.mark.parametrize("name", list(models.RECIPES))
def test_heads_follow_from_the_priors(name: str) -> None:
    """Shapes as the runtime finds them, in the net that trains."""
    recipe = models.RECIPES[name]
    nets = models.build(recipe, config(center_loss=models.CenterLoss(features=5), extended=True))
    if name == "small":
        net = caffe.Net(with_inputs(nets.train, recipe.size), caffe.TRAIN)
        shapes = {blob: tuple(net.blobs[blob].shape) for blob in net.blobs}
        assert shapes["mbox_priorbox"] == (1, 2, 4 * PRIORS[name])
        assert shapes["mbox_loc"] == (1, 4 * PRIORS[name])
        assert shapes["mbox_conf"] == (1, 21 * PRIORS[name])
        assert shapes["mbox_center_conf"] == (1, 5 * PRIORS[name])
        assert net.params["mbox_loss"][0].data.shape == (21, 5)
    heads = layers(nets.train, "Convolution")
    for level in recipe.levels(recipe.size):
        for suffix, width in (("mbox_loc", 4), ("mbox_conf", 21), ("center_mbox_conf", 5)):
            head = heads[f"{level.source}_{suffix}"]
            assert head.convolution_param.num_output == level.priors_per_cell * width


@pytest.mark.parametrize("name", ["ssd300_vgg16", "ssd512_vgg16"])
def test_counts_of_priors(name: str) -> None:
    """The published 8732 and 24564, by the runtime; the trunk is too slow to keep whole."""
    recipe = models.RECIPES[name]
    cells = {"ssd300_vgg16": (38, 19, 10, 5, 3, 1), "ssd512_vgg16": (64, 32, 16, 8, 4, 2, 1)}[name]
    levels = recipe.levels(recipe.size)
    assert (
        sum(n * n * level.priors_per_cell for n, level in zip(cells, levels, strict=True))
        == (PRIORS[name])
    )
    deploy = models.build(recipe, config()).deploy
    shapes = map_sizes(deploy, recipe.size)
    assert tuple(shapes[level.source] for level in levels) == cells


def test_ssd512_priors_are_the_published_ones() -> None:
    levels = models.RECIPES["ssd512_vgg16"].levels(512)
    sizes = [35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.6]
    assert [level.min_sizes[0] for level in levels] == pytest.approx(sizes[:-1])
    assert [level.max_sizes[0] for level in levels] == pytest.approx(sizes[1:])
    assert [len(level.aspect_ratios) for level in levels] == [1, 2, 2, 2, 2, 1, 1]
    assert [level.step for level in levels] == [8, 16, 32, 64, 128, 256, 512]


def map_sizes(deploy: Any, size: int) -> dict[str, int]:
    """The sides of all maps: the net is set up with one filter a layer, which costs nothing."""
    thin = caffe_pb2.NetParameter()
    thin.CopyFrom(deploy)
    kept = [
        layer
        for layer in thin.layer
        if layer.type in ("Input", "Convolution", "ReLU", "Pooling", "Normalize")
    ]
    del thin.layer[:]
    for layer in kept:
        if layer.type == "Convolution":
            layer.convolution_param.num_output = 1
        thin.layer.add().CopyFrom(layer)
    net = caffe.Net(thin, caffe.TEST)
    return {name: int(blob.shape[2]) for name, blob in net.blobs.items()}


@pytest.mark.parametrize("name", list(models.RECIPES))
def test_the_center_branch_is_for_training_alone(name: str) -> None:
    recipe = models.RECIPES[name]
    with_centers = models.build(recipe, config(center_loss=models.CenterLoss()))
    without = models.build(recipe, config())
    for net in (with_centers.test, with_centers.deploy, without.train):
        assert not [layer.name for layer in net.layer if "center" in str(layer)]
    assert with_centers.test == without.test
    assert with_centers.deploy == without.deploy
    branch = layers(with_centers.train).keys() - layers(without.train).keys()
    assert branch == {"mbox_center_conf"} | {
        f"{level.source}_center_mbox_conf{step}"
        for level in recipe.levels(recipe.size)
        for step in ("", "_perm", "_flat")
    }


def test_the_center_loss_layer() -> None:
    center_loss = models.CenterLoss(features=8, weight=0.25, lr=None)
    nets = models.build(models.RECIPES["small"], config(center_loss=center_loss))
    loss = layers(nets.train)["mbox_loss"]
    assert loss.type == "MultiBoxCenterLoss"
    assert list(loss.bottom) == [
        "mbox_loc",
        "mbox_conf",
        "mbox_priorbox",
        "label",
        "mbox_center_conf",
    ]
    assert list(loss.top) == ["mbox_loss"]
    assert list(loss.propagate_down) == [True, True, False, False, True]
    assert loss.multibox_center_loss_param.center_features == 8
    assert loss.multibox_center_loss_param.weight == 0.25
    assert not loss.multibox_center_loss_param.HasField("center_lr")


def test_small_priors_are_near_most_boxes() -> None:
    """Boxes of 8 to 80 percent of the side, up to twice as long as wide: few match no prior."""
    deploy = models.build(models.RECIPES["small"], config()).deploy
    net = caffe.Net(deploy, caffe.TEST)
    net.forward()
    priors = net.blobs["mbox_priorbox"].data[0, 0].reshape(-1, 4)
    random = np.random.default_rng(1)
    side = np.exp(random.uniform(np.log(0.08), np.log(0.8), 500))
    root = np.exp(random.uniform(-0.5, 0.5, 500) * np.log(2))
    sizes = np.stack([side * root, side / root], axis=1)
    corner = random.uniform(size=(500, 2)) * np.maximum(1 - sizes, 0)
    boxes = np.concatenate([corner, corner + sizes], axis=1)
    matches = (overlaps(boxes, priors) >= 0.5).sum(axis=1)
    assert (matches == 0).mean() < 0.1
    assert matches.mean() > 3


def overlaps(boxes: Any, priors: Any) -> Any:
    low = np.maximum(boxes[:, None, :2], priors[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], priors[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(part[:, 2:] - part[:, :2], axis=1) for part in (boxes, priors)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def test_only_extended_nets_have_what_caffe_ssd_cannot_read() -> None:
    """Fields of ours have numbers from 8000 on."""
    center_loss = models.CenterLoss()
    for extended in (False, True):
        wanted = config(center_loss=center_loss, extended=extended, workers=3)
        train = models.build(models.RECIPES["small"], wanted).train
        reading = train.layer[0].data_param
        assert reading.HasField("shuffle") == extended
        assert reading.num_workers == (3 if extended else 1)
        own = [field.name for field, _ in reading.ListFields() if field.number >= 8000]
        assert bool(own) == extended
        assert len(train.layer[-1].top) == (4 if extended else 1)


def test_the_small_net_learns_from_inputs() -> None:
    """A step of the train net on noise: loss and terms are numbers and gradients arrive."""
    nets = models.build(
        models.RECIPES["small"],
        config(center_loss=models.CenterLoss(), extended=True, size=96),
    )
    caffe.set_random_seed(3)
    net = caffe.Net(with_inputs(nets.train, 96, images=2), caffe.TRAIN)
    random = np.random.default_rng(0)
    net.blobs["data"].data[...] = random.normal(size=(2, 3, 96, 96))
    net.blobs["label"].data[...] = [0, 4, 0, 0.1, 0.2, 0.5, 0.7, 0]
    net.forward()
    values = {name: float(net.blobs[name].data) for name in net.outputs}
    assert values["mbox_loss"] == pytest.approx(
        # The loss is summed in another order than its terms.
        sum(values[f"mbox_{term}_loss"] for term in ("conf", "loc", "center")),
        rel=1e-5,
    )
    net.backward()
    assert np.abs(net.params["conv1"][0].diff).max() > 0


@pytest.mark.parametrize("name", list(models.RECIPES))
def test_names_and_widths_are_unique(name: str) -> None:
    nets = models.build(models.RECIPES[name], config(center_loss=models.CenterLoss()))
    for net in (nets.train, nets.test, nets.deploy):
        assert len(layers(net)) == len(net.layer)


def test_a_recipe_is_a_short_override() -> None:
    recipe = models.RECIPES["small"]
    cubes = replace(
        recipe,
        levels=lambda size: tuple(
            replace(level, aspect_ratios=(), max_sizes=()) for level in recipe.levels(size)
        ),
    )
    nets = models.build(cubes, config())
    assert layers(nets.deploy)["conv3_3_mbox_loc"].convolution_param.num_output == 8


@pytest.mark.parametrize(
    ("images", "at_most", "batch"), [(4952, 8, 8), (72, 16, 12), (73, 16, 1), (5, 16, 5)]
)
def test_every_image_is_tested_once(images: int, at_most: int, batch: int) -> None:
    databases = replace(VOC, test_images=images)
    recipe = models.RECIPES["small"]
    recipe = replace(recipe, schedule=replace(recipe.schedule, test_batch=at_most))
    nets = models.build(recipe, config(databases=databases))
    assert layers(nets.test)["data"].data_param.batch_size == batch
    assert nets.solver.test_iter[0] * batch == images


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 90}, "size 90: a small net for CPUs takes images of 96 to 512 pixels a side"),
        ({"num_classes": 1}, "1 classes: expected the background and at least one more"),
        ({"center_loss": models.CenterLoss(features=0)}, "center features: expected 1 or more"),
        ({"center_loss": models.CenterLoss(weight=-1)}, "center loss weight: expected 0 or more"),
        ({"center_loss": models.CenterLoss(lr=1.5)}, "center rate: expected 0 to 1, got 1.5"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        models.build(models.RECIPES["small"], config(**changes))
    assert message in str(error.value)


@pytest.mark.parametrize("weight_in_loss", [False, True])
def test_the_documented_layer_of_ssd_centerloss_sets_up(weight_in_loss: bool) -> None:
    """The prototxt of SSD-Centerloss's own documentation, word for word."""
    weight = "center_loss_weight: 0.1" if weight_in_loss else ""
    net = text_format.Parse(
        DOCUMENTED.replace("@WEIGHT@", weight),
        caffe_pb2.NetParameter(),
    )
    made = caffe.Net(net, caffe.TRAIN)
    assert made.params["mbox_loss"][0].data.shape == (21, 16)
    made.blobs["label"].data[...] = [-1, 0, 0, 0, 0, 0, 0, 0]  # no object
    made.forward()


DOCUMENTED = """
layer { name: "in" type: "Input" top: "mbox_loc" top: "mbox_conf" top: "label"
  top: "mbox_center_conf" input_param { shape { dim: 2 dim: 12 } shape { dim: 2 dim: 63 }
                shape { dim: 1 dim: 1 dim: 1 dim: 8 } shape { dim: 2 dim: 48 } } }
layer { name: "priors" type: "DummyData" top: "mbox_priorbox"
  dummy_data_param { shape { dim: 1 dim: 2 dim: 12 }
                     data_filler { type: "constant" value: 0.1 } } }
layer {
  name: "mbox_loss"
  type: "MultiBoxCenterLoss"
  bottom: "mbox_loc"
  bottom: "mbox_conf"
  bottom: "mbox_priorbox"
  bottom: "label"
  bottom: "mbox_center_conf"
  top: "mbox_loss"
  include {
    phase: TRAIN
  }
  propagate_down: true
  propagate_down: true
  propagate_down: false
  propagate_down: false
  propagate_down: true
  loss_param {
    normalization: VALID
  }
  multibox_loss_param {
    loc_loss_type: SMOOTH_L1
    conf_loss_type: SOFTMAX
    loc_weight: 1.0
    num_classes: 21
    share_location: true
    match_type: PER_PREDICTION
    overlap_threshold: 0.5
    use_prior_for_matching: true
    background_label_id: 0
    use_difficult_gt: true
    neg_pos_ratio: 3.0
    neg_overlap: 0.5
    code_type: CENTER_SIZE
    ignore_cross_boundary_bbox: false
    mining_type: MAX_NEGATIVE
    @WEIGHT@
  }
  multibox_center_loss_param {
    center_features: 16
  }
}
"""
