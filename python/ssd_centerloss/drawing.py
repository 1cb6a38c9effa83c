"""Labelled boxes on images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.errors import UserError

Image = NDArray[np.uint8]
"""Height × width × 3, channels BGR."""

Color = tuple[int, int, int]

GOLDEN = 0.6180339887
"""Steps of this part of the colour circle keep away from all that came before."""


def class_color(label: int) -> Color:
    """The colour (BGR) of a class: hues far from each other, in three brightnesses."""
    hue = (0.05 + GOLDEN * (label - 1)) % 1
    value = (1.0, 0.75, 0.9)[label % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, value)
    return round(255 * blue), round(255 * green), round(255 * red)


def draw_detections(image: Image, found: Detections, names: Sequence[str]) -> Image:
    """A copy with the boxes of the detections, each with its class and score.

    `names` are those of the labels. The higher scores are drawn over the lower ones.
    """
    order = np.argsort(found.scores, kind="stable")
    texts = [f"{names[found.labels[i]]} {found.scores[i]:.2f}" for i in order]
    return draw_boxes(image, found.labels[order], found.boxes[order], texts)


def draw_truth(image: Image, truth: GroundTruth, names: Sequence[str]) -> Image:
    """A copy with the boxes that are there; difficult ones have a star."""
    texts = [
        names[label] + ("*" if ignored else "")
        for label, ignored in zip(truth.labels, truth.ignored, strict=True)
    ]
    return draw_boxes(image, truth.labels, truth.boxes, texts)


def draw_boxes(
    image: Image,
    labels: NDArray[np.integer],
    boxes: NDArray[np.floating],
    texts: Sequence[str],
) -> Image:
    """A copy with boxes in the colours of their labels, then their texts over all of them.

    A text stands above its box, or where that leaves the image or covers
    another text, inside the box or below it.
    """
    import cv2

    picture: Image = np.ascontiguousarray(image).copy()
    unit = max(min(image.shape[:2]) / 400, 0.75)
    colors = [class_color(int(label)) for label in labels]
    whole = np.rint(boxes).astype(int).tolist()
    for (left, top, right, bottom), color in zip(whole, colors, strict=True):
        cv2.rectangle(picture, (left, top), (right, bottom), color, max(1, round(1.5 * unit)))
    placed: list[tuple[int, int, int, int]] = []
    for box, color, text in zip(reversed(whole), reversed(colors), reversed(texts), strict=True):
        placed.append(_draw_text(picture, text, box, color, placed))
    return picture


def _draw_text(
    picture: Image,
    text: str,
    box: Sequence[int],
    color: Color,
    placed: Sequence[tuple[int, int, int, int]],
) -> tuple[int, int, int, int]:
    import cv2

    font, unit = cv2.FONT_HERSHEY_SIMPLEX, max(min(picture.shape[:2]) / 400, 0.75)
    scale, thickness, margin = 0.5 * unit, max(1, round(unit)), max(1, round(2 * unit))
    # OpenCV's fonts have ASCII alone.
    text = text.encode("ascii", "replace").decode()
    (width, height), base = cv2.getTextSize(text, font, scale, thickness)
    width, height = width + 2 * margin, height + base + 2 * margin
    left = int(np.clip(box[0], 0, max(picture.shape[1] - width, 0)))
    places = [
        (left, top, left + width, top + height)
        for top in (box[1] - height, box[1], box[3], box[3] - height)
    ]
    inside = [p for p in places if p[1] >= 0 and p[3] <= picture.shape[0]] or places[1:2]
    free = [p for p in inside if not any(_overlap(p, other) for other in placed)]
    place = (free or inside)[0]
    cv2.rectangle(picture, place[:2], place[2:], color, cv2.FILLED)
    blue, green, red = color
    dark = 0.114 * blue + 0.587 * green + 0.299 * red < 128
    ink = (255, 255, 255) if dark else (0, 0, 0)
    at = (place[0] + margin, place[3] - margin - base)
    cv2.putText(picture, text, at, font, scale, ink, thickness, cv2.LINE_AA)
    return place


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def write_image(path: Path, image: Image) -> None:
    """Writes an image; the suffix says how. Raises UserError where that is not possible."""
    import cv2

    try:
        done, data = cv2.imencode(path.suffix, image)
    except cv2.error:
        done = False
    if not done:
        raise UserError(f"{path}: no such kind of image; expected .png or .jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())
