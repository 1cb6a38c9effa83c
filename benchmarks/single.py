"""What is not measured in turns: memory, start-up, shares of a step, the data pipeline."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from benchmarks.cases import (
    COMMAND,
    DATA,
    INFERENCE,
    MEMORY,
    OTHERS,
    OURS,
    SHARES,
    SIDES,
    START,
    TORCH,
    TRAINING,
    Case,
    Choice,
    Side,
)
from benchmarks.protocol import Worker
from benchmarks.results import Row
from benchmarks.runner import SETUP_SECONDS, Runner


def prepare(runner: Runner, model: str, peers: bool) -> list[str]:
    """Makes the files of a model: ours, and with `peers` those for onnxruntime and ncnn.

    Returns what went wrong.
    """
    folder = runner.setting.net(model)
    trouble = [runner.asked(OURS[0], "prepare", model=model, folder=folder)]
    if peers and not trouble[0]:
        case = Case(INFERENCE, model)
        request = case.request(TORCH[0], runner.setting.threads, folder)
        exported = runner.asked(TORCH[0], "export", case=request)
        trouble.append(exported and f"export from PyTorch: {exported}")
        converted = runner.asked(SIDES["ncnn"], "convert", folder=folder)
        trouble.append(converted and f"conversion for ncnn: {converted}")
    return [f"{model}: {text}" for text in trouble if text]


def memory(runner: Runner, choice: Choice) -> None:
    """The most memory of a process that makes three training steps.

    Of ours, one that is not counted goes before it, and chooses how convolutions are done.
    """
    model, batch = choice.models[0], 2 if choice.quick else 8
    case = Case(TRAINING, model, batch)
    key = f"{MEMORY}/{model}/{batch}"

    def work(worker: Worker, row: Row, side: Side) -> None:
        request = case.request(side, runner.setting.threads, runner.setting.net(model))
        row.about |= worker.ask("setup", SETUP_SECONDS, case=request)
        worker.ask("steps", SETUP_SECONDS, count=3)
        row.values.append(worker.ask("peak")["mib"])

    def command(worker: Worker, row: Row, side: Side) -> None:
        request = case.request(side, runner.setting.threads, runner.setting.net(model))
        row.values.append(worker.ask("command_peak", SETUP_SECONDS, case=request)["mib"])

    for side in (*OURS, *TORCH):
        if side.precision not in choice.precisions:
            continue
        plain = replace(side, keep_pages=False)
        if side.ours:
            runner.once(key, plain, partial(work, side=plain))
        runner.alone(key, plain, partial(work, side=plain))
        if side.ours:
            named = replace(side, name=f"{COMMAND} {side.precision}")
            runner.alone(key, named, partial(command, side=named))


def start_up(runner: Runner, choice: Choice) -> None:
    """From the start of a process to the first detections, each time a new process."""
    model = choice.models[0]
    case = Case(INFERENCE, model)
    key = f"{START}/{model}"
    sides = [s for s in (OURS[0], TORCH[0], *OTHERS) if s.precision == "fp32"]
    rows = {side.name: Row(key, side.name) for side in sides}

    for _ in range(2 if choice.quick else 5):
        for side in sides:
            row = rows[side.name]
            if not row.note:
                _start_once(runner, case, side, row)
    for row in rows.values():
        runner.keep(row)


def _start_once(runner: Runner, case: Case, side: Side, row: Row) -> None:
    request = case.request(side, runner.setting.threads, runner.setting.net(case.model))

    def work(worker: Worker, once: Row) -> None:
        worker.ask("setup", SETUP_SECONDS, case=request | {"quick_start": True})
        worker.ask("steps", SETUP_SECONDS, count=1)
        once.values.append(time.perf_counter() - worker.started)

    once = runner.once(row.case, side, work)
    row.values += once.values
    row.note = once.note


def shares(runner: Runner, choice: Choice) -> None:
    """Where the time of our training step goes, by type of layer."""
    model, batch = choice.models[0], 1 if choice.quick else 4
    case = Case(TRAINING, model, batch)

    def work(worker: Worker, row: Row, side: Side) -> None:
        request = case.request(side, runner.setting.threads, runner.setting.net(model))
        row.about |= worker.ask("setup", SETUP_SECONDS, case=request)
        worker.ask("steps", SETUP_SECONDS, count=2)
        found = worker.ask("shares", SETUP_SECONDS, count=2 if choice.quick else 5)
        row.about["types"] = found["types"]
        row.values.append(found["total"] / 1e3)

    for side in OURS:
        if side.precision in choice.precisions:
            key = f"{SHARES}/{model}/{batch}"
            runner.alone(key, side, partial(work, side=side))


def data(runner: Runner, choice: Choice) -> None:
    """Augmented images a second, beside cv2 that only decodes and resizes."""
    rounds, batches = (2, 2) if choice.quick else (5, 10)

    def work(worker: Worker, row: Row) -> None:
        found = worker.ask("data", threads=runner.setting.threads, rounds=rounds, batches=batches)
        row.values, row.about = found["ours"], {"beside": found["beside"]}

    runner.alone(DATA, OURS[0], work)
