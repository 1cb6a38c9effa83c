"""Ten iterations of every solver give what the SSD branch got, from the start and resumed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import caffe
import golden

NEEDS_GOLDEN = pytest.mark.skipif(not golden.GOLDEN.is_dir(), reason="no ../shared/compat/golden")
ITERATIONS = 10


@pytest.fixture
def in_case_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Copies a case and goes there: its solver names the net by a relative path."""

    def enter(case: str) -> None:
        shutil.copytree(golden.GOLDEN / case, tmp_path / case, copy_function=shutil.copyfile)
        monkeypatch.chdir(tmp_path / case)
        golden.require_layer_types(Path("net.prototxt"))

    return enter


def run_from(solver: caffe.Solver, case: str, first: int) -> None:
    """Feeds batches `first` to the last, and compares each loss and the final parameters."""
    given, expected = golden.load(case, "in.npz"), golden.load(case, "out.npz")
    for i in range(first, ITERATIONS):
        solver.net.blobs["data"].data[...] = given["data"][str(i)]
        solver.net.blobs["label"].data[...] = given["label"][str(i)]
        solver.step(1)
        golden.assert_close(f"loss {i}", solver.net.blobs["loss"].data, expected["loss"][str(i)])
    assert solver.iter == ITERATIONS
    for key, value in expected["param"].items():
        layer, index = key.rsplit(":", 1)
        golden.assert_close(f"param {key}", solver.net.params[layer][int(index)].data, value)


@NEEDS_GOLDEN
@pytest.mark.parametrize("case", golden.cases(solvers=True))
def test_solver_case(case: str, in_case_copy) -> None:
    in_case_copy(case)
    solver = caffe.get_solver("solver.prototxt")
    for key, value in golden.load(case, "in.npz")["param"].items():
        layer, index = key.rsplit(":", 1)
        solver.net.params[layer][int(index)].data[...] = value
    run_from(solver, case, 0)


@NEEDS_GOLDEN
@pytest.mark.parametrize(
    ("case", "state"),
    [
        ("solver_snapshot_binary", "half_iter_5.solverstate"),
        ("solver_snapshot_hdf5", "half_iter_5.solverstate.h5"),
    ],
)
def test_a_snapshot_of_the_ssd_branch_resumes(case: str, state: str, in_case_copy) -> None:
    in_case_copy(case)
    solver = caffe.get_solver("solver.prototxt")
    solver.restore(state)
    assert solver.iter == 5
    run_from(solver, case, 5)
