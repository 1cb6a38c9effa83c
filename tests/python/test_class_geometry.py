"""Distances within and between classes."""

import numpy as np
import pytest

from ssd_centerloss.class_geometry import measure


def test_by_hand() -> None:
    features = np.array([[0.0, 1], [0, -1], [3, 5], [3, 3]])
    geometry = measure(features, np.array([7, 7, 2, 2]))
    # Means (0, 0) and (3, 4); every sample is 1 away from its own.
    assert geometry.within == pytest.approx(1)
    assert geometry.between == pytest.approx(5)
    assert geometry.ratio == pytest.approx(0.2)


def test_shift_rotation_and_scale() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(60, 2))
    labels = random.integers(0, 4, 60)
    geometry = measure(features, labels)
    turned = features @ np.array([[0.6, -0.8], [0.8, 0.6]]) + [5, -2]
    assert measure(turned, labels).within == pytest.approx(geometry.within)
    assert measure(turned, labels).between == pytest.approx(geometry.between)
    assert measure(3 * features, labels).ratio == pytest.approx(geometry.ratio)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"features of shape \(3, 2\) and labels of shape \(2,\)"):
        measure(np.zeros((3, 2)), np.zeros(2, int))
    with pytest.raises(ValueError, match="two of them, got 1"):
        measure(np.zeros((3, 2)), np.zeros(3, int))
