"""The solvers from Python."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

# One weight w and the loss ½ (w x - y)² over a batch of one: every update can be made by hand.
NET = """
layer { name: "x" type: "Input" top: "x" top: "y"
        input_param { shape { dim: 1 dim: 1 } shape { dim: 1 dim: 1 } } }
layer { name: "w" type: "Scale" bottom: "x" top: "wx" scale_param { filler { value: 3 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "wx" bottom: "y" top: "loss" }
"""
SOLVER = "base_lr: 0.1 lr_policy: 'fixed' max_iter: 4 snapshot_after_train: false display: 0"
TYPES = {
    "SGD": caffe.SGDSolver,
    "Nesterov": caffe.NesterovSolver,
    "AdaGrad": caffe.AdaGradSolver,
    "RMSProp": caffe.RMSPropSolver,
    "AdaDelta": caffe.AdaDeltaSolver,
    "Adam": caffe.AdamSolver,
    "AdamW": caffe.AdamWSolver,
}


def solver_message(tmp_path: Path, more: str = "") -> Any:
    text = f"{SOLVER} snapshot_prefix: '{tmp_path}/snap' {more}"
    message = text_format.Parse(text, caffe_pb2.SolverParameter())
    text_format.Parse(NET, message.net_param)
    return message


def set_batch(net: caffe.Net) -> None:
    net.blobs["x"].data[...] = 2
    net.blobs["y"].data[...] = 1


@pytest.fixture
def solver(tmp_path: Path) -> caffe.Solver:
    made = caffe.get_solver(solver_message(tmp_path))
    set_batch(made.net)
    return made


def weight(solver: caffe.Solver) -> float:
    return float(solver.net.params["w"][0].data[0])


@pytest.mark.parametrize("name", TYPES)
def test_get_solver_makes_the_type_that_the_file_names(tmp_path: Path, name: str) -> None:
    message = solver_message(tmp_path, f"type: '{name}'")
    file = tmp_path / "solver.prototxt"
    file.write_text(text_format.MessageToString(message))
    solver = caffe.get_solver(str(file))
    assert type(solver) is TYPES[name]
    assert solver.type == name


@pytest.mark.parametrize("name", TYPES)
def test_a_solver_class_has_its_type_whatever_the_file_says(tmp_path: Path, name: str) -> None:
    message = solver_message(tmp_path, "type: 'Adam'")
    message.momentum2 = 0.999
    assert TYPES[name](message).type == name


def test_steps_are_those_of_gradient_descent(solver: caffe.Solver) -> None:
    w = 3.0
    for iteration in range(3):
        assert solver.iter == iteration
        assert weight(solver) == pytest.approx(w, rel=1e-6)
        solver.step(1)
        assert solver.net.blobs["loss"].data == pytest.approx((2 * w - 1) ** 2 / 2, rel=1e-5)
        w -= 0.1 * (2 * w - 1) * 2
    assert solver.smoothed_loss == pytest.approx(float(solver.net.blobs["loss"].data))
    assert solver.param.base_lr == pytest.approx(0.1)


def test_apply_update_uses_the_gradient_that_is_there(solver: caffe.Solver) -> None:
    solver.net.params["w"][0].diff[...] = 5
    solver.apply_update()
    assert weight(solver) == pytest.approx(2.5)
    assert solver.iter == 0


def test_double_solvers(tmp_path: Path) -> None:
    solver = caffe.SGDSolver(solver_message(tmp_path), dtype=np.float64)
    set_batch(solver.net)
    solver.step(1)
    assert solver.net.dtype == np.float64
    assert weight(solver) == pytest.approx(2, rel=1e-8)  # lr is a float: 0.1 to 1.5e-9


def test_solve_snapshot_and_restore(tmp_path: Path, solver: caffe.Solver) -> None:
    solver.step(2)
    solver.snapshot()
    solver.solve()
    assert solver.iter == 4
    state = tmp_path / "snap_iter_2.solverstate"
    resumed = caffe.get_solver(solver_message(tmp_path))
    set_batch(resumed.net)
    resumed.restore(state)
    assert resumed.iter == 2
    resumed.solve()
    assert weight(resumed) == weight(solver)
    again = caffe.get_solver(solver_message(tmp_path))
    set_batch(again.net)
    again.solve(str(state))
    assert weight(again) == weight(solver)
    with pytest.raises(caffe.Error, match="caffemodel"):
        again.restore(tmp_path / "snap_iter_2.caffemodel")
    again.load_weights(str(tmp_path / "snap_iter_2.caffemodel"))
    assert weight(again) != weight(solver)


def test_test_nets_share_the_weights(tmp_path: Path) -> None:
    message = solver_message(tmp_path, "test_iter: 1 test_interval: 2")
    message.test_state.add().stage.append("a")
    solver = caffe.get_solver(message)
    (test_net,) = solver.test_nets
    assert test_net.phase == caffe.TEST
    set_batch(solver.net)
    set_batch(test_net)
    solver.step(3)
    assert test_net.params["w"][0].data[0] == pytest.approx(2.0 - 0.1 * 6, rel=0.3)


def test_share_weights(tmp_path: Path, solver: caffe.Solver) -> None:
    other = caffe.get_solver(solver_message(tmp_path))
    other.share_weights(solver.net)
    solver.net.params["w"][0].data[...] = 9
    assert weight(other) == 9


def test_callbacks_run_in_each_iteration(solver: caffe.Solver) -> None:
    events: list[Any] = []
    solver.add_callback(
        lambda: events.append("start"),
        lambda: events.append(float(solver.net.params["w"][0].diff[0])),
    )
    solver.step(2)
    assert events == ["start", 10, "start", 6]

    def fail() -> None:
        raise LookupError("no")

    solver.add_callback(fail, lambda: None)
    with pytest.raises(LookupError, match="no"):
        solver.step(1)


def test_nets_keep_their_solver_and_solvers_are_freed(tmp_path: Path) -> None:
    def net_of_forgotten_solver() -> tuple[caffe.Net, weakref.ref[caffe.Solver]]:
        solver = caffe.get_solver(solver_message(tmp_path))
        solver.add_callback(lambda: solver.net.name, lambda: None)
        return solver.net, weakref.ref(solver)

    net, reference = net_of_forgotten_solver()
    gc.collect()
    assert reference() is None
    set_batch(net)
    assert net.forward()["loss"] == pytest.approx(12.5)


ENDLESS = """
import signal
import sys
import caffe
from caffe.proto import caffe_pb2

# What a shell starts in the background ignores Ctrl-C, and so do its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
message = caffe_pb2.SolverParameter.FromString(bytes.fromhex(sys.argv[1]))
caffe.get_solver(message).step(2**31 - 1)
"""


def test_ctrl_c_raises_after_the_iteration(tmp_path: Path) -> None:
    message = solver_message(tmp_path)
    message.display = 1
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, message.SerializeToString().hex()],
        env=os.environ | {"PYTHONPATH": str(Path(caffe.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while "Iteration 3" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in rest


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(caffe.Error, match=r"no\.prototxt"):
        caffe.get_solver(str(tmp_path / "no.prototxt"))
    with pytest.raises(caffe.Error, match="Adm"):
        caffe.get_solver(solver_message(tmp_path, "type: 'Adm'"))
