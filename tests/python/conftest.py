"""What several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Runs what depends neither on the machine's speed nor on files of its user."""
    os.environ.setdefault("CAFFE_CONV_ALGORITHM", "default")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of four small images with three classes; not to be changed."""
    import detector_run

    return detector_run.write_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on it with center loss, hardly trained; not to be changed."""
    import detector_run

    return detector_run.write_run(tmp_path_factory.mktemp("runs") / "run", dataset)
