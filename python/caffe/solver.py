"""The solvers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from caffe import _caffe
from caffe.net import Net, kind_of
from caffe.proto import caffe_pb2

if TYPE_CHECKING:
    from caffe._caffe import _Solver


class Solver:
    """Trains a net; `get_solver` makes one of the type that its file names.

    Attributes:
        net: the net in training.
        test_nets: the nets of the tests, which share its parameters.
        iter: how many updates were made.
        param: the SolverParameter.
    """

    _type = ""
    _solver: _Solver

    def __init__(self, solver_file: Any, *, dtype: Any = np.float32) -> None:
        """Makes the solver and its nets.

        Args:
            solver_file: a prototxt file, or a SolverParameter.
            dtype: the element type of the nets, float32 or float64.
        """
        kind = kind_of(dtype, (_caffe.SolverFloat, _caffe.SolverDouble))
        if isinstance(solver_file, (str, os.PathLike)):
            self._solver = kind.from_file(os.fspath(solver_file), self._type)
        else:
            self._solver = kind.from_message(solver_file.SerializeToString(), self._type)
        self.net = Net._wrap(self._solver.net)
        self.test_nets = [Net._wrap(net) for net in self._solver.test_nets]
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    @property
    def iter(self) -> int:
        return self._solver.iter

    @property
    def type(self) -> str:
        return self._solver.type

    @property
    def param(self) -> Any:
        return caffe_pb2.SolverParameter.FromString(self._solver.param)

    @property
    def smoothed_loss(self) -> float:
        """The mean of the last `average_loss` losses."""
        return self._solver.smoothed_loss

    def step(self, iterations: int) -> None:
        """Makes `iterations` updates, with the tests and snapshots that fall due.

        Ctrl-C raises KeyboardInterrupt after the iteration.
        """
        self._solver.step(iterations)

    def solve(self, resume_file: str | os.PathLike[str] | None = None) -> None:
        """Trains to max_iter, from a .solverstate if it is given."""
        self._solver.solve("" if resume_file is None else os.fspath(resume_file))

    def restore(self, state_file: str | os.PathLike[str]) -> None:
        """Continues where a snapshot was taken."""
        self._solver.restore(os.fspath(state_file))

    def snapshot(self) -> None:
        """Writes the weights and the state, as snapshot_prefix says."""
        self._solver.snapshot()

    def apply_update(self) -> None:
        """One update from the gradients that the net holds, without counting an iteration."""
        self._solver.apply_update()

    def load_weights(self, files: str, skip_mismatched: bool = False) -> None:
        """Copies weights into the net and the test nets; several files with commas between."""
        self._solver.load_weights(files, skip_mismatched)

    def share_weights(self, net: Net) -> None:
        """The training net uses `net`'s parameters from now on."""
        self.net.share_with(net)

    def add_callback(
        self, on_start: Callable[[], None], on_gradients_ready: Callable[[], None]
    ) -> None:
        """Calls these in each iteration: before the first forward, and before the update."""
        if not self._callbacks:
            self._solver.add_callback(self)
        self._callbacks.setdefault("on_start", []).append(on_start)
        self._callbacks.setdefault("on_gradients_ready", []).append(on_gradients_ready)

    def _run_callbacks(self, kind: str, _argument: int) -> None:
        for function in self._callbacks[kind]:
            function()


class SGDSolver(Solver):
    _type = "SGD"


class NesterovSolver(Solver):
    _type = "Nesterov"


class AdaGradSolver(Solver):
    _type = "AdaGrad"


class RMSPropSolver(Solver):
    _type = "RMSProp"


class AdaDeltaSolver(Solver):
    _type = "AdaDelta"


class AdamSolver(Solver):
    _type = "Adam"


class AdamWSolver(Solver):
    _type = "AdamW"


def get_solver(solver_file: Any, *, dtype: Any = np.float32) -> Solver:
    """A solver of the type that the file (or the SolverParameter) names."""
    solver = Solver(solver_file, dtype=dtype)
    for known in Solver.__subclasses__():
        if known._type == solver.type:
            solver.__class__ = known
    return solver
