"""What the readers of annotation formats have in common."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ssd_centerloss.data.annotations import AnnotatedImage, Problem, Report
from ssd_centerloss.errors import UserError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


@dataclass(frozen=True)
class Loaded:
    """What one annotation gave: nothing where it could not be read."""

    image: AnnotatedImage | None
    problems: list[Problem] = field(default_factory=list)


_Part = TypeVar("_Part")

# Reads one image's annotation; called from several threads.
Loader = Callable[[], Loaded]


@dataclass
class Source:
    """Annotations found, not yet looked at.

    splits  : the images of each split, in their order
    origin  : for each split, where its images come from, in words
    classes : names in the order of their labels, where the format has one
    report  : what was wrong on the way to the list of images
    """

    splits: dict[str, list[Loader]]
    origin: dict[str, str]
    classes: tuple[str, ...] = ()
    report: Report = field(default_factory=Report)


def parse_splits(requests: Sequence[str], named: bool = False) -> dict[str, tuple[str, ...]]:
    """{"train": ("a", "b")} of the options train=a,b.

    named : every split needs its sets; otherwise a name alone stands for itself

    Raises UserError for an option without a name, or a split that comes twice.
    """
    splits: dict[str, tuple[str, ...]] = {}
    for request in requests:
        name, _, sets = request.partition("=")
        parts = tuple(part.strip() for part in (sets or name).split(",") if part.strip())
        name = name.strip()
        if not name or not parts or "/" in name or (named and not sets):
            expected = "NAME=SET[,SET…]" if named else "NAME or NAME=SET[,SET…]"
            raise UserError(f"--split {request}: expected {expected}")
        if name in splits:
            raise UserError(f"--split {request}: the split '{name}' is given twice")
        splits[name] = parts
    return splits


def split_of(name: str) -> str:
    """The split that a file or folder is named after: "train", "val" or "test"; else empty.

    "instances_train2017", "valid" and "Testing" are such names, "latest" is none.
    """
    words = "train(?:ing|val)?|val(?:id|idation)?|test(?:ing)?"
    found = re.search(f"(?<![a-z])({words})(?![a-z])", name.lower())
    return re.sub("^(train|val|test).*", r"\1", found[1]) if found else ""


def with_test(splits: Mapping[str, _Part]) -> dict[str, _Part]:
    """The splits train, val, test in this order; val is called test where there is none."""
    order = [name for name in ("train", "val", "test") if name in splits]
    renamed = {"val": "test"} if "test" not in splits else {}
    return {renamed.get(name, name): splits[name] for name in order}


def tell_overlap(splits: Mapping[str, Sequence[tuple[Path, str]]], report: Report) -> None:
    """Reports images (folder and name) that are in the first split and in another."""
    first, *others = splits
    trained = set(splits[first])
    for split in others:
        both = [entry for entry in splits[split] if entry in trained]
        if both:
            text = (
                f"{len(both)} images are in '{first}' and in '{split}' (the first is "
                f"'{both[0][1]}'); what is measured on them flatters"
            )
            report.add("image in two splits", str(both[0][0]), text)


def image_files(folder: Path) -> dict[str, Path]:
    """The images of a folder by their name without suffix; the first in IMAGE_SUFFIXES wins."""
    found: dict[str, Path] = {}
    rank = {suffix: i for i, suffix in enumerate(IMAGE_SUFFIXES)}
    for path in sorted(folder.iterdir()):
        suffix = path.suffix.lower()
        if suffix not in rank or path.name.startswith("."):
            continue
        other = found.get(path.stem)
        if other is None or rank[suffix] < rank[other.suffix.lower()]:
            found[path.stem] = path
    return found


def divide(names: Iterable[str], fraction: float, seed: int) -> dict[str, list[str]]:
    """Draws a test split of that fraction; both splits keep the order of the names.

    At least one image goes to each split that the fraction asks for.
    Raises UserError for a fraction outside [0, 1) or too few images.
    """
    if not 0 <= fraction < 1:
        raise UserError(f"--test-fraction {fraction}: expected at least 0, less than 1")
    ordered = list(names)
    if fraction == 0:
        return {"train": ordered}
    if len(ordered) < 2:
        raise UserError(f"{len(ordered)} images cannot be divided into train and test")
    count = min(max(round(len(ordered) * fraction), 1), len(ordered) - 1)
    chosen = set(random.Random(seed).sample(range(len(ordered)), count))
    return {
        "train": [name for i, name in enumerate(ordered) if i not in chosen],
        "test": [name for i, name in enumerate(ordered) if i in chosen],
    }


def result_name(stem: str) -> str:
    """A name for result files, whose columns are parted by blanks."""
    return "_".join(stem.split()) or "_"


def result_names(images: Sequence[tuple[str, str]]) -> list[str]:
    """Names for the images of a split, each once.

    images : of each a short name and a longer one, which is taken where the short one is not unique
    """
    short = Counter(result_name(name) for name, _ in images)
    taken: set[str] = set()
    names: list[str] = []
    for name, longer in images:
        wanted = result_name(name)
        if short[wanted] > 1:
            wanted = result_name(longer.replace("/", "_"))
        unique, number = wanted, 1
        while unique in taken:
            number += 1
            unique = f"{wanted}_{number}"
        taken.add(unique)
        names.append(unique)
    return names
