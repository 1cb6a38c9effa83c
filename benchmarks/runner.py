"""Runs the cases: starts the workers, lets the sides take turns, keeps what they took."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environment, machine
from benchmarks.cases import SIDES, Case, Side, groups
from benchmarks.protocol import MissingError, Worker, WorkerError
from benchmarks.results import Results, Row
from benchmarks.stats import steps_for

LEAST_ROUNDS = 3
PAUSE = 0.05  # seconds between two sides, in which the first one's threads go to sleep
SETUP_SECONDS = 400  # a worker that needs more hangs
LONG = 15  # seconds of making ready that are told of
PAGES_USED = 0.85  # of the free memory


@dataclass(frozen=True)
class Setting:
    """Where and how workers run.

    peers: the Python of the peers' environment; folder: for nets, logs and results.
    """

    peers: Path
    folder: Path
    threads: int

    def python(self, side: Side) -> str:
        return sys.executable if side.ours else str(self.peers)

    def environment(self, side: Side) -> dict[str, str]:
        inherited: Mapping[str, str] = os.environ
        if not side.ours:
            inherited = environment.for_peers(inherited)
        else:
            # What our convolutions measure in this run holds, nothing from before.
            inherited = {**inherited, "XDG_CACHE_HOME": str((self.folder / "cache").resolve())}
        if side.keep_pages:
            inherited = {**inherited, **environment.KEEP_PAGES}
        return environment.with_threads(inherited, self.threads)

    def worker(self, side: Side) -> Worker:
        """A new process of the side. Raises MissingError if its Python is not there."""
        command = [self.python(side), "-m", f"benchmarks.peers.{side.module}"]
        return Worker(side.name, command, self.environment(side), self.folder / "logs")

    def net(self, model: str) -> str:
        """The folder of a model's files."""
        return str((self.folder / "nets" / model).resolve())


class Runner:
    """Measures cases one after the other and saves the results after each."""

    def __init__(self, setting: Setting, results: Results, tell: Callable[[str], None]) -> None:
        self.setting, self.results, self._tell = setting, results, tell

    def keep(self, row: Row) -> None:
        """Adds a row, and writes all to results.json."""
        self.results.rows.append(row)
        self.results.save(self.setting.folder / "results.json")
        if row.note:
            self._tell(f"    {row.side:<14} {row.note}")

    def interleaved(self, case: Case) -> None:
        """The sides take turns, a round of steps each, in changing order."""
        free = PAGES_USED * machine.available_gib()
        try:
            together = groups(case, free)
        except ValueError as error:
            for name in case.sides:
                self.keep(Row(case.key, name, note=str(error)))
            return
        for names in together:
            self._group(case, names)

    def _group(self, case: Case, names: Sequence[str]) -> None:
        rows = {name: Row(case.key, name) for name in names}
        with ExitStack() as open_workers:
            workers = {}
            for name, row in rows.items():
                worker = self._ready(case, SIDES[name], row)
                if worker is not None:
                    open_workers.callback(worker.close)
                    workers[name] = worker
            self._rounds(case, workers, rows)
            for name, worker in workers.items():
                with suppress(WorkerError):
                    rows[name].about |= worker.ask("peak")
        for row in rows.values():
            self.keep(row)
            if row.values:
                self._tell(f"    {row.side:<14} {shown(median(row.values))} a step")

    def _ready(self, case: Case, side: Side, row: Row) -> Worker | None:
        """A worker that has done its first steps; None: row.note says why not."""
        worker = None
        try:
            worker = self.setting.worker(side)
            request = case.request(side, self.setting.threads, self.setting.net(case.model))
            start = time.perf_counter()
            row.about |= worker.ask("setup", SETUP_SECONDS, case=request)
            first = worker.ask("steps", SETUP_SECONDS, count=1)["seconds"][0]
            if first < 3:
                worker.ask("steps", SETUP_SECONDS, count=1)
            row.about["ready"] = time.perf_counter() - start
            if row.about["ready"] > LONG:
                self._tell(f"    {row.side:<14} ready after {row.about['ready']:.0f} s")
        except WorkerError as error:
            row.note = reason(error)
            if worker is not None:
                worker.close()
            return None
        return worker

    def _rounds(self, case: Case, workers: dict[str, Worker], rows: dict[str, Row]) -> None:
        counts: dict[str, int] = {}
        start = time.perf_counter()
        for number in range(case.rounds):
            order = list(workers) if number % 2 == 0 else list(reversed(workers))
            for name in order:
                self._turn(workers, rows[name], counts)
            if number + 1 >= LEAST_ROUNDS and time.perf_counter() - start > case.seconds:
                break

    def _turn(self, workers: dict[str, Worker], row: Row, counts: dict[str, int]) -> None:
        """One side's part of a round; a side that fails leaves."""
        time.sleep(PAUSE)
        try:
            if row.side not in counts:
                once = workers[row.side].ask("steps", count=1)["seconds"][0]
                counts[row.side] = steps_for(once)
                if counts[row.side] == 1:
                    row.values.append(once)
                    return
            taken = workers[row.side].ask("steps", count=counts[row.side])["seconds"]
            row.values.append(sum(taken) / len(taken))
        except WorkerError as error:
            row.note, row.values = f"failed: {error}", []
            workers.pop(row.side).close()

    def alone(self, key: str, side: Side, work: Callable[[Worker, Row], None]) -> None:
        """Keeps a row that a worker of its own makes."""
        self.keep(self.once(key, side, work))

    def once(self, key: str, side: Side, work: Callable[[Worker, Row], None]) -> Row:
        """The row that `work` fills with a new worker, or that says why it cannot."""
        row = Row(key, side.name)
        try:
            worker = self.setting.worker(side)
            try:
                work(worker, row)
            finally:
                worker.close()
        except WorkerError as error:
            row.note = reason(error)
        return row

    def asked(self, side: Side, what: str, **arguments: Any) -> str:
        """Lets a worker do one thing; the reason if it could not."""
        try:
            worker = self.setting.worker(side)
            try:
                worker.ask(what, SETUP_SECONDS, **arguments)
            finally:
                worker.close()
        except WorkerError as error:
            return str(error)
        return ""


def reason(error: WorkerError) -> str:
    """Why a side has no values."""
    return str(error) if isinstance(error, MissingError) else f"failed: {error}"


def shown(seconds: float) -> str:
    """A time with three digits or so."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.1f} ms" if seconds < 0.1 else f"{1e3 * seconds:.0f} ms"
