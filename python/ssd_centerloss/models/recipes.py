"""The detectors that `ssd-centerloss train --model` knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ssd_centerloss.models import small, vgg
from ssd_centerloss.models.config import Augmentation, Pixels, Recipe, Schedule

SSD300_VGG16 = Recipe(
    title="SSD300 on VGG16",
    size=300,
    sizes=(300, 300),
    body=vgg.add_ssd300_body,
    levels=vgg.ssd300_levels,
    schedule=Schedule(iterations=120_000, steps=(2 / 3, 5 / 6, 1)),
)

SSD512_VGG16 = replace(
    SSD300_VGG16,
    title="SSD512 on VGG16",
    size=512,
    sizes=(512, 512),
    body=vgg.add_ssd512_body,
    levels=vgg.ssd512_levels,
)

SMALL = Recipe(
    title="a small net for CPUs",
    size=160,
    sizes=(96, 512),
    body=small.add_small_body,
    levels=small.small_levels,
    schedule=Schedule(
        iterations=1500,
        rule="Adam",
        lr=4e-3,
        warmup=0.05,
        batch=8,
        test_interval=250,
        snapshot=250,
        test_batch=8,
    ),
    pixels=Pixels(scale=1 / 64),
    augmentation=Augmentation(max_expand=1.5, min_crop=0.75, interpolations=("LINEAR",)),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {"ssd300_vgg16": SSD300_VGG16, "ssd512_vgg16": SSD512_VGG16, "small": SMALL}
)
