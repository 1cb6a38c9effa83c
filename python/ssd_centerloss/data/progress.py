"""Progress of work on many items, done by several threads."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

LINE_EVERY = 5.0  # seconds between lines of progress, where it is not drawn
AHEAD = 8  # items per thread that wait to be taken


def default_threads() -> int:
    """One for each processor that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(
    work: Callable[[_In], _Out], items: Iterable[_In], threads: int
) -> Generator[_Out, None, None]:
    """work(item) for each, in the order of the items, computed a little ahead by threads.

    What `work` raises is raised here; work that has not begun is dropped then,
    as it is when the caller stops early.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_Out]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def shown(
    results: Generator[_Out, None, None], total: int, title: str, quiet: bool = False
) -> Iterator[_Out]:
    """The same results, with their rate and the time left on stderr.

    A bar on a terminal; elsewhere a plain line now and then.
    """
    with closing(results):
        if quiet or total == 0:
            yield from results
        elif sys.stderr.isatty():
            yield from _as_bar(results, total, title)
        else:
            yield from _as_lines(results, total, title)


def _as_bar(results: Iterator[_Out], total: int, title: str) -> Iterator[_Out]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeLeft(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, rate="")
        begin = time.monotonic()
        for done, result in enumerate(results, 1):
            yield result
            rate = done / max(time.monotonic() - begin, 1e-9)
            bar.update(task, advance=1, rate=f"{rate:.0f} images/s")


def _as_lines(results: Iterator[_Out], total: int, title: str) -> Iterator[_Out]:
    begin = told = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if done < total and now - told < LINE_EVERY:
            continue
        told = now
        passed = max(now - begin, 1e-9)
        left = passed / done * (total - done)
        rate = f"{done / passed:.0f} images/s, {left:.0f} s left"
        print(f"{title}: {done} of {total}, {rate}", file=sys.stderr, flush=True)
