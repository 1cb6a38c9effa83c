"""How many threads OpenMP uses and how they wait, settled before the extension loads OpenMP.

By default they spin for many milliseconds, which wastes the processors wherever the machine has
other work. Ten thousand turns (half a millisecond or so) bridge the gaps between layers: of a small
net's step they take 5 % less than a thousand, and more turns save nothing. And there are as many
threads as the process may run on processors, even where a container's quota gives it the time of
fewer: then they only get into each other's way. What the user has set stays.
"""

import math
import os
from pathlib import Path


def _quota(root: Path) -> float:
    """The processors whose time a control group gives this process; infinite without a limit."""
    try:
        words = (root / "cpu.max").read_text().split()
    except OSError:  # version 1 of control groups, or none
        try:
            words = [(root / "cpu" / f"cpu.cfs_{x}_us").read_text() for x in ("quota", "period")]
        except OSError:
            return math.inf
    try:
        quota, period = (float(word) for word in words)
    except ValueError:  # "max"
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


def settle(root: Path = Path("/sys/fs/cgroup")) -> None:
    """Sets what OpenMP reads from the environment, once, when it is loaded."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    quota = _quota(root)
    if quota < len(os.sched_getaffinity(0)):
        os.environ.setdefault("OMP_NUM_THREADS", str(math.ceil(quota)))


settle()
