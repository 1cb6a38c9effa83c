"""The classes of a dataset, in the label map files of Caffe-SSD."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format

from caffe.proto import caffe_pb2
from ssd_centerloss.errors import UserError

BACKGROUND = "none_of_the_above"
BACKGROUND_DISPLAY = "background"


@dataclass(frozen=True)
class LabelMap:
    """Names of classes by label; names[0] is the background.

    display : what pictures show, one for each name; the names themselves when left empty.

    Raises UserError for no class beside the background, an empty name, or one that comes twice.
    """

    names: tuple[str, ...]
    display: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.display:
            object.__setattr__(self, "display", (BACKGROUND_DISPLAY, *self.names[1:]))
        if len(self.names) < 2:
            raise UserError("a label map needs a class beside the background, got none")
        if len(self.display) != len(self.names):
            raise UserError(f"{len(self.display)} display names for {len(self.names)} classes")
        seen: set[str] = set()
        for label, name in enumerate(self.names):
            if not name.strip():
                raise UserError(f"label {label} has an empty name")
            if name in seen:
                raise UserError(f"the class '{name}' comes twice in the label map")
            seen.add(name)

    @property
    def num_classes(self) -> int:
        """What nets call num_classes: the background counts."""
        return len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names without the background; the class of label k is classes[k - 1]."""
        return self.names[1:]

    def index(self, name: str) -> int:
        """The label of a class. Raises UserError, with the names that exist, if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            known = ", ".join(self.classes)
            raise UserError(f"no class is named '{name}'; the classes are {known}") from None

    @classmethod
    def of(cls, classes: Iterable[str]) -> LabelMap:
        """The label map of these classes, in this order, from label 1."""
        return cls((BACKGROUND, *classes))

    @classmethod
    def read(cls, path: Path | str) -> LabelMap:
        """Reads a label map prototxt; its items may come in any order.

        Raises UserError unless the labels are 0, 1, … without a gap, label 0 being the background.
        """
        path = Path(path)
        message = caffe_pb2.LabelMap()
        try:
            text_format.Parse(path.read_text(encoding="utf-8"), message)
        except FileNotFoundError:
            raise UserError(f"{path}: no such label map") from None
        except (text_format.ParseError, UnicodeDecodeError, OSError) as error:
            raise UserError(f"{path}: not a label map: {error}") from None
        items = sorted(message.item, key=lambda item: item.label)
        labels = [item.label for item in items]
        if labels != list(range(len(labels))):
            raise UserError(
                f"{path}: labels are {', '.join(map(str, labels))}; expected 0 (the background), "
                "1, 2, … each once"
            )
        names = tuple(item.name for item in items)
        try:
            return cls(names, tuple(item.display_name or item.name for item in items))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def write(self, path: Path | str) -> None:
        """Writes the label map as Caffe-SSD reads it: name, label and display_name of each."""
        message = caffe_pb2.LabelMap()
        for label, (name, display) in enumerate(zip(self.names, self.display, strict=True)):
            message.item.add(name=name, label=label, display_name=display)
        text = text_format.MessageToString(message, as_utf8=True)
        Path(path).write_text(text, encoding="utf-8")
