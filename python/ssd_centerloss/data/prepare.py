"""From what a source claims to what can be used: every image looked at, every box checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ssd_centerloss.data.annotations import AnnotatedImage, Box, Problem, Report, place
from ssd_centerloss.data.image_file import QUARTER_TURNS, ImageFacts, examine
from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.data.progress import in_parallel, shown
from ssd_centerloss.data.source import Loaded, Loader, Source
from ssd_centerloss.errors import UserError

# Sizes of an image and of its annotation in the same proportion, rounding allowed for.
SAME_ASPECT = 0.01
# Boxes may leave the image by less than this without being worth a word: rounding.
TOLERATED = 0.5


@dataclass
class Prepared:
    """Images that can be written: sizes are the images' own, boxes lie within, labels are known.

    bytes : of all image files together
    """

    label_map: LabelMap
    splits: dict[str, list[AnnotatedImage]]
    origin: dict[str, str]
    report: Report
    bytes: int = 0


def prepare(
    source: Source, label_map: LabelMap | None, threads: int, quiet: bool = False
) -> Prepared:
    """Looks at every image and annotation of a source.

    label_map : the classes; None takes the source's own (where all that it
                finds are of these), else the names found, sorted

    What is wrong goes to the report, and the rest is kept. Raises UserError
    where no image or no class is left.
    """
    report = source.report
    splits: dict[str, list[AnnotatedImage]] = {}
    size = 0
    for split, loaders in source.splits.items():
        splits[split] = []
        found = in_parallel(_look, loaders, threads)
        for loaded, image_bytes in shown(found, len(loaders), f"checking {split}", quiet):
            report.extend(loaded.problems)
            size += image_bytes
            if loaded.image is not None:
                splits[split].append(loaded.image)
        if not splits[split]:
            told = "\n".join(report.lines(5))
            raise UserError(f"the split '{split}' has no image that can be used\n{told}".rstrip())
    if label_map is None:
        label_map = _label_map(source.classes, splits, report)
    known = set(label_map.classes)
    for split, images in splits.items():
        splits[split] = [_of_known_classes(image, known, report) for image in images]
    if not any(image.boxes for images in splits.values() for image in images):
        wanted = ", ".join(label_map.classes)
        told = "\n".join(report.lines(5))
        raise UserError(f"no box of the classes {wanted} was found\n{told}".rstrip())
    return Prepared(label_map, splits, source.origin, report, size)


def _label_map(
    proposed: Sequence[str], splits: dict[str, list[AnnotatedImage]], report: Report
) -> LabelMap:
    found = sorted({box.name for images in splits.values() for i in images for box in i.boxes})
    if not found:
        told = "\n".join(report.lines(5))
        raise UserError(f"no box was found, so there is no class\n{told}".rstrip())
    same = Counter(name.casefold() for name in found)
    for name in found:
        if same[name.casefold()] > 1:
            text = "differs from another class by capitals only; both are kept as classes"
            report.add("classes alike", f"'{name}'", text)
    return LabelMap.of(proposed if proposed and set(found) <= set(proposed) else found)


def _of_known_classes(image: AnnotatedImage, known: set[str], report: Report) -> AnnotatedImage:
    if all(box.name in known for box in image.boxes):
        return image
    report.unknown.update(box.name for box in image.boxes if box.name not in known)
    return replace(image, boxes=tuple(box for box in image.boxes if box.name in known))


def _look(loader: Loader) -> tuple[Loaded, int]:
    """Loads an annotation and looks at its image; the size of the image file beside it."""
    loaded = loader()
    if loaded.image is None:
        return loaded, 0
    image, problems = loaded.image, list(loaded.problems)
    try:
        data = image.path.read_bytes()
    except OSError as error:
        text = f"{error.strerror}; left out"
        return Loaded(None, [*problems, Problem("unreadable image", str(image.path), text)]), 0
    facts = examine(data)
    if isinstance(facts, str):
        text = f"{facts}; left out"
        return Loaded(None, [*problems, Problem("unreadable image", str(image.path), text)]), 0
    image = _in_pixels_of(image, facts, problems)
    boxes = [_checked(box, image, problems) for box in image.boxes]
    return Loaded(replace(image, boxes=tuple(b for b in boxes if b)), problems), len(data)


def _in_pixels_of(
    image: AnnotatedImage, facts: ImageFacts, problems: list[Problem]
) -> AnnotatedImage:
    """The image with its own size, and its boxes in pixels of that."""
    width, height = facts.width, facts.height
    claimed = (image.width, image.height)
    turn = False
    if facts.orientation != 1:
        turned = facts.orientation in QUARTER_TURNS and claimed == (height, width)
        # Fractions say nothing of a size; the tools that write them show images upright.
        turn = image.fractions or (turned and width != height)
        what = "turned upright, as annotated" if turn else "its boxes are taken as of it unturned"
        text = f"EXIF orientation {facts.orientation}: {what}"
        problems.append(Problem("turned image", str(image.path), text))
        if turn and facts.orientation in QUARTER_TURNS:
            width, height = height, width
    boxes = image.boxes
    if image.fractions:
        boxes = tuple(box.scaled(width, height) for box in boxes)
    elif claimed not in ((0, 0), (width, height)):
        x, y = width / claimed[0], height / claimed[1]
        fits = all(box.xmax <= claimed[0] and box.ymax <= claimed[1] for box in boxes)
        scale = fits and abs(x / y - 1) < SAME_ASPECT
        what = "the boxes are scaled to the image" if scale else "the image's own size is used"
        text = f"says {claimed[0]} × {claimed[1]}, the image has {width} × {height}; {what}"
        where = place(image.annotation, record=image.record)
        problems.append(Problem("size does not agree", where, text))
        if scale:
            boxes = tuple(box.scaled(x, y) for box in boxes)
    return replace(image, width=width, height=height, boxes=boxes, turn=turn, fractions=False)


def _checked(box: Box, image: AnnotatedImage, problems: list[Problem]) -> Box | None:
    """The box within its image; None if nothing is left of it."""
    where = place(image.annotation, box.line, box.record)
    tell = partial(_describe, box)
    if box.is_empty:
        problems.append(Problem("empty box", where, f"{tell()} has no area; left out"))
        return None
    clipped = box.clipped(image.width, image.height)
    size = f"{image.width} × {image.height}"
    if clipped.is_empty:
        text = f"{tell()} lies outside the image of {size}; left out"
        problems.append(Problem("box outside", where, text))
        return None
    before = (box.xmin, box.ymin, box.xmax, box.ymax)
    after = (clipped.xmin, clipped.ymin, clipped.xmax, clipped.ymax)
    if max(abs(a - b) for a, b in zip(before, after, strict=True)) > TOLERATED:
        text = f"{tell()} reaches beyond the image of {size}; clipped"
        problems.append(Problem("box clipped", where, text))
    return clipped


def _describe(box: Box) -> str:
    return f"'{box.name}' ({box.xmin:g}, {box.ymin:g}, {box.xmax:g}, {box.ymax:g})"
