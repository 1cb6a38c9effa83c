"""Annotated images, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Box:
    """A box of a named class: corners in pixels, as the annotation has them.

    Pascal VOC counts pixels from one, other sources from zero; Caffe-SSD
    divides either by the image's size, and so do we.
    line   : where the annotation file has it; 0 if unknown
    record : what the file calls it, where that has no lines to speak of: "annotation 7"
    """

    name: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    difficult: bool = False
    line: int = 0
    record: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.xmax > self.xmin and self.ymax > self.ymin)

    def clipped(self, width: float, height: float) -> Box:
        """The part within an image of this size."""
        return replace(
            self,
            xmin=min(max(self.xmin, 0.0), width),
            ymin=min(max(self.ymin, 0.0), height),
            xmax=min(max(self.xmax, 0.0), width),
            ymax=min(max(self.ymax, 0.0), height),
        )

    def scaled(self, x: float, y: float) -> Box:
        """The box with its x coordinates multiplied by x, the others by y."""
        return replace(
            self, xmin=self.xmin * x, ymin=self.ymin * y, xmax=self.xmax * x, ymax=self.ymax * y
        )


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and its boxes.

    path       : the image file
    width      : pixels; as the annotation says until the image was looked at, 0 if it does not
    height     : likewise
    name       : what result files call it; without white space, once in a split
    key        : its path within the source, for the database's keys
    annotation : the file that the boxes come from
    record     : what that file calls the image, where it has many: "image 12"
    turn       : the annotation means the image as its EXIF orientation turns it
    fractions  : the boxes are in parts of the image's width and height, not in pixels;
                 only until the image was looked at
    """

    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]
    name: str
    key: str
    annotation: Path
    record: str = ""
    turn: bool = False
    fractions: bool = False


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the data.

    kind  : the group it is reported in, for instance "empty box"
    where : the file; "file:line" or "file, record" where that is known
    text  : what was found, and what was done
    """

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def place(path: Path | str, line: int = 0, record: str = "") -> str:
    """`path:line`, `path, record`, or the path alone where neither is known."""
    if record:
        return f"{path}, {record}"
    return f"{path}:{line}" if line else str(path)


@dataclass
class Report:
    """Everything found wrong in a source, in order, and what was only counted.

    unknown : boxes left out by the name of a class that the label map has not
    """

    problems: list[Problem] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, where: str, text: str) -> None:
        self.problems.append(Problem(kind, where, text))

    def extend(self, problems: list[Problem]) -> None:
        self.problems.extend(problems)

    def __len__(self) -> int:
        return len(self.problems) + len(self.unknown)

    def lines(self, most: int | None = None) -> list[str]:
        """The report as text, by kind; `most` limits the lines of one kind."""
        kinds: dict[str, list[Problem]] = {}
        for problem in self.problems:
            kinds.setdefault(problem.kind, []).append(problem)
        lines: list[str] = []
        for kind, problems in kinds.items():
            lines.append(f"{kind} ({len(problems)}):")
            lines.extend(f"  {problem}" for problem in problems[:most])
            if most is not None and len(problems) > most:
                lines.append(f"  … and {len(problems) - most} more")
        if self.unknown:
            lines.append(f"labels that no class is named after ({len(self.unknown)}), left out:")
            lines.extend(
                f"  '{name}': {count} {'box' if count == 1 else 'boxes'}"
                for name, count in self.unknown.most_common()
            )
        return lines
