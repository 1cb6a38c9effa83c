"""Label maps: the file format of Caffe-SSD, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError


def test_counts_the_background() -> None:
    label_map = LabelMap.of(["cat", "dog"])
    assert label_map.names == ("none_of_the_above", "cat", "dog")
    assert label_map.classes == ("cat", "dog")
    assert label_map.num_classes == 3
    assert label_map.index("dog") == 2
    with pytest.raises(UserError, match="no class is named 'cow'; the classes are cat, dog"):
        label_map.index("cow")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    label_map = LabelMap(("background", 'qu"ote', "naïve"), ("background", "Q", "N"))
    label_map.write(tmp_path / "map.prototxt")
    assert LabelMap.read(tmp_path / "map.prototxt") == label_map


def test_reads_items_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "map.prototxt"
    path.write_text(
        'item { name: "b" label: 1 display_name: "Bee" }\nitem { name: "none" label: 0 }\n'
    )
    assert LabelMap.read(path) == LabelMap(("none", "b"), ("none", "Bee"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('item { name: "a" label: 1 }', "labels are 1; expected 0"),
        ('item { name: "a" label: 0 } item { name: "b" label: 2 }', "labels are 0, 2; expected"),
        ('item { name: "a" label: 0 } item { name: "b" label: 0 }', "labels are 0, 0; expected"),
        ('item { name: "a" label: 0 }', "needs a class beside the background"),
        ('item { name: "a" label: 0 } item { name: "a" label: 1 }', "'a' comes twice"),
        ('item { name: "a" label: 0 } item { label: 1 }', "label 1 has an empty name"),
        ('item { nam: "a" }', "not a label map: 1:8"),
    ],
)
def test_refuses(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.prototxt"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        LabelMap.read(path)
    assert str(error.value).startswith(f"{path}: ")


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such label map"):
        LabelMap.read(tmp_path / "map.prototxt")
