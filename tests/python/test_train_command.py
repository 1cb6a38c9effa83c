"""`ssd-centerloss train`: the run folder, resuming, Ctrl-C, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import voc_folder
from caffe.proto import caffe_pb2
from ssd_centerloss.commands import data as data_command
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError
from ssd_centerloss.runs import Run
from ssd_centerloss.training import process
from ssd_centerloss.training.options import TrainOptions, interval_of_tests
from ssd_centerloss.training.results import read_results
from ssd_centerloss.training.run import train

try:
    process.caffe_command()
except UserError:
    pytest.skip("the caffe command is not built", allow_module_level=True)

SECONDS = 60  # until a process that hangs is given up
TINY = TrainOptions(size=96, batch=2, iterations=4, seed=7, threads=1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images to train and three to test; a cat or a dog in each."""
    folder = tmp_path_factory.mktemp("data")
    objects = {
        f"i{i}": [voc_folder.object_xml(("cat", "dog")[i % 2], (3, 4, 25, 20 + i % 5))]
        for i in range(9)
    }
    lists = {"trainval": "i0 i1 i2 i3 i4 i5", "test": "i6 i7 i8"}
    voc = voc_folder.make(folder / "voc", objects, lists)
    data_command.voc([voc], folder / "pets", quiet=True)
    return folder / "pets"


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished training."""
    out = tmp_path_factory.mktemp("runs") / "pets"
    return train(replace(TINY, data=dataset), out, quiet=True)


def read_net(path: Path) -> Any:
    return text_format.Parse(path.read_text(), caffe_pb2.NetParameter())


def weights_of(path: Path) -> dict[str, list[bytes]]:
    net = caffe_pb2.NetParameter()
    net.ParseFromString(path.read_bytes())
    return {
        layer.name: [np.array(blob.data).tobytes() for blob in layer.blobs] for layer in net.layer
    }


def test_the_run_folder(run: Run, dataset: Path) -> None:
    assert {path.name for path in run.folder.iterdir()} == {
        "run.json",
        "labelmap.prototxt",
        *(f"{name}.prototxt" for name in ("train", "test", "deploy", "solver")),
        "snapshots",
        "train.log",
        "results.csv",
        "curves.png",
    }
    config = run.config()
    assert (config.model, config.size, config.num_classes) == ("small", 96, 3)
    assert config.data == str(dataset.resolve())
    assert run.newest_weights().name == "model_iter_4.caffemodel"
    loss = read_net(run.folder / "train.prototxt").layer[-1]
    assert (loss.name, loss.type) == ("mbox_loss", "MultiBoxCenterLoss")
    assert "Optimization Done." in run.log.read_text()


def test_results_have_losses_and_precisions(run: Run) -> None:
    rows = read_results(run.results)
    tests = [row for row in rows if "mAP" in row]
    assert tests[-1]["iteration"] == 4
    assert {"AP cat", "AP dog"} <= tests[-1].keys()
    assert [row["iteration"] for row in rows if "conf_loss" in row] == [0, 1, 2, 3]
    terms = [rows[0][f"{term}_loss"] for term in ("conf", "loc", "center")]
    # The log has six digits.
    assert sum(terms) == pytest.approx(rows[0]["loss"], rel=1e-4)


def test_the_deploy_net_detects(run: Run) -> None:
    net = caffe.Net(str(run.deploy), caffe.TEST, weights=str(run.newest_weights()))
    assert net.blobs["data"].data.shape == (1, 3, 96, 96)
    net.forward()
    assert net.blobs["detection_out"].data.shape[-1] == 7
    assert not any("center" in name for name in net.params)


def test_the_same_seed_gives_the_same_weights_and_overwrite_replaces(
    run: Run, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    out.mkdir()
    (out / "run.json").write_text("{}")
    (out / "snapshots").mkdir()
    (out / "snapshots" / "model_iter_9.solverstate").touch()
    options = replace(TINY, data=dataset)
    with pytest.raises(UserError, match="a run is there; --resume goes on with it, --overwrite"):
        train(options, out, quiet=True)
    again = train(options, out, overwrite=True, quiet=True)
    assert again.newest_weights().name == "model_iter_4.caffemodel"
    assert weights_of(again.newest_weights()) == weights_of(run.newest_weights())


def test_resumed_for_more_iterations_without_center_loss(dataset: Path, tmp_path: Path) -> None:
    options = replace(TINY, data=dataset, center_features=0, iterations=2)
    out = tmp_path / "plain"
    plain = train(options, out, quiet=True)
    assert read_net(out / "train.prototxt").layer[-1].type == "MultiBoxLoss"
    assert "center" not in (out / "train.prototxt").read_text()
    before = read_results(plain.results)
    train(TrainOptions(iterations=3), out, resume=True, quiet=True)
    assert plain.config().iterations == 3
    assert plain.newest_weights().name == "model_iter_3.caffemodel"
    rows = read_results(plain.results)
    assert rows[:2] == before[:2]
    assert {row["iteration"] for row in rows} == {0, 1, 2, 3}
    assert rows[-1]["seconds"] > before[-1]["seconds"]
    assert "Resuming from" in plain.log.read_text()
    # Nothing is left to do, and nothing is done.
    log = plain.log.read_text()
    train(TrainOptions(), out, resume=True, quiet=True)
    assert plain.log.read_text() == log


def test_asking_for_fewer_iterations_than_are_done_changes_nothing(run: Run) -> None:
    before = (run.config_file.read_text(), run.solver.read_text())
    train(TrainOptions(iterations=2), run.folder, resume=True, quiet=True)
    assert (run.config_file.read_text(), run.solver.read_text()) == before


def test_ctrl_c_keeps_a_snapshot_to_resume_from(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "long"
    words = ["--data", str(dataset), "--out", str(out), "--size", "96", "--batch", "2", "-j", "1"]
    command = [sys.executable, "-m", "ssd_centerloss", "train", *words, "--iterations", "100000"]
    training = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_for(lambda: "\n10," in read_if_there(out / "results.csv"))
        os.killpg(training.pid, signal.SIGINT)  # a terminal's Ctrl-C goes to the whole group
        _, printed = training.communicate(timeout=SECONDS)
    finally:
        for _ in range(2):  # if it goes on: the second Ctrl-C ends caffe too, as a kill would not
            training.send_signal(signal.SIGINT)
    assert training.returncode == 130
    state = Run(out).newest("solverstate")
    assert state is not None
    assert f"stopped; --resume goes on from {state.name}" in printed
    assert (out / "curves.png").exists()
    reached = int(state.stem.rpartition("_")[2])
    resumed = train(TrainOptions(iterations=reached + 2), out, resume=True, quiet=True)
    assert resumed.newest_weights().name == f"model_iter_{reached + 2}.caffemodel"


def read_if_there(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def wait_for(condition: Any) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def test_the_precision_is_the_solvers(dataset: Path, tmp_path: Path) -> None:
    run = train(
        replace(TINY, data=dataset, precision="bf16", iterations=1), tmp_path / "bf16", quiet=True
    )
    solver = text_format.Parse(run.solver.read_text(), caffe_pb2.SolverParameter())
    assert solver.precision == caffe_pb2.BF16
    assert run.config().precision == "bf16"


def test_what_caffe_fails_with_is_told(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"iteration \d+: the loss is .*train\.log\)$"):
        train(replace(TINY, data=dataset, lr=1e30, iterations=50), tmp_path / "nan", quiet=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": None}, "--data is missing"),
        ({"data": Path("nowhere")}, "nowhere: no such dataset folder"),
        ({"model": "large"}, "model 'large': expected one of ssd300_vgg16"),
        ({"size": 64}, "size 64: a small net for CPUs takes images of 96 to 512 pixels a side"),
        ({"batch": 7}, "batch 7: the split 'train' of .* has 6 images"),
        ({"batch": 0}, "batch: expected 1 or more, got 0"),
        ({"iterations": 0}, "iterations: expected 1 or more, got 0"),
        ({"lr": 0.0}, "learning rate: expected a positive number"),
        ({"precision": "fp16"}, "precision 'fp16': expected one of fp32, bf16"),
        ({"center_features": -1}, "center features: expected 0 or more, got -1"),
        ({"center_loss_weight": -0.5}, "center loss weight: expected 0 or more, got -0.5"),
        ({"weights": Path("nowhere.caffemodel")}, "nowhere.caffemodel: no such file of weights"),
    ],
)
def test_refusals_come_before_anything_is_written(
    changes: dict[str, Any], message: str, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(UserError, match=message):
        train(replace(TINY, **{"data": dataset, **changes}), out, quiet=True)
    assert not out.exists()


def test_weights_of_another_number_of_classes(run: Run, dataset: Path, tmp_path: Path) -> None:
    net = caffe_pb2.NetParameter()
    net.ParseFromString(run.newest_weights().read_bytes())
    for layer in net.layer:
        if layer.name == "conv4_3_mbox_conf":
            layer.blobs[0].shape.dim[0] = 84
    weights = tmp_path / "other.caffemodel"
    weights.write_bytes(net.SerializeToString())
    options = replace(TINY, data=dataset, weights=weights)
    message = (
        r"layer conv4_3_mbox_conf has 84 outputs, the net's has 24 \(another number of classes\?\)"
    )
    with pytest.raises(UserError, match=message):
        train(options, tmp_path / "run", quiet=True)
    weights.write_bytes(b"\xff\xff\xff")
    with pytest.raises(UserError, match="not a caffemodel"):
        train(options, tmp_path / "run", quiet=True)


def test_missing_splits(dataset: Path, tmp_path: Path) -> None:
    broken = tmp_path / "pets"
    broken.mkdir()
    for file in dataset.iterdir():
        (broken / file.name).symlink_to(file)
    summary = json.loads((dataset / "dataset.json").read_text())
    del summary["splits"]["test"]
    (broken / "dataset.json").unlink()
    (broken / "dataset.json").write_text(json.dumps(summary))
    with pytest.raises(UserError, match="no split 'test'; there are train"):
        train(replace(TINY, data=broken), tmp_path / "run", quiet=True)


def test_folders_that_are_no_runs(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    for overwrite in (False, True):
        with pytest.raises(UserError, match="is not empty and no run; choose another folder"):
            train(replace(TINY, data=dataset), tmp_path, overwrite=overwrite, quiet=True)
    with pytest.raises(UserError, match="is a file"):
        train(replace(TINY, data=dataset), tmp_path / "letter.txt", quiet=True)
    with pytest.raises(UserError, match=r"run\.json: missing"):
        train(TINY, tmp_path, resume=True, quiet=True)


def test_resuming_with_what_does_not_fit(run: Run) -> None:
    with pytest.raises(UserError, match=r"--size 160: the run .* was begun with 96; --resume can"):
        train(TrainOptions(size=160), run.folder, resume=True, quiet=True)
    kept = run.label_map.read_text()
    try:
        LabelMap.of(["cat", "cow"]).write(run.label_map)
        with pytest.raises(UserError, match=r"classes are cat, dog; the run .* with cat, cow"):
            train(TrainOptions(), run.folder, resume=True, quiet=True)
    finally:
        run.label_map.write_text(kept)


@pytest.mark.parametrize(
    ("iterations", "interval"), [(1500, 150), (400, 50), (4, 1), (7, 1), (97, 97), (120000, 15000)]
)
def test_there_is_a_test_at_the_end(iterations: int, interval: int) -> None:
    assert interval_of_tests(iterations) == interval
    assert iterations % interval == 0
