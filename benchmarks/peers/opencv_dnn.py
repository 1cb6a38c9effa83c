"""OpenCV's dnn module on our own files; decoding and suppression are its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import samples
from benchmarks.peers.worker import Array, PeerWorker
from benchmarks.plan import Plan
from benchmarks.protocol import serve


class OpencvWorker(PeerWorker):
    """See PeerWorker."""

    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        import cv2

        cv2.setNumThreads(case["threads"])
        folder = case["folder"]
        net = cv2.dnn.readNetFromCaffe(f"{folder}/deploy.prototxt", f"{folder}/net.caffemodel")
        image = samples.images(1, Plan.load(folder).size)

        def step() -> Array:
            net.setInput(image)
            rows: Array = net.forward("detection_out").reshape(-1, 7)
            return rows[rows[:, 2] > 0, 1:]

        return step, {"version": f"OpenCV {cv2.__version__}"}


if __name__ == "__main__":
    serve(OpencvWorker())
