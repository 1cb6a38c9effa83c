"""run.json and the files of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ssd_centerloss.errors import UserError
from ssd_centerloss.runs import Run, RunConfig, iteration_of

CONFIG = RunConfig(
    model="small",
    size=160,
    data="/data/cells",
    num_classes=4,
    mean_values=(104.0, 117.0, 123.0),
    scale=0.015625,
    batch=16,
    iterations=100,
    lr=0.002,
    center_features=16,
    center_loss_weight=0.1,
    center_lr=0.5,
    mirror=True,
    seed=1,
    threads=2,
)


def test_run_json_goes_round(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for config in (CONFIG, replace(CONFIG, weights="a.caffemodel", center_lr=None)):
        config.write(path)
        assert RunConfig.read(path) == config
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("features", "weight", "has"), [(16, 0.1, True), (0, 0.1, False), (16, 0.0, False)]
)
def test_no_features_or_no_weight_is_the_plain_loss(
    features: int, weight: float, has: bool
) -> None:
    config = replace(CONFIG, center_features=features, center_loss_weight=weight)
    assert config.has_center_loss == has


def test_what_is_no_run_json(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(UserError, match=r"run\.json: missing; expected the folder of a run"):
        RunConfig.read(path)
    path.write_text("{")
    with pytest.raises(UserError, match=r"run\.json: not JSON"):
        RunConfig.read(path)
    path.write_text("[]")
    with pytest.raises(UserError, match="expected an object, got list"):
        RunConfig.read(path)
    CONFIG.write(path)
    values = json.loads(path.read_text())
    del values["size"]
    path.write_text(json.dumps({**values, "sise": 160}))
    with pytest.raises(UserError, match="missing size; unknown sise"):
        RunConfig.read(path)
    CONFIG.write(path)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "mean_values": None}))
    with pytest.raises(UserError, match="mean_values is None, expected a list of numbers"):
        RunConfig.read(path)


def test_the_newest_snapshot_has_the_most_iterations(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.newest("solverstate") is None
    with pytest.raises(UserError, match=r"no model_iter_N\.caffemodel"):
        run.newest_weights()
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for name in ("model_iter_90", "model_iter_1000", "model_iter_x", "other_iter_2000"):
        (folder / f"{name}.caffemodel").touch()
    (folder / "model_iter_90.solverstate").touch()
    assert run.newest_weights().name == "model_iter_1000.caffemodel"
    assert run.newest("solverstate") == folder / "model_iter_90.solverstate"


def test_iteration_of_a_snapshot() -> None:
    assert iteration_of(Path("a/VGG_SSD_iter_120000.solverstate")) == 120000
    with pytest.raises(UserError, match="ends in _iter_N"):
        iteration_of(Path("VGG_ILSVRC_16.caffemodel"))
