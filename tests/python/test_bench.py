"""The benchmark's pure parts: statistics, the protocol, the choice of cases, the report."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import cases, cli, figures, report, stats  # noqa: E402
from benchmarks.protocol import MissingError, Worker, WorkerError  # noqa: E402
from benchmarks.results import Results, Row  # noqa: E402

WORKER = """
import os, sys, time
from benchmarks.protocol import serve

class Example:
    def add(self, a, b):
        print("noise on stdout")
        return {"sum": a + b}
    def nothing(self):
        pass
    def fail(self):
        raise ValueError("three\\nlines\\nof it")
    def miss(self):
        import a_module_that_nobody_has
    def die(self):
        print("last words", file=sys.stderr, flush=True)
        os._exit(3)
    def hang(self):
        time.sleep(60)

serve(Example())
"""


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker("an example", [sys.executable, "-c", WORKER], {"PYTHONPATH": str(ROOT)}, tmp_path)


def results(*rows: Row) -> Results:
    machine = {
        "processor": "P", "cores": 2, "flags": ["avx2"], "memory_gib": 8.0, "system": "S", "load": 0
    }  # fmt: skip
    return Results(machine, "today", 2, "python -m benchmarks", list(rows))


# ---------------------------------------------------------------------------
# Statistics


def test_ratio_is_of_medians_and_its_spread_of_rounds() -> None:
    found = stats.ratio([1, 2, 1, 1], [3, 3, 3, 9])
    assert found.value == 3
    assert (found.low, found.high) == (2.625, 4.5)  # the quarters of 3, 1.5, 3, 9
    assert str(found) == "3.00 × (2.62–4.50)"


def test_few_rounds_show_their_ends() -> None:
    assert stats.quarters([5, 1, 2]) == (1, 5)
    assert stats.spread([2, 2, 4]) == 0.5


def test_ratio_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        stats.ratio([], [1])


@pytest.mark.parametrize(("seconds", "steps"), [(2.0, 1), (0.1, 5), (1e-6, 100), (0.0, 100)])
def test_rounds_of_short_steps_have_many(seconds: float, steps: int) -> None:
    assert stats.steps_for(seconds) == steps


# ---------------------------------------------------------------------------
# Workers


def test_worker_answers_and_goes_on_after_errors(worker: Worker) -> None:
    assert worker.ask("add", a=2, b=3) == {"sum": 5}
    with pytest.raises(WorkerError, match=r"^ValueError: three lines of it$"):
        worker.ask("fail")
    with pytest.raises(MissingError, match=r"not installed .a_module_that_nobody_has"):
        worker.ask("miss")
    assert worker.ask("nothing") == {}
    worker.close()


def test_death_tells_the_last_words(worker: Worker) -> None:
    with pytest.raises(WorkerError, match="ended with status 3: last words"):
        worker.ask("die")
    with pytest.raises(WorkerError, match="ended with status 3"):
        worker.ask("add", a=1, b=1)
    worker.close()


def test_a_worker_that_hangs_is_killed(worker: Worker) -> None:
    with pytest.raises(WorkerError, match="took too long"):
        worker.ask("hang", timeout=0.2)
    worker.close()


def test_missing_interpreter(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="not installed"):
        Worker("none", [str(tmp_path / "python")], {}, tmp_path)


# ---------------------------------------------------------------------------
# Cases


def test_default_leaves_out_what_is_too_large() -> None:
    keys = [case.key for case in cases.training(cases.Choice())]
    assert "training/ssd512_vgg16/4" in keys
    assert "training/ssd512_vgg16/8" not in keys
    asked = cases.Choice(batches=(8,), models=("ssd512_vgg16",))
    assert [case.key for case in cases.training(asked)] == ["training/ssd512_vgg16/8"]


def test_precision_chooses_the_sides() -> None:
    (case,) = cases.inference(cases.Choice(models=("small",), precisions=("bf16",)))
    assert case.sides == ("ours bf16", "PyTorch bf16", "ncnn bf16")


def test_short_memory_splits_the_sides_by_precision() -> None:
    (case,) = cases.training(cases.Choice(models=("ssd300_vgg16",), batches=(8,)))
    need = cases.memory_gib(case)
    assert cases.groups(case, 4 * need) == [case.sides]
    assert cases.groups(case, 3 * need) == [
        ("ours fp32", "PyTorch fp32"),
        ("ours bf16", "PyTorch bf16"),
    ]
    with pytest.raises(ValueError, match="needs more memory"):
        cases.groups(case, need)


def test_a_failing_part_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    done = []

    def broken() -> None:
        raise RuntimeError("no")

    cli.run([cli.Task("a", 1, broken), cli.Task("b", 60, lambda: done.append("b"))])
    assert done == ["b"]
    told = capsys.readouterr().err
    assert "failed: RuntimeError: no" in told
    assert "[2/2] b; about 1 min left" in told


# ---------------------------------------------------------------------------
# The report


def test_results_survive_the_file(tmp_path: Path) -> None:
    before = results(Row("training/small/8", "ours fp32", [1.0], "", {"version": "v"}))
    before.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == before


def test_report_has_what_was_measured_and_why_not() -> None:
    case = "training/ssd300_vgg16/4"
    text = report.markdown(
        results(
            Row(case, "ours fp32", [1.0, 1.0, 1.0], about={"version": "ours 1"}),
            Row(case, "PyTorch fp32", [2.5, 2.5, 2.5], about={"version": "PyTorch 2"}),
            Row(case, "PyTorch bf16", note="not installed (torch)"),
        )
    )
    assert "| SSD300-VGG16 | 4 | ours fp32 | 1.00 s ± 0 % | 4.00 | 2.50 × (2.50–2.50) |" in text
    assert "| SSD300-VGG16 | 4 | PyTorch bf16 | not installed (torch) |  |  |" in text
    assert "PyTorch 2; ours 1." in text
    assert "## Inference" not in text


def checked(*rows: Row) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in figures.check_table(results(*rows))}


def test_figures_say_whether_they_are_reached() -> None:
    step = "training/ssd300_vgg16/4"
    start = Row("start-up/ssd300_vgg16", "ours fp32", [1.0, 3.0, 1.5])
    rows = [
        Row(step, "ours fp32", [1.0] * 3),
        Row(step, "ours bf16", [0.8] * 3),
        Row(step, "PyTorch fp32", [2.5] * 3),
        Row(step, "PyTorch bf16", [0.96] * 3),
        start,
    ]
    table = checked(*rows)
    assert table["SSD300 training step, batch 4, fp32"][::2] == ["≥ 2 ×", "yes"]
    fastest = table["SSD300 training step, batch 4, fastest modes"]
    assert fastest[1:] == ["1.20 × (1.20–1.20), ours bf16 to PyTorch bf16", "no"]
    assert table["import, load of SSD300, first detections"][1:] == [
        "1.50 s (slowest 3.00 s)",
        "yes",
    ]
    slow = checked(replace(start, values=[2.5]))
    assert slow["import, load of SSD300, first detections"][2] == "no"
    assert slow["SSD300 training step, batch 4, fp32"][1:] == ["not measured", ""]


def test_shares_are_of_the_whole_step() -> None:
    types = {"Convolution": 90, "Pooling": 4, "MultiBoxCenterLoss": 1.5, "update": 4.5}
    row = Row("shares/ssd300_vgg16/4", "ours fp32", [0.1], about={"types": types})
    table = checked(row)
    share = "share of a SSD300 step that is not convolution or pooling, fp32"
    assert table[share] == ["≤ 5 %", "6.0 %", "no"]
    assert table["MultiBoxCenterLoss, of the step, fp32"] == ["≤ 1 %", "1.5 %", "no"]
