"""What the user asks of a training; None means the recipe's own number."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ssd_centerloss import models
from ssd_centerloss.data.dataset import Dataset
from ssd_centerloss.data.progress import default_threads
from ssd_centerloss.errors import UserError
from ssd_centerloss.runs import RunConfig

T = TypeVar("T")

# α of Wen et al. (2016), for features that feed the classifier.
PAPER_LR = 0.5

PRECISIONS = ("fp32", "bf16")

# How often a training is tested and snapshots are written, about.
TESTS = 8
# Lines of the log about the loss, at least.
LINES = 50


@dataclass(frozen=True)
class TrainOptions:
    """The options of `ssd-centerloss train`."""

    data: Path | None = None
    model: str | None = None
    size: int | None = None
    batch: int | None = None
    iterations: int | None = None
    lr: float | None = None
    center_features: int | None = None
    center_loss_weight: float | None = None
    center_lr: float | None = None
    scores_from_features: bool | None = None
    mirror: bool | None = None
    seed: int | None = None
    threads: int | None = None
    weights: Path | None = None
    precision: str | None = None


def find_recipe(name: str) -> models.Recipe:
    """The recipe of that name. Raises UserError, with the names that there are."""
    if name not in models.RECIPES:
        raise UserError(f"model '{name}': expected one of {', '.join(models.RECIPES)}")
    return models.RECIPES[name]


def config_of(options: TrainOptions, dataset: Dataset) -> RunConfig:
    """The configuration of a new run: what was asked for, else what the recipe says."""
    model = options.model or "small"
    recipe = find_recipe(model)
    center_loss = models.CenterLoss()
    joined = bool(options.scores_from_features)
    precision = _or(options.precision, recipe.schedule.precision)
    if precision not in PRECISIONS:
        raise UserError(f"precision '{precision}': expected one of {', '.join(PRECISIONS)}")
    return RunConfig(
        model=model,
        size=_or(options.size, recipe.size),
        data=str(dataset.folder.resolve()),
        num_classes=dataset.label_map.num_classes,
        mean_values=recipe.pixels.mean,
        scale=recipe.pixels.scale,
        batch=_or(options.batch, recipe.schedule.batch),
        iterations=_or(options.iterations, recipe.schedule.iterations),
        lr=_or(options.lr, recipe.schedule.lr),
        center_features=_or(options.center_features, center_loss.features),
        center_loss_weight=_or(options.center_loss_weight, center_loss.weight),
        center_lr=_or(options.center_lr, PAPER_LR if joined else center_loss.lr),
        scores_from_features=joined,
        mirror=_or(options.mirror, recipe.augmentation.mirror),
        seed=_or(options.seed, random.SystemRandom().randrange(2**31)),
        threads=options.threads or default_threads(),
        weights=str(options.weights.resolve()) if options.weights else None,
        precision=precision,
    )


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def recipe_of(config: RunConfig) -> models.Recipe:
    """The run's recipe, with the run's numbers in it."""
    recipe = find_recipe(config.model)
    interval = interval_of_tests(config.iterations)
    schedule = replace(
        recipe.schedule,
        iterations=config.iterations,
        batch=config.batch,
        lr=config.lr,
        seed=config.seed,
        precision=config.precision,
        test_interval=interval,
        snapshot=interval,
        display=max(1, min(recipe.schedule.display, config.iterations // LINES)),
    )
    augmentation = replace(recipe.augmentation, mirror=config.mirror)
    return replace(recipe, schedule=schedule, augmentation=augmentation)


def interval_of_tests(iterations: int) -> int:
    """About an eighth of the iterations, and a divisor: a test comes at the end too."""
    wanted = iterations / TESTS
    divisors = [n for n in range(1, iterations + 1) if iterations % n == 0]
    near = [n for n in divisors if wanted / 2 <= n <= wanted * 2]
    return min(near, key=lambda n: abs(n - wanted)) if near else iterations
