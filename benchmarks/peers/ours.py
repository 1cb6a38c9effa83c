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

UPDATE = "update and the rest"


class OurWorker(PeerWorker):
    """See PeerWorker."""

    def __init__(self) -> None:
        super().__init__()
        self._net: caffe.Net | None = None

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
        self._net = solver.net

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
        """Milliseconds of a training step by type of layer, and the whole step's."""
        assert self._net is not None
        assert self._step is not None
        clock = LayerClock(self._net)
        start = time.perf_counter()
        for _ in range(count):
            self._step()
        total = time.perf_counter() - start
        types = {t: 1e3 * seconds / count for t, seconds in clock.seconds.items()}
        types[UPDATE] = 1e3 * total / count - sum(types.values())
        return {"types": types, "total": 1e3 * total / count}


class LayerClock:
    """Adds up the seconds of each type of layer, from the moment that it is made."""

    def __init__(self, net: caffe.Net) -> None:
        self.seconds: dict[str, float] = {}
        self._types = [layer.type for layer in net.layers]
        self._start = 0.0
        net.before_forward(self._begin)
        net.after_forward(self._end)
        net.before_backward(self._begin)
        net.after_backward(self._end)

    def _begin(self, layer: int) -> None:
        self._start = time.perf_counter()

    def _end(self, layer: int) -> None:
        elapsed = time.perf_counter() - self._start
        kind = self._types[layer]
        self.seconds[kind] = self.seconds.get(kind, 0.0) + elapsed


if __name__ == "__main__":
    serve(OurWorker())
