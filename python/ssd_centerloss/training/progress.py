"""How a training goes, while it goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ssd_centerloss.training.log import Row

SECONDS_BETWEEN_LINES = 10


class Progress(Protocol):
    """Something that is told of every row."""

    def update(self, row: Row) -> None: ...


@dataclass
class Pace:
    """Rate and time left, from the rows of one process."""

    begin_iteration: int
    iterations: int
    begin: float
    iteration: int = 0
    last: dict[str, float] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        self.iteration = row.iteration
        self.last.update(row.values)

    def words(self) -> str:
        """ "3.2 it/s, 2m10s left, loss 4.12, mAP 0.531": what is known of it."""
        done = self.iteration - self.begin_iteration
        seconds = time.monotonic() - self.begin
        parts = []
        if done > 0 and seconds > 0:
            left = (self.iterations - self.iteration) * seconds / done
            parts += [f"{done / seconds:.2g} it/s", f"{duration(left)} left"]
        if "loss" in self.last:
            parts.append(f"loss {self.last['loss']:.4g}")
        if "mAP" in self.last:
            parts.append(f"mAP {self.last['mAP']:.3f}")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """1h02m, 2m34s or 9s."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h{whole // 60 % 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


@dataclass
class Lines:
    """Plain lines on stderr: for each test, and now and then for the loss."""

    pace: Pace
    written: float = 0.0

    def update(self, row: Row) -> None:
        self.pace.take(row)
        now = time.monotonic()
        if "mAP" not in row.values and now - self.written < SECONDS_BETWEEN_LINES:
            return
        self.written = now
        line = f"iteration {row.iteration}/{self.pace.iterations}: {self.pace.words()}"
        print(line, file=sys.stderr, flush=True)


@contextmanager
def shown(begin_iteration: int, iterations: int, quiet: bool) -> Iterator[Progress]:
    """A bar on a terminal, lines elsewhere, nothing where quiet."""
    pace = Pace(begin_iteration, iterations, time.monotonic())
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        with _bar(pace) as bar:
            yield bar
    else:
        yield Lines(pace)


class _Silent:
    def update(self, row: Row) -> None:
        pass


@contextmanager
def _bar(pace: Pace) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
    )
    console = Console(stderr=True)
    with RichProgress(*columns, console=console) as drawn:
        task = drawn.add_task("", total=pace.iterations, completed=pace.begin_iteration, words="")

        class Bar:
            def update(self, row: Row) -> None:
                pace.take(row)
                drawn.update(task, completed=row.iteration, words=pace.words())
                if "mAP" in row.values:
                    console.print(f"iteration {row.iteration}: mAP {row.values['mAP']:.4f}")

        yield Bar()
