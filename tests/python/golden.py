"""Finds the cases measured on the SSD branch, and compares with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "compat" / "golden"
# Computed from the definitions by tests/data/make_golden.py: a checkout alone has these.
OWN = Path(__file__).resolve().parents[1] / "data" / "golden"

# Single precision, sums of a few hundred terms in another order than theirs.
TOLERANCE = 2e-4

Arrays = dict[str, dict[str, np.ndarray[Any, Any]]]


def cases(solvers: bool) -> list[str]:
    """The names of the solver cases, or of the layer cases; empty without the data."""
    if not GOLDEN.is_dir():
        return []
    return sorted(
        case.name
        for case in GOLDEN.iterdir()
        if (case / "out.npz").is_file() and case.name.startswith("solver_") == solvers
    )


def own_cases() -> list[str]:
    """The names of the cases in the repository."""
    return sorted(case.name for case in OWN.iterdir())


def folder_of(case: str) -> Path:
    """Where a case of either kind lies."""
    return OWN / case if (OWN / case).is_dir() else GOLDEN / case


def load(case: str, name: str) -> Arrays:
    """The arrays "KIND:KEY" of an npz file as {KIND: {KEY: array}}."""
    arrays: Arrays = {}
    with np.load(folder_of(case) / name) as stored:
        for full_name in stored.files:
            kind, key = full_name.split(":", 1)
            arrays.setdefault(kind, {})[key] = stored[full_name]
    return arrays


def require_layer_types(net_file: Path) -> None:
    """Skips the test if the net needs types that this build lacks.

    With CAFFE_GOLDEN_STRICT=1 in the environment it fails, so that nothing hides.
    """
    net = text_format.Parse(net_file.read_text(), caffe_pb2.NetParameter())
    missing = sorted({layer.type for layer in net.layer} - set(caffe.layer_type_list()))
    if not missing:
        return
    message = "layer types not in this build: " + ", ".join(missing)
    if os.environ.get("CAFFE_GOLDEN_STRICT") == "1":
        pytest.fail(message)
    pytest.skip(message)


def assert_close(name: str, got: np.ndarray[Any, Any], want: np.ndarray[Any, Any]) -> None:
    """Both have one shape and differ by at most TOLERANCE of the largest expected value."""
    assert got.shape == want.shape, f"{name}: shape {got.shape}, expected {want.shape}"
    if want.size == 0:
        return
    scale = np.abs(want).max()
    error = np.abs(got.astype(np.float64) - want)
    worst = np.unravel_index(np.argmax(error), error.shape)
    assert np.isfinite(got).all(), f"{name}: not finite"
    assert error[worst] <= TOLERANCE * scale, (
        f"{name}{[int(i) for i in worst]}: {got[worst]}, expected {want[worst]} "
        f"(largest {scale}, tolerance {TOLERANCE * scale})"
    )
