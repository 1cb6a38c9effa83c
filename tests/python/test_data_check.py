"""Databases read back: what is counted, and what is called broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from caffe.proto import caffe_pb2
from golden import GOLDEN
from ssd_centerloss.data.check import check_database, describe, grid, histogram
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.prepare import prepare
from ssd_centerloss.data.voc import read_voc
from ssd_centerloss.data.writer import WriteOptions, write_dataset
from ssd_centerloss.database import write_database
from voc_folder import image_bytes, make, object_xml

CLASSES = LabelMap.of(["cat", "dog"])
CAT = object_xml("cat", (0, 0, 20, 15))
DOG = object_xml("dog", (5, 5, 40, 30), difficult=1)


def record(label: int = 1, xmax: float = 0.5, image: bytes = b"", width: int = 40) -> bytes:
    """A record with one box."""
    message = caffe_pb2.AnnotatedDatum()
    message.datum.data = image or image_bytes()
    message.datum.encoded = True
    message.datum.channels, message.datum.height, message.datum.width = 3, 30, width
    box = message.annotation_group.add(group_label=label).annotation.add().bbox
    box.xmin, box.ymin, box.xmax, box.ymax = 0.25, 0.25, xmax, 0.5
    return bytes(message.SerializeToString())


def test_counts(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT, DOG], "b": [CAT], "c": []}, {"train": "a b c"})
    prepared = prepare(read_voc([root], [], 0.2, 0), None, threads=1, quiet=True)
    write_dataset(tmp_path / "out", prepared, WriteOptions(quiet=True))
    findings = check_database(tmp_path / "out/train_lmdb", CLASSES, samples=1)
    assert (findings.records, findings.empty, findings.broken) == (3, 1, [])
    assert findings.boxes == {"cat": 2, "dog": 1}
    assert findings.difficult.total() == 1
    assert findings.sizes == {(40, 30): 3}
    assert sorted(findings.sides)[:2] == pytest.approx([0.5, 0.5])
    assert [image.shape for image in findings.samples] == [(30, 40, 3)]
    lines = describe(findings, CLASSES)
    assert lines[0] == "3 images, 1 without boxes, 3 boxes, 1 difficult"
    assert f"  cat        2  {'#' * 30}" in lines
    assert f"  dog        1  {'#' * 15}" in lines
    assert f"  50% to 75%         2  {'#' * 30}" in lines


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"\xff\xff", "not an AnnotatedDatum"),
        (record(image=b"text"), "not an image that can be decoded"),
        (record(image=image_bytes()[:-30]), "the file ends before the image does"),
        (record(width=41), "says 41 × 30, its image has 40 × 30"),
        (record(label=3), "label 3 is no class"),
        (record(label=0), "label 0 is no class"),
        (record(xmax=0.25), "has no area"),
        (record(xmax=1.5), "reaches beyond the image"),
        (record(xmax=float("nan")), "is not a box"),
    ],
)
def test_names_what_is_broken(value: bytes, message: str, tmp_path: Path) -> None:
    write_database(tmp_path / "db", [("a", record()), ("bad", value), ("c", record())])
    findings = check_database(tmp_path / "db", CLASSES, samples=9)
    ((key, reason),) = findings.broken
    assert key == "bad"
    assert message in reason
    assert findings.boxes["cat"] >= 2, "what follows is read"


def test_a_picture_holds_all_samples(tmp_path: Path) -> None:
    samples = [np.zeros((30, 40, 3), np.uint8)] * 5
    assert grid(samples, side=50).shape == (100, 150, 3)
    with pytest.raises(ValueError, match="at least one sample"):
        grid([])
    assert histogram([]) == []


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ssd_centerloss", "data", "check", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the measured data is absent")
def test_reads_a_database_that_caffe_ssd_wrote(tmp_path: Path) -> None:
    measured = GOLDEN / "annotated_data"
    database = tmp_path / "db"
    database.symlink_to(measured / "db")
    picture = tmp_path / "samples.png"
    arguments = ("--label-map", measured / "labelmap.prototxt", "-p", picture)
    done = command(database, *arguments)
    assert done.returncode == 0, done.stderr
    assert "8 images, 0 without boxes" in done.stdout
    assert "RBC" in done.stdout
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.shape == (960, 960, 3)


def test_broken_records_fail_the_command(tmp_path: Path) -> None:
    write_database(tmp_path / "db", [("a", record()), ("bad", b"\xff\xff")])
    done = command(tmp_path / "db")
    assert done.returncode == 1
    assert "record 'bad': not an AnnotatedDatum" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("1 thing is wrong")
    assert "label 1" in done.stdout
