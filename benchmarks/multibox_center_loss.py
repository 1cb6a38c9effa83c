"""How long one step of the loss takes, at the size of SSD512.

    python benchmarks/multibox_center_loss.py [--steps 20] [--quick]

Forward and backward of MultiBoxCenterLoss and of MultiBoxLoss on the same batch: 24,564 priors,
21 classes, 16 center features, 32 images with 8 boxes each. Then the same with fewer images and
with fewer priors, which shows that the time grows linearly. Times are medians; where others use
the machine as well, the fastest step and the time of the processor (all threads) tell more. Set
OMP_NUM_THREADS to choose the threads.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import caffe

Array = npt.NDArray[Any]

# SSD512 on VOC: cells a side, smallest box, largest box (pixels of 512), aspect ratios.
FEATURE_MAPS = (
    (64, 20.48, 51.2, (2.0,)),
    (32, 51.2, 133.12, (2.0, 3.0)),
    (16, 133.12, 215.04, (2.0, 3.0)),
    (8, 215.04, 296.96, (2.0, 3.0)),
    (4, 296.96, 378.88, (2.0, 3.0)),
    (2, 378.88, 460.8, (2.0,)),
    (1, 460.8, 542.72, (2.0,)),
)
IMAGE_SIDE = 512


@dataclass(frozen=True)
class Work:
    """The size of one step."""

    images: int = 32
    priors: int = 24564
    classes: int = 21
    features: int = 16
    boxes: int = 8


@dataclass(frozen=True)
class Timing:
    """Of one step, in milliseconds.

    Medians of the clock, and the fastest step, which others disturbed least; means of the
    processor's time: `cpu` of all threads, `user` their own code alone.
    """

    forward: float
    backward: float
    fastest: float
    cpu: float
    user: float

    @property
    def step(self) -> float:
        return self.forward + self.backward


def default_boxes() -> Array:
    """The 24,564 priors of SSD512, as corners in [0, 1]."""
    boxes = []
    for cells, smallest, largest, ratios in FEATURE_MAPS:
        sides = [(smallest, smallest), ((smallest * largest) ** 0.5,) * 2]
        for ratio in ratios:
            root = ratio**0.5
            sides += [(smallest * root, smallest / root), (smallest / root, smallest * root)]
        half = np.array(sides) / IMAGE_SIDE / 2
        line = (np.arange(cells) + 0.5) / cells
        centers = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 1, 2)
        boxes.append(np.concatenate([centers - half, centers + half], axis=-1).reshape(-1, 4))
    return np.concatenate(boxes)


def net_text(work: Work, layer_type: str) -> str:
    shapes = {
        "loc": (work.images, work.priors * 4),
        "conf": (work.images, work.priors * work.classes),
        "priors": (1, 2, work.priors * 4),
        "label": (1, 1, work.images * work.boxes, 8),
        "features": (work.images, work.priors * work.features),
    }
    with_centers = layer_type == "MultiBoxCenterLoss"
    if not with_centers:
        del shapes["features"]
    layers = ["force_backward: true"]
    for name, shape in shapes.items():
        dims = " ".join(f"dim: {size}" for size in shape)
        layers.append(
            f"layer {{ name: '{name}' type: 'Input' top: '{name}' "
            f"input_param {{ shape {{ {dims} }} }} }}"
        )
    bottoms = " ".join(f"bottom: '{name}'" for name in shapes)
    centers = f"multibox_center_loss_param {{ center_features: {work.features} }}"
    layers.append(
        f"layer {{ name: 'loss' type: '{layer_type}' {bottoms} top: 'loss' "
        f"multibox_loss_param {{ num_classes: {work.classes} mining_type: MAX_NEGATIVE "
        f"code_type: CENTER_SIZE neg_pos_ratio: 3 neg_overlap: 0.5 overlap_threshold: 0.5 }} "
        f"{centers if with_centers else ''} }}"
    )
    return "\n".join(layers)


def fill(net: caffe.Net, work: Work) -> None:
    """Predictions like those of a net in training, and boxes of 5 to 50 percent of the image."""
    rng = np.random.default_rng(1)
    for name in ("loc", "conf", "features"):
        if name in net.blobs:
            net.blobs[name].data[...] = rng.standard_normal(
                net.blobs[name].data.shape, dtype=np.float32
            )
    boxes = default_boxes()
    chosen = np.sort(rng.permutation(len(boxes))[: work.priors])
    net.blobs["priors"].data[0, 0] = boxes[chosen].reshape(-1)
    net.blobs["priors"].data[0, 1] = np.tile([0.1, 0.1, 0.2, 0.2], work.priors)
    rows = net.blobs["label"].data[0, 0]
    rows[...] = 0
    rows[:, 0] = np.repeat(np.arange(work.images), work.boxes)
    rows[:, 1] = rng.integers(1, work.classes, len(rows))
    size = rng.uniform(0.05, 0.5, (len(rows), 2))
    corner = rng.uniform(0, 1, (len(rows), 2)) * (1 - size)
    rows[:, 3:5], rows[:, 5:7] = corner, corner + size


def measure(work: Work, layer_type: str, steps: int) -> Timing:
    """The medians over `steps` steps, after two that do not count."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.prototxt"
        file.write_text(net_text(work, layer_type))
        net = caffe.Net(str(file), caffe.TRAIN)
    fill(net, work)
    times = []
    for _ in range(steps + 2):
        usage, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        net.forward()
        middle = time.perf_counter()
        net.backward()
        end, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        user = after.ru_utime - usage.ru_utime
        cpu = user + after.ru_stime - usage.ru_stime
        times.append((middle - start, end - middle, cpu, user))
    # The processor's time is counted in ticks: its mean is finer than its median.
    forward, backward = 1e3 * np.median(np.array(times[2:])[:, :2], axis=0)
    cpu, user = 1e3 * np.mean(np.array(times[2:])[:, 2:], axis=0)
    fastest = 1e3 * min(step[0] + step[1] for step in times[2:])
    return Timing(float(forward), float(backward), fastest, float(cpu), float(user))


def report(name: str, work: Work, timing: Timing) -> None:
    print(
        f"{name:<20} {work.images:>6} {work.priors:>7} {timing.forward:>9.2f} "
        f"{timing.backward:>9.2f} {timing.step:>9.2f} {timing.fastest:>8.2f} "
        f"{timing.cpu:>8.1f} {timing.user:>8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each size (20)")
    parser.add_argument("--quick", action="store_true", help="only the full size")
    arguments = parser.parse_args()
    os.environ.setdefault("GLOG_minloglevel", "2")
    caffe.set_random_seed(1)
    print(f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', '(not set)')}; milliseconds")
    print(f"{'':<20} images  priors   forward  backward  together  fastest      cpu     user")
    full = Work()
    timings = {}
    for layer_type in ("MultiBoxCenterLoss", "MultiBoxLoss"):
        timings[layer_type] = measure(full, layer_type, arguments.steps)
        report(layer_type, full, timings[layer_type])
    ratio = timings["MultiBoxCenterLoss"].step / timings["MultiBoxLoss"].step
    print(f"MultiBoxCenterLoss takes {ratio:.2f} times as long as MultiBoxLoss")
    if arguments.quick:
        return
    sizes = [Work(images=8), Work(images=16), Work(priors=6141), Work(priors=12282)]
    for work in sizes:
        timing = measure(work, "MultiBoxCenterLoss", arguments.steps)
        report("MultiBoxCenterLoss", work, timing)
        share = work.images * work.priors / (full.images * full.priors)
        slope = timing.cpu / (share * timings["MultiBoxCenterLoss"].cpu)
        print(f"{'':<20} {slope:.2f} of the full size's cpu for each prior of each image")


if __name__ == "__main__":
    main()
