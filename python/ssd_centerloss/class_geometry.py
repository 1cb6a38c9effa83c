"""How compact the classes of a feature space are, and how far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassGeometry:
    """Distances between features x (N × K) with labels y, around the class means m.

    within  : mean over the samples of ‖x − m_y‖
    between : mean over pairs of classes of ‖m_a − m_b‖
    """

    within: float
    between: float

    @property
    def ratio(self) -> float:
        """within / between: free of the features' scale; small is compact and separated."""
        return self.within / self.between


def measure(features: NDArray[np.floating], labels: NDArray[np.integer]) -> ClassGeometry:
    """Measures the classes that occur among the labels.

    Raises ValueError for arrays that do not fit each other, or fewer than two classes.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(
            f"features of shape {features.shape} and labels of shape {labels.shape}; "
            "expected (samples, dimensions) and (samples,)"
        )
    classes, index = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"distances between classes need two of them, got {len(classes)}")
    points = features.astype(np.float64)
    means = np.stack([points[index == i].mean(axis=0) for i in range(len(classes))])
    within = np.linalg.norm(points - means[index], axis=1).mean()
    first, second = np.triu_indices(len(classes), 1)
    between = np.linalg.norm(means[first] - means[second], axis=1).mean()
    return ClassGeometry(within=float(within), between=float(between))
