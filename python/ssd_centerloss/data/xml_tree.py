"""XML files as a tree that knows its lines, safe against hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ssd_centerloss.errors import UserError

MAX_BYTES = 64 << 20  # an annotation file larger than this is something else
MAX_DEPTH = 100


@dataclass
class Element:
    """An element: its tag, the line it begins in, its text and its children."""

    tag: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def find(self, tag: str) -> Element | None:
        """The first child of that tag, in whatever order they come."""
        return next(self.all(tag), None)

    def all(self, tag: str) -> Iterator[Element]:
        return (child for child in self.children if child.tag == tag)

    def value(self, tag: str) -> str:
        """The stripped text of the first child of that tag; empty if there is none."""
        child = self.find(tag)
        return child.text.strip() if child else ""


def parse(path: Path) -> Element:
    """The root element of a file.

    Raises UserError "path:line: …" for malformed XML, for declarations of
    entities (they can expand without bound, or read other files), and for
    elements nested without reason.
    """
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise UserError(f"{path}: {len(data)} bytes are too many for an annotation")
    builder = _Builder(path)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise UserError(f"{path}:{error.lineno}: malformed XML: {reason}") from None
    except (ValueError, LookupError) as error:
        # Encodings of several bytes that expat does not have.
        raise UserError(f"{path}:1: malformed XML: {error}") from None
    return builder.root


class _Builder:
    """Builds the tree as expat reads."""

    def __init__(self, path: Path) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity
        self.root = Element("", 0)
        self._path = path
        self._open: list[Element] = []

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        element = Element(tag, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        if len(self._open) > MAX_DEPTH:
            raise UserError(f"{self._path}:{element.line}: elements nested {MAX_DEPTH} deep")

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _entity(self, *_declaration: object) -> None:
        line = self.parser.CurrentLineNumber
        raise UserError(f"{self._path}:{line}: declares an entity, which annotations never need")
