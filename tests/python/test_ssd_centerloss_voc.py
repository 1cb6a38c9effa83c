"""The VOC example: what it writes, what it says is missing, and a training of a small recipe."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf import text_format

import voc_folder
from caffe.proto import caffe_pb2
from ssd_centerloss import models
from ssd_centerloss.commands import data as data_command
from ssd_centerloss.data.label_map import LabelMap

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ssd_centerloss_voc.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ssd_centerloss_voc", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(path: str, message: Any) -> Any:
    return text_format.Parse(Path(path).read_text(), message)


@pytest.mark.parametrize(("size", "sources"), [(300, 6), (512, 7)])
def test_files_for_voc(example: ModuleType, size: int, sources: int) -> None:
    words = ["--size", str(size), "--out", "out", "--batch", "32", "--center-loss-weight", "0.05"]
    assert example.main(words) == 0
    train = read("out/train.prototxt", caffe_pb2.NetParameter())
    assert train.layer[0].data_param.batch_size == 8
    loss = train.layer[-1]
    assert loss.type == "MultiBoxCenterLoss"
    assert loss.multibox_loss_param.num_classes == 21
    assert loss.multibox_center_loss_param.weight == pytest.approx(0.05)
    heads = [layer.name for layer in train.layer if layer.name.endswith("_center_mbox_conf")]
    assert len(heads) == sources
    deploy = read("out/deploy.prototxt", caffe_pb2.NetParameter())
    assert list(deploy.layer[0].input_param.shape[0].dim) == [1, 3, size, size]
    solver = read("out/solver.prototxt", caffe_pb2.SolverParameter())
    assert solver.iter_size == 4
    assert solver.test_iter[0] == 4952 // 8
    script = Path("out/train.sh").read_text().splitlines()[-1]
    assert "caffe train -solver out/solver.prototxt" in script
    assert script.endswith("-weights VGG_ILSVRC_16_layers_fc_reduced.caffemodel")
    assert read("out/test.prototxt", caffe_pb2.NetParameter()).layer[-1].name == "detection_eval"


def test_without_center_features_it_is_ssd(example: ModuleType) -> None:
    example.main(["--out", "out", "--center-features", "0"])
    train = Path("out/train.prototxt").read_text()
    assert 'type: "MultiBoxLoss"' in train
    assert "center" not in train


def test_what_is_missing_is_named_with_where_to_get_it(
    example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example.main(["--data", "nowhere", "--run"]) == 1
    printed = capsys.readouterr().out
    for text in (
        "missing data: nowhere/train_lmdb, nowhere/test_lmdb, nowhere/labelmap.prototxt",
        "VOCtrainval_11-May-2012.tar",
        "ssd-centerloss data voc VOCdevkit -o nowhere",
        "missing weights: VGG_ILSVRC_16_layers_fc_reduced.caffemodel",
        "https://gist.github.com/weiliu89",
    ):
        assert text in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "320"], "--size 320: expected 300 or 512"),
        (["--batch", "30"], "--batch 30 is no multiple of 8 a pass"),
        (["--resume"], "--resume: runs/ssd_voc has no ssd_iter_N.solverstate"),
        (["--label-map", "map.prototxt", "--classes", "21"], "map.prototxt: 3 classes with the"),
    ],
)
def test_what_cannot_be(
    words: list[str], message: str, example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    LabelMap.of(["cat", "dog"]).write("map.prototxt")
    assert example.main(words) == 1
    assert message in capsys.readouterr().err


def test_a_small_recipe_trains_on_a_dataset_and_is_resumed(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way with --data and --run, VGG16 replaced by what a processor can train."""
    objects = {f"i{i}": [voc_folder.object_xml("cat", (3, 4, 25, 20))] for i in range(4)}
    voc = voc_folder.make(Path("voc"), objects, {"trainval": "i0 i1 i2", "test": "i3"})
    data_command.voc([voc], Path("cats"), quiet=True)
    small = models.RECIPES["small"]

    def tiny(options: Any) -> models.Recipe:
        schedule = replace(small.schedule, batch=2, iterations=options.iterations)
        return replace(small, size=96, schedule=schedule)

    monkeypatch.setattr(example, "recipe", tiny)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = ["--data", "cats", "--out", "out", "--weights", "", "--run"]
    assert example.main([*words, "--iterations", "2"]) == 0
    loss = read("out/train.prototxt", caffe_pb2.NetParameter()).layer[-1]
    assert loss.multibox_loss_param.num_classes == 2
    assert Path("out/ssd_iter_2.caffemodel").exists()
    assert example.main([*words, "--iterations", "3", "--resume"]) == 0
    assert Path("out/ssd_iter_3.caffemodel").exists()
    assert "Resuming from out/ssd_iter_2.solverstate" in Path("out/train.log").read_text()


def test_help_has_examples() -> None:
    line = [sys.executable, str(EXAMPLE), "--help"]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert "--center-loss-weight" in printed
    assert "python examples/ssd_centerloss_voc.py --size 512" in printed
