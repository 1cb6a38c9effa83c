"""SSD in PyTorch: the same layers as ours, by the same names, as its users write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.plan import Plan

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
# Behind fc7: reduced width, width, kernel, padding, stride.
WIDE, HALF = (256, 512, 3, 1, 2), (128, 256, 3, 1, 2)
LESS_2, LESS_1 = (128, 256, 3, 0, 1), (128, 256, 4, 1, 1)
EXTRAS = {
    "ssd300_vgg16": (WIDE, HALF, LESS_2, LESS_2),
    "ssd512_vgg16": (WIDE, HALF, HALF, HALF, LESS_1),
}


class Vgg16(nn.Module):
    """VGG16 with dilated fc6, and the extra stages; forward gives the tops of the sources."""

    def __init__(self, model: str, sources: list[str]) -> None:
        super().__init__()
        self.sources, self.widths = sources, dict[str, int]()
        self._width = 3
        self._stages = [
            [f"conv{stage}_{i}" for i in range(1, count + 1)]
            for stage, (_, count) in enumerate(STAGES, start=1)
        ]
        for stage, (width, _) in zip(self._stages, STAGES, strict=True):
            for name in stage:
                self._add(name, width, 3, padding=1)
        self._add("fc6", 1024, 3, padding=6, dilation=6)
        self._add("fc7", 1024, 1)
        self._tail = ["fc6", "fc7"]
        for number, (reduced, width, kernel, pad, stride) in enumerate(EXTRAS[model], start=6):
            self._add(f"conv{number}_1", reduced, 1)
            self._add(f"conv{number}_2", width, kernel, padding=pad, stride=stride)
            self._tail += [f"conv{number}_1", f"conv{number}_2"]

    def _add(self, name: str, width: int, kernel: int, **geometry: int) -> None:
        self.add_module(name, nn.Conv2d(self._width, width, kernel, **geometry))
        self._width = self.widths[name] = width

    def _run(self, name: str, x: Tensor) -> Tensor:
        return F.relu(getattr(self, name)(x), inplace=True)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        tops = {}
        for stage in self._stages:
            for name in stage:
                x = tops[name] = self._run(name, x)
            if stage is self._stages[-1]:
                x = F.max_pool2d(x, 3, 1, 1)
            else:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        for name in self._tail:
            x = tops[name] = self._run(name, x)
        return {name: tops[name] for name in self.sources}


class Small(nn.Module):
    """The demo's net: convolution, batch normalization, ReLU."""

    def __init__(self, layers: tuple[tuple[str, int, int, int], ...], sources: list[str]) -> None:
        super().__init__()
        self.sources, self.widths = sources, dict[str, int]()
        before = 3
        for name, width, kernel, stride in layers:
            convolution = nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False)
            self.add_module(name, convolution)
            self.add_module(f"{name}_bn", nn.BatchNorm2d(width, momentum=0.05))
            before = self.widths[name] = width

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        tops = {}
        for name in self.widths:
            x = getattr(self, name)(x)
            x = tops[name] = F.relu(getattr(self, f"{name}_bn")(x), inplace=True)
        return {name: tops[name] for name in self.sources}


class Ssd(nn.Module):
    """A body with its heads.

    forward gives boxes (batch × priors × 4), class scores (… × classes) and, in training with
    center loss, features (… × center features).
    """

    def __init__(self, plan: Plan, training: bool) -> None:
        super().__init__()
        layers = [level.layer for level in plan.levels]
        self.body: Vgg16 | Small
        self.body = Small(plan.body, layers) if plan.body else Vgg16(plan.model, layers)
        self.levels = [(level.layer, level.source) for level in plan.levels]
        self.widths = {"mbox_loc": 4, "mbox_conf": plan.classes}
        if training:
            self.widths["center_mbox_conf"] = plan.features
        for level in plan.levels:
            before = self.body.widths[level.layer]
            if level.source != level.layer:
                self.register_parameter(level.source, nn.Parameter(torch.ones(before)))
            for suffix, width in self.widths.items():
                head = nn.Conv2d(before, level.priors * width, 3, padding=1)
                self.add_module(f"{level.source}_{suffix}", head)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        tops = self.body(x)
        found: dict[str, list[Tensor]] = {suffix: [] for suffix in self.widths}
        for layer, source in self.levels:
            top = tops[layer]
            if source != layer:
                top = F.normalize(top, eps=1e-5) * getattr(self, source)[None, :, None, None]
            for suffix, width in self.widths.items():
                numbers = getattr(self, f"{source}_{suffix}")(top)
                flat = numbers.permute(0, 2, 3, 1).reshape(len(x), -1, width)
                found[suffix].append(flat)
        return tuple(torch.cat(parts, 1) for parts in found.values())


class Scores(nn.Module):
    """For deployment: boxes and class probabilities."""

    def __init__(self, net: Ssd) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = self.net(x)[:2]
        return boxes.float(), F.softmax(scores.float(), dim=2)


def load(net: Ssd, folder: Path) -> None:
    """Copies the weights that nets.prepare wrote; a layer without weights is an error."""
    with np.load(folder / "weights.npz") as arrays, torch.no_grad():
        for name, module in net.named_modules():
            layer = name.removeprefix("body.")
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(torch.from_numpy(arrays[f"{layer}/0"]))
                if module.bias is not None:
                    module.bias.copy_(torch.from_numpy(arrays[f"{layer}/1"]))
            elif isinstance(module, nn.BatchNorm2d):
                _load_norm(module, layer, arrays)
        for layer, source in net.levels:
            if source != layer:
                getattr(net, source).copy_(torch.from_numpy(arrays[f"{source}/0"]))


def _load_norm(module: nn.BatchNorm2d, layer: str, arrays: Any) -> None:
    scale = layer.replace("_bn", "_scale")
    terms = max(float(arrays[f"{layer}/2"][0]), 1.0)
    assert module.running_mean is not None
    assert module.running_var is not None
    module.running_mean.copy_(torch.from_numpy(arrays[f"{layer}/0"] / terms))
    module.running_var.copy_(torch.from_numpy(arrays[f"{layer}/1"] / terms))
    module.weight.copy_(torch.from_numpy(arrays[f"{scale}/0"]))
    module.bias.copy_(torch.from_numpy(arrays[f"{scale}/1"]))


def make(folder: Path, plan: Plan, training: bool) -> Ssd:
    """The net of a folder with its weights; in training with the center branch."""
    net = Ssd(plan, training)
    load(net, folder)
    return net.to(memory_format=torch.channels_last)
