"""From options to a run folder that `caffe train` can start from, checked before anything runs."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ssd_centerloss import models
from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError
from ssd_centerloss.models.build import set_rates
from ssd_centerloss.models.files import write_message
from ssd_centerloss.runs import Run, RunConfig, iteration_of
from ssd_centerloss.training.options import TrainOptions, config_of, interval_of_tests, recipe_of

# What a run is made of and --overwrite takes away.
FILES = (
    "run.json",
    "labelmap.prototxt",
    "train.prototxt",
    "test.prototxt",
    "deploy.prototxt",
    "solver.prototxt",
    "train.log",
    "results.csv",
    "curves.png",
)
FOLDERS = ("snapshots", "eval", "detections")
# Options that --resume may change.
CHANGEABLE = ("iterations", "threads")


def prepare_new(
    options: TrainOptions, run: Run, overwrite: bool, skip_mismatched: bool
) -> RunConfig:
    """Checks the options, then writes run.json, the label map, the nets and the solver.

    Raises UserError for whatever is wrong; the folder is then as it was.
    """
    if options.data is None:
        raise UserError("--data is missing; expected a dataset folder of `ssd-centerloss data`")
    _check_folder(run, overwrite)
    dataset = Dataset.open(options.data)
    config = config_of(options, dataset)
    _check_splits(dataset, config)
    nets = build_nets(config, dataset, run)
    if options.weights is not None:
        check_weights(options.weights, nets.train, skip_mismatched)
    _clear(run)
    run.snapshot_prefix.parent.mkdir(parents=True)
    dataset.label_map.write(run.label_map)
    models.write(nets, run.folder)
    config.write(run.config_file)
    return config


def prepare_resumed(options: TrainOptions, run: Run) -> RunConfig:
    """Checks that a run can go on, and takes over new numbers of iterations and threads.

    The nets stay as they are in the folder.
    """
    config = run.config()
    for option in fields(options):
        _check_unchanged(option.name, getattr(options, option.name), config, run)
    dataset = Dataset.open(config.data)
    had = LabelMap.read(run.label_map)
    if dataset.label_map.names != had.names:
        raise UserError(
            f"{dataset.folder}: its classes are {', '.join(dataset.label_map.classes)}; "
            f"the run {run.folder} was begun with {', '.join(had.classes)}"
        )
    _check_splits(dataset, config)
    changed = replace(
        config,
        iterations=options.iterations or config.iterations,
        threads=options.threads or config.threads,
    )
    state = run.newest("solverstate")
    if state is not None and iteration_of(state) >= changed.iterations:
        return changed  # nothing to do: the record keeps what was done
    if changed.iterations != config.iterations:
        _set_iterations(run, changed)
    changed.write(run.config_file)
    return changed


def build_nets(config: RunConfig, dataset: Dataset, run: Run) -> models.Nets:
    """The run's nets and solver; all paths in them are absolute."""
    folder = run.folder.resolve()
    center_loss = None
    if config.has_center_loss:
        center_loss = models.CenterLoss(
            config.center_features,
            config.center_loss_weight,
            config.center_lr,
            config.scores_from_features,
        )
    if config.scores_from_features and config.center_features < 1:
        raise UserError("scores from features: expected 1 or more center features, got 0")
    if config.center_features < 0:
        raise UserError(f"center features: expected 0 or more, got {config.center_features}")
    if not 0 <= config.center_loss_weight < math.inf:
        raise UserError(f"center loss weight: expected 0 or more, got {config.center_loss_weight}")
    databases = models.Databases(
        train=str(dataset.lmdb(config.train_split).resolve()),
        test=str(dataset.lmdb(config.test_split).resolve()),
        label_map=str(folder / run.label_map.name),
        name_size=str(dataset.name_size(config.test_split).resolve()),
        test_images=dataset.count(config.test_split),
    )
    wanted = models.Config(
        num_classes=config.num_classes,
        databases=databases,
        files=str(folder),
        snapshots=str(Run(folder).snapshot_prefix),
        center_loss=center_loss,
        name=f"{config.model}_{dataset.folder.resolve().name}",
        extended=True,
        workers=config.threads,
        size=config.size,
    )
    return models.build(recipe_of(config), wanted)


def _check_folder(run: Run, overwrite: bool) -> None:
    folder = run.folder
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder}: expected a folder for the run, this is a file")
    if not any(folder.iterdir()):
        return
    if not run.config_file.exists():
        raise UserError(f"{folder}: is not empty and no run; choose another folder")
    if not overwrite:
        raise UserError(
            f"{folder}: a run is there; --resume goes on with it, --overwrite begins anew"
        )


def _check_splits(dataset: Dataset, config: RunConfig) -> None:
    for split in (config.train_split, config.test_split):
        if dataset.count(split) == 0:
            raise UserError(f"{dataset.folder}: the split '{split}' has no images")
    images = dataset.count(config.train_split)
    if config.batch > images:
        raise UserError(
            f"batch {config.batch}: the split '{config.train_split}' of {dataset.folder} "
            f"has {images} images; expected a batch of at most {images}"
        )


def _clear(run: Run) -> None:
    for name in FILES:
        (run.folder / name).unlink(missing_ok=True)
    for name in FOLDERS:
        if (run.folder / name).exists():
            shutil.rmtree(run.folder / name)


def _check_unchanged(name: str, given: Any, config: RunConfig, run: Run) -> None:
    if given is None or name in CHANGEABLE:
        return
    had = getattr(config, name)
    asked = str(given.resolve()) if isinstance(given, Path) else given
    if asked != had:
        flag = "--" + name.replace("_", "-")
        raise UserError(
            f"{flag} {given}: the run {run.folder} was begun with {had}; --resume can change "
            + " and ".join("--" + other for other in CHANGEABLE)
        )


def _set_iterations(run: Run, config: RunConfig) -> None:
    from google.protobuf import text_format

    from caffe.proto import caffe_pb2

    if config.iterations < 1:
        raise UserError(f"iterations: expected 1 or more, got {config.iterations}")
    solver = text_format.Parse(run.solver.read_text(), caffe_pb2.SolverParameter())
    solver.max_iter = config.iterations
    solver.test_interval = solver.snapshot = interval_of_tests(config.iterations)
    set_rates(solver, recipe_of(config).schedule)
    write_message(run.solver, solver)


def check_weights(path: Path, net: Any, skip_mismatched: bool) -> None:
    """Compares the heads of a caffemodel with those of a net.

    Raises UserError where the file is missing or no caffemodel, or a head has
    another width: another number of classes. HDF5 files are left to caffe.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file of weights")
    if skip_mismatched or path.suffix == ".h5":
        return
    outputs = {
        layer.name: layer.convolution_param.num_output
        for layer in net.layer
        if layer.type == "Convolution"
    }
    for name, width in _convolution_widths(path):
        expected = outputs.get(name)
        if expected is not None and expected != width:
            why = " (another number of classes?)" if name.endswith("_mbox_conf") else ""
            raise UserError(
                f"{path}: layer {name} has {width} outputs, the net's has {expected}{why}; "
                "--skip-mismatched starts such layers from nothing"
            )


def _convolution_widths(path: Path) -> Iterator[tuple[str, int]]:
    from google.protobuf.message import DecodeError

    from caffe.proto import caffe_pb2

    net = caffe_pb2.NetParameter()
    try:
        net.ParseFromString(path.read_bytes())
    except DecodeError:
        raise UserError(f"{path}: not a caffemodel") from None
    for layer in net.layer:
        if layer.type == "Convolution" and layer.blobs:
            blob = layer.blobs[0]
            yield layer.name, int(blob.shape.dim[0] if blob.HasField("shape") else blob.num)
