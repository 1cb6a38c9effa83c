"""The frame of the command line: errors in one line, exit codes, help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import caffe
from ssd_centerloss import cli
from ssd_centerloss.errors import UserError


def run(monkeypatch: pytest.MonkeyPatch, command: Callable[..., Any]) -> int:
    """The exit code of the command line where its commands do this."""
    monkeypatch.setattr(cli, "app", command)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def raises(error: BaseException) -> Callable[..., None]:
    """A command line that ends so."""

    def command(**_: object) -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("a.xml:3: xmin is 'x', expected a number"), 1, "a.xml:3: xmin is 'x'"),
        (FileNotFoundError(2, "No such file", "runs/a"), 1, "No such file: 'runs/a'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_one_line(
    error: BaseException,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, raises(error)) == status
    printed = capfd.readouterr().err
    assert printed.startswith("ssd-centerloss: error: ")
    assert line in printed
    assert printed.count("\n") == 1


def test_an_error_of_the_runtime_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command(**_: object) -> None:
        caffe.Net("no_such.prototxt", caffe.TEST)

    assert run(monkeypatch, command) == 1
    assert "no_such.prototxt" in capfd.readouterr().err


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`ssd-centerloss` with these arguments."""
    line = [sys.executable, "-m", "ssd_centerloss", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_version_and_help() -> None:
    assert command("--version").stdout == f"ssd-centerloss {caffe.__version__}\n"
    assert "Usage" in command("--help").stdout


def test_an_unknown_command_exits_with_2() -> None:
    found = command("trian")
    assert found.returncode == 2
    assert "trian" in found.stderr
