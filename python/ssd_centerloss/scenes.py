"""Scenes of real handwritten digits: a small detection task that any machine can make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ssd_centerloss.data.folders import check_target, whole_folder
from ssd_centerloss.errors import UserError

Image = NDArray[np.uint8]
Mask = NDArray[np.float32]

MARKER = "scenes.json"
TRAIN_SHARE = 0.75  # of the digits, which go by writers

FEWEST, MOST = 3, 6  # digits in a scene
TURN = 12.0  # degrees, at most, either way
SHEAR = 0.15
SQUEEZE = (0.85, 1.15)  # width by height
INK = 0.5  # a pixel with this much ink belongs to the box
CONTRAST = 80.0  # grey levels, at least, between ink and the middle of the background
TEXTURE = 28.0  # grey levels, at most, that the background strays from its middle
OVERLAP = 0.05  # of the smaller of two boxes, at most
TRIES = 40
JPEG_QUALITY = 95

# Red, green and blue as the eye weighs them, in OpenCV's order.
LUMINANCE = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True)
class SceneOptions:
    """What scenes are made: their numbers, their side and the digits' sides in pixels."""

    train: int = 400
    test: int = 100
    size: int = 160
    smallest: int = 20
    largest: int = 90
    seed: int = 0


@dataclass(frozen=True)
class Digits:
    """Handwritten digits: pictures (N × 8 × 8, ink 0 to 1) and their values (N)."""

    pictures: Mask
    values: NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """A digit of a scene and its box: the edges of its ink, in pixels from zero."""

    value: int
    xmin: int
    ymin: int
    xmax: int
    ymax: int


def load_digits() -> tuple[Digits, Digits]:
    """scikit-learn's digits, to train on and to test on.

    The collection goes through its writers one after the other, so its last
    quarter is by other hands than the rest.
    Raises UserError if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits as load  # type: ignore[import-untyped]
    except ImportError:
        raise UserError(
            "the digits come with scikit-learn, which is not installed: pip install scikit-learn"
        ) from None
    bunch = load()
    pictures = (bunch.images / 16.0).astype(np.float32)
    values = bunch.target.astype(np.int64)
    bound = int(len(values) * TRAIN_SHARE)
    return Digits(pictures[:bound], values[:bound]), Digits(pictures[bound:], values[bound:])


def write_scenes(out: Path, options: SceneOptions, overwrite: bool = False) -> None:
    """Writes a Pascal VOC folder with the lists train and test.

    The same options give the same files. Raises UserError for sizes that do
    not fit each other, or if `out` is there already.
    """
    if not options.smallest <= options.largest <= options.size:
        raise UserError(
            f"digits of {options.smallest} to {options.largest} pixels in scenes of "
            f"{options.size}: expected --smallest ≤ --largest ≤ --size"
        )
    check_target(out, MARKER, overwrite)
    digits = load_digits()
    with whole_folder(out) as folder:
        for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (folder / name).mkdir(parents=True)
        for part, split in enumerate(("train", "test")):
            names = []
            for i in range(getattr(options, split)):
                rng = np.random.default_rng([options.seed, part, i])
                names.append(f"{split}_{i:04d}")
                _write_scene(folder, names[-1], *make_scene(digits[part], options, rng))
            lines = "".join(f"{name}\n" for name in names)
            (folder / "ImageSets/Main" / f"{split}.txt").write_text(lines)
        (folder / MARKER).write_text(json.dumps(asdict(options), indent=1) + "\n")


def _write_scene(folder: Path, name: str, image: Image, placed: Sequence[Placed]) -> None:
    path = folder / "JPEGImages" / f"{name}.jpg"
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())
    height, width = image.shape[:2]
    objects = "".join(
        f"  <object>\n    <name>{digit.value}</name>\n    <difficult>0</difficult>\n"
        f"    <bndbox><xmin>{digit.xmin}</xmin><ymin>{digit.ymin}</ymin>"
        f"<xmax>{digit.xmax}</xmax><ymax>{digit.ymax}</ymax></bndbox>\n  </object>\n"
        for digit in placed
    )
    text = (
        f"<annotation>\n  <filename>{path.name}</filename>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>\n"
        f"{objects}</annotation>\n"
    )
    (folder / "Annotations" / f"{name}.xml").write_text(text)


# -- one scene ---------------------------------------------------------------


def make_scene(digits: Digits, options: SceneOptions, rng: Generator) -> tuple[Image, list[Placed]]:
    """Draws a background and three to six digits on it, the large ones first.

    A digit that finds no free place in some tries is drawn smaller; every scene has one.
    """
    side = options.size
    texture, middle = background(side, rng)
    canvas = texture
    placed: list[Placed] = []
    count = int(rng.integers(FEWEST, MOST + 1))
    low, high = np.log(options.smallest), np.log(options.largest)
    for pixels in sorted(np.exp(rng.uniform(low, high, count)), reverse=True):
        chosen = int(rng.choice(np.flatnonzero(digits.values == rng.integers(10))))
        value = int(digits.values[chosen])
        for attempt in range(TRIES):
            shrunk = max(pixels * 0.97**attempt, options.smallest)
            ink = place_digit(digits.pictures[chosen], shrunk, side, rng)
            digit = _boxed(value, ink)
            if digit is not None and all(_free(digit, other) for other in placed):
                canvas = _blend(canvas, ink, _ink_color(middle, rng))
                placed.append(digit)
                break
    noise = rng.normal(0, rng.uniform(0, 4), canvas.shape)
    return np.clip(canvas + noise, 0, 255).astype(np.uint8), placed


def place_digit(picture: Mask, pixels: float, side: int, rng: Generator) -> Mask:
    """Ink of a scene (side × side, 0 to 1) with this digit turned, sheared and moved at random.

    The larger side of the ink is about `pixels`; all of it is within the scene
    unless turning made it larger than the scene.
    """
    rows, columns = np.nonzero(picture > INK / 2)
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    angle = np.deg2rad(rng.uniform(-TURN, TURN))
    squeeze = np.sqrt(rng.uniform(*SQUEEZE))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[squeeze, rng.uniform(-SHEAR, SHEAR)], [0, 1 / squeeze]])
    matrix = turn @ shear * (pixels / extent)
    corners = np.array([[c, r] for r in (rows.min(), rows.max()) for c in (0, 0)], float)
    corners[:, 0] = [columns.min(), columns.max()] * 2
    reach = np.abs((corners - corners.mean(0)) @ matrix.T).max(0) + pixels / extent / 2
    low = np.minimum(reach, side / 2)
    center = rng.uniform(low, side - low)
    shift = center - matrix @ corners.mean(0)
    affine = np.column_stack([matrix, shift])
    ink = cv2.warpAffine(picture, affine, (side, side), flags=cv2.INTER_CUBIC)
    # The eight pixels of a stroke's side are blurred by now: an edge makes it a stroke again.
    return np.asarray(np.clip((ink - 0.25) / 0.4, 0, 1), np.float32)


def _boxed(value: int, ink: Mask) -> Placed | None:
    """The digit with a box tight around its ink; None if too little of it is seen."""
    rows, columns = (np.flatnonzero((ink >= INK).any(axis)) for axis in (1, 0))
    if len(rows) < 4 or len(columns) < 2:
        return None
    return Placed(value, int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _free(one: Placed, other: Placed) -> bool:
    width = min(one.xmax, other.xmax) - max(one.xmin, other.xmin)
    height = min(one.ymax, other.ymax) - max(one.ymin, other.ymin)
    areas = [(box.xmax - box.xmin) * (box.ymax - box.ymin) for box in (one, other)]
    return max(width, 0) * max(height, 0) <= OVERLAP * min(areas)


def _ink_color(middle: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """A colour that stands out from the background's middle by its brightness."""
    brightness = LUMINANCE @ middle
    while True:
        color = rng.uniform(0, 255, 3)
        if abs(LUMINANCE @ color - brightness) >= CONTRAST:
            return color


def _blend(canvas: NDArray[np.float64], ink: Mask, color: NDArray[np.float64]) -> Any:
    share = ink[..., None]
    return canvas * (1 - share) + color * share


# -- backgrounds -------------------------------------------------------------


def background(side: int, rng: Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A textured background (side × side × 3, 0 to 255), and the colour it strays from."""
    middle = rng.uniform(TEXTURE, 255 - TEXTURE, 3)
    layers = [_gradient, _clouds, _stripes, _grain]
    weights = rng.dirichlet(np.full(len(layers), 0.6))
    pattern = np.zeros((side, side))
    for weight, layer in zip(weights, layers, strict=True):
        pattern += weight * layer(side, rng)
    tint = rng.uniform(0.5, 1, 3) * rng.choice([-1, 1], 3, p=[0.15, 0.85])
    strength = rng.uniform(0.4, 1) * TEXTURE
    return middle + strength * pattern[..., None] * tint, middle


def _gradient(side: int, rng: Generator) -> NDArray[np.float64]:
    along = _direction(side, rng)
    return np.asarray(along / np.abs(along).max())


def _stripes(side: int, rng: Generator) -> NDArray[np.float64]:
    period = side * rng.uniform(0.05, 0.3)
    phase = rng.uniform(0, 2 * np.pi)
    return np.asarray(np.sin(2 * np.pi * _direction(side, rng) / period + phase))


def _direction(side: int, rng: Generator) -> NDArray[np.float64]:
    """Pixels from the middle, along a direction drawn at random."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.arange(side) - (side - 1) / 2
    return np.asarray(np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None])


def _clouds(side: int, rng: Generator) -> NDArray[np.float64]:
    """Smooth noise of several frequencies, each half as strong as the one below it."""
    total = np.zeros((side, side))
    for octave in range(4):
        cells = 3 * 2**octave
        noise = rng.uniform(-1, 1, (cells, cells))
        total += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.asarray(np.clip(total / 1.5, -1, 1))


def _grain(side: int, rng: Generator) -> NDArray[np.float64]:
    return rng.uniform(-1, 1, (side, side))
