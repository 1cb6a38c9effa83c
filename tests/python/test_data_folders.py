"""Folders that are there as a whole or not at all, and text files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssd_centerloss.commands.data import read_classes
from ssd_centerloss.data.folders import whole_folder
from ssd_centerloss.data.text_file import read_lines
from ssd_centerloss.errors import UserError


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_folder_is_not_lost_between_two_renames(
    fails_at: int, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    renames = 0
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        nonlocal renames
        renames += 1
        if renames == fails_at:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(error), whole_folder(out) as folder:
        (folder / "new").touch()
    assert [path.name for path in out.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_bytes(b"\xef\xbb\xbfcat\n")
    assert read_lines(file) == ["cat"]
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(UserError, match=r"classes\.txt: byte 3 is 0xe9, expected UTF-8"):
        read_classes(str(file))


def test_more_classes_than_a_name_of_a_file_has_letters() -> None:
    names = [f"a_rather_long_class_{i}" for i in range(80)]
    label_map = read_classes(",".join(names))
    assert label_map is not None
    assert list(label_map.classes) == names
