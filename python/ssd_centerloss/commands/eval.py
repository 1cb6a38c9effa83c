"""`ssd-centerloss eval`: how good a run's detections are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssd_centerloss.errors import UserError

if TYPE_CHECKING:
    from ssd_centerloss.data.dataset import Dataset
    from ssd_centerloss.data.label_map import LabelMap

DEFAULT_METRICS = ("voc07", "voc12", "coco")

EPILOG = """
[bold]Examples[/bold]

    ssd-centerloss eval runs/cells

    ssd-centerloss eval runs/cells --split train --weights other.caffemodel --out other

    ssd-centerloss eval runs/cells --metric coco --metric coco50 --metric coco_small
"""


# Many parameters and lines: each is an option of the command line.
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder, as `train` writes it.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights other than the run's newest snapshot.", show_default=False),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Of the dataset. Default: the run's test split.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A dataset folder other than the run's.", show_default=False),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of the table; may come several times: voc07, voc12, coco, coco50, "
            "coco75, coco_small, coco_medium, coco_large. Default: the first three.",
            show_default=False,
        ),
    ] = None,
    features: Annotated[
        bool, typer.Option(help="Measure distances of features too; takes as long again.")
    ] = True,
    batch: Annotated[int, typer.Option(min=1, help="Images of a pass.")] = 8,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Default: RUN/eval.", show_default=False),
    ] = None,
) -> None:
    """Evaluate a run: average precision, confusion of classes, distances of features.

    Prints a table of the classes, and writes metrics.json, detections.json (in
    COCO's form), pr_curves.png and confusion.png.
    """
    from rich.console import Console

    from ssd_centerloss.data.dataset import Dataset
    from ssd_centerloss.data.progress import shown
    from ssd_centerloss.evaluation import report
    from ssd_centerloss.evaluation.features import FeatureNet
    from ssd_centerloss.evaluation.split import read_split
    from ssd_centerloss.inference import Detector
    from ssd_centerloss.runs import Run

    metrics = _known_metrics(metric or list(DEFAULT_METRICS))
    detector, config = Detector.from_run(run, weights), Run(run).config()
    dataset, split = Dataset.open(data or config.data), split or config.test_split
    _check_classes(dataset, detector.label_map)
    net = FeatureNet.from_run(run, detector.weights) if features else None
    evaluator = report.Evaluator(detector, net, batch)
    begin = time.monotonic()
    for _ in shown(evaluator.run(read_split(dataset, split)), dataset.count(split), split):
        pass
    result = evaluator.report()
    facts = {
        "weights": str(detector.weights),
        "data": str(dataset.folder),
        "split": split,
        "seconds": round(time.monotonic() - begin, 1),
    }
    folder = out or run / "eval"
    report.write(result, folder, facts)
    console = Console(highlight=False)
    console.print(report.table(result, metrics))
    for line in report.remarks(result):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"weights: {detector.weights}; results in {folder}", markup=False, soft_wrap=True)


def _known_metrics(metrics: list[str]) -> list[str]:
    from ssd_centerloss.evaluation.metrics import METRICS

    for name in metrics:
        if name not in METRICS:
            raise UserError(f"--metric {name}: expected one of {', '.join(METRICS)}")
    return metrics


def _check_classes(dataset: Dataset, label_map: LabelMap) -> None:
    if dataset.label_map.names != label_map.names:
        raise UserError(
            f"{dataset.folder}: its classes are {', '.join(dataset.label_map.classes)}; the run "
            f"was trained on {', '.join(label_map.classes)}"
        )
