"""Pictures of an evaluation, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssd_centerloss.evaluation.metrics import ClassResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERED = 30
"""The classes up to which a confusion matrix has its numbers written in."""


def plot_precision_recall(results: Sequence[ClassResult], path: Path, title: str = "") -> None:
    """Draws the precision-recall curve of each class at IoU 0.5, its VOC12 area in the legend."""
    figure, axes = _figure(6.4, 5.2)
    for i, result in enumerate(results):
        line: dict[str, Any] = {"color": f"C{i % 10}", "linestyle": ("-", "--", ":")[i // 10 % 3]}
        label = f"{result.name}  {result.voc12:.3f}  ({result.ground_truths})"
        recall = np.append(0.0, result.curve.recall)
        precision = np.append(result.curve.precision[:1], result.curve.precision)
        axes.plot(recall[: len(precision)], precision, label=label, **line)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.3)
    if results:
        axes.legend(title="class, area (boxes)", fontsize="small", loc="lower left")
    _save(figure, path)


def plot_confusion(matrix: NDArray[np.integer], names: Sequence[str], path: Path) -> None:
    """Draws a confusion matrix; colours are parts of the row, numbers are counts.

    Args:
        matrix: rows are what there is, columns what was detected; the background first.
        names: of all rows, the background's included.
    """
    count = len(names)
    total = matrix.sum(axis=1, keepdims=True)
    part = np.divide(matrix, total, out=np.zeros(matrix.shape), where=total > 0)
    side = max(4.5, (0.45 if count <= MOST_NUMBERED else 0.2) * count + 2)
    figure, axes = _figure(side + 1, side)
    picture = axes.imshow(part, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="detected as", ylabel="is", xticks=range(count), yticks=range(count))
    # The background is nothing: neither a class that was missed nor one that was found.
    axes.set_xticklabels(["(missed)", *names[1:]], rotation=45, ha="right")
    axes.set_yticklabels(["(nothing)", *names[1:]])
    if count <= MOST_NUMBERED:
        for (row, column), value in np.ndenumerate(matrix):
            if value:
                color = "white" if part[row, column] > 0.5 else "black"
                axes.text(column, row, str(value), ha="center", va="center", color=color)
    figure.colorbar(picture, ax=axes, label="part of the row")
    _save(figure, path)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    # Without pyplot there is no window system to ask, and nothing global to change.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
