"""A training from its options to its curves."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ssd_centerloss.data.label_map import LabelMap
from ssd_centerloss.errors import UserError
from ssd_centerloss.runs import Run, RunConfig, iteration_of
from ssd_centerloss.training.curves import draw_curves
from ssd_centerloss.training.log import LogParser, Row
from ssd_centerloss.training.options import TrainOptions
from ssd_centerloss.training.prepare import prepare_new, prepare_resumed
from ssd_centerloss.training.process import run_caffe
from ssd_centerloss.training.progress import Progress, shown
from ssd_centerloss.training.results import ResultsWriter, read_results


def train(
    options: TrainOptions,
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    skip_mismatched: bool = False,
    quiet: bool = False,
) -> Run:
    """Trains in the folder `out` and returns its run.

    A new run is prepared, or with `resume` the one in the folder goes on from
    its newest snapshot. The log, results.csv and at the end curves.png are
    kept in the folder.

    Raises:
        UserError: options or data that do not fit, before anything is
            written; or what caffe failed with.
        KeyboardInterrupt: Ctrl-C; caffe has written a snapshot to resume from.
    """
    run = Run(out)
    if resume:
        config = prepare_resumed(options, run)
    else:
        config = prepare_new(options, run, overwrite, skip_mismatched)
    state = run.newest("solverstate") if resume else None
    done = iteration_of(state) if state else 0
    if done >= config.iterations:
        _say(quiet, f"{out}: has its {done} iterations; --iterations can ask for more")
        return run
    _say(quiet, _plan(run, config, state))
    finished = _run(run, config, state, skip_mismatched, quiet)
    draw_curves(read_results(run.results), run.curves, _title(config))
    if not finished:
        raise _interruption(run, quiet)
    _say(quiet, _summary(run))
    return run


def _run(
    run: Run, config: RunConfig, state: Path | None, skip_mismatched: bool, quiet: bool
) -> bool:
    names = LabelMap.read(run.label_map).classes
    done = iteration_of(state) if state else 0
    arguments = ["train", "-solver", str(run.solver.resolve())]
    if state is not None:
        arguments += ["-snapshot", str(state.resolve())]
    elif config.weights is not None:
        arguments += ["-weights", config.weights]
        arguments += ["-skip_mismatched"] if skip_mismatched else []
    results = ResultsWriter(run.results, names, resumed_at=done)
    with shown(done, config.iterations, quiet) as progress:
        rows = _Rows(LogParser(names), results, progress)
        finished = run_caffe(arguments, run.log, config.threads, rows.take)
        rows.end()
    return finished


class _Rows:
    """Rows of the log, on their way to the file and the terminal."""

    def __init__(self, parser: LogParser, results: ResultsWriter, progress: Progress) -> None:
        self._parser = parser
        self._results = results
        self._progress = progress
        self._begin = time.monotonic()

    def take(self, line: str) -> None:
        self._add(self._parser.take(line))

    def end(self) -> None:
        self._add(self._parser.end())

    def _add(self, row: Row | None) -> None:
        if row is not None:
            self._results.add(row, time.monotonic() - self._begin)
            self._progress.update(row)


def _say(quiet: bool, text: str) -> None:
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def _title(config: RunConfig) -> str:
    loss = "plain MultiBoxLoss"
    if config.has_center_loss:
        loss = f"center loss × {config.center_loss_weight:g}, {config.center_features} features"
    return f"{config.model}, {config.size} pixels, {Path(config.data).name}; {loss}"


def _plan(run: Run, config: RunConfig, state: Path | None) -> str:
    begin = "from nothing"
    if state is not None:
        begin = f"on from {state.name}"
    elif config.weights is not None:
        begin = f"from {config.weights}"
    return (
        f"{run.folder}: {_title(config)}; {config.iterations} iterations of {config.batch} images, "
        f"{begin}"
    )


def _interruption(run: Run, quiet: bool) -> KeyboardInterrupt:
    state = run.newest("solverstate")
    if state is not None:
        _say(quiet, f"{run.folder}: stopped; --resume goes on from {state.name}")
    return KeyboardInterrupt()


def _summary(run: Run) -> str:
    rows = [row for row in read_results(run.results) if "mAP" in row]
    if not rows:
        raise UserError(f"{run.log}: has no mAP; did the tests run?")
    last, best = rows[-1], max(rows, key=lambda row: row["mAP"])
    classes = ", ".join(
        f"{key.removeprefix('AP ')} {value:.3f}" for key, value in last.items() if key[:3] == "AP "
    )
    text = f"{run.folder}: mAP {last['mAP']:.4f} ({classes}) in {last['seconds']:.0f} s"
    if best["mAP"] > last["mAP"]:
        text += f"; best {best['mAP']:.4f} at iteration {best['iteration']:.0f}"
    return text
