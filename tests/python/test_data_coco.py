"""COCO JSON: what is read, and what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ssd_centerloss.data.annotations import Box
from ssd_centerloss.data.coco import read_coco
from ssd_centerloss.data.prepare import Prepared, prepare
from ssd_centerloss.errors import UserError
from voc_folder import image_bytes

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": " cat "}, {"id": 5, "name": "owl"}]


def image(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "width": 40, "height": 30} | more


def annotation(number: int, image_id: object, bbox: object, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image_id, "category_id": 3, "bbox": bbox} | more


def make(
    file: Path,
    images: list[Any],
    annotations: list[Any],
    categories: list[Any] = CATEGORIES,
) -> Path:
    """A file, and beside it the images that it names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": annotations, "categories": categories}
    file.write_text(json.dumps(content))
    for i in range(1, 10):
        (file.parent / f"{i}.jpg").write_bytes(image_bytes(i))
    return file


def read(
    *files: Path,
    images: tuple[Path, ...] = (),
    splits: tuple[str, ...] = (),
    fraction: float = 0,
) -> Prepared:
    source = read_coco(files, images, splits, fraction, seed=0)
    return prepare(source, None, threads=2, quiet=True)


def problems(prepared: Prepared, folder: Path) -> list[tuple[str, str]]:
    """Kinds and texts, paths below the folder without it."""
    return [(p.kind, str(p).replace(f"{folder}/", "")) for p in prepared.report.problems]


def test_reads_boxes_and_classes(tmp_path: Path) -> None:
    boxes = [
        annotation(11, 1, [1.25, 2, 10.5, 12]),
        annotation(12, 2, [0, 0, 40, 30], category_id=7, iscrowd=1),
        annotation(13, 1, [3, 4, 5, 6], category_id=7, iscrowd=0),
    ]
    file = make(tmp_path / "a.json", [image(2), image(1), image(3)], boxes)
    prepared = read(file)
    assert prepared.label_map.classes == ("cat", "owl", "dog"), "in the order of the ids"
    two, one, three = prepared.splits["train"]
    assert one.boxes == (
        Box("cat", 1.25, 2, 11.75, 14, record="annotation 11"),
        Box("dog", 3, 4, 8, 10, record="annotation 13"),
    )
    assert two.boxes == (Box("dog", 0, 0, 40, 30, difficult=True, record="annotation 12"),)
    assert three.boxes == (), "kept, though nothing is in it"
    assert (one.name, one.key, one.width, one.height) == ("1", "1.jpg", 40, 30)
    assert len(prepared.report) == 0


def test_reports_everything_at_once(tmp_path: Path) -> None:
    images = [
        image(1),
        image(1, file_name="2.jpg"),
        image(3, file_name="1.jpg"),
        image(4, file_name="gone.jpg"),
        image(5, width=80, height=60),
        image(6, width="x"),
        {"id": 7},
        {"file_name": "8.jpg"},
        "9.jpg",
    ]
    good = [1, 2, 10, 10]
    annotations = [
        annotation(1, 1, good),
        annotation(1, 1, good),
        annotation(2, 99, good),
        annotation(3, 1, good, category_id=99),
        annotation(4, 1, [1, 2, 3]),
        annotation(5, 1, [1, 2, float("nan"), 3]),
        annotation(6, 1, [1, 2, 0, 5]),
        annotation(7, 1, [1, 2, -3, 5]),
        annotation(8, 1, [35, 2, 20, 5]),
        annotation(9, 1, [50, 2, 20, 5]),
        annotation(10, 3, good),
        annotation(11, 5, [2, 4, 20, 20]),
        {"image_id": 1, "category_id": 3, "bbox": [0, 0, True, 1]},
        annotation(12, "1", good),
        annotation(13, 6, good, category_id=None),
    ]
    categories = [*CATEGORIES, {"id": 8, "name": "cat"}, {"id": 9}, {"id": 3, "name": "cow"}]
    prepared = read(make(tmp_path / "a.json", images, annotations, categories))
    by_name = {i.name: i for i in prepared.splits["train"]}
    assert list(by_name) == ["1", "5", "6"]
    assert [b.record for b in by_name["1"].boxes] == [f"annotation {i}" for i in (1, 8, 10)]
    assert by_name["5"].boxes == (Box("cat", 1, 2, 11, 12, record="annotation 11"),)
    assert sorted(problems(prepared, tmp_path)) == sorted(
        [
            ("duplicate category", "a.json, category 8: the name 'cat' has another id already; "
             "they become one class"),
            ("malformed record", "a.json, category 9: name is nothing; left out"),
            ("duplicate id", "a.json, category 3: the id 3 comes again at position 5; left out"),
            ("duplicate id", "a.json, image 1: the id 1 comes again at position 1; left out"),
            ("duplicate image", "a.json, image 3: '1.jpg' is image 1 already; its boxes go there"),
            ("size does not agree", "a.json, image 5: says 80 × 60, the image has 40 × 30; the "
             "boxes are scaled to the image"),
            ("size does not agree", "a.json, image 6: size is \"x\" × 30, expected two positive "
             "numbers; the image's own is used"),
            ("malformed record", "a.json, image 7: file_name is nothing, expected a name; "
             "left out"),
            ("malformed record", "a.json, image at position 7: id is nothing, expected a whole "
             "number; left out"),
            ("malformed record", "a.json, image at position 8: expected an object, got "
             "\"9.jpg\"; left out"),
            ("missing file", f"a.json, image 4: no file 'gone.jpg' in {tmp_path}; left out"),
            ("duplicate id", "a.json, annotation 1: the id 1 comes again at position 1; left out"),
            ("unknown image", "a.json, annotation 2: no image has the id 99; left out"),
            ("unknown image", "a.json, annotation 12: no image has the id \"1\"; left out"),
            ("unknown category", "a.json, annotation 3: no category has the id 99; left out"),
            ("unknown category", "a.json, annotation 13: no category has the id nothing; left out"),
            ("malformed box", "a.json, annotation 4: bbox is [1, 2, 3], expected [x, y, width, "
             "height]; left out"),
            ("malformed box", "a.json, annotation 5: bbox is [1, 2, NaN, 3], expected [x, y, "
             "width, height]; left out"),
            ("malformed box", "a.json, annotation at position 12: bbox is [0, 0, true, 1], "
             "expected [x, y, width, height]; left out"),
            ("empty box", "a.json, annotation 6: 'cat' (1, 2, 1, 7) has no area; left out"),
            ("empty box", "a.json, annotation 7: 'cat' (1, 2, -2, 7) has no area; left out"),
            ("box clipped", "a.json, annotation 8: 'cat' (35, 2, 55, 7) reaches beyond the image "
             "of 40 × 30; clipped"),
            ("box outside", "a.json, annotation 9: 'cat' (50, 2, 70, 7) lies outside the image "
             "of 40 × 30; left out"),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [],\n  "annotations": [}', "a.json:2:19: malformed JSON: Expecting value"),
        ("", "a.json:1:1: malformed JSON"),
        ("[" * 100000, "a.json: cannot be read as JSON"),
        ("[]", r"a.json: expected an object, got \[\]"),
        ('{"images": []}', 'a.json: expected a list as "annotations", got nothing'),
        (
            '{"images": [], "annotations": [], "categories": {"a": 1}}',
            'expected a list as "categories", got {"a": 1}',
        ),
    ],
)
def test_refuses_what_is_no_coco_file(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read(tmp_path / "a.json")


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match=r"a\.json: cannot be read as JSON"):
        read(tmp_path / "a.json")


def test_finds_images_in_folders_and_by_their_last_name(tmp_path: Path) -> None:
    images = [image(1, file_name="sub/1.jpg"), image(2, file_name="C:\\data\\2.jpg"), image(3)]
    file = make(tmp_path / "x/a.json", images, [annotation(1, 1, [1, 1, 9, 9])])
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "sub").mkdir(parents=True)
    second.mkdir()
    (file.parent / "1.jpg").rename(first / "sub/1.jpg")
    (file.parent / "2.jpg").rename(second / "2.jpg")
    (file.parent / "3.jpg").rename(second / "3.jpg")
    found = read(file, images=(first, second)).splits["train"]
    assert [i.path.relative_to(tmp_path).as_posix() for i in found] == [
        "first/sub/1.jpg",
        "second/2.jpg",
        "second/3.jpg",
    ]
    with pytest.raises(UserError, match=r"--images .*absent: no such folder"):
        read(file, images=(tmp_path / "absent",))


def test_images_of_the_same_name_in_two_folders(tmp_path: Path) -> None:
    images = [image(1, file_name="a/x y.jpg"), image(2, file_name="b/x y.jpg")]
    file = make(tmp_path / "a.json", images, [annotation(1, 1, [1, 1, 9, 9])])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x y.jpg").write_bytes(image_bytes())
    assert [i.name for i in read(file).splits["train"]] == ["a_x_y", "b_x_y"]


# -- splits ------------------------------------------------------------------


def test_several_files_are_splits_by_their_names(tmp_path: Path) -> None:
    boxes = [annotation(1, 1, [1, 1, 9, 9])]
    train = make(tmp_path / "instances_train2017.json", [image(1), image(2)], boxes)
    val = make(tmp_path / "instances_val2017.json", [image(3)], [])
    prepared = read(val, train, images=(tmp_path,))
    assert {k: [i.name for i in v] for k, v in prepared.splits.items()} == {
        "train": ["1", "2"],
        "test": ["3"],
    }
    assert prepared.origin == {"train": str(train), "test": str(val)}
    # Exports that have a folder for each split, with the same names in each.
    files = [
        make(tmp_path / name / "_annotations.coco.json", [image(1)], boxes)
        for name in ("train", "valid", "test")
    ]
    prepared = read(*files)
    assert list(prepared.splits) == ["train", "val", "test"]
    assert [i.path.parent.name for v in prepared.splits.values() for i in v] == [
        "train",
        "valid",
        "test",
    ]
    assert len(prepared.report) == 0


def test_splits_by_option(tmp_path: Path) -> None:
    boxes = [annotation(1, 1, [1, 1, 9, 9])]
    one = make(tmp_path / "one.json", [image(1)], boxes)
    two = make(tmp_path / "two.json", [image(2)], [])
    three = make(tmp_path / "three.json", [image(1)], [])
    prepared = read(splits=(f"train={one},{two}", f"test={three}"))
    assert {k: len(v) for k, v in prepared.splits.items()} == {"train": 2, "test": 1}
    assert [p.kind for p in prepared.report.problems] == ["image in two splits"]
    assert "1 images are in 'train' and in 'test'" in prepared.report.problems[0].text


def test_draws_a_split_of_one_file(tmp_path: Path) -> None:
    boxes = [annotation(i, i, [1, 1, 9, 9]) for i in range(1, 9)]
    file = make(tmp_path / "a.json", [image(i) for i in range(1, 9)], boxes)
    names = {k: [i.name for i in v] for k, v in read(file, fraction=0.25).splits.items()}
    assert sorted(names["train"] + names["test"]) == list("12345678")
    assert len(names["test"]) == 2


@pytest.mark.parametrize(
    ("files", "splits", "message"),
    [
        ([], [], "no JSON file"),
        (["a.json"], ["train=a.json"], "either as arguments or in --split"),
        (["a.json", "b.json"], [], "a.json: says no split by its name"),
        (["train.json", "sub/train.json"], [], "sub/train.json: is the split 'train' too"),
        (["val.json", "test.json"], [], "none of the files is named after train"),
        ([], ["train"], "--split train: expected NAME=SET"),
        ([], ["train=absent.json"], "absent.json: no such file"),
    ],
)
def test_files_that_are_no_splits(
    files: list[str], splits: list[str], message: str, monkeypatch: Any, tmp_path: Path
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.chdir(room)
    with pytest.raises(UserError, match=message):
        read(*map(Path, files), splits=tuple(splits))


def test_categories_of_two_files(tmp_path: Path) -> None:
    one = make(
        tmp_path / "one.json",
        [image(1)],
        [annotation(1, 1, [1, 1, 9, 9], category_id=7)],
    )
    two = make(
        tmp_path / "two.json",
        [image(2)],
        [annotation(1, 2, [1, 1, 9, 9], category_id=7)],
        [{"id": 7, "name": "cow"}, {"id": 9, "name": "dog"}, {"id": 4, "name": "ant"}],
    )
    prepared = read(splits=(f"train={one}", f"test={two}"))
    assert prepared.label_map.classes == ("cat", "owl", "dog", "ant", "cow")
    assert [b.name for v in prepared.splits.values() for i in v for b in i.boxes] == ["dog", "cow"]


def test_categories_that_do_not_agree_are_told(tmp_path: Path) -> None:
    boxes = [annotation(1, 1, [1, 1, 9, 9])]
    one = make(tmp_path / "one.json", [image(1)], boxes)
    two = make(tmp_path / "two.json", [image(1)], boxes, [{"id": 3, "name": "cow"}])
    told = problems(read(splits=(f"train={one}", f"test={two}")), tmp_path)
    assert told[0] == (
        "categories do not agree",
        "two.json, category 3: is 'cow' here and 'cat' in another file; both are kept",
    )
