"""Run folders: what a training is made of and where its files are.

::

    RUN/run.json            what the run is made of (RunConfig)
    RUN/labelmap.prototxt   RUN/{train,test,deploy,solver}.prototxt
    RUN/snapshots/model_iter_N.caffemodel, .solverstate
    RUN/train.log           RUN/results.csv   RUN/curves.png
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ssd_centerloss.errors import UserError


@dataclass(frozen=True)
class RunConfig:
    """What a run is made of, as run.json keeps it.

    Attributes:
        model: the recipe's name.
        size: the side of the net's input in pixels.
        data: the dataset folder, absolute.
        num_classes: with the background.
        mean_values, scale: the net's input is (pixel − mean) · scale, BGR.
        batch, iterations, lr: of the training.
        center_features, center_loss_weight: 0: the plain MultiBoxLoss.
        center_lr: α of the center loss; None: the solver's rate.
        scores_from_features: the class scores are made from the center features.
        precision: "fp32" or "bf16".
        mirror: training images are mirrored at random.
        seed: of weights and augmentation.
        threads: that the training uses.
        train_split, test_split: of the dataset.
        weights: the files that the training starts from; None: from nothing.
    """

    model: str
    size: int
    data: str
    num_classes: int
    mean_values: tuple[float, ...]
    scale: float
    batch: int
    iterations: int
    lr: float
    center_features: int
    center_loss_weight: float
    center_lr: float | None
    mirror: bool
    seed: int
    threads: int
    train_split: str = "train"
    test_split: str = "test"
    weights: str | None = None
    scores_from_features: bool = False
    precision: str = "fp32"

    @property
    def has_center_loss(self) -> bool:
        """Whether the run trains with MultiBoxCenterLoss."""
        wanted = self.center_loss_weight > 0 or self.scores_from_features
        return self.center_features > 0 and wanted

    @staticmethod
    def read(path: Path) -> RunConfig:
        """Reads run.json. Raises UserError where it is missing or says something else."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(f"{path}: missing; expected the folder of a run of `train`") from None
        except ValueError as error:
            raise UserError(f"{path}: not JSON: {error}") from None
        return _from_json(path, values)

    def write(self, path: Path) -> None:
        """Writes run.json, whole or not at all."""
        from ssd_centerloss.models.files import write_text

        write_text(path, json.dumps(asdict(self), indent=2) + "\n")


def _from_json(path: Path, values: Any) -> RunConfig:
    if not isinstance(values, Mapping):
        raise UserError(f"{path}: expected an object, got {type(values).__name__}")
    known = [field.name for field in fields(RunConfig)]
    missing = [
        field.name
        for field in fields(RunConfig)
        if field.default is MISSING and field.name not in values
    ]
    unknown = [name for name in values if name not in known]
    if missing or unknown:
        raise UserError(
            f"{path}: "
            + "; ".join(
                f"{what} {', '.join(names)}"
                for what, names in (("missing", missing), ("unknown", unknown))
                if names
            )
        )
    means = values["mean_values"]
    if not isinstance(means, list) or not all(isinstance(mean, int | float) for mean in means):
        raise UserError(f"{path}: mean_values is {means!r}, expected a list of numbers")
    return RunConfig(**{**values, "mean_values": tuple(means)})


@dataclass(frozen=True)
class Run:
    """The files of a run folder."""

    folder: Path

    @property
    def config_file(self) -> Path:
        return self.folder / "run.json"

    @property
    def label_map(self) -> Path:
        return self.folder / "labelmap.prototxt"

    @property
    def deploy(self) -> Path:
        return self.folder / "deploy.prototxt"

    @property
    def solver(self) -> Path:
        return self.folder / "solver.prototxt"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    @property
    def results(self) -> Path:
        return self.folder / "results.csv"

    @property
    def curves(self) -> Path:
        return self.folder / "curves.png"

    @property
    def snapshot_prefix(self) -> Path:
        return self.folder / "snapshots" / "model"

    def config(self) -> RunConfig:
        """What the run is made of."""
        return RunConfig.read(self.config_file)

    def newest(self, kind: str) -> Path | None:
        """The snapshot of the most iterations; kind: "caffemodel" or "solverstate"."""
        found = {
            int(match[1]): path
            for path in self.snapshot_prefix.parent.glob(f"model_iter_*.{kind}")
            if (match := re.fullmatch(r"model_iter_(\d+)", path.stem))
        }
        return found[max(found)] if found else None

    def newest_weights(self) -> Path:
        """The newest caffemodel. Raises UserError where there is none."""
        path = self.newest("caffemodel")
        if path is None:
            raise UserError(
                f"{self.snapshot_prefix.parent}: no model_iter_N.caffemodel; has the run trained?"
            )
        return path


def iteration_of(snapshot: Path) -> int:
    """The N of model_iter_N.caffemodel or .solverstate."""
    match = re.fullmatch(r".*_iter_(\d+)", snapshot.stem)
    if match is None:
        raise UserError(f"{snapshot}: expected a name that ends in _iter_N")
    return int(match[1])
