"""Pascal VOC folders: what is found, and what is reported."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ssd_centerloss.data.annotations import AnnotatedImage, Box
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.prepare import Prepared, prepare
from ssd_centerloss.data.voc import CLASSES, read_voc
from ssd_centerloss.data.xml_tree import parse
from ssd_centerloss.errors import UserError
from voc_folder import annotation_xml, image_bytes, make, object_xml

CAT = object_xml("cat", (1, 2, 11, 12))
DOG = object_xml("dog", (5, 5, 40, 30), difficult=1)


def read(root: Path, *splits: str, classes: LabelMap | None = None) -> Prepared:
    return prepare(read_voc([root], splits, 0.25, seed=0), classes, threads=2, quiet=True)


def only(prepared: Prepared) -> AnnotatedImage:
    (image,) = prepared.splits["train"]
    return image


def one(tmp_path: Path, text: str) -> Prepared:
    """A folder with one annotation of that text, and one that is fine."""
    root = make(tmp_path / "voc", {"a": [CAT], "ok": [CAT]}, {"train": "a ok"})
    (root / "Annotations/a.xml").write_text(text)
    return read(root)


def told(prepared: Prepared, kind: str) -> list[str]:
    return [str(p) for p in prepared.report.problems if p.kind == kind]


def test_reads_boxes_and_classes(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"b": [DOG, CAT], "a": []}, {"trainval": "b", "test": "b a"})
    prepared = read(root)
    assert prepared.label_map.classes == ("cat", "dog"), "found, and sorted"
    assert only(prepared).boxes == (
        Box("dog", 5, 5, 40, 30, difficult=True, line=3),
        Box("cat", 1, 2, 11, 12, line=13),
    )
    assert (only(prepared).width, only(prepared).height, only(prepared).name) == (40, 30, "b")
    assert [image.name for image in prepared.splits["test"]] == ["b", "a"]
    assert "1 images are in 'train' and in 'test'" in told(prepared, "image in two splits")[0]


def test_order_of_elements_is_free_and_coordinates_may_be_fractions(tmp_path: Path) -> None:
    text = """<annotation>
      <object><bndbox><ymax>9.5</ymax><xmin> 1.25 </xmin><xmax>1e1</xmax><ymin>2</ymin></bndbox>
        <part><name>head</name><bndbox><xmin>0</xmin></bndbox></part>
        <name> cat </name></object>
      <size><depth>3</depth><height>30</height><width>40</width></size></annotation>"""
    prepared = one(tmp_path, text)
    assert prepared.splits["train"][0].boxes == (Box("cat", 1.25, 2, 10, 9.5, line=2),)
    assert len(prepared.report) == 0


@pytest.mark.parametrize(
    ("corners", "kept", "kind", "message"),
    [
        ((-3, 4, 50, 12), (0, 4, 40, 12), "box clipped", "reaches beyond the image of 40 × 30"),
        ((40.2, 4, 60, 12), None, "box outside", "'cat' (40.2, 4, 60, 12) lies outside"),
        ((7, 4, 7, 12), None, "empty box", "'cat' (7, 4, 7, 12) has no area"),
        ((9, 4, 7, 12), None, "empty box", "'cat' (9, 4, 7, 12) has no area"),
        ((1, 4, 40.3, 12), (1, 4, 40, 12), "", ""),
        (("x", 4, 7, 12), None, "malformed box", "xmin is 'x', expected a number"),
        ((1, "nan", 7, 12), None, "malformed box", "ymin is 'nan', expected a number"),
        ((1, 2, "inf", 12), None, "malformed box", "xmax is 'inf', expected a number"),
        ((1, 2, 3, ""), None, "malformed box", "ymax is '', expected a number"),
    ],
)
def test_checks_boxes(
    corners: tuple[object, object, object, object],
    kept: tuple[float, float, float, float] | None,
    kind: str,
    message: str,
    tmp_path: Path,
) -> None:
    prepared = one(tmp_path, annotation_xml([object_xml("cat", corners), DOG]))
    boxes = prepared.splits["train"][0].boxes
    assert boxes[-1].name == "dog", "the rest is kept"
    found = [(b.xmin, b.ymin, b.xmax, b.ymax) for b in boxes[:-1]]
    assert found == ([kept] if kept else [])
    problems = [str(problem) for problem in prepared.report.problems]
    assert len(problems) == bool(kind)
    if kind:
        assert told(prepared, kind) == problems
        assert message in problems[0]
        assert "a.xml:" in problems[0]


def test_a_problem_names_its_line(tmp_path: Path) -> None:
    prepared = one(tmp_path, annotation_xml([CAT, object_xml("cat", (1, 2, "x", 4))]))
    # Two lines, ten of the first object, then name, difficult, bndbox, xmin, ymin.
    assert "a.xml:19: xmax is 'x'" in told(prepared, "malformed box")[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>\n<object>\n</annotation>", "a.xml:3: malformed XML: mismatched tag"),
        ("", "a.xml:1: malformed XML: no element found"),
        (
            '<!DOCTYPE a [\n<!ENTITY x "y">\n]>\n<annotation>&x;</annotation>',
            "a.xml:2: declares an entity",
        ),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            "a.xml:1: declares an entity",
        ),
        ("<a>" * 200, "elements nested"),
        ('<?xml version="1.0" encoding="no-such"?><a/>', "a.xml:1: malformed XML"),
    ],
)
def test_bad_xml_is_reported_and_left_out(text: str, message: str, tmp_path: Path) -> None:
    prepared = one(tmp_path, text)
    assert message in told(prepared, "unreadable annotation")[0]
    assert only(prepared).name == "ok"


def test_entities_do_not_expand(tmp_path: Path) -> None:
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)]
    path = tmp_path / "a.xml"
    path.write_text(f"<!DOCTYPE x [{''.join(lines)}]><x>&a11;</x>")
    with pytest.raises(UserError, match="declares an entity"):
        parse(path)


def test_missing_and_broken_images_are_named(tmp_path: Path) -> None:
    ids = {name: [CAT] for name in ("ok", "gone", "cut", "text", "empty", "no_xml")}
    root = make(tmp_path / "voc", ids, {"train": " ".join(ids)})
    images = root / "JPEGImages"
    (images / "gone.jpg").unlink()
    (images / "cut.jpg").write_bytes(image_bytes()[:-40])
    (images / "text.jpg").write_text("not an image")
    (images / "empty.jpg").write_bytes(b"")
    (root / "Annotations/no_xml.xml").unlink()
    prepared = read(root)
    assert only(prepared).name == "ok"
    unreadable = " ".join(told(prepared, "unreadable image"))
    assert "cut.jpg: the file ends before the image does" in unreadable
    assert "text.jpg: not an image" in unreadable
    assert "empty.jpg: the file is empty" in unreadable
    missing = " ".join(told(prepared, "missing file"))
    assert "gone.xml: no image 'gone'" in missing
    assert "no_xml.xml: no such annotation" in missing


def test_finds_images_by_other_suffixes_and_by_filename(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT], "b": [CAT]}, {"train": "a b"})
    (root / "JPEGImages/a.jpg").unlink()
    (root / "JPEGImages/a.PNG").write_bytes(image_bytes(suffix=".png"))
    (root / "JPEGImages/b.jpg").rename(root / "JPEGImages/other.jpg")
    text = annotation_xml([CAT]).replace("<size>", "<filename>other.jpg</filename><size>")
    (root / "Annotations/b.xml").write_text(text)
    keys = [image.key for image in read(root).splits["train"]]
    assert keys == ["JPEGImages/a.PNG", "JPEGImages/other.jpg"]


def test_sizes_that_do_not_agree(tmp_path: Path) -> None:
    ids = {name: [CAT] for name in ("double", "other", "zero", "none")}
    root = make(tmp_path / "voc", ids, {"train": " ".join(ids)})
    folder = root / "Annotations"
    (folder / "double.xml").write_text(annotation_xml([CAT], (80, 60)))
    (folder / "other.xml").write_text(annotation_xml([CAT], (41, 80)))
    (folder / "zero.xml").write_text(annotation_xml([CAT], (0, "x")))
    (folder / "none.xml").write_text(f"<annotation>{CAT}</annotation>")
    prepared = read(root)
    corners = [(b.xmin, b.ymin, b.xmax, b.ymax) for i in prepared.splits["train"] for b in i.boxes]
    assert corners == [(0.5, 1, 5.5, 6), *[(1, 2, 11, 12)] * 3]
    problems = told(prepared, "size does not agree")
    assert len(problems) == 3, "an annotation without a size is fine"
    assert "says 80 × 60, the image has 40 × 30; the boxes are scaled" in " ".join(problems)
    assert "size is '0' × 'x'" in " ".join(problems)


def test_unknown_labels_are_counted(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT, DOG, DOG], "b": [DOG]}, {"train": "a b"})
    prepared = read(root, classes=LabelMap.of(["cat", "cow"]))
    assert prepared.report.unknown == Counter(dog=3)
    assert "  'dog': 3 boxes" in prepared.report.lines()
    assert [len(image.boxes) for image in prepared.splits["train"]] == [1, 0]
    with pytest.raises(UserError, match="no box of the classes cow was found"):
        read(root, classes=LabelMap.of(["cow"]))


def test_classes_that_differ_by_capitals_are_told(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT, object_xml("Cat", (1, 1, 9, 9))]}, {"train": "a"})
    assert [p.where for p in read(root).report.problems] == ["'Cat'", "'cat'"]


# -- several folders, and their lists ----------------------------------------


def devkit(tmp_path: Path) -> Path:
    root = tmp_path / "VOCdevkit"
    person = object_xml("person", (1, 1, 9, 9))
    make(
        root / "VOC2007",
        {"000001": [person], "000002": [person]},
        {"trainval": "000001", "test": "000002"},
    )
    make(root / "VOC2012", {"2008_1": [person], "000001": [person]}, {"trainval": "2008_1 000001"})
    return root


def test_several_years(tmp_path: Path) -> None:
    prepared = read(devkit(tmp_path))
    names = {split: [i.name for i in images] for split, images in prepared.splits.items()}
    assert names == {"train": ["VOC2007_000001", "2008_1", "VOC2012_000001"], "test": ["000002"]}
    assert prepared.splits["train"][1].key == "VOC2012/JPEGImages/2008_1.jpg"
    assert prepared.label_map.classes == CLASSES, "VOC's labels, though few occur"


def test_splits_by_name(tmp_path: Path) -> None:
    prepared = read(devkit(tmp_path), "small=VOC2012/trainval", "test")
    assert {k: len(v) for k, v in prepared.splits.items()} == {"small": 2, "test": 1}


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train=no", r"no\.txt: no such list; there are: test, trainval"),
        ("train=VOC2099/test", "no such VOC folder; there are VOC2007, VOC2012"),
        ("=test", "expected NAME or NAME=SET"),
        ("a/b", "expected NAME or NAME=SET"),
    ],
)
def test_splits_that_cannot_be(split: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        read(devkit(tmp_path), split)


def test_draws_a_split_where_there_are_no_lists(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {str(i): [CAT] for i in range(8)}, {})
    prepared = read(root)
    names = {split: [i.name for i in images] for split, images in prepared.splits.items()}
    assert (len(names["train"]), len(names["test"])) == (6, 2)
    assert sorted(names["train"] + names["test"]) == [str(i) for i in range(8)]
    assert {k: [i.name for i in v] for k, v in read(root).splits.items()} == names


def test_lists_of_a_class_and_lines_that_come_twice(tmp_path: Path) -> None:
    root = make(tmp_path / "voc", {"a": [CAT], "b": [CAT], "with space": [CAT]}, {})
    lines = "a  1\nb -1\nwith space\n\na 1\n"
    (root / "ImageSets/Main/cat_train.txt").write_text(lines)
    prepared = read(root, "train=cat_train")
    assert [image.name for image in prepared.splits["train"]] == ["a", "with_space"]
    assert "cat_train.txt:5: 'a' is listed twice" in told(prepared, "duplicate id")[0]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read(tmp_path / "absent")
    with pytest.raises(UserError, match="no VOC folder; expected Annotations"):
        read(tmp_path)
    root = make(tmp_path / "voc", {"a": [CAT]}, {"train": "a"})
    (root / "JPEGImages/a.jpg").unlink()
    with pytest.raises(UserError, match="'train' has no image that can be used"):
        read(root)
