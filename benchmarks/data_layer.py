"""How many augmented images AnnotatedData makes in a second, on how many threads.

    python -m benchmarks.data_layer [--images 200] [--batches 20] [--threads 1 2]

A database of synthetic 500x375 JPEGs with boxes is made in a temporary folder, and
read with SSD's whole augmentation to 300x300. Beside it, in the same run, stands
what costs least in Python: cv2 decodes and resizes the same JPEGs in as many
threads, without any augmentation, boxes or batches. CPU seconds are those of the
process, all threads together: they tell the work where other programs share the
processors.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import lmdb
import numpy as np

import caffe
from caffe.proto import caffe_pb2

BATCH = 32

NET = """
layer { name: "data" type: "AnnotatedData" top: "data" top: "label" include { phase: TRAIN }
  transform_param { mirror: true mean_value: 104 mean_value: 117 mean_value: 123
    resize_param { prob: 1 resize_mode: WARP height: 300 width: 300 interp_mode: LINEAR
      interp_mode: AREA interp_mode: NEAREST interp_mode: CUBIC interp_mode: LANCZOS4 }
    emit_constraint { emit_type: CENTER }
    distort_param { brightness_prob: 0.5 brightness_delta: 32 contrast_prob: 0.5
      contrast_lower: 0.5 contrast_upper: 1.5 hue_prob: 0.5 hue_delta: 18 saturation_prob: 0.5
      saturation_lower: 0.5 saturation_upper: 1.5 random_order_prob: 0 }
    expand_param { prob: 0.5 max_expand_ratio: 4 } }
  data_param { source: "SOURCE" batch_size: BATCH backend: LMDB num_workers: THREADS }
  annotated_data_param { batch_sampler { max_sample: 1 max_trials: 1 } SAMPLERS } }
"""

SAMPLER = """batch_sampler { sampler { min_scale: 0.3 max_scale: 1 min_aspect_ratio: 0.5
  max_aspect_ratio: 2 } sample_constraint { LIMIT } max_sample: 1 max_trials: 50 } """

LIMITS = [f"min_jaccard_overlap: {low}" for low in (0.1, 0.3, 0.5, 0.7, 0.9)]


@dataclass(frozen=True)
class Rate:
    """What one way of making images took."""

    seconds: float
    cpu_seconds: float
    images: int

    def line(self, name: str, threads: int) -> str:
        return (
            f"{name:<34} {threads} thread(s)  {self.images / self.seconds:7.1f} images/s  "
            f"{1000 * self.cpu_seconds / self.images:6.2f} ms of CPU an image"
        )


def picture(random: np.random.Generator) -> bytes:
    """The JPEG of a smooth picture with some noise, as photographs are."""
    coarse = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (500, 375), interpolation=cv2.INTER_CUBIC)
    noisy = smooth + random.normal(0, 8, smooth.shape)
    encoded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))[1]
    return encoded.tobytes()


def record(jpeg: bytes, random: np.random.Generator) -> caffe_pb2.AnnotatedDatum:
    """A record with one to six boxes."""
    datum = caffe_pb2.AnnotatedDatum(type=caffe_pb2.AnnotatedDatum.BBOX)
    datum.datum.data, datum.datum.encoded, datum.datum.label = jpeg, True, -1
    for _ in range(int(random.integers(1, 7))):
        box = datum.annotation_group.add(group_label=int(random.integers(1, 21))).annotation.add()
        x, y = np.sort(random.random(2)), np.sort(random.random(2))
        box.bbox.xmin, box.bbox.xmax, box.bbox.ymin, box.bbox.ymax = x[0], x[1], y[0], y[1]
    return datum


def write_database(folder: Path, images: int) -> list[bytes]:
    """Makes the database; returns the JPEGs in it."""
    random = np.random.default_rng(1)
    jpegs = [picture(random) for _ in range(images)]
    with lmdb.open(str(folder), map_size=1 << 30) as database, database.begin(write=True) as txn:
        for index, jpeg in enumerate(jpegs):
            txn.put(f"{index:06}".encode(), record(jpeg, random).SerializeToString())
    return jpegs


def measured(images: int, work: Callable[[], None]) -> Rate:
    """The time that the work took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Rate(seconds, cpu, images)


def layer_rate(folder: Path, threads: int, batches: int) -> Rate:
    """AnnotatedData, after one batch to warm up."""
    samplers = "".join(SAMPLER.replace("LIMIT", limit) for limit in LIMITS)
    samplers += SAMPLER.replace("LIMIT", "max_jaccard_overlap: 1")
    text = NET.replace("SOURCE", str(folder / "lmdb")).replace("SAMPLERS", samplers)
    net_file = folder / "net.prototxt"
    net_file.write_text(text.replace("BATCH", str(BATCH)).replace("THREADS", str(threads)))
    caffe.set_random_seed(1)
    net = caffe.Net(str(net_file), caffe.TRAIN)

    def run(count: int) -> None:
        for _ in range(count):
            net.forward()

    # The first batches are made ahead, and as many are when the clock stops: that is even.
    run(5)
    return measured(batches * BATCH, lambda: run(batches))


def peer_rate(jpegs: Sequence[bytes], threads: int, images: int) -> Rate:
    """Decoding and resizing alone, with cv2 in Python threads."""

    def load(index: int) -> None:
        pixels = np.frombuffer(jpegs[index % len(jpegs)], np.uint8)
        image = cv2.imdecode(pixels, cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"image {index} cannot be decoded")
        cv2.resize(image, (300, 300))

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(load, range(BATCH)))
        return measured(images, lambda: list(pool.map(load, range(images))).clear())


def alternate(threads: int, rounds: int, batches: int) -> tuple[list[float], list[float]]:
    """Images a second of the layer and of cv2, round by round in turns."""
    layer, peer = [], []
    with tempfile.TemporaryDirectory() as name:
        jpegs = write_database(Path(name) / "lmdb", 200)
        for _ in range(rounds):
            ours = layer_rate(Path(name), threads, batches)
            layer.append(ours.images / ours.seconds)
            beside = peer_rate(jpegs, threads, batches * BATCH)
            peer.append(beside.images / beside.seconds)
    return layer, peer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=200, help="in the database")
    parser.add_argument("--batches", type=int, default=20, help=f"of {BATCH} that are timed")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jpegs = write_database(folder / "lmdb", arguments.images)
        for threads in arguments.threads:
            ours = layer_rate(folder, threads, arguments.batches)
            print(ours.line("AnnotatedData, full augmentation", threads))
            peer = peer_rate(jpegs, threads, arguments.batches * BATCH)
            print(peer.line("cv2 in Python: decode and resize", threads))


if __name__ == "__main__":
    main()
