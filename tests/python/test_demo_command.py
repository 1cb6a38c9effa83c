"""`ssd-centerloss demo`, with few scenes and few iterations."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import pytest

from detector_run import exit_code
from ssd_centerloss import scenes
from ssd_centerloss.data.dataset import Dataset


def test_the_demo_makes_data_a_run_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    few = partial(scenes.SceneOptions, train=16, test=4)
    monkeypatch.setattr(scenes, "SceneOptions", few)
    out = tmp_path / "demo"
    words = ["demo", "--out", out, "--iterations", 2, "-j", 1]
    assert exit_code(*words) == 0
    printed = capfd.readouterr().out
    dataset = Dataset.open(out / "data")
    assert (dataset.count("train"), dataset.count("test")) == (16, 4)
    assert set(dataset.label_map.classes) <= set("0123456789")
    metrics = json.loads((out / "run/eval/metrics.json").read_text())
    assert metrics["images"] == 4
    assert 0 <= metrics["mean"]["voc07"] <= 1
    assert cv2.imread(str(out / "detections.png")) is not None
    assert f"detections: {out / 'detections.png'}" in printed
    assert exit_code(*words) == 0, "an older demo is replaced"
