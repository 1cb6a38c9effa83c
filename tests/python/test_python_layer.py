"""Layers written in Python, and the command that runs nets with them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import caffe
import nets
from caffe.gradient_check import check_net_gradients


class Affine(caffe.Layer):
    """top = a · bottom + b, with the parameter b (a value a column)."""

    def setup(self, bottom: Any, top: Any) -> None:
        if len(bottom) != 1 or len(top) != 1:
            raise ValueError("one bottom, one top")
        self.a = float(self.param_str)
        self.blobs.add_blob(bottom[0].shape[1])
        self.blobs[0].data[...] = 1

    def reshape(self, bottom: Any, top: Any) -> None:
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom: Any, top: Any) -> None:
        top[0].data[...] = self.a * bottom[0].data + self.blobs[0].data
        self.seen = bottom

    def backward(self, top: Any, propagate_down: Any, bottom: Any) -> None:
        assert isinstance(propagate_down, list)
        if propagate_down[0]:
            bottom[0].diff[...] = self.a * top[0].diff
        self.blobs[0].diff[...] += top[0].diff.sum(axis=0)


class Broken(Affine):
    """Fails in the method that param_str names."""

    def fail_in(self, method: str) -> None:
        if self.param_str == method:
            raise ZeroDivisionError(f"in {method}")

    def setup(self, bottom: Any, top: Any) -> None:
        self.fail_in("setup")
        self.a = 1
        self.blobs.add_blob(bottom[0].shape[1])

    def reshape(self, bottom: Any, top: Any) -> None:
        self.fail_in("reshape")
        super().reshape(bottom, top)

    def forward(self, bottom: Any, top: Any) -> None:
        self.fail_in("forward")

    def backward(self, top: Any, propagate_down: Any, bottom: Any) -> None:
        self.fail_in("backward")


class Curious(caffe.Layer):
    """Has an __init__ and looks at everything that it is told."""

    def __init__(self, param: Any, *args: Any) -> None:
        super().__init__(param, *args)
        self.at_init = (param.name, self.param_str, self.phase, self.type)

    def reshape(self, bottom: Any, top: Any) -> None:
        pass

    def forward(self, bottom: Any, top: Any) -> None:
        raise caffe.Error("a Caffe error of its own")


class Unfinished(caffe.Layer):
    pass


def net_text(layer: str, param_str: str = "2.5") -> str:
    return f"""force_backward: true
    layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 2 dim: 3 }} }} }}
    layer {{ name: "p" type: "Python" bottom: "x" top: "y"
             python_param {{ module: "{__name__}" layer: "{layer}" param_str: "{param_str}" }} }}"""


def test_forward_and_backward() -> None:
    net = nets.make(net_text("Affine"))
    net.blobs["x"].data[...] = [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(net.forward()["y"], 2.5 * net.blobs["x"].data + 1)
    assert [blob.shape for blob in net.params["p"]] == [(3,)]
    net.backward(y=np.ones((2, 3)))
    np.testing.assert_array_equal(net.blobs["x"].diff, 2.5)
    np.testing.assert_array_equal(net.params["p"][0].diff, 2)


def test_gradients_in_double() -> None:
    net = nets.make(net_text("Affine"), dtype=np.float64)
    net.blobs["x"].data[...] = np.random.default_rng(0).normal(size=(2, 3))
    found = check_net_gradients(net, blobs=["x"])
    assert [(item.name, item.checked) for item in found] == [("p:0", 3), ("x", 6)]


def test_the_net_lists_the_instance() -> None:
    net = nets.make(net_text("Affine"))
    layer = net.layers[1]
    assert isinstance(layer, Affine)
    assert (layer.type, layer.name, layer.a) == ("Python", "p", 2.5)
    assert layer.layer_param.python_param.layer == "Affine"
    layer.a = 7
    net.blobs["x"].data[...] = 1
    assert np.all(net.forward()["y"] == 8)


def test_reshape_follows_the_bottom() -> None:
    net = nets.make(net_text("Affine"))
    net.blobs["x"].reshape(5, 3)
    assert net.forward()["y"].shape == (5, 3)


def test_init_sees_the_parameters() -> None:
    net = nets.make(net_text("Curious", "hello"), caffe.TEST)
    assert net.layers[1].at_init == ("p", "hello", caffe.TEST, "Python")


@pytest.mark.parametrize("method", ["setup", "reshape", "forward", "backward"])
def test_an_exception_comes_back_as_it_is_with_the_layer_named(
    method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        net = nets.make(net_text("Broken", method))
        net.forward()
        net.backward(y=np.ones((2, 3)))

    with pytest.raises(ZeroDivisionError, match=f"in {method}") as caught:
        run()
    where = f"in layer p ({__name__}.Broken), {method}"
    assert caught.value.__notes__ == [where]
    assert f"ZeroDivisionError {where}" in capfd.readouterr().err


def test_errors_of_the_runtime_pass_through_a_python_layer() -> None:
    net = nets.make(net_text("Curious"))
    with pytest.raises(caffe.Error, match="of its own"):
        net.forward()


@pytest.mark.parametrize(
    ("module", "layer", "error", "message"),
    [
        ("no_such_module", "Affine", ModuleNotFoundError, "no_such_module"),
        (__name__, "Afine", TypeError, "found nothing"),
        (__name__, "net_text", TypeError, "derived from caffe.Layer"),
        (__name__, "Unfinished", NotImplementedError, "Unfinished has no reshape"),
    ],
)
def test_what_is_no_layer_is_named(
    module: str, layer: str, error: type[Exception], message: str
) -> None:
    text = net_text(layer).replace(f'"{__name__}"', f'"{module}"')
    with pytest.raises(error, match=message):
        nets.make(text)


def test_blobs_kept_beyond_the_net_are_errors_and_no_crash() -> None:
    net = nets.make(net_text("Affine"))
    net.forward()
    layer = net.layers[1]
    parameter, view = layer.blobs[0], layer.seen[0].data
    del net
    gc.collect()
    with pytest.raises(caffe.Error, match="no longer exists"):
        layer.seen[0].data  # noqa: B018
    with pytest.raises(caffe.Error, match="no longer exists"):
        layer.blobs[0]
    assert view.shape == (2, 3)
    assert np.all(parameter.data == 1)


COUNTER = """
import caffe

class Counter(caffe.Layer):
    '''Gives 0, 1, 2, …; its place is part of a snapshot.'''
    def setup(self, bottom, top):
        self.next = 0
    def reshape(self, bottom, top):
        top[0].reshape(1, 1)
    def forward(self, bottom, top):
        top[0].data[...] = self.next
        self.next += 1
    def backward(self, top, propagate_down, bottom):
        pass
    def save_state(self):
        return str(self.next).encode()
    def load_state(self, data):
        self.next = int(data)

class Failing(Counter):
    def forward(self, bottom, top):
        raise ValueError('the camera is not connected')
"""
TRAIN = """
layer { name: "x" type: "Python" top: "x" python_param { module: "counter" layer: "Counter" } }
layer { name: "w" type: "Scale" bottom: "x" top: "wx" scale_param { filler { value: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "wx" bottom: "x" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.001 lr_policy: "fixed" max_iter: 4 snapshot_prefix: "s"
snapshot: 2 display: 1
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "counter.py").write_text(textwrap.dedent(COUNTER))
    (tmp_path / "net.prototxt").write_text(TRAIN)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def run_command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(Path(caffe.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [sys.executable, "-m", "caffe", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_trains_a_net_with_a_python_layer(project: Path) -> None:
    done = run_command(project, "train", "-solver", "solver.prototxt")
    assert done.returncode == 0, done.stderr
    assert "Iteration 3" in done.stderr
    assert (project / "s_iter_4.caffemodel").is_file()


def test_a_failing_layer_ends_the_command_with_its_traceback(project: Path) -> None:
    (project / "net.prototxt").write_text(TRAIN.replace("Counter", "Failing"))
    done = run_command(project, "train", "-solver", "solver.prototxt")
    assert done.returncode == 1
    assert "the camera is not connected" in done.stderr
    assert "counter.py" in done.stderr
    assert "in layer x (counter.Failing), forward" in done.stderr


def test_a_wrong_command_exits_with_1(project: Path) -> None:
    done = run_command(project, "trian")
    assert done.returncode == 1
    assert "train" in done.stderr


def test_a_snapshot_keeps_the_state_of_a_python_layer(project: Path) -> None:
    solver = caffe.get_solver("solver.prototxt")
    solver.step(2)
    resumed = caffe.get_solver("solver.prototxt")
    resumed.restore("s_iter_2.solverstate")
    assert resumed.net.layers[0].next == 2
