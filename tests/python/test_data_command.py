"""`ssd-centerloss data` as a process: refusals, Ctrl-C and a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from caffe.proto import caffe_pb2
from detector_run import exit_code
from ssd_centerloss.data.dataset import Dataset
from voc_folder import image_bytes, make, object_xml

CAT = object_xml("cat", (1, 2, 11, 12))

# Encoding an image takes a moment, so that there is a half way.
SLOW = """
import signal, time
from ssd_centerloss.cli import main
from ssd_centerloss.data import writer
signal.signal(signal.SIGINT, signal.default_int_handler)
encode = writer.encode
def slow(image, options):
    time.sleep(0.5)
    return encode(image, options)
writer.encode = slow
main()
"""
PATIENCE = 60  # seconds for a process to get half way on a busy machine


def arguments(*rest: object) -> list[str]:
    return ["data", *map(str, rest)]


def run(*rest: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ssd_centerloss", *arguments(*rest)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def interrupted(room: Path, *rest: object) -> subprocess.CompletedProcess[str]:
    """The command, sent SIGINT when it has begun to write a database below `room`."""
    line = [sys.executable, "-c", SLOW, *arguments(*rest)]
    with subprocess.Popen(line, stdout=-1, stderr=-1, text=True) as process:
        end = time.monotonic() + PATIENCE
        while not any(room.glob(".*/.train_lmdb*/data.mdb")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "no database is begun"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(line, process.returncode, out, err)


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {str(i): [CAT] for i in range(200)}, {})
    room = tmp_path / "room"
    room.mkdir()
    done = interrupted(room, "voc", root, "-o", room / "out", "-j", 1)
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "ssd-centerloss: error: interrupted"
    assert "Traceback" not in done.stderr
    assert contents(room) == {}
    assert list(room.iterdir()) == []


def test_ctrl_c_leaves_the_dataset_that_was_to_be_replaced(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {str(i): [CAT] for i in range(200)}, {})
    room = tmp_path / "room"
    small = make(tmp_path / "small", {"a": [CAT]}, {"train": "a"})
    assert exit_code("data", "voc", small, "-o", room / "out", "-q") == 0
    before = contents(room)
    done = interrupted(room, "voc", root, "-o", room / "out", "-j", 1, "--overwrite")
    assert done.returncode == 130
    assert contents(room) == before
    assert Dataset.open(room / "out").count("train") == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    line = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(line, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {str(i): [CAT] for i in range(20)}, {})
    for path in (root / "JPEGImages").iterdir():
        path.write_bytes(image_bytes(1, size=(1000, 900)))
    refused = run("voc", root, "-o", small_disk / "out")
    assert refused.returncode == 1
    assert "MB are free, the databases take about" in refused.stderr, "before anything is written"
    # Images encoded anew have sizes that nobody knows before.
    done = run("voc", root, "-o", small_disk / "out", "--quality", 95)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ssd-centerloss: error: {small_disk}/out: writing ")
    assert "Traceback" not in done.stderr
    assert list(small_disk.iterdir()) == []


# -- every reader ------------------------------------------------------------


def coco(folder: Path, bbox: list[float]) -> list[object]:
    """Arguments for a COCO file of two images, the second with this box."""
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 40, "height": 30} for i in (1, 2)]
    boxes = [[1, 2, 10, 10], bbox]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": box} for i, box in enumerate(boxes, 1)
    ]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}],
    }
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(content))
    for i in (1, 2):
        (folder / f"{i}.jpg").write_bytes(image_bytes(i))
    return ["coco", folder / "a.json"]


def plain(folder: Path, bbox: list[float]) -> list[object]:
    """Arguments for a folder with the same as a table."""
    x, y, width, height = bbox
    folder.mkdir()
    text = f"1.jpg,1,2,11,12,cat\n2.jpg,{x},{y},{x + width},{y + height},cat\n"
    (folder / "labels.csv").write_text(text)
    for i in (1, 2):
        (folder / f"{i}.jpg").write_bytes(image_bytes(i))
    return ["folder", folder]


@pytest.mark.parametrize("source", [coco, plain])
def test_strict_refuses_and_writes_nothing(source: object, tmp_path: Path) -> None:
    assert callable(source)
    room = tmp_path / "room"
    room.mkdir()
    bad = source(tmp_path / "bad", [5, 5, 90, 10])
    common = ("-o", room / "out", "--test-fraction", 0, "--no-shuffle")
    done = run(*bad, *common, "--strict")
    assert done.returncode == 1
    assert "'cat' (5, 5, 95, 15) reaches beyond the image of 40 × 30; clipped" in done.stderr
    assert "1 problem in the data; --strict wrote nothing" in done.stderr.splitlines()[-1]
    assert list(room.iterdir()) == []
    assert exit_code("data", *bad, *common) == 0
    assert boxes(room / "out/train_lmdb") == [
        ("1.jpg", 1, [0.025, 2 / 30, 0.275, 0.4]),
        ("2.jpg", 1, [0.125, 5 / 30, 1, 0.5]),
    ]
    good = source(tmp_path / "good", [5, 5, 30, 10])
    assert exit_code("data", *good, *common, "--strict", "--overwrite") == 0
    assert not (room / "out/problems.txt").exists()


def boxes(path: Path) -> list[tuple[str, int, object]]:
    """Image, label and corners of each record, by lmdb and protobuf alone."""
    found = []
    with lmdb.open(str(path), readonly=True, lock=False) as database, database.begin() as reader:
        for key, value in reader.cursor():
            message = caffe_pb2.AnnotatedDatum.FromString(value)
            (group,) = message.annotation_group
            box = group.annotation[0].bbox
            corners = pytest.approx([box.xmin, box.ymin, box.xmax, box.ymax])
            found.append((key.decode().partition("_")[2], group.group_label, corners))
    return found


def test_what_a_folder_is_taken_for_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    assert exit_code("data", *plain(photos, [5, 5, 30, 10]), "-o", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:2] == [
        f"{split}: {photos} with the table {photos}/labels.csv; drawn with seed 0"
        for split in ("train", "test")
    ]
    assert f"{tmp_path}/out: 1 classes, num_classes 2" in out
    origin = json.loads((tmp_path / "out/dataset.json").read_text())["splits"]["test"]["origin"]
    assert origin in out


def test_errors_of_the_readers_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text('{"images": [\n  {"id": 1,}\n]}')
    assert exit_code("data", "coco", tmp_path / "a.json", "-o", tmp_path / "out") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ssd-centerloss: error: {tmp_path}/a.json:2:")
    assert "malformed JSON" in line
