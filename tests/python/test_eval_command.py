"""`ssd-centerloss eval`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import caffe
import detector_run
from detector_run import exit_code
from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.database import write_database
from ssd_centerloss.detections import Detections
from ssd_centerloss.errors import UserError
from ssd_centerloss.evaluation.split import in_batches, read_split
from ssd_centerloss.inference import Detector


def command(*arguments: object) -> int:
    """The exit code of `ssd-centerloss eval` with these arguments."""
    return exit_code("eval", *arguments)


def perfect(dataset: Path) -> list[Detections]:
    """The ground truth, as detections."""
    truths = [item.truth for item in read_split(Dataset.open(dataset), "test")]
    return [Detections(t.labels, np.full(len(t), 0.9), t.boxes) for t in truths]


def detecting(found: list[Detections], patch: pytest.MonkeyPatch) -> None:
    """Makes every Detector find this, image after image."""
    left = iter(found)
    patch.setattr(Detector, "detect", lambda _, images: [next(left) for _ in images])


def test_reads_a_split(dataset: Path) -> None:
    images = list(read_split(Dataset.open(dataset), "test"))
    assert [item.name for item in images] == ["image0", "image1", "image2", "image3"]
    assert [len(item.truth) for item in images] == [3, 0, 3, 3]
    assert images[0].truth.difficult.tolist() == [False, False, True]
    assert images[0].truth.labels.tolist() == [1, 2, 3]
    first = images[0]
    assert first.image is not None
    # The boxes are in pixels: the pixels inside have the grey level of the class.
    x, y, right, bottom = np.rint(first.truth.boxes[2]).astype(int)
    assert (first.image[y:bottom, x:right] == 180).all()
    assert first.truth.boxes[:, 2:] - first.truth.boxes[:, :2] == pytest.approx(45, abs=1e-4)


def test_batches() -> None:
    assert list(in_batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_batches([], 2)) == []


def test_the_files_and_the_table(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(run, "--out", tmp_path, "--batch", 3, "--metric", "coco50") == 0
    printed = capfd.readouterr()
    assert "AP50" in printed.out
    assert "VOC07" not in printed.out
    assert "center features of" in printed.out
    assert "class scores of" in printed.out
    assert "images/s" in printed.err
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["split"] == "test"
    assert metrics["images"] == 4
    # One owl is difficult.
    assert [row["ground_truths"] for row in metrics["classes"]] == [3, 3, 2]
    rows = json.loads((tmp_path / "detections.json").read_text())
    assert {row["image_id"] for row in rows} <= {"image0", "image1", "image2", "image3"}
    assert len(rows) == sum(row["detections"] for row in metrics["classes"])
    assert all(len(row["bbox"]) == 4 and 1 <= row["category_id"] <= 3 for row in rows)
    for picture in ("pr_curves.png", "confusion.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def test_the_batch_does_not_matter(run: Path, tmp_path: Path) -> None:
    results = []
    for batch in (1, 4):
        assert command(run, "--out", tmp_path / str(batch), "--batch", batch) == 0
        results.append(json.loads((tmp_path / str(batch) / "metrics.json").read_text()))
    assert results[0]["classes"] == results[1]["classes"]
    for kind in ("center_features", "class_scores"):
        # Float sums, in another order for another batch.
        assert results[0]["features"][kind] == pytest.approx(results[1]["features"][kind], rel=1e-4)


def test_perfect_detections(
    run: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detecting(perfect(dataset), monkeypatch)
    assert command(run, "--out", tmp_path, "--no-features") == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for name in ("voc07", "voc12", "coco", "coco75"):
        assert metrics["mean"][name] == pytest.approx(1)
    # 45² is medium; nothing is small or large.
    assert metrics["mean"]["coco_medium"] == pytest.approx(1)
    assert metrics["mean"]["coco_small"] is None
    assert metrics["confusion"]["matrix"] == np.diag([0, 3, 3, 2]).tolist()
    assert metrics["features"] is None


def test_nothing_detected(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    detecting([Detections.none()] * 4, monkeypatch)
    assert command(run, "--out", tmp_path, "--no-features") == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["mean"]["voc07"] == 0
    assert json.loads((tmp_path / "detections.json").read_text()) == []
    assert "0.000" in capfd.readouterr().out


def test_a_run_without_center_features(dataset: Path, tmp_path: Path) -> None:
    run = detector_run.write_run(tmp_path / "plain", dataset, center_features=0)
    assert command(run) == 0
    metrics = json.loads((run / "eval" / "metrics.json").read_text())
    assert "center_features" not in metrics["features"]
    assert metrics["features"]["class_scores"]["ratio"] > 0


def test_broken_records_are_named_and_left_out(
    run: Path, dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import lmdb

    copy = tmp_path / "data"
    shutil.copytree(dataset, copy)
    with lmdb.open(str(copy / "test_lmdb")) as environment, environment.begin(write=True) as t:
        key, _ = list(t.cursor())[2]
        t.put(bytes(key), b"\xff\xff no record")
    assert command(run, "--data", copy, "--out", tmp_path / "out") == 0
    printed = capfd.readouterr().out
    assert "1 images left out" in printed
    assert "image2: not an AnnotatedDatum" in printed
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["images"] == 3
    assert [row["ground_truths"] for row in metrics["classes"]] == [2, 2, 1]


def refused(capfd: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that the command ends with."""
    capfd.readouterr()
    assert command(*arguments) == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("ssd-centerloss: error: ")
    return lines[-1]


def test_refuses(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "run.json: missing" in refused(capfd, tmp_path)
    assert "no split 'val'; there are train, test" in refused(capfd, run, "--split", "val")
    assert "--metric map: expected one of voc07" in refused(capfd, run, "--metric", "map")
    assert "x.caffemodel: no such weights" in refused(capfd, run, "--weights", "x.caffemodel")
    truncated = tmp_path / "cut.caffemodel"
    whole = next((run / "snapshots").glob("*.caffemodel")).read_bytes()
    truncated.write_bytes(whole[: len(whole) // 2])
    assert "cut.caffemodel" in refused(capfd, run, "--weights", truncated)


def test_refuses_a_run_without_snapshots(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("snapshots"))
    assert "no model_iter_N.caffemodel" in refused(capfd, copy)


def test_refuses_other_classes(
    run: Path, dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    label_map = (copy / "labelmap.prototxt").read_text()
    (copy / "labelmap.prototxt").write_text(label_map.replace("dog", "fox"))
    line = refused(capfd, copy)
    assert "classes are cat, dog, owl; the run was trained on cat, fox, owl" in line
    lines = label_map.split("item {")
    (copy / "labelmap.prototxt").write_text("item {".join(lines[:-1]))
    line = refused(capfd, copy)
    assert "has num_classes 4, but the label map has 3 with the background (cat, dog)" in line


def test_refuses_an_empty_split(
    run: Path, dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import lmdb

    copy = tmp_path / "data"
    shutil.copytree(dataset, copy)
    with lmdb.open(str(copy / "test_lmdb")) as environment, environment.begin(write=True) as t:
        t.drop(environment.open_db(txn=t), delete=False)
    assert "the split 'test' has no images" in refused(capfd, run, "--data", copy)


def test_refuses_names_that_are_not_those_of_the_database(
    run: Path, dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "data"
    shutil.copytree(dataset, copy)
    (copy / "test_name_size.txt").write_text("image0 10 10\n")
    assert "1 lines, but the database has 4 records" in refused(capfd, run, "--data", copy)


def test_refuses_predictions_that_are_not_numbers(
    run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    net = caffe.Net(run / "deploy.prototxt", caffe.TEST)
    net.copy_from(next((run / "snapshots").glob("*.caffemodel")))
    net.params["conv3_3_mbox_loc"][0].data[0] = np.nan
    net.save(tmp_path / "nan.caffemodel")
    line = refused(capfd, run, "--weights", tmp_path / "nan.caffemodel", "--no-features")
    assert "nan.caffemodel" in line
    assert "of mbox_loc are NaN or infinite: the training has diverged" in line


def test_all_images_broken(dataset: Path, tmp_path: Path) -> None:
    from ssd_centerloss.evaluation.report import Evaluator

    write_database(tmp_path / "test_lmdb", [("0", b"\xff\xff")])
    evaluator = Evaluator(None, None, 2)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="there are no images"):
        evaluator.report()
