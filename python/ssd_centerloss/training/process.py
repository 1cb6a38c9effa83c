"""`caffe train` as a process of ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ssd_centerloss.errors import UserError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# What caffe exits with after Ctrl-C: with a snapshot; the second time, without one.
STOPPED = (0, 130, -signal.SIGINT)


def caffe_command() -> str:
    """The caffe command beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name("caffe")
    command = str(beside) if beside.exists() else shutil.which("caffe")
    if command is None:
        raise UserError("the caffe command is not on the PATH, nor beside this Python")
    return command


def run_caffe(
    arguments: Sequence[str], log: Path, threads: int, take: Callable[[str], None]
) -> bool:
    """Runs `caffe` with these arguments, appends what it says to `log` and gives it to `take`.

    Ctrl-C is passed on, so that caffe stops after its iteration and writes a
    snapshot; the second one stops it at once. False: it was stopped so.

    Raises:
        UserError: caffe failed; with its own last words.
    """
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    # In a session of its own: the terminal's Ctrl-C would reach it besides ours.
    process = subprocess.Popen(
        [caffe_command(), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    last: deque[str] = deque(maxlen=1)
    try:
        with _interrupts_go_to(process) as interrupts, open(log, "a", encoding="utf-8") as file:
            assert process.stderr is not None
            for line in process.stderr:
                file.write(line)
                file.flush()
                take(line.rstrip("\n"))
                if line.strip():
                    last.append(line.strip())
            status = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if interrupts and status in STOPPED:
        return False
    if status != 0:
        raise UserError(_last_words(last, status, log))
    return True


def _last_words(last: Sequence[str], status: int, log: Path) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        hint = "; was memory short? A smaller batch or size needs less" if status == -9 else ""
        return f"caffe train was killed by {name}{hint}; its log is {log}"
    text = last[0].split("] ", 1)[-1] if last else "it said nothing"
    return f"{text} (caffe train failed; its log is {log})"


@contextmanager
def _interrupts_go_to(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """While this lasts, Ctrl-C reaches the process; gives a list that has them."""
    interrupts: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def pass_on(number: int, _frame: Any) -> None:
        interrupts.append(number)
        process.send_signal(signal.SIGINT)

    previous = signal.signal(signal.SIGINT, pass_on)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, previous)
