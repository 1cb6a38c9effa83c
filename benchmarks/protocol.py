"""Worker processes that do what they are asked for, a line of JSON for each request and reply."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LAST_LINES = 400  # of a worker's log that an error looks at


class WorkerError(Exception):
    """A worker could not do what it was asked for."""


class MissingError(WorkerError):
    """What the worker measures is not installed."""


class Worker:
    """A process that runs `serve`; it waits without work between requests.

    Attributes:
        name: for messages.
        started: time.perf_counter() before the process was made.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        """Starts it in the current folder; what it prints goes to folder/NAME.log.

        Raises:
            MissingError: there is no such interpreter.
        """
        self.name = name
        self._log = folder / f"{name.replace(' ', '-')}.log"
        self._unread = b""
        folder.mkdir(parents=True, exist_ok=True)
        self.started = time.perf_counter()
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=dict(environment),
                )
        except FileNotFoundError:
            raise MissingError("not installed") from None

    def ask(self, what: str, timeout: float = 300, **arguments: Any) -> dict[str, Any]:
        """What the worker's method `what` returns.

        Raises:
            MissingError: a module that it imports is not installed.
            WorkerError: it raised, died, or took longer than `timeout` seconds (and was killed).
        """
        request = json.dumps({"do": what, **arguments}) + "\n"
        try:
            stream = self._process.stdin
            assert stream is not None
            stream.write(request.encode())
            stream.flush()
        except BrokenPipeError:
            raise self._died() from None
        reply: dict[str, Any] = json.loads(self._line(time.monotonic() + timeout))
        if "missing" in reply:
            raise MissingError(f"not installed ({reply['missing']})")
        if "error" in reply:
            raise WorkerError(str(reply["error"]))
        return reply

    def _line(self, deadline: float) -> bytes:
        stream = self._process.stdout
        assert stream is not None
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                self.kill()
                raise WorkerError("took too long")
            more = os.read(stream.fileno(), 1 << 16)
            if not more:
                raise self._died()
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _died(self) -> WorkerError:
        status = self._process.wait()
        lines = self._log.read_text(errors="replace").split("\n")[-LAST_LINES:]
        said = [line.strip() for line in lines if line.strip()]
        cause = f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return WorkerError(f"{cause}: {said[-1]}" if said else cause)

    def close(self) -> None:
        """Ends the process and waits for it."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def serve(worker: object) -> None:
    """Answers requests from stdin with the worker's methods, until stdin ends.

    A request is {"do": method, argument: value…}; the reply is what the method returns (nothing:
    {}), or {"error": text}, or {"missing": name} for a module that is not installed. What
    libraries print goes to stderr.
    """
    with os.fdopen(os.dup(1), "w") as replies:
        os.dup2(2, 1)
        for line in sys.stdin:
            replies.write(json.dumps(answer(worker, json.loads(line))) + "\n")
            replies.flush()


def answer(worker: object, request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one request; see serve."""
    try:
        result: dict[str, Any] | None = getattr(worker, request.pop("do"))(**request)
    except ModuleNotFoundError as error:
        return {"missing": error.name}
    except Exception as error:  # the driver goes on with the other sides
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    return result or {}
