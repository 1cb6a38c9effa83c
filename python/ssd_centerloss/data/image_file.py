"""What an encoded image says of itself: its size, whether it is whole, how it is turned."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Turned by a quarter: EXIF orientations that exchange width and height.
QUARTER_TURNS = frozenset({5, 6, 7, 8})

_JPEG = b"\xff\xd8"
_PNG = b"\x89PNG\r\n\x1a\n"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


@dataclass(frozen=True)
class ImageFacts:
    """width, height: in pixels, as stored; orientation: EXIF's, 1 (upright) to 8."""

    width: int
    height: int
    orientation: int = 1


def decode(data: bytes, upright: bool = False) -> NDArray[np.uint8] | None:
    """The pixels as height × width × 3 (BGR), as the runtime sees them; None if unreadable.

    upright : turned as the EXIF orientation says, which the runtime does not do
    """
    if not data:
        return None
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def examine(data: bytes) -> ImageFacts | str:
    """The facts of an encoded image, or what is wrong with it."""
    if not data:
        return "the file is empty"
    orientation = 1
    if data.startswith(_JPEG):
        scan, orientation = _jpeg_headers(data)
        if data.rfind(b"\xff\xd9", scan) < 0:
            return "the file ends before the image does"
    elif data.startswith(_PNG) and b"IEND" not in data[-64:]:
        return "the file ends before the image does"
    image = decode(data)
    if image is None:
        return "not an image that can be decoded"
    return ImageFacts(image.shape[1], image.shape[0], orientation)


def _jpeg_headers(data: bytes) -> tuple[int, int]:
    """Where the first scan begins (the end, where none does), and the EXIF orientation."""
    at = 2
    orientation = 1
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return 2, orientation  # damaged; decoding will tell
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            return at, orientation
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xE1:
            orientation = _exif_orientation(data[at + 4 : at + 2 + length]) or orientation
        at += 2 + length
    return len(data), orientation


def _exif_orientation(segment: bytes) -> int:
    """Tag 274 of the first directory; 0 if it is absent or makes no sense."""
    if not segment.startswith(b"Exif\0\0"):
        return 0
    tiff = segment[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for i in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * i)
            if tag == 274:
                return value if 1 <= value <= 8 else 0
    except struct.error:
        pass
    return 0
