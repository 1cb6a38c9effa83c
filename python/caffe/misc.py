"""A timer, and what Caffe says about its build."""

from __future__ import annotations

import time

from caffe import _caffe


def init_log(level: int = 0, _also_to_stderr: bool = True) -> None:
    """Drops log lines below `level` (0 info, 1 warning, 2 error); the log goes to stderr."""
    _caffe.set_log_level(level)


def has_nccl() -> bool:
    """Whether solvers can share their work by NCCL."""
    return False


class Timer:
    """Wall-clock time from `start` to `stop`, as `ms`, `us` and `seconds`."""

    def __init__(self) -> None:
        self._started = 0.0
        self.seconds = 0.0

    def start(self) -> None:
        self._started = time.perf_counter()

    def stop(self) -> None:
        self.seconds = time.perf_counter() - self._started

    @property
    def ms(self) -> float:
        return self.seconds * 1e3

    @property
    def us(self) -> float:
        return self.seconds * 1e6
