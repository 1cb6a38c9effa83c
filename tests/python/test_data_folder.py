"""Plain folders: YOLO texts, VOC XML and tables, and the splits that folders make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ssd_centerloss.data.annotations import Box
from ssd_centerloss.data.folder import FolderOptions, read_folder
from ssd_centerloss.data.prepare import Prepared, prepare
from ssd_centerloss.data.yolo import yaml_names
from ssd_centerloss.errors import UserError
from voc_folder import annotation_xml, image_bytes, object_xml

CAT = object_xml("cat", (1, 2, 11, 12))
BOX = "0 0.5 0.5 0.25 0.2"  # of 40 × 30: (15, 12) to (25, 18)


def fill(root: Path, texts: dict[str, str], images: str = "") -> Path:
    """Files with their texts, and images by their paths."""
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for i, name in enumerate(images.split()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(image_bytes(i, suffix=Path(name).suffix))
    return root


def read(root: Path, **options: Any) -> Prepared:
    chosen = FolderOptions(**{"test_fraction": 0, **options})
    return prepare(read_folder(root, chosen), None, threads=2, quiet=True)


def told(prepared: Prepared, root: Path) -> list[tuple[str, str]]:
    return [(p.kind, str(p).replace(f"{root}/", "")) for p in prepared.report.problems]


def names(prepared: Prepared) -> dict[str, list[str]]:
    return {split: [i.name for i in images] for split, images in prepared.splits.items()}


def corners(box: Box) -> list[float]:
    return [box.xmin, box.ymin, box.xmax, box.ymax]


# -- YOLO --------------------------------------------------------------------


def test_yolo_texts_beside_the_images(tmp_path: Path) -> None:
    texts = {"a.txt": f"{BOX}\n\n1 0.25 0.5 0.5 1\n", "b.txt": "", "classes.txt": "cat\ndog\n"}
    prepared = read(fill(tmp_path, texts, "a.jpg b.png"))
    a, b = prepared.splits["train"]
    assert [(box.name, box.line) for box in a.boxes] == [("cat", 1), ("dog", 3)]
    assert corners(a.boxes[0]) == pytest.approx([15, 12, 25, 18])
    assert corners(a.boxes[1]) == [0, 0, 20, 30]
    assert (a.width, a.height, a.key, b.boxes) == (40, 30, "a.jpg", ())
    assert prepared.label_map.classes == ("cat", "dog")
    assert len(prepared.report) == 0
    assert prepared.origin["train"] == (
        f"{tmp_path} with 2 YOLO texts, classes of {tmp_path}/classes.txt"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.2", "'0 0.5 0.5 0.2', expected CLASS X Y WIDTH HEIGHT; left out"),
        ("0 0.5 0.5 0.2 nan", "expected CLASS X Y WIDTH HEIGHT; left out"),
        ("0 0.5 0.5 0.2 0.1 0.9", "expected CLASS X Y WIDTH HEIGHT; left out"),
        ("0 0.5 x 0.2 0.1", "expected CLASS X Y WIDTH HEIGHT; left out"),
        ("2 0.5 0.5 0.2 0.2", "the class is '2', expected 0 to 1; left out"),
        ("-1 0.5 0.5 0.2 0.2", "the class is '-1', expected 0 to 1; left out"),
        ("cat 0.5 0.5 0.2 0.2", "the class is 'cat', expected 0 to 1; left out"),
        ("0 20 15 10 6", "'0 20 15 10 6' is in pixels, expected parts of the image"),
        ("0 0.5 0.5 0 0.2", "'cat' (20, 12, 20, 18) has no area; left out"),
        ("0 1.5 0.5 0.2 0.2", "lies outside the image of 40 × 30; left out"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_kept(line: str, message: str, tmp_path: Path) -> None:
    texts = {"a.txt": f"{BOX}\n{line}\n", "classes.txt": "cat\ndog\n"}
    prepared = read(fill(tmp_path, texts, "a.jpg"))
    ((_, problem),) = told(prepared, tmp_path)
    assert problem.startswith("a.txt:2: ")
    assert message in problem
    assert len(prepared.splits["train"][0].boxes) == 1


def test_a_polygon_becomes_the_box_around_it(tmp_path: Path) -> None:
    texts = {"a.txt": "0 0.1 0.2 0.5 0.1 0.3 0.6\n", "classes.txt": "cat"}
    (image,) = read(fill(tmp_path, texts, "a.jpg")).splits["train"]
    assert corners(image.boxes[0]) == pytest.approx([4, 3, 20, 18])


def test_boxes_of_an_image_that_exif_turns(tmp_path: Path) -> None:
    """Tools that write fractions show images upright, so that is what the boxes mean."""
    fill(tmp_path, {"a.txt": "0 0.5 0.25 1 0.5\n", "classes.txt": "cat"}, "a.jpg")
    jpeg = (tmp_path / "a.jpg").read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "a.jpg").write_bytes(jpeg[:2] + segment + jpeg[2:])
    prepared = read(tmp_path)
    (image,) = prepared.splits["train"]
    assert (image.width, image.height, image.turn) == (30, 40, True)
    assert corners(image.boxes[0]) == [0, 0, 30, 20]
    assert [p.kind for p in prepared.report.problems] == ["turned image"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nc: 2\nnames: ['cat', \"big dog\"]  # two\n", ["cat", "big dog"]),
        ("names: [cat,\n  'a, b',\n dog]\nnc: 3\n", ["cat", "a, b", "dog"]),
        ("names:\n- cat\n- dog # x\nnc: 2\n", ["cat", "dog"]),
        ("train: x\nnames:\n  0: cat\n  1: 'dog'\n\nnc: 2\n", ["cat", "dog"]),
        ("names:\n  1: dog\n  0: cat\n", ["cat", "dog"]),
        ("names: {0: cat, 1: dog}\n", ["cat", "dog"]),
        ("names: ['0', '1']\n", ["0", "1"]),
        ("names:\n  0: cat\n  2: dog\n", []),
        ("nc: 2\n", []),
    ],
)
def test_names_in_yaml(text: str, expected: list[str]) -> None:
    assert yaml_names(text) == expected


def test_names_of_numbers(tmp_path: Path) -> None:
    root = fill(tmp_path, {"a.txt": f"{BOX}\n12 0.5 0.5 0.1 0.1\n"}, "a.jpg")
    prepared = read(root)
    assert prepared.label_map.classes == ("0", "12")
    assert [p.kind for p in prepared.report.problems] == ["no names of classes"]
    assert "the class is '12', expected 0 to 1" in told(read(root, classes=("x", "y")), root)[0][1]
    (root / "data.yaml").write_text("names: [ant, bee]")
    assert read(root, classes=("x", "y")).splits["train"][0].boxes[0].name == "ant"
    (root / "data.yaml").write_text("nc: 2")
    with pytest.raises(UserError, match=r"data\.yaml: no names of classes"):
        read(root)


# -- XML and tables ----------------------------------------------------------


def test_xml_beside_the_images(tmp_path: Path) -> None:
    bad = annotation_xml([CAT, object_xml("cat", (5, 5, 5, 9))])
    texts = {"a.xml": annotation_xml([CAT]), "b.xml": bad, "c.xml": "<a", "d.xml": "<a/>"}
    prepared = read(fill(tmp_path, texts, "a.jpg b.jpg c.jpg"))
    assert names(prepared) == {"train": ["a", "b"]}
    assert prepared.splits["train"][0].boxes == (Box("cat", 1, 2, 11, 12, line=3),)
    assert told(prepared, tmp_path) == [
        ("missing file", f"d.xml: no image 'd' in {tmp_path}; left out"),
        ("empty box", "b.xml:13: 'cat' (5, 5, 5, 9) has no area; left out"),
        ("unreadable annotation", "c.xml:1: malformed XML: unclosed token; left out"),
    ]


def test_a_table(tmp_path: Path) -> None:
    rows = [
        "filename,xmin,ymin,xmax,ymax,class",
        "a.jpg,1,2,11.5,12,cat",
        '"a.jpg",5,5,40,30,"big, dog"',
        "b.png,,,,,",
        "gone.jpg,1,2,3,4,cat",
        "a.jpg,x,2,3,4,cat",
        "a.jpg,1,2,3,4,",
        "a.jpg,1,2",
        "a.jpg,1,2,1,4,cat",
    ]
    root = fill(tmp_path, {"labels.csv": "\n".join(rows)}, "a.jpg b.png c.jpg")
    prepared = read(root)
    a, b = prepared.splits["train"]
    assert a.boxes == (
        Box("cat", 1, 2, 11.5, 12, line=2),
        Box("big, dog", 5, 5, 40, 30, line=3),
    )
    assert b.boxes == ()
    assert told(prepared, tmp_path) == [
        ("malformed record", "labels.csv:8: 3 columns, expected 6; left out"),
        (
            "image without annotation",
            "c.jpg: no annotation; left out (--keep-unlabelled takes it for an image of nothing)",
        ),
        ("missing file", "labels.csv:5: no image 'gone.jpg'; left out"),
        ("malformed box", "labels.csv:6: xmin is 'x', expected a number; left out"),
        ("malformed box", "labels.csv:7: the box has no class; left out"),
        ("empty box", "labels.csv:9: 'cat' (1, 2, 1, 4) has no area; left out"),
    ]
    assert names(read(root, keep_unlabelled=True)) == {"train": ["a", "b", "c"]}


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg,1,2,11,12,cat\n",
        "class;filename;width;height;XMin;YMin;XMax;YMax\ncat;a.jpg;40;30;1;2;11;12\n",
        "Filename,Xmin,Ymin,Xmax,Ymax,Class\nC:\\photos\\a.jpg,1,2,11,12,cat\n",
        "filename,xmin,ymin,xmax,ymax,class,difficult\n./images/a.jpg,1,2,11,12,cat,0\n",
    ],
)
def test_forms_of_tables(text: str, tmp_path: Path) -> None:
    prepared = read(fill(tmp_path, {"labels.csv": text}, "images/a.jpg"))
    assert corners(prepared.splits["train"][0].boxes[0]) == [1, 2, 11, 12]
    assert len(prepared.report) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.jpg,cat\n", "labels.csv:1: no column filename, xmin"),
        ('a.jpg,1,2,11,12,"cat', ""),
        ("filename,xmin,ymin,xmax,ymax,class\n" + "a" * 200000 + ",1,2,3,4,cat", "malformed table"),
    ],
)
def test_tables_that_are_none(text: str, message: str, tmp_path: Path) -> None:
    root = fill(tmp_path, {"labels.csv": text}, "a.jpg")
    if not message:
        assert read(root).label_map.classes == ("cat",)
        return
    with pytest.raises(UserError, match=message):
        read(root)


# -- folders -----------------------------------------------------------------

SPLITS = {
    "an export: a folder for each split": {
        "images": "train/images/a.jpg train/images/b.jpg valid/images/c.jpg",
        "labels": "train/labels/a.txt train/labels/b.txt valid/labels/c.txt",
    },
    "splits below images": {
        "images": "images/train2017/a.jpg images/train2017/b.jpg images/val2017/c.jpg",
        "labels": "labels/train2017/a.txt labels/train2017/b.txt labels/val2017/c.txt",
    },
    "beside the images": {
        "images": "train/a.jpg train/b.jpg test/c.jpg",
        "labels": "train/a.txt train/b.txt test/c.txt",
    },
}


@pytest.mark.parametrize("layout", SPLITS)
def test_folders_become_splits(layout: str, tmp_path: Path) -> None:
    files = SPLITS[layout]
    texts = dict.fromkeys(files["labels"].split(), BOX) | {"data.yaml": "names: [cat]"}
    prepared = read(fill(tmp_path, texts, files["images"]))
    assert names(prepared) == {"train": ["a", "b"], "test": ["c"]}
    assert len(prepared.report) == 0
    assert "1 YOLO texts, classes of" in prepared.origin["test"]


def test_train_val_and_test(tmp_path: Path) -> None:
    texts = {f"{split}/a.txt": BOX for split in ("train", "val", "test")}
    texts["classes.txt"] = "cat"
    root = fill(tmp_path, texts, "train/a.jpg val/a.jpg test/a.jpg")
    assert list(read(root).splits) == ["train", "val", "test"]
    prepared = read(root, splits=("train=train,val", "test"))
    assert names(prepared) == {"train": ["train_a", "val_a"], "test": ["a"]}
    assert [i.key for i in prepared.splits["train"]] == ["train/a.jpg", "val/a.jpg"]
    with pytest.raises(UserError, match="--split …=no: neither"):
        read(root, splits=("train=no",))
    doubled = read(root, splits=("train=train", "test=train"))
    assert "image in two splits" in [p.kind for p in doubled.report.problems]


def test_a_table_for_all_splits(tmp_path: Path) -> None:
    text = "train/a.jpg,1,2,11,12,cat\ntest/a.jpg,1,2,11,12,dog\n"
    prepared = read(fill(tmp_path, {"labels.csv": text}, "train/a.jpg test/a.jpg"))
    assert [i.boxes[0].name for v in prepared.splits.values() for i in v] == ["cat", "dog"]
    assert len(prepared.report) == 0


def test_a_table_for_each_split(tmp_path: Path) -> None:
    texts = {
        "train_labels.csv": "a.jpg,1,2,11,12,cat\n",
        "test_labels.csv": "a.jpg,1,2,11,12,dog\n",
    }
    prepared = read(fill(tmp_path, texts, "images/train/a.jpg images/test/a.jpg"))
    assert [i.boxes[0].name for v in prepared.splits.values() for i in v] == ["cat", "dog"]


def test_draws_a_split(tmp_path: Path) -> None:
    texts = {f"labels/{i}.txt": BOX for i in range(8)} | {"classes.txt": "cat"}
    root = fill(tmp_path, texts, " ".join(f"images/{i}.jpg" for i in range(8)))
    prepared = read(root, test_fraction=0.25, seed=3)
    found = names(prepared)
    assert sorted(found["train"] + found["test"]) == list("01234567")
    assert len(found["test"]) == 2
    assert names(read(root, test_fraction=0.25, seed=3)) == found
    assert prepared.origin["test"].endswith("; drawn with seed 3")


def test_what_does_not_belong_is_told(tmp_path: Path) -> None:
    texts = {
        "a.txt": BOX,
        "b.txt": BOX,
        "b.xml": annotation_xml([CAT]),
        "orphan.txt": BOX,
        "README.txt": "Five boxes or so",
        "classes.txt": "cat",
    }
    prepared = read(fill(tmp_path, texts, "a.jpg a.png b.jpg .hidden.jpg"))
    assert told(prepared, tmp_path) == [
        ("two images of one name", "a.png: a.jpg has the same annotation; left out"),
        ("missing file", f"orphan.txt: no image 'orphan' in {tmp_path}; left out"),
        (
            "annotations of two kinds",
            f"{tmp_path}: 2 YOLO texts and 1 VOC XML; the YOLO texts are taken",
        ),
    ]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read(tmp_path / "absent")
    with pytest.raises(UserError, match="no images; expected some there, or in images/"):
        read(tmp_path)
    fill(tmp_path, {}, "a.jpg")
    with pytest.raises(UserError, match="1 images without annotations; expected beside"):
        read(tmp_path)


def test_broken_images_are_named(tmp_path: Path) -> None:
    texts = {"a.txt": BOX, "b.txt": BOX, "classes.txt": "cat"}
    root = fill(tmp_path, texts, "a.jpg b.jpg")
    (root / "b.jpg").write_bytes((root / "b.jpg").read_bytes()[:-30])
    prepared = read(root)
    assert told(prepared, root) == [
        ("unreadable image", "b.jpg: the file ends before the image does; left out")
    ]
    grey = np.full((30, 40), 7, np.uint8)
    cv2.imwrite(str(root / "b.jpg"), grey)
    assert names(read(root)) == {"train": ["a", "b"]}
