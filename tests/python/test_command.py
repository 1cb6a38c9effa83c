"""The caffe command as a process: signals, a full disk, kill -9, and nets with Python layers."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import caffe
from caffe.proto import caffe_pb2

BUILT = Path(caffe.__file__).parents[2] / "bin" / "caffe"
COMMAND = str(BUILT) if BUILT.exists() else shutil.which("caffe")
pytestmark = pytest.mark.skipif(COMMAND is None, reason="the caffe command is not built")

NET = """
name: "tiny"
layer {{ name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {{ shape {{ dim: 4 dim: {inputs} }} shape {{ dim: 4 }}
    data_filler {{ type: "gaussian" }} data_filler {{ type: "constant" value: 1 }} }} }}
layer {{ name: "score" type: "InnerProduct" bottom: "data" top: "score"
  inner_product_param {{ num_output: 10 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }}
"""

SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_solver(fields: str, inputs: int = 20) -> None:
    Path("net.prototxt").write_text(NET.format(inputs=inputs))
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 random_seed: 1 '
        f'snapshot_prefix: "run" display: 1000 solver_mode: CPU {fields}'
    )


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), *words], capture_output=True, text=True, timeout=SECONDS, **options
    )


class Training:
    """`caffe train` in the background; killed at the end if it is still there."""

    def __init__(self, *words: str) -> None:
        self.log = Path("train.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(COMMAND), "train", "-solver", "solver.prototxt", *words], stderr=log
            )

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_for(self, text: str) -> None:
        """Returns when the log holds the text; fails if the process ends before."""
        for _ in range(SECONDS * 50):
            if text in self.log.read_text():
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        pytest.fail(f"{text!r} is not in the log: {self.log.read_text()}")

    def end(self) -> tuple[int, str]:
        status = self.process.wait(SECONDS)
        return status, self.log.read_text()


def check_whole(file: Path) -> None:
    """Whatever bears a snapshot's name is a complete file."""
    if file.suffix == ".caffemodel":
        net = caffe_pb2.NetParameter.FromString(file.read_bytes())
        (score,) = (layer for layer in net.layer if layer.name == "score")
        assert len(score.blobs) == 2
    elif file.suffix == ".solverstate":
        state = caffe_pb2.SolverState.FromString(file.read_bytes())
        assert len(state.history) == 2
        assert state.random_state


def snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("run_iter_*.caffemodel")) + sorted(
        folder.glob("run_iter_*.solverstate")
    )


def test_an_interrupt_stops_with_a_snapshot(folder: Path) -> None:
    write_solver("max_iter: 100000000")
    with Training() as training:
        training.wait_for("Iteration 1000 ")
        training.process.send_signal(signal.SIGINT)
        status, log = training.end()
    assert status == 0
    assert "Optimization stopped early." in log
    assert len(snapshots(folder)) == 2
    for file in snapshots(folder):
        check_whole(file)


def test_a_hangup_writes_a_snapshot_and_goes_on(folder: Path) -> None:
    write_solver("max_iter: 100000000")
    with Training() as training:
        training.wait_for("Iteration 1000 ")
        training.process.send_signal(signal.SIGHUP)
        training.wait_for("Snapshotting solver state")
        after = training.log.read_text().count("Iteration")
        while training.log.read_text().count("Iteration") < after + 4:
            assert training.process.poll() is None
            time.sleep(0.02)
    assert any(file.suffix == ".solverstate" for file in snapshots(folder))


def test_signals_have_the_effects_that_flags_give(folder: Path) -> None:
    write_solver("max_iter: 100000000")
    with Training("-sigint_effect=snapshot", "-sighup_effect=stop") as training:
        training.wait_for("Iteration 1000 ")
        training.process.send_signal(signal.SIGINT)
        training.wait_for("Snapshotting solver state")
        training.process.send_signal(signal.SIGHUP)
        status, log = training.end()
    assert status == 0
    assert "Optimization stopped early." in log


def test_a_second_interrupt_leaves_a_long_iteration_at_once(folder: Path) -> None:
    # The iteration has so many sub-batches that it never ends.
    write_solver("max_iter: 1 iter_size: 2000000000")
    with Training() as training:
        training.wait_for("Learning Rate Policy")
        training.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert training.process.poll() is None
        training.process.send_signal(signal.SIGINT)
        status, _ = training.end()
    assert status == 130
    assert snapshots(folder) == []


def test_kill_while_snapshotting_leaves_whole_files_that_resume(folder: Path) -> None:
    # About 2 MB a file, so that much of the time goes into writing.
    write_solver("max_iter: 100000000 snapshot: 1", inputs=50000)
    wait = random.Random(3)
    for _ in range(6):
        with Training() as training:
            training.wait_for("Snapshotting solver state")
            time.sleep(wait.uniform(0, 0.1))
            training.process.send_signal(signal.SIGKILL)
            training.process.wait()
        for file in snapshots(folder):
            check_whole(file)
    last = max(
        folder.glob("run_iter_*.solverstate"), key=lambda file: int(file.stem.split("_")[-1])
    )
    iteration = int(last.stem.split("_")[-1])
    write_solver(f"max_iter: {iteration + 2}", inputs=50000)
    done = run("train", "-solver", "solver.prototxt", "-snapshot", last.name)
    assert done.returncode == 0, done.stderr
    assert (folder / f"run_iter_{iteration + 2}.caffemodel").exists()


def test_a_file_that_cannot_grow_keeps_the_last_snapshot(folder: Path) -> None:
    write_solver("max_iter: 2", inputs=5000)
    assert run("train", "-solver", "solver.prototxt").returncode == 0
    before = {file: file.read_bytes() for file in snapshots(folder)}
    assert len(before) == 2

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50000, resource.RLIM_INFINITY))

    failed = run("train", "-solver", "solver.prototxt", preexec_fn=limit)
    assert failed.returncode == 1
    (error,) = (line for line in failed.stderr.splitlines() if line.startswith("E"))
    assert "run_iter_2.caffemodel: cannot " in error
    assert {file: file.read_bytes() for file in snapshots(folder)} == before
    assert sorted(file.name for file in folder.iterdir() if file.name.startswith("run")) == sorted(
        file.name for file in before
    )


def test_a_full_disk_ends_training_with_whole_files(folder: Path) -> None:
    write_solver("max_iter: 100 snapshot: 1", inputs=5000)
    # A file system of its own, visible to this command alone; about four snapshots fit.
    script = (
        "mkdir disk kept && mount -t tmpfs -o size=1600k tmpfs disk || exit 77\n"
        "cp *.prototxt disk && cd disk\n"
        '"$0" train -solver solver.prototxt; status=$?\n'
        "cp -r . ../kept; exit $status"
    )
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, str(COMMAND)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("mounting a file system is not allowed here")
    assert done.returncode == 1
    (error,) = (line for line in done.stderr.splitlines() if line.startswith("E"))
    assert "No space left on device" in error
    files = snapshots(folder / "kept")
    assert len(files) >= 2
    for file in files:
        check_whole(file)


def test_errors_are_one_line_and_status_1(folder: Path) -> None:
    write_solver("max_iter: 1 snapshot: 1")
    solver = Path("solver.prototxt").read_text()
    for change, expected in [
        (("base_lr", "base_lrr"), "solver.prototxt:1:"),
        (('"run"', '"no/folder/run"'), "cannot write snapshots to no/folder/run*"),
        (('"net.prototxt"', '"none.prototxt"'), "none.prototxt: "),
        (('"fixed"', '"fixd"'), 'unknown lr_policy "fixd"'),
    ]:
        Path("solver.prototxt").write_text(solver.replace(*change))
        done = run("train", "-solver", "solver.prototxt")
        assert done.returncode == 1
        errors = [line for line in done.stderr.splitlines() if line.startswith("E")]
        assert len(errors) == 1
        assert expected in errors[0]
        assert snapshots(folder) == []


TINY_NET = """
layer { name: "data" type: "DummyData" top: "data"
  dummy_data_param { shape { dim: 1 } data_filler { type: "constant" value: 1e-20 } } }
layer { name: "loss" type: "Power" bottom: "data" top: "loss" loss_weight: 1
  power_param { scale: 1e-20 } }
"""


def test_tiny_numbers_are_zeros(folder: Path) -> None:
    """1e-40 is no normal float: numbers like it take the processor several times as long."""
    write_solver("max_iter: 1")
    Path("net.prototxt").write_text(TINY_NET)
    done = run("train", "-solver", "solver.prototxt")
    assert done.returncode == 0, done.stderr
    assert ", loss = 0\n" in done.stderr


PYTHON_NET = """
layer { name: "data" type: "DummyData" top: "data"
  dummy_data_param { shape { dim: 2 } data_filler { type: "constant" value: 3 } } }
layer { name: "double" type: "Python" bottom: "data" top: "double"
  python_param { module: "doubling" layer: "Doubling" } }
"""

DOUBLING = """
import caffe

class Doubling(caffe.Layer):
    def setup(self, bottom, top):
        pass
    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)
    def forward(self, bottom, top):
        top[0].data[...] = 2 * bottom[0].data
    def backward(self, top, propagate_down, bottom):
        pass
"""


def test_a_net_with_python_layers_goes_on_in_the_interpreter(folder: Path) -> None:
    Path("net.prototxt").write_text(PYTHON_NET)
    Path("doubling.py").write_text(DOUBLING)
    packages = str(Path(caffe.__file__).parents[1])
    # The interpreter beside the binary comes first; in a build tree there is none.
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{packages}:{folder}",
    }
    done = run("time", "-model", "net.prototxt", "-iterations=1", env=environment)
    assert done.returncode == 0, done.stderr
    assert "The net has Python layers: going on as " in done.stderr
    assert "double\tforward: " in done.stderr


def test_without_an_interpreter_a_python_layer_is_explained(folder: Path) -> None:
    Path("net.prototxt").write_text(PYTHON_NET)
    shutil.copy(str(COMMAND), folder / "caffe")
    done = subprocess.run(
        [str(folder / "caffe"), "time", "-model", "net.prototxt"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PATH": str(folder)},
    )
    assert done.returncode == 1
    assert "need an interpreter, but python3 cannot be started" in done.stderr
