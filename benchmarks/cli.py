"""`python -m benchmarks`: the command line."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from benchmarks import environment, machine, report, single
from benchmarks.cases import (
    DATA,
    INFERENCE,
    LOSS,
    MEASURES,
    MEMORY,
    MODELS,
    SHARES,
    START,
    TRAINING,
    Case,
    Choice,
    interleaved,
)
from benchmarks.results import Results
from benchmarks.runner import Runner, Setting
from benchmarks.verify import verify

FOLDER = Path("build/bench")
REPORT = Path("benchmarks/results.md")

EXAMPLES = """examples:
  python -m benchmarks                                   all, about 20 minutes on two cores
  python -m benchmarks --quick                           all, roughly, in a few minutes
  python -m benchmarks --only training --models ssd300_vgg16 --batches 4 --precision fp32
  python -m benchmarks --only inference start-up
  python -m benchmarks --verify --models small           do all sides compute the same?
  python -m benchmarks --report build/bench/results.json the tables of an earlier run
  BENCH_PEERS=ENV python -m benchmarks                   peers that are installed already

A whole run writes benchmarks/results.md; one with --quick, --only or another choice writes
build/bench/results.md. results.json beside it is written after each case.
"""


@dataclass(frozen=True)
class Task:
    """A part of the run and about how many seconds it takes."""

    title: str
    seconds: float
    work: Callable[[], object]


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times this runtime beside PyTorch, OpenCV dnn, onnxruntime and ncnn.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--quick", action="store_true", help="three short rounds of each case")
    add("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="these measures")
    add("--models", nargs="+", choices=MODELS, default=list(MODELS), help="these nets")
    add("--batches", nargs="+", type=int, default=[1, 4, 8], help="of training (1 4 8)")
    add("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    add("--threads", type=int, default=machine.cores(), help="of every side (all processors)")
    add("--peers", type=Path, metavar="ENV", help="a virtual environment that has the peers")
    add("--out", type=Path, help="the report (benchmarks/results.md of a whole run)")
    add("--verify", action="store_true", help="compare what the sides compute, time nothing")
    add("--report", type=Path, metavar="JSON", help="only make the tables of this results.json")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.report is not None:
        print(report.markdown(Results.load(options.report)), end="")
        return 0
    if options.threads < 1 or min(options.batches) < 1:
        parser().error("threads and batches are 1 or more")
    choice = Choice(
        tuple(options.only),
        tuple(options.models),
        tuple(options.batches),
        tuple(options.precision),
        options.quick,
    )
    peers = options.peers or Path(os.environ.get("BENCH_PEERS", FOLDER / "peers"))
    if options.peers is None and "BENCH_PEERS" not in os.environ:
        environment.install(peers, tell)
    here = Results(
        asdict(machine.describe()),
        datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        options.threads,
        " ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)]),
    )
    python = Path(os.path.abspath(peers)) / "bin" / "python"
    runner = Runner(Setting(python, FOLDER, options.threads), here, tell)
    if options.verify:
        return _verify(runner, choice)
    whole = choice == Choice()
    shutil.rmtree(FOLDER / "cache", ignore_errors=True)
    run(tasks(runner, choice))
    out = options.out or (REPORT if whole else FOLDER / "results.md")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report.markdown(here), encoding="utf-8")
    print(f"\n{report.markdown(here)}\nwritten to {out}")
    return 0


def _verify(runner: Runner, choice: Choice) -> int:
    for model in choice.models:
        for trouble in single.prepare(runner, model, peers=True):
            tell(f"    {trouble}")
    all_hold = True
    for text, holds in verify(runner, choice.models):
        print(f"{'same' if holds else 'NOT THE SAME':<12} {text}", flush=True)
        all_hold = all_hold and holds
    return 0 if all_hold else 1


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tasks(runner: Runner, choice: Choice) -> list[Task]:
    """The whole run, part by part."""
    chosen = set(choice.measures)
    found = []
    if chosen - {DATA}:
        exports = bool(chosen & {INFERENCE, START})
        for model in choice.models:
            work = partial(_prepare, runner, model, exports)
            found.append(Task(f"nets of {model}", 25 if exports else 5, work))
    for case in interleaved(choice):
        work = partial(runner.interleaved, case)
        found.append(Task(case.title, _seconds(case), work))
    singles = {MEMORY: (single.memory, 120), START: (single.start_up, 60)}
    singles |= {SHARES: (single.shares, 60), DATA: (single.data, 40)}
    for measure, (make, seconds) in singles.items():
        if measure in chosen:
            share = 0.4 if choice.quick else 1.0
            found.append(Task(measure, share * seconds, partial(make, runner, choice)))
    return found


def _prepare(runner: Runner, model: str, exports: bool) -> None:
    for trouble in single.prepare(runner, model, exports):
        tell(f"    {trouble}")


def _seconds(case: Case) -> float:
    """Rounds, and before them making the nets and the first steps."""
    ready = {TRAINING: 25.0, INFERENCE: 60.0, LOSS: 8.0}[case.measure]
    return case.seconds + (0.3 * ready if case.model == "small" else ready)


def run(parts: Sequence[Task]) -> None:
    """Does the parts in order; tells what runs and about how long the rest takes.

    A part that fails in a way of its own is told of, and the others run.
    """
    start, planned_done = time.monotonic(), 0.0
    planned = sum(part.seconds for part in parts)
    for number, part in enumerate(parts, start=1):
        elapsed = time.monotonic() - start
        # Trust the plan at first, then what the parts so far took of it.
        pace = (60 + elapsed) / (60 + planned_done)
        left = pace * (planned - planned_done) / 60
        tell(f"[{number}/{len(parts)}] {part.title}; about {left:.0f} min left")
        try:
            part.work()
        except Exception as error:
            tell(f"    failed: {type(error).__name__}: {error}")
        planned_done += part.seconds
    tell(f"done in {(time.monotonic() - start) / 60:.1f} min")
