"""Datasets as they are written: fields, order, atomicity, and what a user gets to see."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
import pytest

from caffe.proto import caffe_pb2
from golden import GOLDEN
from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.prepare import Prepared, prepare
from ssd_centerloss.data.records import count_records, read_records
from ssd_centerloss.data.voc import read_voc
from ssd_centerloss.data.writer import WriteOptions, write_dataset
from ssd_centerloss.errors import UserError
from voc_folder import image_bytes, make, object_xml

BCCD = Path(__file__).resolve().parents[3] / "shared" / "data" / "bccd"
AS_LISTED = WriteOptions(shuffle=False, threads=2, quiet=True)

CAT = object_xml("cat", (1, 2, 11, 12))
DOG = object_xml("dog", (5, 5, 40, 30), difficult=1)


def prepared(root: Path, classes: LabelMap | None = None, splits: tuple[str, ...] = ()) -> Prepared:
    return prepare(read_voc([root], splits, 0.2, seed=0), classes, threads=2, quiet=True)


def small(tmp_path: Path) -> Prepared:
    objects = {str(i): [CAT, DOG, CAT] for i in range(10)}
    objects["9"] = []
    return prepared(make(tmp_path / "voc", objects, {"trainval": "0 1 2 3 4 5 6 9", "test": "7 8"}))


def read(path: Path) -> list[tuple[bytes, bytes]]:
    with (
        lmdb.open(str(path), readonly=True, lock=False) as environment,
        environment.begin() as reader,
    ):
        return list(reader.cursor())


def test_the_fields_of_a_record(tmp_path: Path) -> None:
    write_dataset(tmp_path / "out", small(tmp_path), AS_LISTED)
    records = read(tmp_path / "out/train_lmdb")
    assert records[0][0] == b"00000000_JPEGImages/0.jpg"
    message = caffe_pb2.AnnotatedDatum.FromString(records[0][1])
    datum = message.datum
    assert (datum.channels, datum.height, datum.width, datum.label) == (3, 30, 40, -1)
    assert datum.encoded
    assert datum.data == image_bytes(0), "the file, byte for byte"
    assert message.type == caffe_pb2.AnnotatedDatum.BBOX
    cats, dogs = message.annotation_group
    assert (cats.group_label, dogs.group_label) == (1, 2)
    assert [annotation.instance_id for annotation in cats.annotation] == [0, 1]
    box = dogs.annotation[0].bbox
    assert [box.xmin, box.ymin, box.xmax, box.ymax] == [0.125, np.float32(5 / 30), 1, 1]
    assert box.difficult
    assert not cats.annotation[0].bbox.difficult


@pytest.mark.skipif(not (GOLDEN.is_dir() and BCCD.is_dir()), reason="the measured data is absent")
def test_writes_what_the_converter_of_caffe_ssd_wrote(tmp_path: Path) -> None:
    measured = GOLDEN / "annotated_data"
    root = tmp_path / "voc"
    (root / "ImageSets/Main").mkdir(parents=True)
    for folder in ("Annotations", "JPEGImages"):
        (root / folder).symlink_to(BCCD / "BCCD" / folder)
    ids = [Path(line.split()[0]).stem for line in (measured / "list.txt").read_text().splitlines()]
    (root / "ImageSets/Main/train.txt").write_text("\n".join(ids))
    label_map = LabelMap.read(measured / "labelmap.prototxt")
    write_dataset(tmp_path / "out", prepared(root, label_map), AS_LISTED)
    ours = read(tmp_path / "out/train_lmdb")
    theirs = read(measured / "db")
    assert [key for key, _ in ours] == [key for key, _ in theirs]
    for (_, mine), (_, other) in zip(ours, theirs, strict=True):
        parsed = [caffe_pb2.AnnotatedDatum.FromString(value) for value in (mine, other)]
        assert parsed[0] == parsed[1]
        pixels = [decoded(message) for message in parsed]
        assert np.array_equal(*pixels)


def decoded(message: Any) -> np.ndarray[Any, Any]:
    return cv2.imdecode(np.frombuffer(message.datum.data, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.skipif(not BCCD.is_dir(), reason="the blood cells are absent")
def test_counts_of_real_data_agree_with_a_naive_count(tmp_path: Path) -> None:
    write_dataset(tmp_path / "out", prepared(BCCD), replace(AS_LISTED, shuffle=True))
    dataset = Dataset.open(tmp_path / "out")
    assert set(dataset.splits) == {"train", "test"}
    for split, source in (("train", "trainval"), ("test", "test")):
        ids = (BCCD / f"BCCD/ImageSets/Main/{source}.txt").read_text().split()
        expected: Counter[str] = Counter()
        for image_id in ids:
            for item in ET.parse(BCCD / f"BCCD/Annotations/{image_id}.xml").iter("object"):
                xmin, ymin, xmax, ymax = (
                    int(item.findtext(f"bndbox/{tag}", ""))
                    for tag in ("xmin", "ymin", "xmax", "ymax")
                )
                expected[item.findtext("name", "")] += xmin < xmax and ymin < ymax
        found: Counter[str] = Counter()
        records = read(dataset.lmdb(split))
        for _, value in records:
            for group in caffe_pb2.AnnotatedDatum.FromString(value).annotation_group:
                found[dataset.label_map.names[group.group_label]] += len(group.annotation)
        assert found == expected
        assert dataset.boxes(split) == dict(expected)
        assert len(records) == dataset.count(split) == len(ids)


def test_names_and_sizes_stand_in_the_order_of_the_database(tmp_path: Path) -> None:
    data = small(tmp_path)
    write_dataset(tmp_path / "out", data, WriteOptions(seed=3, threads=2, quiet=True))
    lines = (tmp_path / "out/train_name_size.txt").read_text().splitlines()
    keys = [record.key for record in read_records(tmp_path / "out/train_lmdb")]
    assert [line.split()[1:] for line in lines] == [["30", "40"]] * 8
    assert [Path(key).stem for key in keys] == [line.split()[0] for line in lines]
    assert [key[:8] for key in keys] == [f"{i:08d}" for i in range(8)]
    assert [line.split()[0] for line in lines] != ["0", "1", "2", "3", "4", "5", "6", "9"]


def test_a_seed_gives_the_same_order(tmp_path: Path) -> None:
    data = small(tmp_path)
    options = WriteOptions(seed=3, threads=1, quiet=True)
    for name, chosen in (("a", options), ("b", replace(options, threads=4)), ("c", WriteOptions())):
        random.seed(name)
        write_dataset(tmp_path / name, data, replace(chosen, quiet=True))
    first, again, other = (read(tmp_path / name / "train_lmdb") for name in "abc")
    assert first == again
    assert first != other


def test_the_index(tmp_path: Path) -> None:
    summary = write_dataset(tmp_path / "out", small(tmp_path), AS_LISTED)
    assert summary == json.loads((tmp_path / "out/dataset.json").read_text())
    assert summary["splits"]["train"] == {
        "images": 8,
        "boxes": {"cat": 14, "dog": 7},
        "difficult": 7,
        "without_boxes": 1,
        "origin": "trainval",
    }
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.label_map == LabelMap.of(["cat", "dog"])
    assert count_records(dataset.lmdb("test")) == dataset.count("test") == 2


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"resize": (20, 25)}, (20, 25)),
        ({"min_dim": 60}, (80, 60)),
        ({"quality": 50}, (40, 30)),
    ],
)
def test_encodes_anew(options: dict[str, Any], size: tuple[int, int], tmp_path: Path) -> None:
    write_dataset(tmp_path / "out", small(tmp_path), replace(AS_LISTED, **options))
    record = next(read_records(tmp_path / "out/train_lmdb"))
    assert (record.width, record.height) == size
    assert record.decode().shape == (size[1], size[0], 3)
    assert record.image != image_bytes(0)
    # Fractions of the image do not change with its size; results are in pixels of the original.
    assert record.boxes[0].xmin == pytest.approx(1 / 40)
    assert (tmp_path / "out/train_name_size.txt").read_text().startswith("0 30 40\n")


# -- what is there stays -----------------------------------------------------


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replaces_a_dataset_only_when_told(tmp_path: Path) -> None:
    data, out = small(tmp_path), tmp_path / "rooms" / "out"
    write_dataset(out, data, AS_LISTED)
    with pytest.raises(UserError, match="exists; --overwrite replaces it"):
        write_dataset(out, data, AS_LISTED)
    (out / "mine.txt").write_text("x")
    write_dataset(out, data, replace(AS_LISTED, overwrite=True))
    assert "mine.txt" not in entries(out)
    assert entries(out.parent) == ["out"]
    (tmp_path / "else").mkdir()
    (tmp_path / "else/notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"exists and has no dataset\.json"):
        write_dataset(tmp_path / "else", data, replace(AS_LISTED, overwrite=True))


@pytest.mark.parametrize("error", [KeyboardInterrupt, UserError, OSError])
def test_a_failure_in_the_middle_leaves_nothing(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = small(tmp_path), tmp_path / "rooms" / "out"
    write_dataset(out, data, AS_LISTED)
    before = read(out / "train_lmdb")
    from ssd_centerloss.data import writer

    def fails(image: Any, options: Any) -> Any:
        if image.name == "5":
            raise error("stop")
        return image.path.read_bytes(), (40, 30)

    monkeypatch.setattr(writer, "encode", fails)
    with pytest.raises((error, UserError)):
        write_dataset(out, data, replace(AS_LISTED, overwrite=True))
    assert entries(out.parent) == ["out"]
    assert read(out / "train_lmdb") == before


def command(*arguments: object, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """`ssd-centerloss data …`; limit: no file may grow beyond so many bytes."""
    code = (
        "import resource, sys; from ssd_centerloss.cli import main\n"
        f"limit = {limit}\n"
        "if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "main()"
    )
    line = [sys.executable, "-c", code, "data", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    make(tmp_path / "voc", {str(i): [CAT] for i in range(40)}, {"train": "0 1 2 3 4 5 6 7 8 9"})
    (tmp_path / "rooms").mkdir()
    done = command("voc", tmp_path / "voc", "-o", tmp_path / "rooms/out", limit=20000)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ssd-centerloss: error: {tmp_path}/rooms/out: writing the database")
    assert "MB are free on the disk" in last
    assert entries(tmp_path / "rooms") == []


def test_asks_for_room_first(tmp_path: Path) -> None:
    data = small(tmp_path)
    data.bytes = 1 << 60
    with pytest.raises(UserError, match="MB are free, the databases take about"):
        write_dataset(tmp_path / "out", data, AS_LISTED)
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path) -> None:
    bad = object_xml("dog", (5, 5, 5, 30))
    root = make(tmp_path / "voc", {"a": [CAT, bad], "b": [CAT]}, {"train": "a", "test": "b"})
    out = tmp_path / "out"
    strict = command("voc", root, "-o", out, "--strict")
    assert strict.returncode == 1
    assert "a.xml:13: 'dog' (5, 5, 5, 30) has no area" in strict.stderr
    assert strict.stderr.splitlines()[-1] == (
        "ssd-centerloss: error: 1 problem in the data; --strict wrote nothing"
    )
    assert not out.exists()
    done = command("voc", root, "-o", out, "--classes", "cat,dog")
    assert done.returncode == 0, done.stderr
    assert "has no area" in done.stderr
    assert "writing test: 1 of 1" in done.stderr
    assert f"{out}: 2 classes, num_classes 3" in done.stdout
    assert "has no area" in (out / "problems.txt").read_text()
    assert Dataset.open(out).boxes("train") == {"cat": 1, "dog": 0}
    again = command("voc", root, "-o", out)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resize", "300"], "--resize 300: expected WIDTHxHEIGHT"),
        (["--resize", "3x3", "--min-dim", "2"], "exclude each other"),
        (["--classes", "a,a"], "the class 'a' comes twice"),
        (["--classes", "no/such.txt"], "no such file"),
        (["--test-fraction", "1.5"], "expected at least 0, less than 1"),
    ],
)
def test_options_that_cannot_be(arguments: list[str], message: str, tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT], "b": [CAT]}, {})
    done = command("voc", root, "-o", tmp_path / "out", *arguments)
    assert done.returncode == 1
    assert message in done.stderr


# -- opening -----------------------------------------------------------------


def test_opening_names_what_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UserError, match="no such dataset folder"):
        Dataset.open(out)
    write_dataset(out, small(tmp_path), AS_LISTED)
    dataset = Dataset.open(out)
    with pytest.raises(UserError, match="no split 'val'; there are train, test"):
        dataset.lmdb("val")
    LabelMap.of(["cat"]).write(out / "labelmap.prototxt")
    with pytest.raises(UserError, match="its classes are cat; the databases were written with"):
        Dataset.open(out)
    LabelMap.of(["cat", "dog"]).write(out / "labelmap.prototxt")
    (out / "test_lmdb/data.mdb").unlink()
    with pytest.raises(UserError, match=r"data\.mdb: missing from the dataset"):
        Dataset.open(out)
    (out / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=r"dataset\.json: cannot be read"):
        Dataset.open(out)


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no LMDB here"):
        next(read_records(tmp_path))
    (tmp_path / "data.mdb").write_bytes(bytes(100))
    with pytest.raises(UserError, match="not a database that can be read"):
        next(read_records(tmp_path))
