"""Evaluating a run on a split, and what is written and printed of it."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.detections import Detections, GroundTruth
from ssd_centerloss.errors import UserError
from ssd_centerloss.evaluation.confusion import confusion_matrix, most_confused
from ssd_centerloss.evaluation.features import FeatureDistances, FeatureNet, measure_matches
from ssd_centerloss.evaluation.metrics import METRICS, Evaluation, evaluate
from ssd_centerloss.evaluation.split import SplitImage, in_batches
from ssd_centerloss.inference import Detector

if TYPE_CHECKING:
    from rich.table import Table

    from ssd_centerloss.class_geometry import ClassGeometry

SCORE_THRESHOLD = 0.5
"""Of the confusion matrix."""


@dataclass(frozen=True)
class Report:
    """What a detector makes of a split.

    names, found, truths : of the images that could be read, in order
    classes    : names by label, the background's first
    confusion  : confusion_matrix at a score of 0.5
    features   : None where they were not asked for
    unreadable : "NAME: why" of the others
    """

    names: tuple[str, ...]
    found: tuple[Detections, ...]
    truths: tuple[GroundTruth, ...]
    classes: tuple[str, ...]
    evaluation: Evaluation
    confusion: NDArray[np.int64]
    features: FeatureDistances | None
    unreadable: tuple[str, ...]


class Evaluator:
    """Runs a detector, and the net of its features, over images."""

    def __init__(self, detector: Detector, features: FeatureNet | None, batch: int) -> None:
        self._detector, self._features, self._batch = detector, features, batch
        self._seen: list[tuple[str, Detections, GroundTruth]] = []
        self._matches: list[Any] = []
        self._unreadable: list[str] = []

    def run(self, images: Iterable[SplitImage]) -> Generator[None, None, None]:
        """Does the images; gives None after each, for the progress."""
        for batch in in_batches(images, self._batch):
            readable = [(item, item.image) for item in batch if item.image is not None]
            pixels = [image for _, image in readable]
            truths = [item.truth for item, _ in readable]
            if self._features is not None and pixels:
                self._matches.append(self._features.matched(pixels, truths))
            names = [item.name for item, _ in readable]
            self._seen += zip(names, self._detector.detect(pixels), truths, strict=True)
            self._unreadable += [f"{b.name}: {b.problem}" for b in batch if b.image is None]
            yield from [None] * len(batch)

    def report(self) -> Report:
        """Of all images so far. Raises UserError if none could be read."""
        if not self._seen:
            raise UserError(
                f"none of {len(self._unreadable)} images can be read; {self._unreadable[0]}"
                if self._unreadable
                else "there are no images to evaluate"
            )
        names, found, truths = zip(*self._seen, strict=True)
        classes = self._detector.label_map.names
        return Report(
            names=names,
            found=found,
            truths=truths,
            classes=classes,
            evaluation=evaluate(found, truths, classes),
            confusion=confusion_matrix(found, truths, len(classes), SCORE_THRESHOLD),
            features=None if self._features is None else measure_matches(self._matches),
            unreadable=tuple(self._unreadable),
        )


def table(report: Report, metrics: Sequence[str]) -> Table:
    """A table of the classes and their mean, by some of METRICS."""
    from rich.markup import escape
    from rich.table import Table

    result = Table(title=f"{report.evaluation.images} images")
    result.add_column("class")
    for title in ("ground truths", "detections", *(METRICS[metric] for metric in metrics)):
        result.add_column(title, justify="right")
    for row in report.evaluation.classes:
        values = [_number(getattr(row, metric)) for metric in metrics]
        result.add_row(escape(row.name), str(row.ground_truths), str(row.detections), *values)
    result.add_section()
    result.add_row(
        "mean",
        str(sum(row.ground_truths for row in report.evaluation.classes)),
        str(sum(row.detections for row in report.evaluation.classes)),
        *(_number(report.evaluation.mean(metric)) for metric in metrics),
    )
    return result


def remarks(report: Report) -> list[str]:
    """Lines below the table: confusions, distances of features, images left out."""
    lines = []
    confused = [
        f"{report.classes[row]} taken for {report.classes[column]} {times}×"
        for row, column, times in most_confused(report.confusion)
    ]
    lines.append(
        f"at scores of {SCORE_THRESHOLD} and more: {int(report.confusion[1:, 0].sum())} missed, "
        f"{int(report.confusion[0].sum())} detections of nothing"
        + "".join(f", {text}" for text in confused)
    )
    if report.features is not None:
        for what, geometry in _geometries(report.features).items():
            lines.append(
                f"{what} of {report.features.priors} matched priors: within classes "
                f"{geometry.within:.3g}, between classes {geometry.between:.3g}, "
                f"ratio {geometry.ratio:.3f}"
            )
    if report.unreadable:
        lines.append(f"{len(report.unreadable)} images left out:")
        lines += [f"  {line}" for line in report.unreadable]
    return lines


def write(report: Report, folder: Path, facts: dict[str, Any]) -> None:
    """Writes metrics.json, detections.json, pr_curves.png and confusion.png.

    `facts` go first in metrics.json. A value that does not exist (the average
    precision of a class without ground truth) is null there.
    """
    from ssd_centerloss.evaluation.plots import plot_confusion, plot_precision_recall
    from ssd_centerloss.evaluation.results import write_coco
    from ssd_centerloss.models.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_finite({**facts, **summary(report)}), indent=1, ensure_ascii=False)
    write_text(folder / "metrics.json", text + "\n")
    write_coco(
        folder / "detections.json",
        dict(zip(report.names, report.found, strict=True)),
        report.classes,
    )
    mean = f"mean {report.evaluation.mean('voc12'):.3f}, {report.evaluation.images} images"
    plot_precision_recall(report.evaluation.classes, folder / "pr_curves.png", mean)
    plot_confusion(report.confusion, report.classes, folder / "confusion.png")


def summary(report: Report) -> dict[str, Any]:
    """The report as metrics.json has it; NaN where there is no value."""
    evaluation = report.evaluation
    features: dict[str, Any] | None = None
    if report.features is not None:
        features = {
            what.replace(" ", "_"): {
                "within": geometry.within,
                "between": geometry.between,
                "ratio": geometry.ratio,
            }
            for what, geometry in _geometries(report.features).items()
        }
        features["matched_priors"] = report.features.priors
    return {
        "images": evaluation.images,
        "unreadable": list(report.unreadable),
        "mean": {metric: evaluation.mean(metric) for metric in METRICS},
        "classes": [
            {
                "name": row.name,
                "ground_truths": row.ground_truths,
                "detections": row.detections,
                **{metric: getattr(row, metric) for metric in METRICS},
            }
            for row in evaluation.classes
        ],
        "confusion": {
            "score_threshold": SCORE_THRESHOLD,
            "classes": list(report.classes),
            "matrix": report.confusion.tolist(),
        },
        "features": features,
    }


def _geometries(features: FeatureDistances) -> dict[str, ClassGeometry]:
    pairs = {"center features": features.center, "class scores": features.scores}
    return {what: geometry for what, geometry in pairs.items() if geometry is not None}


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
