"""From a recipe and a configuration to nets and solver."""

from __future__ import annotations

import math
from typing import Any

import caffe
from caffe import layers as L
from caffe.proto import caffe_pb2
from ssd_centerloss.errors import UserError
from ssd_centerloss.models.config import Config, Nets, Recipe, Schedule
from ssd_centerloss.models.heads import (
    add_detections,
    add_evaluation,
    add_heads,
    add_loss,
    heads,
)
from ssd_centerloss.models.inputs import add_test_data, add_training_data


def build(recipe: Recipe, config: Config) -> Nets:
    """The train, test and deploy nets of a detector, and its solver.

    The center branch is in the train net alone, unless the scores are made from
    it. `recipe` comes from RECIPES, or is one of them changed by
    `dataclasses.replace`.

    Raises:
        UserError: a size, number of classes, batch or loss that cannot be.
    """
    _check(recipe, config)
    return Nets(
        train=train_net(recipe, config),
        test=test_net(recipe, config),
        deploy=deploy_net(recipe, config),
        solver=solver(recipe.schedule, config),
    )


def _check(recipe: Recipe, config: Config) -> None:
    smallest, largest = recipe.sizes
    size = input_size(recipe, config)
    if not smallest <= size <= largest:
        expected = f"{smallest}" if smallest == largest else f"{smallest} to {largest}"
        raise UserError(f"size {size}: {recipe.title} takes images of {expected} pixels a side")
    if config.num_classes < 2:
        raise UserError(
            f"{config.num_classes} classes: expected the background and at least one more"
        )
    if config.databases.test_images < 1:
        raise UserError("there are no images to test with")
    center_loss = config.center_loss
    if center_loss is not None and center_loss.features < 1:
        raise UserError(f"center features: expected 1 or more, got {center_loss.features}")
    if center_loss is not None and not 0 <= center_loss.weight < math.inf:
        raise UserError(f"center loss weight: expected 0 or more, got {center_loss.weight}")
    if center_loss is not None and center_loss.lr is not None and not 0 <= center_loss.lr <= 1:
        raise UserError(f"center rate: expected 0 to 1, got {center_loss.lr}")
    schedule = recipe.schedule
    for what, number in (("batch", schedule.batch), ("iterations", schedule.iterations)):
        if number < 1:
            raise UserError(f"{what}: expected 1 or more, got {number}")
    if not 0 < schedule.lr < math.inf:
        raise UserError(f"learning rate: expected a positive number, got {schedule.lr}")


def input_size(recipe: Recipe, config: Config) -> int:
    """The side of the nets' input in pixels."""
    return recipe.size if config.size is None else config.size


def train_net(recipe: Recipe, config: Config) -> Any:
    """The net that learns: data, label … mbox_loss."""
    size = input_size(recipe, config)
    net = caffe.NetSpec()
    reading: dict[str, Any] = {
        "source": config.databases.train,
        "batch_size": recipe.schedule.batch,
    }
    if config.extended:
        reading |= {"shuffle": True, "num_workers": config.workers}
    add_training_data(
        net, reading, config.databases.label_map, size, recipe.pixels, recipe.augmentation
    )
    recipe.body(net, size)
    _add_heads(net, recipe, config, training=True)
    add_loss(net, config.num_classes, config.center_loss, config.extended)
    return _named(net, f"{config.name}_train")


def test_net(recipe: Recipe, config: Config) -> Any:
    """The net that the solver tests: data, label … detection_out, detection_eval."""
    size = input_size(recipe, config)
    net = caffe.NetSpec()
    batch = test_batch(config.databases.test_images, recipe.schedule.test_batch)
    add_test_data(net, config.databases, size, batch, recipe.pixels)
    recipe.body(net, size)
    _add_heads(net, recipe, config, training=False)
    add_detections(net, config.num_classes, config.databases, config.results)
    add_evaluation(net, config.num_classes, config.databases)
    return _named(net, f"{config.name}_test")


def deploy_net(recipe: Recipe, config: Config) -> Any:
    """The net without data: input `data`, output `detection_out`."""
    size = input_size(recipe, config)
    net = caffe.NetSpec()
    net.data = L.Input(shape={"dim": [1, 3, size, size]})
    recipe.body(net, size)
    _add_heads(net, recipe, config, training=False)
    add_detections(net, config.num_classes, config.databases, config.results)
    return _named(net, f"{config.name}_deploy")


def _add_heads(net: caffe.NetSpec, recipe: Recipe, config: Config, training: bool) -> None:
    levels = recipe.levels(input_size(recipe, config))
    add_heads(net, levels, heads(config.num_classes, config.center_loss, training))


def _named(net: caffe.NetSpec, name: str) -> Any:
    proto = caffe_pb2.NetParameter(name=name)
    proto.MergeFrom(net.to_proto())
    return proto


def test_batch(images: int, at_most: int) -> int:
    """The largest batch that divides the images, so that each is tested once."""
    return max(batch for batch in range(1, at_most + 1) if images % batch == 0)


def solver(schedule: Schedule, config: Config) -> Any:
    """The solver: its rule, its rates, its tests by mAP, its snapshots."""
    images = config.databases.test_images
    param = caffe_pb2.SolverParameter(
        train_net=f"{config.files}/train.prototxt",
        test_net=[f"{config.files}/test.prototxt"],
        test_iter=[images // test_batch(images, schedule.test_batch)],
        test_interval=schedule.test_interval,
        test_initialization=schedule.test_first,
        eval_type="detection",
        ap_version="11point",
        type=schedule.rule,
        base_lr=schedule.lr,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
        max_iter=schedule.iterations,
        iter_size=schedule.passes,
        display=schedule.display,
        average_loss=10,
        snapshot=schedule.snapshot,
        snapshot_prefix=config.snapshots,
        snapshot_after_train=True,
        solver_mode=getattr(caffe_pb2.SolverParameter, "GPU" if schedule.gpu else "CPU"),
        device_id=0,
        debug_info=False,
    )
    if schedule.per_class:
        param.show_per_class_result = True
    if schedule.seed >= 0:
        param.random_seed = schedule.seed
    if schedule.precision != "fp32":
        param.precision = caffe_pb2.Precision.Value(schedule.precision.upper())
    set_rates(param, schedule)
    return param


def set_rates(param: Any, schedule: Schedule) -> None:
    """Sets how the rate goes over the iterations: warm-up, then steps or a line to 0."""
    if schedule.steps:
        param.lr_policy = "multistep"
        param.gamma = 0.1
        param.stepvalue[:] = [round(part * schedule.iterations) for part in schedule.steps]
    else:
        param.lr_policy = "poly"
        param.power = 1
    if schedule.warmup > 0:
        param.warmup_iter = max(1, round(schedule.warmup * schedule.iterations))
