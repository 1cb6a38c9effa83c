"""The figures that speed is judged by: what each should be, what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.cases import COMMAND, INFERENCE, MEMORY, SHARES, SIDES, START, TRAINING
from benchmarks.results import Results, Row
from benchmarks.stats import Ratio, ratio

UNMEASURED = "not measured"


@dataclass(frozen=True)
class Figure:
    """One figure. `measure` gives the number and how it is shown; None: it was not measured."""

    name: str
    target: float
    unit: str  # " ×", " %", " s" or ""
    at_least: bool
    measure: Callable[[Results], tuple[float, str] | None]

    def row(self, results: Results) -> list[str]:
        """Figure, target, measured, reached or not."""
        found = self.measure(results)
        bound = f"{'≥' if self.at_least else '≤'} {self.target:g}{self.unit}"
        if found is None:
            return [self.name, bound, UNMEASURED, ""]
        value, text = found
        reached = value >= self.target if self.at_least else value <= self.target
        return [self.name, bound, text, "yes" if reached else "no"]


def fastest(results: Results, case: str, ours: bool) -> Row | None:
    """The row of least median, of our sides or of the others'."""
    rows = [r for r in results.of(case).values() if r.values and SIDES[r.side].ours == ours]
    return min(rows, key=lambda row: median(row.values), default=None)


def _times(value: Ratio, ours: str, theirs: str) -> tuple[float, str]:
    return value.value, f"{value}, {ours} to {theirs}"


def same_precision(case: str, precision: str) -> Callable[[Results], tuple[float, str] | None]:
    """Ours against PyTorch in one precision."""

    def measure(results: Results) -> tuple[float, str] | None:
        ours, theirs = f"ours {precision}", f"PyTorch {precision}"
        a, b = results.values(case, ours), results.values(case, theirs)
        return _times(ratio(a, b), ours, theirs) if a and b else None

    return measure


def best_modes(case: str) -> Callable[[Results], tuple[float, str] | None]:
    """Our fastest against the fastest of the others."""

    def measure(results: Results) -> tuple[float, str] | None:
        ours, theirs = fastest(results, case, True), fastest(results, case, False)
        if ours is None or theirs is None:
            return None
        return _times(ratio(ours.values, theirs.values), ours.side, theirs.side)

    return measure


def memory(case: str, precision: str) -> Callable[[Results], tuple[float, str] | None]:
    def measure(results: Results) -> tuple[float, str] | None:
        # A solver in Python keeps all values for whoever asks; who trains SSD300 runs the command.
        ours = results.values(case, f"{COMMAND} {precision}")
        theirs = results.values(case, f"PyTorch {precision}")
        if not ours or not theirs:
            return None
        part = ours[0] / theirs[0]
        return part, f"{part:.2f}, {ours[0]:.0f} to {theirs[0]:.0f} MiB"

    return measure


def share(
    case: str, side: str, counts: Callable[[str], bool]
) -> Callable[[Results], tuple[float, str] | None]:
    """Percent of our step in the types of layers that count."""

    def measure(results: Results) -> tuple[float, str] | None:
        row = results.of(case).get(side)
        if row is None or not row.values:
            return None
        types = row.about["types"]
        part = 100 * sum(ms for name, ms in types.items() if counts(name)) / sum(types.values())
        return part, f"{part:.1f} %"

    return measure


def _start(results: Results) -> tuple[float, str] | None:
    values = results.values(f"{START}/ssd300_vgg16", "ours fp32")
    if not values:
        return None
    return median(values), f"{median(values):.2f} s (slowest {max(values):.2f} s)"


def _no_convolution(name: str) -> bool:
    return name not in ("Convolution", "Pooling")


def _center_loss(name: str) -> bool:
    return name == "MultiBoxCenterLoss"


def figures() -> list[Figure]:
    """All of them."""
    step, shares = f"{TRAINING}/ssd300_vgg16/4", f"{SHARES}/ssd300_vgg16/4"
    held = f"{MEMORY}/ssd300_vgg16/8"
    of_precision = [
        figure
        for precision in ("fp32", "bf16")
        for figure in (
            Figure(
                f"peak memory of SSD300 training ({COMMAND}), batch 8, {precision}, of PyTorch's",
                0.7,
                "",
                False,
                memory(held, precision),
            ),
            Figure(
                f"share of a SSD300 step that is not convolution or pooling, {precision}",
                5,
                " %",
                False,
                share(shares, f"ours {precision}", _no_convolution),
            ),
            Figure(
                f"MultiBoxCenterLoss, of the step, {precision}",
                1,
                " %",
                False,
                share(shares, f"ours {precision}", _center_loss),
            ),
        )
    ]
    return [
        Figure("SSD300 training step, batch 4, fp32", 2, " ×", True, same_precision(step, "fp32")),
        Figure("SSD300 training step, batch 4, fastest modes", 1.25, " ×", True, best_modes(step)),
        Figure(
            "SSD300 inference with suppression, fastest of all peers",
            1.15,
            " ×",
            True,
            best_modes(f"{INFERENCE}/ssd300_vgg16/1"),
        ),
        Figure(
            "the demo's small net, training step, batch 8, fastest modes",
            1.25,
            " ×",
            True,
            best_modes(f"{TRAINING}/small/8"),
        ),
        *of_precision,
        Figure("import, load of SSD300, first detections", 2, " s", False, _start),
    ]


def check_table(results: Results) -> list[list[str]]:
    """A row for each figure."""
    head = ["figure", "target", "measured", "reached"]
    return [head, *(figure.row(results) for figure in figures())]
