"""caffe as a process: what is told of how it ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ssd_centerloss.errors import UserError
from ssd_centerloss.training import process


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of caffe."""

    def put(script: str) -> None:
        file = tmp_path / "caffe"
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setattr(process, "caffe_command", lambda: str(file))

    return put


def interrupt_at(word: str) -> Callable[[str], None]:
    def take(line: str) -> None:
        if word in line:
            os.kill(os.getpid(), signal.SIGINT)

    return take


STOPS = "trap 'echo stopping >&2; exit {status}' INT; echo ready >&2; sleep 20 & wait"


def test_stopped_by_ctrl_c(command: Callable[[str], None], tmp_path: Path) -> None:
    assert threading.current_thread() is threading.main_thread()
    command(STOPS.format(status=0))
    assert not process.run_caffe([], tmp_path / "log", 1, interrupt_at("ready"))


def test_a_failure_after_ctrl_c_is_told(command: Callable[[str], None], tmp_path: Path) -> None:
    command(STOPS.format(status=1).replace("stopping", "disk full"))
    with pytest.raises(UserError, match=r"disk full \(caffe train failed; its log is"):
        process.run_caffe([], tmp_path / "log", 1, interrupt_at("ready"))


def test_killed(command: Callable[[str], None], tmp_path: Path) -> None:
    command("kill -KILL $$")
    with pytest.raises(UserError, match="killed by SIGKILL; was memory short"):
        process.run_caffe([], tmp_path / "log", 1, lambda line: None)
