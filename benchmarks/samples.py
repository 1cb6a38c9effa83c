"""Images and ground truth, the same for every side; needs numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BOXES = 4  # in an image


def images(batch: int, size: int) -> Array:
    """batch × 3 × size × size, normally distributed; the nets' weights are made for that."""
    return np.random.default_rng(1).standard_normal((batch, 3, size, size), np.float32)


def ground_truth(batch: int, classes: int) -> tuple[Array, Array]:
    """Labels, batch × BOXES from 1 on, and corners in [0, 1], batch × BOXES × 4."""
    random = np.random.default_rng(2)
    labels = random.integers(1, classes, (batch, BOXES))
    size = random.uniform(0.1, 0.5, (batch, BOXES, 2))
    corner = random.uniform(0, 1, (batch, BOXES, 2)) * (1 - size)
    return labels, np.concatenate([corner, corner + size], axis=2).astype(np.float32)


def predictions(batch: int, priors: int, width: int, seed: int) -> Array:
    """batch × priors × width, normally distributed, for the loss layers alone."""
    return np.random.default_rng(seed).standard_normal((batch, priors, width), np.float32)
