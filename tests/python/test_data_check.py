"""Databases read back: what is counted, and what is called broken."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import cv2
import lmdb
import pytest

from caffe.proto import caffe_pb2
from detector_run import exit_code
from golden import GOLDEN
from ssd_centerloss.data.check import (
    CheckOptions,
    check_database,
    check_dataset,
    describe,
    histogram,
)
from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.prepare import prepare
from ssd_centerloss.data.voc import read_voc
from ssd_centerloss.data.writer import WriteOptions, write_dataset
from ssd_centerloss.database import write_database
from ssd_centerloss.evaluation.grid import GAP
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
    findings = check_database(tmp_path / "out/train_lmdb", CLASSES, CheckOptions(samples=1))
    assert (findings.records, findings.empty, len(findings.report)) == (3, 1, 0)
    assert findings.boxes == {"cat": 2, "dog": 1}
    assert findings.difficult.total() == 1
    assert findings.sizes == {(40, 30): 3}
    assert sorted(findings.sides)[:2] == pytest.approx([0.5, 0.5])
    assert [image.shape for image, _ in findings.samples] == [(30, 40, 3)]
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
        (record(label=3), "'label 3' (0.25, 0.25, 0.5, 0.5): label 3, expected 1 to 2"),
        (record(label=0), "label 0, expected 1 to 2"),
        (record(xmax=0.25), "has no area"),
        (record(xmax=1.5), "reaches beyond the image"),
        (record(xmax=float("nan")), "is not a box"),
    ],
)
def test_names_what_is_broken(value: bytes, message: str, tmp_path: Path) -> None:
    write_database(tmp_path / "db", [("a", record()), ("bad", value), ("c", record())])
    findings = check_database(tmp_path / "db", CLASSES)
    (problem,) = findings.report.problems
    assert problem.where == f"{tmp_path}/db, record 'bad'"
    assert message in problem.text
    assert findings.boxes["cat"] >= 2, "what follows is read"


def test_nothing_to_count() -> None:
    assert histogram([]) == []


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object) -> Done:
    """`ssd-centerloss data check …` in this process."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = exit_code("data", "check", *arguments)
    return Done(code, out.getvalue(), err.getvalue())


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
    assert drawn.shape[1] == 4 * (280 + 2 * GAP)


def test_broken_records_fail_the_command(tmp_path: Path) -> None:
    write_database(tmp_path / "db", [("a", record()), ("bad", b"\xff\xff")])
    done = command(tmp_path / "db")
    assert done.returncode == 1
    assert "record 'bad': not an AnnotatedDatum" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("1 thing is wrong")
    assert "label 1" in done.stdout


# -- the files beside a database ---------------------------------------------


def dataset(tmp_path: Path, images: str = "a b c d e f") -> Path:
    ids = images.split()
    root = make(tmp_path / "voc", {i: [CAT] for i in ids}, {"train": images, "test": images})
    prepared = prepare(read_voc([root], [], 0.2, 0), None, threads=1, quiet=True)
    write_dataset(tmp_path / "out", prepared, WriteOptions(quiet=True))
    return tmp_path / "out"


def test_a_dataset(tmp_path: Path) -> None:
    out = dataset(tmp_path)
    picture = tmp_path / "p.png"
    done = command(out, "--samples", 2, "-p", picture)
    assert done.returncode == 0, done.stderr
    assert "train: 6 records" in done.stdout
    assert "reading test_lmdb: 6 of 6" in done.stderr
    assert "6 images of 'test' are in 'train' too" in done.stdout
    first = picture.read_bytes()
    command(out, "--samples", 2, "-p", picture, "-q")
    assert picture.read_bytes() == first
    command(out, "--samples", 2, "-p", picture, "--seed", 1)
    assert picture.read_bytes() != first
    one = command(out, "--split", "test", "-q")
    assert one.stdout.startswith("test: 6 records")
    assert "train" not in one.stdout + one.stderr
    assert "no split 'val'; there are train, test" in command(out, "--split", "val").stderr
    alone = command(out / "train_lmdb")
    assert "  cat        6  " in alone.stdout, "by the label map beside it"
    assert "without splits" in command(out / "train_lmdb", "--split", "train").stderr


def spoilt(out: Path, name: str, old: str, new: str) -> list[str]:
    """What is reported of the test split after a change to a file of the dataset."""
    text = (out / name).read_text()
    assert old in text
    (out / name).write_text(text.replace(old, new, 1))
    opened = Dataset.open(out)
    findings = check_database(opened.lmdb("test"), opened.label_map)
    check_dataset(opened, "test", findings)
    (out / name).write_text(text)
    return [str(problem).removeprefix(f"{out}/") for problem in findings.report.problems]


def test_files_that_disagree_with_the_database(tmp_path: Path) -> None:
    out = dataset(tmp_path)
    names = "test_name_size.txt"
    first, second, *_ = (out / names).read_text().splitlines()
    assert spoilt(out, names, "x" * 0, "") == []
    assert spoilt(out, names, first, f"{first}x") == [
        f"{names}:1: '{first}x', expected NAME HEIGHT WIDTH"
    ]
    assert spoilt(out, names, f"{first}\n", "") == [f"{names}: 5 lines, the database has 6 records"]
    ((size,),) = [spoilt(out, names, first, f"{first[0]} 31 40")]
    assert size.startswith(f"{names}:1: 40 × 31, record '00000000_JPEGImages/{first[0]}.jpg' has")
    assert spoilt(out, names, second, first) == [f"{names}: '{first[0]}' comes 2 times"]
    ((order,),) = [spoilt(out, names, f"{first}\n{second}", f"{second}\n{first}")]
    assert f"'{second[0]}' is not the image of record" in order
    index = (out / "dataset.json").read_text()
    _, _, test = index.partition('"test"')
    assert spoilt(out, "dataset.json", test, test.replace('"cat": 6', '"cat": 7')) == [
        "dataset.json: says 7 boxes of 'cat' in 'test', the database has 6"
    ]


def test_resized_images_keep_their_original_sizes_in_the_file_of_names(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT], "b": [CAT]}, {"train": "a b"})
    prepared = prepare(read_voc([root], [], 0.2, 0), None, threads=1, quiet=True)
    write_dataset(tmp_path / "out", prepared, WriteOptions(resize=(20, 20), quiet=True))
    done = command(tmp_path / "out")
    assert done.returncode == 0, done.stderr


def test_an_empty_database_and_no_database(tmp_path: Path) -> None:
    lmdb.open(str(tmp_path / "db")).close()
    done = command(tmp_path / "db")
    assert done.returncode == 1
    assert "has no records" in done.stderr
    assert "expected a folder that `ssd-centerloss data` wrote" in command(tmp_path).stderr
