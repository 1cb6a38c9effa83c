"""onnxruntime on the net that PyTorch exports; decoding and suppression by `detections`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import samples
from benchmarks.peers.worker import Array, PeerWorker
from benchmarks.plan import Plan
from benchmarks.protocol import serve


class OnnxruntimeWorker(PeerWorker):
    """See PeerWorker."""

    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        import onnxruntime

        from benchmarks.peers.detections import Priors, detect

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = case["threads"], 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Between runs its threads must not take the processors from the other sides.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        session = onnxruntime.InferenceSession(
            str(case["folder"] / "net.onnx"), options, providers=["CPUExecutionProvider"]
        )
        image = samples.images(1, Plan.load(case["folder"]).size)
        priors = Priors.load(case["folder"])

        def step() -> Array:
            boxes, scores = session.run(["boxes", "scores"], {"data": image})
            return detect(boxes[0], scores[0], priors)

        return step, {"version": f"onnxruntime {onnxruntime.__version__}"}


if __name__ == "__main__":
    serve(OnnxruntimeWorker())
