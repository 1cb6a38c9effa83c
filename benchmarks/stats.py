"""Medians and ratios of rounds that alternate between the sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Ratio:
    """How many times as fast: the ratio of medians, and the quarters of the rounds' own ratios."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} × ({self.low:.2f}–{self.high:.2f})"


def quarters(values: Sequence[float]) -> tuple[float, float]:
    """The first and the third quarter; of fewer than four values the least and the largest."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """theirs / ours, of the seconds of rounds; round i of one was next to round i of the other.

    Raises ValueError for no rounds.
    """
    if not ours or not theirs:
        raise ValueError("no rounds to compare")
    rounds = [b / a for a, b in zip(ours, theirs, strict=False)]
    return Ratio(median(theirs) / median(ours), *quarters(rounds))


def spread(seconds: Sequence[float]) -> float:
    """Half the distance of the quarters, as a part of the median."""
    low, high = quarters(seconds)
    return (high - low) / 2 / median(seconds)


def steps_for(seconds_a_step: float, seconds_a_round: float = 0.5, at_most: int = 100) -> int:
    """How many steps fill a round, so that short steps are not lost in the clock's noise."""
    if seconds_a_step <= 0:
        return at_most
    return max(1, min(at_most, round(seconds_a_round / seconds_a_step)))
