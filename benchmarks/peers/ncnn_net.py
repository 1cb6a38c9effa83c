"""ncnn on the net that pnnx makes of PyTorch's; decoding and suppression by `detections`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import samples
from benchmarks.peers.worker import Array, PeerWorker
from benchmarks.plan import Plan
from benchmarks.protocol import serve


class NcnnWorker(PeerWorker):
    """See PeerWorker."""

    def convert(self, folder: str) -> None:
        """Makes net.ncnn.param and net.ncnn.bin of net.pt."""
        import pnnx

        size = Plan.load(Path(folder)).size
        command = [pnnx.EXEC_PATH, "net.pt", f"inputshape=[1,3,{size},{size}]", "fp16=0"]
        subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)

    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        import ncnn

        from benchmarks.peers.detections import Priors, detect

        net = ncnn.Net()
        net.opt.num_threads = case["threads"]
        net.opt.use_bf16_storage = case["precision"] == "bf16"
        for file, read in (("param", net.load_param), ("bin", net.load_model)):
            path = case["folder"] / f"net.ncnn.{file}"
            if read(str(path)) != 0:
                raise OSError(f"ncnn cannot read {path.name}")
        image = samples.images(1, Plan.load(case["folder"]).size)[0]
        priors = Priors.load(case["folder"])

        def step() -> Array:
            extractor = net.create_extractor()
            extractor.input("in0", ncnn.Mat(image))
            boxes, scores = (extractor.extract(name)[1] for name in ("out0", "out1"))
            return detect(np.array(boxes), np.array(scores), priors)

        return step, {"version": f"ncnn {ncnn.__version__}"}


if __name__ == "__main__":
    serve(NcnnWorker())
