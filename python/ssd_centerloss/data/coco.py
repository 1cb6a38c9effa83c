"""COCO JSON: images, annotations and categories in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from ssd_centerloss.data.annotations import AnnotatedImage, Box, Problem, Report, place
from ssd_centerloss.data.source import (
    Loaded,
    Loader,
    Source,
    divide,
    parse_splits,
    result_names,
    split_of,
    tell_overlap,
    with_test,
)
from ssd_centerloss.errors import UserError

Json = Mapping[str, Any]


@dataclass
class CocoImage:
    """An entry of "images", and the boxes of its annotations."""

    file: Path
    record: str
    file_name: str
    width: int
    height: int
    boxes: list[Box] = field(default_factory=list)


def read_coco(
    files: Sequence[Path],
    folders: Sequence[Path],
    splits: Sequence[str],
    test_fraction: float,
    seed: int,
) -> Source:
    """Finds the images of COCO JSON files.

    files   : one, of which a test split is drawn; or several, each the split that
              its name or its folder's says (instances_val2017.json, valid/_annotations.coco.json)
    folders : where the images are; none: beside each file
    splits  : options NAME=FILE[,FILE…], in place of `files`

    Raises UserError for a file that is not COCO JSON, with line and column of what is malformed.
    """
    wanted = _splits(files, splits)
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"--images {folder}: no such folder")
    source = Source({}, {})
    report = source.report
    classes: dict[str, int] = {}
    loaded: dict[str, list[CocoImage]] = {}
    for split, parts in wanted.items():
        loaded[split] = [
            image for file in parts for image in read_images(file, load(file), classes, report)
        ]
    source.classes = tuple(classes)
    origin = {split: ", ".join(map(str, parts)) for split, parts in wanted.items()}
    if not splits and len(files) == 1 and test_fraction:
        ((only, images),) = loaded.items()
        drawn = divide(map(str, range(len(images))), test_fraction, seed)
        loaded = {split: [images[int(i)] for i in chosen] for split, chosen in drawn.items()}
        origin = dict.fromkeys(drawn, f"drawn from {origin[only]} with seed {seed}")
    for split, images in loaded.items():
        source.splits[split] = _loaders(images, folders)
        source.origin[split] = origin[split]
    # Without folders the images lie beside their file, and two files may use the same names.
    places = {
        split: [(Path() if folders else i.file.parent, i.file_name) for i in images]
        for split, images in loaded.items()
    }
    tell_overlap(places, report)
    return source


def _splits(files: Sequence[Path], splits: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    if splits and files:
        raise UserError("give the JSON files either as arguments or in --split NAME=FILE")
    if splits:
        return {
            split: tuple(map(Path, parts)) for split, parts in parse_splits(splits, True).items()
        }
    if not files:
        raise UserError("no JSON file; expected one, several, or --split NAME=FILE")
    if len(files) == 1:
        return {"train": (files[0],)}
    found: dict[str, tuple[Path, ...]] = {}
    for file in files:
        split = split_of(file.stem) or split_of(file.resolve().parent.name)
        if not split or split in found:
            what = f"is the split '{split}' too" if split else "says no split by its name"
            raise UserError(
                f"{file}: {what}; expected train, val or test once, or --split NAME=FILE for each"
            )
        found[split] = (file,)
    if "train" not in found:
        raise UserError("none of the files is named after train; say --split NAME=FILE for each")
    return with_test(found)


def load(file: Path) -> Json:
    """The object of a COCO file. Raises UserError that names line and column of what is wrong."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise UserError(f"{where}: malformed JSON: {error.msg}") from None
    except (UnicodeDecodeError, OSError, RecursionError) as error:
        raise UserError(f"{file}: cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: expected an object, got {_told(content)}")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            got = _told(content[key]) if key in content else "nothing"
            raise UserError(f'{file}: expected a list as "{key}", got {got}')
    return content


def read_images(
    file: Path, content: Json, classes: dict[str, int], report: Report
) -> list[CocoImage]:
    """The images of a file in its order, with their boxes.

    classes : names in the order of their labels, with their ids; those of this file are added
    """
    known = _read_categories(file, content["categories"], classes, report)
    images: dict[int, CocoImage] = {}
    by_name: dict[str, CocoImage] = {}
    for record, entry in _entries(file, "image", content["images"], report):
        number, file_name = entry["id"], entry.get("file_name")
        where = place(file, record=record)
        if not isinstance(file_name, str) or not file_name.strip():
            text = f"file_name is {_told(file_name)}, expected a name; left out"
            report.add("malformed record", where, text)
            continue
        other = by_name.get(file_name)
        if other is not None:
            text = f"'{file_name}' is {other.record} already; its boxes go there"
            report.add("duplicate image", where, text)
            images[number] = other
            continue
        width, height = _size(entry, where, report)
        image = CocoImage(file, record, file_name, width, height)
        images[number] = by_name[file_name] = image
    for record, entry in _entries(file, "annotation", content["annotations"], report):
        where = place(file, record=record)
        found = images.get(entry["image_id"]) if _is_id(entry.get("image_id")) else None
        name = known.get(entry["category_id"]) if _is_id(entry.get("category_id")) else None
        if found is None:
            text = f"no image has the id {_told(entry.get('image_id'))}; left out"
            report.add("unknown image", where, text)
        elif name is None:
            text = f"no category has the id {_told(entry.get('category_id'))}; left out"
            report.add("unknown category", where, text)
        else:
            box = _box(name, entry, record)
            if isinstance(box, Box):
                found.boxes.append(box)
            else:
                report.add("malformed box", where, box)
    return list(by_name.values())


def _read_categories(
    file: Path, entries: Sequence[Any], classes: dict[str, int], report: Report
) -> dict[int, str]:
    """The names of this file by id; those that are new join `classes`."""
    mine: dict[int, str] = {}
    for record, entry in _entries(file, "category", entries, report):
        where = place(file, record=record)
        name = entry.get("name")
        if not isinstance(name, str) or not name.strip():
            report.add("malformed record", where, f"name is {_told(name)}; left out")
            continue
        name = name.strip()
        if name in mine.values():
            text = f"the name '{name}' has another id already; they become one class"
            report.add("duplicate category", where, text)
        mine[entry["id"]] = name
    for number in sorted(mine):
        name = mine[number]
        other = next((n for n, i in classes.items() if i == number and n not in mine.values()), "")
        if other:
            text = f"is '{name}' here and '{other}' in another file; both are kept"
            report.add("categories do not agree", place(file, record=f"category {number}"), text)
        classes.setdefault(name, number)
    return mine


def _entries(
    file: Path, kind: str, entries: Iterable[Any], report: Report
) -> Iterator[tuple[str, Json]]:
    """The objects of a list with what they are called; ids that are no numbers or not the first
    of their kind are reported. Annotations, which nothing refers to, need none."""
    seen: set[int] = set()
    for index, entry in enumerate(entries):
        position = f"{kind} at position {index}"
        if not isinstance(entry, dict):
            text = f"expected an object, got {_told(entry)}; left out"
            report.add("malformed record", place(file, record=position), text)
        elif kind == "annotation" and entry.get("id") is None:
            yield position, entry
        elif not _is_id(entry.get("id")):
            text = f"id is {_told(entry.get('id'))}, expected a whole number; left out"
            report.add("malformed record", place(file, record=position), text)
        elif entry["id"] in seen:
            text = f"the id {entry['id']} comes again at position {index}; left out"
            report.add("duplicate id", place(file, record=f"{kind} {entry['id']}"), text)
        else:
            seen.add(entry["id"])
            yield f"{kind} {entry['id']}", entry


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _told(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "nothing" if value is None else text if len(text) <= 60 else f"{text[:60]}…"


def _size(entry: Json, where: str, report: Report) -> tuple[int, int]:
    """Width and height; zeros, which are looked up in the image, where they make no sense."""
    width, height = entry.get("width"), entry.get("height")
    if width is None and height is None:
        return 0, 0
    if _is_number(width) and _is_number(height) and min(width, height) >= 1:
        return int(width), int(height)
    text = (
        f"size is {_told(width)} × {_told(height)}, expected two positive numbers; the "
        "image's own is used"
    )
    report.add("size does not agree", where, text)
    return 0, 0


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300  # an integer of JSON may be beyond any float


def _box(name: str, entry: Json, record: str) -> Box | str:
    """The box of an annotation, or what is wrong with it. A crowd is difficult."""
    corners = entry.get("bbox")
    if not isinstance(corners, list) or len(corners) != 4 or not all(map(_is_number, corners)):
        return f"bbox is {_told(corners)}, expected [x, y, width, height]; left out"
    x, y, width, height = map(float, corners)
    return Box(name, x, y, x + width, y + height, bool(entry.get("iscrowd")), record=record)


# -- images ------------------------------------------------------------------


def _loaders(images: Sequence[CocoImage], folders: Sequence[Path]) -> list[Loader]:
    stems = [(Path(i.file_name).stem, str(Path(i.file_name).with_suffix(""))) for i in images]
    return [
        partial(_load, image, name, folders)
        for image, name in zip(images, result_names(stems), strict=True)
    ]


def _load(image: CocoImage, name: str, folders: Sequence[Path]) -> Loaded:
    searched = folders or (image.file.parent,)
    # Some tools write the path that the image had on their machine.
    base = image.file_name.replace("\\", "/").rpartition("/")[2]
    tried = dict.fromkeys(folder / n for n in (image.file_name, base) for folder in searched)
    path = next((path for path in tried if path.is_file()), None)
    if path is None:
        where = place(image.file, record=image.record)
        text = f"no file '{image.file_name}' in {', '.join(map(str, searched))}; left out"
        return Loaded(None, [Problem("missing file", where, text)])
    return Loaded(
        AnnotatedImage(
            path,
            image.width,
            image.height,
            tuple(image.boxes),
            name,
            image.file_name,
            image.file,
            record=image.record,
        )
    )
