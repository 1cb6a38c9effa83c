"""Detectors as functions over caffe.NetSpec: recipes, and what they are made of.

::

    from dataclasses import replace
    from ssd_centerloss import models

    recipe = models.RECIPES["small"]
    recipe = replace(recipe, schedule=replace(recipe.schedule, iterations=500))
    nets = models.build(recipe, models.Config(num_classes=4, databases=…, files=…, snapshots=…))
    models.write(nets, folder)
"""

from ssd_centerloss.models.build import build, deploy_net, solver, test_net, train_net
from ssd_centerloss.models.config import (
    Augmentation,
    CenterLoss,
    Config,
    Databases,
    Level,
    Nets,
    Pixels,
    Recipe,
    Results,
    Schedule,
)
from ssd_centerloss.models.files import write
from ssd_centerloss.models.recipes import RECIPES

__all__ = [
    "RECIPES",
    "Augmentation",
    "CenterLoss",
    "Config",
    "Databases",
    "Level",
    "Nets",
    "Pixels",
    "Recipe",
    "Results",
    "Schedule",
    "build",
    "deploy_net",
    "solver",
    "test_net",
    "train_net",
    "write",
]
