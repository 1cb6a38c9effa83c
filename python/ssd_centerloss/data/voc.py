"""Pascal VOC folders: Annotations, JPEGImages, ImageSets/Main."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ssd_centerloss.data import xml_tree
from ssd_centerloss.data.annotations import AnnotatedImage, Box, Problem, Report, place
from ssd_centerloss.data.source import (
    Loaded,
    Loader,
    Source,
    divide,
    image_files,
    parse_splits,
    result_names,
    tell_overlap,
)
from ssd_centerloss.data.text_file import read_lines
from ssd_centerloss.data.xml_tree import Element
from ssd_centerloss.errors import UserError

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class VocFolder:
    """A folder with Annotations, its images and its lists.

    prefix : put before the keys of its records, so that several folders do not clash
    """

    path: Path
    prefix: str

    def image_set(self, name: str) -> Path:
        return self.path / "ImageSets" / "Main" / f"{name}.txt"


def read_voc(
    roots: Sequence[Path], splits: Sequence[str], test_fraction: float, seed: int
) -> Source:
    """Finds the images of one or several VOC folders.

    roots  : each a VOC folder, or a folder of them (VOCdevkit)
    splits : options NAME=SET[,SET…]; SET is a list in ImageSets/Main of every
             folder that has it, or FOLDER/LIST. Empty: train from trainval (or
             train), test from test (or val); where there are no lists at all, a
             test split is drawn.

    Raises UserError where nothing is found.
    """
    folders = find_folders(roots)
    wanted = parse_splits(splits) or _default_splits(folders)
    report = Report()
    source = Source({}, {}, report=report)
    if any("VOC20" in folder.path.name for folder in folders):
        source.classes = CLASSES
    if wanted:
        listed = {split: _listed(folders, sets, report) for split, sets in wanted.items()}
        for split, sets in wanted.items():
            source.splits[split] = _loaders(folders, listed[split])
            source.origin[split] = ", ".join(sets)
        tell_overlap(
            {split: [(f.path, i) for f, i in entries] for split, entries in listed.items()}, report
        )
        return source
    every = [
        (folder, file.stem)
        for folder in folders
        for file in sorted((folder.path / "Annotations").glob("*.xml"))
    ]
    names = [str(i) for i in range(len(every))]
    for split, chosen in divide(names, test_fraction, seed).items():
        source.splits[split] = _loaders(folders, [every[int(i)] for i in chosen])
        source.origin[split] = f"drawn from all annotations with seed {seed}"
    return source


def find_folders(roots: Sequence[Path]) -> list[VocFolder]:
    """The VOC folders that these are, or hold. Raises UserError where there is none."""
    found: list[tuple[Path, str]] = []
    for root in roots:
        if not root.is_dir():
            raise UserError(f"{root}: no such folder")
        candidates = [root, root / "VOCdevkit", *sorted(root.glob("*")), *root.glob("VOCdevkit/*")]
        here = [path for path in candidates if (path / "Annotations").is_dir()]
        if not here:
            raise UserError(
                f"{root}: no VOC folder; expected Annotations, JPEGImages and ImageSets/Main "
                "in it or in the folders directly below"
            )
        here = here[:1] if here[0] == root else list(dict.fromkeys(here))
        found += [(path, "" if path == root else f"{path.name}/") for path in here]
    if len(found) > 1:
        found = [(path, f"{path.resolve().name}/") for path, _ in found]
    prefixes = Counter(prefix for _, prefix in found)
    return [
        VocFolder(path, prefix if prefixes[prefix] == 1 else f"{i}_{prefix}")
        for i, (path, prefix) in enumerate(found)
    ]


def _default_splits(folders: Sequence[VocFolder]) -> Mapping[str, tuple[str, ...]]:
    """train and test, from the lists that exist; empty where there is none."""
    sets = {
        path.stem for folder in folders for path in (folder.path / "ImageSets/Main").glob("*.txt")
    }
    train = next((name for name in ("trainval", "train") if name in sets), None)
    if train is None:
        return {}
    held_out = ("test",) if train == "trainval" else ("test", "val")
    test = next((name for name in held_out if name in sets), None)
    if test is None and {"train", "val"} <= sets:
        train, test = "train", "val"
    return {"train": (train,), "test": (test,)} if test else {"train": (train,)}


Listed = list[tuple[VocFolder, str]]


def _listed(folders: Sequence[VocFolder], sets: Iterable[str], report: Report) -> Listed:
    """The folder and id of every image in the sets, each once."""
    seen: set[tuple[VocFolder, str]] = set()
    listed: Listed = []
    for one in sets:
        where, _, name = one.rpartition("/")
        mine = [f for f in folders if not where or f.path.name == where]
        files = [(f, f.image_set(name)) for f in mine if f.image_set(name).is_file()]
        if not files:
            raise UserError(_no_such_set(one, folders, mine))
        for folder, file in files:
            for line, image_id in _ids(folder, file):
                if (folder, image_id) in seen:
                    text = f"'{image_id}' is listed twice; kept once"
                    report.add("duplicate id", place(file, line), text)
                    continue
                seen.add((folder, image_id))
                listed.append((folder, image_id))
    return listed


def _no_such_set(wanted: str, folders: Sequence[VocFolder], mine: Sequence[VocFolder]) -> str:
    if not mine:
        names = ", ".join(folder.path.name for folder in folders)
        return f"--split …={wanted}: no such VOC folder; there are {names}"
    lists = sorted({p.stem for f in mine for p in (f.path / "ImageSets/Main").glob("*.txt")})
    shown = ", ".join(lists[:20]) or "none"
    return f"{mine[0].image_set(wanted.rpartition('/')[2])}: no such list; there are: {shown}"


def _ids(folder: VocFolder, file: Path) -> Iterable[tuple[int, str]]:
    """Line numbers and ids. A class's own list has a second column, −1 where it is absent."""
    for number, text in enumerate(read_lines(file), 1):
        whole = text.strip()
        if not whole:
            continue
        columns = whole.split()
        if len(columns) == 1 or (folder.path / "Annotations" / f"{whole}.xml").is_file():
            yield number, whole
        elif columns[1] != "-1":
            yield number, columns[0]


def _loaders(folders: Sequence[VocFolder], listed: Listed) -> list[Loader]:
    images = {folder: _images_of(folder) for folder in folders}
    names = result_names([(image_id, folder.prefix + image_id) for folder, image_id in listed])
    return [
        partial(_load, folder, image_id, name, images[folder])
        for (folder, image_id), name in zip(listed, names, strict=True)
    ]


def _images_of(folder: VocFolder) -> Mapping[str, Path]:
    for name in ("JPEGImages", "images", "Images"):
        if (folder.path / name).is_dir():
            return image_files(folder.path / name)
    raise UserError(f"{folder.path / 'JPEGImages'}: no such folder")


# -- one annotation ----------------------------------------------------------


def _load(folder: VocFolder, image_id: str, name: str, images: Mapping[str, Path]) -> Loaded:
    file = folder.path / "Annotations" / f"{image_id}.xml"
    if not file.is_file():
        text = "no such annotation; the image is left out"
        return Loaded(None, [Problem("missing file", str(file), text)])
    root = read_root(file)
    if isinstance(root, Problem):
        return Loaded(None, [root])
    path = images.get(image_id) or images.get(Path(root.value("filename")).stem)
    if path is None:
        text = f"no image '{image_id}' in JPEGImages; left out"
        return Loaded(None, [Problem("missing file", str(file), text)])
    key = f"{folder.prefix}{path.parent.name}/{path.name}"
    return annotated(AnnotatedImage(path, 0, 0, (), name, key, file), root)


def read_root(file: Path) -> Element | Problem:
    """The <annotation> of a file, or what is wrong with the file."""
    try:
        return xml_tree.parse(file)
    except (UserError, OSError) as error:
        where, text = _where_and_text(file, error)
        return Problem("unreadable annotation", where, f"{text}; left out")


def annotated(image: AnnotatedImage, root: Element) -> Loaded:
    """The image with the size and the boxes that its <annotation> has."""
    problems: list[Problem] = []
    width, height = _size(root, image.annotation, problems)
    boxes = tuple(read_boxes(root, image.annotation, problems))
    return Loaded(replace(image, width=width, height=height, boxes=boxes), problems)


def _where_and_text(file: Path, error: Exception) -> tuple[str, str]:
    """Parts "file:line: text", as xml_tree words its errors."""
    text = str(error)
    rest = text.removeprefix(str(file))
    if isinstance(error, UserError) and rest != text:
        line, _, what = rest.lstrip(":").partition(": ")
        return (place(file, int(line)), what) if line.isdigit() else (str(file), rest.lstrip(": "))
    return str(file), text


def _size(root: Element, file: Path, problems: list[Problem]) -> tuple[int, int]:
    """Width and height as the annotation says; zeros where it says nothing of use."""
    size = root.find("size")
    if size is None:
        return 0, 0
    try:
        width, height = (int(float(size.value(tag))) for tag in ("width", "height"))
    except (ValueError, OverflowError):
        width = height = -1
    if width <= 0 or height <= 0:
        got = f"'{size.value('width')}' × '{size.value('height')}'"
        text = f"size is {got}, expected two positive numbers; the image's own is used"
        problems.append(Problem("size does not agree", place(file, size.line), text))
        return 0, 0
    return width, height


def read_boxes(root: Element, file: Path, problems: list[Problem]) -> Iterable[Box]:
    """The boxes of an <annotation>, parts of persons left alone."""
    for item in root.all("object"):
        name = item.value("name")
        if not name:
            where = place(file, item.line)
            problems.append(Problem("malformed box", where, "the object has no name; left out"))
            continue
        corners = _corners(item, file, problems)
        if corners is not None:
            difficult = item.value("difficult").lower() in ("1", "true", "yes")
            yield Box(name, *corners, difficult=difficult, line=item.line)


def _corners(
    item: Element, file: Path, problems: list[Problem]
) -> tuple[float, float, float, float] | None:
    box = item.find("bndbox")
    if box is None:
        text = f"'{item.value('name')}' has no bndbox; left out"
        problems.append(Problem("malformed box", place(file, item.line), text))
        return None
    values: list[float] = []
    for tag in _CORNERS:
        corner = box.find(tag)
        text = corner.text.strip() if corner else ""
        try:
            values.append(float(text))
        except ValueError:
            values.append(math.nan)
        if not math.isfinite(values[-1]):
            line = corner.line if corner else box.line
            what = f"{tag} is '{text}', expected a number" if corner else f"{tag} is missing"
            problems.append(Problem("malformed box", place(file, line), f"{what}; left out"))
            return None
    return values[0], values[1], values[2], values[3]
