"""What the peers must know of a net; plan.json in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class PlanLevel:
    """A source of the heads: its layer, the top that is read, priors of a cell."""

    layer: str
    source: str
    priors: int


@dataclass(frozen=True)
class Plan:
    """A net, its solver's rule and numbers, and its center loss.

    model: of ssd_centerloss.models.RECIPES; classes: with the background; body: of the small
    net, each convolution's name, width, kernel and stride.
    """

    model: str
    size: int
    classes: int
    levels: tuple[PlanLevel, ...]
    rule: str
    rate: float
    decay: float
    features: int
    center_weight: float
    center_rate: float
    body: tuple[tuple[str, int, int, int], ...]

    def save(self, folder: Path) -> None:
        (folder / "plan.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> Plan:
        values = json.loads((folder / "plan.json").read_text())
        levels = tuple(PlanLevel(**level) for level in values.pop("levels"))
        body = tuple((name, *numbers) for name, *numbers in values.pop("body"))
        return cls(levels=levels, body=body, **values)
