"""Records of a database: an encoded image and its boxes (AnnotatedDatum)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caffe.proto import caffe_pb2
from ssd_centerloss.data.annotations import AnnotatedImage
from ssd_centerloss.errors import UserError


@dataclass(frozen=True)
class RecordBox:
    """A labelled box; coordinates are fractions of the image's width and height."""

    label: int
    instance: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    difficult: bool = False


@dataclass(frozen=True)
class Record:
    """A record of a database.

    image  : the encoded image; empty where the record holds raw pixels
    boxes  : in the order of the record, class by class
    raw    : pixels as channels × height × width where they are not encoded
    height, width : as the record says; 0 if it does not
    """

    key: str
    image: bytes
    boxes: tuple[RecordBox, ...]
    height: int = 0
    width: int = 0
    raw: NDArray[np.uint8] | None = None

    def decode(self) -> NDArray[np.uint8]:
        """The pixels as height × width × 3 (BGR). Raises UserError if they cannot be had."""
        from ssd_centerloss.data.image_file import decode

        if self.raw is not None:
            image = np.ascontiguousarray(self.raw.transpose(1, 2, 0))
            return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
        pixels = decode(self.image)
        if pixels is None:
            raise UserError(f"record '{self.key}': {len(self.image)} bytes that are not an image")
        return pixels


@dataclass(frozen=True)
class BrokenRecord:
    """A record that is no AnnotatedDatum, and why."""

    key: str
    reason: str


def read_records(path: Path | str) -> Iterator[Record]:
    """The records of a database in the order of their keys.

    Raises UserError if there is no database, or at a record that cannot be parsed.
    """
    for record in scan_records(path):
        if isinstance(record, BrokenRecord):
            raise UserError(f"{path}: record '{record.key}': {record.reason}")
        yield record


def scan_records(path: Path | str) -> Iterator[Record | BrokenRecord]:
    """Like read_records, but goes on after a broken record."""
    import lmdb

    path = Path(path)
    if not (path / "data.mdb").is_file():
        raise UserError(f"{path}: no LMDB here; expected a folder with data.mdb")
    try:
        with (
            lmdb.open(str(path), readonly=True, lock=False, readahead=False) as environment,
            environment.begin() as reader,
        ):
            for key, value in reader.cursor():
                yield _parse(bytes(key).decode("utf-8", "replace"), bytes(value))
    except lmdb.Error as error:
        raise UserError(f"{path}: not a database that can be read: {error}") from None


def count_records(path: Path | str) -> int:
    """The number of records. Raises UserError if there is no database."""
    import lmdb

    path = Path(path)
    if not (path / "data.mdb").is_file():
        raise UserError(f"{path}: no LMDB here; expected a folder with data.mdb")
    try:
        with lmdb.open(str(path), readonly=True, lock=False) as environment:
            return int(environment.stat()["entries"])
    except lmdb.Error as error:
        raise UserError(f"{path}: not a database that can be read: {error}") from None


def _parse(key: str, value: bytes) -> Record | BrokenRecord:
    from google.protobuf.message import DecodeError

    try:
        message = caffe_pb2.AnnotatedDatum.FromString(value)
    except DecodeError as error:
        return BrokenRecord(key, f"not an AnnotatedDatum: {error}")
    datum = message.datum
    raw = None
    if not datum.encoded:
        shape = (datum.channels, datum.height, datum.width)
        if shape[0] not in (1, 3) or len(datum.data) != shape[0] * shape[1] * shape[2]:
            return BrokenRecord(key, f"{len(datum.data)} bytes for pixels of shape {shape}")
        raw = np.frombuffer(datum.data, np.uint8).reshape(shape)
    boxes = tuple(
        _record_box(group.group_label, annotation)
        for group in message.annotation_group
        for annotation in group.annotation
    )
    image = b"" if raw is not None else datum.data
    return Record(key, image, boxes, datum.height, datum.width, raw)


def _record_box(label: int, annotation: Any) -> RecordBox:
    box = annotation.bbox
    return RecordBox(
        label, annotation.instance_id, box.xmin, box.ymin, box.xmax, box.ymax, box.difficult
    )


def serialize(
    image: AnnotatedImage, encoded: bytes, size: tuple[int, int], labels: Mapping[str, int]
) -> bytes:
    """The AnnotatedDatum of an image, field by field what Caffe-SSD's converter writes.

    encoded : the file of the image; size: its width and height
    labels  : the label of each class

    Boxes stand in groups of one class, in the order in which classes first
    occur; instances count within the class.
    """
    message = caffe_pb2.AnnotatedDatum()
    datum = message.datum
    datum.channels, datum.width, datum.height = 3, *size
    datum.data = encoded
    datum.label = -1
    datum.encoded = True
    message.type = caffe_pb2.AnnotatedDatum.BBOX
    groups: dict[int, Any] = {}
    for box in image.boxes:
        label = labels[box.name]
        group = groups.get(label)
        if group is None:
            group = groups[label] = message.annotation_group.add(group_label=label)
        annotation = group.annotation.add(instance_id=len(group.annotation))
        annotation.bbox.xmin = box.xmin / image.width
        annotation.bbox.ymin = box.ymin / image.height
        annotation.bbox.xmax = box.xmax / image.width
        annotation.bbox.ymax = box.ymax / image.height
        annotation.bbox.difficult = box.difficult
    return bytes(message.SerializeToString())
