"""This runtime: nets for everyone, training, inference, the loss layers, shares of a step."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import samples
from benchmarks.peers.worker import Array, PeerWorker
from benchmarks.plan import Plan
from benchmarks.protocol import serve

if TYPE_CHECKING:
    import caffe

UPDATE = "update"


class OurWorker(PeerWorker):
    """See PeerWorker."""

    def __init__(self) -> None:
        super().__init__()
        self._solver: caffe.Solver | None = None

    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        import caffe

        caffe.set_log_level(1)
        about: dict[str, Any] = {"version": f"ssd-centerloss {caffe.__version__}"}
        ways = {"training": self._training, "inference": self._inference, "loss": self._loss}
        return ways[case["measure"]](case), about

    def prepare(self, model: str, folder: str) -> None:
        """Writes what all sides make the net from; see nets.prepare."""
        from benchmarks import nets

        nets.prepare(model, Path(folder))

    def _training(self, case: Mapping[str, Any]) -> Callable[[], object]:
        import caffe
        from benchmarks import nets

        plan, batch = Plan.load(case["folder"]), case["batch"]
        message = nets.solver(plan.model, batch, case.get("rate"))
        nets.set_precision(message, case["precision"])
        solver = caffe.get_solver(message)
        solver.net.copy_from(str(case["folder"] / "net.caffemodel"))
        nets.fill_inputs(solver.net, batch, plan.size, plan.classes)
        self._solver = solver

        def step() -> dict[str, Array]:
            solver.step(1)
            if not case.get("verify"):
                return {}
            names = ("mbox_loc", "mbox_conf", "mbox_center_conf", "mbox_loss")
            return {name: solver.net.blobs[name].data.copy() for name in names}

        return step

    def _inference(self, case: Mapping[str, Any]) -> Callable[[], object]:
        from benchmarks import nets

        plan = Plan.load(case["folder"])
        net = nets.deploy(case["folder"], case["precision"])
        image = samples.images(1, plan.size)

        def step() -> Array:
            rows: Array = net.forward(data=image)["detection_out"]
            return rows[0, 0, :, 1:]

        return step

    def _loss(self, case: Mapping[str, Any]) -> Callable[[], object]:
        from benchmarks import nets

        net = nets.loss_net(dict(case), Plan.load(case["folder"]))

        def step() -> None:
            net.forward()
            net.backward()

        return step

    def command_peak(self, case: dict[str, Any]) -> dict[str, Any]:
        """The most memory of `caffe train` in three steps, in MiB."""
        from benchmarks import nets

        folder = Path(case["folder"])
        model = Plan.load(folder).model
        solver = nets.write_command_files(model, case["batch"], case["precision"], folder)
        command = shutil.which("caffe")
        start = [command] if command else [sys.executable, "-m", "caffe"]
        weights = folder / "net.caffemodel"
        arguments = ["train", f"-solver={solver}", f"-weights={weights}"]
        subprocess.run([*start, *arguments], check=True, stdin=subprocess.DEVNULL)
        return {"mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}

    def data(self, threads: int, rounds: int, batches: int) -> dict[str, Any]:
        """Images a second that AnnotatedData makes, and that cv2 decodes and resizes."""
        from benchmarks import data_layer

        ours, beside = data_layer.alternate(threads, rounds, batches)
        return {"ours": ours, "beside": beside}

    def shares(self, count: int) -> dict[str, Any]:
        """Milliseconds of a training step by type of layer, and their sum.

        Layers run one by one; a convolution with the ReLU in its place, as both do it in one.
        """
        assert self._solver is not None
        solver, net = self._solver, self._solver.net
        types = [layer.type for layer in net.layers]
        clock = Clock()
        for _ in range(count):
            clock.time(UPDATE, net.clear_param_diffs)
            for first, last in fused_ranges(net):
                clock.time(types[first], net._forward, first, last)
            for index in reversed(range(len(types))):
                clock.time(types[index], net._backward, index, index)
            clock.time(UPDATE, solver.apply_update)
        found = {name: 1e3 * seconds / count for name, seconds in clock.seconds.items()}
        return {"types": found, "total": sum(found.values())}


class Clock:
    """Adds up seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[..., object], *arguments: int) -> None:
        start = time.perf_counter()
        work(*arguments)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def fused_ranges(net: caffe.Net) -> list[tuple[int, int]]:
    """First and last layer of what runs at once in a training net's forward."""
    ranges: list[tuple[int, int]] = []
    for index, layer in enumerate(net.layers):
        before = net.layers[index - 1].type if index else ""
        in_place = net._bottom_ids(index) == net._top_ids(index)
        if layer.type == "ReLU" and before == "Convolution" and in_place:
            ranges[-1] = (index - 1, index)
        else:
            ranges.append((index, index))
    return ranges


if __name__ == "__main__":
    serve(OurWorker())
