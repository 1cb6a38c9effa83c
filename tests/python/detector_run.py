"""Run folders, datasets and a net small enough to compute by hand, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import caffe
from ssd_centerloss import cli, models
from ssd_centerloss.data.annotations import AnnotatedImage, Box
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.records import serialize
from ssd_centerloss.database import write_database
from ssd_centerloss.models.config import CenterLoss, Config, Databases
from ssd_centerloss.runs import Run, RunConfig

CLASSES = ("cat", "dog", "owl")
SIZE = 96
PIXELS = models.RECIPES["small"].pixels

# One prior, the middle half of an image of 8 × 8. Class 1 scores sigmoid(the mean input value).
ONE_PRIOR = """
name: "one prior"
layer { name: "data" type: "Input" top: "data"
        input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "loc" type: "Convolution" bottom: "data" top: "loc"
        convolution_param { num_output: 4 kernel_size: 8 } }
layer { name: "conf" type: "Convolution" bottom: "data" top: "conf"
        convolution_param { num_output: 2 kernel_size: 8 } }
layer { name: "prior" type: "PriorBox" bottom: "conf" bottom: "data" top: "prior"
        prior_box_param { min_size: 4 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 } }
layer { name: "loc_flat" type: "Flatten" bottom: "loc" top: "loc_flat" }
layer { name: "score" type: "Softmax" bottom: "conf" top: "score" }
layer { name: "score_flat" type: "Flatten" bottom: "score" top: "score_flat" }
layer { name: "out" type: "DetectionOutput" bottom: "loc_flat" bottom: "score_flat" bottom: "prior"
        top: "detection_out"
        detection_output_param { num_classes: 2 code_type: CENTER_SIZE confidence_threshold: 0.3
          nms_param { nms_threshold: 0.45 } keep_top_k: 10
          save_output_param { output_directory: "/nonexistent/results" output_format: "VOC"
            label_map_file: "no_such.prototxt" name_size_file: "no_such.txt" } } }
"""


def write_one_prior(folder: Path, offset: Sequence[float] = (0, 0, 0, 0)) -> tuple[Path, Path]:
    """Writes ONE_PRIOR and weights for it, its location predictions constant."""
    from nets import parse

    deploy, weights = folder / "deploy.prototxt", folder / "model.caffemodel"
    deploy.write_text(ONE_PRIOR)
    message = parse(ONE_PRIOR)
    message.layer[-1].detection_output_param.ClearField("save_output_param")
    net = caffe.Net(message, caffe.TEST)
    for name in ("loc", "conf"):
        for blob in net.params[name]:
            blob.data[...] = 0
    net.params["loc"][1].data[...] = offset
    net.params["conf"][0].data[1] = 1 / (3 * 8 * 8)
    net.save(weights)
    return deploy, weights


def write_dataset(folder: Path, images: int = 4, seed: int = 1) -> Path:
    """A dataset of noisy pictures with a grey box of each class; the second image has none."""
    random = np.random.default_rng(seed)
    records, sizes = [], []
    counts = dict.fromkeys(CLASSES, 0)
    for i in range(images):
        width, height = int(random.integers(90, 200)), int(random.integers(90, 200))
        picture = noise(random, width, height)
        boxes = []
        for k, name in enumerate(CLASSES if i != 1 else ()):
            x, y = (int(v) for v in random.integers(0, 40, 2))
            picture[y : y + 45, x : x + 45] = 60 * (k + 1)
            boxes.append(Box(name, x, y, x + 45, y + 45, difficult=k == 2 and i == 0))
            counts[name] += 1
        encoded = cv2.imencode(".png", picture)[1].tobytes()
        path = Path(f"image{i}.png")
        image = AnnotatedImage(path, width, height, tuple(boxes), f"image{i}", path.name, path)
        labels = {name: k for k, name in enumerate(CLASSES, start=1)}
        record = serialize(image, encoded, (width, height), labels)
        records.append((f"{i:08d}_image{i}.png", record))
        sizes.append(f"image{i} {height} {width}\n")
    summary = {"format": 1, "classes": list(CLASSES), "splits": {}}
    for split in ("train", "test"):
        write_database(folder / f"{split}_lmdb", records)
        (folder / f"{split}_name_size.txt").write_text("".join(sizes))
        summary["splits"][split] = {"images": images, "boxes": counts}
    LabelMap.of(CLASSES).write(folder / "labelmap.prototxt")
    (folder / "dataset.json").write_text(json.dumps(summary))
    return folder


def noise(random: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A smooth random picture of the whole range of grey levels."""
    picture = cv2.GaussianBlur(random.random((height, width, 3)), (0, 0), 4)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def write_run(folder: Path, dataset: Path, center_features: int = 4) -> Path:
    """A run folder with a net that has learned nothing but the statistics of its inputs."""
    folder.mkdir(parents=True)
    center = CenterLoss(features=center_features) if center_features else None
    databases = Databases(
        train=str(dataset / "train_lmdb"),
        test=str(dataset / "test_lmdb"),
        label_map=str(dataset / "labelmap.prototxt"),
        name_size=str(dataset / "test_name_size.txt"),
        test_images=4,
    )
    run = Run(folder)
    config = Config(
        num_classes=len(CLASSES) + 1,
        databases=databases,
        files=str(folder),
        snapshots=str(run.snapshot_prefix),
        center_loss=center,
        size=SIZE,
    )
    recipe = models.RECIPES["small"]
    recipe = replace(recipe, schedule=replace(recipe.schedule, batch=2, seed=1))
    models.write(models.build(recipe, config), folder)
    LabelMap.of(CLASSES).write(run.label_map)
    RunConfig(
        model="small",
        size=SIZE,
        data=str(dataset),
        num_classes=len(CLASSES) + 1,
        mean_values=PIXELS.mean,
        scale=PIXELS.scale,
        batch=2,
        iterations=10,
        lr=1e-3,
        center_features=center_features,
        center_loss_weight=0.1 if center_features else 0.0,
        center_lr=0.5,
        mirror=True,
        seed=1,
        threads=1,
    ).write(run.config_file)
    write_weights(
        folder / "train.prototxt", run.snapshot_prefix.with_name("model_iter_10.caffemodel")
    )
    return folder


def write_weights(train: Path, path: Path) -> None:
    """Random weights, BatchNorm's statistics those of a few passes over training images."""
    caffe.set_random_seed(3)
    random = np.random.default_rng(3)
    net = caffe.Net(train, caffe.TRAIN)
    for name, blobs in net.params.items():
        if name.endswith("_scale"):
            blobs[0].data[...] = random.uniform(0.5, 1.5, blobs[0].shape)
            blobs[1].data[...] = random.normal(0, 0.3, blobs[1].shape)
        if name.endswith("mbox_loc"):
            blobs[0].data[...] *= 0.3  # boxes of about the size of their priors
    for _ in range(10):
        net.forward()
    path.parent.mkdir(parents=True, exist_ok=True)
    net.save(path)


def exit_code(*arguments: object) -> int:
    """That of `ssd-centerloss` with these arguments, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["ssd-centerloss", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code
