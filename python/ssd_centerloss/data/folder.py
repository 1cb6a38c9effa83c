"""Plain folders of images with YOLO texts, VOC XML or a table (CSV) beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ssd_centerloss.data import table, yolo
from ssd_centerloss.data.annotations import AnnotatedImage, Problem, Report
from ssd_centerloss.data.source import (
    IMAGE_SUFFIXES,
    Loaded,
    Loader,
    Source,
    divide,
    image_files,
    parse_splits,
    result_names,
    split_of,
    tell_overlap,
    with_test,
)
from ssd_centerloss.data.voc import annotated, read_root
from ssd_centerloss.errors import UserError

IMAGES = ("images", "Images", "JPEGImages")
ANNOTATIONS = ("labels", "annotations", "Labels", "Annotations")
_Load = Callable[[AnnotatedImage], Loaded]

KINDS = {".txt": "YOLO texts", ".xml": "VOC XML", ".csv": "table"}


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is read.

    splits  : options NAME=FOLDER[,FOLDER…]; empty: the folders train, val, test where they are
    classes : the names of YOLO's numbers, where no file has them
    keep_unlabelled : images without an annotation are images of nothing
    """

    splits: Sequence[str] = ()
    test_fraction: float = 0.2
    seed: int = 0
    classes: Sequence[str] = ()
    keep_unlabelled: bool = False


@dataclass
class Room:
    """Images that lie together, and where their annotations may be."""

    images: Path
    annotations: list[Path]
    files: list[Path] = field(default_factory=list)


def read_folder(root: Path, options: FolderOptions) -> Source:
    """Finds the images of a folder, of its subfolders train, val and test, or of images/train, ….

    Annotations lie beside the images, or in labels/ or annotations/ (for images/train: in
    labels/train). A table lies there too, or in the folder itself. Raises
    UserError where there are no images, or no annotations of any kind.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder")
    report = Report()
    splits = _requested(root, options.splits) or _found(root)
    loaders: dict[str, list[Loader]] = {}
    source = Source({}, {}, report=report)
    reader = _Reader(root, options, report)
    if splits:
        for split, rooms in splits.items():
            loaders[split], source.origin[split] = reader.read(rooms)
        listed = {
            split: [(file.parent, file.name) for room in rooms for file in room.files]
            for split, rooms in splits.items()
        }
        tell_overlap(listed, report)
        source.splits = loaders
    else:
        every, origin = reader.read([_room(root)])
        numbers = map(str, range(len(every)))
        for split, chosen in divide(numbers, options.test_fraction, options.seed).items():
            source.splits[split] = [every[int(i)] for i in chosen]
            drawn = f"; drawn with seed {options.seed}" if options.test_fraction else ""
            source.origin[split] = origin + drawn
    reader.finish()
    source.classes = reader.classes
    return source


# -- where things are --------------------------------------------------------


def _images_of(folder: Path) -> Path:
    return next((folder / name for name in IMAGES if (folder / name).is_dir()), folder)


def _beside(folder: Path, inner: str = "") -> list[Path]:
    every = [folder / name / inner for name in ANNOTATIONS]
    return [path for path in every if path.is_dir()]


def _room(folder: Path) -> Room:
    """The room of a folder with its images directly in it, or in images/."""
    images = _images_of(folder)
    return _filled(Room(images, list(dict.fromkeys([images, *_beside(folder), folder]))))


def _filled(room: Room) -> Room:
    suffixes = frozenset(IMAGE_SUFFIXES)
    room.files = sorted(
        path
        for path in room.images.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    )
    if not room.files:
        raise UserError(
            f"{room.images}: no images; expected some there, or in images/, or in the folders "
            "train, val and test"
        )
    return room


def _split_room(root: Path, name: str) -> Room:
    """The room root/NAME, or root/images/NAME with its annotations in root/labels/NAME."""
    if not (root / name).is_relative_to(root):
        raise UserError(f"--split …={name}: expected a folder below {root}")
    if (root / name).is_dir():
        room = _room(root / name)
    elif (_images_of(root) / name).is_dir():
        images = _images_of(root) / name
        room = _filled(Room(images, [images, *_beside(root, name)]))
    else:
        raise UserError(f"--split …={name}: neither {root / name} nor {_images_of(root) / name}")
    return room


def _requested(root: Path, splits: Sequence[str]) -> dict[str, list[Room]]:
    return {
        split: [_split_room(root, name) for name in names]
        for split, names in parse_splits(splits).items()
    }


def _found(root: Path) -> dict[str, list[Room]]:
    """The rooms of the folders that are named after splits; empty unless train is one."""
    for folder in (root, _images_of(root)):
        names: dict[str, list[str]] = {}
        for path in sorted(folder.iterdir()):
            split = split_of(path.name) if path.is_dir() else ""
            if split:
                names.setdefault(split, []).append(path.name)
        if "train" in names:
            rooms = {s: [_split_room(root, name) for name in found] for s, found in names.items()}
            return with_test(rooms)
    return {}


# -- what the annotations are ------------------------------------------------


class _Reader:
    """Finds the annotations of rooms; classes and tables are read once."""

    def __init__(self, root: Path, options: FolderOptions, report: Report) -> None:
        self.classes: tuple[str, ...] = ()
        self._root = root
        self._options = options
        self._report = report
        self._tables: dict[Path, table.Table] = {}
        self._names: yolo.Names | None = None

    def read(self, rooms: Sequence[Room]) -> tuple[list[Loader], str]:
        """The loaders of a split, and where it comes from in words."""
        loaders: list[Loader] = []
        origins: list[str] = []
        files = [path for room in rooms for path in room.files]
        pairs = [(p.stem, p.relative_to(self._root).with_suffix("").as_posix()) for p in files]
        names = dict(zip(files, result_names(pairs), strict=True))
        for room in rooms:
            found, origin = self._read_room(room)
            origins.append(origin)
            for path in room.files:
                key = path.relative_to(self._root).as_posix()
                if path in found:
                    image = AnnotatedImage(path, 0, 0, (), names[path], key, path)
                    loaders.append(partial(found[path], image))
        return loaders, "; ".join(origins)

    def finish(self) -> None:
        """Reports the rows of tables that no image was found for."""
        for one in self._tables.values():
            one.tell_unused(self._report)

    def _read_room(self, room: Room) -> tuple[Mapping[Path, _Load], str]:
        csv = self._table_of(room)
        if csv is not None:
            found = {p: rows for p in room.files if (rows := csv.take(p, self._root)) is not None}
            loads: dict[Path, _Load] = {
                path: partial(table.load, rows, csv.path) for path, rows in found.items()
            }
            origin = f"{room.images} with the table {csv.path}"
        else:
            kind, sidecars = self._sidecars(room)
            loads = {path: self._load_of(kind, file) for path, file in sidecars.items()}
            origin = f"{room.images} with {len(sidecars)} {KINDS[kind]}"
            if kind == ".txt" and self._names is not None:
                origin += f", classes of {self._names.origin}"
        for path in room.files:
            if path in loads:
                continue
            if self._options.keep_unlabelled:
                loads[path] = Loaded
            else:
                text = (
                    "no annotation; left out (--keep-unlabelled takes it for an image of nothing)"
                )
                self._report.add("image without annotation", str(path), text)
        return loads, origin

    def _table_of(self, room: Room) -> table.Table | None:
        tables = [
            path
            for folder in dict.fromkeys([*room.annotations, self._root])
            for path in table.find(folder, room.images.name)
        ]
        if not tables:
            return None
        path = tables[0]
        if path not in self._tables:
            self._tables[path] = table.read(path, self._report)
        return self._tables[path]

    def _sidecars(self, room: Room) -> tuple[str, dict[Path, Path]]:
        """The kind of annotations in a room, and the file of each image."""
        images = image_files(room.images)
        for path in sorted(set(room.files) - set(images.values())):
            text = f"{images[path.stem].name} has the same annotation; left out"
            self._report.add("two images of one name", str(path), text)
            room.files.remove(path)
        found: dict[str, dict[Path, Path]] = {".xml": {}, ".txt": {}}
        for suffix, sidecars in found.items():
            for folder in room.annotations:
                for file in sorted(folder.glob(f"*{suffix}")):
                    image = images.get(file.stem)
                    if image is not None:
                        sidecars.setdefault(image, file)
                    elif suffix == ".xml" or yolo.looks_like(file):
                        text = f"no image '{file.stem}' in {room.images}; left out"
                        self._report.add("missing file", str(file), text)
        kind = max(found, key=lambda suffix: len(found[suffix]))
        if not found[kind]:
            raise UserError(
                f"{room.images}: {len(room.files)} images without annotations; expected beside "
                "them, or in labels/ or annotations/, texts (YOLO: class x y width height), "
                "VOC's XML, or a table labels.csv (filename,xmin,ymin,xmax,ymax,class)"
            )
        if all(found.values()):
            other = next(suffix for suffix in found if suffix != kind)
            text = f"{len(found[kind])} {KINDS[kind]} and {len(found[other])} {KINDS[other]}; "
            text += f"the {KINDS[kind]} are taken"
            self._report.add("annotations of two kinds", str(room.images), text)
        return kind, found[kind]

    def _load_of(self, kind: str, file: Path) -> _Load:
        if kind == ".xml":
            return partial(_load_xml, file)
        if self._names is None:
            self._names = yolo.find_names(
                (self._root, *_beside(self._root), file.parent, file.parent.parent),
                self._options.classes,
                self._report,
            )
            self.classes = self._names.names
        return partial(yolo.load, file, self._names.names)


def _load_xml(file: Path, image: AnnotatedImage) -> Loaded:
    root = read_root(file)
    if isinstance(root, Problem):
        return Loaded(None, [root])
    return annotated(replace(image, annotation=file), root)
