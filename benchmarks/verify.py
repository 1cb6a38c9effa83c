"""Do all sides compute the same? What is compared must be, or the times mean nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.cases import INFERENCE, OTHERS, OURS, TORCH, TRAINING, Case, Side
from benchmarks.protocol import Worker, WorkerError
from benchmarks.results import Row
from benchmarks.runner import SETUP_SECONDS, Runner
from benchmarks.samples import Array

# Of the largest value: summation in another order, Winograd; or eight bits of mantissa.
TOLERANCE = {"fp32": 1e-3, "bf16": 5e-2}
STEPS = 3
# Updates that a wrong gradient or rule would show in, without chaos: a third of the loss goes.
RATE = {"ssd300_vgg16": 1e-5, "ssd512_vgg16": 1e-5, "small": 5e-5}


def training(runner: Runner, model: str, side: Side) -> dict[str, Array]:
    """Predictions and loss after some steps of two images."""
    case = Case(TRAINING, model, 2)
    request = case.request(side, runner.setting.threads, runner.setting.net(model))
    return _result(runner, case, side, request | {"rate": RATE[model], "verify": True}, STEPS)


def inference(runner: Runner, model: str, side: Side) -> dict[str, Array]:
    """Detections of one image."""
    case = Case(INFERENCE, model)
    request = case.request(side, runner.setting.threads, runner.setting.net(model))
    return _result(runner, case, side, request, 0)


def _result(
    runner: Runner, case: Case, side: Side, request: dict[str, object], steps: int
) -> dict[str, Array]:
    file = (runner.setting.folder / "verify.npz").resolve()

    def work(worker: Worker, _: Row) -> None:
        worker.ask("setup", SETUP_SECONDS, case=request)
        if steps:
            worker.ask("steps", SETUP_SECONDS, count=steps)
        worker.ask("result", SETUP_SECONDS, file=str(file))

    row = runner.once(case.key, side, work)
    if row.note:
        raise WorkerError(row.note)
    with np.load(Path(file)) as arrays:
        return {name: arrays[name] for name in arrays}


def difference(ours: Array, theirs: Array) -> float:
    """The largest difference, as a part of the largest value."""
    ours, theirs = ours.reshape(-1).astype(np.float64), theirs.reshape(-1).astype(np.float64)
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.abs(ours - theirs).max() / max(np.abs(ours).max(), 1e-30))


def unmatched(ours: Array, theirs: Array, tolerance: float) -> int:
    """How many of our detections (label, score, corners) have no like among theirs."""
    count = 0
    for row in ours:
        same = theirs[theirs[:, 0] == row[0]]
        count += not (np.abs(same - row).max(axis=1, initial=0) <= tolerance).any()
    return count


def verify(runner: Runner, models: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """A line for each comparison, and whether it holds."""
    for model in models:
        for ours, theirs in zip(OURS, TORCH, strict=True):
            yield from _compare_training(runner, model, ours, theirs)
        yield from _compare_inference(runner, model)


def _compare_training(
    runner: Runner, model: str, ours: Side, theirs: Side
) -> list[tuple[str, bool]]:
    title = f"{model}, after {STEPS} training steps, {theirs.name}"
    try:
        a, b = training(runner, model, ours), training(runner, model, theirs)
    except WorkerError as error:
        return [(f"{title}: {error}", False)]
    lines = []
    for name, values in a.items():
        off = difference(values, b[name])
        text = f"{title}: {name} differs by {off:.1e} of its largest value"
        if name == "mbox_loss":
            text += f" ({float(values):.5f} and {float(b[name]):.5f})"
        lines.append((text, off <= TOLERANCE[ours.precision]))
    return lines


def _compare_inference(runner: Runner, model: str) -> list[tuple[str, bool]]:
    lines = []
    try:
        reference = inference(runner, model, OURS[0])["detections"]
    except WorkerError as error:
        return [(f"{model}, our detections: {error}", False)]
    for side in (OURS[1], *TORCH, *OTHERS):
        title = f"{model}, detections, {side.name}"
        try:
            found = inference(runner, model, side)["detections"]
        except WorkerError as error:
            lines.append((f"{title}: {error}", False))
            continue
        missing = unmatched(reference, found, TOLERANCE[side.precision])
        text = f"{title}: {len(found)}, of ours {missing} of {len(reference)} are not among them"
        # Where two scores are nearly equal, suppression may choose the other one.
        lines.append(
            (text, missing <= (0.02 if side.precision == "fp32" else 0.3) * len(reference))
        )
    return lines
