"""What the workers share; needs numpy alone."""

from __future__ import annotations

import resource
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class PeerWorker(ABC):
    """One measured side: `setup`, and then `steps` as often as the driver asks."""

    def __init__(self) -> None:
        self._step: Callable[[], object] | None = None

    @abstractmethod
    def make(self, case: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        """A function that does one step of the case, and what the report should say of it.

        case: see cases.Case.request.
        """

    def setup(self, case: dict[str, Any]) -> dict[str, Any]:
        """Makes ready for `steps`; they use case["threads"] threads."""
        case["folder"] = Path(case["folder"])
        self._step, about = self.make(case)
        return about

    def steps(self, count: int) -> dict[str, Any]:
        """The seconds of each of so many steps."""
        assert self._step is not None
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            self._step()
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}

    def peak(self) -> dict[str, Any]:
        """The most memory that this process has had, in MiB."""
        return {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}

    def result(self, file: str) -> dict[str, Any]:
        """Writes what a step gives, as arrays to compare."""
        assert self._step is not None
        found = self._step()
        assert isinstance(found, dict | np.ndarray)
        arrays = found if isinstance(found, dict) else {"detections": found}
        np.savez(file, **arrays)
        return {}


def fastest(
    candidates: Mapping[str, Callable[[], Callable[[], Any]]], runs: int = 5
) -> tuple[str, Callable[[], Any]]:
    """The name and the function of the fastest candidate, of those that can be made.

    candidates: name → a function that makes the function to time. Raises RuntimeError if none
    could be made.
    """
    best: tuple[float, str, Callable[[], Any]] | None = None
    failures = []
    for name, make in candidates.items():
        try:
            run = make()
            for _ in range(2):
                run()
            times = []
            for _ in range(runs):
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
        except Exception as error:  # one way of many: the others are tried
            failures.append(f"{name}: {type(error).__name__}: {error}")
            continue
        if best is None or min(times) < best[0]:
            best = (min(times), name, run)
    if best is None:
        raise RuntimeError("; ".join(failures))
    return best[1], best[2]
