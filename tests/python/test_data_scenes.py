"""Scenes of digits: boxes, repeatability, and hands kept apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ssd_centerloss import scenes
from ssd_centerloss.data.prepare import prepare
from ssd_centerloss.data.voc import read_voc
from ssd_centerloss.errors import UserError
from ssd_centerloss.scenes import SceneOptions, load_digits, make_scene, place_digit, write_scenes

pytest.importorskip("sklearn")


def test_no_digit_of_test_is_in_train() -> None:
    train, test = load_digits()
    assert (len(train.values), len(test.values)) == (1347, 450)
    known = {picture.tobytes() for picture in train.pictures}
    assert not any(picture.tobytes() in known for picture in test.pictures)
    assert set(test.values) == set(train.values) == set(range(10))


def test_boxes_are_apart_within_and_of_the_sizes_asked_for() -> None:
    digits, options = load_digits()[0], SceneOptions(size=120, smallest=24, largest=60)
    counts = []
    for seed in range(40):
        image, placed = make_scene(digits, options, np.random.default_rng(seed))
        assert image.shape == (120, 120, 3)
        counts.append(len(placed))
        for i, box in enumerate(placed):
            assert 0 <= box.xmin < box.xmax <= 120
            assert 0 <= box.ymin < box.ymax <= 120
            # The squeeze, shear and turn together change a side by less than a third.
            assert 24 * 0.66 < max(box.xmax - box.xmin, box.ymax - box.ymin) < 60 * 1.34
            assert all(scenes._free(box, other) for other in placed[:i])
    assert max(counts) == 6
    assert min(counts) >= 3, "there is room in such scenes"


def test_boxes_are_tight_around_the_ink() -> None:
    digits = load_digits()[0]
    for i in range(50):
        ink = place_digit(digits.pictures[i], 40, 100, np.random.default_rng(i))
        box = scenes._boxed(3, ink)
        assert box is not None
        rows, columns = np.nonzero(ink >= scenes.INK)
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert (box.xmin, box.ymin, box.xmax, box.ymax) == edges


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    def files(name: str, options: SceneOptions) -> dict[str, bytes]:
        write_scenes(tmp_path / name, options)
        folder = tmp_path / name
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != scenes.MARKER
        }

    first = files("a", SceneOptions(train=4, test=2, seed=1))
    assert first == files("b", SceneOptions(train=4, test=2, seed=1))
    other = files("c", SceneOptions(train=4, test=2, seed=2))
    assert all(first[name] != other[name] for name in first if name.endswith(".jpg"))
    longer = files("d", SceneOptions(train=6, test=2, seed=1))
    name = "JPEGImages/train_0003.jpg"
    assert first[name] == longer[name], "a scene does not depend on their number"


def test_the_voc_reader_finds_nothing_wrong(tmp_path: Path) -> None:
    write_scenes(tmp_path / "voc", SceneOptions(train=12, test=3))
    prepared = prepare(read_voc([tmp_path / "voc"], [], 0.2, 0), None, threads=2, quiet=True)
    assert prepared.report.lines() == []
    assert {split: len(images) for split, images in prepared.splits.items()} == {
        "train": 12,
        "test": 3,
    }
    assert set(prepared.label_map.classes) <= set("0123456789")
    image = cv2.imread(str(prepared.splits["train"][0].path))
    assert image is not None
    assert image.shape == (160, 160, 3)


def test_refuses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected --smallest ≤ --largest ≤ --size"):
        write_scenes(tmp_path / "a", SceneOptions(smallest=50, largest=40))
    (tmp_path / "b").mkdir()
    (tmp_path / "b/notes").write_text("x")
    with pytest.raises(UserError, match=r"exists and has no scenes\.json"):
        write_scenes(tmp_path / "b", SceneOptions(train=1, test=1), overwrite=True)
