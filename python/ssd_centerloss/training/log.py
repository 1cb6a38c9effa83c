"""What the log of `caffe train` says, as rows of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LINE = re.compile(r"^[IWEF]\d{4} [\d:.]+ +\d+ \S+?:\d+\] (?P<text>.*)$")
LOSS = re.compile(r"^Iteration (\d+)(?: \(.*\))?, loss = (\S+)$")
RATE = re.compile(r"^Iteration (\d+), lr = (\S+)$")
TESTING = re.compile(r"^Iteration (\d+), Testing net \(#0\)$")
OUTPUT = re.compile(r"^ +(Train|Test) net output #\d+: (\S+) = (\S+)")
CLASS_AP = re.compile(r"^ +class(\d+): (\S+)$")
CENTERS = re.compile(r"mean distance to the centers (\S+) .*mean movement of the centers (\S+) ")
SNAPSHOT = re.compile(r"^Snapshotting (?:solver state )?to .*?(\S+)$")

# Outputs of the train net → columns.
TERMS = {
    "mbox_conf_loss": "conf_loss",
    "mbox_loc_loss": "loc_loss",
    "mbox_center_loss": "center_loss",
}
COLUMNS = ("lr", "loss", *TERMS.values(), "center_distance", "center_movement", "mAP")


@dataclass(frozen=True)
class Row:
    """What was measured at an iteration: of training, or of a test."""

    iteration: int
    values: dict[str, float]


@dataclass
class LogParser:
    """Takes lines of the log and gives rows.

    class_names: of the labels 1, 2, …; a test's row has an average precision under each name.
    """

    class_names: tuple[str, ...]
    _iteration: int = 0
    _values: dict[str, float] = field(default_factory=dict)

    def take(self, line: str) -> Row | None:
        """The row that this line completes, if it completes one."""
        match = LINE.match(line)
        text = match["text"] if match else line
        if found := TESTING.match(text):
            return self._begin(found[1])
        if found := LOSS.match(text):
            row = self._begin(found[1])
            self._set("loss", found[2])
            return row
        if found := RATE.match(text):
            self._set("lr", found[2])
            return self._finish()
        if found := OUTPUT.match(text):
            return self._output(*found.groups())
        if found := CLASS_AP.match(text):
            label = int(found[1])
            if 1 <= label <= len(self.class_names):
                self._set(f"AP {self.class_names[label - 1]}", found[2])
        elif found := CENTERS.search(text):
            self._set("center_distance", found[1])
            self._set("center_movement", found[2])
        return None

    def _output(self, net: str, name: str, value: str) -> Row | None:
        if net == "Test" and name == "detection_eval":
            self._set("mAP", value)
            return self._finish()
        if net == "Train" and name in TERMS:
            self._set(TERMS[name], value)
        return None

    def _set(self, column: str, value: str) -> None:
        try:
            self._values[column] = float(value)
        except ValueError:
            return

    def _begin(self, iteration: str) -> Row | None:
        row = self._finish()
        self._iteration = int(iteration)
        return row

    def _finish(self) -> Row | None:
        row = Row(self._iteration, self._values) if self._values else None
        self._values = {}
        return row

    def end(self) -> Row | None:
        """The row that the log's end left open."""
        return self._finish()
