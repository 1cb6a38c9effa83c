"""The log of `caffe train` as rows, results.csv, curves, and how progress is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssd_centerloss.training import progress
from ssd_centerloss.training.curves import draw_curves
from ssd_centerloss.training.log import LogParser, Row
from ssd_centerloss.training.results import ResultsWriter, format_number, read_results

LOG = """\
I1122 04:38:14.1  3914 solver.cpp:231] Iteration 0, Testing net (#0)
I1122 04:38:14.2  3914 solver.cpp:250]     detection_eval (11point): label  class  objects
I1122 04:38:14.2  3914 solver.cpp:250]         1  cat         69        2726  0.0000
I1122 04:38:14.3  3914 solver.cpp:250]     class1: 0.25
I1122 04:38:14.3  3914 solver.cpp:250]     class2: 0.75
I1122 04:38:14.4  3914 solver.cpp:203]     Test net output #0: detection_eval = 0.5
I1122 04:38:15.9  3914 solver.cpp:271] Iteration 0 (2.3 iter/s, 0.4s/1 iters), loss = 5.5
I1122 04:38:15.9  3914 solver.cpp:203]     Train net output #0: mbox_center_loss = 0.5
I1122 04:38:15.9  3914 solver.cpp:203]     Train net output #1: mbox_conf_loss = 3
I1122 04:38:15.9  3914 solver.cpp:203]     Train net output #2: mbox_loc_loss = 2
I1122 04:38:15.9  3914 solver.cpp:203]     Train net output #3: mbox_loss = 5.5 (* 1 = 5.5 loss)
I1122 04:38:15.9  3914 solver.cpp:278]     mbox_loss (MultiBoxCenterLoss): mean distance to the \
centers 1.25 (142 samples), mean movement of the centers 0.125 an iteration (1 iterations)
I1122 04:38:15.9  3914 sgd_solver.cpp:85] Iteration 0, lr = 0.00015
I1122 04:38:17.2  3914 solver.cpp:102] Iteration 40, loss = 4.25
I1122 04:38:17.3  3914 solver.cpp:106] Optimization Done.
"""
ROWS = [
    Row(0, {"AP cat": 0.25, "AP dog": 0.75, "mAP": 0.5}),
    Row(
        0,
        {
            "loss": 5.5,
            "center_loss": 0.5,
            "conf_loss": 3.0,
            "loc_loss": 2.0,
            "center_distance": 1.25,
            "center_movement": 0.125,
            "lr": 0.00015,
        },
    ),
    Row(40, {"loss": 4.25}),
]


def parse(text: str) -> list[Row]:
    parser = LogParser(("cat", "dog"))
    rows = [parser.take(line) for line in text.splitlines()]
    return [row for row in [*rows, parser.end()] if row is not None]


def test_rows_of_a_log() -> None:
    assert parse(LOG) == ROWS


def test_rows_come_as_soon_as_they_are_whole() -> None:
    parser = LogParser(("cat", "dog"))
    completed = [i for i, line in enumerate(LOG.splitlines()) if parser.take(line)]
    assert completed == [5, 12]  # the lines of mAP and of the rate


def test_lines_that_are_nothing_of_ours() -> None:
    assert parse("I1122 nonsense\n\n    class9: 0.5\nlayer { name: 'x' }\n") == []
    assert parse("Iteration 3, loss = 1.5\n") == [Row(3, {"loss": 1.5})]


def write(path: Path, rows: list[Row], resumed_at: int = 0) -> None:
    writer = ResultsWriter(path, ("cat", "dog"), resumed_at)
    for i, row in enumerate(rows):
        writer.add(row, seconds=i + 0.5)


def test_results_go_round(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, ROWS)
    found = read_results(path)
    assert found == [
        {"iteration": row.iteration, "seconds": i + 0.5, **row.values} for i, row in enumerate(ROWS)
    ]
    first = path.read_text().splitlines()[0]
    assert first.startswith("iteration,seconds,lr,loss,conf_loss,loc_loss,center_loss,")
    assert first.endswith(",mAP,AP cat,AP dog")


def test_a_resumed_run_drops_what_comes_again_and_goes_on_in_time(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write(path, [Row(0, {"loss": 4.0}), Row(10, {"loss": 3.0}), Row(20, {"loss": 2.0})])
    write(path, [Row(20, {"loss": 1.0})], resumed_at=20)
    assert [(row["iteration"], row["loss"], row["seconds"]) for row in read_results(path)] == [
        (0, 4.0, 0.5),
        (10, 3.0, 1.5),
        (20, 1.0, 2.0),
    ]
    write(path, [])
    assert read_results(path) == []


@pytest.mark.parametrize("value", [0.1, 1e-7, 12.0, 123456789.0, -0.5])
def test_numbers_are_short_and_exact(value: float) -> None:
    assert float(format_number(value)) == value
    assert format_number(12.0) == "12"


def test_curves(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "curves.png"
    rows = [{"iteration": float(row.iteration), **row.values} for row in ROWS]
    assert draw_curves(rows, path, "a run")
    picture = cv2.imread(str(path))
    assert picture.shape[1] > picture.shape[0] > 300
    assert not draw_curves([{"iteration": 0.0, "lr": 1.0}], tmp_path / "none.png", "nothing")
    assert not (tmp_path / "none.png").exists()


def test_lines_of_progress(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.shown(0, 100, quiet=False) as shown:
        now[0] += 20
        shown.update(Row(10, {"loss": 4.0}))
        now[0] += 1
        shown.update(Row(11, {"loss": 3.0}))  # too soon to tell
        now[0] += 1
        shown.update(Row(11, {"mAP": 0.5}))  # a test is always told
    assert capfd.readouterr().err.splitlines() == [
        "iteration 10/100: 0.5 it/s, 3m00s left, loss 4",
        "iteration 11/100: 0.5 it/s, 2m58s left, loss 3, mAP 0.500",
    ]
    with progress.shown(0, 100, quiet=True) as shown:
        shown.update(Row(10, {"mAP": 0.5}))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.4, "9s"), (154, "2m34s"), (3725, "1h02m"), (3599.6, "1h00m")]
)
def test_durations(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text
