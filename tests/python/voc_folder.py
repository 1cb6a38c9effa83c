"""Small VOC folders for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

Corners = tuple[object, object, object, object]

SIZE = (40, 30)  # width, height of the images


def image_bytes(seed: int = 0, size: tuple[int, int] = SIZE, suffix: str = ".jpg") -> bytes:
    """An encoded image of smooth noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    done, encoded = cv2.imencode(suffix, cv2.resize(noise, size))
    assert done
    return encoded.tobytes()


def object_xml(name: str, corners: Corners, difficult: int = 0) -> str:
    """An <object> on lines of its own."""
    tags = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    box = "\n".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
    return (
        f"<object>\n<name>{name}</name>\n<difficult>{difficult}</difficult>\n"
        f"<bndbox>\n{box}\n</bndbox>\n</object>"
    )


def annotation_xml(objects: Sequence[str], size: tuple[object, object] = SIZE) -> str:
    width, height = size
    shape = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return "\n".join(["<annotation>", shape, *objects, "</annotation>"]) + "\n"


def make(root: Path, objects: Mapping[str, Sequence[str]], lists: Mapping[str, str]) -> Path:
    """A VOC folder with an image for each id, its objects, and lists of ids parted by blanks."""
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for i, (image_id, items) in enumerate(objects.items()):
        (root / "JPEGImages" / f"{image_id}.jpg").write_bytes(image_bytes(i))
        (root / "Annotations" / f"{image_id}.xml").write_text(annotation_xml(items))
    for name, ids in lists.items():
        (root / "ImageSets/Main" / f"{name}.txt").write_text("\n".join(ids.split()) + "\n")
    return root
