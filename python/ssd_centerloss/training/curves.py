"""curves.png: the loss, its terms and mAP over the iterations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TERMS = ("loss", "conf_loss", "loc_loss", "center_loss")


def draw_curves(rows: Sequence[dict[str, float]], path: Path, title: str) -> bool:
    """Draws the rows of a results.csv; False where there is nothing to draw."""
    if not any("loss" in row or "mAP" in row for row in rows):
        return False
    # Figure by itself needs no display and leaves pyplot's state alone.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.suptitle(title)
    for name in TERMS:
        _plot(left, rows, name, name.replace("_", " "), linewidth=1.6 if name == "loss" else 1)
    left.set_yscale("log")
    left.set_ylabel("loss")
    precisions = sorted({key for row in rows for key in row if key.startswith("AP ")})
    for name in precisions:
        _plot(right, rows, name, name.removeprefix("AP "), linewidth=0.8, alpha=0.6)
    _plot(right, rows, "mAP", "mAP", linewidth=2.2, color="black", marker="o", markersize=3)
    right.set_ylim(0, 1)
    right.set_ylabel("average precision at an overlap of 0.5")
    for axes in (left, right):
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize="small", ncol=1 + len(axes.lines) // 12)
    figure.savefig(path, dpi=110)
    return True


def _plot(
    axes: Axes, rows: Sequence[dict[str, float]], name: str, label: str, **style: Any
) -> None:
    points = [(row["iteration"], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, **style)
