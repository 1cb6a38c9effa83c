"""Our nets, and the files from which the peers make theirs. Needs caffe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import caffe
from benchmarks import samples
from benchmarks.plan import Plan, PlanLevel
from caffe.proto import caffe_pb2
from ssd_centerloss import models
from ssd_centerloss.models.files import write_message
from ssd_centerloss.models.small import LAYERS

Array = samples.Array

CLASSES = {"small": 11}  # the demo's ten digits; the others have VOC's twenty
CENTERS = models.CenterLoss()
RATE = 1e-5  # so small that the work stays the same from step to step
# Of the scores beside the background's, in a trained net, so many are worth decoding.
CANDIDATES = 0.002
LEAST_SCORE = 0.01


def recipe_and_config(model: str) -> tuple[models.Recipe, models.Config]:
    """The product's recipe, with center loss; no database is read."""
    databases = models.Databases("none", "none", "none", "none", test_images=1)
    config = models.Config(
        num_classes=CLASSES.get(model, 21),
        databases=databases,
        files="none",
        snapshots="none",
        center_loss=CENTERS,
        name=model,
    )
    return models.RECIPES[model], config


def training_net(model: str, batch: int) -> Any:
    """The recipe's train net with images and ground truth in memory."""
    recipe, config = recipe_and_config(model)
    net = models.train_net(recipe, config)
    data = net.layer[0]
    shapes = ([batch, 3, recipe.size, recipe.size], [1, 1, batch * samples.BOXES, 8])
    data.CopyFrom(caffe_pb2.LayerParameter(name="data", type="Input", top=["data", "label"]))
    for shape in shapes:
        data.input_param.shape.add().dim.extend(shape)
    return net


def solver(model: str, batch: int, rate: float | None) -> Any:
    """The recipe's solver for a net in memory: no tests, no snapshots."""
    recipe, _ = recipe_and_config(model)
    schedule = recipe.schedule
    return caffe_pb2.SolverParameter(
        train_net_param=training_net(model, batch),
        type=schedule.rule,
        base_lr=RATE if rate is None else rate,
        lr_policy="fixed",
        momentum=schedule.momentum,
        momentum2=0.999,
        delta=1e-8,
        weight_decay=schedule.weight_decay,
        max_iter=1 << 30,
        snapshot_after_train=False,
    )


def write_command_files(model: str, batch: int, precision: str, folder: Path) -> Path:
    """The solver file for three steps of `caffe train`, its data in an HDF5 file; returns it."""
    import h5py

    recipe, config = recipe_and_config(model)
    name = f"command_{batch}"
    rows = label_rows(batch, config.num_classes)
    with h5py.File(folder / f"{name}.h5", "w") as file:
        file["data"] = samples.images(batch, recipe.size)
        file["rows"] = rows.reshape(batch, -1)
    (folder / f"{name}.txt").write_text(f"{folder / name}.h5\n")
    message = solver(model, batch, None)
    layers = message.train_net_param.layer
    data = caffe_pb2.LayerParameter(name="data", type="HDF5Data", top=["data", "rows"])
    data.hdf5_data_param.source = f"{folder / name}.txt"
    data.hdf5_data_param.batch_size = batch
    label = caffe_pb2.LayerParameter(name="label", type="Reshape", bottom=["rows"], top=["label"])
    label.reshape_param.shape.dim.extend([1, 1, len(rows), 8])
    rest = list(layers)[1:]
    del layers[:]
    layers.extend([data, label, *rest])
    message.max_iter = 3
    message.snapshot_prefix = str(folder / name)
    set_precision(message, precision)
    path = folder / f"{name}_{precision}.prototxt"
    write_message(path, message)
    return path


def fill_inputs(net: caffe.Net, batch: int, size: int, classes: int) -> None:
    """Images and ground truth, the same as every peer's."""
    net.blobs["data"].data[...] = samples.images(batch, size)
    net.blobs["label"].data[0, 0] = label_rows(batch, classes)


def label_rows(batch: int, classes: int) -> Array:
    """The ground truth as the loss layers take it: image, label, 0, corners, difficult."""
    labels, boxes = samples.ground_truth(batch, classes)
    rows = np.zeros((batch * samples.BOXES, 8), np.float32)
    rows[:, 0] = np.repeat(np.arange(batch), samples.BOXES)
    rows[:, 1] = labels.reshape(-1)
    rows[:, 3:7] = boxes.reshape(-1, 4)
    return rows


def prepare(model: str, folder: Path) -> None:
    """Writes deploy.prototxt, net.caffemodel, weights.npz, priors.npz and plan.json.

    The weights keep the values of the layers at about 1, and the background's score is so high
    that a part CANDIDATES of the others is worth decoding, as in a trained net.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe, config = recipe_and_config(model)
    deploy_net = models.deploy_net(recipe, config)
    write_message(folder / "deploy.prototxt", deploy_net)
    caffe.set_random_seed(1)
    net = caffe.Net(training_net(model, 1), caffe.TRAIN)
    fill_inputs(net, 1, recipe.size, config.num_classes)
    _fill_weights(net)
    net.forward()
    boxes, variances = net.blobs["mbox_priorbox"].data[0].reshape(2, -1, 4)
    np.savez(folder / "priors.npz", boxes=boxes, variances=variances[0])
    scores = net.blobs["mbox_conf"].data.reshape(-1, config.num_classes)
    levels = recipe.levels(recipe.size)
    _raise_background(net, levels, config.num_classes, _background(scores))
    net.save(folder / "net.caffemodel")
    np.savez(folder / "weights.npz", **_arrays(net))
    _plan(model, recipe, config).save(folder)


def _plan(model: str, recipe: models.Recipe, config: models.Config) -> Plan:
    levels = recipe.levels(recipe.size)
    assert CENTERS.lr is not None
    return Plan(
        model=model,
        size=recipe.size,
        classes=config.num_classes,
        levels=tuple(PlanLevel(o.layer, o.source, o.priors_per_cell) for o in levels),
        rule=recipe.schedule.rule,
        rate=RATE,
        decay=recipe.schedule.weight_decay,
        features=CENTERS.features,
        center_weight=CENTERS.weight,
        center_rate=CENTERS.lr,
        body=LAYERS if model == "small" else (),
    )


def _fill_weights(net: caffe.Net) -> None:
    random = np.random.default_rng(3)
    for name, layer in net.layer_dict.items():
        if layer.type != "Convolution":
            continue
        weights = layer.blobs[0].data
        # Layers before a ReLU lose half of the square; heads have none behind them.
        gain = 1.0 if "mbox" in name else 2.0
        spread = (gain / weights[0].size) ** 0.5
        weights[...] = spread * random.standard_normal(weights.shape, np.float32)


def _background(scores: Array) -> float:
    """What must be added to the background's scores; see CANDIDATES."""
    others = np.exp(scores.astype(np.float64))
    background, total = others[:, :1].copy(), others.sum(axis=1, keepdims=True)
    low, high = -20.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        part = others[:, 1:] / (total + background * (np.exp(middle) - 1))
        low, high = (middle, high) if (part > LEAST_SCORE).mean() > CANDIDATES else (low, middle)
    return high


def _raise_background(
    net: caffe.Net, levels: tuple[models.Level, ...], classes: int, by: float
) -> None:
    for level in levels:
        bias = net.params[f"{level.source}_mbox_conf"][1].data
        bias.reshape(-1, classes)[:, 0] += np.float32(by)


def _arrays(net: caffe.Net) -> dict[str, Any]:
    return {
        f"{name}/{i}": blob.data.copy()
        for name, blobs in net.params.items()
        for i, blob in enumerate(blobs)
    }


def deploy(folder: Path, precision: str) -> caffe.Net:
    """The net for inference with its weights."""
    message = caffe_pb2.NetParameter()
    from google.protobuf import text_format

    text_format.Parse((folder / "deploy.prototxt").read_text(), message)
    set_precision(message, precision)
    return caffe.Net(message, caffe.TEST, weights=str(folder / "net.caffemodel"))


def set_precision(message: Any, precision: str) -> None:
    """Sets the field of a net or a solver. Raises ValueError in a build that lacks it."""
    if precision == "fp32":
        return
    if "precision" not in message.DESCRIPTOR.fields_by_name:
        raise ValueError(f"this build has no precision {precision}")
    message.precision = (
        message.DESCRIPTOR.fields_by_name["precision"]
        .enum_type.values_by_name[precision.upper()]
        .number
    )
    if isinstance(message, caffe_pb2.SolverParameter) and message.HasField("train_net_param"):
        set_precision(message.train_net_param, precision)


def loss_net(case: dict[str, Any], plan: Plan) -> caffe.Net:
    """A loss layer alone, on inputs that are filled."""
    with np.load(case["folder"] / "priors.npz") as arrays:
        boxes, variances = arrays["boxes"], arrays["variances"]
    with_centers = case["variant"] == "MultiBoxCenterLoss"
    batch, priors = case["batch"], len(boxes)
    widths = {"mbox_loc": 4, "mbox_conf": plan.classes, "mbox_center_conf": plan.features}
    if not with_centers:
        del widths["mbox_center_conf"]
    values = {
        name: samples.predictions(batch, priors, width, seed).reshape(batch, -1)
        for seed, (name, width) in enumerate(widths.items())
    }
    values["mbox_priorbox"] = np.stack([boxes.reshape(-1), np.tile(variances, priors)])[None]
    values["label"] = label_rows(batch, plan.classes)[None, None]
    message = _loss_message(plan.model, case["variant"], values)
    net = caffe.Net(message, caffe.TRAIN)
    for name, array in values.items():
        net.blobs[name].data[...] = array
    return net


def _loss_message(model: str, layer_type: str, values: dict[str, Array]) -> Any:
    """The train net's loss layer behind inputs of these shapes."""
    recipe, config = recipe_and_config(model)
    if layer_type == "MultiBoxLoss":
        config = replace(config, center_loss=None)
    message = caffe_pb2.NetParameter(force_backward=True)
    for name, array in values.items():
        layer = message.layer.add(name=name, type="Input", top=[name])
        layer.input_param.shape.add().dim.extend(array.shape)
    message.layer.append(models.train_net(recipe, config).layer[-1])
    return message
