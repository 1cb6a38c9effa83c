"""How many threads OpenMP starts, and how they wait."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from caffe import _threads


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set, on a machine of eight processors."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that what is set below is taken back
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("text", "threads"),
    [
        ("200000 100000\n", "2"),
        ("250000 100000", "3"),
        ("900000 100000", None),
        ("max 100000", None),
    ],
)
def test_quota_of_a_container_is_respected(tmp_path: Path, text: str, threads: str | None) -> None:
    (tmp_path / "cpu.max").write_text(text)
    _threads.settle(tmp_path)
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("quota", "threads"), [("150000\n", "2"), ("-1\n", None)])
def test_quota_of_the_first_control_groups(tmp_path: Path, quota: str, threads: str | None) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    _threads.settle(tmp_path)
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.usefixtures("environment")
def test_without_control_groups_openmp_decides(tmp_path: Path) -> None:
    _threads.settle(tmp_path)
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["GOMP_SPINCOUNT"] == "10000"


@pytest.mark.usefixtures("environment")
def test_what_the_user_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000")
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    _threads.settle(tmp_path)
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "GOMP_SPINCOUNT" not in os.environ
