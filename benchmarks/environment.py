"""The peers' virtual environment, and what each worker process gets from this one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# glibc then keeps the memory that a step frees, so that the next step finds its pages in place.
KEEP_PAGES = {
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_MMAP_MAX_": "0",
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NOT_THEIRS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
# How threads wait is each side's own choice.
NOBODYS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def install(folder: Path, tell: Callable[[str], None]) -> None:
    """Makes the peers' environment in `folder`, unless it holds these requirements already.

    A package that cannot be installed is told of and left out: its rows say so.
    """
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    done = folder / "made-from"
    if done.is_file() and done.read_text() == key:
        return
    tell(f"installing the peers in {folder} (PyTorch, OpenCV, onnxruntime, ncnn)")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check"]
    environment = for_peers(os.environ)
    whole = subprocess.run([*pip, "-r", str(REQUIREMENTS)], env=environment, check=False)
    if whole.returncode == 0:
        done.write_text(key)
        return
    for line in REQUIREMENTS.read_text().splitlines():
        if line and not line.startswith("#"):
            one = subprocess.run([*pip, line], env=environment, check=False)
            if one.returncode != 0:
                tell(f"{line} cannot be installed")


def for_peers(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what is meant for our Python."""
    return {name: value for name, value in environment.items() if name not in NOT_THEIRS}


def with_threads(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """For libraries that take their number of threads from the environment."""
    kept = {name: value for name, value in environment.items() if name not in NOBODYS}
    return {**kept, **dict.fromkeys(THREADS, str(threads))}
